"""Odds stored as files under `raw/odds/`: read as a provider of their own, written by runs with a live provider.

A file is parquet, CSV (comma, semicolon or tab) or JSON lines, the last two also gzip, one row per match and sighting.
Needed columns: `region`, `league`, `home_team`, `away_team`, `kickoff`, `odds_home`, `odds_draw`, `odds_away`,
`collected_at`. Optional ones: `provider`, `event_id`, `sex`, `suspended`, `is_live`, `live_score`, `url`, `bookmaker`,
`home_team_id`, `away_team_id`, `closing_home`, `closing_draw`, `closing_away`. Other columns are ignored.

Because every row says when it was seen, the files answer for any `as_of`: this is the provider of a replay.
"""

import gzip
import hashlib
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd

from batch.matches.files import csv_delimiter
from batch.odds import regions
from batch.odds.market import Triple
from batch.odds.names import are_women
from batch.odds.providers.base import MarketOdds, OddsSnapshot, as_known_at, in_order, price, price_changes, triple
from batch.odds.providers.transport import packed
from chalicelib.errors import ProviderUnavailable

PROVIDER: Final = "s3"
PREFIX: Final = "raw/odds/"
"""Prefix of snapshots in the bucket."""
RAW_MARK: Final = ".raw."
"""Names of a source's own answers contain this; they are kept for the record and not read as tables."""
REQUIRED_COLUMNS: Final = (
    "region",
    "league",
    "home_team",
    "away_team",
    "kickoff",
    "odds_home",
    "odds_draw",
    "odds_away",
    "collected_at",
)
_SUFFIXES: Final = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")


def is_snapshot_key(key: str) -> bool:
    """Whether a key names a table of odds this module reads."""
    return key.endswith(_SUFFIXES) and RAW_MARK not in key


@dataclass(frozen=True, slots=True)
class SnapshotProvider:
    """Stored sightings as a provider.

    Args:
        keys: Lists the keys to consider (keys of other files are skipped).
        read: Reads a key's bytes.
        bet_lead: How long before kickoff a bet is taken to be placed (see `as_known_at`).
    """

    keys: Callable[[], Iterable[str]]
    read: Callable[[str], bytes]
    bet_lead: timedelta = timedelta(hours=1)

    def fetch(self, as_of: datetime) -> OddsSnapshot:
        """The stored sightings as known at `as_of`: one row per match, nothing seen later.

        Raises:
            ProviderUnavailable: there is no snapshot file, or none could be read.
        """
        rows: list[MarketOdds] = []
        skipped: Counter[str] = Counter()
        notes: list[str] = []
        chosen = sorted(key for key in self.keys() if is_snapshot_key(key))
        for key in chosen:
            try:
                file_rows, bad = parse(self.read(key), key)
            except ProviderUnavailable as error:
                notes.append(error.message)
                continue
            rows += file_rows
            skipped.update(bad)
        if len(notes) == len(chosen):
            raise ProviderUnavailable("; ".join(notes) or f"there is no odds snapshot under {PREFIX}")
        markets = in_order(as_known_at(rows, as_of, self.bet_lead))
        changes = price_changes(rows, as_of)
        return OddsSnapshot(PROVIDER, as_of, markets, skipped=dict(skipped), notes=tuple(notes), sightings=changes)


def parse(body: bytes, name: str) -> tuple[list[MarketOdds], dict[str, int]]:
    """The rows of one file, and how many rows were left out, by reason.

    Args:
        body: The file's bytes.
        name: Its name, whose suffix decides the format.

    Raises:
        ProviderUnavailable: the file cannot be read or lacks a needed column.
    """
    try:
        table = read_table(body, name)
    except (ValueError, OSError, EOFError) as error:  # pyarrow's errors are ValueErrors or OSErrors
        raise ProviderUnavailable(f"{name} cannot be read as a table of odds: {type(error).__name__}") from error
    missing = [column for column in REQUIRED_COLUMNS if column not in table.columns]
    if missing:
        raise ProviderUnavailable(f"{name} lacks the columns {', '.join(missing)}")
    table = table.assign(
        kickoff=pd.to_datetime(table["kickoff"], utc=True, errors="coerce", format="ISO8601"),
        collected_at=pd.to_datetime(table["collected_at"], utc=True, errors="coerce", format="ISO8601"),
    )
    rows: list[MarketOdds] = []
    skipped: Counter[str] = Counter()
    for record in table.to_dict("records"):
        row = _row({str(column): value for column, value in record.items()})
        if isinstance(row, str):
            skipped[row] += 1
        else:
            rows.append(row)
    return rows, dict(skipped)


