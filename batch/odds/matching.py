"""Which of our matches a bookmaker's row means.

No threshold on the similarity of names is safe: "Arsenal" and "Arsenal (w)" look alike and are two teams, "PSG" and
"Paris Saint-Germain" look different and are one. So the order of evidence is: a club id confirmed before, the alias
table (`batch/odds/team_aliases.csv`), equal normalised names; letters only propose, under conditions. A miss costs one
card without odds and is put right by one line in the table; a wrong merge prices the wrong match. Every rule
therefore prefers the miss.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process

from batch.odds import regions
from batch.odds.clubs import AliasTable, Club, ClubId, ConfirmedClubs
from batch.odds.names import TeamFlags, club_name, flags_of
from batch.odds.providers.base import MarketOdds

CERTAIN: Final = 100.0
"""Score of a pair of names that id, alias table or equality of the normalised names settles."""


@dataclass(frozen=True, slots=True)
class MatchingSettings:
    """Limits of the matching.

    Args:
        strong: Kickoffs this near are one scheduled start, written with little differences.
        weak: Kickoffs farther apart than this are two matches.
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


@dataclass(frozen=True, slots=True)
class MatchedOdds:
    """A row of odds and the match of ours it means.

    Args:
        market: The odds.
        match_id: Our match.
        match_method: `club_id`, `alias`, `name` or `similarity`, whichever is weakest of the two teams; with `+date`
            where
            our side knows the day of the match but not its time.
        match_score: The lower similarity of the two names, 0-100; 100 where no similarity was needed.
        time_delta_min: Their kickoff less ours, in minutes; None where our side does not know the time.
    """

    market: MarketOdds
    match_id: int
    match_method: str
    match_score: float
    time_delta_min: float | None


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A match of ours that an unmatched row might have meant, and why it was not taken."""

    match_id: int
    home_team: str
    away_team: str
    match_score: float
    time_delta_min: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class UnmatchedOdds:
    """A row of odds without a match of ours.

    Args:
        market: The odds.
        reason: `no candidate`, `kickoff unknown`, or why the best near miss was not taken.
        near_misses: Best first.
    """

    market: MarketOdds
    reason: str
    near_misses: tuple[NearMiss, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchingResult:
    """What became of every row of odds.

    Args:
        matched: One row of odds a match and provider, sorted by match_id, provider.
        unmatched: In the order of the input.
        confirmed: The club ids known before and those this run settled.
    """

    matched: tuple[MatchedOdds, ...]
    unmatched: tuple[UnmatchedOdds, ...]
    confirmed: ConfirmedClubs


class Evidence(IntEnum):
    """What speaks for two names being one team, weakest first."""

    NONE = 0
    SIMILARITY = 1
    NAME = 2
    ALIAS = 3
    CLUB_ID = 4

    @property
    def label(self) -> str:
        """As it stands in `match_method`."""
        return self.name.lower()


class _Name(NamedTuple):
    """A team's name in the context of a region.

    Args:
        key: The club's class in the alias table, or its normalised letters.
        settled: What settles the key, `NAME` where only its letters do.
        implied: Flags that the spelling implies without saying them ("Bilbao Athletic").
        letters: The normalised words, sorted.
    """

    key: str
    settled: Evidence
    implied: TeamFlags
    letters: str


@dataclass(frozen=True, slots=True)
class _OurMatch:
    match_id: int
    kickoff: datetime
    time_known: bool
    region: str | None
    stored_region: str
    sex: int
    home_team: str
    away_team: str
    home: _Name
    away: _Name
    home_flags: TeamFlags
    away_flags: TeamFlags


class _Pair(NamedTuple):
    """A row of odds beside a match of ours."""

    row: int
    match: int
    score: float
    evidence: Evidence
    delta_min: float | None
    date_only: bool
    reason: str  # "" if the pair may be taken

    @property
    def certain(self) -> bool:
        return self.evidence > Evidence.SIMILARITY and not self.reason


class _Group:
    """Our matches of one region (None: of regions the table of regions does not know), ready to be looked up.

    Args:
        region: The region.
        members: Numbers and matches, sorted by kickoff.
    """

    def __init__(self, region: str | None, members: Sequence[tuple[int, _OurMatch]]) -> None:
        self.region = region
        timed = [(number, match) for number, match in members if match.time_known]
        self._numbers = [number for number, _ in timed]
        self._kickoffs = [match.kickoff for _, match in timed]
        self._homes = [match.home.letters for _, match in timed]
        self._dated: dict[date, list[int]] = defaultdict(list)
        self._by_clubs: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, match in members:
            self._by_clubs[match.home.key, match.away.key].append(number)
            if not match.time_known:
                self._dated[match.kickoff.date()].append(number)

    def of_clubs(self, home: str, away: str) -> Sequence[int]:
        """Matches of exactly these two clubs."""
        return self._by_clubs.get((home, away), ())

    def alike_at(self, home: str, kickoff: datetime, reach: timedelta) -> Iterator[int]:
        """Matches near that kickoff whose home letters are worth a look, and those of that day without a time."""
        first = bisect.bisect_left(self._kickoffs, kickoff - reach)
        last = bisect.bisect_right(self._kickoffs, kickoff + reach)
        if first < last:
            scores = process.cdist([home], self._homes[first:last], scorer=fuzz.ratio, score_cutoff=_WORTH_NAMING)
            yield from (self._numbers[first + int(place)] for place in np.flatnonzero(scores[0]))
        yield from self._dated.get(kickoff.date(), ())


def match_odds(
    matches: pd.DataFrame,
    markets: Sequence[MarketOdds],
    aliases: AliasTable | None = None,
    confirmed: ConfirmedClubs | None = None,
    settings: MatchingSettings = MatchingSettings(),
) -> MatchingResult:
    """Find for each row of odds the match of ours it means, one-to-one within a provider.

    Args:
        matches: Columns match_id, kickoff (UTC), region, league, sex, home_team, away_team; optionally
            `kickoff_time_known`, without which a kickoff at 00:00:00 UTC counts as a day without a time. A match
            without any kickoff is never matched: nothing would tell this season's from another's.
        markets: Rows of one or more providers.
        aliases: Spellings; the shipped table if None.
        confirmed: Club ids settled by earlier runs.
        settings: Limits.

    Raises:
        KeyError: a needed column is missing.
    """
    table = AliasTable.shipped() if aliases is None else aliases
    return _Matcher(matches, tuple(markets), table, confirmed or ConfirmedClubs(), settings).run()


class _Matcher:
    def __init__(
        self,
        matches: pd.DataFrame,
        markets: Sequence[MarketOdds],
        aliases: AliasTable,
        confirmed: ConfirmedClubs,
        settings: MatchingSettings,
    ) -> None:
        self._markets = markets
        self._aliases = aliases
        self._confirmed = confirmed
        self._settings = settings
        self._names: dict[tuple[str | None, str], _Name] = {}
        self._matches = self._our_matches(matches)
        members: dict[str | None, list[tuple[int, _OurMatch]]] = defaultdict(list)
        for number, match in enumerate(self._matches):
            members[match.region].append((number, match))
        self._groups = [_Group(region, found) for region, found in members.items()]

    def run(self) -> MatchingResult:
        pairs_of_row = [self._pairs(number) for number in range(len(self._markets))]
        rivals: dict[tuple[str, int], list[_Pair]] = defaultdict(list)
        for pairs in pairs_of_row:
            for pair in pairs:
                rivals[self._markets[pair.row].provider, pair.match].append(pair)
        matched: list[tuple[MatchedOdds, _Pair]] = []
        unmatched: list[UnmatchedOdds] = []
        for number, pairs in enumerate(pairs_of_row):
            market = self._markets[number]
            best = _best(pairs, self._settings.lead)
            # the match must want the row as clearly as the row wants the match
            if best is not None and _best(rivals[market.provider, best.match], self._settings.lead) == best:
                matched.append((self._matched(best), best))
            else:
                unmatched.append(self._unmatched(number, pairs))
        matched.sort(key=lambda entry: (entry[0].match_id, entry[0].market.provider, entry[0].market.event_id))
        return MatchingResult(
            tuple(row for row, _ in matched), tuple(unmatched), self._confirm(pair for _, pair in matched)
        )

    # --- candidates

    def _pairs(self, number: int) -> list[_Pair]:
        """All candidates of one row, takeable or not, that are worth naming."""
        market = self._markets[number]
        kickoff = _kickoff(market)
        if kickoff is None:
            return []
        region = _region(market.region)
        groups = [group for group in self._groups if region is None or group.region is None or group.region == region]
        pairs: dict[int, _Pair] = {}
        for group in groups:
            home, away = self._name_of(market, group, home=True), self._name_of(market, group, home=False)
            for index in group.of_clubs(home.key, away.key):
                if abs(self._matches[index].kickoff - kickoff) <= _REACH:
                    pairs[index] = self._pair(number, index, home, away)
        if any(pair.certain for pair in pairs.values()):
            return list(pairs.values())  # letters could not overrule it
        for group in groups:
            home, away = self._name_of(market, group, home=True), self._name_of(market, group, home=False)
            for index in group.alike_at(home.letters, kickoff, self._settings.weak):
                if index not in pairs:
                    pair = self._pair(number, index, home, away)
                    if pair.score >= _WORTH_NAMING:
                        pairs[index] = pair
        return list(pairs.values())

    def _pair(self, number: int, index: int, home: _Name, away: _Name) -> _Pair:
        market, match = self._markets[number], self._matches[index]
        assert market.kickoff is not None  # noqa: S101 - rows without one have no pairs
        likes = _alike(home, match.home), _alike(away, match.away)
        score, evidence = min(like.score for like in likes), min(like.evidence for like in likes)
        delta = (market.kickoff - match.kickoff).total_seconds() / 60
        date_only = not match.time_known and abs(market.kickoff - match.kickoff) > self._settings.strong
        flags = self._flags(market, market.home_team, home), self._flags(market, market.away_team, away)
        reason = "" if flags == (match.home_flags, match.away_flags) else "women, age or reserves differ"
        reason = reason or self._time_reason(market.kickoff, match, evidence)
        if not reason and evidence <= Evidence.SIMILARITY:
            reason = self._letters_reason(likes, delta, date_only=date_only)
        return _Pair(number, index, score, evidence, None if date_only else delta, date_only, reason)

    def _time_reason(self, kickoff: datetime, match: _OurMatch, evidence: Evidence) -> str:
        """Why the kickoffs speak against the pair; "" if they do not."""
        delta = abs(kickoff - match.kickoff)
        if match.time_known or delta <= self._settings.strong:
            return "" if delta <= self._settings.weak else "kickoffs differ"
        if kickoff.date() == match.kickoff.date():
            return ""
        # the day may be a local one: late kickoffs in America fall on the next day in UTC, Asian ones on the day before
        neighbours = timedelta(days=-1) <= kickoff.date() - match.kickoff.date() <= timedelta(days=1)
        return "" if neighbours and evidence > Evidence.SIMILARITY else "days differ"

    def _letters_reason(self, likes: "Sequence[_Likeness]", delta: float, *, date_only: bool) -> str:
        """Why similarity is not enough for the pair; "" if it is."""
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

    def _name(self, region: str | None, team: str) -> _Name:
        found = self._names.get((region, team))
        if found is None:
            bare = club_name(team)
            known = self._aliases.find(region, bare)
            letters = " ".join(sorted(bare.split()))
            found = (
                _Name(bare, Evidence.NAME, TeamFlags(), letters)
                if known is None
                else _Name(known[0], Evidence.ALIAS, known[1], letters)
            )
            self._names[region, team] = found
        return found

    def _name_of(self, market: MarketOdds, group: _Group, *, home: bool) -> _Name:
        """A side's name as that region's clubs are called: through its confirmed id, else through its spelling."""
        team_id = market.home_team_id if home else market.away_team_id
        if team_id is not None:
            club = self._confirmed.clubs.get(ClubId(market.provider, team_id))
            if club is not None and _region(club.region) == group.region:
                return self._name(group.region, club.team)._replace(settled=Evidence.CLUB_ID)
        return self._name(group.region, market.home_team if home else market.away_team)

    def _flags(self, market: MarketOdds, team: str, name: _Name) -> TeamFlags:
        return _join(flags_of(team, market.league), name.implied, women=market.sex == 1)

    def _our_matches(self, matches: pd.DataFrame) -> list[_OurMatch]:
        """Our side, sorted by kickoff; matches without one, or with no market within reach, are left out."""
        kickoffs = pd.to_datetime(matches["kickoff"], utc=True)
        near = _near_a_market(kickoffs, self._markets)
        matches, kickoffs = matches[near], kickoffs[near]
        known = (
            matches["kickoff_time_known"].astype(bool)
            if "kickoff_time_known" in matches.columns
            else kickoffs.ne(kickoffs.dt.normalize())
        )
        rows = zip(
            matches["match_id"].tolist(),
            kickoffs.tolist(),
            known.tolist(),
            matches["region"].astype(str).tolist(),
            matches["league"].astype(str).tolist(),
            matches["sex"].tolist(),
            matches["home_team"].astype(str).tolist(),
            matches["away_team"].astype(str).tolist(),
            strict=True,
        )
        found = []
        for match_id, kickoff, time_known, stored_region, league, sex, home_team, away_team in rows:
            region = _region(stored_region)
            home, away = self._name(region, home_team), self._name(region, away_team)
            found.append(
                _OurMatch(
                    match_id=int(match_id),
                    kickoff=kickoff.to_pydatetime().astimezone(UTC),
                    time_known=bool(time_known),
                    region=region,
                    stored_region=stored_region,
                    sex=int(sex),
                    home_team=home_team,
                    away_team=away_team,
                    home=home,
                    away=away,
                    home_flags=_join(flags_of(home_team, league), home.implied, women=sex == 1),
                    away_flags=_join(flags_of(away_team, league), away.implied, women=sex == 1),
                )
            )
        return sorted(found, key=lambda match: (match.kickoff, match.match_id))

    # --- results

    def _matched(self, pair: _Pair) -> MatchedOdds:
        return MatchedOdds(
            market=self._markets[pair.row],
            match_id=self._matches[pair.match].match_id,
            match_method=pair.evidence.label + ("+date" if pair.date_only else ""),
            match_score=round(pair.score, 1),
            time_delta_min=pair.delta_min,
        )

    def _unmatched(self, number: int, pairs: Sequence[_Pair]) -> UnmatchedOdds:
        market = self._markets[number]
        if _kickoff(market) is None:
            return UnmatchedOdds(market, "kickoff unknown")
        best = sorted(pairs, key=lambda pair: (-pair.score, abs(pair.delta_min or 0), pair.match))
        misses = tuple(
            NearMiss(
                match_id=self._matches[pair.match].match_id,
                home_team=self._matches[pair.match].home_team,
                away_team=self._matches[pair.match].away_team,
                match_score=round(pair.score, 1),
                time_delta_min=pair.delta_min,
                reason=pair.reason or "not clearly the best",
            )
            for pair in best[: self._settings.near_misses]
        )
        return UnmatchedOdds(market, misses[0].reason if misses else "no candidate", misses)

    def _confirm(self, pairs: Iterable[_Pair]) -> ConfirmedClubs:
        clubs = dict(self._confirmed.clubs)
        conflicts = set(self._confirmed.conflicts)
        for pair in pairs:
            market, match = self._markets[pair.row], self._matches[pair.match]
            if not pair.certain or pair.delta_min is None or abs(pair.delta_min) * 60 > self._settings.strong.seconds:
                continue
            for team_id, team in ((market.home_team_id, match.home_team), (market.away_team_id, match.away_team)):
                if team_id is None:
                    continue
                club_id, club = ClubId(market.provider, team_id), Club(match.stored_region, match.sex, team)
                if clubs.setdefault(club_id, club) != club and clubs[club_id].region == club.region:
                    conflicts.add(club_id)
        return ConfirmedClubs({key: club for key, club in clubs.items() if key not in conflicts}, frozenset(conflicts))


_WORTH_NAMING: Final = 55.0
_YEARS: Final = range(1850, 2200)
_REACH: Final = timedelta(days=2)
"""How far from the kickoff candidates are looked at, so that a moved match shows up as a near miss."""


def _kickoff(market: MarketOdds) -> datetime | None:
    """The row's kickoff; None too if its year is none of football's, as a source's slip may make it."""
    return market.kickoff if market.kickoff is not None and market.kickoff.year in _YEARS else None


