"""The HTTP surface as one table: an entry is all there is to say about an endpoint besides its code and its rights.

Derived from it: the gateway's resources, the functions' memory, time limits and layers (`infra/stack`), the access
check and dispatch (`chalicelib/api/gateway.py`), the OpenAPI document, and the names in the metrics.

To add an endpoint: an entry here, its handler line in `app.py`, its route in `chalicelib/api/routes/<routes>.py`, and
its rights in `.chalice/policy-<function>.json`. Then `make openapi rights` renews the generated pages.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Access(IntEnum):
    """Who may call; a higher level includes the lower ones."""

    PUBLIC = 0
    CLIENT = 1
    OPERATOR = 2


class Layer(StrEnum):
    """A Lambda layer; the value is its archive's name."""

    LIGHTGBM = "lightgbm-native"
    PYARROW = "pyarrow"


@dataclass(frozen=True, slots=True)
class Operation:
    """A further operation of a function, with its own documentation.

    Args:
        path: Path template without trailing slash.
        operation_id: Its name in the OpenAPI document.
        summary: Its title there.
        description: What it does.
    """

    path: str
    operation_id: str
    summary: str
    description: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One function behind the gateway.

    Args:
        function: Name of the Lambda function, as `app.py` declares it; also the operation's id.
        method: HTTP method.
        path: Canonical path template without trailing slash (the gateway answers both).
        access: Lowest level that may call.
        routes: Module of `chalicelib.api.routes` that has its router.
        summary: The operation's title in the OpenAPI document.
        description: What the operation does.
        deprecated_paths: Older paths that answer the same.
        others: Further operations of the same function.
        asset_paths: Paths of a page's files, which are not documented.
        layers: What it imports beyond its package. A layer costs its size at each cold start, so list only what it
            really loads.
        memory_mb: Memory, with which processor time grows; 1,769 MB is one processor.
        timeout_seconds: Time limit; less than the gateway's 29 seconds.
    """

    function: str
    method: str
    path: str
    access: Access
    routes: str
    summary: str
    description: str
    deprecated_paths: tuple[str, ...] = ()
    others: tuple[Operation, ...] = ()
    asset_paths: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = ()
    memory_mb: int = 512
    timeout_seconds: int = 10

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that leads to the function, the canonical one first."""
        return (self.path, *self.deprecated_paths, *(other.path for other in self.others), *self.asset_paths)

    @property
    def operations(self) -> dict[str, Operation]:
        """What the OpenAPI document says of each documented path."""
        own = Operation(self.path, self.function, self.summary, self.description)
        aliases = [
            Operation(path, f"{self.function}_alias", self.summary, self.description) for path in self.deprecated_paths
        ]
        return {operation.path: operation for operation in (own, *aliases, *self.others)}


