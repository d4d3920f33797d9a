"""What can be computed apart: groups of leagues that share no club."""

import pandas as pd

from batch import synthetic
from batch.bulk import groups, items, merged_projections

COLUMNS = ["region", "sex", "league", "home_team", "away_team"]


def matches(*rows: tuple[str, int, str, str, str]) -> pd.DataFrame:
    """Accepted matches, of which only clubs and leagues matter."""
    frame = synthetic.matches(len(rows)).assign(kickoff_time_known=True)
    return frame.assign(**{name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)})


def test_leagues_that_share_a_club_are_one_group() -> None:
    frame = matches(
        ("England", 0, "First", "Reds", "Blues"),
        ("England", 0, "Second", "Greens", "Whites"),
        # the same names elsewhere, and the women's team of a club, are other clubs
        ("Spain", 0, "First", "Reds", "Blues"),
        ("England", 1, "First", "Reds", "Blues"),
        ("England", 0, "Cup", "Whites", "Reds"),
    )
    assert groups(frame).tolist() == [0, 0, 1, 2, 0]


def test_a_chain_of_leagues_is_one_group_however_long() -> None:
    chain = [("England", 0, f"League {i}", f"Club {i}", f"Club {i + 1}") for i in range(50)]
    assert set(groups(matches(*chain[::-1])).tolist()) == {0}


def test_small_groups_share_an_item_and_no_group_is_divided() -> None:
    rows = [("R", 0, f"League {league}", f"A{league}", f"B{league}") for league in (0, 1, 2, 3, 3, 3, 4) for _ in (0,)]
    pieces, position = items(matches(*rows), smallest=3)
    assert position.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert [(piece.name, piece.matches) for piece in pieces] == [("00000", 3), ("00001", 3), ("00002", 1)]
    assert str(pieces[1]) == "00001 (R / League 3, 3 matches)"


def test_an_item_of_many_leagues_names_some() -> None:
    pieces, _ = items(matches(*[("R", 0, f"L{i}", f"A{i}", f"B{i}") for i in range(5)]), smallest=10)
    assert pieces[0].leagues == ("R / L0", "R / L1", "R / L2", "2 more")


def test_without_matches_there_is_one_item_without_any() -> None:
    pieces, position = items(matches())
    assert ([piece.matches for piece in pieces], position.tolist()) == ([0], [])


def test_projected_tables_come_in_the_order_of_one_run() -> None:
    def row(region: str, season: str, team: str) -> dict[str, object]:
        return {"region": region, "league": "L", "sex": 0, "season": season, "team": team}

    spain = [row("Spain", "2023", "z"), row("Spain", "2023", "a"), row("Spain", "2024", "a")]
    england = [row("England", "2023", "b")]
    assert merged_projections([spain, england]) == [*england, *spain]
