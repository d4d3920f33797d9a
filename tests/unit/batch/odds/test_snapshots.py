"""Stored snapshots, what was known at a time, and the distrust of halved lines."""

import gzip
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from batch.odds.providers.base import MarketOdds, OddsSnapshot, as_known_at, trust
from batch.odds.providers.snapshot import SnapshotProvider, as_lines, files_to_keep, is_snapshot_key, parse
from chalicelib.errors import ProviderUnavailable

KICKOFF = datetime(2024, 3, 30, 15, 0, tzinfo=UTC)
ROW = MarketOdds(
    provider="fonbet",
    event_id="1",
    region="England",
    league="Premier League",
    home_team="Man United",
    away_team="Wolves",
    kickoff=KICKOFF,
    odds=(2.0, 3.5, 4.0),
    suspended=False,
    collected_at=KICKOFF - timedelta(days=2),
)


def seen(hours_before: float, home: float | None, **changes: object) -> MarketOdds:
    odds = None if home is None else (home, 3.5, 4.0)
    row = replace(ROW, collected_at=KICKOFF - timedelta(hours=hours_before), odds=odds, suspended=odds is None)
    return replace(row, **changes)  # type: ignore[arg-type]


def known(as_of: datetime, *rows: MarketOdds) -> MarketOdds:
    (row,) = as_known_at(rows, as_of)
    return row


HISTORY = (seen(48, 2.0), seen(3, 1.9), seen(0.2, 1.8), seen(-0.5, 1.2, is_live=True, live_score="1:0"))


def test_nothing_seen_after_as_of_is_used() -> None:
    assert known(KICKOFF - timedelta(hours=24), *HISTORY).odds == (2.0, 3.5, 4.0)
    assert as_known_at(HISTORY, KICKOFF - timedelta(hours=49)) == []


def test_before_kickoff_the_odds_are_the_latest_seen() -> None:
    row = known(KICKOFF - timedelta(hours=3), *HISTORY)  # seen exactly at as_of counts
    assert row.odds == (1.9, 3.5, 4.0)
    assert row.collected_at == KICKOFF - timedelta(hours=3)
    assert row.closing is None


def test_after_kickoff_the_price_taken_is_an_hour_old_and_the_last_one_is_closing() -> None:
    row = known(KICKOFF + timedelta(hours=3), *HISTORY)
    assert row.odds == (1.9, 3.5, 4.0)
    assert row.closing == (1.8, 3.5, 4.0)
    assert row.collected_at == KICKOFF - timedelta(hours=3)


def test_odds_in_play_give_the_score_and_never_the_price() -> None:
    row = known(KICKOFF + timedelta(minutes=40), *HISTORY)
    assert row.live_score == "1:0"
    assert row.is_live
    assert row.odds == (1.9, 3.5, 4.0)
    only_live = known(KICKOFF + timedelta(hours=1), HISTORY[-1])
    assert only_live.odds is None


def test_with_one_sighting_the_closing_price_is_unknown_unless_the_source_states_it() -> None:
    assert known(KICKOFF + timedelta(hours=3), seen(48, 2.0)).closing is None
    stated = seen(48, 2.0, closing=(1.85, 3.4, 4.2))
    assert known(KICKOFF + timedelta(hours=3), stated).closing == (1.85, 3.4, 4.2)


def test_a_stated_closing_price_is_withheld_until_kickoff() -> None:
    stated = seen(48, 2.0, closing=(1.85, 3.4, 4.2))
    assert known(KICKOFF - timedelta(seconds=1), stated).closing is None


def test_a_bet_within_the_last_hour_takes_the_first_price_there_was() -> None:
    row = known(KICKOFF + timedelta(hours=3), seen(0.5, 1.9), seen(0.1, 1.7))
    assert row.odds == (1.9, 3.5, 4.0)
    assert row.closing == (1.7, 3.5, 4.0)


