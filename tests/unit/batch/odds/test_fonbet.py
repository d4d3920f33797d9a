"""Fonbet's line, on answers built by hand from its schema."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from batch.odds.providers.base import MarketOdds, OddsSnapshot
from batch.odds.providers.fonbet import FonbetProvider, FonbetSettings, parse
from batch.odds.providers.transport import HttpResponse, HttpTransport
from chalicelib.errors import ProviderUnavailable

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2024, 3, 30, 13, 0, tzinfo=UTC)


@pytest.fixture(name="snapshot")
def fixture_snapshot() -> OddsSnapshot:
    return parse((FIXTURES / "fonbet_line.json").read_bytes(), NOW)


def row(snapshot: OddsSnapshot, event_id: str) -> MarketOdds:
    (only,) = [market for market in snapshot.markets if market.event_id == event_id]
    return only


def test_a_match_becomes_one_row_with_its_three_prices(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "101") == MarketOdds(
        provider="fonbet",
        event_id="101",
        region="England",
        league="England. Premier League",
        home_team="Manchester Utd",
        away_team="Wolverhampton",
        kickoff=datetime(2024, 3, 30, 14, 0, tzinfo=UTC),
        odds=(1.67, 4.05, 4.3),
        suspended=False,
        collected_at=NOW,
        sex=0,
        home_team_id="901",
        away_team_id="902",
        url="https://fon.bet/sports/football/11918/101",
    )


def test_only_main_soccer_matches_give_rows(snapshot: OddsSnapshot) -> None:
    assert [market.event_id for market in snapshot.markets] == [
        "106", "101", "102", "103", "105", "107", "116", "104", "117", "118",
    ]  # fmt: skip
    assert snapshot.skipped == {
        "sub-event": 1,
        "placeholder teams": 2,
        "no two teams": 1,
        "not a main event": 1,
        "malformed event": 1,
    }


def test_a_sub_event_never_lends_its_prices_to_the_match(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "101").odds == (1.67, 4.05, 4.3)  # not the corners' 1.4, 9.0, 2.9 with the same factor ids


def test_a_blocked_match_is_suspended_although_its_prices_are_still_sent(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "102").suspended
    assert row(snapshot, "102").odds is None


def test_a_partial_block_closes_the_market_only_if_it_names_one_of_its_three_factors(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "103").suspended  # 922 is blocked
    assert not row(snapshot, "101").suspended  # only 930, a total, is
    assert not row(snapshot, "105").suspended  # stated as unblocked


def test_a_missing_draw_or_a_price_of_one_closes_the_market(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "104").odds is None
    assert row(snapshot, "117").odds is None


def test_a_match_not_active_is_suspended(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "107").suspended


def test_women_are_recognised_by_the_segment_and_by_unspaced_suffixes(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "105").sex == 1
    assert row(snapshot, "101").sex == 0


def test_a_live_match_carries_its_score_and_its_live_page(snapshot: OddsSnapshot) -> None:
    live = row(snapshot, "106")
    assert live.is_live
    assert live.live_score == "2:0"
    assert live.url == "https://fon.bet/live/football/11950/106"
    assert row(snapshot, "101").live_score is None  # its 0:0 before kickoff is no score


def test_the_region_comes_from_the_name_else_from_the_number(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "101").region == "England"  # 826 alone could be Scotland
    assert row(snapshot, "104").region == "Spain"  # 724
    assert row(snapshot, "106").region == "International"  # 1
    assert row(snapshot, "116").region is None


def test_an_unreadable_start_is_an_unknown_kickoff(snapshot: OddsSnapshot) -> None:
    assert row(snapshot, "118").kickoff is None


def test_the_flat_factors_of_2019_and_russian_names_are_read() -> None:
    snapshot = parse((FIXTURES / "fonbet_line_2019.json").read_bytes(), NOW)
    men, women = row(snapshot, "301"), row(snapshot, "302")
    assert men.odds == (2.05, 3.5, 3.7)
    assert (men.region, men.sex) == ("England", 0)
    assert women.odds == (1.6, 3.9, 5.2)
    assert (women.region, women.sex) == ("Russia", 1)


@pytest.mark.parametrize("state", ["blocked", "frozen", None, "partial"])
def test_a_block_whose_extent_is_unknown_shuts_the_whole_match(state: str | None) -> None:
    line = json.loads((FIXTURES / "fonbet_line.json").read_bytes())
    line["eventBlocks"] = [{"eventId": 101, "state": state}]  # a partial one without its factors
    assert row(parse(json.dumps(line).encode(), NOW), "101").suspended


@pytest.mark.parametrize("value", [None, "1.9", True, float("inf"), -2.0])
def test_a_price_that_is_not_a_number_closes_the_market(value: object) -> None:
    line = json.loads((FIXTURES / "fonbet_line.json").read_bytes())
    line["customFactors"][0]["factors"][1]["v"] = value
    assert row(parse(json.dumps(line).encode(), NOW), "101").odds is None


@pytest.mark.parametrize("body", [b"<html>blocked</html>", b"[]", b'{"sports": [], "events": []}', b"\xff\xfe"])
def test_an_answer_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        parse(body, NOW)


def test_the_provider_asks_for_the_whole_line_of_its_settings() -> None:
    requests: list[tuple[str, Mapping[str, str]]] = []

    def opener(url: str, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> HttpResponse:
        assert timeout_seconds > 0
        assert max_bytes > 0
        requests.append((url, headers))
        return HttpResponse(200, (FIXTURES / "fonbet_line.json").read_bytes())

    settings = FonbetSettings(base_url="https://line.example/ma/", scope_market=2300, site_url="https://pari.example")
    provider = FonbetProvider(HttpTransport(opener=opener), clock=lambda: NOW, settings=settings)
    snapshot = provider.fetch(NOW)
    ((url, headers),) = requests
    assert url == "https://line.example/ma/events/list?lang=en&version=0&scopeMarket=2300"
    assert headers["Origin"] == "https://pari.example"
    assert headers["Referer"] == "https://pari.example/"
    assert snapshot.collected_at == NOW
    assert row(snapshot, "101").url == "https://pari.example/sports/football/11918/101"
    assert snapshot.raw["line.json"].startswith(b"{")


def test_a_live_line_refuses_to_answer_for_the_past() -> None:
    def opener(url: str, headers: Mapping[str, str], timeout_seconds: float, max_bytes: int) -> HttpResponse:
        raise AssertionError(f"nothing is fetched: {url} {headers} {timeout_seconds} {max_bytes}")

    provider = FonbetProvider(HttpTransport(opener=opener), clock=lambda: NOW)
    with pytest.raises(ProviderUnavailable, match="only current prices"):
        provider.fetch(datetime(2024, 3, 29, tzinfo=UTC))
