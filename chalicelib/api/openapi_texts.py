"""What the OpenAPI document says in words: of the API, of its tags and of each operation."""

from typing import Final

TITLE: Final = "Soccer predictions"
SUMMARY: Final = "1X2 match-outcome predictions: home win, draw, away win."
DESCRIPTION: Final = """\
Predictions of soccer matches from a LightGBM model in the MLflow Model Registry, as live calls and as rows of the
latest data release, beside bookmaker odds. For research; betting is not advised.

- Classes: `0` home win, `1` draw, `2` away win, always in this order. Times are ISO-8601 UTC. Odds are decimal odds.
- Every path answers with and without its trailing slash.
- Every error is JSON, `{"statusCode": int, "message": str, "details": [...]?}`; every answer carries `x-request-id`.
- `public` operations need nothing; `client` and `operator` operations need the header `X-API-Key` (each operation's
  `x-access-level` says which). A deployment may open its `client` operations, never its `operator` operations.
- Answers over 1 KiB are compressed for callers that send `Accept-Encoding: gzip`.
- Lists are paged: `limit` rows, and the header `x-next-cursor` while there are more. A listing goes on in the data
  release it began in.
"""
TAGS: Final = (
    ("prediction", "Live predictions, synchronous and queued, and the model that makes them."),
    ("lists", "The latest data release: predictions, matches, odds, cards and returns."),
    ("operations", "Liveness, queues, workers, drift and metrics."),
    ("pages", "This document and what a browser shows."),
)

OPERATIONS: Final[dict[str, tuple[str, str]]] = {
    "predict": (
        "Predict from features",
        (
            "Predicts one match from the features in the body; nothing is transformed or imputed. A required feature "
            "that is missing is 422 and named; null is for optional features only; unknown names are ignored and "
            "listed in `x-ignored-features`."
        ),
    ),
    "predict_match": (
        "Predict a match live",
        "Predicts one match from its features in the current data release.",
    ),
    "predict_async": (
        "Queue a prediction",
        (
            "Accepts a prediction to be made in the background: 202 means that it is stored and will end as success or "
            "failed, exactly once. Without features they come from the current data release. Poll `status_url`."
        ),
    ),
    "task_status": (
        "State of a queued prediction",
        (
            "Pending until the task has ended, then success with its result or failed with its error; 404 once the "
            "retention of 24 hours is over. While it is pending, `Retry-After` says when to ask again."
        ),
    ),
    "precomputed": (
        "Precomputed prediction of a match",
        "The match's row of the current data release; no model is called.",
    ),
    "predictions": (
        "All precomputed predictions",
        "Display columns of the current data release, in order of kickoff.",
    ),
    "matches": ("Upcoming matches", "Matches that have not kicked off, in order of kickoff."),
    "odds": ("1X2 odds", "The latest odds of the matches that have a market, in order of match id."),
    "cards": (
        "Predictions merged with odds",
        (
            "What the match board shows: each prediction beside its odds, the market's probabilities without the "
            "margin, the edges, the value bet and, once it is known, the result. In order of kickoff."
        ),
    ),
    "region_roi": (
        "Return of value bets per region",
        "Flat-stake return on investment of past value bets, with a 95 % bootstrap interval.",
    ),
    "model_info": (
        "The model served",
        (
            "What the registry says of the version under an alias: run, metrics, parameters and signature. The model "
            "need not be loaded."
        ),
    ),
    "healthcheck": (
        "Liveness",
        "Says of each dependency whether it answers; 503 with status `degraded` when the task store does not.",
    ),
    "metrics": (
        "Metrics for Prometheus",
        "Requests, errors, latencies, queues, models and data releases in Prometheus' text format.",
    ),
    "queues": (
        "Queues",
        (
            "Waiting, in-flight, delayed and dead-letter counts, and the age of the oldest task that has not ended. "
            "Also at `/monitoring/celery/queues`, the old system's path."
        ),
    ),
    "workers": (
        "Inference functions",
        (
            "State, last update, concurrency, event source mapping and whether a ping is answered. Also at "
            "`/monitoring/celery/workers`, the old system's path."
        ),
    ),
    "drift": ("Latest feature drift", "The latest drift report; `drift_score` is null while there is none."),
    "openapi_document": ("This document", "The OpenAPI 3.1 document of this API, generated from its code."),
    "docs": (
        "Browsable page of this document",
        "Shows the OpenAPI document and sends requests from a form; works without internet access.",
    ),
    "ui": ("Match board", "Upcoming, live and finished matches with predictions, odds and value bets."),
}
"""Function to summary and description."""
