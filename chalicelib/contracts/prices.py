"""How prices moved, and how forecasts and bets on them have done."""

from typing import Annotated

from pydantic import ConfigDict, Field

from chalicelib.contracts.base import Frozen, Timestamp, with_example


class SeenPrice(Frozen):
    """A match's decimal 1X2 odds as they were seen at one moment before kickoff."""

    model_config = with_example(
        collected_at="2024-04-05T09:00:00Z", odds_home=1.95, odds_draw=3.8, odds_away=4.0, bookmaker=None
    )

    collected_at: Timestamp
    odds_home: float
    odds_draw: float
    odds_away: float
    bookmaker: str | None = Field(description="Whose price it is, where the provider carries several.")


class ClosingPrice(Frozen):
    """The last decimal 1X2 odds before kickoff."""

    model_config = with_example(
        collected_at="2024-04-06T17:55:00Z", odds_home=1.85, odds_draw=3.95, odds_away=4.3, bookmaker=None
    )

    collected_at: Timestamp | None = Field(description="Null where the source states its closing price without a time.")
    odds_home: float
    odds_draw: float
    odds_away: float
    bookmaker: str | None


class PriceMovement(Frozen):
    """How the price of a match moved before its kickoff."""

    model_config = with_example(
        match_id=99,
        match_date="2024-04-06T18:00:00Z",
        provider="fonbet",
        snapshots=[
            {"collected_at": "2024-04-04T09:00:00Z", "odds_home": 1.95, "odds_draw": 3.8, "odds_away": 4.0,
             "bookmaker": None},
            {"collected_at": "2024-04-05T09:00:00Z", "odds_home": 1.9, "odds_draw": 3.9, "odds_away": 4.1,
             "bookmaker": None},
        ],
        closing=None,
    )  # fmt: skip

    match_id: int
    match_date: Timestamp | None = Field(description="Kickoff, ISO-8601 UTC; null while unknown.")
    provider: str | None = Field(description="Whose odds they are; null without any.")
    snapshots: list[SeenPrice] = Field(
        description=(
            "In order of time: each price that differed from the one before it, and the one the odds of the release "
            "show. More than a day before the last change one of every three hours is kept; of matches played more "
            "than 90 days ago the first and the last."
        )
    )
    closing: ClosingPrice | None = Field(description="Null before kickoff and where it is not known.")


class ForecastScores(Frozen):
    """Quality of forecasts over finished matches; null without any."""

    model_config = with_example(accuracy=0.5669, log_loss=0.9425, rps=0.185, brier=0.5577, ece=0.021)

    accuracy: float | None
    log_loss: float | None = Field(description="Mean of minus ln of the probability given to what came.")
    rps: float | None = Field(description="Ranked probability score.")
    brier: float | None = Field(description="Sum of squared differences over the three outcomes.")
    ece: float | None = Field(description="Expected calibration error over ten bins.")


class ForecastsScored(Frozen):
    """The model beside base rates, over the same matches."""

    model: ForecastScores
    base_rates: ForecastScores


class MarketScored(ForecastsScored):
    """The model beside base rates and market, over the matches that had fair odds before kickoff."""

    matches: int
    market: ForecastScores


class PoolScored(Frozen):
    """The pool of model and price beside both, over the same matches."""

    pool: ForecastScores
    market: ForecastScores
    model: ForecastScores


class RegionScores(ForecastScores):
    """The model's quality in a region."""

    model_config = with_example(accuracy=0.5669, log_loss=0.9425, rps=0.185, brier=0.5577, ece=0.021, matches=658)

    matches: int


class CalibrationBin(Frozen):
    """Forecasts of about the same probability: how often did it come?"""

    model_config = with_example(lower=0.4, count=310, forecast=0.447, frequency=0.461)

    lower: float = Field(description="Lower edge of the bin; bins are 0.1 wide.")
    count: int
    forecast: float = Field(description="Mean probability forecast.")
    frequency: float = Field(description="Share that came true.")


class BetRecord(Frozen):
    """What bets of one unit promised and returned, with 95 % intervals; null without bets."""

    model_config = with_example(
        promised=0.166,
        bets=345,
        turnover=345.0,
        profit=-69.4,
        roi=-0.2012,
        roi_ci_low=-0.364,
        roi_ci_high=-0.02,
        clv=None,
        clv_ci_low=None,
        clv_ci_high=None,
    )

    promised: float | None = Field(description="Mean edge at the time of the bet.")
    bets: int
    turnover: float | None
    profit: float | None
    roi: float | None = Field(description="Profit by turnover.")
    roi_ci_low: float | None
    roi_ci_high: float | None
    clv: float | None = Field(description="Mean closing-line value: price taken times closing probability, minus one.")
    clv_ci_low: float | None
    clv_ci_high: float | None


class ThresholdRecord(BetRecord):
    """The same for edges above a threshold."""

    model_config = with_example(
        promised=0.166,
        bets=345,
        turnover=345.0,
        profit=-69.4,
        roi=-0.2012,
        roi_ci_low=-0.364,
        roi_ci_high=-0.02,
        clv=None,
        clv_ci_low=None,
        clv_ci_high=None,
        threshold=0.05,
    )

    threshold: float


class PoolRecord(Frozen):
    """The pool of model and price, and the record of its flags."""

    price: float = Field(description="Exponent of the price.", examples=[1.0])
    model: float = Field(description="Exponent of the model.")
    home: float = Field(description="Constant of home win.")
    away: float = Field(description="Constant of away win.")
    matches: int = Field(description="Settled matches that the weights were fitted on; 0 means the market alone.")
    min_matches: int = Field(description="From how many on they are fitted.")
    scores: PoolScored
    bets: ThresholdRecord
    is_proven: bool = Field(description="Whether flags are called value.")
    min_bets: int = Field(description="From how many flags with a known closing price on that is decided.")


class RecordByThreshold(Frozen):
    """Promised beside realised returns, by the edge from which on one bets."""

    model: list[ThresholdRecord]
    pool: list[ThresholdRecord]


class AgainstThePick(Frozen):
    """The model's bets on another outcome than the one it calls likeliest, and those on that one."""

    against: BetRecord
    with_: BetRecord = Field(alias="with")

    model_config = ConfigDict(frozen=True, protected_namespaces=(), populate_by_name=True)


CurvePoint = Annotated[
    list[str | int | float],
    Field(min_length=3, max_length=3, description="Day, bets so far, profit so far in units."),
]


class ProfitCurves(Frozen):
    """Cumulative profit: of the pool's flags, of a bettor at random, of one on every favourite."""

    pool: list[CurvePoint]
    random: list[CurvePoint]
    favourite: list[CurvePoint]


class TrackRecord(Frozen):
    """How the champion's published forecasts have done, and what bets by them returned."""

    schema_version: int
    matches: int = Field(description="Finished matches that the model was not fitted on.", examples=[658])
    first_kickoff: Timestamp | None
    last_kickoff: Timestamp | None
    forecasts: ForecastsScored
    market: MarketScored | None = Field(description="Null without odds.")
    by_region: dict[str, RegionScores]
    reliability: dict[str, list[CalibrationBin]] = Field(description="By outcome, and `all` together.")
    value_bets: ThresholdRecord | None = Field(description="Bets on the model's own edges; null without odds.")
    profit_curve: list[CurvePoint] = Field(description="Of these bets: day, bets so far, profit so far in units.")
    pool: PoolRecord | None = None
    by_threshold: RecordByThreshold | None = None
    against_the_pick: AgainstThePick | None = None
    curves: ProfitCurves | None = None
