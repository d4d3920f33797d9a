from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.prediction_row_outcome_1x2_type_0 import check_prediction_row_outcome_1x2_type_0
from ..models.prediction_row_outcome_1x2_type_0 import PredictionRowOutcome1X2Type0
from ..models.prediction_row_predicted_class import check_prediction_row_predicted_class
from ..models.prediction_row_predicted_class import PredictionRowPredictedClass
from ..models.prediction_row_predicted_label import check_prediction_row_predicted_label
from ..models.prediction_row_predicted_label import PredictionRowPredictedLabel
from ..models.stage import check_stage
from ..models.stage import Stage
from ..types import UNSET, Unset
from typing import cast
import datetime


T = TypeVar("T", bound="PredictionRow")


@_attrs_define
class PredictionRow:
    """A precomputed prediction; the last three fields are null until the result is known."""

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
    predicted_class: PredictionRowPredictedClass
    predicted_label: PredictionRowPredictedLabel
    is_future: bool
    model_run_id: str
    model_stage: Stage
    """ Alias of the registered model: the champion, or the challenger compared with it. """
    outcome_1x2: None | PredictionRowOutcome1X2Type0 | Unset = UNSET
    home_score: int | None | Unset = UNSET
    away_score: int | None | Unset = UNSET
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
            }
        )
        if outcome_1x2 is not UNSET:
            field_dict["outcome_1x2"] = outcome_1x2
        if home_score is not UNSET:
            field_dict["home_score"] = home_score
        if away_score is not UNSET:
            field_dict["away_score"] = away_score

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

        predicted_class = check_prediction_row_predicted_class(d.pop("predicted_class"))

        predicted_label = check_prediction_row_predicted_label(d.pop("predicted_label"))

        is_future = d.pop("is_future")

        model_run_id = d.pop("model_run_id")

        model_stage = check_stage(d.pop("model_stage"))

        def _parse_outcome_1x2(data: object) -> None | PredictionRowOutcome1X2Type0 | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                outcome_1x2_type_0 = check_prediction_row_outcome_1x2_type_0(data)

                return outcome_1x2_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PredictionRowOutcome1X2Type0 | Unset, data)

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

        prediction_row = cls(
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
            outcome_1x2=outcome_1x2,
            home_score=home_score,
            away_score=away_score,
        )

        prediction_row.additional_properties = d
        return prediction_row

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
