"""Matching bookmakers' rows to our matches: a hard set made by hand, and the sample's two spellings."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from batch.odds.clubs import AliasTable, Club, ClubId, ConfirmedClubs
from batch.odds.matching import MatchingResult, match_odds
from batch.odds.names import TeamFlags, club_name, flags_of
from batch.odds.providers.base import MarketOdds
from batch.odds.providers.snapshot import parse

SAMPLE = Path(__file__).parents[4] / "batch" / "sample"
KICKOFF = datetime(2024, 3, 30, 15, 0, tzinfo=UTC)


def ours(*rows: tuple[str, str], region: str = "England", league: str = "League", sex: int = 0) -> pd.DataFrame:
    """Our matches, numbered from 1, all at KICKOFF."""
    return pd.DataFrame(
        {
            "match_id": range(1, len(rows) + 1),
            "kickoff": pd.to_datetime([KICKOFF] * len(rows), utc=True),
            "region": region,
            "league": league,
            "sex": sex,
            "home_team": [home for home, _ in rows],
            "away_team": [away for _, away in rows],
        }
    )


def at(matches: pd.DataFrame, kickoff: datetime | str | None) -> pd.DataFrame:
    return matches.assign(
        kickoff=pd.to_datetime(pd.Series([kickoff] * len(matches), index=matches.index, dtype=object), utc=True)
    )


def theirs(home: str, away: str, *, minutes: float = 0, **changes: object) -> MarketOdds:
    row = MarketOdds(
        provider="fonbet",
        event_id=f"{home}-{away}-{minutes}",
        region="England",
        league="League",
        home_team=home,
        away_team=away,
        kickoff=KICKOFF + timedelta(minutes=minutes),
        odds=(2.0, 3.5, 4.0),
        suspended=False,
        collected_at=KICKOFF - timedelta(hours=5),
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def matched_ids(result: MatchingResult) -> list[int]:
    return [row.match_id for row in result.matched]


def only(matches: pd.DataFrame, market: MarketOdds, aliases: AliasTable | None = None) -> list[int]:
    return matched_ids(match_odds(matches, [market], aliases))


@pytest.mark.parametrize(
    ("team", "league", "flags"),
    [
        ("Arsenal", "Premier League", TeamFlags()),
        ("Arsenal (w)", "", TeamFlags(women=True)),
        ("Arsenal W", "", TeamFlags(women=True)),
        ("Арсенал(ж)", "", TeamFlags(women=True)),
        ("Chelsea FC Women", "", TeamFlags(women=True)),
        ("Arsenal", "England. Women. Super League", TeamFlags(women=True)),
        ("Wolfsburg", "Frauen-Bundesliga", TeamFlags(women=True)),
        ("Barcelona Femení", "", TeamFlags(women=True)),
        ("Ajax U21", "", TeamFlags(age=21)),
        ("Ajax", "Club Friendlies U-19", TeamFlags(age=19)),
        ("Spain Under 23", "", TeamFlags(age=23)),
        ("Inter", "Campionato Primavera", TeamFlags(age=0)),
        ("Real Sociedad B", "", TeamFlags(reserves=True)),
        ("Bayern Munich II", "", TeamFlags(reserves=True)),
        ("Real Madrid Castilla", "", TeamFlags(reserves=True)),
        ("Jong PSV", "", TeamFlags(reserves=True)),
        ("Chelsea", "Reserve League", TeamFlags(reserves=True)),
        ("Ajax Women U19", "", TeamFlags(women=True, age=19)),
        # names and leagues that only look marked
        ("Willem II", "Eredivisie", TeamFlags()),
        ("Young Boys", "Super League", TeamFlags()),
        ("Boca Juniors", "Liga Profesional", TeamFlags()),
        ("Parma", "Serie B", TeamFlags()),
        ("Hansa Rostock", "2. Bundesliga", TeamFlags()),
        ("Arges", "Liga II", TeamFlags()),
        ("B 1903", "", TeamFlags()),
        ("West Ham", "", TeamFlags()),
        ("Union Berlin", "", TeamFlags()),
    ],
)
def test_flags_are_read_from_team_and_league(team: str, league: str, flags: TeamFlags) -> None:
    assert flags_of(team, league) == flags


@pytest.mark.parametrize(
    ("team", "name"),
    [
        ("1. FC Köln", "koln"),
        ("Arsenal FC (w)", "arsenal"),
        ("Nott'm Forest", "nottm forest"),
        ("Brighton & Hove Albion", "brighton hove albion"),
        ("Real Madrid B", "real madrid"),
        ("Bodø/Glimt", "bodo glimt"),
        ("Willem II", "willem ii"),
        ("FC", "fc"),
        ("Ajax U21", "ajax"),
    ],
)
def test_names_are_brought_to_their_letters(team: str, name: str) -> None:
    assert club_name(team) == name


TRUE_PAIRS = [
    ("England", ("Manchester United", "Wolverhampton Wanderers"), ("Man Utd", "Wolves")),
    ("France", ("Paris Saint-Germain", "Olympique Marseille"), ("PSG", "Marseille")),
    ("Spain", ("Athletic Club", "Atletico Madrid"), ("Ath Bilbao", "Ath Madrid")),
    ("Portugal", ("Sporting CP", "Sporting Braga"), ("Sporting Lisbon", "SC Braga")),
    ("Italy", ("Inter", "AC Milan"), ("Internazionale", "Milan")),
    ("Germany", ("Borussia Mönchengladbach", "1. FC Köln"), ("M'gladbach", "FC Koln")),
    ("Spain", ("Athletic Bilbao B", "Real Madrid Castilla"), ("Bilbao Athletic", "Real Madrid B")),
    ("Netherlands", ("Willem II", "Jong Ajax"), ("Willem II Tilburg", "Ajax II")),
    ("England", ("Manchester City", "Nottingham Forest"), ("Манчестер Сити", "Nott'm Forest")),
]


@pytest.mark.parametrize(("region", "our_names", "their_names"), TRUE_PAIRS)
def test_true_pairs_however_differently_spelled_are_found(
    region: str, our_names: tuple[str, str], their_names: tuple[str, str]
) -> None:
    assert only(ours(our_names, region=region), theirs(*their_names, region=region)) == [1]


WRONG_PAIRS = [
    # region, our match, the bookmaker's match at the same time, which is another one
    ("Spain", ("Real Madrid", "Barcelona"), ("Real Madrid Castilla", "Barcelona Atletic")),
    ("Spain", ("Real Sociedad", "Osasuna"), ("Real Sociedad B", "Osasuna Promesas")),
    ("Spain", ("Athletic Bilbao", "Sevilla"), ("Bilbao Athletic", "Sevilla Atletico")),
    ("Spain", ("Athletic Club", "Valencia"), ("Atletico Madrid", "Valencia")),
    ("Spain", ("Sporting Gijon", "Eibar"), ("Sporting Braga", "Eibar")),
    ("Spain", ("Racing Santander", "Elche"), ("Racing Ferrol", "Elche")),
    ("England", ("Arsenal", "Chelsea"), ("Arsenal (w)", "Chelsea (w)")),
    ("England", ("Arsenal", "Chelsea"), ("Arsenal U21", "Chelsea U21")),
    ("England", ("Manchester United", "Fulham"), ("Manchester City", "Fulham")),
    ("England", ("Sheffield United", "Hull City"), ("Sheffield Wednesday", "Hull City")),
    ("France", ("Paris Saint-Germain", "Lens"), ("Paris FC", "Lens")),
    ("Scotland", ("Dundee", "Hibernian"), ("Dundee United", "Hibernian")),
    ("Germany", ("Bayern Munich", "Union Berlin"), ("1860 Munich", "Hertha Berlin")),
    ("Germany", ("RB Leipzig", "Mainz 05"), ("Lokomotive Leipzig", "Mainz 05 II")),
    ("Belgium", ("Club Brugge", "Gent"), ("Cercle Brugge", "Gent")),
    ("Bulgaria", ("Lokomotiv Plovdiv", "CSKA Sofia"), ("Botev Plovdiv", "Levski Sofia")),  # in no table
    ("Bulgaria", ("CSKA Sofia", "Levski Sofia"), ("CSKA 1948 Sofia", "Levski Sofia")),
    ("Georgia", ("Dinamo Tbilisi", "Torpedo Kutaisi"), ("Dinamo Batumi", "Torpedo Kutaisi")),
    ("Romania", ("Universitatea Craiova", "Farul"), ("Universitatea Cluj", "Farul")),
]


@pytest.mark.parametrize(("region", "our_names", "their_names"), WRONG_PAIRS)
def test_no_wrong_merge_in_the_hard_set(region: str, our_names: tuple[str, str], their_names: tuple[str, str]) -> None:
    # a week later the bookmaker's clubs play in our list too, as clubs of one country do
    later = at(ours(their_names, region=region), KICKOFF + timedelta(days=7)).assign(match_id=2)
    matches = pd.concat([ours(our_names, region=region), later], ignore_index=True)
    result = match_odds(matches, [theirs(*their_names, region=region)])
    assert matched_ids(result) == []
    assert len(result.unmatched) == 1


def test_the_right_one_of_two_teams_of_a_club_is_taken() -> None:
    matches = pd.concat(
        [
            ours(("Arsenal", "Chelsea")),
            ours(("Arsenal", "Chelsea"), league="Women's Super League", sex=1).assign(match_id=2),
            ours(("Arsenal U21", "Chelsea U21")).assign(match_id=3),
        ]
    )
    assert only(matches, theirs("Arsenal", "Chelsea")) == [1]
    assert only(matches, theirs("Arsenal (w)", "Chelsea(w)")) == [2]
    assert only(matches, theirs("Arsenal", "Chelsea", sex=1)) == [2]
    assert only(matches, theirs("Arsenal", "Chelsea", league="Premier League 2. U21")) == []  # reserves and age
    assert only(matches, theirs("Arsenal", "Chelsea", league="Development U21")) == [3]


def test_one_club_name_in_two_countries_is_identified_by_the_region() -> None:
    matches = pd.concat(
        [
            ours(("Inter", "Milan"), region="Italy"),
            ours(("Inter Miami", "Orlando City"), region="USA").assign(match_id=2),
            ours(("Arsenal", "Everton")).assign(match_id=3),
        ]
    )
    assert only(matches, theirs("Inter Miami", "Orlando City SC", region="USA")) == [2]
    assert only(matches, theirs("Inter", "AC Milan", region="Italy")) == [1]
    assert only(matches, theirs("Arsenal Tula", "Everton", region="Russia")) == []
    assert only(matches, theirs("Arsenal", "Everton", region="Chile")) == []


def test_a_row_without_a_country_is_matched_by_names_and_time() -> None:
    assert only(ours(("Manchester United", "Arsenal")), theirs("Man Utd", "Arsenal", region=None)) == [1]


def test_continental_cups_find_clubs_of_every_country_where_the_name_is_one_club_s() -> None:
    matches = ours(("Paris Saint-Germain", "Manchester City"), region="Europe")
    assert only(matches, theirs("PSG", "Man City", region="International")) == [1]
    # "Sporting" is a club in Lisbon and one in Gijon: letters are asked, and they are not enough
    lisbon = ours(("Sporting CP", "Manchester City"), region="Europe")
    assert only(lisbon, theirs("Sporting", "Man City", region="International", minutes=5)) == []


@pytest.mark.parametrize(
    ("minutes", "found"), [(0, [1]), (15, [1]), (-120, [1]), (120, [1]), (121, []), (-121, []), (24 * 60, [])]
)
def test_kickoffs_more_than_two_hours_apart_are_two_matches(minutes: float, found: list[int]) -> None:
    result = match_odds(ours(("Everton", "Fulham")), [theirs("Everton", "Fulham", minutes=minutes)])
    assert matched_ids(result) == found
    if found:
        assert result.matched[0].time_delta_min == minutes
        assert result.matched[0].match_method == "alias"
        assert result.matched[0].match_score == 100
    else:
        assert result.unmatched[0].reason == "kickoffs differ"
        assert result.unmatched[0].near_misses[0].time_delta_min == minutes


NO_ALIASES = AliasTable([])


def test_small_differences_of_letters_are_bridged_within_two_hours() -> None:
    matches = ours(("Shakhtyor Soligorsk", "Dinamo Minsk"), region="Belarus")
    market = theirs("Shakhter Soligorsk", "Dynamo Minsk", region="Belarus", minutes=30)
    (row,) = match_odds(matches, [market]).matched
    assert row.match_method == "similarity"
    assert 85 <= row.match_score < 100


def test_weak_likeness_needs_the_very_same_kickoff_and_a_shared_word() -> None:
    matches = ours(("Sheffield Weds", "Hamilton Academical"))
    same_time = theirs("Sheffield Wednesday", "Hamilton Acad")
    assert only(matches, same_time, NO_ALIASES) == [1]
    assert only(matches, replace(same_time, kickoff=KICKOFF + timedelta(minutes=1)), NO_ALIASES) == []


def test_two_candidates_equally_alike_are_left_alone() -> None:
    matches = ours(("Alfa Norda", "Beta"), ("Alfa Nordo", "Beta"))
    result = match_odds(matches, [theirs("Alfa Nord", "Beta")], NO_ALIASES)
    assert matched_ids(result) == []
    assert result.unmatched[0].reason == "not clearly the best"
    assert [miss.match_id for miss in result.unmatched[0].near_misses] == [1, 2]


def test_a_settled_pair_goes_before_a_similar_one() -> None:
    matches = ours(("Alfa Norda", "Beta"), ("Alfa Nord", "Beta"))
    assert only(matches, theirs("Alfa Nord", "Beta"), NO_ALIASES) == [2]


def test_one_match_takes_one_row_of_a_provider_and_the_nearest_in_time() -> None:
    matches = ours(("Everton", "Fulham"))
    near, far = theirs("Everton", "Fulham", minutes=0), theirs("Everton", "Fulham", minutes=60)
    result = match_odds(matches, [far, near])
    assert [row.market for row in result.matched] == [near]
    assert [row.market for row in result.unmatched] == [far]
    twice = match_odds(matches, [near, replace(near, event_id="again")])
    assert matched_ids(twice) == []  # nothing tells the two apart


def test_two_providers_may_each_have_the_match() -> None:
    row = theirs("Everton", "Fulham")
    assert matched_ids(match_odds(ours(("Everton", "Fulham")), [row, replace(row, provider="the_odds_api")])) == [1, 1]


def test_swapped_sides_are_not_a_match() -> None:
    assert only(ours(("Everton", "Fulham")), theirs("Fulham", "Everton")) == []


def test_a_day_without_a_time_is_matched_on_that_day_and_says_so() -> None:
    matches = at(ours(("Everton", "Fulham")), "2024-03-30T00:00:00Z")
    (row,) = match_odds(matches, [theirs("Everton", "Fulham")]).matched
    assert row.match_method == "alias+date"
    assert row.time_delta_min is None


def test_next_to_the_day_only_settled_names_are_taken_since_days_are_local() -> None:
    day_before = at(ours(("Everton", "Shakhtyor Soligorsk")), "2024-03-29T00:00:00Z")
    assert only(day_before, theirs("Everton", "Shakhtyor Soligorsk")) == [1]
    assert only(day_before, theirs("Everton", "Shakhter Soligorsk")) == []
    assert only(at(day_before, "2024-03-30T00:00:00Z"), theirs("Everton", "Shakhter Soligorsk")) == [1]
    assert only(at(day_before, "2024-03-28T00:00:00Z"), theirs("Everton", "Shakhtyor Soligorsk")) == []


def test_a_kickoff_known_to_be_at_midnight_is_a_time() -> None:
    midnight = at(ours(("Everton", "Fulham")), "2024-03-30T00:00:00Z").assign(kickoff_time_known=True)
    assert only(midnight, theirs("Everton", "Fulham")) == []
    row = match_odds(midnight, [theirs("Everton", "Fulham", minutes=-15 * 60)]).matched[0]
    assert row.time_delta_min == 0
    assert row.match_method == "alias"


def test_without_a_kickoff_on_either_side_nothing_is_matched() -> None:
    assert only(at(ours(("Everton", "Fulham")), None), theirs("Everton", "Fulham")) == []
    result = match_odds(ours(("Everton", "Fulham")), [theirs("Everton", "Fulham", kickoff=None)])
    assert result.unmatched[0].reason == "kickoff unknown"


def test_a_kickoff_of_no_year_of_football_is_unknown_and_harms_no_other_row() -> None:
    slip = theirs("Everton", "Fulham", kickoff=datetime.max.replace(tzinfo=UTC))
    result = match_odds(ours(("Everton", "Fulham")), [slip, theirs("Everton", "Fulham")])
    assert matched_ids(result) == [1]
    assert [row.reason for row in result.unmatched] == ["kickoff unknown"]


def test_settled_matches_confirm_club_ids_which_then_need_no_names() -> None:
    first = match_odds(
        ours(("Manchester United", "Fulham")), [theirs("Man Utd", "Fulham", home_team_id="901", away_team_id="902")]
    )
    assert first.confirmed.clubs == {
        ClubId("fonbet", "901"): Club("England", 0, "Manchester United"),
        ClubId("fonbet", "902"): Club("England", 0, "Fulham"),
    }
    confirmed = ConfirmedClubs.from_json(first.confirmed.to_json())
    assert confirmed == first.confirmed
    renamed = theirs("The Red Devils", "The Cottagers", home_team_id="901", away_team_id="902")
    (row,) = match_odds(ours(("Manchester United", "Fulham")), [renamed], confirmed=confirmed).matched
    assert row.match_method == "club_id"


def test_a_confirmed_id_speaks_against_every_other_team() -> None:
    confirmed = ConfirmedClubs({ClubId("fonbet", "901"): Club("England", 0, "Manchester City")})
    market = theirs("Manchester United", "Fulham", home_team_id="901")
    assert matched_ids(match_odds(ours(("Manchester United", "Fulham")), [market], confirmed=confirmed)) == []


def test_similarity_never_confirms_an_id() -> None:
    matches = ours(("Shakhtyor Soligorsk", "Dinamo Minsk"), region="Belarus")
    market = theirs("Shakhter Soligorsk", "Dinamo Minsk", region="Belarus", home_team_id="1", away_team_id="2")
    result = match_odds(matches, [market])
    assert matched_ids(result) == [1]
    assert result.confirmed.clubs == {}


def test_an_id_that_met_two_teams_is_dropped_and_listed() -> None:
    matches = ours(("Everton", "Fulham"), ("Burnley", "Luton Town"))
    markets = [theirs("Everton", "Fulham", home_team_id="1"), theirs("Burnley", "Luton", home_team_id="1")]
    confirmed = match_odds(matches, markets).confirmed
    assert confirmed.clubs == {}
    assert confirmed.conflicts == {ClubId("fonbet", "1")}
    assert match_odds(matches, markets[:1], confirmed=confirmed).confirmed.clubs == {}
    assert ConfirmedClubs.from_json(confirmed.to_json()) == confirmed


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"clubs": [{}], "conflicts": []}', b"nonsense"])
def test_a_file_of_another_kind_is_not_a_mapping(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ConfirmedClubs.from_json(body)


def test_a_spelling_cannot_stand_for_two_clubs_of_a_region() -> None:
    with pytest.raises(ValueError, match="stands for both"):
        AliasTable([("Spain", "Sporting Gijon", ["Sporting"]), ("Spain", "Sporting Other", ["Sporting"])])


def test_the_shipped_table_is_one_class_per_club() -> None:
    table = AliasTable.shipped()
    assert table.find("Spain", "athletic") == table.find("Spain", "ath bilbao")
    club = table.find("Spain", "bilbao athletic")
    assert club is not None
    assert club[1] == TeamFlags(reserves=True)
    assert table.find("Portugal", "vitoria") is None  # Guimaraes and Setubal both go by it


@pytest.fixture(name="sample", scope="module")
def fixture_sample() -> tuple[pd.DataFrame, list[MarketOdds]]:
    matches = pd.read_parquet(SAMPLE / "matches.parquet")
    markets, skipped = parse((SAMPLE / "odds.parquet").read_bytes(), "odds.parquet")
    assert skipped == {}
    return matches, markets


def spellings(result: MatchingResult, matches: pd.DataFrame) -> set[tuple[str, str]]:
    teams = matches.set_index("match_id")
    return {(row.market.home_team, str(teams.loc[row.match_id, "home_team"])) for row in result.matched} | {
        (row.market.away_team, str(teams.loc[row.match_id, "away_team"])) for row in result.matched
    }


def test_all_760_rows_of_the_sample_find_their_match(sample: tuple[pd.DataFrame, list[MarketOdds]]) -> None:
    matches, markets = sample
    result = match_odds(matches, markets)
    assert len(result.matched) == 760
    assert len(set(matched_ids(result))) == 760
    pairs = spellings(result, matches)
    assert len(pairs) == 40  # each spelling of the odds source is one team of ours: no merge of two, no split of one
    assert {row.time_delta_min for row in result.matched} == {0.0}


@pytest.mark.parametrize("aliases", [AliasTable.shipped(), NO_ALIASES], ids=["aliases", "letters only"])
def test_no_row_of_the_sample_is_merged_wrongly_even_if_all_matches_began_at_once(
    sample: tuple[pd.DataFrame, list[MarketOdds]], aliases: AliasTable
) -> None:
    matches, markets = sample
    truth = {row.market.event_id: row.match_id for row in match_odds(matches, markets).matched}
    season = matches[matches["season"] == "2023/24"]
    at_once = at(season, KICKOFF).assign(region="Nowhere")
    rows: Sequence[MarketOdds] = [replace(row, kickoff=KICKOFF, region=None) for row in markets]
    for our_matches in (at_once, at_once.iloc[::2], at_once.iloc[::7]):  # most rows' own match is missing in the latter
        result = match_odds(our_matches, rows, aliases)
        assert [row for row in result.matched if truth[row.market.event_id] != row.match_id] == []
        assert len(result.matched) >= 0.4 * len(our_matches)
