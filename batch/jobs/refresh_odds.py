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
from batch.odds import past_prices
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
from chalicelib.releases.pointer import ODDS, PREDICTIONS, PREDICTIONS_CHALLENGER, Pointer
from chalicelib.storage.objects import ObjectStore

REFRESH_ATTEMPTS: Final = 3
"""How often odds are matched again because a rebuild replaced the release meanwhile."""


def run(event: Event, this: BatchRun) -> Event:
    """Fetch the provider's odds, find our match for each, and replace odds and returns in the current release."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    live = settings().odds_provider != SNAPSHOTS
    this.params |= {"as_of": iso(moment), "provider": settings().odds_provider}
    read: dict[str, InputFile] = {}
    with this.timed("fetch"):
        provider = odds_provider(settings(), objects, _api_key, on_read=lambda one: read.update({one.key: one}))
        snapshot = odds_refresh.fetch(provider, moment, timedelta(days=settings().odds_replay_ahead_days))
    distrusted = False
    if live:
        verdict = trust(snapshot, last_good(objects, snapshot.provider, moment))
        for kept in keep_snapshot(objects, snapshot, distrusted=verdict.distrusted):
            read[kept.key] = kept
        snapshot, distrusted = verdict.snapshot, verdict.distrusted
    for _ in range(REFRESH_ATTEMPTS):
        pointer, _etag = read_pointer(objects)
        if pointer is None:
            raise ReleaseUnavailable("there is no release whose matches could be priced")
        this.inputs = [*read.values(), as_input(pointer, PREDICTIONS)]
        this.params |= {"release_id": pointer.release_id, "release_as_of": pointer.as_of}
        writer = ReleaseWriter(objects, new_release_id(now), moment, now)
        predictions = frame_of(objects, pointer, PREDICTIONS)
        assert predictions is not None  # noqa: S101 - every release has them
        by_stage = {Stage.CHAMPION: predictions}
        if (challenger := frame_of(objects, pointer, PREDICTIONS_CHALLENGER)) is not None:
            by_stage[Stage.CHALLENGER] = challenger
        with this.timed("match"):
            # Stored sightings answer for any time by themselves; a live line forgets what is over.
            previous = _published_odds(objects, pointer, predictions, moment) if live else None
            refreshed = odds_refresh.refresh(predictions, snapshot, previous, confirmed_clubs(objects))
        with this.timed("publish"):
            entries = {ODDS: writer.write(f"{ODDS}.parquet", refreshed.parquet(), len(refreshed.odds))}
            previous_prices, restored = kept_prices(objects, pointer, this)
            begun = past_prices.of_begun_matches(refreshed.odds, predictions, moment)
            prices = past_prices.merge(previous_prices, begun)
            entries |= restored | write_prices(writer, pointer, None if restored else previous_prices, prices)
            entries |= write_returns(writer, by_stage, refreshed.odds)
            report = {
                **refreshed.report,
                "as_of": iso(moment),
                "release_id": pointer.release_id,
                "distrusted": distrusted,
                "mlflow_run_id": this.mlflow_run_id,
                "inputs": [one.to_json() for one in this.inputs],
                "outputs": outputs(entries),
            }
            objects.put(
                f"releases/{writer.release_id}/odds_run.json", json.dumps(report, indent=1, sort_keys=True).encode()
            )
            published = publish_datasets(objects, pointer, entries, now)
        if published.moved:
            keep_confirmed_clubs(objects, refreshed.confirmed)
            this.report = report
            this.metrics |= {name: float(report[name]) for name in odds_refresh.COUNTS}
            this.metrics |= {f"rows_{name}": float(entry.rows) for name, entry in entries.items()}
            this.metrics |= {f"skipped_{_metric_name(reason)}": float(n) for reason, n in report["skipped"].items()}
            this.params["distrusted"] = distrusted
            return {name: report[name] for name in ("provider", *odds_refresh.COUNTS, "rows", "notes")}
    raise ReleaseUnavailable(f"the release was replaced {REFRESH_ATTEMPTS} times while odds were matched to it")


def _published_odds(
    objects: ObjectStore, pointer: Pointer, predictions: pd.DataFrame, moment: datetime
) -> pd.DataFrame | None:
    """The odds published so far; where a replay was moved back, nothing that was not known yet at `moment`."""
    published = readable(objects, pointer, ODDS)
    if published is None:
        return None
    entry, odds = published
    return fonbet_odds.known_at(odds, predictions, moment) if entry.as_of > iso(moment) else odds


def _metric_name(reason: str) -> str:
    """A reason as MLflow takes it in a metric's name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", reason).strip("_")


def _api_key() -> str:
    return secret(settings().odds_api_key_secret_id)
