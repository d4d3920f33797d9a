"""Match a bookmaker's rows to our matches.

No threshold on the similarity of names is safe: "Arsenal" and "Arsenal (w)" look alike and are two teams, "PSG" and
"Paris Saint-Germain" look different and are one. The order of evidence is therefore: a confirmed club id, the alias
table (`batch/odds/team_aliases.csv`), equal normalised names; then the opponent, since a club plays once at a time;
letters only propose, under conditions. A miss costs one card without odds and is fixed by one line in the table; a
wrong merge prices the wrong match. So every rule prefers the miss.

A match known by one settled side teaches the other side's spelling, which settles further matches, so the pass repeats
until nothing is new. Learned spellings are kept with the matches that taught them. One that matches another club is
revoked, with every match that relied on it, and not learned again until someone removes it from the file.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from batch.odds.candidates import CONTRADICTION, Candidates, Evidence, MatchingSettings, Pair, kickoff_of
from batch.odds.clubs import (
    MAX_SIGHTINGS,
    AliasTable,
    Club,
    ClubId,
    ConfirmedClubs,
    LearnedSpelling,
    Sighting,
    Spelling,
)
from batch.odds.providers.base import MarketOdds


@dataclass(frozen=True, slots=True)
class MatchedOdds:
    """A row of odds and our match.

    Args:
        market: The odds.
        match_id: Our match.
        match_method: `club_id`, `alias`, `name`, `learned`, `opponent` or `similarity`, the weaker of the two teams';
            with `+date` where our side knows the day but not the time.
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
    """A match considered for an unmatched row, and why it was rejected."""

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
        reason: `no candidate`, `kickoff unknown`, or why the best near miss was rejected.
        near_misses: Best first.
    """

    market: MarketOdds
    reason: str
    near_misses: tuple[NearMiss, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchingResult:
    """The result for every row of odds.

    Args:
        matched: One row of odds a match and provider, sorted by match_id, provider.
        unmatched: In the order of the input.
        confirmed: Known club ids and spellings, with those this run settled and without those it revoked.
    """

    matched: tuple[MatchedOdds, ...]
    unmatched: tuple[UnmatchedOdds, ...]
    confirmed: ConfirmedClubs


def match_odds(
    matches: pd.DataFrame,
    markets: Sequence[MarketOdds],
    aliases: AliasTable | None = None,
    confirmed: ConfirmedClubs | None = None,
    settings: MatchingSettings = MatchingSettings(),  # noqa: B008 - frozen
) -> MatchingResult:
    """Find our match for each row of odds, one-to-one within a provider.

    Args:
        matches: Columns match_id, kickoff (UTC), region, league, sex, home_team, away_team; optionally
            `kickoff_time_known`, without which a kickoff at 00:00:00 UTC counts as a day without a time. A match
            without any kickoff is never matched: its season could not be told.
        markets: Rows of one or more providers.
        aliases: Spellings; the shipped table if None.
        confirmed: Club ids and spellings settled by earlier runs.
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
        self._confirmed = confirmed
        self._settings = settings
        self._candidates = Candidates(matches, markets, aliases, confirmed, settings)

    def run(self) -> MatchingResult:
        revoked = set(self._confirmed.revoked)
        while True:
            known_spellings = {key: value for key, value in self._confirmed.spellings.items() if key not in revoked}
            settled, spellings, contradicted = self._match_until_stable(known_spellings, revoked)
            if not contradicted:
                break
            revoked |= contradicted  # start again: what relied on them must go, too
        pair_of_row = self._one_to_one(settled)
        pairs = [
            row if number in pair_of_row else self._candidates.alike(number, row) for number, row in enumerate(settled)
        ]
        pair_of_row = self._one_to_one(pairs)
        matched = sorted(
            (self._matched(pair) for pair in pair_of_row.values()),
            key=lambda row: (row.match_id, row.market.provider, row.market.event_id),
        )
        unmatched = [self._unmatched(number, row) for number, row in enumerate(pairs) if number not in pair_of_row]
        in_order = sorted(
            pair_of_row.values(), key=lambda pair: (self._candidates.matches[pair.match].match_id, pair.row)
        )
        clubs, conflicts = self._confirm(in_order)
        confirmed = ConfirmedClubs(clubs, conflicts, spellings, frozenset(revoked))
        return MatchingResult(tuple(matched), tuple(unmatched), confirmed)

    def _match_until_stable(
        self, spellings_before: Mapping[Spelling, LearnedSpelling], revoked: set[Spelling]
    ) -> tuple[list[list[Pair]], dict[Spelling, LearnedSpelling], set[Spelling]]:
        """Match by ids, spellings and opponents and learn from it, until nothing is new.

        Returns:
            The pairs of each row, the spellings learned so far, and those that matched two clubs: if there are any, the
            other results are void.
        """
        spellings = dict(spellings_before)
        self._candidates.learn(spellings)
        pairs = [self._candidates.settled(number) for number in range(len(self._markets))]
        while True:
            contradicted = {
                row[0].teaches[0]
                for row in pairs
                if len(row) == 1 and row[0].reason == CONTRADICTION and row[0].teaches
            }
            pair_of_row = self._one_to_one(pairs)
            learned, disputed = self._lessons(pair_of_row.values(), spellings, revoked)
            if contradicted or disputed:
                return pairs, spellings, contradicted | disputed
            if not learned:
                return pairs, spellings, set()
            spellings |= learned
            self._candidates.learn(spellings)
            pairs = [
                row if number in pair_of_row else self._candidates.settled(number) for number, row in enumerate(pairs)
            ]

    def _lessons(
        self, pairs: Iterable[Pair], spellings: Mapping[Spelling, LearnedSpelling], revoked: set[Spelling]
    ) -> tuple[dict[Spelling, LearnedSpelling], set[Spelling]]:
        """Spellings that the pairs teach, and those taught for two clubs."""
        learned: dict[Spelling, LearnedSpelling] = {}
        disputed: set[Spelling] = set()
        for pair in pairs:
            if pair.teaches is None or pair.teaches[0] in revoked:
                continue
            spelling, club = pair.teaches
            before = learned.get(spelling) or spellings.get(spelling) or LearnedSpelling(club, ())
            if before.club != club:
                disputed.add(spelling)
            sighting = self._sighting(pair)
            if sighting not in before.evidence and len(before.evidence) < MAX_SIGHTINGS:
                learned[spelling] = LearnedSpelling(club, (*before.evidence, sighting))
        return learned, disputed

    def _sighting(self, pair: Pair) -> Sighting:
        market, match = self._markets[pair.row], self._candidates.matches[pair.match]
        return Sighting(
            provider=market.provider,
            event_id=market.event_id,
            home_team=market.home_team,
            away_team=market.away_team,
            kickoff=match.kickoff.isoformat(),
            match_id=match.match_id,
            our_home_team=match.home_team,
            our_away_team=match.away_team,
        )

    def _one_to_one(self, pairs_of_row: Sequence[Sequence[Pair]]) -> dict[int, Pair]:
        """The pair of each row that has one: each must be clearly the other's best."""
        rivals: dict[tuple[str, int], list[Pair]] = defaultdict(list)
        for pairs in pairs_of_row:
            for pair in pairs:
                rivals[self._markets[pair.row].provider, pair.match].append(pair)
        pair_of_row = {}
        for number, pairs in enumerate(pairs_of_row):
            best = _best(pairs, self._settings.lead)
            if best is None:
                continue
            if _best(rivals[self._markets[number].provider, best.match], self._settings.lead) == best:
                pair_of_row[number] = best
        return pair_of_row

    # --- results

    def _matched(self, pair: Pair) -> MatchedOdds:
        return MatchedOdds(
            market=self._markets[pair.row],
            match_id=self._candidates.matches[pair.match].match_id,
            match_method=pair.evidence.label + ("+date" if pair.date_only else ""),
            match_score=round(pair.score, 1),
            time_delta_min=pair.delta_min,
        )

    def _unmatched(self, number: int, pairs: Sequence[Pair]) -> UnmatchedOdds:
        market, matches = self._markets[number], self._candidates.matches
        if kickoff_of(market) is None:
            return UnmatchedOdds(market, "kickoff unknown")
        best = sorted(pairs, key=lambda pair: (-pair.score, abs(pair.delta_min or 0), pair.match))
        misses = tuple(
            NearMiss(
                match_id=matches[pair.match].match_id,
                home_team=matches[pair.match].home_team,
                away_team=matches[pair.match].away_team,
                match_score=round(pair.score, 1),
                time_delta_min=pair.delta_min,
                reason=pair.reason or "not clearly the best",
            )
            for pair in best[: self._settings.near_misses]
        )
        return UnmatchedOdds(market, misses[0].reason if misses else "no candidate", misses)

    def _confirm(self, pairs: Iterable[Pair]) -> tuple[dict[ClubId, Club], frozenset[ClubId]]:
        """Club ids confirmed by pairs settled by id, alias or name, and those that matched two teams."""
        clubs = dict(self._confirmed.clubs)
        conflicts = set(self._confirmed.conflicts)
        for pair in pairs:
            market, match = self._markets[pair.row], self._candidates.matches[pair.match]
            if pair.evidence < Evidence.NAME or pair.delta_min is None:
                continue
            if abs(pair.delta_min) * 60 > self._settings.strong.total_seconds():
                continue
            for team_id, team in ((market.home_team_id, match.home_team), (market.away_team_id, match.away_team)):
                if team_id is None:
                    continue
                club_id, club = ClubId(market.provider, team_id), Club(match.stored_region, match.sex, team)
                if clubs.setdefault(club_id, club) != club and clubs[club_id].region == club.region:
                    conflicts.add(club_id)
        return {key: club for key, club in clubs.items() if key not in conflicts}, frozenset(conflicts)


def _best(pairs: Sequence[Pair], lead: float) -> Pair | None:
    """The best pair; None if unclear.

    With both sides settled, the nearer kickoff decides between two pairs (a match listed twice); equally near ones stay
    unclear. With one side settled it must be the only one. Else letters decide: ahead of every other candidate by
    `lead`.
    """
    takeable = [pair for pair in pairs if not pair.reason]
    certain = sorted((pair for pair in takeable if pair.certain), key=lambda pair: abs(pair.delta_min or 0))
    if certain:
        clear = len(certain) == 1 or abs(certain[0].delta_min or 0) < abs(certain[1].delta_min or 0)
        return certain[0] if clear else None
    by_opponent = [pair for pair in pairs if pair.evidence is Evidence.OPPONENT]
    if by_opponent:
        return by_opponent[0] if len(by_opponent) == 1 and not by_opponent[0].reason else None
    ranked = sorted(pairs, key=lambda pair: -pair.score)
    if not takeable or ranked[0].reason:
        return None
    return ranked[0] if len(ranked) == 1 or ranked[0].score - ranked[1].score >= lead else None
