"""Rows of the lists, which the current data release answers."""

from typing import Any, Literal

from pydantic import Field

from chalicelib.contracts.base import Frozen, MatchStatus, OutcomeLabel, Probability, Timestamp, with_example
from chalicelib.domain import Stage

_EXAMPLE_MATCH: dict[str, Any] = {
    "match_id": 99,
    "home_team": "Ajax",
    "away_team": "Feyenoord",
    "match_date": "2024-04-07T12:30:00Z",
    "region": "Netherlands",
    "league": "Eredivisie",
}
_EXAMPLE_ROW: dict[str, Any] = {
    **_EXAMPLE_MATCH,
    "proba_home": 0.58,
    "proba_draw": 0.27,
    "proba_away": 0.15,
    "predicted_class": 0,
    "predicted_label": "home",
    "is_future": False,
    "model_run_id": "3f7a1c9d2e4b",
    "model_stage": "champion",
    "outcome_1x2": "home",
    "home_score": 6,
    "away_score": 0,
}


class MatchRow(Frozen):
    """An upcoming match available for prediction."""

    model_config = with_example(**_EXAMPLE_MATCH, sex=0)

    match_id: int
    home_team: str
    away_team: str
    match_date: Timestamp | None = Field(description="Kickoff, ISO-8601 UTC; null while unknown.")
    region: str
    league: str
    sex: int = Field(description="0 men, 1 women.")


class PredictionRow(Frozen):
    """A precomputed prediction; the last three fields are null until the result is known."""

    model_config = with_example(**_EXAMPLE_ROW)

    match_id: int
    home_team: str
    away_team: str
    match_date: Timestamp | None = Field(description="Kickoff, ISO-8601 UTC; null while unknown.")
    region: str
    league: str
    proba_home: Probability
    proba_draw: Probability
    proba_away: Probability
    predicted_class: Literal[0, 1, 2]
    predicted_label: OutcomeLabel
    is_future: bool
    model_run_id: str
    model_stage: Stage
    outcome_1x2: OutcomeLabel | None = None
    home_score: int | None = None
    away_score: int | None = None


class OddsRow(Frozen):
    """Decimal 1X2 odds of a match; suspended prices are null or last known."""

    model_config = with_example(
        match_id=99,
        provider="fonbet",
        fonbet_event_id="46121234",
        odds_home=1.9,
        odds_draw=3.9,
        odds_away=4.1,
        margin=0.0266,
        suspended=False,
        collected_at="2024-04-07T09:00:00Z",
        url="https://fon.bet/sports/football/12973/46121234",
    )

    match_id: int
    provider: str
    fonbet_event_id: str | None
    odds_home: float | None
    odds_draw: float | None
    odds_away: float | None
    margin: float | None = Field(description="Booksum minus one.")
    suspended: bool
    collected_at: Timestamp
    url: str | None


class CardRow(PredictionRow):
    """A prediction merged with its odds; odds, implied and edge fields are null without a market."""

    model_config = with_example(
        **_EXAMPLE_ROW,
        season="2023/24",
        sex=0,
        home_elo=1741.2,
        away_elo=1702.9,
        home_form="WDLWW",
        away_form="WWWDW",
        in_sample=False,
        odds_home=1.9,
        odds_draw=3.9,
        odds_away=4.1,
        implied_home=0.5127,
        implied_draw=0.2498,
        implied_away=0.2376,
        edge_home=0.102,
        edge_draw=0.053,
        edge_away=-0.385,
        pooled_home=0.521,
        pooled_draw=0.247,
        pooled_away=0.232,
        pooled_edge_home=-0.01,
        pooled_edge_draw=-0.037,
        pooled_edge_away=-0.049,
        value_bet=None,
        kelly_quarter=None,
        status="finished",
        live_score=None,
        region_roi=0.012,
        is_correct=True,
        odds_collected_at="2024-04-07T09:00:00Z",
        price_age_seconds=108000,
        fonbet_url="https://fon.bet/sports/football/12973/46121234",
    )

    season: str | None = None
    sex: int | None = None
    home_elo: float | None = Field(default=None, description="Elo rating before kickoff.")
    away_elo: float | None = None
    home_form: str | None = Field(default=None, description="Last five results, oldest first, of W, D, L.")
    away_form: str | None = None
    in_sample: bool | None = Field(default=None, description="Whether the match lies in the model's training period.")
    odds_home: float | None = None
    odds_draw: float | None = None
    odds_away: float | None = None
    implied_home: float | None = Field(default=None, description="Market probability with the margin removed.")
    implied_draw: float | None = None
    implied_away: float | None = None
    edge_home: float | None = Field(
        default=None,
        description="What the model alone expects per unit staked, p·odds - 1. Large ones usually mean that the market "
        "knows more.",
    )
    edge_draw: float | None = None
    edge_away: float | None = None
    pooled_home: float | None = Field(
        default=None,
        description="Price and model combined, as past matches weigh them; the market alone while they are few.",
    )
    pooled_draw: float | None = None
    pooled_away: float | None = None
    pooled_edge_home: float | None = Field(
        default=None, description="Expected value per unit staked by the pooled one."
    )
    pooled_edge_draw: float | None = None
    pooled_edge_away: float | None = None
    value_bet: OutcomeLabel | None = Field(
        default=None,
        description="Outcome whose pooled edge is the largest over the threshold; only while the closing-line value of "
        "such bets here lies above zero beyond doubt.",
    )
    kelly_quarter: float | None = Field(
        default=None,
        description="Stake on the value bet: a quarter of Kelly's share of the bankroll; a day's together at most 5 %.",
    )
    status: MatchStatus
    live_score: str | None = None
    region_roi: float | None = None
    is_correct: bool | None = None
    odds_collected_at: Timestamp | None = None
    price_age_seconds: int | None = Field(
        default=None, description="Age of the odds now, or at kickoff once it is past."
    )
    fonbet_url: str | None = None


