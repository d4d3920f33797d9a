"""From a query to SQL: the rows of a listing, read in order and without reading others.

Every filter on time becomes a range of positions, every filter on region, league, ROI or team a set of competitions
or clubs. These decide how rows are read:

- a range of `matches` in order of kickoff, without filters or with common values;
- a range of `matches_by_league` for each competition, or of `appearances` for each club, merged by position;
- the odds, for value bets only or in order of edge.
"""

import heapq
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from chalicelib.domain import Stage
from chalicelib.releases.columns import Columns
from chalicelib.releases.database import Row, ServingDatabase
from chalicelib.releases.query import Query
from chalicelib.releases.schema import PAGE_BYTES, POSITION_BITS, POSITION_OF, place
from chalicelib.releases.store import Release
from chalicelib.text import plain

LIVE_FOR: Final = timedelta(hours=3)
"""How long after kickoff a match without a result counts as being played."""

MAX_STREAMS: Final = 64
"""Up to this many groups are read one by one and merged; more are filtered from a scan."""

ROWS_PER_DATABASE_PAGE: Final = PAGE_BYTES // 200
"""Approximate number of matches on a page of the database."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A listing's time as positions: matches before them have kicked off, or are over whatever their result.

    Args:
        started: Number of matches whose kickoff has passed.
        over: Number of matches whose kickoff is `LIVE_FOR` or longer ago.
        changed_at: When the last of them kicked off or was over, in seconds since the epoch; 0 where none has.
    """

    started: int
    over: int
    changed_at: int = 0

    @property
    def state(self) -> str:
        """The parts of a list that change with time."""
        return f"-{self.started:x}-{self.over:x}"


def clock_of(database: ServingDatabase, now: datetime) -> Clock:
    """The clock at a time."""
    started, last_kickoff = _kicked_off(database, math.floor(now.timestamp()))
    over, last_over = _kicked_off(database, math.floor((now - LIVE_FOR).timestamp()))
    ended_at = last_over + int(LIVE_FOR.total_seconds()) if over else 0
    return Clock(started, over, max(last_kickoff, ended_at))


def _kicked_off(database: ServingDatabase, seconds: int) -> tuple[int, int]:
    """How many matches have kicked off at a time (also the position of the next), and when the last of them did."""
    statement = (
        "SELECT position, kickoff FROM matches INDEXED BY matches_kickoff WHERE kickoff <= :seconds "
        "ORDER BY kickoff DESC, position DESC LIMIT 1"
    )
    rows = database.rows(statement, {"seconds": seconds})
    return next(((position + 1, kickoff) for position, kickoff in rows), (0, 0))


@dataclass(frozen=True, slots=True)
class Group:
    """A competition or a club that passes a filter.

    Args:
        id: Its row.
        matches: How many matches it has.
    """

    id: int
    matches: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that pass a query's filters.

    Args:
        first: First position.
        end: Position after the last.
        only_open: Only matches without a result.
        over: Of the matches from this position on, only those with a result; None: all.
        competitions: Only of these; None: all.
        clubs: Only with one of these; None: all.
        match_ids: Only these; None: all.
        value_bet: Only with a value bet.
        total: Matches in the release.
    """

    first: int
    end: int
    only_open: bool = False
    over: int | None = None
    competitions: tuple[Group, ...] | None = None
    clubs: tuple[Group, ...] | None = None
    match_ids: tuple[int, ...] | None = None
    value_bet: bool = False
    total: int = 0


def select(release: Release, query: Query, clock: Clock) -> Selection:
    """The selection of a query's filters at a time."""
    database, properties = release.database, release.database.properties
    first, end = 0, int(properties["matches"])
    if query.begin is not None:
        first, _ = _kicked_off(database, math.ceil(query.begin.timestamp()) - 1)
        end = int(properties["with_kickoff"])
    if query.end is not None:
        end = min(end, _kicked_off(database, math.ceil(query.end.timestamp()) - 1)[0])
    selection = Selection(
        first,
        end,
        competitions=_competitions(release, query),
        clubs=_clubs(database, query.team),
        match_ids=query.match_ids,
        value_bet=query.value_only,
        total=int(properties["matches"]),
    )
    if query.status == "upcoming":
        first = max(first, clock.started, properties["first_open"])
        return replace(selection, first=first, only_open=True)
    if query.status == "live":
        first = max(first, clock.over, properties["first_open"])
        return replace(selection, first=first, end=min(end, clock.started), only_open=True)
    if query.status == "finished":
        end = min(end, max(clock.over, properties["behind_last_result"]))
        return replace(selection, end=end, over=clock.over)
    return selection


