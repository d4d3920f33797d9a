"""The lists against the same rows found by pandas, and what reading them costs."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from chalicelib.domain import Stage
from chalicelib.errors import CursorExpired, DeadlineExceeded, InvalidCursor, MatchNotFound, PredictionNotFound
from chalicelib.releases import columns, lists
from chalicelib.releases.database import ServingDatabase, WholeFile
from chalicelib.releases.features import match_features
from chalicelib.releases.query import Page, Query, Sort
from chalicelib.releases.selection import Listing, clock_of, select
from tests.unit.releases.world import AS_OF, LEAGUES, MATCHES, world

WHOLE, RANGED = 2**30, 0


def random_query(random: Random) -> Query:
    """Some filters, an order and a page size."""
    region = random.choice([*LEAGUES, "osterreich", "Nowhere"])
    return Query(
        region=random.choice([None, None, region]),
        league=random.choice([None, None, "Bundesliga", "la liga", "Premier League", "Championship"]),
        status=random.choice([None, "upcoming", "live", "finished"]),
        begin=random.choice([None, None, AS_OF + timedelta(hours=random.randint(-9_000, 1_200))]),
        end=random.choice([None, None, AS_OF + timedelta(hours=random.randint(-9_000, 1_200), microseconds=1)]),
        min_region_roi=random.choice([None, None, None, -0.1, 0.0]),
        value_only=random.random() < 0.2,
        team=random.choice([None, None, "klub 0", "KLUB 07", "2. Liga", "nobody"]),
        match_ids=random.choice([None, None, None, tuple(random.sample(range(1, MATCHES + 100), 40))]),
        sort=random.choice(list(Sort)),
        limit=random.choice([1, 7, 100, 1_000]),
    )


def pages(make: Any, query: Query, most: int = 5) -> list[Page]:
    """The first pages of a listing, each made at a later time than the one before."""
    all_pages = [make(query, 0)]
    while all_pages[-1].next_cursor is not None and len(all_pages) < most:
        all_pages.append(make(replace(query, cursor=all_pages[-1].next_cursor), len(all_pages)))
    return all_pages


@pytest.mark.parametrize("whole_bytes", [WHOLE, RANGED], ids=["whole", "by range"])
@pytest.mark.parametrize("seed", range(25))
def test_cards_are_the_rows_that_pandas_finds_in_its_order(seed: int, whole_bytes: int) -> None:
    random = Random(seed)  # noqa: S311 - a repeatable choice
    query, stage = random_query(random), random.choice(list(Stage))
    now = AS_OF + timedelta(minutes=random.randint(-3_000, 3_000), microseconds=random.randint(0, 999_999))
    releases = world().store(whole_bytes=whole_bytes)
    all_pages = pages(
        lambda page_query, n: lists.cards(page_query, stage, releases, now + n * timedelta(hours=9)), query
    )
    expected = world().cards(query, stage, now)
    cards = [row for page in all_pages for row in page.rows]
    first = expected.iloc[: len(cards)]
    assert [row["match_id"] for row in cards] == first["match_id"].tolist()
    assert (all_pages[-1].next_cursor is None) == (len(cards) == len(expected))
    assert [row["status"] for row in cards] == first["status"].tolist()
    assert [row["proba_home"] for row in cards] == first["proba_home"].tolist()
    assert [row["value_bet"] is not None for row in cards] == first["value"].tolist()
    edges = [max((e for e in edge if e is not None), default=None) for edge in map(edges_of, cards)]
    assert edges == [None if best != best else best for best in first["best"]]  # noqa: PLR0124 - NaN


def edges_of(row: dict[str, Any]) -> list[float | None]:
    return [row[f"edge_{label}"] for label in ("home", "draw", "away")]


@pytest.mark.parametrize("seed", range(15))
def test_odds_are_the_priced_matches_in_order_of_match_id(seed: int) -> None:
    random = Random(1_000 + seed)  # noqa: S311
    query = random_query(random)
    query = replace(query, value_only=False, sort=Sort.KICKOFF)
    releases = world().store()
    all_pages = pages(lambda page_query, _: lists.odds_rows(page_query, releases, AS_OF), query)
    rows = world().cards(query, Stage.CHAMPION, AS_OF)
    expected = rows.loc[rows["provider"].notna(), "match_id"].sort_values().tolist()
    match_ids = [row["match_id"] for page in all_pages for row in page.rows]
    assert match_ids == expected[: len(match_ids)]
    assert (all_pages[-1].next_cursor is None) == (len(match_ids) == len(expected))


@pytest.mark.parametrize("whole_bytes", [WHOLE, RANGED], ids=["whole", "by range"])
def test_a_matchs_row_and_features_are_those_of_the_files(whole_bytes: int) -> None:
    releases = world().store(whole_bytes=whole_bytes)
    for stage, frame in world().predictions.items():
        for _, expected in frame.iloc[:: MATCHES // 7].iterrows():
            row = lists.prediction(expected["match_id"], stage, releases)
            assert (row["proba_away"], row["model_run_id"]) == (expected["proba_away"], f"run of the {stage}")
            assert row["match_date"] == (
                None if expected.isna()["match_date"] else f"{expected['match_date']:%Y-%m-%dT%H:%M:%SZ}"
            )
    for _, expected in world().features.iloc[:: MATCHES // 7].iterrows():
        values = match_features(int(expected["match_id"]), releases).values
        missing = expected.isna()["home_rest_days"]
        rest_days = None if missing else expected["home_rest_days"]
        assert values == {"diff_elo": expected["diff_elo"], "home_rest_days": rest_days, "sex": 0}
        assert type(values["sex"]) is int
    with pytest.raises(PredictionNotFound):
        lists.prediction(10**9, Stage.CHAMPION, releases)
    with pytest.raises(MatchNotFound):
        match_features(10**9, releases)


QUERIES = {
    "all": Query(),
    "latest first": Query(sort=Sort.LATEST),
    "upcoming": Query(status="upcoming"),
    "finished": Query(status="finished"),
    "from": Query(begin=AS_OF),
    "one league": Query(region="Spain", league="La Liga", limit=500),
    "one region": Query(region="England", limit=5),
    "one club": Query(team="klub 07 la liga", limit=500),
    "one club of a league": Query(region="Spain", team="klub 07", limit=500),
    "value bets": Query(value_only=True),
    "value bets of a league": Query(league="La Liga", value_only=True, limit=5),
    "some matches": Query(match_ids=(1, 2, 3)),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_list_reads_ranges_and_sorts_nothing(name: str) -> None:
    release = world().store().current()
    query = QUERIES[name]
    selection = select(release, query, clock_of(release.database, AS_OF))
    listing = Listing(release, columns.card_columns(Stage.CHAMPION), Stage.CHAMPION, with_odds=True)
    statements = list(listing.statements(selection, query.limit + 1))
    assert statements
    for statement, parameters in statements:
        plan = [row[-1] for row in release.database.rows(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        assert plan[0].startswith("SEARCH"), plan
        assert not [step for step in plan if step.startswith(("SCAN m", "SCAN o", "SCAN a", "USE TEMP"))], plan


@pytest.mark.parametrize("name", ["one league", "one club", "one club of a league"])
def test_what_is_stored_together_is_read_without_a_scan(name: str) -> None:
    release = world().store().current()
    query = QUERIES[name]
    selection = select(release, query, clock_of(release.database, AS_OF))
    listing = Listing(release, columns.MATCH, Stage.CHAMPION)
    for statement, _ in listing.statements(selection, query.limit + 1):
        assert "matches_by_league" in statement


def test_a_cursor_belongs_to_its_list_stage_filters_and_order() -> None:
    releases = world().store()
    cursor = lists.cards(Query(limit=2), Stage.CHAMPION, releases, AS_OF).next_cursor
    with pytest.raises(InvalidCursor):
        lists.cards(Query(limit=2, cursor=cursor), Stage.CHALLENGER, releases, AS_OF)
    with pytest.raises(InvalidCursor):
        lists.predictions(Query(limit=2, cursor=cursor), Stage.CHAMPION, releases, AS_OF)
    with pytest.raises(InvalidCursor):
        lists.cards(Query(limit=2, cursor=cursor, sort=Sort.LATEST), Stage.CHAMPION, releases, AS_OF)
    assert lists.cards(Query(limit=9, cursor=cursor), Stage.CHAMPION, releases, AS_OF).rows


def test_a_cursor_of_the_first_version_has_expired() -> None:
    old = "WyIwMTIzNDU2Nzg5YWJjZGVmIiwgMTAwLCAxNzA5MzAxNjAwLCAiW10iXQ"  # ["0123456789abcdef", 100, 1709301600, "[]"]
    with pytest.raises(CursorExpired):
        lists.cards(Query(cursor=old), Stage.CHAMPION, world().store(), AS_OF)


def test_a_page_deep_in_a_list_costs_as_many_reads_as_the_first() -> None:
    def reads(query: Query, now: datetime = AS_OF) -> int:
        releases = world().store(whole_bytes=RANGED)
        lists.cards(query, Stage.CHAMPION, releases, now)
        return releases.range_reads

    releases = world().store()
    deep = Query(limit=50)
    for _ in range(40):
        deep = Query(limit=50, cursor=lists.cards(deep, Stage.CHAMPION, releases, AS_OF).next_cursor)
    # The rows of the first page lie in the first read of each file; later ones in two reads of their own.
    assert reads(deep) <= reads(Query(limit=50)) + 2


def test_a_statement_that_takes_too_long_is_stopped() -> None:
    releases = world().store()
    content = releases.content(releases.entry(releases.pointer(), "serving"))
    moments = iter(range(0, 10**9, 11))
    database = ServingDatabase(WholeFile(lambda: content), clock=lambda: next(moments))
    with pytest.raises(DeadlineExceeded):
        list(database.rows("SELECT count(*) FROM matches a, matches b"))


def test_a_file_refuses_writes() -> None:
    database = world().store().current().database
    with pytest.raises(Exception, match="readonly"):
        list(database.rows("DELETE FROM matches"))
