"""Fonbet's line: the snapshot that its own site reads.

Unofficial: it may change or refuse, so its host and numbering are settings.

`GET {base_url}/events/list?lang=&version=0&scopeMarket=` answers one JSON object with `sports`, `events`,
`customFactors`, `eventBlocks` and `eventMiscs`. `version=0` asks for the whole line; deltas carry no removals and
are never requested.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import urlencode

from batch.odds import regions
from batch.odds.market import Triple
from batch.odds.names import are_women
from batch.odds.providers.base import MarketOdds, OddsSnapshot, in_order, price, triple
from batch.odds.providers.transport import HttpTransport
from chalicelib.errors import ProviderUnavailable

PROVIDER: Final = "fonbet"
HOME_WIN, DRAW, AWAY_WIN = 921, 922, 923
"""Factor ids of the 1X2 market; sub-events (corners, halves) reuse them, which is why only main matches are read."""
_PLACEHOLDERS: Final = frozenset(
    {"home", "away", "хозяева", "гости", "home team", "away team", "home teams", "away teams"}
)


@dataclass(frozen=True, slots=True)
class FonbetSettings:
    """Address and numbering of the line.

    Args:
        base_url: Host and path prefix, without `/events/list`; differs by brand and changes occasionally.
        scope_market: 1600 in Russia, 1800 in Kazakhstan, 2300 for Pari.
        lang: Language of the names.
        site_url: The brand's site: sent as Origin and Referer, and the root of a match's page.
        soccer_root: Id of the sport whose segments are soccer.
        not_soccer: Sports below or beside that root that are not soccer (futsal, beach soccer, e-football).
        max_age_of_as_of: An `as_of` older than this is rejected: a live line cannot answer for the past.
    """

    base_url: str = "https://line-lb01-w.bk6bba-resources.com/ma"
    scope_market: int = 1600
    lang: str = "en"
    site_url: str = "https://fon.bet"
    soccer_root: int = 1
    not_soccer: frozenset[int] = frozenset({1434, 11625, 40479, 29086})
    max_age_of_as_of: timedelta = timedelta(hours=1)

    @property
    def list_url(self) -> str:
        """Address of the whole line."""
        query = urlencode({"lang": self.lang, "version": 0, "scopeMarket": self.scope_market})
        return f"{self.base_url.rstrip('/')}/events/list?{query}"


@dataclass(frozen=True, slots=True)
class FonbetProvider:
    """The line over HTTP.

    Args:
        transport: Sends the request.
        clock: The present time, UTC.
        settings: Host and numbering.
    """

    transport: HttpTransport
    clock: Callable[[], datetime]
    settings: FonbetSettings = FonbetSettings()

    def fetch(self, as_of: datetime) -> OddsSnapshot:
        """The current line; `as_of` must be about now.

        Raises:
            ProviderUnavailable: no usable answer, or `as_of` lies too far in the past for a live line.
        """
        reject_past(PROVIDER, as_of, self.clock(), self.settings.max_age_of_as_of)
        headers = {"Origin": self.settings.site_url, "Referer": f"{self.settings.site_url}/"}
        body = self.transport.get(self.settings.list_url, headers).body
        return parse(body, self.clock(), self.settings)


def reject_past(provider: str, as_of: datetime, now: datetime, max_age: timedelta) -> None:
    """Raise unless `as_of` is about now: today's prices must not enter a replay of the past.

    Raises:
        ProviderUnavailable: `as_of` is older than `max_age`.
    """
    if now - as_of > max_age:
        raise ProviderUnavailable(f"{provider} knows only current prices, not those of {as_of:%Y-%m-%dT%H:%M:%SZ}")


def parse(body: bytes, collected_at: datetime, settings: FonbetSettings = FonbetSettings()) -> OddsSnapshot:
    """The soccer matches of one answer.

    Args:
        body: The answer, uncompressed JSON.
        collected_at: When it was fetched, UTC.
        settings: Numbering of the sports, root of the pages.

    Returns:
        One row per main match with both teams named. Its odds are None and it is `suspended` unless all of 921, 922,
        923 are open with finite prices above 1. `skipped` counts the soccer events that gave no row, by reason.

    Raises:
        ProviderUnavailable: the body is not the documented object (a new format or a block page).
    """
    line = _Line.read(body, settings)
    skipped: Counter[str] = Counter()
    markets = []
    for event in line.events:
        if not line.is_soccer(event.get("sportId")):
            continue
        reason = _not_a_match(event)
        row = None if reason else _market(event, line, collected_at, settings)
        if row is None:
            skipped[reason or "malformed event"] += 1
        else:
            markets.append(row)
    return OddsSnapshot(PROVIDER, collected_at, in_order(markets), skipped=dict(skipped), raw={"line.json": body})


@dataclass(frozen=True, slots=True)
class _Segment:
    """One node of the tree of sports and their competitions."""

    name: str
    parent: int | None
    iso_number: int | None


@dataclass(frozen=True, slots=True)
class _Line:
    """The answer, indexed by event."""

    settings: FonbetSettings
    segments: Mapping[int, _Segment]
    events: tuple[dict[str, Any], ...]
    prices: Mapping[int, Mapping[int, Any]]
    blocks: Mapping[int, frozenset[int] | Literal["all"]]
    scores: Mapping[int, str]
    _soccer: dict[int, bool] = field(default_factory=dict)

    @classmethod
    def read(cls, body: bytes, settings: FonbetSettings) -> "_Line":
        try:
            answer = json.loads(body)
        except ValueError as error:
            raise ProviderUnavailable("fonbet's answer is not JSON") from error
        if not isinstance(answer, dict) or not all(
            isinstance(answer.get(key), list) for key in ("sports", "events", "customFactors")
        ):
            raise ProviderUnavailable("fonbet's answer lacks its lists of sports, events and customFactors")
        return cls(
            settings=settings,
            segments={
                sport["id"]: _Segment(
                    str(sport.get("name", "")), _integer(sport.get("parentId")), _integer(sport.get("regionId"))
                )
                for sport in _objects(answer, "sports")
                if isinstance(sport.get("id"), int)
            },
            events=tuple(_objects(answer, "events")),
            prices=_prices(answer),
            blocks={
                block["eventId"]: _blocked(block) for block in _objects(answer, "eventBlocks") if "eventId" in block
            },
            scores={
                misc["id"]: f"{misc['score1']}:{misc['score2']}"
                for misc in _objects(answer, "eventMiscs")
                if isinstance(misc.get("score1"), int)
                and isinstance(misc.get("score2"), int)
                and _integer(misc.get("id"))
            },
        )

    def ancestry(self, sport_id: object) -> Iterator[tuple[int, _Segment]]:
        """The segment and its ancestors up to the root; a broken or circular chain just ends."""
        visited: set[int] = set()
        while isinstance(sport_id, int) and sport_id in self.segments and sport_id not in visited:
            visited.add(sport_id)
            segment = self.segments[sport_id]
            yield sport_id, segment
            sport_id = segment.parent

    def is_soccer(self, sport_id: object) -> bool:
        """Whether the segment is under soccer's root and under nothing that is not soccer; names do not matter."""
        if not isinstance(sport_id, int):
            return False
        if sport_id not in self._soccer:
            above = {number for number, _ in self.ancestry(sport_id)}
            self._soccer[sport_id] = self.settings.soccer_root in above and not above & self.settings.not_soccer
        return self._soccer[sport_id]

    def league(self, sport_id: int) -> str:
        """Name of the competition."""
        return self.segments[sport_id].name

    def region(self, sport_id: int) -> str | None:
        """The country that the competition's name begins with, else the nearest region number's; None if unknown.

        The name comes first because one number (826) stands for England, Scotland, Wales and Northern Ireland.
        """
        leading_region = regions.leading(self.league(sport_id))
        if leading_region is not None:
            return leading_region
        for _, segment in self.ancestry(sport_id):
            if segment.iso_number is not None:
                return regions.by_iso_number(segment.iso_number)
        return None

    def odds(self, event_id: int) -> Triple | None:
        """The 1X2 triple, if each of its three prices is open and a finite number above 1."""
        blocked = self.blocks.get(event_id, frozenset())
        if blocked == "all":
            return None
        prices = self.prices.get(event_id, {})
        return triple(*(None if f in blocked else price(prices.get(f)) for f in (HOME_WIN, DRAW, AWAY_WIN)))


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _objects(answer: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return [entry for entry in answer.get(key) or () if isinstance(entry, dict)]


def _prices(answer: Mapping[str, Any]) -> dict[int, dict[int, Any]]:
    """Event id -> factor id -> price, from the grouped form or the flat one of 2019."""
    prices: dict[int, dict[int, Any]] = {}
    for entry in _objects(answer, "customFactors"):
        factors = entry["factors"] if isinstance(entry.get("factors"), list) else [entry]
        for factor in factors:
            if isinstance(factor, dict) and isinstance(entry.get("e"), int) and isinstance(factor.get("f"), int):
                prices.setdefault(entry["e"], {})[factor["f"]] = factor.get("v")
    return prices


def _blocked(block: Mapping[str, Any]) -> frozenset[int] | Literal["all"]:
    """The factors of an event that take no bets; an unknown state blocks them all, since prices may be stale."""
    match block.get("state"):
        case "unblocked":
            return frozenset()
        case "partial" if isinstance(block.get("factors"), list):
            factor_ids = (factor.get("f") if isinstance(factor, dict) else factor for factor in block["factors"])
            return frozenset(factor for factor in factor_ids if isinstance(factor, int))
        case _:
            return "all"


def _not_a_match(event: Mapping[str, Any]) -> str | None:
    """Why a soccer event is not a match between two clubs; None if it is one."""
    if event.get("level") != 1 or event.get("parentId"):
        return "sub-event"
    if event.get("kind") != 1:
        return "not a main event"
    names = [event.get("team1"), event.get("team2")]
    if not all(isinstance(name, str) and name.strip() for name in names):
        return "no two teams"
    if any(str(name).split("(")[0].strip().casefold() in _PLACEHOLDERS for name in names):
        return "placeholder teams"
    return None


def _market(
    event: Mapping[str, Any], line: _Line, collected_at: datetime, settings: FonbetSettings
) -> MarketOdds | None:
    event_id, sport_id, start = event.get("id"), event.get("sportId"), event.get("startTime")
    if not isinstance(event_id, int) or not isinstance(sport_id, int):
        return None
    try:
        kickoff = datetime.fromtimestamp(start, UTC) if isinstance(start, int) else None
    except (OverflowError, ValueError, OSError):
        return None
    home, away = str(event["team1"]).strip(), str(event["team2"]).strip()
    is_live = event.get("place") == "live"
    odds = line.odds(event_id) if event.get("place") != "notActive" else None
    league = line.league(sport_id)
    women = are_women(home, away, league)
    return MarketOdds(
        provider=PROVIDER,
        event_id=str(event_id),
        region=line.region(sport_id),
        league=league,
        home_team=home,
        away_team=away,
        kickoff=kickoff,
        odds=odds,
        suspended=odds is None,
        collected_at=collected_at,
        sex=1 if women else 0,
        home_team_id=_id(event.get("team1Id")),
        away_team_id=_id(event.get("team2Id")),
        is_live=is_live,
        live_score=line.scores.get(event_id) if is_live else None,
        url=f"{settings.site_url}/{'live' if is_live else 'sports'}/football/{sport_id}/{event_id}",
    )


def _id(value: object) -> str | None:
    return str(value) if isinstance(value, int) and value else None
