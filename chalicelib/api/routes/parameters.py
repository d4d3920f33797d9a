"""Query, path and header parameters that several routes take.

Text is read strictly, as the OpenAPI document describes it: Pydantic alone would take `yes` for true and `0` for the
year 1970.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from chalicelib.contracts.base import MatchStatus
from chalicelib.domain import Stage
from chalicelib.releases.query import ANONYMOUS_LIMIT, DEFAULT_LIMIT, MAX_LIMIT

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:.+)?", re.ASCII)


def _written_as(pattern: re.Pattern[str], kind: str, what: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if isinstance(value, str) and not pattern.fullmatch(value):
            raise PydanticCustomError(kind, "should be {what}", {"what": what})
        return value

    return BeforeValidator(check)


_Integer = _written_as(_INTEGER, "int_parsing", "an integer in ASCII digits")
_Number = _written_as(_NUMBER, "float_parsing", "a finite decimal number")
_Time = _written_as(_DATE, "datetime_parsing", "an ISO-8601 date or time")
_Truth = _written_as(re.compile("true|false", re.IGNORECASE), "bool_parsing", "true or false")

MatchIdPath = Annotated[int, _Integer, Path(ge=1, le=2**53 - 1, description="Identifier of the match.")]
OnlyMatchQuery = Annotated[int | None, _Integer, Query(ge=1, le=2**53 - 1, description="Only this match.")]
StageQuery = Annotated[
    Stage, Query(description="Registered-model alias that answers. `Production` and `Staging` stand for the two.")
]
ReadyQuery = Annotated[bool, _Truth, Query(description="Ask for readiness: whether predictions can be made now.")]
ExplainQuery = Annotated[
    bool, _Truth, Query(description="Add what each feature contributed (SHAP values of LightGBM).")
]
RegionQuery = Annotated[
    str | None, Query(max_length=100, description="Only this region, whatever its case and accents.")
]
LeagueQuery = Annotated[
    str | None, Query(max_length=100, description="Only this league, whatever its case and accents.")
]
TeamQuery = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Part of a team's name or of a known spelling of it (`man u`), whatever its case and accents.",
    ),
]
StatusQuery = Annotated[MatchStatus | None, Query(description="Only matches in this state.")]
FromQuery = Annotated[
    datetime | None, _Time, Query(alias="from", description="Kickoff at or after, ISO-8601; without a zone it is UTC.")
]
ToQuery = Annotated[datetime | None, _Time, Query(alias="to", description="Kickoff before, ISO-8601.")]
MinRoiQuery = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None,
    _Number,
    Query(description="Only regions whose ROI is at least this share (0.05 is 5 %)."),
]
ValueOnlyQuery = Annotated[bool, _Truth, Query(description="Only matches with a value bet.")]
LimitQuery = Annotated[
    Annotated[int, Field(ge=1, le=MAX_LIMIT)] | None,
    _Integer,
    Query(
        description=f"Rows in the page; {DEFAULT_LIMIT} if left out, as CSV all. Without an API key at most "
        f"{ANONYMOUS_LIMIT}, where the deployment demands keys."
    ),
]
SortQuery = Annotated[
    Literal["kickoff", "-kickoff"], Query(description="Order: earliest kickoff first, or latest first.")
]
CardSortQuery = Annotated[
    Literal["kickoff", "-kickoff", "edge"],
    Query(description="Order: earliest kickoff first, latest first, or largest edge first."),
]
MatchIdsQuery = Annotated[
    str | None,
    Query(
        max_length=3_400,
        pattern=r"^[0-9]{1,16}(,[0-9]{1,16}){0,199}$",
        description="Only these matches: up to 200 ids, separated by commas.",
    ),
]
MatchIdQuery = Annotated[
    Annotated[int, Field(ge=1, le=2**53 - 1)] | None, _Integer, Query(description="Only this match.")
]
CursorQuery = Annotated[
    str | None, Query(max_length=2_000, description="Where the page begins: `x-next-cursor` of the page before.")
]
IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="idempotency-key",
        min_length=1,
        max_length=255,
        description="For 24 hours, a request with the same key answers the same task, and 409 if its body or stage "
        "differs. Each API key has idempotency keys of its own.",
    ),
]
