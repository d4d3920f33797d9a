"""The lists: predictions, matches, odds and cards of a data release, filtered and paged.

Each list is one Arrow table, made once per release and kept in memory; a request filters it vectorised and turns
only its own page into JSON.
"""

import base64
import binascii
import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from chalicelib import odds
from chalicelib.contracts import CardRow, MatchRow, OddsRow, PredictionRow
from chalicelib.domain import Stage
from chalicelib.errors import InvalidCursor, PredictionNotFound
from chalicelib.releases.pointer import ODDS, PREDICTIONS, PREDICTIONS_CHALLENGER, REGION_ROI, DatasetEntry, Pointer
from chalicelib.releases.store import ReleaseStore

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 5_000
"""5,000 cards are about 4 MB of JSON, below Lambda's 6 MB."""

LIVE_FOR: Final = timedelta(hours=3)
"""How long after kickoff a match without a result counts as being played."""

LABELS: Final = ("home", "draw", "away")

PREDICTIONS_OF: Final[Mapping[Stage, str]] = {
    Stage.CHAMPION: PREDICTIONS,
    Stage.CHALLENGER: PREDICTIONS_CHALLENGER,
}

# Columns for filtering only; never rendered.
_KICKOFF: Final = "_kickoff"
_POSITION: Final = "_position"


@dataclass(frozen=True, slots=True)
class Query:
    """Filters and page of a list request; None means no filter.

    Args:
        region: Exact region.
        league: Exact league.
        status: Statuses to keep.
        begin: Kickoff at or after.
        end: Kickoff before.
        min_region_roi: Regions whose ROI is at least this (a share, 0.05 is 5 %).
        value_only: Only cards with a value bet.
        team: Part of a team's name, any case.
        limit: Rows in the page.
        cursor: Where the page begins, as the page before said.
    """

    region: str | None = None
    league: str | None = None
    status: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    min_region_roi: float | None = None
    value_only: bool = False
    team: str | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Args:
        rows: The rows.
        next_cursor: Where the next page begins; None on the last.
        version: Names the content: equal versions, equal page for equal filters. It changes with the release, and
            with every kickoff that passes, since that changes a status.
        last_modified: When the newest data set of the list was computed.
    """

    rows: list[dict[str, Any]]
    next_cursor: str | None
    version: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class _Listing:
    pointer: Pointer
    table: "pa.Table"
    entries: tuple[DatasetEntry, ...]


def predictions(query: Query, stage: Stage, releases: ReleaseStore, now: datetime) -> Page:
    """Precomputed predictions, display columns only, in order of kickoff."""
    return _page(query, _predictions(query, stage, releases), tuple(PredictionRow.model_fields), now)


def matches(query: Query, releases: ReleaseStore, now: datetime) -> Page:
    """Upcoming matches available for prediction, in order of kickoff."""
    listing = _predictions(query, Stage.CHAMPION, releases)
    return _page(replace(query, status="upcoming"), listing, tuple(MatchRow.model_fields), now)


def odds_rows(query: Query, releases: ReleaseStore, now: datetime) -> Page:
    """1X2 odds of the matches that have a market, in order of match id; filtered by what their matches are."""
    pointer = _pointer(query, releases)
    entry = releases.entry(pointer, ODDS)
    shown = pointer.datasets.get(PREDICTIONS)
    entries = (entry,) if shown is None else (entry, shown)

    def build() -> "pa.Table":
        table = _odds_table(releases.table(entry))
        return table if shown is None else _with_match(table, _predictions(query, Stage.CHAMPION, releases).table)

    table = releases.view("odds", entries, build)
    return _page(query, _Listing(pointer, table, (entry,)), tuple(OddsRow.model_fields), now)


def cards(query: Query, stage: Stage, releases: ReleaseStore, now: datetime) -> Page:
    """Predictions merged with odds, edges and value bets, in order of kickoff."""
    listing = _predictions(query, stage, releases)
    others = {name: listing.pointer.datasets.get(name) for name in (ODDS, REGION_ROI)}
    entries = (*listing.entries, *(entry for entry in others.values() if entry is not None))

    def build() -> "pa.Table":
        market = releases.table(others[ODDS]) if others[ODDS] else None
        roi = _region_roi(releases.content(others[REGION_ROI])) if others[REGION_ROI] else []
        return _card_table(listing.table, market, {row["region"]: row["roi"] for row in roi})

    table = releases.view("cards", entries, build)
    columns = (*CardRow.model_fields, _KICKOFF)
    page = _page(query, _Listing(listing.pointer, table, entries), columns, now, keep_kickoff=True)
    for row in page.rows:
        _complete_card(row, now)
    return page


def region_roi(query: Query, releases: ReleaseStore) -> Page:
    """Value-bet ROI per region, in order of the file; filtered by region and least ROI."""
    pointer = _pointer(query, releases)
    entry = releases.entry(pointer, REGION_ROI)
    rows = releases.view("region_roi", (entry,), lambda: _region_roi(releases.content(entry)))
    if query.region is not None:
        rows = [row for row in rows if row["region"] == query.region]
    if query.min_region_roi is not None:
        rows = [row for row in rows if row["roi"] is not None and row["roi"] >= query.min_region_roi]
    modified = _time(entry.computed_at)
    start, _ = _start(query, modified)
    end = start + query.limit
    cursor = _Cursor(pointer.version, end, int(modified.timestamp()), _identity(query))
    return Page(rows[start:end], _encode(cursor) if end < len(rows) else None, pointer.version, modified)


def prediction(match_id: int, stage: Stage, releases: ReleaseStore) -> dict[str, Any]:
    """A match's row of the precomputed predictions.

    Raises:
        PredictionNotFound: there is none.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - a function without this list has no pyarrow

    table = _predictions(Query(), stage, releases).table
    position = pc.index(table.column("match_id"), match_id).as_py()
    if position < 0:
        raise PredictionNotFound(match_id)
    (row,) = table.select(list(PredictionRow.model_fields)).slice(position, 1).to_pylist()
    return row  # type: ignore[no-any-return]


