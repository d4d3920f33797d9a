"""Prices of past matches: the data set `past_prices`, or computed from the stored odds."""

from datetime import datetime

import pandas as pd

from batch.jobs.context import settings
from batch.jobs.datasets import readable
from batch.mlflow.run_log import BatchRun, InputFile
from batch.odds import past_prices
from batch.odds import table as fonbet_odds
from batch.odds.matching import match_odds
from batch.odds.past_prices import PAST_PRICES_SCHEMA
from batch.odds.sources import SNAPSHOTS, confirmed_clubs, stored_snapshots
from batch.release import ReleaseWriter, iso, parquet_bytes
from chalicelib.errors import ProviderUnavailable
from chalicelib.releases.pointer import PAST_PRICES, DatasetEntry, Pointer
from chalicelib.storage.objects import ObjectStore


def kept_prices(
    objects: ObjectStore, pointer: Pointer | None, run: BatchRun
) -> tuple[pd.DataFrame | None, dict[str, DatasetEntry]]:
    """The latest readable past prices, and their entry where it must replace the release's damaged ones.

    None and no entry before the first prices.
    """
    published = readable(objects, pointer, PAST_PRICES)
    if published is None or pointer is None:
        return None, {}
    entry, frame = published
    run.inputs.append(InputFile(entry.key, entry.sha256, rows=entry.rows))
    return frame, {} if entry == pointer.datasets.get(PAST_PRICES) else {PAST_PRICES: entry}


def reads_prices_from_odds(event: dict[str, object]) -> bool:
    """Whether a rebuild takes past prices from `raw/odds/` and not from the previous release.

    True where these files are the provider or the event asks for it (`{"past_prices": "from_odds"}`): to start from
    an analyst's own history, or after the data set was lost.
    """
    return settings().odds_provider == SNAPSHOTS or event.get("past_prices") == "from_odds"


def prices_from_odds(
    objects: ObjectStore, matches: pd.DataFrame, as_of: datetime, run: BatchRun
) -> pd.DataFrame | None:
    """Past prices at `as_of` from the files under `raw/odds/`; None without such files."""
    files: list[InputFile] = []
    try:
        snapshot = stored_snapshots(objects, files.append).fetch(as_of)
    except ProviderUnavailable:
        return None
    run.inputs += files
    matched = match_odds(matches, snapshot.markets, confirmed=confirmed_clubs(objects)).matched
    kickoffs = matches[["match_id", "kickoff"]].rename(columns={"kickoff": "match_date"})
    return past_prices.of_begun_matches(fonbet_odds.build(matched), kickoffs, as_of)


def write_prices(
    writer: ReleaseWriter, pointer: Pointer | None, previous: pd.DataFrame | None, prices: pd.DataFrame
) -> dict[str, DatasetEntry]:
    """Write the data set unless it is unchanged."""
    entry = pointer.datasets.get(PAST_PRICES) if pointer else None
    was_known = entry is not None and entry.as_of <= iso(writer.as_of)
    if was_known and previous is not None and past_prices.typed(previous).equals(prices):
        return {}
    content = parquet_bytes(prices, PAST_PRICES_SCHEMA)
    return {PAST_PRICES: writer.write(f"{PAST_PRICES}.parquet", content, len(prices))}
