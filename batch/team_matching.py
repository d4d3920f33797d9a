"""Which of our matches a bookmaker's row means.

No threshold on the similarity of names is safe: "Arsenal" and "Arsenal (w)" look alike and are two teams, "PSG" and
"Paris Saint-Germain" look different and are one. So the order of evidence is: a club id confirmed before, the alias
table (`batch/team_aliases.csv`), equal normalised names; letters only propose, under conditions. A miss costs one
card without odds and is put right by one line in the table; a wrong merge prices the wrong match. Every rule
therefore prefers the miss.
"""

import bisect
import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import pandas as pd
from rapidfuzz import fuzz

from batch import regions
from batch.odds_providers.base import MarketOdds
from batch.team_names import TeamFlags, club_name, flags_of

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


class AliasTable:
    """Spellings of clubs as equivalence classes within a region.

    A row whose club is a second team ("Athletic Bilbao B") gives names that carry no mark of it ("Bilbao Athletic").

    Args:
        rows: (region, club, other spellings).

    Raises:
        ValueError: one spelling stands for two clubs of one region.
    """

    def __init__(self, rows: Iterable[tuple[str, str, Sequence[str]]]) -> None:
        self._clubs: dict[str, dict[str, tuple[str, TeamFlags]]] = defaultdict(dict)
        self._anywhere: dict[str, set[tuple[str, str, TeamFlags]]] = defaultdict(set)
        for region, club, others in rows:
            name = regions.canonical(region) or region
            marks, identity = flags_of(club), f"{name}/{club_name(club)}"
            for spelling in (club, *others):
                # a spelling that carries the mark itself ("Barca B") is, without it, one of the first team
                implied = TeamFlags() if flags_of(spelling) == marks else marks
                self._add(name, club_name(spelling), (identity, implied))

    def _add(self, region: str, spelling: str, identity: tuple[str, TeamFlags]) -> None:
        known = self._clubs[region].setdefault(spelling, identity)
        if known != identity:
            raise ValueError(f"{spelling!r} stands for both {known[0]} and {identity[0]} in {region}")
        self._anywhere[spelling].add((region, *identity))

    def find(self, region: str | None, spelling: str) -> tuple[str, TeamFlags] | None:
        """The class of a normalised name in a region, with the flags its spelling implies.

        Without a region, or in international competitions, the name must belong to one club of all regions.
        """
        if region is not None and region != regions.INTERNATIONAL:
            return self._clubs[region].get(spelling) if region in self._clubs else None
        everywhere = self._anywhere.get(spelling, set())
        if len(everywhere) != 1:
            return None
        ((_, identity, marks),) = everywhere
        return identity, marks

    @classmethod
    @cache
    def shipped(cls) -> "AliasTable":
        """The table of `batch/team_aliases.csv`."""
        return cls.read(files("batch").joinpath("team_aliases.csv").read_text(encoding="utf-8"))

    @classmethod
    def read(cls, text: str) -> "AliasTable":
        """A table in the form of `batch/team_aliases.csv`: region, club, spellings separated by |."""
        return cls(
            (row["region"], row["club"], [name for name in row["aliases"].split("|") if name])
            for row in csv.DictReader(text.splitlines())
        )


class ClubId(NamedTuple):
    """A provider's stable id of a club."""

    provider: str
    team_id: str


class Club(NamedTuple):
    """One of our teams."""

    region: str
    sex: int
    team: str