def _pointer(query: Query, releases: ReleaseStore) -> Pointer:
    if query.cursor is None:
        return releases.pointer()
    return releases.pointer_at(_decode(query.cursor).version)


def _predictions(query: Query, stage: Stage, releases: ReleaseStore) -> _Listing:
    pointer = _pointer(query, releases)
    entry = releases.entry(pointer, PREDICTIONS_OF[stage])
    table = releases.view("predictions", (entry,), lambda: _with_times(releases.table(entry)))
    return _Listing(pointer, table, (entry,))


def _with_times(table: "pa.Table") -> "pa.Table":
    """`match_date` as ISO text, and as seconds since the epoch for the filters."""
    import pyarrow as pa  # noqa: PLC0415

    kickoff = table.column("match_date").cast(pa.timestamp("s", "UTC"), safe=False)
    table = table.set_column(table.column_names.index("match_date"), "match_date", _iso(kickoff))
    return table.append_column(_KICKOFF, kickoff.cast(pa.int64())).append_column(
        _POSITION, pa.array(range(table.num_rows), pa.int32())
    )


def _iso(times: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    # Without the zone: formatting a zoned time needs a time zone database, which Lambda's image may lack.
    naive = times.cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).cast(pa.timestamp("s"))
    return pc.strftime(naive, "%Y-%m-%dT%H:%M:%SZ")


def _odds_table(table: "pa.Table") -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415

    index = table.column_names.index("collected_at")
    table = table.set_column(index, "collected_at", _iso(table.column("collected_at")))
    return table.append_column(_POSITION, pa.array(range(table.num_rows), pa.int32()))


def _with_match(table: "pa.Table", predictions: "pa.Table") -> "pa.Table":
    """A table with match ids, and beside each what the filters ask of its match."""
    import pyarrow.compute as pc  # noqa: PLC0415

    position = pc.index_in(table.column("match_id"), predictions.column("match_id").combine_chunks())
    for name in ("region", "league", "home_team", "away_team", "outcome_1x2", _KICKOFF):
        table = table.append_column(name, predictions.column(name).take(position))
    return table


