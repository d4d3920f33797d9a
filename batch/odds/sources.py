"""Sources of odds, and what the bucket keeps of them: snapshots, settled club ids and spellings."""

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from batch.mlflow.run_log import InputFile
from batch.odds.clubs import ConfirmedClubs
from batch.odds.providers import snapshot as snapshots
from batch.odds.providers.base import OddsProvider, OddsSnapshot, in_order
from batch.odds.providers.fonbet import FonbetProvider, FonbetSettings
from batch.odds.providers.the_odds_api import TheOddsApiProvider, TheOddsApiSettings
from batch.odds.providers.transport import HttpTransport
from batch.settings import BatchSettings
from chalicelib.errors import ProviderUnavailable
from chalicelib.storage.checksummed import sealed, unsealed
from chalicelib.storage.objects import ObjectMissing, ObjectStore, read

logger = logging.getLogger(__name__)

SNAPSHOTS: Final = "s3"
CONFIRMED_CLUBS_KEY: Final = "raw/odds/confirmed_clubs.json"


def odds_provider(
    settings: BatchSettings,
    objects: ObjectStore,
    api_key: Callable[[], str],
    transport: HttpTransport | None = None,
    on_read: Callable[[InputFile], object] = lambda _: None,
) -> OddsProvider:
    """The provider that the settings name.

    Args:
        settings: Which one, and its parameters.
        objects: Where stored snapshots are.
        api_key: Reads The Odds API's key when it is needed.
        transport: Sends requests; the default one if None.
        on_read: Called with every stored snapshot that is read.
    """
    http = transport or HttpTransport()

    def clock() -> datetime:
        return datetime.now(UTC)

    if settings.odds_provider == "fonbet":
        usual = FonbetSettings()
        fonbet = FonbetSettings(
            base_url=settings.fonbet_base_url or usual.base_url, scope_market=settings.fonbet_scope_market
        )
        return FonbetProvider(http, clock, fonbet)
    if settings.odds_provider == "the_odds_api":
        sports = tuple(sport.strip() for sport in settings.odds_api_sports.split(",") if sport.strip())
        return TheOddsApiProvider(http, clock, api_key, TheOddsApiSettings(sports))

    return stored_snapshots(objects, on_read)


def stored_snapshots(objects: ObjectStore, on_read: Callable[[InputFile], object]) -> snapshots.SnapshotProvider:
    """The odds stored in the bucket as a provider; `on_read` is called with every file that is read."""

    def read_noted(key: str) -> bytes:
        content = read(objects, key).body
        on_read(InputFile(key, hashlib.sha256(content).hexdigest()))
        return content

    return snapshots.SnapshotProvider(keys=lambda: [key for key, _ in objects.keys(snapshots.PREFIX)], read=read_noted)


def last_good(objects: ObjectStore, provider: str, as_of: datetime) -> OddsSnapshot | None:
    """The newest snapshot of a live provider that was trusted and collected by `as_of`."""
    keys = [
        key
        for key, _ in objects.keys(f"{snapshots.PREFIX}{provider}/")
        if snapshots.is_snapshot_key(key) and snapshots.stamp_of(key) <= snapshots.stamp(as_of)
    ]
    for key in reversed(keys):
        try:
            rows, _skipped = snapshots.parse(read(objects, key).body, key)
        except ProviderUnavailable as error:
            logger.warning(
                "stored snapshot damaged, the one before is used", extra={"key": key, "detail": error.message}
            )
            continue
        return OddsSnapshot(provider, max(row.collected_at for row in rows), in_order(rows)) if rows else None
    return None


def keep_snapshot(objects: ObjectStore, snapshot: OddsSnapshot, *, distrusted: bool) -> list[InputFile]:
    """Store a live snapshot: its rows, unless distrusted, and the source's own answers.

    Returns:
        What was stored.
    """
    stored = []
    for key, content in snapshots.files_to_keep(snapshot).items():
        if not (distrusted and snapshots.is_snapshot_key(key)):
            objects.put(key, content)
            stored.append(InputFile(key, hashlib.sha256(content).hexdigest()))
    return stored


def confirmed_clubs(objects: ObjectStore) -> ConfirmedClubs:
    """Club ids and spellings settled by earlier runs; empty where the file is damaged, since runs settle them again."""
    try:
        return ConfirmedClubs.from_json(json.dumps(unsealed(read(objects, CONFIRMED_CLUBS_KEY).body)).encode())
    except ObjectMissing:
        return ConfirmedClubs()
    except ValueError:
        logger.exception("confirmed clubs damaged, they are settled anew", extra={"key": CONFIRMED_CLUBS_KEY})
        return ConfirmedClubs()


def keep_confirmed_clubs(objects: ObjectStore, confirmed: ConfirmedClubs) -> None:
    """Store them for the next run. Editing the file by hand requires removing `sealed` and `sha256`."""
    objects.put(CONFIRMED_CLUBS_KEY, sealed(json.loads(confirmed.to_json())))
