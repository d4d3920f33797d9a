"""When there is nothing to show, not yet, not any more, or only something old."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from playwright.sync_api import Route, expect

from tests.browser.board import Board, make_card

pytestmark = pytest.mark.usefixtures("failing_calls")
NOT_YET = {"statusCode": 503, "message": "no data release has been published yet"}


def test_before_the_first_release_the_board_says_so_and_can_be_tried_again(board: Board) -> None:
    board.answer("/predict/cards/", 503, NOT_YET, {"Retry-After": "5"})
    board.open()
    alert = board.page.get_by_role("alert")
    expect(alert).to_contain_text("Not available yet")
    expect(alert).to_contain_text("No data release has been published yet.")
    expect(alert).to_contain_text("trying again in 5 seconds")
    board.page.unroute_all()
    alert.get_by_role("button", name="Try again").click()
    board.settled()
    assert board.results > 0
    expect(board.page.get_by_role("alert")).to_have_count(0)


def test_returns_that_are_not_there_yet_leave_the_rest_of_the_page_alone(board: Board) -> None:
    board.answer("/predict/region-roi/", 503, {"statusCode": 503, "message": "no roi_by_region yet"})
    board.open("?view=value")
    expect(board.page.get_by_role("alert")).to_contain_text("No roi_by_region yet.")
    board.page.unroute_all()
    board.page.get_by_role("button", name="Try again").click()
    expect(board.page.locator("table.roi")).to_be_visible()


def test_a_stage_without_a_model_says_so_and_the_other_still_works(board: Board) -> None:
    board.answer("/predict/cards/", 503, {"statusCode": 503, "message": "no model for the stage challenger"})
    board.open("?stage=challenger")
    expect(board.page.get_by_role("alert")).to_contain_text("No model for the stage challenger.")
    board.page.unroute_all()
    board.page.select_option("#filter-stage", "champion")
    board.settled()
    assert board.results > 0


def test_without_a_connection_the_board_says_so(board: Board) -> None:
    board.page.route(lambda url: "/predict/cards/" in url, lambda route: route.abort())
    board.open()
    expect(board.page.get_by_role("alert")).to_contain_text("No connection")


def test_a_page_of_a_proxy_instead_of_json_is_an_error_and_not_a_crash(board: Board) -> None:
    board.page.route(
        lambda url: "/predict/cards/" in url, lambda route: route.fulfill(status=502, body="<html>Bad gateway</html>")
    )
    board.open()
    expect(board.page.get_by_role("alert")).to_contain_text("The service answered 502.")


def test_nothing_that_fits_is_said_and_the_filters_can_be_cleared(board: Board) -> None:
    board.open("?team=nobody")
    expect(board.page.locator("#list-state")).to_contain_text("No upcoming matches fit these filters")
    expect(board.page.locator("#export")).to_be_disabled()
    board.page.get_by_role("button", name="Clear filters").click()
    assert board.results > 0


def test_a_release_without_matches_is_an_empty_board(board: Board) -> None:
    board.answer("/predict/cards/", 200, [])
    board.open()
    expect(board.page.locator("#list-state")).to_contain_text("No upcoming matches in this release")
    board.answer("/predict/track-record/", 503, {"statusCode": 503, "message": "no track_record yet"})
    board.page.get_by_role("link", name="Track record").click()
    expect(board.page.locator("#view-record")).to_contain_text("No finished match to judge the model by")
    board.page.get_by_role("link", name="Value bets").click()
    expect(board.page.locator("#view-value")).to_contain_text("No settled match with odds in this release yet")
    expect(board.page.locator("#view-value")).to_contain_text("No settled value bet here")


def test_a_release_without_odds_says_so(board: Board) -> None:
    board.page.route(
        lambda url: "/predict/cards/" in url,
        lambda route: route.fulfill(json=[make_card()] if "status=upcoming" in route.request.url else []),
    )
    board.open()
    expect(board.page.locator("#no-odds")).to_be_visible()
    expect(board.matches.first).to_contain_text("No market odds")
    expect(board.page.locator("#filter-roi")).to_be_disabled()


def test_a_closed_market_has_odds_and_no_edge(board: Board) -> None:
    closed = make_card(odds_home=2.0, odds_draw=3.5, odds_away=4.0, odds_collected_at="2024-04-05T12:00:00Z")
    board.page.route(
        lambda url: "/predict/cards/" in url,
        lambda route: route.fulfill(json=[closed] if "status=upcoming" in route.request.url else []),
    )
    board.open()
    expect(board.matches.first.locator(".odds")).to_contain_text("market closed")


def test_old_predictions_are_called_old(board: Board) -> None:
    def respond(route: Route) -> None:
        headers = {
            "Last-Modified": format_datetime(datetime(2024, 4, 1, tzinfo=UTC), usegmt=True),
            "Date": format_datetime(datetime(2024, 4, 4, tzinfo=UTC), usegmt=True),
        }
        route.fulfill(json=[make_card()], headers=headers)

    board.page.route(lambda url: "/predict/cards/" in url, respond)
    board.open()
    expect(board.page.locator("#stale")).to_contain_text("These predictions are 3 days old")
    expect(board.page.locator("#ages")).to_contain_text("Predictions 3 days old")


def test_while_matches_are_on_their_way_shapes_stand_for_them(board: Board) -> None:
    held: list[Route] = []

    released = False

    def hold(route: Route) -> None:
        if released:
            route.fulfill(json=[])
        else:
            held.append(route)

    board.page.route(lambda url: "/predict/cards/" in url, hold)
    board.page.goto(f"{board.base_url}/ui/")
    expect(board.page.locator("#list-state .skeleton")).to_be_visible()
    released = True
    for route in held:
        route.fulfill(json=[])
    expect(board.page.locator("#list-state .skeleton")).to_have_count(0)


def test_older_matches_wait_for_a_click(board: Board) -> None:
    def respond(route: Route) -> None:
        url = route.request.url
        if "status=finished" not in url:
            route.fulfill(json=[make_card()] if "status=upcoming" in url else [])
            return
        year, first = ("2020", 100) if "to=" in url else ("2024", 10)
        when = f"{year}-01-01T15:00:00Z"
        rows = [make_card(match_id=first + i, status="finished", outcome_1x2="home", match_date=when) for i in range(3)]
        route.fulfill(json=rows)

    board.page.route(lambda url: "/predict/cards/" in url, respond)
    board.open("?status=finished")
    expect(board.page.locator("#results")).to_have_text("3 matches · since 3 Mar 2023")
    expect(board.page.locator("#older")).to_contain_text("4 matches are loaded; there are older ones.")
    board.page.get_by_role("button", name="Load older matches").click()
    expect(board.page.locator("#results")).to_have_text("6 matches")
    expect(board.page.locator("#older")).to_have_count(0)


def test_no_script_or_style_of_another_origin_is_let_in(board: Board) -> None:
    asked: list[str] = []
    board.page.on("request", lambda request: asked.append(request.url))
    board.open()
    origin = board.base_url.split("/_aws")[0]
    assert [url for url in asked if not url.startswith((origin, "data:", "blob:"))] == []
