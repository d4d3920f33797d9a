"""The interface of odds providers: neutral rows of 1X2 odds, as of a time.

A provider reads bytes (over HTTP, or from the bucket) and a pure function turns them into an `OddsSnapshot`. Nothing
here knows our own matches: names stay as the source spells them; `batch.odds.matching` finds our match.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from batch.odds.market import Triple

MIN_MATCHES_TO_DISTRUST: Final = 10
"""With fewer expected matches a halved snapshot proves nothing."""


def price(value: object) -> float | None:
    """A decimal price from JSON; None unless it is a finite number above 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value > 1 else None


def triple(home: float | None, draw: float | None, away: float | None) -> Triple | None:
    """The three prices of a 1X2 market; None if one is missing."""
    return None if home is None or draw is None or away is None else (home, draw, away)


@dataclass(frozen=True, slots=True)
class MarketOdds:
    """One match's 1X2 market at a provider, at one time.

    Args:
        provider: Name of the provider ("fonbet", "the_odds_api", or the `provider` column of a stored file).
        event_id: The provider's id of the match, as text.
        region: Country or "International", canonical where known (see `regions`), None if the source does not say.
        league: The competition as the source spells it; "" if it does not say.
        home_team: Home side as the source spells it.
        away_team: Away side as the source spells it.
        kickoff: Scheduled start, UTC; None if unknown.
        odds: Decimal odds of home win, draw, away win; None where the market is closed or incomplete.
        suspended: Whether the provider lists the match but takes no bets on its 1X2 market.
        collected_at: When the odds were seen, UTC.
        sex: 0 men, 1 women, None if the source does not say.
        home_team_id: The provider's stable club id, as text.
        away_team_id: The same for the away side.
        is_live: Whether the match was in play when the odds were seen; such odds include the score.
        live_score: "home:away" goals while in play.
        url: The match's page at the provider.
        bookmaker: Whose price it is, for providers with several bookmakers.
        closing: The last odds before kickoff, once the match has begun and if known.
        closing_at: When these were seen, UTC; None where the source states them without a time.
    """

    provider: str
    event_id: str
    region: str | None
    league: str
    home_team: str
    away_team: str
    kickoff: datetime | None
    odds: Triple | None
    suspended: bool
    collected_at: datetime
    sex: int | None = None
    home_team_id: str | None = None
    away_team_id: str | None = None
    is_live: bool = False
    live_score: str | None = None
    url: str | None = None
    bookmaker: str | None = None
    closing: Triple | None = None
    closing_at: datetime | None = None

    @property
    def before_kickoff(self) -> bool:
        """Whether these odds were seen before kickoff."""
        return not self.is_live and self.kickoff is not None and self.collected_at < self.kickoff


class PriceSeen(NamedTuple):
    """A match's price at one moment before kickoff.

    Args:
        collected_at: When it was seen, UTC.
        odds: Of home win, draw, away win.
        bookmaker: Whose price it is, where a provider carries several.
    """

    collected_at: datetime
    odds: Triple
    bookmaker: str | None = None


Sightings = Mapping[tuple[str, str], tuple[PriceSeen, ...]]
"""By provider and event id, the prices seen one after the other."""


@dataclass(frozen=True, slots=True)
class OddsSnapshot:
    """All 1X2 markets of a provider at one time, one row per match.

    Args:
        provider: Name of the provider.
        collected_at: When, UTC.
        markets: Sorted by (kickoff, event id); unknown kickoffs last.
        skipped: Number of entries without a row, by reason.
        notes: Remarks for people (a source that failed, a distrusted successor, ...).
        raw: The source's answers by short name, stored under `raw/odds/`.
        sightings: Earlier prices, where the source keeps them.
    """

    provider: str
    collected_at: datetime
    markets: tuple[MarketOdds, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    raw: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    sightings: Sightings = field(default_factory=dict, repr=False)


class OddsProvider(Protocol):
    """A source of 1X2 odds."""

    def fetch(self, as_of: datetime) -> OddsSnapshot:
        """The markets known at `as_of` (UTC, timezone-aware); nothing seen later is used.

        Raises:
            ProviderUnavailable: the source gave no usable answer, or cannot answer for that time.
        """
        ...


def in_order(markets: Iterable[MarketOdds]) -> tuple[MarketOdds, ...]:
    """The rows sorted by (kickoff, provider, event id), unknown kickoffs last."""
    latest = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(markets, key=lambda row: (row.kickoff or latest, row.provider, row.event_id)))


def as_known_at(
    rows: Iterable[MarketOdds], as_of: datetime, bet_lead: timedelta = timedelta(hours=1)
) -> list[MarketOdds]:
    """Reduce sightings to one row per match, using only what was seen at or before `as_of`.

    Before kickoff the odds are the latest sighting's. From kickoff on they are the last available at least
    `bet_lead` before kickoff (or else the first seen before kickoff): the price a bet was taken at; and
    `closing` is the one stated by the source, else the last before kickoff if it was seen later than the price taken.
    With a single sighting and no statement it stays None.

    Odds seen in play never replace those; they give `live_score` and `suspended` only. A match seen only in play
    has no odds (None).

    Args:
        rows: Sightings in any order; those of one (provider, event id) are one match's.
        as_of: UTC. A closing price stated by the source is withheld until kickoff.
        bet_lead: How long before kickoff bets are assumed to be placed.
    """
    return [_one_row(sightings, as_of, bet_lead) for sightings in _by_match(rows, as_of).values()]


