"""Raw match files, row by row."""

import gzip
import hashlib
import io
import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from batch.matches import combine, parse_file, read_matches
from batch.matches.schema import MATCH_COLUMNS, MatchesReport, Reason
from batch.sample import MATCHES_PATH
from chalicelib.errors import InvalidMatches
from tests.unit.batch.league import START, Row, match


def as_json_lines(rows: list[Row]) -> bytes:
    return "\n".join(json.dumps(row, default=str) for row in rows).encode()


def as_csv(rows: list[Row], **options: Any) -> bytes:
    return str(pd.DataFrame(rows).to_csv(index=False, **options)).encode()


def as_parquet(rows: list[Row]) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer)
    return buffer.getvalue()


def read(*rows: Row) -> MatchesReport:
    return read_matches({"matches.jsonl": as_json_lines(list(rows))})


def reasons(report: MatchesReport) -> list[tuple[int, Reason]]:
    return [(row.row, row.reason) for row in report.rejected]


HEADER = "match_id,kickoff,season,region,league,sex,home_team,away_team,home_goals,away_goals"

GOOD = match(1, "Arsenal", "Chelsea", (2, 1))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", as_parquet([GOOD])),
        ("a.csv", as_csv([GOOD])),
        ("a.jsonl", as_json_lines([GOOD])),
        ("a.csv.gz", gzip.compress(as_csv([GOOD]), mtime=0)),
        ("a.csv", b"\xef\xbb\xbf" + as_csv([GOOD])),
        ("part-0", as_parquet([GOOD])),
        ("part-0", as_json_lines([GOOD])),
    ],
)
def test_parquet_csv_and_json_lines_say_the_same(name: str, content: bytes) -> None:
    accepted = read_matches({name: content}).accepted
    assert accepted.to_dict("records") == [GOOD | {"kickoff_time_known": True}]
    assert accepted.columns.tolist() == list(MATCH_COLUMNS)


def test_columns_may_come_in_any_order_with_others_between() -> None:
    row = dict(reversed(GOOD.items())) | {"referee": "Dean", "attendance": 60000}
    for content, name in [
        (as_csv([row]), "a.csv"),
        (as_parquet([row]), "a.parquet"),
        (as_json_lines([row]), "a.jsonl"),
    ]:
        pd.testing.assert_frame_equal(read_matches({name: content}).accepted, read(GOOD).accepted)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.parquet", b"PAR1 and then nothing"),
        ("a.parquet", as_csv([GOOD])),
        ("a.jsonl", b"not json\nneither"),
        ("a.csv", as_csv([{name: value for name, value in GOOD.items() if name != "season"}])),
        ("a.csv.gz", gzip.compress(as_csv([GOOD]), mtime=0)[:40]),
        ("a.jsonl", b"\xff\xfe{}"),
    ],
)
def test_a_file_that_cannot_be_read_or_lacks_a_column_fails(name: str, content: bytes) -> None:
    with pytest.raises(InvalidMatches, match=name):
        read_matches({name: content})


def test_a_missing_column_is_named() -> None:
    rows = [{name: value for name, value in GOOD.items() if name not in {"sex", "league"}}]
    with pytest.raises(InvalidMatches, match="league, sex"):
        read_matches({"a.parquet": as_parquet(rows)})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"match_id": None}, Reason.INVALID_MATCH_ID),
        ({"match_id": 0}, Reason.INVALID_MATCH_ID),
        ({"match_id": -5}, Reason.INVALID_MATCH_ID),
        ({"match_id": 1.5}, Reason.INVALID_MATCH_ID),
        ({"match_id": "one"}, Reason.INVALID_MATCH_ID),
        ({"match_id": 2**53}, Reason.INVALID_MATCH_ID),
        ({"match_id": True}, Reason.INVALID_MATCH_ID),
        ({"home_team": None}, Reason.MISSING_TEXT),
        ({"season": "  "}, Reason.MISSING_TEXT),
        ({"region": ""}, Reason.MISSING_TEXT),
        ({"away_team": " Arsenal "}, Reason.SAME_TEAM),
        ({"sex": 2}, Reason.INVALID_SEX),
        ({"sex": None}, Reason.INVALID_SEX),
        ({"kickoff": "soon"}, Reason.INVALID_KICKOFF),
        ({"kickoff": "12/08/2023 15:00"}, Reason.INVALID_KICKOFF),
        ({"kickoff": "2023"}, Reason.INVALID_KICKOFF),
        ({"kickoff": "0203-08-12"}, Reason.INVALID_KICKOFF),
        ({"home_goals": -1}, Reason.INVALID_GOALS),
        ({"home_goals": 1.5}, Reason.INVALID_GOALS),
        ({"home_goals": 100}, Reason.INVALID_GOALS),
        ({"home_goals": "two"}, Reason.INVALID_GOALS),
        ({"home_goals": None}, Reason.HALF_RESULT),
        ({"kickoff": None}, Reason.RESULT_WITHOUT_KICKOFF),
    ],
)
def test_a_row_that_breaks_the_schema_is_refused_alone(change: dict[str, Any], reason: Reason) -> None:
    report = read(GOOD | change, match(2, "Leeds", "Everton"))
    assert reasons(report) == [(1, reason)]
    assert report.accepted["match_id"].tolist() == [2]
    assert report.rejected_counts == {reason: 1}


