"""Candidate matches for rows of odds: names in a region, pairs of row and match, and their evidence.

Pure. `batch.odds.matching` chooses among the pairs.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process

from batch.odds import regions
from batch.odds.clubs import AliasTable, ClubId, ConfirmedClubs, LearnedSpelling, Spelling
from batch.odds.names import TeamFlags, club_name, flags_of
from batch.odds.providers.base import MarketOdds

CERTAIN: Final = 100.0
"""Score of a pair of names that an id, the alias table, a learned spelling or equal normalised names settle."""

OTHER_CLUB: Final = "the other side is another club"
CONTRADICTION: Final = "contradicts a learned spelling"


@dataclass(frozen=True, slots=True)
class MatchingSettings:
    """Limits of the matching.

    Args:
        strong: Kickoffs this close are one scheduled start with small differences.
        weak: Kickoffs farther apart are different matches.
        similar: Lowest similarity (0-100) of both names, within `weak`.
        similar_at_same_time: Lowest similarity of both names when the kickoffs are equal and the names share a word.
        lead: Points by which the best candidate must beat the second.
        near_misses: How many candidates an unmatched row lists.
    """

    strong: timedelta = timedelta(minutes=15)
    weak: timedelta = timedelta(hours=2)
    similar: float = 85.0
    similar_at_same_time: float = 70.0
    lead: float = 5.0
    near_misses: int = 3


class Evidence(IntEnum):
    """Evidence that two names are one team, weakest first."""

    NONE = 0
    SIMILARITY = 1
    OPPONENT = 2
    LEARNED = 3
    NAME = 4
    ALIAS = 5
    CLUB_ID = 6

    @property
    def label(self) -> str:
        """As written in `match_method`."""
        return self.name.lower()


class Name(NamedTuple):
    """A team's name in the context of a region.

    Args:
        key: The club's class in the alias table, or its normalised letters.
        settled: What determines the key; `NAME` where only its letters do.
        implied: Flags that the spelling implies without stating them ("Bilbao Athletic").
        letters: The normalised words, sorted.
        spelling: The normalised name.
        club: The normalised name the key comes from: of a learned spelling the club it was learned for.
    """

    key: str
    settled: Evidence
    implied: TeamFlags
    letters: str
    spelling: str
    club: str


@dataclass(frozen=True, slots=True)
class OurMatch:
    """A match of ours with its names in their region."""

    match_id: int
    kickoff: datetime
    time_known: bool
    region: str | None
    stored_region: str
    sex: int
    home_team: str
    away_team: str
    home: Name
    away: Name
    home_flags: TeamFlags
    away_flags: TeamFlags


class Pair(NamedTuple):
    """A row of odds and a match of ours.

    Args:
        row, match: Their indices.
        score: The lower similarity of the two names, 0-100.
        evidence: The weaker side's evidence.
        delta_min: Their kickoff less ours, minutes; None where our side does not know the time.
        date_only: Whether only the days were compared.
        reason: Why the pair is rejected; empty if it is not.
        teaches: What is learned if the pair is taken or, if it contradicts a learned spelling, which one.
    """

    row: int
    match: int
    score: float
    evidence: Evidence
    delta_min: float | None
    date_only: bool
    reason: str
    teaches: tuple[Spelling, str] | None = None

    @property
    def certain(self) -> bool:
        """Whether both sides are settled and the pair is not rejected."""
        return self.evidence >= Evidence.LEARNED and not self.reason


class Group:
    """Our matches of one region (None: of unknown regions), indexed for look-ups.

    Args:
        region: The region.
        members: Indices and matches, sorted by kickoff.
    """

    def __init__(self, region: str | None, members: Sequence[tuple[int, OurMatch]]) -> None:
        self.region = region
        timed = [(number, match) for number, match in members if match.time_known]
        self._numbers = [number for number, _ in timed]
        self._kickoffs = [match.kickoff for _, match in timed]
        self._homes = [match.home.letters for _, match in timed]
        self._dated: dict[date, list[int]] = defaultdict(list)
        self._by_clubs: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._by_home: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        self._by_away: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
        for number, match in members:
            self._by_clubs[match.home.key, match.away.key].append(number)
            if not match.time_known:
                self._dated[match.kickoff.date()].append(number)
        for number, match in timed:
            self._by_home[match.home.key].append((match.kickoff, number))
            self._by_away[match.away.key].append((match.kickoff, number))

    def of_clubs(self, home: str, away: str) -> Sequence[int]:
        """Matches of exactly these two clubs."""
        return self._by_clubs.get((home, away), ())

    def of_one_club(self, home: str, away: str, kickoff: datetime, reach: timedelta) -> Iterator[int]:
        """Matches near that kickoff, of known time, that have this home club or this away club."""
        for by_club, key in ((self._by_home, home), (self._by_away, away)):
            matches = by_club.get(key, ())
            first = bisect.bisect_left(matches, (kickoff - reach, -1))
            for moment, number in matches[first:]:
                if moment > kickoff + reach:
                    break
                yield number

    def alike_at(self, home: str, kickoff: datetime, reach: timedelta) -> Iterator[int]:
        """Matches near that kickoff with similar home letters, and those of that day without a time."""
        first = bisect.bisect_left(self._kickoffs, kickoff - reach)
        last = bisect.bisect_right(self._kickoffs, kickoff + reach)
        if first < last:
            scores = process.cdist([home], self._homes[first:last], scorer=fuzz.ratio, score_cutoff=_WORTH_NAMING)
            yield from (self._numbers[first + int(place)] for place in np.flatnonzero(scores[0]))
        yield from self._dated.get(kickoff.date(), ())


class Candidates:
    """The pairs of each row of odds, given the known spellings and ids.

    Args:
        matches: As `match_odds` takes them.
        markets: The rows of odds.
        aliases: Spellings of the alias table.
        confirmed: Club ids settled by earlier runs.
        settings: Limits.
    """

    def __init__(
        self,
        matches: pd.DataFrame,
        markets: Sequence[MarketOdds],
        aliases: AliasTable,
        confirmed: ConfirmedClubs,
        settings: MatchingSettings,
    ) -> None:
        self.markets = markets
        self._aliases = aliases
        self._confirmed = confirmed
        self._settings = settings
        self._near = _matches_near(matches, markets)
        self._teams = _teams_of(matches)
        self.learn({})

    def learn(self, spellings: Mapping[Spelling, LearnedSpelling]) -> None:
        """Replace the learned spellings and read every name again."""
        self._spellings = spellings
        self._names: dict[tuple[str | None, str], Name] = {}
        self.matches = self._our_matches()
        members: dict[str | None, list[tuple[int, OurMatch]]] = defaultdict(list)
        for number, match in enumerate(self.matches):
            members[match.region].append((number, match))
        self._groups = [Group(region, group) for region, group in members.items()]
        self._clubs = {
            region: {self._name(region, team).key for team in self._teams.get(region, ())} for region in members
        }

    def settled(self, number: int) -> list[Pair]:
        """The row's pairs with both sides settled or, if all of these are rejected, with one."""
        market = self.markets[number]
        kickoff = kickoff_of(market)
        if kickoff is None:
            return []
        pairs: dict[int, Pair] = {}
        for group, home, away in self._named(market):
            for index in group.of_clubs(home.key, away.key):
                if abs(self.matches[index].kickoff - kickoff) <= _REACH:
                    pairs[index] = self._pair(number, index, home, away)
        if not any(pair.certain for pair in pairs.values()):
            for group, home, away in self._named(market):
                for index in group.of_one_club(home.key, away.key, kickoff, self._settings.strong):
                    pairs.setdefault(index, self._pair(number, index, home, away))
        return list(pairs.values())

    def alike(self, number: int, settled: Sequence[Pair]) -> list[Pair]:
        """The row's settled pairs and those proposed by letters, rejected ones included as near misses."""
        market = self.markets[number]
        kickoff = kickoff_of(market)
        if kickoff is None:
            return []
        pairs = {pair.match: pair for pair in settled}
        for group, home, away in self._named(market):
            for index in group.alike_at(home.letters, kickoff, self._settings.weak):
                if index not in pairs:
                    pair = self._pair(number, index, home, away)
                    if pair.score >= _WORTH_NAMING:
                        pairs[index] = pair
        return list(pairs.values())

    # --- pairs

    def _named(self, market: MarketOdds) -> Iterator[tuple[Group, Name, Name]]:
        """The groups the row may belong to, with its two names in that region."""
        region = _region(market.region)
        for group in self._groups:
            if region is None or group.region is None or group.region == region:
                yield group, self._name_of(market, group, home=True), self._name_of(market, group, home=False)

    def _pair(self, number: int, index: int, home: Name, away: Name) -> Pair:
        market, match = self.markets[number], self.matches[index]
        assert market.kickoff is not None  # noqa: S101 - rows without one have no pairs
        likes = _likeness(home, match.home), _likeness(away, match.away)
        score, evidence = min(like.score for like in likes), min(like.evidence for like in likes)
        difference = abs(market.kickoff - match.kickoff)
        delta = (market.kickoff - match.kickoff).total_seconds() / 60
        date_only = not match.time_known and difference > self._settings.strong
        flags = self._flags(market, market.home_team, home), self._flags(market, market.away_team, away)
        reason = "" if flags == (match.home_flags, match.away_flags) else "women, age or reserves differ"
        reason = reason or self._time_reason(market.kickoff, match, evidence)
        teaches = None
        if not reason and evidence <= Evidence.SIMILARITY:
            reason = self._letters_reason(likes, delta, date_only=date_only)
            # in international competitions one name may belong to several clubs
            one_country = match.region not in {None, regions.INTERNATIONAL} and _region(market.region) == match.region
            if one_country and match.time_known and difference <= self._settings.strong:
                evidence, reason, teaches = self._by_opponent(match, (home, away), evidence, reason)
        return Pair(number, index, score, evidence, None if date_only else delta, date_only, reason, teaches)

    def _by_opponent(
        self, match: OurMatch, theirs: tuple[Name, Name], evidence: Evidence, reason: str
    ) -> tuple[Evidence, str, tuple[Spelling, str] | None]:
        """Infer one side from the other, settled one: a club plays once at a time.

        Returns:
            Evidence, the reason against the pair, and the spelling that the pair would teach or contradicts.
        """
        sides = tuple(zip(theirs, (match.home, match.away), strict=True))
        unsettled = [(their, our) for their, our in sides if their.key != our.key]
        if len(unsettled) != 1 or match.region is None:  # neither side is settled
            return evidence, reason, None
        ((their, our),) = unsettled
        for name, club in ((their, our), (our, their)):
            if name.settled is Evidence.LEARNED:
                return Evidence.OPPONENT, CONTRADICTION, (Spelling(match.region, name.spelling), club.club)
        known_as_two = their.settled is Evidence.CLUB_ID or min(their.settled, our.settled) > Evidence.NAME
        if known_as_two or their.key in self._clubs[match.region]:
            return Evidence.NONE, OTHER_CLUB, None
        # the one that the alias table does not know is the new spelling
        new, club = (their, our) if their.settled is Evidence.NAME else (our, their)
        return Evidence.OPPONENT, "", (Spelling(match.region, new.spelling), club.club)

    def _time_reason(self, kickoff: datetime, match: OurMatch, evidence: Evidence) -> str:
        """Why the kickoffs rule out the pair; "" if they do not."""
        delta = abs(kickoff - match.kickoff)
        if match.time_known or delta <= self._settings.strong:
            return "" if delta <= self._settings.weak else "kickoffs differ"
        if kickoff.date() == match.kickoff.date():
            return ""
        # the day may be local: late kickoffs in America fall on the next day in UTC, Asian ones on the previous
        neighbours = timedelta(days=-1) <= kickoff.date() - match.kickoff.date() <= timedelta(days=1)
        return "" if neighbours and evidence > Evidence.SIMILARITY else "days differ"

    def _letters_reason(self, likes: "Sequence[_Likeness]", delta: float, *, date_only: bool) -> str:
        """Why similarity is insufficient for the pair; "" if it is not."""
        if not all(like.compatible for like in likes):
            return "names differ in a word"
        if all(like.score >= self._settings.similar for like in likes):
            return ""
        same_time = not date_only and delta == 0
        enough = self._settings.similar_at_same_time
        if same_time and all(like.score >= enough and like.shares_word for like in likes):
            return ""
        return "names not similar enough"

    # --- names

    def _name(self, region: str | None, team: str) -> Name:
        if (region, team) not in self._names:
            bare = club_name(team)
            letters = " ".join(sorted(bare.split()))
            settled, club = Evidence.ALIAS, bare
            entry = self._aliases.find(region, bare)
            if entry is None and region is not None:
                learned = self._spellings.get(Spelling(region, bare))
                settled = Evidence.NAME if learned is None else Evidence.LEARNED
                club = bare if learned is None else learned.club
                entry = None if learned is None else self._aliases.find(region, club)
            elif entry is None:
                settled = Evidence.NAME
            key, implied = entry or (club, TeamFlags())
            self._names[region, team] = Name(key, settled, implied, letters, bare, club)
        return self._names[region, team]

    def _name_of(self, market: MarketOdds, group: Group, *, home: bool) -> Name:
        """A side's name in that region: by its confirmed id, else by its spelling."""
        team_id = market.home_team_id if home else market.away_team_id
        if team_id is not None:
            club = self._confirmed.clubs.get(ClubId(market.provider, team_id))
            if club is not None and _region(club.region) == group.region:
                return self._name(group.region, club.team)._replace(settled=Evidence.CLUB_ID)
        return self._name(group.region, market.home_team if home else market.away_team)

    def _flags(self, market: MarketOdds, team: str, name: Name) -> TeamFlags:
        return _join(flags_of(team, market.league), name.implied, women=market.sex == 1)

    def _our_matches(self) -> list[OurMatch]:
        """Our side, sorted by kickoff."""
        matches = []
        for match_id, kickoff, time_known, stored_region, league, sex, home_team, away_team in self._near:
            region = _region(stored_region)
            home, away = self._name(region, home_team), self._name(region, away_team)
            matches.append(
                OurMatch(
                    match_id=match_id,
                    kickoff=kickoff,
                    time_known=time_known,
                    region=region,
                    stored_region=stored_region,
                    sex=sex,
                    home_team=home_team,
                    away_team=away_team,
                    home=home,
                    away=away,
                    home_flags=_join(flags_of(home_team, league), home.implied, women=sex == 1),
                    away_flags=_join(flags_of(away_team, league), away.implied, women=sex == 1),
                )
            )
        return sorted(matches, key=lambda match: (match.kickoff, match.match_id))


