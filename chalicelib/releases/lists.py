"""The lists of a release: predictions, matches, odds, cards and returns, filtered, ordered and paged.

A page is read from the serving file by its own statement; `selection` builds it. Cursors hold the key of the last row,
not a count, so a page deep in a list costs the same as the first.
"""

import csv
import heapq
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from chalicelib.domain import Stage
from chalicelib.errors import InvalidCursor, PredictionNotFound
from chalicelib.releases import columns
from chalicelib.releases.columns import Columns
from chalicelib.releases.database import Row
from chalicelib.releases.pointer import ODDS, PREDICTIONS, PREDICTIONS_CHALLENGER, REGION_ROI, DatasetEntry
from chalicelib.releases.query import Cursor, Page, Query, Sort, decoded_cursor, listing_id
from chalicelib.releases.schema import POSITION_OF, place
from chalicelib.releases.selection import (
    LIVE_FOR,
    MAX_STREAMS,
    Clock,
    Listing,
    Selection,
    clock_of,
    deduplicated,
    group_conditions,
    group_parameters,
    select,
)
from chalicelib.releases.store import Release, ReleaseStore
from chalicelib.text import plain
from chalicelib.timestamps import parse_utc

PREDICTIONS_OF: Final[Mapping[Stage, str]] = {
    Stage.CHAMPION: PREDICTIONS,
    Stage.CHALLENGER: PREDICTIONS_CHALLENGER,
}


def predictions(query: Query, stage: Stage, releases: ReleaseStore, now: datetime) -> Page:
    """Precomputed predictions, display columns only, in order of kickoff."""
    request = _request(f"predictions {stage}", query, releases, now)
    entries = (releases.entry(request.release.pointer, PREDICTIONS_OF[stage]),)
    return _page(request, Listing(request.release, columns.prediction_columns(stage), stage), entries)


def matches(query: Query, releases: ReleaseStore, now: datetime) -> Page:
    """Upcoming matches available for prediction, in order of kickoff."""
    request = _request("matches", replace(query, status="upcoming"), releases, now)
    entries = (releases.entry(request.release.pointer, PREDICTIONS),)
    return _page(request, Listing(request.release, columns.MATCH, Stage.CHAMPION), entries)


def cards(query: Query, stage: Stage, releases: ReleaseStore, now: datetime) -> Page:
    """Predictions merged with odds, edges and value bets."""
    request = _request(f"cards {stage}", query, releases, now)
    datasets = request.release.pointer.datasets
    entries = [releases.entry(request.release.pointer, PREDICTIONS_OF[stage])]
    entries += [datasets[name] for name in (ODDS, REGION_ROI) if name in datasets]
    listing = Listing(request.release, columns.card_columns(stage), stage, with_odds=True)
    return _page(request, listing, tuple(entries), as_cards=True)


def odds_rows(query: Query, releases: ReleaseStore, now: datetime) -> Page:
    """1X2 odds of the matches that have a market, in order of match id; with the filters of their matches."""
    request = _request("odds", query, releases, now)
    entry = releases.entry(request.release.pointer, ODDS)
    selection = select(request.release, query, request.clock)
    after = request.cursor.after[-1] if request.cursor else -1
    # one more row than the page shows whether another page follows
    rows = _odds_by_match_id(request.release, selection, after, query.limit + 1)
    page_rows = [columns.ODDS.row(row[1:]) for row in rows[: query.limit]]
    more = rows[query.limit - 1][0] if len(rows) > query.limit else None
    return request.page(page_rows, None if more is None else [more], (entry,))


def region_roi(query: Query, releases: ReleaseStore) -> Page:
    """Value-bet ROI per region, in order of the file; filtered by region and least ROI."""
    cursor = decoded_cursor("region-roi", query)
    pointer = releases.pointer() if cursor is None else releases.pointer_at(cursor.version)
    entry = releases.entry(pointer, REGION_ROI)
    rows = releases.parsed(entry, _region_roi)
    if query.region is not None:
        rows = [row for row in rows if plain(row["region"]) == plain(query.region)]
    if query.min_region_roi is not None:
        rows = [row for row in rows if row["roi"] is not None and row["roi"] >= query.min_region_roi]
    modified = parse_utc(entry.computed_at)
    start = 0 if cursor is None else int(cursor.after[0] or 0)
    end = start + query.limit
    following = Cursor(pointer.version, [end], int(modified.timestamp()), listing_id("region-roi", query))
    return Page(rows[start:end], following.encode() if end < len(rows) else None, pointer.version, modified)