def test_a_closed_market_keeps_its_last_open_price_and_says_it_is_closed() -> None:
    row = known(KICKOFF - timedelta(hours=1), seen(48, 2.0), seen(2, None))
    assert row.odds == (2.0, 3.5, 4.0)
    assert row.suspended
    assert row.collected_at == KICKOFF - timedelta(hours=48)


def test_a_re_dated_match_counts_prices_up_to_its_new_kickoff() -> None:
    later = KICKOFF + timedelta(days=10)
    row = known(later + timedelta(hours=3), seen(3, 1.9), seen(-24, 1.7, kickoff=later))
    assert row.odds == (1.7, 3.5, 4.0)


TABLE = pd.DataFrame(
    {
        "closing_home": [1.95, None],
        "provider": ["market_average", "market_average"],
        "region": ["England", "Holland"],
        "league": ["Premier League", "Eredivisie Women"],
        "home_team": ["Man United", "Ajax"],
        "away_team": ["Wolves", "PSV"],
        "kickoff": pd.to_datetime(["2024-03-30T15:00:00Z", "2024-03-30T16:00:00Z"]),
        "odds_home": [2.0, None],
        "odds_draw": [3.5, 3.4],
        "odds_away": [4.0, 2.9],
        "collected_at": pd.to_datetime(["2024-03-29T15:00:00Z", "2024-03-29T15:00:00Z"]),
        "something_else": [1, 2],
    }
)


def as_parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer)
    return buffer.getvalue()


def as_csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def as_jsonl(table: pd.DataFrame) -> bytes:
    return table.to_json(orient="records", lines=True, date_format="iso").encode()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("odds.parquet", as_parquet(TABLE)),
        ("odds.csv", as_csv(TABLE)),
        ("odds.csv.gz", gzip.compress(as_csv(TABLE), mtime=0)),
        ("odds.jsonl", as_jsonl(TABLE)),
        ("odds.jsonl.gz", gzip.compress(as_jsonl(TABLE), mtime=0)),
    ],
)
def test_every_format_gives_the_same_rows(name: str, body: bytes) -> None:
    (united, ajax), skipped = parse(body, name)
    assert skipped == {}
    assert united.odds == (2.0, 3.5, 4.0)
    assert united.closing is None  # one of its three columns alone is no closing price
    assert united.kickoff == KICKOFF
    assert united.provider == "market_average"
    assert (united.sex, ajax.sex) == (None, 1)
    assert ajax.region == "Netherlands"
    assert ajax.suspended
    assert ajax.odds is None
    assert united.event_id == parse(body, name)[0][0].event_id != ajax.event_id


def test_columns_may_come_in_any_order() -> None:
    turned = TABLE[sorted(TABLE.columns, reverse=True)]
    assert parse(as_csv(turned), "x.csv")[0] == parse(as_csv(TABLE), "x.csv")[0]


def test_rows_without_teams_or_time_are_counted_and_left_out() -> None:
    table = TABLE.astype({"collected_at": str})
    table.loc[0, "away_team"] = None
    table.loc[1, "collected_at"] = "yesterday"
    assert parse(as_csv(table), "x.csv") == ([], {"no two teams": 1, "no time of collection": 1})


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x.csv", as_csv(TABLE.drop(columns="odds_draw"))),
        ("x.parquet", b"PAR1 but no"),
        ("x.csv.gz", b"not gzip"),
        ("x.jsonl", b"{"),
        ("x.csv", b""),
    ],
)
def test_a_file_that_is_not_a_table_of_odds_is_unavailable(name: str, body: bytes) -> None:
    with pytest.raises(ProviderUnavailable, match=r"x\."):
        parse(body, name)


def provider(files: dict[str, bytes]) -> SnapshotProvider:
    return SnapshotProvider(keys=lambda: files, read=files.__getitem__)


