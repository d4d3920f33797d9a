"""The serving files as they are written."""

import resource
from pathlib import Path

import apsw
import pandas as pd
import pytest

from batch.rows import FrameRows
from batch.serving import write_odds, write_serving
from chalicelib.domain import Stage
from chalicelib.errors import ReleaseTooLarge
from tests.support.builders import make_features, make_history, make_odds, make_predictions


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return list(connection.execute(statement))
    finally:
        connection.close()


def test_the_same_frames_give_the_same_bytes(tmp_path: Path) -> None:
    predictions = {Stage.CHAMPION: make_predictions(50)}
    for name in ("a", "b"):
        stored = {stage: FrameRows(frame) for stage, frame in predictions.items()}
        write_serving(tmp_path / f"{name}.sqlite", FrameRows(make_features(50)), stored)
        history = make_history(7, ("2024-04-30T12:00:00Z", 2.0), ("2024-05-01T12:00:00Z", 2.2))
        write_odds(tmp_path / f"{name}-odds.sqlite", make_odds([1, 7]), predictions, {}, {"Spain": 0.1}, history)
    assert (tmp_path / "a.sqlite").read_bytes() == (tmp_path / "b.sqlite").read_bytes()
    assert (tmp_path / "a-odds.sqlite").read_bytes() == (tmp_path / "b-odds.sqlite").read_bytes()


def test_both_copies_hold_every_match_and_the_file_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "serving.sqlite"
    write_serving(path, FrameRows(make_features(50)), {Stage.CHAMPION: FrameRows(make_predictions(50))})
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    by_league = "SELECT place & 4294967295, match_id, home_team FROM matches_by_league"
    assert sorted(rows(path, by_league)) == rows(path, "SELECT position, match_id, home_team FROM matches")
    assert rows(path, "SELECT region, league, matches FROM competitions") == [
        ("England", "Premier League", 25),
        ("Spain", "La Liga", 25),
    ]
    assert rows(path, "SELECT count(*) FROM appearances") == [(100,)]


def test_a_club_is_known_by_its_other_spellings(tmp_path: Path) -> None:
    path = tmp_path / "serving.sqlite"
    frame = make_predictions(3, home_team="Köln", region="Germany")
    write_serving(path, FrameRows(make_features()), {Stage.CHAMPION: FrameRows(frame)})
    ((spellings,),) = rows(path, "SELECT spellings FROM clubs WHERE name = 'Köln'")
    assert {"koln", "1 fc koln"} <= set(str(spellings).splitlines())


def test_stages_that_list_other_matches_are_refused(tmp_path: Path) -> None:
    predictions = {stage: FrameRows(make_predictions(n)) for n, stage in enumerate(Stage, start=3)}
    with pytest.raises(ValueError, match="challenger list other matches"):
        write_serving(tmp_path / "serving.sqlite", FrameRows(make_features()), predictions)


def test_odds_of_matches_that_the_release_does_not_carry_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "odds.sqlite"
    n_written = write_odds(path, make_odds([2, 99]), {Stage.CHAMPION: make_predictions(3)}, {}, {})
    assert (n_written, rows(path, "SELECT match_id FROM odds")) == (1, [(2,)])


def test_prices_hold_what_the_odds_do_not_say_and_the_closing_price_last(tmp_path: Path) -> None:
    path = tmp_path / "odds.sqlite"
    last_closed = pd.Series([float("nan"), float("nan"), 1.9])
    odds = make_odds([1, 2, 3]).assign(closing_home=last_closed, closing_draw=3.5, closing_away=4.5)
    history = pd.concat(
        [
            make_history(1, ("2024-05-01T12:00:00Z", 2.2)),  # as its odds
            make_history(2, ("2024-04-30T12:00:00Z", 2.2)),  # known for longer
            make_history(3, ("2024-04-29T12:00:00Z", 2.0), ("2024-04-30T12:00:00Z", 2.1)),
            make_history(99, ("2024-04-29T12:00:00Z", 2.0), ("2024-04-30T12:00:00Z", 2.1)),
        ]
    )
    write_odds(path, odds, {Stage.CHAMPION: make_predictions(3)}, {}, {}, history)
    day = "SELECT match_id, number, strftime('%d', seen_at, 'unixepoch'), odds_home, is_closing FROM prices"
    assert rows(path, day) == [
        (2, 0, "30", 2.2, 0),
        (3, 0, "29", 2.0, 0),
        (3, 1, "30", 2.1, 0),
        (3, 2, None, 1.9, 1),
    ]


def test_a_disk_without_room_is_an_error_by_name(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    predictions = {Stage.CHAMPION: FrameRows(make_predictions(5_000))}
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(ReleaseTooLarge):
            write_serving(tmp_path / "serving.sqlite", FrameRows(make_features()), predictions)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