def _near_a_market(kickoffs: pd.Series, markets: Sequence[MarketOdds]) -> npt.NDArray[np.bool_]:
    """Whether each kickoff lies on a day within reach of some market's: a refresh need not look at all of history."""
    known = [kickoff for market in markets if (kickoff := _kickoff(market)) is not None]
    days = pd.Series(known, dtype="datetime64[us, UTC]")
    wanted = days.dt.normalize().drop_duplicates()
    shifts = range(-_REACH.days - 1, _REACH.days + 2)
    around = pd.concat([wanted + pd.Timedelta(days=shift) for shift in shifts])
    return np.asarray(kickoffs.dt.normalize().isin(around), dtype=np.bool_)


class _Likeness(NamedTuple):
    """How alike two names are.

    Args:
        score: 0-100.
        evidence: What the score rests on; `NONE` where they are known to be two clubs.
        shares_word: Whether they share a word.
        compatible: Whether the words they do not share can be one another's spellings.
    """

    score: float
    evidence: Evidence
    shares_word: bool
    compatible: bool


def _best(pairs: Sequence[_Pair], lead: float) -> _Pair | None:
    """The pair to take: settled by more than letters, else ahead of every other candidate by `lead`; None if unclear.

    Two settled pairs are told apart by their kickoffs (a match listed twice); equally near ones are not.
    """
    takeable = [pair for pair in pairs if not pair.reason]
    certain = sorted((pair for pair in takeable if pair.certain), key=lambda pair: abs(pair.delta_min or 0))
    if certain:
        clear = len(certain) == 1 or abs(certain[0].delta_min or 0) < abs(certain[1].delta_min or 0)
        return certain[0] if clear else None
    ranked = sorted(pairs, key=lambda pair: -pair.score)
    if not takeable or ranked[0].reason:
        return None
    return ranked[0] if len(ranked) == 1 or ranked[0].score - ranked[1].score >= lead else None


