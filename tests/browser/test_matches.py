"""The list of matches and its filters, on the sample's spring 2024."""

import csv
import io
import math
import re
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, expect

from tests.browser.board import Board, make_card
from tests.support.throwaway import RunningStack


@pytest.fixture(scope="module")
def cards(stack: RunningStack) -> list[dict[str, Any]]:
    """All cards of the champion, as the API gives them."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        parameters = {"limit": "5000", **({"cursor": cursor} if cursor else {})}
        answer = requests.get(f"{stack.base_url}/predict/cards/", params=parameters, timeout=30)
        found += answer.json()
        cursor = answer.headers.get("x-next-cursor")
        if cursor is None:
            return found


def of(cards: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    return [card for card in cards if all(card[name] == value for name, value in wanted.items())]


def test_the_board_opens_on_the_upcoming_matches_whatever_the_browsers_clock_says(
    board: Board, cards: list[dict[str, Any]]
) -> None:
    board.open()
    upcoming = of(cards, status="upcoming")
    assert board.results == len(upcoming)
    first = board.matches.first
    expect(first).to_contain_text(upcoming[0]["home_team"])
    expect(first).to_contain_text(upcoming[0]["league"])
    expect(board.page.locator(".day h2").first).to_have_text(re.compile("^Monday,? 1 April 2024$"))
    # 19:00 UTC is 20:00 in London, where summer time has begun the day before.
    expect(first.locator("time")).to_have_text("20:00")
    expect(board.page.locator("#ages")).to_contain_text("Replay")


def shown_chances(row: Locator, forecast: str) -> list[str]:
    """The three numbers of a forecast, without what only a screen reader says."""
    cells = row.locator(f"[data-forecast={forecast}] td").all_inner_texts()
    return [text.split()[0] for text in cells]


def test_a_row_shows_what_its_card_holds(board: Board, cards: list[dict[str, Any]]) -> None:
    card = next(card for card in of(cards, status="upcoming") if card["odds_home"])
    flag = {"value_bet": "home", "kelly_quarter": 0.0123, "edge_home": 0.0671, "pooled_edge_home": 0.0671}
    board.change_cards(lambda rows: [row | flag if row["match_id"] == card["match_id"] else row for row in rows])
    board.open()
    row = board.page.locator(f'.match[data-match="{card["match_id"]}"]')
    for outcome in ("home", "draw", "away"):
        expect(row.locator(".odds")).to_contain_text(f"{card[f'odds_{outcome}']:.2f}")
    model = [f"{100 * card[f'proba_{name}']:.0f}%" for name in ("home", "draw", "away")]
    market = [f"{100 * card[f'implied_{name}']:.0f}%" for name in ("home", "draw", "away")]
    assert shown_chances(row, "model") == model
    assert shown_chances(row, "market") == market
    label = card["predicted_label"]
    expect(row.locator("[data-forecast=model] .pick")).to_contain_text(f"{100 * card[f'proba_{label}']:.0f}%")
    expect(row.locator(".badge.value")).to_have_text("Value: Home +6.7%")
    expect(row.locator(".kelly")).to_have_text("¼ Kelly 1.2%")
    expect(row.locator(".elo").first).to_have_text(f"Elo {card['home_elo']:.0f}")
    expect(row.locator(".form").first).to_have_text(card["home_form"])


def test_a_finished_match_shows_its_result_and_whether_the_model_was_right(
    board: Board, cards: list[dict[str, Any]]
) -> None:
    board.open("?status=finished")
    last = max(of(cards, status="finished"), key=lambda card: (card["match_date"], card["match_id"]))
    first = board.matches.first
    assert first.get_attribute("data-match") == str(last["match_id"])
    assert first.locator(".score").all_inner_texts() == [str(last["home_score"]), str(last["away_score"])]
    expect(first.locator(".badge").first).to_contain_text("Right" if last["is_correct"] else "Wrong")


def test_region_and_league_narrow_the_list_and_stand_in_the_address(board: Board, cards: list[dict[str, Any]]) -> None:
    board.open("?status=all")
    board.load_older()
    board.page.select_option("#filter-region", "Spain")
    assert board.results == len(of(cards, region="Spain"))
    board.page.select_option("#filter-league", "La Liga")
    assert board.results == len(of(cards, region="Spain", league="La Liga"))
    assert board.query == "status=all&region=Spain&league=La+Liga"
    board.page.reload()
    board.settled()
    board.load_older()
    assert board.results == len(of(cards, region="Spain", league="La Liga"))
    expect(board.page.locator("#filter-league")).to_have_value("La Liga")


def test_each_status_shows_its_matches(board: Board, cards: list[dict[str, Any]]) -> None:
    board.open()
    board.reach("finished")
    board.load_older()
    assert board.results == len(of(cards, status="finished"))
    board.reach("all")
    assert board.results == len(cards)
    board.status("live")
    expect(board.page.locator("#list-state")).to_contain_text("No matches being played in this release")
    board.status("upcoming")
    assert board.results == len(of(cards, status="upcoming"))


def teams(card: dict[str, Any]) -> set[str]:
    return {card["home_team"], card["away_team"]}


def test_teams_are_found_by_the_beginnings_of_words_in_any_case_and_without_accents(
    board: Board, cards: list[dict[str, Any]]
) -> None:
    board.open()
    board.page.fill("#filter-team", "ARSEN")
    wanted = [c for c in of(cards, status="upcoming") if "Arsenal" in teams(c)]
    assert board.results == len(wanted) > 0
    # A spelling of the alias table, fetched after the first screen.
    board.page.fill("#filter-team", "spurs")
    wanted = [c for c in of(cards, status="upcoming") if "Tottenham Hotspur" in teams(c)]
    expect(board.page.locator("#results")).to_have_text(re.compile(rf"^{len(wanted)} matches"))
    # Each word begins a word of either team.
    board.page.fill("#filter-team", "barcel real madr")
    wanted = [c for c in of(cards, status="upcoming") if {"Barcelona", "Real Madrid"} <= teams(c)]
    assert board.results == len(wanted)
    board.change_cards(lambda rows: [row | {"home_team": "Málaga CF"} for row in rows[:1]])
    board.open("?team=malaga")
    assert board.results == 1


def test_periods_count_from_the_services_now(board: Board, cards: list[dict[str, Any]]) -> None:
    board.open()
    board.page.select_option("#filter-period", "7")
    # Within seven days of the service's clock, midnight of 1 April.
    week = [card for card in of(cards, status="upcoming") if card["match_date"] < "2024-04-08T00:00:00Z"]
    assert board.results == len(week)
    board.reach("finished")
    before = [card for card in of(cards, status="finished") if card["match_date"] >= "2024-03-25T00:00:00Z"]
    assert board.results == len(before)


def test_a_period_of_ones_own_includes_both_days(board: Board, cards: list[dict[str, Any]]) -> None:
    board.open("?status=all")
    board.page.select_option("#filter-period", "custom")
    board.page.fill("#filter-from", "2024-03-30")
    board.page.fill("#filter-to", "2024-03-31")
    # 31 March begins in London's winter time and ends in its summer time, an hour early.
    wanted = [card for card in cards if "2024-03-30T00:00:00Z" <= card["match_date"] < "2024-03-31T23:00:00Z"]
    assert board.results == len(wanted) > 0
    assert board.query == "status=all&from=2024-03-30&to=2024-03-31"


def test_one_jumps_to_a_date_whether_it_is_over_or_to_come(board: Board, cards: list[dict[str, Any]]) -> None:
    asked: list[str] = []
    board.page.on("request", lambda request: asked.append(request.url) if "/predict/cards/" in request.url else None)
    board.open()
    day = board.page.locator("#filter-day")
    day.fill("2024-04-06")
    assert board.query == "from=2024-04-06&to=2024-04-06"
    # Midnight in London is 23:00 UTC of the day before.
    coming = [c for c in cards if "2024-04-05T23:00:00Z" <= c["match_date"] < "2024-04-06T23:00:00Z"]
    assert board.results == len(coming) > 0
    # Years back: the day's matches alone are fetched beside the last year's.
    asked.clear()
    day.fill("2014-10-25")
    board.settled()
    past = [c for c in cards if c["match_date"].startswith("2014-10-25")]
    assert board.results == len(past) > 0
    assert board.query == "status=finished&from=2014-10-25&to=2014-10-25"
    assert sum("status=finished" in url for url in asked) <= 4
    expect(board.page.locator(".day h2")).to_have_text([re.compile("25 October 2014")])
    board.page.get_by_role("button", name="Remove filter on 2014-10-25").click()
    assert board.results == len([c for c in of(cards, status="finished") if c["match_date"] >= "2023-02-25"])


def test_value_bets_only(board: Board, cards: list[dict[str, Any]]) -> None:
    upcoming = of(cards, status="upcoming")
    flagged = {card["match_id"] for card in upcoming[::3]}
    board.change_cards(
        lambda rows: [row | {"value_bet": "draw" if row["match_id"] in flagged else None} for row in rows]
    )
    board.open()
    board.page.check("#filter-value")
    assert board.results == len(flagged)
    assert board.query == "value_only=true"


def test_the_limits_of_a_regions_return_are_those_that_make_a_difference(
    board: Board, cards: list[dict[str, Any]]
) -> None:
    roi = {card["region"]: card["region_roi"] for card in cards if card["region_roi"] is not None}
    stops = sorted({math.floor(100 * value) / 100 for value in roi.values()})
    board.open()
    options = board.page.locator("#filter-roi option")
    assert [option.get_attribute("value") for option in options.all()] == ["", *(f"{stop:g}" for stop in stops)]
    board.page.select_option("#filter-roi", f"{stops[-1]:g}")
    wanted = [c for c in of(cards, status="upcoming") if c["region_roi"] is not None and c["region_roi"] >= stops[-1]]
    assert 0 < board.results == len(wanted) < len(of(cards, status="upcoming"))
    assert board.query == f"min_region_roi={stops[-1]:g}"
    board.page.select_option("#filter-roi", "")
    assert board.results == len(of(cards, status="upcoming"))


def test_the_challengers_predictions_are_a_choice_away(board: Board, stack: RunningStack) -> None:
    parameters = {"stage": "challenger", "status": "upcoming", "limit": "1"}
    (first,) = requests.get(f"{stack.base_url}/predict/cards/", params=parameters, timeout=30).json()
    board.open()
    board.page.select_option("#filter-stage", "challenger")
    board.settled()
    assert board.query == "stage=challenger"
    assert shown_chances(board.matches.first, "model")[0] == f"{100 * first['proba_home']:.0f}%"


def test_back_and_forward_walk_through_the_filters(board: Board) -> None:
    board.open()
    everything = board.results
    board.page.select_option("#filter-region", "England")
    board.page.check("#filter-value")
    narrowed = board.results
    board.page.go_back()
    expect(board.page.locator("#filter-value")).not_to_be_checked()
    board.page.go_back()
    expect(board.page.locator("#filter-region")).to_have_value("")
    assert board.results == everything
    board.page.go_forward()
    board.page.go_forward()
    assert board.results == narrowed


def test_chips_take_filters_away(board: Board) -> None:
    board.open("?region=Spain&value_only=true")
    board.page.get_by_role("button", name="Remove filter Spain").click()
    assert board.query == "value_only=true"
    board.page.select_option("#filter-region", "England")
    board.page.get_by_role("button", name="Clear all").click()
    assert board.query == ""


def test_the_address_without_its_slash_works_too(board: Board) -> None:
    board.open(path="/ui", query="?region=Spain")
    assert board.results > 0
    board.page.get_by_role("link", name="Track record").click()
    expect(board.page.get_by_role("heading", name="Track record")).to_be_visible()


def test_an_address_made_up_by_hand_falls_back_to_what_is_usual(board: Board) -> None:
    board.open("?status=nonsense&min_region_roi=x&from=2024-99-99&match=-1&view=%3Cscript%3E")
    assert board.results > 0
    expect(board.page.locator("#tab-matches")).to_have_attribute("aria-current", "page")


def test_the_list_grows_as_one_reads_on(board: Board) -> None:
    board.open("?status=all")
    assert board.matches.count() < 300
    before = board.matches.count()
    board.page.locator("footer").scroll_into_view_if_needed()
    expect(board.matches.nth(before)).to_be_attached()


def test_export_holds_exactly_what_is_shown(board: Board, cards: list[dict[str, Any]]) -> None:
    board.open("?status=finished&region=Spain&from=2024-01-01")
    with board.page.expect_download() as waiting:
        board.page.click("#export")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8-sig"))))
    wanted = [c for c in of(cards, status="finished", region="Spain") if c["match_date"] >= "2024-01-01"]
    assert [int(row["match_id"]) for row in rows] == [card["match_id"] for card in reversed(wanted)]
    assert float(rows[0]["proba_home"]) == wanted[-1]["proba_home"]
    assert rows[0]["edge_home"] == str(wanted[-1]["edge_home"])
    assert waiting.value.suggested_filename == "matches-champion-finished.csv"


def test_a_name_that_a_spreadsheet_would_run_is_exported_as_text(board: Board) -> None:
    names = ['=HYPERLINK("http://evil")', "+1+1", "-2", "@SUM(A1)", '  =1,"x"']
    hostile = [make_card(match_id=i + 1, home_team=name, edge_home=-0.5) for i, name in enumerate(names)]
    board.page.route(
        lambda url: "/predict/cards/" in url,
        lambda route: route.fulfill(json=hostile if "status=upcoming" in route.request.url else []),
    )
    board.open()
    with board.page.expect_download() as waiting:
        board.page.click("#export")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text("utf-8-sig"))))
    assert [row["home_team"] for row in rows] == [f"'{name}" for name in names]
    # A negative number is a number.
    assert rows[0]["edge_home"] == "-0.5"


def test_a_team_named_script_is_text(board: Board) -> None:
    name = "<script>window.hit=1</script><img src=x onerror=window.hit=1>"
    url = "javascript:window.hit=1"
    board.change_cards(
        lambda rows: [row | {"home_team": name, "region": name, "league": name, "fonbet_url": url} for row in rows]
    )
    board.open()
    expect(board.matches.first.locator(".name").first).to_have_text(name)
    expect(board.page.locator(".matches script, .matches img, .match .outside")).to_have_count(0)
    board.page.select_option("#filter-region", name)
    expect(board.page.locator(".chip").first).to_contain_text(name)
    board.open_first()
    expect(board.page.locator("#match-title")).to_contain_text(name)
    assert board.page.evaluate("window.hit") is None


def test_a_match_being_played_shows_its_score_and_the_bookmakers_page(board: Board) -> None:
    live = make_card(status="live", live_score="2:1", fonbet_url="https://fon.bet/sports/football/1/2", match_id=7)
    board.page.route(
        lambda url: "/predict/cards/" in url,
        lambda route: route.fulfill(json=[live] if "status=live" in route.request.url else []),
    )
    board.open("?status=live")
    assert board.matches.first.locator(".score").all_inner_texts() == ["2", "1"]
    link = board.matches.first.locator(".outside")
    expect(link).to_have_attribute("href", "https://fon.bet/sports/football/1/2")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_refresh_fetches_the_new_score(board: Board) -> None:
    scores = iter(["0:0", "1:0", "1:0", "1:0"])

    def cards_at(url: str) -> list[dict[str, Any]]:
        return [make_card(status="live", live_score=next(scores))] if "status=live" in url else []

    board.page.route(
        lambda url: "/predict/cards/" in url, lambda route: route.fulfill(json=cards_at(route.request.url))
    )
    board.open("?status=live")
    assert board.matches.first.locator(".score").all_inner_texts() == ["0", "0"]
    board.page.click("#refresh")
    expect(board.matches.first.locator(".score").first).to_have_text("1")


def test_a_kickoff_that_is_not_known_is_said_to_be_so(board: Board) -> None:
    unknown = make_card(match_id=1, match_date=None)
    # A day without a time must not become the day before in a zone west of Greenwich.
    day = make_card(match_id=2, match_date="2024-04-07T00:00:00Z")
    board.page.route(
        lambda url: "/predict/cards/" in url,
        lambda route: route.fulfill(json=[unknown, day] if "status=upcoming" in route.request.url else []),
    )
    board.open()
    headings = [text.replace(",", "") for text in board.page.locator(".day h2").all_inner_texts()]
    assert headings == ["Sunday 7 April 2024", "Date to be confirmed"]
    expect(board.page.locator(".match time")).to_have_count(0)


def test_ten_thousand_matches_are_filtered_within_a_frame_or_two(board: Board) -> None:
    many = [
        make_card(match_id=i + 1, home_team=f"Team {i % 500}", region=f"Region {i % 20}", league=f"League {i % 40}")
        for i in range(10_000)
    ]

    def cards_at(url: str) -> list[dict[str, Any]]:
        return many if "status=upcoming" in url else []

    board.page.route(
        lambda url: "/predict/cards/" in url, lambda route: route.fulfill(json=cards_at(route.request.url))
    )
    board.open()
    assert board.results == 10_000
    assert board.matches.count() < 300
    board.page.select_option("#filter-region", "Region 3")
    assert board.results == 500
    board.page.fill("#filter-team", "team 43")
    # Of Team 43 and Teams 430 to 439 only the first is at home in Region 3: 43 is 3 more than a multiple of 20.
    assert board.results == 20


def test_all_of_it_can_be_done_with_the_keyboard(board: Board) -> None:
    board.open()
    page = board.page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the matches")).to_be_focused()
    board.matches.first.locator(".open").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#match-title")).to_be_focused()
    page.go_back()
    board.settled()
    page.locator("#filter-status input:checked").focus()
    page.keyboard.press("ArrowRight")
    assert board.query == "status=live"


def test_light_and_dark_are_kept(board: Board) -> None:
    board.open()
    root = board.page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    board.page.click("#theme")
    expect(root).to_have_attribute("data-theme", "dark")
    board.page.reload()
    expect(root).to_have_attribute("data-theme", "dark")


def test_the_line_about_betting_is_there(board: Board) -> None:
    board.open()
    expect(board.page.locator("footer")).to_contain_text("18+. Research, not betting advice")