def read_table(body: bytes, name: str) -> pd.DataFrame:
    """The file as a frame, in any of the three formats."""
    if name.endswith(".parquet"):
        return pd.read_parquet(io.BytesIO(body))
    text = gzip.decompress(body) if name.endswith(".gz") else body
    stem = name.removesuffix(".gz")
    if stem.endswith(".csv"):
        delimiter = csv_delimiter(text)
        return pd.read_csv(
            io.BytesIO(text),
            sep=delimiter,
            # with semicolons as separators, spreadsheets write decimal commas
            decimal="," if delimiter == ";" else ".",
            dtype={"event_id": str, "home_team_id": str, "away_team_id": str},
        )
    lines = [line for line in text.decode("utf-8").splitlines() if line.strip()]
    return pd.DataFrame([json.loads(line) for line in lines])


def as_lines(snapshot: OddsSnapshot) -> bytes:
    """The snapshot as gzipped JSON lines, which `parse` reads; the same rows give the same bytes."""
    return packed("".join(json.dumps(_record(row), ensure_ascii=False) + "\n" for row in snapshot.markets).encode())


def files_to_keep(snapshot: OddsSnapshot) -> dict[str, bytes]:
    """Files to store of a live snapshot: its rows as a table, and the source's own answers.

    Returns:
        Key -> bytes (all gzip): `raw/odds/<provider>/<day>/<time>.jsonl.gz` and `<time>.<name>.raw.gz` beside it.
    """
    stem = f"{PREFIX}{snapshot.provider}/{snapshot.collected_at:%Y-%m-%d}/{stamp(snapshot.collected_at)}"
    files = {f"{stem}.jsonl.gz": as_lines(snapshot)}
    for name, body in sorted(snapshot.raw.items()):
        files[f"{stem}.{name}{RAW_MARK}gz"] = packed(body)
    return files


def stamp(moment: datetime) -> str:
    """A time as in the names of stored live snapshots; later times sort later."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"


def stamp_of(key: str) -> str:
    """When a stored live snapshot was collected, from its name."""
    return key.rpartition("/")[2].partition(".")[0]


def _record(row: MarketOdds) -> dict[str, Any]:
    odds: tuple[float | None, ...] = row.odds or (None, None, None)
    closing: tuple[float | None, ...] = row.closing or (None, None, None)
    return {
        "provider": row.provider,
        "event_id": row.event_id,
        "region": row.region,
        "league": row.league,
        "sex": row.sex,
        "home_team": row.home_team,
        "away_team": row.away_team,
        "home_team_id": row.home_team_id,
        "away_team_id": row.away_team_id,
        "kickoff": row.kickoff.isoformat() if row.kickoff else None,
        "odds_home": odds[0],
        "odds_draw": odds[1],
        "odds_away": odds[2],
        "suspended": row.suspended,
        "is_live": row.is_live,
        "live_score": row.live_score,
        "collected_at": row.collected_at.isoformat(),
        "url": row.url,
        "bookmaker": row.bookmaker,
        "closing_home": closing[0],
        "closing_draw": closing[1],
        "closing_away": closing[2],
    }


def _row(record: Mapping[str, Any]) -> MarketOdds | str:
    """The record as a row, or the reason why it is skipped."""
    home, away = _text(record.get("home_team")), _text(record.get("away_team"))
    if home is None or away is None:
        return "no two teams"
    collected_at = _time(record.get("collected_at"))
    if collected_at is None:
        return "no time of collection"
    provider = _text(record.get("provider")) or PROVIDER
    region = regions.canonical(_text(record.get("region")))
    league = _text(record.get("league")) or ""
    kickoff = _time(record.get("kickoff"))
    odds = _triple(record, "odds")
    sex = _number(record.get("sex"))
    women = are_women(home, away, league)
    return MarketOdds(
        provider=provider,
        event_id=_text(record.get("event_id")) or _made_up_id(provider, region, league, home, away, kickoff),
        region=region,
        league=league,
        home_team=home,
        away_team=away,
        kickoff=kickoff,
        odds=odds,
        suspended=_flag(record.get("suspended")) or odds is None,
        collected_at=collected_at,
        sex=int(sex) if sex in {0.0, 1.0} else (1 if women else None),
        home_team_id=_text(record.get("home_team_id")),
        away_team_id=_text(record.get("away_team_id")),
        is_live=_flag(record.get("is_live")) or (kickoff is not None and collected_at >= kickoff),
        live_score=_text(record.get("live_score")),
        url=_text(record.get("url")),
        bookmaker=_text(record.get("bookmaker")),
        closing=_triple(record, "closing"),
    )


def _made_up_id(*parts: object) -> str:
    """An id for sources without one: the same match gets the same id in every file."""
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:16]


def _missing(value: object) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _text(value: object) -> str | None:
    return None if _missing(value) else str(value).strip() or None


def _number(value: object) -> float | None:
    if _missing(value) or isinstance(value, bool):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _flag(value: object) -> bool:
    return not _missing(value) and str(value).strip().casefold() in {"true", "1", "1.0"}


def _time(value: object) -> datetime | None:
    return value.to_pydatetime().astimezone(UTC) if isinstance(value, pd.Timestamp) else None


def _triple(record: Mapping[str, Any], prefix: str) -> Triple | None:
    return triple(*(price(_number(record.get(f"{prefix}_{outcome}"))) for outcome in ("home", "draw", "away")))