def _alike(theirs: _Name, ours: _Name) -> _Likeness:
    """How alike two names of one region are, once their flags are taken off."""
    if theirs.key == ours.key:
        return _Likeness(CERTAIN, max(theirs.settled, ours.settled), shares_word=True, compatible=True)
    if theirs.settled is Evidence.CLUB_ID or min(theirs.settled, ours.settled) > Evidence.NAME:
        return _Likeness(0.0, Evidence.NONE, shares_word=False, compatible=False)  # two clubs we know
    words, others = set(theirs.letters.split()), set(ours.letters.split())
    shared = words & others
    compatible = _compatible(words - shared, others - shared)
    return _Likeness(fuzz.ratio(theirs.letters, ours.letters), Evidence.SIMILARITY, bool(shared), compatible)


def _compatible(left: set[str], right: set[str]) -> bool:
    """Whether the words two names do not share can be one another's spellings.

    "Botev Plovdiv" and "Lokomotiv Plovdiv" share a city and are 75 % alike in letters: the other word decides. A number
    that only one of them has ("CSKA 1948") tells clubs apart too.
    """
    if any(word.isdigit() for word in left | right):
        return False
    fewer, more = sorted((left, right), key=len)
    return all(any(_one_word(word, other) for other in more) for word in fewer)


def _one_word(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
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
    """The region if the table of regions knows it; one it does not know could be any."""
    return None if name is None else regions.known(name)