def price_changes(rows: Iterable[MarketOdds], as_of: datetime) -> dict[tuple[str, str], tuple[PriceSeen, ...]]:
    """Each match's prices before kickoff as known at `as_of`, in order of time, without repetitions."""
    changes = {}
    for match, sightings in _by_match(rows, as_of).items():
        prices: list[PriceSeen] = []
        for row in _priced(sightings):
            assert row.odds is not None  # noqa: S101 - `_priced` leaves out the others
            if not prices or (prices[-1].odds, prices[-1].bookmaker) != (row.odds, row.bookmaker):
                prices.append(PriceSeen(row.collected_at, row.odds, row.bookmaker))
        changes[match] = tuple(prices)
    return changes


def _by_match(rows: Iterable[MarketOdds], as_of: datetime) -> dict[tuple[str, str], list[MarketOdds]]:
    """The sightings of each match by `as_of`, in order of time."""
    by_match: dict[tuple[str, str], list[MarketOdds]] = {}
    for row in rows:
        if row.collected_at <= as_of:
            by_match.setdefault((row.provider, row.event_id), []).append(row)
    for sightings in by_match.values():
        sightings.sort(key=lambda row: row.collected_at)
    return by_match


def _priced(sightings: Sequence[MarketOdds]) -> list[MarketOdds]:
    """The sightings before kickoff that have a price."""
    # a match may be re-dated between sightings: the latest kickoff holds for all of them
    kickoff = sightings[-1].kickoff
    return [
        row
        for row in sightings
        if row.odds is not None and not row.is_live and (kickoff is None or row.collected_at < kickoff)
    ]


def _one_row(sightings: Sequence[MarketOdds], as_of: datetime, bet_lead: timedelta) -> MarketOdds:
    last = sightings[-1]
    kickoff = last.kickoff
    priced = _priced(sightings)
    if not priced:
        return replace(last, odds=None, closing=None)
    latest = priced[-1]
    if kickoff is None or as_of < kickoff:
        return replace(
            last, odds=latest.odds, closing=None, collected_at=latest.collected_at, bookmaker=latest.bookmaker
        )
    takeable = [row for row in priced if row.collected_at <= kickoff - bet_lead]
    price_taken = takeable[-1] if takeable else priced[0]
    stated = next((row.closing for row in reversed(priced) if row.closing is not None), None)
    seen_later = stated is None and latest.collected_at > price_taken.collected_at
    return replace(
        last,
        odds=price_taken.odds,
        closing=latest.odds if seen_later else stated,
        closing_at=latest.collected_at if seen_later else None,
        collected_at=price_taken.collected_at,
        bookmaker=price_taken.bookmaker,
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which snapshot to serve.

    Args:
        snapshot: The new one, or the last good one with a note that says why it is still served.
        distrusted: Whether the new one was set aside.
    """

    snapshot: OddsSnapshot
    distrusted: bool


def trust(
    current: OddsSnapshot,
    last_good: OddsSnapshot | None,
    *,
    share: float = 0.5,
    patience: timedelta = timedelta(hours=6),
) -> Verdict:
    """Set aside a snapshot that lost more than half of its matches, and keep the last good one.

    Only matches still to come are counted on either side, since those that have begun leave the line.

    Args:
        current: The new snapshot.
        last_good: The one served so far; None on the first run.
        share: A snapshot with fewer than this share of the expected matches is distrusted.
        patience: How old the last good one may grow; past it the smaller line is accepted (the season may have ended),
            with a note.
    """
    if last_good is None:
        return Verdict(current, distrusted=False)
    expected, present = _still_to_come(last_good, current.collected_at), _still_to_come(current, current.collected_at)
    if expected < MIN_MATCHES_TO_DISTRUST or present >= share * expected:
        return Verdict(current, distrusted=False)
    fact = f"{present} matches to come where {expected} were expected at {current.collected_at:%Y-%m-%dT%H:%M:%SZ}"
    if current.collected_at - last_good.collected_at > patience:
        note = f"{fact}; believed, because the last good snapshot is older than {patience}"
        return Verdict(replace(current, notes=(*current.notes, note)), distrusted=False)
    note = f"{fact}; distrusted, serving the snapshot of {last_good.collected_at:%Y-%m-%dT%H:%M:%SZ}"
    return Verdict(replace(last_good, notes=(*last_good.notes, note)), distrusted=True)


def _still_to_come(snapshot: OddsSnapshot, now: datetime) -> int:
    return sum(1 for row in snapshot.markets if row.kickoff is None or row.kickoff > now)