@dataclass(frozen=True, slots=True)
class ConfirmedClubs:
    """Provider's club ids whose meaning is settled, kept between runs.

    Only matches that ids, aliases or equal names settle confirm an id; similarity never does, so that a guess cannot
    harden into a fact. An id met with two of our teams is dropped and listed.

    Args:
        clubs: Id -> our team.
        conflicts: Ids that met two teams; never trusted again until a person removes them from the file.
    """

    clubs: Mapping[ClubId, Club] = field(default_factory=dict)
    conflicts: frozenset[ClubId] = frozenset()

    def to_json(self) -> bytes:
        """The mapping as a file; the same mapping always gives the same bytes."""
        content = {
            "schema_version": 1,
            "clubs": [{**club_id._asdict(), **club._asdict()} for club_id, club in sorted(self.clubs.items())],
            "conflicts": [club_id._asdict() for club_id in sorted(self.conflicts)],
        }
        return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, body: bytes) -> "ConfirmedClubs":
        """The mapping of a file.

        Raises:
            ValueError: the file is not one written by `to_json`.
        """
        try:
            content = json.loads(body)
            clubs = {
                ClubId(str(row["provider"]), str(row["team_id"])): Club(
                    str(row["region"]), int(row["sex"]), str(row["team"])
                )
                for row in content["clubs"]
            }
            conflicts = frozenset(ClubId(str(row["provider"]), str(row["team_id"])) for row in content["conflicts"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no mapping of confirmed clubs: {error!r}") from error
        return cls(clubs, conflicts)


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


class _Likeness(NamedTuple):
    score: float
    evidence: Evidence
    shares_word: bool
    compatible: bool


@dataclass(frozen=True, slots=True)
class _OurMatch:
    match_id: int
    kickoff: datetime
    time_known: bool
    region: str | None
    raw_region: str
    sex: int
    home_team: str
    away_team: str
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
    matcher = _Matcher(
        _our_matches(matches), tuple(markets), aliases or AliasTable.shipped(), confirmed or ConfirmedClubs(), settings
    )
    return matcher.run()


class _Matcher:
    def __init__(
        self,
        matches: Sequence[_OurMatch],
        markets: Sequence[MarketOdds],
        aliases: AliasTable,
        confirmed: ConfirmedClubs,
        settings: MatchingSettings,
    ) -> None:
        self._matches = matches
        self._markets = markets
        self._aliases = aliases
        self._confirmed = confirmed
        self._settings = settings
        self._likeness: dict[tuple[str | None, str, str], _Likeness] = {}
        self._by_region: dict[str | None, list[int]] = defaultdict(list)
        for number, match in enumerate(matches):  # sorted by kickoff
            self._by_region[match.region].append(number)
        self._kickoffs = {
            region: [matches[number].kickoff for number in numbers] for region, numbers in self._by_region.items()
        }

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
        if market.kickoff is None:
            return []
        home_flags, away_flags = self._flags_of_market(market)
        found = []
        for index in self._within_reach(market, market.kickoff):
            match = self._matches[index]
            home = self._compare(match, market.home_team, match.home_team, market.home_team_id, market.provider)
            away = self._compare(match, market.away_team, match.away_team, market.away_team_id, market.provider)
            score = min(home.score, away.score)
            if score < _WORTH_NAMING:
                continue
            delta = (market.kickoff - match.kickoff).total_seconds() / 60
            date_only = not match.time_known and abs(delta) > self._settings.strong.total_seconds() / 60
            same_team = home_flags == self._effective(match.home_flags, match.home_team, match) and (
                away_flags == self._effective(match.away_flags, match.away_team, match)
            )
            evidence = min(home.evidence, away.evidence)
            reason = "" if same_team else "women, age or reserves differ"
            reason = reason or self._time_reason(market.kickoff, match, evidence)
            if not reason and evidence <= Evidence.SIMILARITY:
                reason = self._letters_reason((home, away), delta, date_only=date_only)
            found.append(_Pair(number, index, score, evidence, None if date_only else delta, date_only, reason))
        return found

    def _within_reach(self, market: MarketOdds, kickoff: datetime) -> Iterable[int]:
        """Our matches of that region within days of that kickoff; of any region where either side does not say."""
        region = _region(market.region)
        for ours, numbers in self._by_region.items():
            if region is not None and ours is not None and ours != region:
                continue
            kickoffs = self._kickoffs[ours]
            first = bisect.bisect_left(kickoffs, kickoff - _REACH)
            last = bisect.bisect_right(kickoffs, kickoff + _REACH)
            yield from numbers[first:last]

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

    def _letters_reason(self, names: tuple[_Likeness, _Likeness], delta: float, *, date_only: bool) -> str:
        """Why similarity is not enough for the pair; "" if it is."""
        if not all(name.compatible for name in names):
            return "names differ in a word"
        if all(name.score >= self._settings.similar for name in names):
            return ""
        if date_only or delta != 0:
            return "names not similar enough"
        if all(name.score >= self._settings.similar_at_same_time and name.shares_word for name in names):
            return ""
        return "names not similar enough"

    # --- names

    def _flags_of_market(self, market: MarketOdds) -> tuple[TeamFlags, TeamFlags]:
        region = _region(market.region)
        flags = []
        for team in (market.home_team, market.away_team):
            read = flags_of(team, market.league)
            known = self._aliases.find(region, club_name(team))
            flags.append(_join(read, known[1] if known else TeamFlags(), women=market.sex == 1))
        return flags[0], flags[1]

    def _effective(self, flags: TeamFlags, team: str, match: _OurMatch) -> TeamFlags:
        known = self._aliases.find(match.region, club_name(team))
        return _join(flags, known[1] if known else TeamFlags(), women=False)

    def _compare(self, match: _OurMatch, theirs: str, ours: str, team_id: str | None, provider: str) -> _Likeness:
        if team_id is not None:
            club_id = ClubId(provider, team_id)
            club = self._confirmed.clubs.get(club_id)
            if club is not None and club.region == match.raw_region and club.sex == match.sex:
                return _SAME_CLUB if club.team == ours else _OTHER_CLUB
        key = match.region, theirs, ours
        found = self._likeness.get(key)
        if found is None:
            found = self._likeness[key] = _alike(self._aliases, match.region, theirs, ours)
        return found

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
        if market.kickoff is None:
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
                club_id, club = ClubId(market.provider, team_id), Club(match.raw_region, match.sex, team)
                if clubs.setdefault(club_id, club) != club and clubs[club_id].region == club.region:
                    conflicts.add(club_id)
        return ConfirmedClubs({key: club for key, club in clubs.items() if key not in conflicts}, frozenset(conflicts))


_WORTH_NAMING: Final = 55.0
_REACH: Final = timedelta(days=2)
"""How far from the kickoff candidates are looked at, so that a moved match shows up as a near miss."""
_SAME_CLUB: Final = _Likeness(CERTAIN, Evidence.CLUB_ID, shares_word=True, compatible=True)
_OTHER_CLUB: Final = _Likeness(0.0, Evidence.NONE, shares_word=False, compatible=False)


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


def _alike(aliases: AliasTable, region: str | None, theirs: str, ours: str) -> _Likeness:
    """How alike two spellings are, once their flags are taken off."""
    a, b = club_name(theirs), club_name(ours)
    known_a, known_b = aliases.find(region, a), aliases.find(region, b)
    if known_a is not None and known_b is not None:
        same = known_a[0] == known_b[0]
        return _Likeness(CERTAIN, Evidence.ALIAS, shares_word=True, compatible=True) if same else _OTHER_CLUB
    if a == b:
        return _Likeness(CERTAIN, Evidence.NAME, shares_word=True, compatible=True)
    words_a, words_b = set(a.split()), set(b.split())
    shared = words_a & words_b
    compatible = _compatible(words_a - shared, words_b - shared)
    return _Likeness(fuzz.token_sort_ratio(a, b), Evidence.SIMILARITY, bool(shared), compatible)


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


def _our_matches(matches: pd.DataFrame) -> list[_OurMatch]:
    """Our side, sorted by kickoff; matches without one are left out."""
    kickoffs = pd.to_datetime(matches["kickoff"], utc=True)
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
    found = [
        _OurMatch(
            match_id=int(match_id),
            kickoff=kickoff.to_pydatetime().astimezone(UTC),
            time_known=bool(time_known),
            region=_region(region),
            raw_region=region,
            sex=int(sex),
            home_team=home,
            away_team=away,
            home_flags=_join(flags_of(home, league), TeamFlags(), women=sex == 1),
            away_flags=_join(flags_of(away, league), TeamFlags(), women=sex == 1),
        )
        for match_id, kickoff, time_known, region, league, sex, home, away in rows
        if kickoff is not pd.NaT
    ]
    return sorted(found, key=lambda match: (match.kickoff, match.match_id))