_WORTH_NAMING: Final = 55.0
_YEARS: Final = range(1850, 2200)
_REACH: Final = timedelta(days=2)
"""Candidates are considered this far from the kickoff, so that a moved match shows up as a near miss."""

_Row = tuple[int, datetime, bool, str, str, int, str, str]


def kickoff_of(market: MarketOdds) -> datetime | None:
    """The row's kickoff; None if unknown or implausible."""
    return market.kickoff if market.kickoff is not None and market.kickoff.year in _YEARS else None


def _matches_near(matches: pd.DataFrame, markets: Sequence[MarketOdds]) -> list[_Row]:
    """Match id, kickoff, whether its time is known, region, league, sex and teams of matches within a market's reach.

    Matches without a kickoff are left out.
    """
    kickoffs = pd.to_datetime(matches["kickoff"], utc=True)
    near = _near_a_market(kickoffs, markets)
    matches, kickoffs = matches[near], kickoffs[near]
    time_known = (
        matches["kickoff_time_known"].astype(bool)
        if "kickoff_time_known" in matches.columns
        else kickoffs.ne(kickoffs.dt.normalize())
    )
    return list(
        zip(
            matches["match_id"].astype(int).tolist(),
            [kickoff.to_pydatetime().astimezone(UTC) for kickoff in kickoffs.tolist()],
            time_known.tolist(),
            matches["region"].astype(str).tolist(),
            matches["league"].astype(str).tolist(),
            matches["sex"].astype(int).tolist(),
            matches["home_team"].astype(str).tolist(),
            matches["away_team"].astype(str).tolist(),
            strict=True,
        )
    )