def test_refused_rows_are_named_by_file_row_and_id() -> None:
    report = read_matches(
        {"b.csv": as_csv([match(7, "A", "B"), match(8, "A", "A")]), "a.csv": as_csv([match(9, "C", "C")])}
    )
    assert [(r.file, r.row, r.match_id) for r in report.rejected] == [("a.csv", 1, 9), ("b.csv", 2, 8)]


def test_the_summary_counts_everything() -> None:
    assert read(GOOD, match(2, "A", "A"), match(3, "B", "B")).summary() == {
        "files": 1,
        "rows": 3,
        "accepted": 1,
        "rejected": 2,
        "rejected_by_reason": {"same_team": 2},
    }


def test_a_csv_line_of_the_wrong_width_is_refused_alone() -> None:
    lines = as_csv([GOOD, match(2, "A", "B")]).splitlines()
    report = read_matches({"a.csv": b"\n".join([lines[0], b"1,2,3", lines[1], lines[2]])})
    assert reasons(report) == [(1, Reason.UNREADABLE_ROW)]
    assert report.accepted["match_id"].tolist() == [1, 2]


def test_a_line_that_is_not_an_object_is_refused_alone() -> None:
    report = read_matches({"a.jsonl": b"[1]\n" + as_json_lines([GOOD]) + b"\n\n{oops"})
    assert reasons(report) == [(1, Reason.UNREADABLE_ROW), (3, Reason.UNREADABLE_ROW)]
    assert report.total_rows == 3


def test_lists_where_values_belong_are_refused() -> None:
    report = read(
        match(1, "A", "B", home_team=["A"]), match(2, "A", "B", home_goals={"goals": 1}), GOOD | {"match_id": 3}
    )
    assert reasons(report) == [(1, Reason.UNREADABLE_ROW), (2, Reason.UNREADABLE_ROW)]
    with pytest.raises(InvalidMatches, match="home_team"):
        read_matches({"a.parquet": as_parquet([GOOD | {"home_team": ["A"]}])})


def test_mixed_types_in_a_column_break_only_their_own_rows() -> None:
    rows = [match(1, "A", "B", season=2015), match(2, "C", "D", season=True), match(3, "E", "F", sex="1")]
    rows += [
        match(4, "G", "H", kickoff=1691766000),
        match(5, "I", "J") | {"match_id": {}},
        match(6, "K", "L", home_goals="2"),
    ]
    report = read(*rows)
    assert report.accepted["match_id"].tolist() == [1, 2, 3, 6]
    assert reasons(report) == [(4, Reason.INVALID_KICKOFF), (5, Reason.UNREADABLE_ROW)]


def test_an_unknown_kickoff_stays_unknown() -> None:
    report = read(match(1, "A", "B", None, kickoff=None))
    assert report.accepted["kickoff"].isna().tolist() == [True]


def test_a_bare_date_is_midnight_with_the_time_unknown() -> None:
    accepted = read(
        match(1, "A", "B", kickoff="2023-08-12"), match(2, "A", "C", kickoff="2023-08-19T00:00:00Z")
    ).accepted
    assert accepted["kickoff_time_known"].tolist() == [False, True]
    assert accepted["kickoff"].iloc[0] == pd.Timestamp("2023-08-12", tz="UTC")


