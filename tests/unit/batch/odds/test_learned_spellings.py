"""A club plays once at a time: what one settled side says of the other's spelling, and what is kept of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from batch.odds.clubs import AliasTable, ConfirmedClubs, LearnedSpelling, Sighting, Spelling
from batch.odds.matching import MatchingResult, match_odds
from batch.odds.names import club_name
from batch.odds.providers.base import MarketOdds
from benchmarks.matching import clubs, count, season

KICKOFF = datetime(2024, 3, 30, 15, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
NO_ALIASES = AliasTable([])
GAMBA = Spelling("Japan", "gamba")


def ours(*rows: tuple[str, str, timedelta], region: str = "Japan") -> pd.DataFrame:
    """Our matches, numbered from 1, so long after KICKOFF."""
    return pd.DataFrame(
        {
            "match_id": range(1, len(rows) + 1),
            "kickoff": pd.to_datetime([KICKOFF + after for _, _, after in rows], utc=True),
            "region": region,
            "league": "League",
            "sex": 0,
            "home_team": [home for home, _, _ in rows],
            "away_team": [away for _, away, _ in rows],
        }
    )


def theirs(home: str, away: str, after: timedelta = timedelta(0), **changes: object) -> MarketOdds:
    row = MarketOdds(
        provider="book",
        event_id=f"{home}-{away}-{after}",
        region="Japan",
        league="League",
        home_team=home,
        away_team=away,
        kickoff=KICKOFF + after,
        odds=(2.0, 3.5, 4.0),
        suspended=False,
        collected_at=KICKOFF - timedelta(hours=5),
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def methods(result: MatchingResult) -> dict[int, str]:
    return {row.match_id: row.match_method for row in result.matched}


def learned(result: MatchingResult) -> dict[str, str]:
    return {spelling.name: learned_spelling.club for spelling, learned_spelling in result.confirmed.spellings.items()}


NOW = timedelta(0)


def test_one_settled_side_names_the_other_which_is_learned_with_its_evidence() -> None:
    result = match_odds(ours(("Kashima", "Osaka G", NOW)), [theirs("Kashima", "Gamba")], NO_ALIASES)
    assert methods(result) == {1: "opponent"}
    assert result.confirmed.spellings == {
        GAMBA: LearnedSpelling(
            "osaka g",
            (
                Sighting(
                    "book", "Kashima-Gamba-0:00:00", "Kashima", "Gamba", KICKOFF.isoformat(), 1, "Kashima", "Osaka G"
                ),
            ),
        )
    }


def test_what_was_learned_settles_further_matches_until_nothing_is_new() -> None:
    matches = ours(("Kashima", "Osaka G", NOW), ("Osaka G", "Kobe", WEEK), ("Tokyo V", "Kobe", 2 * WEEK))
    markets = [theirs("Verdy", "Vissel", 2 * WEEK), theirs("Gamba", "Vissel", WEEK), theirs("Kashima", "Gamba")]
    result = match_odds(matches, markets, NO_ALIASES)
    assert methods(result) == {1: "opponent", 2: "opponent", 3: "opponent"}
    assert learned(result) == {"gamba": "osaka g", "vissel": "kobe", "verdy": "tokyo v"}


def test_a_stored_spelling_needs_no_opponent() -> None:
    stored = match_odds(ours(("Kashima", "Osaka G", NOW)), [theirs("Kashima", "Gamba")], NO_ALIASES).confirmed
    confirmed = ConfirmedClubs.from_json(stored.to_json())
    assert confirmed == stored
    later = match_odds(
        ours(("Osaka G", "Kobe", NOW)), [theirs("Gamba", "Kobe", timedelta(hours=1))], NO_ALIASES, confirmed
    )
    assert methods(later) == {1: "learned"}


def test_our_own_spelling_is_learned_where_the_table_knows_only_theirs() -> None:
    table = AliasTable([("Japan", "Gamba Osaka", ["Gamba"])])
    result = match_odds(ours(("Kashima", "Osaka G", NOW)), [theirs("Kashima", "Gamba")], table)
    assert learned(result) == {"osaka g": "gamba"}
    second_run = match_odds(ours(("Osaka G", "Kobe", NOW)), [theirs("Gamba Osaka", "Kobe")], table, result.confirmed)
    assert methods(second_run) == {1: "learned"}


@pytest.mark.parametrize(
    ("market", "why"),
    [
        (theirs("Kashima", "Gamba", timedelta(minutes=16)), "farther than 15 minutes"),
        (theirs("Kashima", "Gamba", region=None), "the country is not said"),
        (theirs("Kashima", "Gamba", region="China"), "another country"),
        (theirs("Kashima", "Gamba U19"), "a youth team"),
        (theirs("Kashima", "Gamba", sex=1), "women"),
        (theirs("Kashima", "Kobe"), "a name that another club of ours has"),
        (theirs("Gamba", "Kashima"), "sides exchanged"),
        (theirs("Antlers", "Gamba"), "neither side settled"),
    ],
)
def test_the_opponent_proves_nothing_where(market: MarketOdds, why: str) -> None:
    matches = ours(("Kashima", "Osaka G", NOW), ("Kobe", "Sapporo", WEEK))
    result = match_odds(matches, [market], NO_ALIASES)
    assert (result.matched, dict(result.confirmed.spellings)) == ((), {}), why


def test_a_match_known_by_its_day_alone_teaches_nothing() -> None:
    day = ours(("Kashima", "Osaka G", NOW)).assign(kickoff_time_known=False)
    result = match_odds(day, [theirs("Kashima", "Gamba")], NO_ALIASES)
    assert (result.matched, dict(result.confirmed.spellings)) == ((), {})


def test_two_candidates_are_left_alone() -> None:
    matches = ours(("Kashima", "Osaka G", NOW), ("Kashima", "Osaka C", timedelta(minutes=5)))  # one of them is wrong
    result = match_odds(matches, [theirs("Kashima", "Gamba")], NO_ALIASES)
    assert (result.matched, dict(result.confirmed.spellings)) == ((), {})
    two_rows = [theirs("Kashima", "Gamba"), theirs("Kashima", "Cerezo")]
    assert match_odds(matches.iloc[:1], two_rows, NO_ALIASES).matched == ()


def test_a_settled_row_goes_before_one_that_only_its_opponent_settles() -> None:
    markets = [theirs("Kashima", "Gamba"), theirs("Kashima", "Osaka G")]
    result = match_odds(ours(("Kashima", "Osaka G", NOW)), markets, NO_ALIASES)
    assert [row.market.away_team for row in result.matched] == ["Osaka G"]


def test_a_spelling_that_would_stand_for_two_clubs_stands_for_none() -> None:
    matches = ours(("Kashima", "Osaka G", NOW), ("Kashima", "Osaka C", WEEK))
    result = match_odds(matches, [theirs("Kashima", "Osaka"), theirs("Kashima", "Osaka", WEEK)], NO_ALIASES)
    assert dict(result.confirmed.spellings) == {}
    assert result.confirmed.revoked == {Spelling("Japan", "osaka")}


def test_a_contradicted_spelling_is_revoked_with_all_that_relied_on_it() -> None:
    stored = match_odds(ours(("Kashima", "Osaka G", NOW)), [theirs("Kashima", "Osaka")], NO_ALIASES).confirmed
    # this week the same spelling stands where our list has another club; Verdy is known through it alone
    matches = ours(("Kashima", "Osaka C", NOW), ("Osaka G", "Tokyo V", WEEK))
    markets = [theirs("Kashima", "Osaka"), theirs("Osaka", "Verdy", WEEK)]
    result = match_odds(matches, markets, NO_ALIASES, stored)
    assert result.confirmed.revoked == {Spelling("Japan", "osaka")}
    assert dict(result.confirmed.spellings) == {}
    assert methods(result) == {1: "opponent"}  # by Kashima; the other row rested on the spelling
    # it stays revoked: neither taught again nor trusted
    confirmed = ConfirmedClubs.from_json(result.confirmed.to_json())
    second_run = match_odds(ours(("Kashima", "Osaka G", NOW)), [theirs("Kashima", "Osaka")], NO_ALIASES, confirmed)
    assert dict(second_run.confirmed.spellings) == {}
    assert second_run.confirmed.revoked == confirmed.revoked


def test_a_file_of_the_first_version_has_ids_and_no_spellings() -> None:
    body = b'{"schema_version": 1, "clubs": [], "conflicts": []}'
    assert ConfirmedClubs.from_json(body) == ConfirmedClubs()


def test_the_official_names_are_not_in_the_alias_table() -> None:
    table = AliasTable.shipped()
    in_table = [
        (region, name) for region, names in clubs().items() for _, name in names if table.find(region, club_name(name))
    ]
    assert in_table == [("Turkey", "Adana Demirspor")]


@pytest.mark.parametrize("region", sorted(set(clubs()) - {"Greece"}))
@pytest.mark.parametrize("half", [False, True], ids=["all of ours", "half of ours removed"])
def test_official_names_are_all_found_and_none_wrongly(region: str, half: bool) -> None:  # noqa: FBT001
    counts = count(season(region, clubs()[region]), half=half)
    assert (counts.right, counts.wrong) == (counts.to_find, 0)


@pytest.mark.parametrize("half", [False, True], ids=["all of ours", "half of ours removed"])
def test_where_no_club_is_spelled_alike_nothing_starts_the_learning_and_nothing_is_wrong(half: bool) -> None:  # noqa: FBT001
    counts = count(season("Greece", clubs()["Greece"]), half=half)
    assert counts.wrong == 0
    assert counts.right < 0.05 * counts.to_find
    # one line in the alias table does
    table = AliasTable([("Greece", "Aris", ["Aris Thessaloniki"])])
    with_one_alias = count(season("Greece", clubs()["Greece"]), half=half, aliases=table)
    assert (with_one_alias.right, with_one_alias.wrong) == (with_one_alias.to_find, 0)
