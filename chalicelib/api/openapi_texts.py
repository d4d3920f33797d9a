"""What the OpenAPI document says of the API and its tags; texts of operations are in `chalicelib.endpoints`."""

from typing import Final

TITLE: Final = "Soccer predictions"
SUMMARY: Final = "1X2 match-outcome predictions: home win, draw, away win."
DESCRIPTION: Final = """\
Predictions of soccer matches from a LightGBM model in the MLflow Model Registry, as live calls and as rows of the
latest data release, beside bookmaker odds. For research; betting is not advised.

- Classes: `0` home win, `1` draw, `2` away win, always in this order. Times are ISO-8601 UTC. Odds are decimal odds.
- Every path answers with and without its trailing slash.
- Every error is JSON: `statusCode`, `message`, a stable `code`, `detail`, and `details` where there are several faults;
  every answer carries `x-request-id`.
- `public` operations need nothing; `client` and `operator` operations need the header `X-API-Key` (each operation's
  `x-access-level` says which). A deployment may open its `client` operations, never its `operator` operations.
- Answers over 1 KiB are compressed for callers that send `Accept-Encoding: gzip`.
- Lists are paged: `limit` rows, and the header `x-next-cursor` while there are more. A listing goes on in the data
  release and at the time it began. `Accept: text/csv` gives CSV, all of it where no `limit` is given.
"""
TAGS: Final = (
    ("prediction", "Live predictions, synchronous and queued, and the model that makes them."),
    ("lists", "The latest data release: predictions, matches, odds, cards and returns."),
    ("operations", "Liveness, queues, workers, drift and metrics."),
    ("pages", "This document and what a browser shows."),
)