def test_a_date_column_of_parquet_is_a_bare_date() -> None:
    row = GOOD | {"kickoff": pd.Timestamp("2023-08-12").date()}
    assert read_matches({"a.parquet": as_parquet([row])}).accepted["kickoff_time_known"].tolist() == [False]


def test_kickoffs_are_brought_to_utc_and_naive_ones_are_utc() -> None:
    accepted = read(
        match(1, "A", "B", kickoff="2023-08-12T17:00:00+02:00"), match(2, "A", "C", kickoff="2023-08-13 15:00")
    ).accepted
    assert [str(k) for k in accepted["kickoff"]] == ["2023-08-12 15:00:00+00:00", "2023-08-13 15:00:00+00:00"]


def test_blanks_around_and_within_names_do_not_make_other_clubs() -> None:
    assert read(match(1, " Manchester  United", "Chelsea\t")).accepted["home_team"].tolist() == ["Manchester United"]


def test_seasons_written_as_numbers_are_texts() -> None:
    rows = [match(1, "A", "B", season=2015), match(2, "A", "C", season=2016)]
    for report in (read(*rows), read_matches({"a.parquet": as_parquet(rows)})):
        assert report.accepted["season"].tolist() == ["2015", "2016"]


def test_accepted_matches_are_sorted_by_kickoff_then_id() -> None:
    rows = [match(3, "A", "B"), match(2, "C", "D", kickoff=match(3, "A", "B")["kickoff"]), match(1, "E", "F")]
    unknown = match(9, "G", "H", None, kickoff=None)
    assert read(unknown, *rows).accepted["match_id"].tolist() == [1, 2, 3, 9]


# what contradicts


def test_a_result_replaces_the_fixture_of_the_same_id() -> None:
    report = read(match(1, "A", "B", None), match(1, "A", "B", (2, 0)))
    assert report.accepted["home_goals"].tolist() == [2]
    assert reasons(report) == [(1, Reason.SUPERSEDED)]


def test_a_fixture_does_not_replace_a_result() -> None:
    report = read(match(1, "A", "B", (2, 0)), match(1, "A", "B", None))
    assert report.accepted["home_goals"].tolist() == [2]


def test_a_re_dated_match_keeps_its_last_kickoff() -> None:
    report = read(match(1, "A", "B", None, kickoff="2023-09-01"), match(1, "A", "B", None, kickoff="2023-10-01"))
    assert report.accepted["kickoff"].tolist() == [pd.Timestamp("2023-10-01", tz="UTC")]


def test_a_file_later_by_name_corrects_an_earlier_one() -> None:
    files = {"2.csv": as_csv([match(1, "A", "B", (3, 3))]), "1.csv": as_csv([match(1, "A", "B", (2, 0))])}
    assert read_matches(files).accepted["home_goals"].tolist() == [3]


def test_an_id_taken_by_another_pairing_is_refused() -> None:
    report = read(match(1, "A", "B"), match(1, "C", "D"))
    assert report.accepted["home_team"].tolist() == ["A"]
    assert reasons(report) == [(2, Reason.MATCH_ID_REUSED)]


def test_one_pairing_listed_twice_for_a_day_counts_once() -> None:
    report = read(match(1, "A", "B", None), match(2, "A", "B", (1, 0), kickoff=match(1, "A", "B")["kickoff"]))
    assert report.accepted["match_id"].tolist() == [2]
    assert reasons(report) == [(1, Reason.DUPLICATE)]


def test_the_same_pairing_of_women_or_of_another_region_is_not_a_duplicate() -> None:
    day = match(1, "A", "B")["kickoff"]
    report = read(GOOD | {"kickoff": day}, GOOD | {"match_id": 2, "sex": 1}, GOOD | {"match_id": 3, "region": "Spain"})
    assert report.rejected == []


def test_a_listing_that_was_played_later_under_another_id_is_refused() -> None:
    report = read(match(1, "A", "B", None), match(8, "A", "B", (0, 0)))
    assert reasons(report) == [(1, Reason.REPLAYED)]


def test_a_second_meeting_still_to_come_is_kept() -> None:
    report = read(match(1, "A", "B", (1, 0)), match(200, "A", "B", None))
    assert report.accepted["match_id"].tolist() == [1, 200]


