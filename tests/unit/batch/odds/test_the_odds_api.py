"""The Odds API v4, on answers built by hand from its documentation."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batch.odds.providers.base import OddsSnapshot
from batch.odds.providers.the_odds_api import PriceRule, TheOddsApiProvider, TheOddsApiSettings, parse, region_of
from batch.odds.providers.transport import HttpResponse, HttpTransport, RetryPolicy
from chalicelib.errors import ProviderUnavailable

BODY = (Path(__file__).parent / "fixtures" / "the_odds_api_epl.json").read_bytes()
NOW = datetime(2024, 3, 29, 10, 15, tzinfo=UTC)
SETTINGS = TheOddsApiSettings(sports=("soccer_epl",))
KEY = "made-up-key"


def parsed(settings: TheOddsApiSettings = SETTINGS) -> OddsSnapshot:
    return parse(BODY, NOW, "soccer_epl", settings)


def test_prices_are_read_by_name_whatever_their_order() -> None:
    united = parsed().markets[1]
    assert (united.home_team, united.away_team) == ("Manchester United", "Wolverhampton Wanderers")
    assert united.odds == (1.67, 4.05, 4.3)
    assert united.bookmaker == "pinnacle"
    assert united.kickoff == datetime(2024, 3, 30, 14, 0, tzinfo=UTC)
    assert (united.region, united.league, united.sex, united.is_live) == ("England", "EPL", 0, False)


def test_lay_prices_and_markets_without_a_draw_are_not_odds() -> None:
    everton = parsed().markets[2]
    assert everton.home_team == "Everton"
    assert everton.odds is None
    assert everton.suspended


def test_a_match_that_has_begun_is_live() -> None:
    burnley = parsed().markets[0]
    assert burnley.home_team == "Burnley"
    assert burnley.is_live
    assert not burnley.before_kickoff


def test_without_a_preferred_bookmaker_the_first_by_key_is_taken() -> None:
    assert parsed().markets[0].bookmaker == "aaa"


def test_the_best_price_is_that_of_the_lowest_margin() -> None:
    # 1/9 + 1/5.5 + 1/1.3 = 1.0622 against 1/8 + 1/5 + 1/1.25 = 1.125
    assert parsed(TheOddsApiSettings(sports=("soccer_epl",), price=PriceRule.BEST)).markets[0].bookmaker == "zzz"


def test_a_match_without_its_teams_is_counted_and_left_out() -> None:
    assert parsed().skipped == {"malformed match": 1}


def test_sport_keys_name_their_country() -> None:
    assert region_of("soccer_epl") == "England"
    assert region_of("soccer_germany_bundesliga2") == "Germany"
    assert region_of("soccer_usa_mls") == "USA"
    assert region_of("soccer_uefa_champs_league") == "International"
    assert region_of("soccer_league_of_nowhere") is None


@pytest.mark.parametrize("body", [b'{"message": "Unknown sport"}', b"not json"])
def test_an_error_object_is_not_an_answer(body: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        parse(body, NOW, "soccer_epl", SETTINGS)


class Server:
    """Answers from a list of responses and remembers what it was asked."""

    def __init__(self, *responses: HttpResponse) -> None:
        self.responses = list(responses)
        self.urls: list[str] = []

    def __call__(self, url: str, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> HttpResponse:
        self.urls.append(url)
        return self.responses.pop(0)


def provider(server: Server, *sports: str, attempts: int = 2) -> TheOddsApiProvider:
    transport = HttpTransport(
        policy=RetryPolicy(attempts=attempts), opener=server, sleep=lambda _: None, uniform=lambda _, high: high
    )
    return TheOddsApiProvider(transport, lambda: NOW, lambda: KEY, TheOddsApiSettings(sports=sports))


def test_one_request_a_sport_with_the_documented_parameters() -> None:
    server = Server(HttpResponse(200, BODY, {"x-requests-remaining": "481"}))
    snapshot = provider(server, "soccer_epl").fetch(NOW)
    assert server.urls == [
        (
            "https://api.the-odds-api.com/v4/sports/soccer_epl/odds?apiKey=made-up-key&regions=eu&markets=h2h"
            "&oddsFormat=decimal&dateFormat=iso"
        )
    ]
    assert len(snapshot.markets) == 3
    assert snapshot.notes == ("481 requests remaining on the key",)
    assert snapshot.raw == {"soccer_epl.json": BODY}


def test_a_429_is_tried_again() -> None:
    server = Server(HttpResponse(429, b""), HttpResponse(200, BODY))
    assert len(provider(server, "soccer_epl").fetch(NOW).markets) == 3


def test_a_sport_that_fails_leaves_a_note_and_the_others_stand() -> None:
    server = Server(HttpResponse(422, b""), HttpResponse(200, BODY))
    snapshot = provider(server, "soccer_nowhere", "soccer_epl").fetch(NOW)
    assert len(snapshot.markets) == 3
    assert "soccer_nowhere" in snapshot.notes[0]
    assert KEY not in " ".join(snapshot.notes)


def test_when_every_sport_fails_the_provider_is_unavailable_and_the_key_stays_secret() -> None:
    server = Server(HttpResponse(401, b""))
    with pytest.raises(ProviderUnavailable) as failure:
        provider(server, "soccer_epl").fetch(NOW)
    assert KEY not in failure.value.message
    assert "apiKey=***" in failure.value.message
    assert len(server.urls) == 1  # a refused key is final
    with pytest.raises(ProviderUnavailable, match="no sport"):
        provider(Server()).fetch(NOW)


def test_the_key_is_not_in_the_provider_s_repr() -> None:
    assert KEY not in repr(provider(Server(), "soccer_epl"))