ENDPOINTS: Final = (
    Endpoint(
        "predict",
        "POST",
        "/predict",
        Access.CLIENT,
        "prediction",
        summary="Predict from features",
        description=(
            "Predicts one match from the features in the body; nothing is transformed or imputed. A required feature "
            "that is missing is 422 and named; null is for optional features only; unknown names are ignored and "
            "listed in `x-ignored-features`."
        ),
        layers=(Layer.LIGHTGBM,),
        timeout_seconds=25,
    ),
    Endpoint(
        "predict_match",
        "GET",
        "/predict/{match_id}",
        Access.CLIENT,
        "prediction",
        summary="Predict a match live",
        description="Predicts one match from its features in the current data release.",
        layers=(Layer.LIGHTGBM,),
        timeout_seconds=25,
    ),
    Endpoint(
        "what_if",
        "POST",
        "/predict/what-if/{match_id}",
        Access.CLIENT,
        "what_if",
        summary="Predict a match with changed features",
        description=(
            "Predicts a match of the current data release with some of its features changed. What is derived from them "
            "follows unless it is changed, too: `diff_elo` and the expected shares of the points follow the ratings. "
            "The answer names what followed and holds every feature as it was used."
        ),
        layers=(Layer.LIGHTGBM,),
        timeout_seconds=25,
    ),
    Endpoint(
        "predict_async",
        "POST",
        "/predict/async",
        Access.CLIENT,
        "prediction",
        summary="Queue a prediction",
        description=(
            "Accepts a prediction to be made in the background: 202 means that it is stored and will end as success or"
            " failed, exactly once. Without features they come from the current data release. Poll `Location`."
        ),
        timeout_seconds=25,
    ),
    Endpoint(
        "features",
        "GET",
        "/predict/features/{match_id}",
        Access.CLIENT,
        "prediction",
        summary="Features of a match",
        description=(
            "The match's features in the current data release, as `POST /predict` takes them: change what you like and"
            " send them back."
        ),
    ),
    Endpoint(
        "precomputed",
        "GET",
        "/predict/precomputed/{match_id}",
        Access.PUBLIC,
        "lists",
        summary="Precomputed prediction of a match",
        description="The match's row of the current data release; no model is called.",
        timeout_seconds=25,
    ),
    Endpoint(
        "predictions",
        "GET",
        "/predict/predictions",
        Access.PUBLIC,
        "lists",
        summary="All precomputed predictions",
        description="Display columns of the current data release, in order of kickoff.",
        timeout_seconds=25,
    ),
    Endpoint(
        "matches",
        "GET",
        "/predict/matches",
        Access.PUBLIC,
        "lists",
        summary="Upcoming matches",
        description="Matches that have not kicked off, in order of kickoff.",
        timeout_seconds=25,
    ),
    Endpoint(
        "odds",
        "GET",
        "/predict/odds",
        Access.PUBLIC,
        "lists",
        summary="1X2 odds",
        description="The latest odds of the matches that have a market, in order of match id.",
        timeout_seconds=25,
    ),
    Endpoint(
        "cards",
        "GET",
        "/predict/cards",
        Access.PUBLIC,
        "lists",
        summary="Predictions merged with odds",
        description=(
            "What the match board shows: each prediction beside its odds, the market's probabilities without the "
            "margin, the edges, the value bet and, once it is known, the result. In order of kickoff."
        ),
        timeout_seconds=25,
    ),
    Endpoint(
        "prices",
        "GET",
        "/predict/prices/{match_id}",
        Access.PUBLIC,
        "prices",
        summary="Price movement of a match",
        description=(
            "The match's 1X2 odds as they were seen one after the other before kickoff, and the closing price once it "
            "is known. A match without odds has no snapshots."
        ),
        timeout_seconds=25,
    ),
    Endpoint(
        "track_record",
        "GET",
        "/predict/track-record",
        Access.PUBLIC,
        "prices",
        summary="Track record",
        description=(
            "How the champion's forecasts of finished matches have done beside base rates and the market, calibration, "
            "and what edges promised beside what bets on them returned: closing-line value, ROI, and the curves of a "
            "bettor at random and of one on every favourite. Matches the model was fitted on do not count."
        ),
    ),
    Endpoint(
        "region_roi",
        "GET",
        "/predict/region-roi",
        Access.PUBLIC,
        "lists",
        summary="Return of value bets per region",
        description=(
            "Flat-stake return on investment where the model's own edge exceeds the threshold, with a 95 % bootstrap "
            "interval of two decimals, and the closing-line value."
        ),
    ),
    Endpoint(
        "regions",
        "GET",
        "/predict/regions",
        Access.PUBLIC,
        "lists",
        summary="Regions, leagues and seasons",
        description="What the current data release covers, with counts of matches: the values that filters take.",
    ),
    Endpoint(
        "projections",
        "GET",
        "/predict/projections",
        Access.PUBLIC,
        "projections",
        summary="Projected final tables",
        description=(
            "For each season being played: the table so far, expected points, and the chances of the title, the top "
            "four and relegation, from 10,000 simulations of the scheduled matches with the champion's 1X2 "
            "probabilities and a fixed seed. Goals are not simulated: teams level on points share the places between "
            "them. In order of region, league, season and projected position."
        ),
    ),
    Endpoint(
        "clubs",
        "GET",
        "/predict/clubs",
        Access.PUBLIC,
        "projections",
        summary="Clubs and their spellings",
        description=(
            "The clubs of the current data release, each with its number of matches and the other spellings that "
            "`team` finds it by, lower case and without accents. In order of region and name."
        ),
    ),
    Endpoint(
        "calendar",
        "GET",
        "/predict/calendar",
        Access.PUBLIC,
        "projections",
        summary="Matches as a calendar",
        description=(
            "An iCalendar object to subscribe to: the upcoming matches of a team, a league or a region, or one match "
            "(`match_id`), each with the champion's forecast. At most 2,000 events."
        ),
    ),
    Endpoint(
        "model_info",
        "GET",
        "/predict/model/info",
        Access.PUBLIC,
        "operations",
        summary="The model served",
        description=(
            "What the registry says of the version under an alias: run, metrics, parameters and signature. The model "
            "need not be loaded."
        ),
    ),
    Endpoint(
        "task_status",
        "GET",
        "/monitoring/task_status/{task_id}",
        Access.PUBLIC,
        "tasks",
        summary="State of a queued prediction",
        description=(
            "Pending until the task has ended, then success with its result or failed with its error; 404 once the "
            "retention of 24 hours is over. While it is pending, `Retry-After` says when to ask again."
        ),
    ),
    Endpoint(
        "healthcheck",
        "GET",
        "/healthcheck",
        Access.PUBLIC,
        "operations",
        summary="Liveness and readiness",
        description=(
            "Says of each dependency whether it answers; 503 with status `degraded` when the task store does not, and"
            " with `ready=true` also without a model or a data release."
        ),
    ),
    Endpoint(
        "metrics",
        "GET",
        "/metrics",
        Access.OPERATOR,
        "metrics",
        summary="Metrics for Prometheus",
        description="Requests, errors, latencies, queues, models and data releases in Prometheus' text format.",
        timeout_seconds=20,
    ),
    Endpoint(
        "queues",
        "GET",
        "/monitoring/queues",
        Access.OPERATOR,
        "operations",
        summary="Queues",
        description=(
            "Waiting, in-flight, delayed and dead-letter counts, and the age of the oldest task that has not ended. "
            "Also at `/monitoring/celery/queues`, the original system's path."
        ),
        deprecated_paths=("/monitoring/celery/queues",),
    ),
    Endpoint(
        "workers",
        "GET",
        "/monitoring/workers",
        Access.OPERATOR,
        "operations",
        summary="Inference functions",
        description=(
            "State, last update, concurrency, event source mapping and whether a ping is answered. Also at "
            "`/monitoring/celery/workers`, the original system's path."
        ),
        deprecated_paths=("/monitoring/celery/workers",),
        timeout_seconds=20,
    ),
    Endpoint(
        "drift",
        "GET",
        "/monitoring/drift",
        Access.OPERATOR,
        "operations",
        summary="Latest feature drift",
        description="The latest drift report; `drift_score` is null while there is none.",
    ),
    Endpoint(
        "docs",
        "GET",
        "/docs",
        Access.PUBLIC,
        "site",
        summary="Browsable page of this document",
        description="Shows the OpenAPI document and sends requests from a form; works without internet access.",
        asset_paths=("/docs/{asset+}",),
        others=(
            Operation(
                "/openapi.json",
                "openapi_document",
                "This document",
                "The OpenAPI 3.1 document of this API, generated from its code.",
            ),
        ),
    ),
    Endpoint(
        "ui",
        "GET",
        "/ui",
        Access.PUBLIC,
        "site",
        summary="Match board",
        description="Upcoming, live and finished matches with predictions, odds and value bets.",
        asset_paths=("/ui/{asset+}",),
    ),
)

BY_FUNCTION: Final = {endpoint.function: endpoint for endpoint in ENDPOINTS}