def _competitions(release: Release, query: Query) -> tuple[Group, ...] | None:
    conditions = {
        "region_key = :region": query.region,
        "league_key = :league": query.league,
        f"region IN (SELECT region FROM {release.odds}.region_roi WHERE roi >= :roi)": query.min_region_roi,
    }
    active_conditions = [condition for condition, value in conditions.items() if value is not None]
    if not active_conditions:
        return None
    statement = f"SELECT id, matches FROM competitions WHERE {' AND '.join(active_conditions)} ORDER BY id"
    parameters = {
        "region": None if query.region is None else plain(query.region),
        "league": None if query.league is None else plain(query.league),
        "roi": query.min_region_roi,
    }
    return tuple(Group(*row) for row in release.database.rows(statement, parameters))


def _clubs(database: ServingDatabase, team: str | None) -> tuple[Group, ...] | None:
    if not team:
        return None
    spelling = plain(team)
    if not spelling:
        return ()
    statement = "SELECT id, matches FROM clubs WHERE instr(spellings, :spelling) ORDER BY id"
    return tuple(Group(*row) for row in database.rows(statement, {"spelling": spelling}))


@dataclass(frozen=True, slots=True)
class Listing:
    """How the rows of a selection are read.

    Args:
        release: The release.
        columns: Columns of each row.
        stage: Whose predictions and edges.
        with_odds: Whether the columns need the odds and the region's returns.
    """

    release: Release
    columns: Columns
    stage: Stage
    with_odds: bool = False

    def by_kickoff(
        self, selection: Selection, count: int, *, latest_first: bool = False, without_edge: bool = False
    ) -> list[Row]:
        """The first rows in order of kickoff: position, the columns, kickoff.

        Args:
            selection: Which rows.
            count: Maximum number.
            latest_first: Descending order.
            without_edge: Only matches without an edge.
        """
        if selection.first >= selection.end:
            return []
        statements = self.statements(selection, count, latest_first=latest_first, without_edge=without_edge)
        streams = [self.release.database.rows(statement, parameters) for statement, parameters in statements]
        merged = heapq.merge(*streams, key=itemgetter(0), reverse=latest_first)
        return list(islice(deduplicated(merged), count))

    def by_edge(self, selection: Selection, count: int, after: tuple[float, int] | None) -> list[Row]:
        """The first rows with an edge, largest first: position, the columns, kickoff, edge.

        Args:
            selection: Which rows.
            count: Maximum number.
            after: Edge and position of the row before.
        """
        edge = f"o.{self.stage}_best_edge"
        conditions = [f"{edge} IS NOT NULL", "m.position >= :first", "m.position < :end"]
        parameters = {"first": selection.first, "end": selection.end, **self._parameters(selection, count)}
        if after is not None:
            conditions += [f"{edge} <= :edge", f"({edge} < :edge OR o.position > :after)"]
            parameters |= {"edge": after[0], "after": after[1]}
        conditions += self._conditions(selection, "m.position", filter_groups=True)
        statement = (
            f"SELECT m.position, {self.columns.sql}, m.kickoff, {edge} "
            f"FROM {self.release.odds}.odds o INDEXED BY odds_{self.stage}_edge "
            f"CROSS JOIN matches m ON m.position = o.position {self._returns()} "
            f"WHERE {' AND '.join(conditions)} ORDER BY {edge} DESC, o.position LIMIT :count"
        )
        return list(self.release.database.rows(statement, parameters))

    def statements(
        self, selection: Selection, count: int, *, latest_first: bool = False, without_edge: bool = False
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The statements whose rows, merged by position, are the selection's first."""
        order = "DESC" if latest_first else "ASC"
        groups, source, key = self._way(selection, count)
        position = "m.position" if source is _SCAN else f"(m.place & {POSITION_OF})"
        conditions = [f"{key} >= :first", f"{key} < :end"]
        conditions += self._conditions(selection, position, filter_groups=source is _SCAN)
        if source is _CLUBS:
            conditions += group_conditions(replace(selection, clubs=None), "a")
        elif source is _LEAGUES:
            conditions += group_conditions(replace(selection, competitions=None), "m")
        if without_edge:
            conditions.append(f"o.{self.stage}_best_edge IS NULL")
        statement = (
            f"SELECT {position}, {self.columns.sql}, m.kickoff "
            f"FROM {self._tables(source, selection, with_odds=self.with_odds or without_edge)} {self._returns()} "
            f"WHERE {' AND '.join(conditions)} ORDER BY {key} {order} LIMIT :count"
        )
        for group in groups:
            bounds = {"first": place(group, selection.first), "end": place(group, selection.end)}
            yield statement, {**self._parameters(selection, count), **bounds}

    def _way(self, selection: Selection, count: int) -> tuple[list[int], str, str]:
        """Groups to read one by one (0: none), their table, and the column that bounds and orders them."""
        if selection.match_ids is not None:
            return [0], _SCAN, "m.position"
        for groups, source, key in (
            (selection.clubs, _CLUBS, "a.place"),
            (selection.competitions, _LEAGUES, "o.place" if selection.value_bet else "m.place"),
        ):
            if groups is not None and not _is_common(groups, selection.total, count):
                return [group.id for group in groups], source, key
        return [0], _SCAN, "o.position" if selection.value_bet else "m.position"

    def _tables(self, source: str, selection: Selection, *, with_odds: bool) -> str:
        odds = self.release.odds
        if source is _SCAN:
            if selection.value_bet:
                value = f"{odds}.odds o INDEXED BY odds_{self.stage}_value"
                return f"{value} CROSS JOIN matches m ON m.position = o.position"
            return "matches m" + (f" LEFT JOIN {odds}.odds o ON o.position = m.position" if with_odds else "")
        start, join = "", "matches_by_league m"
        if source is _CLUBS:
            at = f"a.competition << {POSITION_BITS} | (a.place & {POSITION_OF})"
            if selection.value_bet:
                return (
                    f"appearances a CROSS JOIN {odds}.odds_by_league o ON o.place = {at} "
                    f"CROSS JOIN matches_by_league m ON m.place = o.place"
                )
            start, join = "appearances a CROSS JOIN ", f"matches_by_league m ON m.place = {at}"
        elif selection.value_bet:
            return f"{odds}.odds_by_league o CROSS JOIN matches_by_league m ON m.place = o.place"
        priced = f" LEFT JOIN {odds}.odds_by_league o ON o.place = m.place" if with_odds else ""
        return f"{start}{join}{priced}"

    def _returns(self) -> str:
        return f"LEFT JOIN {self.release.odds}.region_roi r ON r.region = m.region" if self.with_odds else ""

    def _conditions(self, selection: Selection, position: str, *, filter_groups: bool) -> list[str]:
        conditions = []
        if selection.only_open:
            conditions.append("m.outcome_1x2 IS NULL")
        if selection.over is not None:
            conditions.append(f"({position} < :over OR m.outcome_1x2 IS NOT NULL)")
        if selection.value_bet:
            conditions.append(f"o.{self.stage}_value_bet IS NOT NULL")
        if filter_groups:
            conditions += group_conditions(selection, "m")
            if selection.match_ids is not None:
                ids = "SELECT position FROM by_id WHERE match_id IN (SELECT value FROM json_each(:match_ids))"
                conditions.append(f"m.position IN ({ids})")
        return conditions

    def _parameters(self, selection: Selection, count: int) -> dict[str, Any]:
        model_run_id = self.release.database.properties["stages"].get(str(self.stage))
        return {"count": count, "over": selection.over, "model_run_id": model_run_id, **group_parameters(selection)}


_SCAN: Final = "scan"
_LEAGUES: Final = "leagues"
_CLUBS: Final = "clubs"


def group_conditions(selection: Selection, row: str) -> list[str]:
    """Conditions on a row's competition and clubs, for the parameters of `group_parameters`."""
    conditions = []
    if selection.competitions is not None:
        conditions.append(f"{row}.competition IN (SELECT value FROM json_each(:competitions))")
    if selection.clubs is not None:
        clubs = "IN (SELECT value FROM json_each(:clubs))"
        conditions.append(f"({row}.home_club {clubs} OR {row}.away_club {clubs})")
    return conditions


def group_parameters(selection: Selection) -> dict[str, Any]:
    """The selection's sets as JSON, for json_each."""
    return {
        "competitions": _json(group.id for group in selection.competitions or ()),
        "clubs": _json(group.id for group in selection.clubs or ()),
        "match_ids": _json(selection.match_ids or ()),
    }


def _json(numbers: Iterable[int]) -> str:
    return json.dumps(list(numbers), separators=(",", ":"))


def _is_common(groups: tuple[Group, ...], total: int, count: int) -> bool:
    """Whether a scan finds a page of the groups' matches faster than reading group by group."""
    if len(groups) > MAX_STREAMS:
        return True
    matches = sum(group.matches for group in groups)
    return count * total < matches * len(groups) * ROWS_PER_DATABASE_PAGE


def deduplicated(rows: Iterable[Row]) -> Iterator[Row]:
    """Ordered rows without repetitions: a match is in two groups if both its clubs were requested."""
    last = None
    for row in rows:
        if row[0] != last:
            yield row
        last = row[0]