def _near_a_market(kickoffs: pd.Series, markets: Sequence[MarketOdds]) -> npt.NDArray[np.bool_]:
    """Whether each kickoff lies on a day within reach of some market's: a refresh need not look at all of history."""
    known_kickoffs = [kickoff for market in markets if (kickoff := kickoff_of(market)) is not None]
    days = pd.Series(known_kickoffs, dtype="datetime64[us, UTC]").dt.normalize().drop_duplicates()
    shifts = range(-_REACH.days - 1, _REACH.days + 2)
    around = pd.concat([days + pd.Timedelta(days=shift) for shift in shifts])
    return np.asarray(kickoffs.dt.normalize().isin(around), dtype=np.bool_)


def _teams_of(matches: pd.DataFrame) -> dict[str | None, set[str]]:
    """Every team of each region, whenever it plays."""
    teams: dict[str | None, set[str]] = defaultdict(set)
    for column in ("home_team", "away_team"):
        distinct = matches[["region", column]].drop_duplicates().astype(str)
        for stored_region, team in distinct.itertuples(index=False):
            teams[_region(stored_region)].add(team)
    return teams


class _Likeness(NamedTuple):
    """Similarity of two names.

    Args:
        score: 0-100.
        evidence: Evidence of the score; `NONE` for two known, different clubs.
        shares_word: Whether they share a word.
        compatible: Whether the words they do not share can be one another's spellings.
    """

    score: float
    evidence: Evidence
    shares_word: bool
    compatible: bool


