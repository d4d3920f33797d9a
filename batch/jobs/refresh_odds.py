"""Refresh the odds of the current release."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Final

import pandas as pd

from batch import refresh as odds_refresh
from batch.jobs.context import Event, as_of, secret, settings
from batch.jobs.datasets import as_input, frame_of, outputs, readable, write_returns
from batch.jobs.prices import kept_prices, write_prices
from batch.mlflow.run_log import BatchRun, InputFile
from batch.odds import past_prices, price_history
from batch.odds import table as fonbet_odds
from batch.odds.providers.base import trust
from batch.odds.sources import (
    SNAPSHOTS,
    confirmed_clubs,
    keep_confirmed_clubs,
    keep_snapshot,
    last_good,
    odds_provider,
)
from batch.release import ReleaseWriter, iso, new_release_id, publish_datasets, read_pointer
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import ReleaseUnavailable
from chalicelib.releases.pointer import ODDS, PREDICTIONS, PREDICTIONS_CHALLENGER, PRICE_HISTORY, Pointer
from chalicelib.storage.objects import ObjectStore

REFRESH_ATTEMPTS: Final = 3
"""Attempts to publish while rebuilds replace the release."""


def run(event: Event, batch_run: BatchRun) -> Event:
    """Fetch the provider's odds, find our match for each, and replace odds and returns in the current release."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    live = settings().odds_provider != SNAPSHOTS
    batch_run.params |= {"as_of": iso(moment), "provider": settings().odds_provider}
    read: dict[str, InputFile] = {}
    with batch_run.timed("fetch"):
        provider = odds_provider(settings(), objects, _api_key, on_read=lambda file: read.update({file.key: file}))
        snapshot = odds_refresh.fetch(provider, moment, timedelta(days=settings().odds_replay_ahead_days))
    distrusted = False
    if live:
        verdict = trust(snapshot, last_good(objects, snapshot.provider, moment))
        for stored in keep_snapshot(objects, snapshot, distrusted=verdict.distrusted):
            read[stored.key] = stored
        snapshot, distrusted = verdict.snapshot, verdict.distrusted
    for _ in range(REFRESH_ATTEMPTS):
        pointer, _etag = read_pointer(objects)
        if pointer is None:
            raise ReleaseUnavailable("there is no release with matches to price")
        batch_run.inputs = [*read.values(), as_input(pointer, PREDICTIONS)]
        batch_run.params |= {"release_id": pointer.release_id, "release_as_of": pointer.as_of}
        writer = ReleaseWriter(objects, new_release_id(now), moment, now)
        predictions = frame_of(objects, pointer, PREDICTIONS)
        assert predictions is not None  # noqa: S101 - every release has predictions
        by_stage = {Stage.CHAMPION: predictions}
        if (challenger := frame_of(objects, pointer, PREDICTIONS_CHALLENGER)) is not None:
            by_stage[Stage.CHALLENGER] = challenger
        with batch_run.timed("match"):
            # stored sightings cover any time; a live line drops past matches
            previous = _published_odds(objects, pointer, predictions, moment) if live else None
            history = _published_history(objects, pointer, moment) if live else None
            refreshed = odds_refresh.refresh(predictions, snapshot, previous, confirmed_clubs(objects), history)
        with batch_run.timed("publish"):
            entries = {
                ODDS: writer.write(f"{ODDS}.parquet", refreshed.parquet(), len(refreshed.odds)),
                PRICE_HISTORY: writer.write(
                    f"{PRICE_HISTORY}.parquet", refreshed.history_parquet(), len(refreshed.history)
                ),
            }
            previous_prices, restored = kept_prices(objects, pointer, batch_run)
            begun_prices = past_prices.of_begun_matches(refreshed.odds, predictions, moment)
            prices = past_prices.merge(previous_prices, begun_prices)
            entries |= restored | write_prices(writer, pointer, None if restored else previous_prices, prices)
            entries |= write_returns(writer, by_stage, refreshed.odds, refreshed.history)
            report = {
                **refreshed.report,
                "as_of": iso(moment),
                "release_id": pointer.release_id,
                "distrusted": distrusted,
                "mlflow_run_id": batch_run.mlflow_run_id,
                "inputs": [file.to_json() for file in batch_run.inputs],
                "outputs": outputs(entries),
            }
            objects.put(
                f"releases/{writer.release_id}/odds_run.json", json.dumps(report, indent=1, sort_keys=True).encode()
            )
            published = publish_datasets(objects, pointer, entries, now)
        if published.moved:
            keep_confirmed_clubs(objects, refreshed.confirmed)
            batch_run.report = report
            batch_run.metrics |= {name: float(report[name]) for name in odds_refresh.COUNTS}
            batch_run.metrics |= {f"rows_{name}": float(entry.rows) for name, entry in entries.items()}
            batch_run.metrics |= {
                f"skipped_{_metric_name(reason)}": float(n) for reason, n in report["skipped"].items()
            }
            batch_run.params["distrusted"] = distrusted
            return {name: report[name] for name in ("provider", *odds_refresh.COUNTS, "rows", "notes")}
    raise ReleaseUnavailable(f"the release was replaced {REFRESH_ATTEMPTS} times while odds were matched to it")


def _published_odds(
    objects: ObjectStore, pointer: Pointer, predictions: pd.DataFrame, moment: datetime
) -> pd.DataFrame | None:
    """The odds published so far, without what was not known at `moment`."""
    published = readable(objects, pointer, ODDS)
    if published is None:
        return None
    entry, odds = published
    return fonbet_odds.known_at(odds, predictions, moment) if entry.as_of > iso(moment) else odds


def _published_history(objects: ObjectStore, pointer: Pointer, moment: datetime) -> pd.DataFrame | None:
    """The price history published so far; where a replay was moved back, nothing that was seen after `moment`."""
    published = readable(objects, pointer, PRICE_HISTORY)
    if published is None:
        return None
    entry, history = published
    return price_history.known_at(history, moment) if entry.as_of > iso(moment) else history


def _metric_name(reason: str) -> str:
    """A reason with the characters that MLflow allows in metric names."""
    return re.sub(r"[^A-Za-z0-9]+", "_", reason).strip("_")


def _api_key() -> str:
    return secret(settings().odds_api_key_secret_id)