def prediction(match_id: int, stage: Stage, releases: ReleaseStore) -> dict[str, Any]:
    """A match's row of the precomputed predictions.

    Raises:
        PredictionNotFound: the match has none.
    """
    release = releases.current(with_odds=False)
    releases.entry(release.pointer, PREDICTIONS_OF[stage])
    stage_columns = columns.prediction_columns(stage)
    statement = (
        f"SELECT {stage_columns.sql} FROM by_id CROSS JOIN matches m ON m.position = by_id.position "
        "WHERE by_id.match_id = :match_id"
    )
    model_run_id = release.database.properties["stages"].get(str(stage))
    rows = list(release.database.rows(statement, {"match_id": match_id, "model_run_id": model_run_id}))
    if not rows:
        raise PredictionNotFound(match_id)
    return stage_columns.row(rows[0])


@dataclass(frozen=True, slots=True)
class _Request:
    """A query with what its cursor settles: the release, the time, and the last row of the previous page."""

    name: str
    query: Query
    release: Release
    cursor: Cursor | None
    now: datetime
    clock: Clock

    def page(self, rows: list[dict[str, Any]], last: Any, entries: tuple[DatasetEntry, ...]) -> Page:
        """The page of these rows; `last` is the key of its last row if others follow it."""
        following = None
        if last is not None:
            version, began_at = self.release.pointer.version, int(self.now.timestamp())
            following = Cursor(version, last, began_at, listing_id(self.name, self.query)).encode()
        return Page(
            rows=rows,
            next_cursor=following,
            version=self.release.pointer.version + self.clock.state,
            last_modified=max(
                datetime.fromtimestamp(self.clock.changed_at, UTC), *(parse_utc(entry.computed_at) for entry in entries)
            ),
            now=self.now,
        )


def _request(name: str, query: Query, releases: ReleaseStore, now: datetime) -> _Request:
    cursor = decoded_cursor(name, query)
    release = releases.current() if cursor is None else releases.at(cursor.version)
    # whole seconds, as in kickoffs and cursors: every page of a listing then sees the same time
    moment = now.replace(microsecond=0) if cursor is None else cursor.now
    return _Request(name, query, release, cursor, moment, clock_of(release.database, moment))


def _page(request: _Request, listing: Listing, entries: tuple[DatasetEntry, ...], *, as_cards: bool = False) -> Page:
    query = request.query
    selection = select(request.release, query, request.clock)
    after = request.cursor.after if request.cursor else None
    if query.sort is Sort.EDGE:
        rows, keys = _by_edge(listing, selection, query.limit + 1, after)
    else:
        rows, keys = _by_kickoff(listing, selection, query.limit + 1, after, latest_first=query.sort is Sort.LATEST)
    page_rows = rows[: query.limit]
    page = [_shown(listing.columns, row) for row in page_rows]
    if as_cards:
        for row, card in zip(page_rows, page, strict=True):
            _complete_card(card, row[len(listing.columns.names) + 1], request.now)
    following = keys[query.limit - 1] if len(rows) > query.limit else None
    # the first entry is that of the predictions; the odds may be newer
    return replace(request.page(page, following, entries), predictions_computed_at=parse_utc(entries[0].computed_at))


def _shown(columns: Columns, row: Row) -> dict[str, Any]:
    return columns.row(row[1:])


def _by_kickoff(
    listing: Listing, selection: Selection, count: int, after: list[Any] | None, *, latest_first: bool
) -> tuple[list[Row], list[list[Any]]]:
    if after is not None:
        if len(after) != 1 or type(after[0]) is not int:
            raise InvalidCursor("the cursor was not issued by this service")
        (position,) = after
        selection = (
            replace(selection, end=min(selection.end, position))
            if latest_first
            else replace(selection, first=max(selection.first, position + 1))
        )
    rows = listing.by_kickoff(selection, count, latest_first=latest_first)
    return rows, [[row[0]] for row in rows]