def _likeness(their_name: Name, our_name: Name) -> _Likeness:
    """Compare two names of one region, without their flags."""
    settled = {their_name.settled, our_name.settled}
    if their_name.key == our_name.key:
        by_lesson = Evidence.LEARNED in settled and Evidence.CLUB_ID not in settled
        evidence = Evidence.LEARNED if by_lesson else max(settled)
        return _Likeness(CERTAIN, evidence, shares_word=True, compatible=True)
    if Evidence.CLUB_ID in settled or Evidence.LEARNED in settled or min(settled) > Evidence.NAME:
        return _Likeness(0.0, Evidence.NONE, shares_word=False, compatible=False)  # two known clubs
    their_words, our_words = set(their_name.letters.split()), set(our_name.letters.split())
    shared = their_words & our_words
    compatible = _compatible(their_words - shared, our_words - shared)
    return _Likeness(fuzz.ratio(their_name.letters, our_name.letters), Evidence.SIMILARITY, bool(shared), compatible)


def _compatible(first: set[str], second: set[str]) -> bool:
    """Whether the words two names do not share can be one another's spellings.

    "Botev Plovdiv" and "Lokomotiv Plovdiv" share a city and are 75 % alike in letters: the other word decides. A number
    that only one of them has ("CSKA 1948") also tells clubs apart.
    """
    if any(word.isdigit() for word in first | second):
        return False
    fewer, more = sorted((first, second), key=len)
    return all(any(_is_abbreviation(word, candidate) for candidate in more) for word in fewer)


def _is_abbreviation(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    if fuzz.ratio(short, long) >= _SPELLING:
        return True
    letters = iter(long)
    return short[0] == long[0] and all(letter in letters for letter in short)  # "utd" in "united"


_SPELLING: Final = 75.0


def _join(read: TeamFlags, implied: TeamFlags, *, women: bool) -> TeamFlags:
    return TeamFlags(
        women=read.women or implied.women or women,
        age=read.age if read.age is not None else implied.age,
        reserves=read.reserves or implied.reserves,
    )


def _region(name: str | None) -> str | None:
    """The region if the table knows it; an unknown one could be any."""
    return None if name is None else regions.known(name)
