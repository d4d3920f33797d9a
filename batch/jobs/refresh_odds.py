"""Refresh the odds of the current release."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final

from batch import odds_refresh
from batch.jobs.context import Event, as_of, settings
from batch.jobs.published import frame_of, write_returns
from batch.odds_providers.base import trust
from batch.odds_sources import (
    SNAPSHOTS,
    confirmed_clubs,
    keep_confirmed_clubs,
    keep_snapshot,
    last_good,
    odds_provider,
)
from batch.release import ReleaseWriter, iso, new_release_id, publish_datasets, read_pointer
from chalicelib import wiring
from chalicelib.data_release import ODDS, PREDICTIONS
from chalicelib.errors import ReleaseUnavailable

REFRESH_ATTEMPTS: Final = 3
"""How often odds are matched again because a rebuild replaced the release meanwhile."""


def run(event: Event) -> Event:
    """Fetch the provider's odds, find our match for each, and replace odds and returns in the current release."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    live = settings().odds_provider != SNAPSHOTS
    snapshot = odds_refresh.fetch(
        odds_provider(settings(), objects, _api_key), moment, timedelta(days=settings().odds_replay_ahead_days)
    )
    distrusted = False
    if live:
        verdict = trust(snapshot, last_good(objects, snapshot.provider))
        keep_snapshot(objects, snapshot, distrusted=verdict.distrusted)
        snapshot, distrusted = verdict.snapshot, verdict.distrusted
    for _ in range(REFRESH_ATTEMPTS):
        pointer, _etag = read_pointer(objects)
        if pointer is None:
            raise ReleaseUnavailable("there is no release whose matches could be priced")
        writer = ReleaseWriter(objects, new_release_id(now), moment, now)
        predictions = frame_of(objects, pointer, PREDICTIONS)
        assert predictions is not None  # noqa: S101 - every release has them
        # Stored sightings answer for any time by themselves; a live line forgets what is over.
        refreshed = odds_refresh.refresh(
            predictions, snapshot, frame_of(objects, pointer, ODDS) if live else None, confirmed_clubs(objects)
        )
        entries = {ODDS: writer.write(f"{ODDS}.parquet", refreshed.parquet(), len(refreshed.odds))}
        entries |= write_returns(writer, predictions, refreshed.odds)
        report = {**refreshed.report, "as_of": iso(moment), "release_id": pointer.release_id, "distrusted": distrusted}
        objects.put(
            f"releases/{writer.release_id}/odds_run.json", json.dumps(report, indent=1, sort_keys=True).encode()
        )
        published = publish_datasets(objects, pointer, entries, now)
        if published.moved:
            keep_confirmed_clubs(objects, refreshed.confirmed)
            return {name: report[name] for name in ("provider", "markets", "matched", "unmatched", "rows", "notes")}
    raise ReleaseUnavailable(f"the release was replaced {REFRESH_ATTEMPTS} times while odds were matched to it")


def _api_key() -> str:
    secrets = wiring.aws_client("secretsmanager")
    return str(secrets.get_secret_value(SecretId=settings().odds_api_key_secret_id)["SecretString"])
