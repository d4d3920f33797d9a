"""The Odds API, version 4: documented, and available to everyone with a key.

`GET {base_url}/v4/sports/{sport}/odds?apiKey&regions&markets=h2h&oddsFormat=decimal` answers an array of matches,
each with its bookmakers and their prices. One request per sport; the key is a query parameter and is scrubbed from
all output.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlencode

from batch.odds import regions
from batch.odds.market import Triple, booksum
from batch.odds.names import are_women
from batch.odds.providers.base import MarketOdds, OddsSnapshot, in_order, price, triple
from batch.odds.providers.fonbet import reject_past
from batch.odds.providers.transport import HttpTransport
from chalicelib.errors import ProviderUnavailable
from chalicelib.timestamps import parse_utc

PROVIDER: Final = "the_odds_api"
MARKET: Final = "h2h"
"""The 1X2 market; its twin `h2h_lay` quotes bets against an outcome and is left out."""
_SPORT_REGIONS: Final[Mapping[str, str]] = {
    "soccer_epl": "England",
    "soccer_efl_champ": "England",
    "soccer_fa_cup": "England",
    "soccer_spl": "Scotland",
    "soccer_conmebol_copa_libertadores": regions.INTERNATIONAL,
    "soccer_conmebol_copa_sudamericana": regions.INTERNATIONAL,
}
"""Sports whose key does not begin with its country."""


class PriceRule(StrEnum):
    """Whose price is used."""

    PREFERRED = "preferred"
    BEST = "best"


@dataclass(frozen=True, slots=True)
class TheOddsApiSettings:
    """What to request.

    Args:
        sports: Sport keys, each one request (and one credit per region).
        base_url: Host.
        regions: The provider's own regions of bookmakers: eu, uk, us, au.
        bookmakers: Keys in order of preference; the first that prices the match in full is taken, then any other
            in order of its key. Always a price on offer, never an average.
        price: PREFERRED as above, or BEST, the bookmaker with the lowest margin.
        max_age_of_as_of: An `as_of` older than this is rejected: a live line cannot answer for the past.
    """

    sports: tuple[str, ...]
    base_url: str = "https://api.the-odds-api.com"
    regions: str = "eu"
    bookmakers: tuple[str, ...] = ("pinnacle", "marathonbet", "onexbet", "williamhill", "unibet_eu")
    price: PriceRule = PriceRule.PREFERRED
    max_age_of_as_of: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TheOddsApiProvider:
    """The prices over HTTP.

    Args:
        transport: Sends the requests.
        clock: The present time, UTC.
        api_key: The key; kept out of `repr`, logs and errors.
        settings: What to request.
    """

    transport: HttpTransport
    clock: Callable[[], datetime]
    api_key: Callable[[], str]
    settings: TheOddsApiSettings

    def fetch(self, as_of: datetime) -> OddsSnapshot:
        """The current prices; `as_of` must be about now.

        A sport that fails leaves a note and does not affect the others.

        Raises:
            ProviderUnavailable: no sport gave a usable answer, or `as_of` lies too far in the past for a live line.
        """
        reject_past(PROVIDER, as_of, self.clock(), self.settings.max_age_of_as_of)
        parts: list[OddsSnapshot] = []
        failures: list[str] = []
        remaining: str | None = None
        for sport in self.settings.sports:
            try:
                response = self.transport.get(self._url(sport))
                parts.append(parse(response.body, self.clock(), sport, self.settings))
            except ProviderUnavailable as error:
                failures.append(f"{sport}: {error.message}")
                continue
            remaining = response.headers.get("x-requests-remaining", remaining)
        if not parts:
            raise ProviderUnavailable("; ".join(failures) or "the_odds_api: no sports are configured")
        notes = [*failures, *([f"{remaining} requests remaining on the key"] if remaining is not None else [])]
        skipped: Counter[str] = Counter()
        for part in parts:
            skipped.update(part.skipped)
        return OddsSnapshot(
            provider=PROVIDER,
            collected_at=max(part.collected_at for part in parts),
            markets=in_order(row for part in parts for row in part.markets),
            skipped=dict(skipped),
            notes=tuple(notes),
            raw={name: body for part in parts for name, body in part.raw.items()},
        )

    def _url(self, sport: str) -> str:
        query = urlencode(
            {
                "apiKey": self.api_key(),
                "regions": self.settings.regions,
                "markets": MARKET,
                "oddsFormat": "decimal",
                "dateFormat": "iso",
            }
        )
        return f"{self.settings.base_url.rstrip('/')}/v4/sports/{quote(sport, safe='')}/odds?{query}"


def parse(body: bytes, collected_at: datetime, sport: str, settings: TheOddsApiSettings) -> OddsSnapshot:
    """The matches of one answer.

    Args:
        body: The answer, uncompressed JSON.
        collected_at: When it was fetched, UTC.
        sport: The requested sport key; a match's own `sport_key` has precedence.
        settings: Whose price to take.

    Returns:
        One row per match; `suspended` with odds None where no bookmaker prices all three outcomes. Matches that have
        begun by `collected_at` are `is_live`. `skipped` counts entries without teams, by reason.

    Raises:
        ProviderUnavailable: the body is not an array of matches (an error object, or a page).
    """
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise ProviderUnavailable("the_odds_api's answer is not JSON") from error
    if not isinstance(answer, list):
        raise ProviderUnavailable("the_odds_api's answer is not an array of matches")
    skipped: Counter[str] = Counter()
    markets = []
    for entry in answer:
        row = _market(entry, collected_at, sport, settings) if isinstance(entry, dict) else None
        if row is None:
            skipped["malformed match"] += 1
        else:
            markets.append(row)
    return OddsSnapshot(PROVIDER, collected_at, in_order(markets), dict(skipped), raw={f"{sport}.json": body})


def region_of(sport_key: str) -> str | None:
    """The country of a sport key: soccer_epl -> England, soccer_germany_bundesliga2 -> Germany, else None."""
    fixed = _SPORT_REGIONS.get(sport_key)
    return fixed or regions.leading(sport_key.removeprefix("soccer_").replace("_", " "))


def _market(
    entry: Mapping[str, Any], collected_at: datetime, sport: str, settings: TheOddsApiSettings
) -> MarketOdds | None:
    event_id, home, away = entry.get("id"), entry.get("home_team"), entry.get("away_team")
    if not (isinstance(event_id, str) and isinstance(home, str) and isinstance(away, str) and home and away):
        return None
    sport_key = str(entry.get("sport_key") or sport)
    league = str(entry.get("sport_title") or sport_key)
    kickoff = _time(entry.get("commence_time"))
    chosen = _choose(entry.get("bookmakers"), home, away, settings)
    women = are_women(home, away, league) or "women" in sport_key
    return MarketOdds(
        provider=PROVIDER,
        event_id=event_id,
        region=region_of(sport_key),
        league=league,
        home_team=home,
        away_team=away,
        kickoff=kickoff,
        odds=chosen[1] if chosen else None,
        suspended=chosen is None,
        collected_at=collected_at,
        sex=1 if women else 0,
        is_live=kickoff is not None and kickoff <= collected_at,
        bookmaker=chosen[0] if chosen else None,
    )


def _choose(bookmakers: object, home: str, away: str, settings: TheOddsApiSettings) -> tuple[str, Triple] | None:
    """The bookmaker whose complete 1X2 price is used for the match."""
    priced: dict[str, Triple] = {}
    for bookmaker in bookmakers if isinstance(bookmakers, list) else ():
        if not isinstance(bookmaker, dict):
            continue
        for market in bookmaker.get("markets") or ():
            odds = _triple(market, home, away) if isinstance(market, dict) and market.get("key") == MARKET else None
            if odds is not None:
                priced[str(bookmaker.get("key"))] = odds
    if not priced:
        return None
    rank = {key: place for place, key in enumerate(settings.bookmakers)}

    def preference(key: str) -> tuple[float, int, str]:
        lowest_margin = booksum(priced[key]) if settings.price is PriceRule.BEST else 0.0
        return lowest_margin, rank.get(key, len(rank)), key

    best = min(priced, key=preference)
    return best, priced[best]


def _triple(market: Mapping[str, Any], home: str, away: str) -> Triple | None:
    """Prices by the outcomes' names, since their order is not guaranteed."""
    outcomes: Sequence[Any] = market.get("outcomes") or ()
    prices = {outcome.get("name"): outcome.get("price") for outcome in outcomes if isinstance(outcome, dict)}
    return triple(*(price(prices.get(name)) for name in (home, "Draw", away)))


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_utc(value)
    except ValueError:
        return None
