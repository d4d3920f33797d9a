"""Query, path and header parameters that several routes take."""

from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import Field

from chalicelib.catalogue import DEFAULT_LIMIT, MAX_LIMIT
from chalicelib.contracts import MatchStatus
from chalicelib.domain import Stage

MatchIdPath = Annotated[int, Path(ge=1, le=2**53 - 1, description="Identifier of the match.")]
StageQuery = Annotated[Stage, Query(description="Registered-model alias that answers.")]
ExplainQuery = Annotated[bool, Query(description="Add what each feature contributed (LightGBM's SHAP values).")]
RegionQuery = Annotated[str | None, Query(max_length=100, description="Only this region.")]
LeagueQuery = Annotated[str | None, Query(max_length=100, description="Only this league.")]
TeamQuery = Annotated[str | None, Query(max_length=100, description="Part of a team's name, any case.")]
StatusQuery = Annotated[MatchStatus | None, Query(description="Only matches in this state.")]
FromQuery = Annotated[
    datetime | None, Query(alias="from", description="Kickoff at or after, ISO-8601; without a zone it is UTC.")
]
ToQuery = Annotated[datetime | None, Query(alias="to", description="Kickoff before, ISO-8601.")]
MinRoiQuery = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None,
    Query(description="Only regions whose ROI is at least this share (0.05 is 5 %)."),
]
ValueOnlyQuery = Annotated[bool, Query(description="Only matches with a value bet.")]
LimitQuery = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows in the page.")]
CursorQuery = Annotated[
    str | None, Query(max_length=2_000, description="Where the page begins: `x-next-cursor` of the page before.")
]
IfNoneMatchHeader = Annotated[
    str | None, Header(alias="if-none-match", description="ETag the caller holds; 304 while it is current.")
]
IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="idempotency-key",
        min_length=1,
        max_length=255,
        description="The same key and body answer the same task for 24 hours; another body is 409.",
    ),
]

__all__ = ["DEFAULT_LIMIT"]