def _by_edge(
    listing: Listing, selection: Selection, count: int, after: list[Any] | None
) -> tuple[list[Row], list[list[Any]]]:
    """Matches with an edge, largest first, then those without in order of kickoff."""
    if after is not None and (len(after) != 2 or type(after[1]) is not int):  # noqa: PLR2004
        raise InvalidCursor("the cursor was not issued by this service")
    rows: list[Row] = []
    keys: list[list[Any]] = []
    if after is None or after[0] is not None:
        rows = listing.by_edge(selection, count, None if after is None else (after[0], after[1]))
        keys = [[row[-1], row[0]] for row in rows]
        after = None
    if len(rows) < count and not selection.value_bet:
        behind = selection if after is None else replace(selection, first=max(selection.first, after[1] + 1))
        without_edge = listing.by_kickoff(behind, count - len(rows), without_edge=True)
        rows += without_edge
        keys += [[None, row[0]] for row in without_edge]
    return rows, keys


def _odds_by_match_id(release: Release, selection: Selection, after: Any, count: int) -> list[Row]:
    """Match id and the columns of the odds behind a match id, in order of match id."""
    ways: list[tuple[str, dict[str, Any]]]
    position, conditions = "o.position", ["o.match_id > :after"]
    if selection.clubs is not None and len(selection.clubs) <= MAX_STREAMS:
        source = f"appearances a CROSS JOIN {release.odds}.odds o ON o.position = (a.place & {POSITION_OF})"
        conditions += ["a.place >= :first_place", "a.place < :end_place"]
        if selection.competitions is not None:
            conditions.append("a.competition IN (SELECT value FROM json_each(:competitions))")
        ways = [
            (source, {"first_place": place(group.id, selection.first), "end_place": place(group.id, selection.end)})
            for group in selection.clubs
        ]
    elif selection.clubs is None and selection.competitions is not None and len(selection.competitions) <= MAX_STREAMS:
        position = f"(o.place & {POSITION_OF})"
        conditions.append("o.competition = :competition")
        source = f"{release.odds}.odds_by_league o INDEXED BY odds_by_league_match"
        ways = [(source, {"competition": group.id}) for group in selection.competitions]
    else:
        conditions += group_conditions(selection, "o")
        ways = [(f"{release.odds}.odds_by_match o", {})]
    conditions += [f"{position} >= :first", f"{position} < :end"]
    if selection.only_open:
        conditions.append("NOT o.finished")
    if selection.over is not None:
        conditions.append(f"({position} < :over OR o.finished)")
    if selection.match_ids is not None:
        conditions.append("o.match_id IN (SELECT value FROM json_each(:match_ids))")
    bounds = {"first": selection.first, "end": selection.end, "over": selection.over}
    parameters = {**group_parameters(selection), **bounds, "after": after, "count": count}
    streams = [
        release.database.rows(
            f"SELECT o.match_id, {columns.ODDS.sql} FROM {source} WHERE {' AND '.join(conditions)} "
            "ORDER BY o.match_id LIMIT :count",
            {**parameters, **group_bounds},
        )
        for source, group_bounds in ways
    ]
    merged = heapq.merge(*streams, key=itemgetter(0))
    return list(islice(deduplicated(merged), count))


def _complete_card(card: dict[str, Any], kickoff: int | None, now: datetime) -> None:
    """The fields `LATE_FIELDS`."""
    outcome, collected_at = card["outcome_1x2"], card["odds_collected_at"]
    card["status"] = _status(kickoff, outcome is not None, now)
    card["is_correct"] = None if outcome is None else outcome == card["predicted_label"]
    card["price_age_seconds"] = None
    if collected_at is not None:
        # after kickoff: the price's age at kickoff
        until = now.timestamp() if kickoff is None else min(now.timestamp(), kickoff)
        card["price_age_seconds"] = max(0, int(until - parse_utc(collected_at).timestamp()))


def _status(kickoff: int | None, finished: bool, now: datetime) -> str:  # noqa: FBT001
    """The rule by which `select` filters."""
    if finished:
        return "finished"
    if kickoff is None or kickoff > now.timestamp():
        return "upcoming"
    # past its end without a result: no longer live, the result is still to come in
    return "live" if now.timestamp() < kickoff + LIVE_FOR.total_seconds() else "finished"


_ROI_NUMBERS: Final = ("turnover", "profit", "roi", "roi_ci_low", "roi_ci_high", "clv", "clv_ci_low", "clv_ci_high")


def _region_roi(content: bytes) -> list[dict[str, Any]]:
    rows = csv.DictReader(io.StringIO(content.decode()))
    return [
        {
            "region": row["region"],
            "bets": int(row["bets"]),
            # files of earlier versions lack the closing-line value's interval
            **{name: float(row[name]) if row.get(name) else None for name in _ROI_NUMBERS},
        }
        for row in rows
    ]