class RegionRoiRow(Frozen):
    """Flat-stake return where the model's own edge exceeds the threshold, by region, with 95 % intervals."""

    model_config = with_example(
        region="Netherlands",
        bets=41,
        turnover=41.0,
        profit=0.5,
        roi=0.0122,
        roi_ci_low=-0.31,
        roi_ci_high=0.34,
        clv=-0.021,
        clv_ci_low=-0.034,
        clv_ci_high=-0.008,
    )

    region: str
    bets: int
    turnover: float
    profit: float
    roi: float | None
    roi_ci_low: float | None
    roi_ci_high: float | None
    clv: float | None = Field(description="Mean closing-line value: price taken times closing probability, minus one.")
    clv_ci_low: float | None
    clv_ci_high: float | None


class ClubRow(Frozen):
    """A club and the other spellings of its name."""

    model_config = with_example(
        region="England", sex=0, club="Tottenham Hotspur", matches=228, spellings=["tottenham hotspur", "spurs"]
    )

    region: str
    sex: int
    club: str
    matches: int = Field(description="Matches in the release.")
    spellings: list[str] = Field(description="Lower case, without accents; the name itself is one of them.")


class ProjectionRow(Frozen):
    """A team in the projected final table of its season."""

    model_config = with_example(
        region="England",
        league="Premier League",
        sex=0,
        season="2023/24",
        team="Arsenal",
        projected_position=1,
        position=2,
        played=29,
        won=20,
        drawn=5,
        lost=4,
        goals_for=70,
        goals_against=24,
        points=65,
        remaining=9,
        expected_points=82.4,
        points_low=78,
        points_high=87,
        title=0.34,
        top_four=1.0,
        relegation=0.0,
        matches_missing=0,
    )

    region: str
    league: str
    sex: int
    season: str
    team: str
    projected_position: int = Field(description="Place by expected points.")
    position: int = Field(description="Place so far: points, then goal difference, then goals scored.")
    played: int
    won: int
    drawn: int
    lost: int
    goals_for: int
    goals_against: int
    points: int
    remaining: int = Field(description="Scheduled matches left.")
    expected_points: float = Field(description="Mean final points.")
    points_low: int = Field(description="10th percentile of the final points.")
    points_high: int = Field(description="90th percentile of the final points.")
    title: float = Field(description="Chance of the first place.")
    top_four: float = Field(description="Chance of a place among the first four.")
    relegation: float = Field(description="Chance of a place among the last three.")
    matches_missing: int = Field(
        description="Matches of a double round robin that the schedule does not hold yet; they are not simulated."
    )


class SeasonCount(Frozen):
    """A season of a league."""

    model_config = with_example(season="2023/24", matches=306)

    season: str
    matches: int


class LeagueCount(Frozen):
    """A league of a region."""

    model_config = with_example(league="Eredivisie", matches=306, seasons=[{"season": "2023/24", "matches": 306}])

    league: str
    matches: int
    seasons: list[SeasonCount]


class RegionRow(Frozen):
    """A region that the data release covers, with its leagues and seasons."""

    model_config = with_example(
        region="Netherlands",
        matches=306,
        leagues=[{"league": "Eredivisie", "matches": 306, "seasons": [{"season": "2023/24", "matches": 306}]}],
    )

    region: str
    matches: int
    leagues: list[LeagueCount]