def test_files_parsed_one_by_one_and_combined_give_the_same() -> None:
    files = {"a.csv": as_csv([GOOD, match(2, "A", "A")]), "b.csv": as_csv([match(3, "C", "D")])}
    parsed_files = [parse_file(name, content) for name, content in files.items()]
    pd.testing.assert_frame_equal(combine(reversed(parsed_files)).accepted, read_matches(files).accepted)
    assert combine(parsed_files).summary() == read_matches(files).summary()


def test_no_files_give_no_matches() -> None:
    report = read_matches({})
    assert len(report.accepted) == 0
    assert report.accepted.columns.tolist() == list(MATCH_COLUMNS)


def test_a_file_of_refused_rows_alone_gives_no_matches() -> None:
    assert len(read(match(1, "A", "A")).accepted) == 0


def test_the_sample_is_accepted_but_for_four_fixtures_that_were_never_played() -> None:
    report = read_matches({"matches.parquet": MATCHES_PATH.read_bytes()})
    assert len(report.accepted) == 7264
    assert report.rejected_counts == {Reason.REPLAYED: 1, Reason.CLUB_BUSY: 3}


def test_an_open_quote_costs_its_own_line_only() -> None:
    rows = [match(number, f"Home {number}", f"Away {number}") for number in range(1, 761)]
    lines = as_csv(rows).splitlines()
    lines[8] = lines[8].replace(b"Home 8", b'"Home 8')
    report = read_matches({"a.csv": b"\n".join(lines)})
    assert report.accepted["match_id"].tolist() == [n for n in range(1, 761) if n != 8]
    assert [(row.row, row.match_id, row.reason) for row in report.rejected] == [(8, None, Reason.UNREADABLE_ROW)]
    assert report.summary()["rows"] == 760


def test_rows_keep_their_numbers_behind_open_quotes_and_lines_of_the_wrong_width() -> None:
    header, *lines = as_csv([match(number, f"Home {number}", f"Away {number}") for number in (1, 2, 3)]).splitlines()
    broken = [lines[0], b'"open,1,2', b"1,2,3", lines[1], lines[2].replace(b"Away 3", b"Home 3")]
    report = read_matches({"a.csv": b"\n".join([header, *broken])})
    assert report.accepted["match_id"].tolist() == [1, 2]
    assert [(row.row, str(row.reason)) for row in report.rejected] == [
        (2, "unreadable_row"),
        (3, "unreadable_row"),
        (5, "same_team"),
    ]


def test_quotes_that_are_closed_are_not_a_fault() -> None:
    lines = as_csv([match(1, '"A, B"', '"C ""D"" E"')]).splitlines()
    lines[1] = lines[1].replace(b'"""A, B"""', b'"A, B"').replace(b'"""C """"D"""" E"""', b'"C ""D"" E"')
    report = read_matches({"a.csv": b"\n".join(lines)})
    assert report.accepted[["home_team", "away_team"]].to_numpy().tolist() == [["A, B", 'C "D" E']]


def test_a_number_column_with_a_cell_that_is_not_text_is_not_a_file_of_matches() -> None:
    lines = as_csv([match(1, "A", "B"), match(2, "C", "D")])
    with pytest.raises(InvalidMatches, match="cannot be read"):
        read_matches({"a.csv": lines.rstrip() + b"\x89\x9f\n"})


def test_a_header_with_an_open_quote_is_not_a_file_of_matches() -> None:
    with pytest.raises(InvalidMatches, match="the header leaves a quote open"):
        read_matches({"a.csv": b'"match_id,kickoff\n1,2\n'})


def test_parquet_decimals_with_pandas_metadata_are_read() -> None:
    frame = pd.DataFrame([match(1, "A", "B", (2, 1)), match(2, "C", "D", (0, 0))]).set_index("match_id", drop=False)
    frame["home_goals"] = pd.Series([Decimal("2.00"), Decimal("0.00")], index=frame.index)
    frame["match_id"] = pd.Series([Decimal(1), Decimal(2)], index=frame.index)
    content = io.BytesIO()
    frame.rename_axis("match_id_index").to_parquet(content)
    report = read_matches({"a.parquet": content.getvalue()})
    assert report.accepted["match_id"].tolist() == [1, 2]
    assert report.accepted["home_goals"].tolist() == [2, 0]