def test_the_provider_answers_for_its_as_of() -> None:
    snapshot = provider({"raw/odds/sample.csv": as_csv(TABLE)}).fetch(datetime(2024, 3, 29, 15, tzinfo=UTC))
    assert [row.home_team for row in snapshot.markets] == ["Man United", "Ajax"]
    assert provider({"raw/odds/a.csv": as_csv(TABLE)}).fetch(datetime(2024, 3, 29, 14, tzinfo=UTC)).markets == ()


def test_one_bad_file_leaves_a_note_and_the_others_stand() -> None:
    files = {
        "raw/odds/a.csv": as_csv(TABLE),
        "raw/odds/b.csv": b"",
        "raw/odds/readme.txt": b"",
        "raw/odds/c.raw.gz": b"",
    }
    snapshot = provider(files).fetch(KICKOFF)
    assert len(snapshot.markets) == 2
    assert len(snapshot.notes) == 1
    assert "b.csv" in snapshot.notes[0]


def test_without_any_readable_file_the_provider_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailable, match="no odds snapshot"):
        provider({}).fetch(KICKOFF)
    with pytest.raises(ProviderUnavailable, match=r"a\.csv"):
        provider({"raw/odds/a.csv": b""}).fetch(KICKOFF)


def test_a_live_snapshot_is_kept_as_a_table_that_reads_back_and_as_the_raw_answer() -> None:
    rows = (seen(5, 2.0, sex=0, home_team_id="7", url="https://x.example/1"), seen(4, None, event_id="2"))
    snapshot = OddsSnapshot("fonbet", KICKOFF, rows, raw={"line.json": b"{}"})
    files = files_to_keep(snapshot)
    assert list(files) == [
        "raw/odds/fonbet/2024-03-30/20240330T150000000000Z.jsonl.gz",
        "raw/odds/fonbet/2024-03-30/20240330T150000000000Z.line.json.raw.gz",
    ]
    table_key, raw_key = files
    assert tuple(parse(files[table_key], table_key)[0]) == rows
    assert gzip.decompress(files[raw_key]) == b"{}"
    assert is_snapshot_key(table_key)
    assert not is_snapshot_key(raw_key)
    assert as_lines(snapshot) == files[table_key]


def line_of(count: int, at: datetime, *, begun: int = 0) -> OddsSnapshot:
    rows = tuple(
        replace(ROW, event_id=str(n), kickoff=at + (timedelta(hours=-1) if n < begun else timedelta(days=1)))
        for n in range(count)
    )
    return OddsSnapshot("fonbet", at, rows)


EARLIER = KICKOFF - timedelta(minutes=15)


def test_a_snapshot_that_lost_more_than_half_its_matches_is_set_aside_and_says_so() -> None:
    verdict = trust(line_of(49, KICKOFF), line_of(100, EARLIER))
    assert verdict.distrusted
    assert len(verdict.snapshot.markets) == 100
    assert verdict.snapshot.notes == (
        (
            "49 matches to come where 100 were expected at 2024-03-30T15:00:00Z; distrusted, "
            "serving the snapshot of 2024-03-30T14:45:00Z"
        ),
    )


def test_exactly_half_is_believed_and_so_is_the_first() -> None:
    assert not trust(line_of(50, KICKOFF), line_of(100, EARLIER)).distrusted
    assert not trust(line_of(1, KICKOFF), None).distrusted


def test_matches_that_have_begun_are_not_missed() -> None:
    last_good = line_of(100, KICKOFF, begun=90)  # 90 of them began before this snapshot's successor
    assert not trust(line_of(8, KICKOFF), last_good).distrusted


def test_a_handful_of_matches_tells_nothing() -> None:
    assert not trust(line_of(1, KICKOFF), line_of(9, EARLIER)).distrusted


def test_a_small_line_is_believed_once_the_last_good_one_is_old() -> None:
    verdict = trust(line_of(10, KICKOFF), line_of(100, KICKOFF - timedelta(hours=7)))
    assert not verdict.distrusted
    assert len(verdict.snapshot.markets) == 10
    assert "believed" in verdict.snapshot.notes[0]