def _card_table(table: "pa.Table", market: "pa.Table | None", roi: Mapping[str, float | None]) -> "pa.Table":
    """Predictions with their market's columns beside, and the edges.

    Edge = expected value per unit staked, p·odds - 1, of an open market (docs/odds.md).
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    number = {"odds_home", "odds_draw", "odds_away", "implied_home", "implied_draw", "implied_away"}
    text = {"live_score": "live_score", "url": "fonbet_url", "collected_at": "odds_collected_at"}
    if market is None:
        for name in sorted(number):
            table = table.append_column(name, pa.nulls(table.num_rows, pa.float64()))
        for name in text.values():
            table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        suspended = pa.nulls(table.num_rows, pa.bool_())
    else:
        market = market.set_column(
            market.column_names.index("collected_at"), "collected_at", _iso(market.column("collected_at"))
        )
        position = pc.index_in(table.column("match_id"), market.column("match_id").combine_chunks())
        for name in sorted(number):
            table = table.append_column(name, market.column(name).take(position).cast(pa.float64()))
        for source, name in text.items():
            table = table.append_column(name, market.column(source).take(position).cast(pa.string()))
        suspended = market.column("suspended").take(position)
    # A market without fair probabilities (booksum outside its bounds) prices nothing, whatever it says.
    is_fair = pc.is_valid(table.column("implied_home"))
    is_open = pc.and_(pc.fill_null(pc.invert(suspended), False), is_fair)
    edges = []
    for label in LABELS:
        edge = pc.subtract(pc.multiply(table.column(f"proba_{label}"), table.column(f"odds_{label}")), 1.0)
        edge = pc.if_else(is_open, edge, pa.scalar(None, pa.float64()))
        table = table.append_column(f"edge_{label}", edge)
        edges.append(edge)
    best = pc.max_element_wise(*edges)
    over = pc.fill_null(pc.greater(best, odds.DEFAULT_VALUE_THRESHOLD), False)
    value = pa.scalar(None, pa.string())
    for label, edge in reversed(list(zip(LABELS, edges, strict=True))):
        value = pc.if_else(pc.and_(over, pc.fill_null(pc.equal(edge, best), False)), label, value)
    table = table.append_column("value_bet", value)
    by_region = [roi.get(region) for region in table.column("region").to_pylist()]
    return table.append_column("region_roi", pa.array(by_region, pa.float64()))


def _complete_card(row: dict[str, Any], now: datetime) -> None:
    """The fields that depend on the time of the request, or are cheaper for one page than for the table."""
    kickoff, outcome, value = row.pop(_KICKOFF), row["outcome_1x2"], row["value_bet"]
    row["status"] = _status(kickoff, outcome is not None, now)
    row["is_correct"] = None if outcome is None else outcome == row["predicted_label"]
    row["kelly_quarter"] = None
    if value is not None:
        row["kelly_quarter"] = odds.quarter_kelly(row[f"proba_{value}"], row[f"odds_{value}"])


def _status(kickoff: float | None, finished: bool, now: datetime) -> str:  # noqa: FBT001
    if finished:
        return "finished"
    if kickoff is None or kickoff > now.timestamp():
        return "upcoming"
    # Past its end without a result: the result is still to come in, but nobody plays any more.
    return "live" if now.timestamp() < kickoff + LIVE_FOR.total_seconds() else "finished"


def _page(
    query: Query, listing: _Listing, columns: tuple[str, ...], now: datetime, *, keep_kickoff: bool = False
) -> Page:
    import pyarrow.compute as pc  # noqa: PLC0415

    table = listing.table
    start, now = _start(query, now)
    mask = _mask(table, query, now)
    if mask is None:
        positions = None
        total = table.num_rows
        page = table.slice(start, query.limit)
    else:
        positions = pc.indices_nonzero(mask)
        total = len(positions)
        page = table.take(positions.slice(start, query.limit))
    end = start + query.limit
    wanted = [name for name in columns if name in table.column_names and name != _POSITION]
    if not keep_kickoff:
        wanted = [name for name in wanted if name != _KICKOFF]
    return Page(
        rows=page.select(wanted).to_pylist(),
        next_cursor=_encode(_Cursor(listing.pointer.version, end, int(now.timestamp()), _identity(query)))
        if end < total
        else None,
        version=listing.pointer.version + _clock_state(table, now),
        last_modified=max(_time(entry.computed_at) for entry in listing.entries),
    )


def _start(query: Query, now: datetime) -> tuple[int, datetime]:
    """Where a page begins, and the time that decides its statuses.

    Raises:
        InvalidCursor: the cursor belongs to other filters.
    """
    if query.cursor is None:
        return 0, now
    cursor = _decode(query.cursor)
    if cursor.identity != _identity(query):
        raise InvalidCursor("the cursor belongs to a listing with other filters")
    # The statuses of the first page's time, so that no match moves between pages while they are read.
    return cursor.position, datetime.fromtimestamp(cursor.began_at, UTC)


def _clock_state(table: "pa.Table", now: datetime) -> str:
    """How many matches have begun and how many are over: all that the time changes in a list of one release."""
    import pyarrow.compute as pc  # noqa: PLC0415

    if _KICKOFF not in table.column_names:
        return ""
    counts = [
        pc.sum(pc.less_equal(table.column(_KICKOFF), moment.timestamp())).as_py() for moment in (now, now - LIVE_FOR)
    ]
    return "-" + "-".join(f"{count or 0:x}" for count in counts)


def _mask(table: "pa.Table", query: Query, now: datetime) -> Any:
    import pyarrow.compute as pc  # noqa: PLC0415

    conditions: list[Any] = []
    present = set(table.column_names)

    def where(column: str, value: Any, test: Callable[[Any, Any], Any]) -> None:
        if value is not None and column in present:
            conditions.append(pc.fill_null(test(table.column(column), value), False))

    where("region", query.region, pc.equal)
    where("league", query.league, pc.equal)
    where(_KICKOFF, query.begin.timestamp() if query.begin else None, pc.greater_equal)
    where(_KICKOFF, query.end.timestamp() if query.end else None, pc.less)
    where("region_roi", query.min_region_roi, pc.greater_equal)
    if query.team is not None and "home_team" in present:
        sides = [
            pc.match_substring(table.column(side), query.team, ignore_case=True) for side in ("home_team", "away_team")
        ]
        conditions.append(pc.or_(*sides))
    if query.value_only and "value_bet" in present:
        conditions.append(pc.is_valid(table.column("value_bet")))
    if query.status is not None and "outcome_1x2" in present:
        conditions.append(_status_mask(table, query.status, now))
    if not conditions:
        return None
    mask = conditions[0]
    for condition in conditions[1:]:
        mask = pc.and_(mask, condition)
    return mask


def _status_mask(table: "pa.Table", status: str, now: datetime) -> Any:
    """The same rule as `_status`, over a table."""
    import pyarrow.compute as pc  # noqa: PLC0415

    finished = pc.is_valid(table.column("outcome_1x2"))
    kickoff = table.column(_KICKOFF)
    upcoming = pc.fill_null(pc.greater(kickoff, now.timestamp()), True)
    over = pc.fill_null(pc.less_equal(kickoff, (now - LIVE_FOR).timestamp()), False)
    if status == "upcoming":
        return pc.and_(pc.invert(finished), upcoming)
    if status == "finished":
        return pc.or_(finished, pc.and_(pc.invert(upcoming), over))
    return pc.and_(pc.invert(finished), pc.and_(pc.invert(upcoming), pc.invert(over)))


def _region_roi(content: bytes) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(content.decode()))
    return [
        {
            "region": row["region"],
            "bets": int(row["bets"]),
            **{
                name: float(row[name]) if row[name] else None
                for name in ("turnover", "profit", "roi", "roi_ci_low", "roi_ci_high")
            },
        }
        for row in rows
    ]


def _identity(query: Query) -> str:
    """What a cursor belongs to: the filters, not the size of its pages."""
    return json.dumps(
        [query.region, query.league, query.status, str(query.begin), str(query.end), query.min_region_roi,
         query.value_only, query.team]
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page begins: in which release, after how many rows, seen from when, with which filters."""

    version: str
    position: int
    began_at: int
    identity: str


def _encode(cursor: _Cursor) -> str:
    plain = json.dumps([cursor.version, cursor.position, cursor.began_at, cursor.identity])
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _decode(text: str) -> _Cursor:
    try:
        padded = text + "=" * (-len(text) % 4)
        version, position, began_at, identity = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        sound = (
            isinstance(version, str)
            and version.isalnum()
            and isinstance(identity, str)
            and all(type(number) is int and 0 <= number < 2**33 for number in (position, began_at))
        )
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidCursor("the cursor was not issued by this service") from error
    if not sound:
        raise InvalidCursor("the cursor was not issued by this service")
    return _Cursor(version, position, began_at, identity)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