def test_a_club_that_plays_three_times_at_one_instant_keeps_the_match_with_a_result() -> None:
    at = START + pd.Timedelta(days=1)
    rows = [
        match(1, "Ajax", "PSV", None, kickoff=at),
        match(2, "Ajax", "Utrecht", kickoff=at),
        match(3, "Twente", "Ajax", None, kickoff=at + pd.Timedelta(minutes=89)),
        match(4, "Ajax", "Breda", None, kickoff=at + pd.Timedelta(minutes=90)),
    ]
    report = read(*rows)
    assert report.accepted["match_id"].tolist() == [2, 4]
    assert report.rejected_counts == {Reason.CLUB_BUSY: 2}


def test_a_copy_with_the_sides_swapped_is_refused() -> None:
    report = read(
        match(1, "Ajax", "PSV", (2, 0)), match(2, "PSV", "Ajax", (0, 2), kickoff=START + pd.Timedelta(days=1))
    )
    assert (report.accepted["match_id"].tolist(), report.rejected_counts) == ([1], {Reason.CLUB_BUSY: 1})


def test_clubs_of_one_name_in_other_countries_or_of_women_are_not_busy() -> None:
    at = START + pd.Timedelta(days=1)
    report = read(
        match(1, "Arsenal", "Everton", kickoff=at),
        match(2, "Arsenal", "River", kickoff=at, region="Argentina"),
        match(3, "Arsenal", "Everton", kickoff=at, sex=1),
    )
    assert sorted(report.accepted["match_id"]) == [1, 2, 3]


def test_a_duplicate_across_midnight_is_refused() -> None:
    late = pd.Timestamp("2024-03-02T23:45:00Z")
    report = read(
        match(1, "Ajax", "PSV", None, kickoff=late),
        match(2, "Ajax", "PSV", None, kickoff=late + pd.Timedelta(minutes=30)),
        match(3, "Ajax", "PSV", None, kickoff=late + pd.Timedelta(days=2)),
    )
    assert (report.accepted["match_id"].tolist(), report.rejected_counts) == ([1, 3], {Reason.DUPLICATE: 1})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_may_be_separated_as_spreadsheets_do(delimiter: str) -> None:
    lines = [HEADER, "1,2024-03-02T15:00:00Z,2023/24,England,Premier League,0,Ajax,Feyenoord,2,1"]
    report = read_matches({"a.csv": "\n".join(lines).replace(",", delimiter).encode()})
    assert report.accepted["home_team"].tolist() == ["Ajax"]


def test_an_array_of_json_objects_is_read_like_its_lines() -> None:
    row = {"match_id": 1, "kickoff": "2024-03-02T15:00:00Z", "season": "2023/24", "region": "England"}
    row |= {"league": "Premier League", "sex": 0, "home_team": "Ajax\u2028", "away_team": "Feyenoord"}
    row |= {"home_goals": None, "away_goals": None}
    lines = [json.dumps(row, ensure_ascii=False), json.dumps(row | {"match_id": "x"}), "3"]
    array = read_matches({"a.json": f"[{', '.join(lines)}]".encode()})
    assert (len(array.accepted), array.total_rows) == (1, 3)
    one_a_line = read_matches({"a.json": "\n".join(lines).encode()})
    assert array.accepted.equals(one_a_line.accepted)
    assert array.rejected == one_a_line.rejected


def test_columns_that_are_not_ours_may_appear_twice_or_be_called_row() -> None:
    body = HEADER + ",x,x,row\n1,2024-03-02T15:00:00Z,2023/24,England,Premier League,0,Ajax,Feyenoord,2,1,a,b,c\n"
    report = read_matches({"a.csv": body.encode()})
    assert len(report.accepted) == 1
    with pytest.raises(InvalidMatches, match="column sex appears twice"):
        read_matches({"a.csv": body.replace(",x,x,", ",sex,x,").encode()})


def test_the_report_names_each_file_with_its_checksum() -> None:
    body = (HEADER + "\nx,2024-03-02T15:00:00Z,2023/24,England,Premier League,0,Ajax,Feyenoord,2,1\n").encode()
    digest = hashlib.sha256(body).hexdigest()
    (file,) = read_matches({"a.csv": body}).inputs
    assert file == {"file": "a.csv", "sha256": digest, "rows": 1, "rejected": 1}
