from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.card_row_outcome_1x2_type_0 import CardRowOutcome1X2Type0
from ..models.card_row_outcome_1x2_type_0 import check_card_row_outcome_1x2_type_0
from ..models.card_row_predicted_class import CardRowPredictedClass
from ..models.card_row_predicted_class import check_card_row_predicted_class
from ..models.card_row_predicted_label import CardRowPredictedLabel
from ..models.card_row_predicted_label import check_card_row_predicted_label
from ..models.card_row_status import CardRowStatus
from ..models.card_row_status import check_card_row_status
from ..models.card_row_value_bet_type_0 import CardRowValueBetType0
from ..models.card_row_value_bet_type_0 import check_card_row_value_bet_type_0
from ..models.stage import check_stage
from ..models.stage import Stage
from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="CardRow")


@_attrs_define
class CardRow:
    """A prediction merged with its odds; odds, implied and edge fields are null without a market."""

    match_id: int
    home_team: str
    away_team: str
    match_date: datetime.datetime | None
    """ Kickoff, ISO-8601 UTC; null while unknown. """
    region: str
    league: str
    proba_home: float
    proba_draw: float
    proba_away: float
    predicted_class: CardRowPredictedClass
    predicted_label: CardRowPredictedLabel
    is_future: bool
    model_run_id: str
    model_stage: Stage
    """ Alias of the registered model: the champion, or the challenger compared with it. """
    status: CardRowStatus
    outcome_1x2: CardRowOutcome1X2Type0 | None | Unset = UNSET
    home_score: int | None | Unset = UNSET
    away_score: int | None | Unset = UNSET
    season: None | str | Unset = UNSET
    sex: int | None | Unset = UNSET
    home_elo: float | None | Unset = UNSET
    """ Elo rating before kickoff. """
    away_elo: float | None | Unset = UNSET
    home_form: None | str | Unset = UNSET
    """ Last five results, oldest first, of W, D, L. """
    away_form: None | str | Unset = UNSET
    in_sample: bool | None | Unset = UNSET
    """ Whether the match lies in the model's training period. """
    odds_home: float | None | Unset = UNSET
    odds_draw: float | None | Unset = UNSET
    odds_away: float | None | Unset = UNSET
    implied_home: float | None | Unset = UNSET
    """ Market probability with the margin removed. """
    implied_draw: float | None | Unset = UNSET
    implied_away: float | None | Unset = UNSET
    edge_home: float | None | Unset = UNSET
    """ What the model alone expects per unit staked, p·odds - 1. Large ones usually mean that the market knows
    more. """
    edge_draw: float | None | Unset = UNSET
    edge_away: float | None | Unset = UNSET
    pooled_home: float | None | Unset = UNSET
    """ Price and model combined, as past matches weigh them; the market alone while they are few. """
    pooled_draw: float | None | Unset = UNSET
    pooled_away: float | None | Unset = UNSET
    pooled_edge_home: float | None | Unset = UNSET
    """ Expected value per unit staked by the pooled one. """
    pooled_edge_draw: float | None | Unset = UNSET
    pooled_edge_away: float | None | Unset = UNSET
    value_bet: CardRowValueBetType0 | None | Unset = UNSET
    """ Outcome whose pooled edge is the largest over the threshold; only while the closing-line value of such bets
    here lies above zero beyond doubt. """
    kelly_quarter: float | None | Unset = UNSET
    """ Stake on the value bet: a quarter of Kelly's share of the bankroll; a day's together at most 5 %. """
    live_score: None | str | Unset = UNSET
    region_roi: float | None | Unset = UNSET
    is_correct: bool | None | Unset = UNSET
    odds_collected_at: datetime.datetime | None | Unset = UNSET
    price_age_seconds: int | None | Unset = UNSET
    """ Age of the odds now, or at kickoff once it is past. """
    fonbet_url: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        match_id = self.match_id

        home_team = self.home_team

        away_team = self.away_team

        match_date: None | str
        if isinstance(self.match_date, datetime.datetime):
            match_date = self.match_date.isoformat()
        else:
            match_date = self.match_date

        region = self.region

        league = self.league

        proba_home = self.proba_home

        proba_draw = self.proba_draw

        proba_away = self.proba_away

        predicted_class: int = self.predicted_class

        predicted_label: str = self.predicted_label

        is_future = self.is_future

        model_run_id = self.model_run_id

        model_stage: str = self.model_stage

        status: str = self.status

        outcome_1x2: None | str | Unset
        if isinstance(self.outcome_1x2, Unset):
            outcome_1x2 = UNSET
        elif isinstance(self.outcome_1x2, str):
            outcome_1x2 = self.outcome_1x2
        else:
            outcome_1x2 = self.outcome_1x2

        home_score: int | None | Unset
        if isinstance(self.home_score, Unset):
            home_score = UNSET
        else:
            home_score = self.home_score

        away_score: int | None | Unset
        if isinstance(self.away_score, Unset):
            away_score = UNSET
        else:
            away_score = self.away_score

        season: None | str | Unset
        if isinstance(self.season, Unset):
            season = UNSET
        else:
            season = self.season

        sex: int | None | Unset
        if isinstance(self.sex, Unset):
            sex = UNSET
        else:
            sex = self.sex

        home_elo: float | None | Unset
        if isinstance(self.home_elo, Unset):
            home_elo = UNSET
        else:
            home_elo = self.home_elo

        away_elo: float | None | Unset
        if isinstance(self.away_elo, Unset):
            away_elo = UNSET
        else:
            away_elo = self.away_elo

        home_form: None | str | Unset
        if isinstance(self.home_form, Unset):
            home_form = UNSET
        else:
            home_form = self.home_form

        away_form: None | str | Unset
        if isinstance(self.away_form, Unset):
            away_form = UNSET
        else:
            away_form = self.away_form

        in_sample: bool | None | Unset
        if isinstance(self.in_sample, Unset):
            in_sample = UNSET
        else:
            in_sample = self.in_sample

        odds_home: float | None | Unset
        if isinstance(self.odds_home, Unset):
            odds_home = UNSET
        else:
            odds_home = self.odds_home

        odds_draw: float | None | Unset
        if isinstance(self.odds_draw, Unset):
            odds_draw = UNSET
        else:
            odds_draw = self.odds_draw

        odds_away: float | None | Unset
        if isinstance(self.odds_away, Unset):
            odds_away = UNSET
        else:
            odds_away = self.odds_away

        implied_home: float | None | Unset
        if isinstance(self.implied_home, Unset):
            implied_home = UNSET
        else:
            implied_home = self.implied_home

        implied_draw: float | None | Unset
        if isinstance(self.implied_draw, Unset):
            implied_draw = UNSET
        else:
            implied_draw = self.implied_draw

        implied_away: float | None | Unset
        if isinstance(self.implied_away, Unset):
            implied_away = UNSET
        else:
            implied_away = self.implied_away

        edge_home: float | None | Unset
        if isinstance(self.edge_home, Unset):
            edge_home = UNSET
        else:
            edge_home = self.edge_home

        edge_draw: float | None | Unset
        if isinstance(self.edge_draw, Unset):
            edge_draw = UNSET
        else:
            edge_draw = self.edge_draw

        edge_away: float | None | Unset
        if isinstance(self.edge_away, Unset):
            edge_away = UNSET
        else:
            edge_away = self.edge_away

        pooled_home: float | None | Unset
        if isinstance(self.pooled_home, Unset):
            pooled_home = UNSET
        else:
            pooled_home = self.pooled_home

        pooled_draw: float | None | Unset
        if isinstance(self.pooled_draw, Unset):
            pooled_draw = UNSET
        else:
            pooled_draw = self.pooled_draw

        pooled_away: float | None | Unset
        if isinstance(self.pooled_away, Unset):
            pooled_away = UNSET
        else:
            pooled_away = self.pooled_away

        pooled_edge_home: float | None | Unset
        if isinstance(self.pooled_edge_home, Unset):
            pooled_edge_home = UNSET
        else:
            pooled_edge_home = self.pooled_edge_home

        pooled_edge_draw: float | None | Unset
        if isinstance(self.pooled_edge_draw, Unset):
            pooled_edge_draw = UNSET
        else:
            pooled_edge_draw = self.pooled_edge_draw

        pooled_edge_away: float | None | Unset
        if isinstance(self.pooled_edge_away, Unset):
            pooled_edge_away = UNSET
        else:
            pooled_edge_away = self.pooled_edge_away

        value_bet: None | str | Unset
        if isinstance(self.value_bet, Unset):
            value_bet = UNSET
        elif isinstance(self.value_bet, str):
            value_bet = self.value_bet
        else:
            value_bet = self.value_bet

        kelly_quarter: float | None | Unset
        if isinstance(self.kelly_quarter, Unset):
            kelly_quarter = UNSET
        else:
            kelly_quarter = self.kelly_quarter

        live_score: None | str | Unset
        if isinstance(self.live_score, Unset):
            live_score = UNSET
        else:
            live_score = self.live_score

        region_roi: float | None | Unset
        if isinstance(self.region_roi, Unset):
            region_roi = UNSET
        else:
            region_roi = self.region_roi

        is_correct: bool | None | Unset
        if isinstance(self.is_correct, Unset):
            is_correct = UNSET
        else:
            is_correct = self.is_correct

        odds_collected_at: None | str | Unset
        if isinstance(self.odds_collected_at, Unset):
            odds_collected_at = UNSET
        elif isinstance(self.odds_collected_at, datetime.datetime):
            odds_collected_at = self.odds_collected_at.isoformat()
        else:
            odds_collected_at = self.odds_collected_at

        price_age_seconds: int | None | Unset
        if isinstance(self.price_age_seconds, Unset):
            price_age_seconds = UNSET
        else:
            price_age_seconds = self.price_age_seconds

        fonbet_url: None | str | Unset
        if isinstance(self.fonbet_url, Unset):
            fonbet_url = UNSET
        else:
            fonbet_url = self.fonbet_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "match_id": match_id,
                "home_team": home_team,
                "away_team": away_team,
                "match_date": match_date,
                "region": region,
                "league": league,
                "proba_home": proba_home,
                "proba_draw": proba_draw,
                "proba_away": proba_away,
                "predicted_class": predicted_class,
                "predicted_label": predicted_label,
                "is_future": is_future,
                "model_run_id": model_run_id,
                "model_stage": model_stage,
                "status": status,
            }
        )
        if outcome_1x2 is not UNSET:
            field_dict["outcome_1x2"] = outcome_1x2
        if home_score is not UNSET:
            field_dict["home_score"] = home_score
        if away_score is not UNSET:
            field_dict["away_score"] = away_score
        if season is not UNSET:
            field_dict["season"] = season
        if sex is not UNSET:
            field_dict["sex"] = sex
        if home_elo is not UNSET:
            field_dict["home_elo"] = home_elo
        if away_elo is not UNSET:
            field_dict["away_elo"] = away_elo
        if home_form is not UNSET:
            field_dict["home_form"] = home_form
        if away_form is not UNSET:
            field_dict["away_form"] = away_form
        if in_sample is not UNSET:
            field_dict["in_sample"] = in_sample
        if odds_home is not UNSET:
            field_dict["odds_home"] = odds_home
        if odds_draw is not UNSET:
            field_dict["odds_draw"] = odds_draw
        if odds_away is not UNSET:
            field_dict["odds_away"] = odds_away
        if implied_home is not UNSET:
            field_dict["implied_home"] = implied_home
        if implied_draw is not UNSET:
            field_dict["implied_draw"] = implied_draw
        if implied_away is not UNSET:
            field_dict["implied_away"] = implied_away
        if edge_home is not UNSET:
            field_dict["edge_home"] = edge_home
        if edge_draw is not UNSET:
            field_dict["edge_draw"] = edge_draw
        if edge_away is not UNSET:
            field_dict["edge_away"] = edge_away
        if pooled_home is not UNSET:
            field_dict["pooled_home"] = pooled_home
        if pooled_draw is not UNSET:
            field_dict["pooled_draw"] = pooled_draw
        if pooled_away is not UNSET:
            field_dict["pooled_away"] = pooled_away
        if pooled_edge_home is not UNSET:
            field_dict["pooled_edge_home"] = pooled_edge_home
        if pooled_edge_draw is not UNSET:
            field_dict["pooled_edge_draw"] = pooled_edge_draw
        if pooled_edge_away is not UNSET:
            field_dict["pooled_edge_away"] = pooled_edge_away
        if value_bet is not UNSET:
            field_dict["value_bet"] = value_bet
        if kelly_quarter is not UNSET:
            field_dict["kelly_quarter"] = kelly_quarter
        if live_score is not UNSET:
            field_dict["live_score"] = live_score
        if region_roi is not UNSET:
            field_dict["region_roi"] = region_roi
        if is_correct is not UNSET:
            field_dict["is_correct"] = is_correct
        if odds_collected_at is not UNSET:
            field_dict["odds_collected_at"] = odds_collected_at
        if price_age_seconds is not UNSET:
            field_dict["price_age_seconds"] = price_age_seconds
        if fonbet_url is not UNSET:
            field_dict["fonbet_url"] = fonbet_url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        match_id = d.pop("match_id")

        home_team = d.pop("home_team")

        away_team = d.pop("away_team")

        def _parse_match_date(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                match_date_type_0 = datetime.datetime.fromisoformat(data)

                return match_date_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        match_date = _parse_match_date(d.pop("match_date"))

        region = d.pop("region")

        league = d.pop("league")

        proba_home = d.pop("proba_home")

        proba_draw = d.pop("proba_draw")

        proba_away = d.pop("proba_away")

        predicted_class = check_card_row_predicted_class(d.pop("predicted_class"))

        predicted_label = check_card_row_predicted_label(d.pop("predicted_label"))

        is_future = d.pop("is_future")

        model_run_id = d.pop("model_run_id")

        model_stage = check_stage(d.pop("model_stage"))

        status = check_card_row_status(d.pop("status"))

        def _parse_outcome_1x2(data: object) -> CardRowOutcome1X2Type0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                outcome_1x2_type_0 = check_card_row_outcome_1x2_type_0(data)

                return outcome_1x2_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CardRowOutcome1X2Type0 | None | Unset, data)

        outcome_1x2 = _parse_outcome_1x2(d.pop("outcome_1x2", UNSET))

        def _parse_home_score(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        home_score = _parse_home_score(d.pop("home_score", UNSET))

        def _parse_away_score(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        away_score = _parse_away_score(d.pop("away_score", UNSET))

        def _parse_season(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        season = _parse_season(d.pop("season", UNSET))

        def _parse_sex(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        sex = _parse_sex(d.pop("sex", UNSET))

        def _parse_home_elo(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        home_elo = _parse_home_elo(d.pop("home_elo", UNSET))

        def _parse_away_elo(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        away_elo = _parse_away_elo(d.pop("away_elo", UNSET))

        def _parse_home_form(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        home_form = _parse_home_form(d.pop("home_form", UNSET))

        def _parse_away_form(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        away_form = _parse_away_form(d.pop("away_form", UNSET))

        def _parse_in_sample(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        in_sample = _parse_in_sample(d.pop("in_sample", UNSET))

        def _parse_odds_home(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        odds_home = _parse_odds_home(d.pop("odds_home", UNSET))

        def _parse_odds_draw(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        odds_draw = _parse_odds_draw(d.pop("odds_draw", UNSET))

        def _parse_odds_away(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        odds_away = _parse_odds_away(d.pop("odds_away", UNSET))

        def _parse_implied_home(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        implied_home = _parse_implied_home(d.pop("implied_home", UNSET))

        def _parse_implied_draw(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        implied_draw = _parse_implied_draw(d.pop("implied_draw", UNSET))

        def _parse_implied_away(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        implied_away = _parse_implied_away(d.pop("implied_away", UNSET))

        def _parse_edge_home(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        edge_home = _parse_edge_home(d.pop("edge_home", UNSET))

        def _parse_edge_draw(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        edge_draw = _parse_edge_draw(d.pop("edge_draw", UNSET))

        def _parse_edge_away(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        edge_away = _parse_edge_away(d.pop("edge_away", UNSET))

        def _parse_pooled_home(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        pooled_home = _parse_pooled_home(d.pop("pooled_home", UNSET))

        def _parse_pooled_draw(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        pooled_draw = _parse_pooled_draw(d.pop("pooled_draw", UNSET))

        def _parse_pooled_away(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        pooled_away = _parse_pooled_away(d.pop("pooled_away", UNSET))

        def _parse_pooled_edge_home(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        pooled_edge_home = _parse_pooled_edge_home(d.pop("pooled_edge_home", UNSET))

        def _parse_pooled_edge_draw(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        pooled_edge_draw = _parse_pooled_edge_draw(d.pop("pooled_edge_draw", UNSET))

        def _parse_pooled_edge_away(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        pooled_edge_away = _parse_pooled_edge_away(d.pop("pooled_edge_away", UNSET))

        def _parse_value_bet(data: object) -> CardRowValueBetType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                value_bet_type_0 = check_card_row_value_bet_type_0(data)

                return value_bet_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CardRowValueBetType0 | None | Unset, data)

        value_bet = _parse_value_bet(d.pop("value_bet", UNSET))

        def _parse_kelly_quarter(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        kelly_quarter = _parse_kelly_quarter(d.pop("kelly_quarter", UNSET))

        def _parse_live_score(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        live_score = _parse_live_score(d.pop("live_score", UNSET))

        def _parse_region_roi(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        region_roi = _parse_region_roi(d.pop("region_roi", UNSET))

        def _parse_is_correct(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        is_correct = _parse_is_correct(d.pop("is_correct", UNSET))

        def _parse_odds_collected_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                odds_collected_at_type_0 = datetime.datetime.fromisoformat(data)

                return odds_collected_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        odds_collected_at = _parse_odds_collected_at(d.pop("odds_collected_at", UNSET))

        def _parse_price_age_seconds(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        price_age_seconds = _parse_price_age_seconds(d.pop("price_age_seconds", UNSET))

        def _parse_fonbet_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        fonbet_url = _parse_fonbet_url(d.pop("fonbet_url", UNSET))

        card_row = cls(
            match_id=match_id,
            home_team=home_team,
            away_team=away_team,
            match_date=match_date,
            region=region,
            league=league,
            proba_home=proba_home,
            proba_draw=proba_draw,
            proba_away=proba_away,
            predicted_class=predicted_class,
            predicted_label=predicted_label,
            is_future=is_future,
            model_run_id=model_run_id,
            model_stage=model_stage,
            status=status,
            outcome_1x2=outcome_1x2,
            home_score=home_score,
            away_score=away_score,
            season=season,
            sex=sex,
            home_elo=home_elo,
            away_elo=away_elo,
            home_form=home_form,
            away_form=away_form,
            in_sample=in_sample,
            odds_home=odds_home,
            odds_draw=odds_draw,
            odds_away=odds_away,
            implied_home=implied_home,
            implied_draw=implied_draw,
            implied_away=implied_away,
            edge_home=edge_home,
            edge_draw=edge_draw,
            edge_away=edge_away,
            pooled_home=pooled_home,
            pooled_draw=pooled_draw,
            pooled_away=pooled_away,
            pooled_edge_home=pooled_edge_home,
            pooled_edge_draw=pooled_edge_draw,
            pooled_edge_away=pooled_edge_away,
            value_bet=value_bet,
            kelly_quarter=kelly_quarter,
            live_score=live_score,
            region_roi=region_roi,
            is_correct=is_correct,
            odds_collected_at=odds_collected_at,
            price_age_seconds=price_age_seconds,
            fonbet_url=fonbet_url,
        )

        card_row.additional_properties = d
        return card_row

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
