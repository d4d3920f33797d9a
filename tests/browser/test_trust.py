"""Nothing on the board misleads, jumps or disappears: each case is one that went wrong before."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.board import Board, make_card
from tests.browser.conftest import watch
from tests.support.throwaway import RunningStack

ODDS = {"odds_home": 1.9, "odds_draw": 3.6, "odds_away": 4.2, "edge_home": -0.05, "edge_draw": 0.08, "edge_away": -0.16}
MARKET = {"implied_home": 0.51, "implied_draw": 0.27, "implied_away": 0.22}


def serve(board: Board, cards: list[dict[str, Any]], headers: dict[str, str] | None = None) -> None:
    """Answer with these cards, each under its own status."""

    def respond(route: Route) -> None:
        status = route.request.url.partition("status=")[2].partition("&")[0]
        route.fulfill(json=[card for card in cards if card["status"] == status], headers=headers or {})

    board.page.route(lambda url: "/predict/cards/" in url, respond)


def http_date(day: int) -> str:
    return format_datetime(datetime(2024, 4, day, tzinfo=UTC), usegmt=True)


# ── Ages and replays ─────────────────────────────────────────────────────────────────────────────────


def test_old_predictions_beside_fresh_odds_are_called_old(board: Board) -> None:
    headers = {
        "Last-Modified": http_date(4),
        "Date": http_date(4),
        "x-predictions-computed-at": "2024-04-01T00:00:00Z",
        "x-clock": "2024-04-04T00:00:00Z",
    }
    serve(board, [make_card(**ODDS, odds_collected_at="2024-04-04T00:00:00Z")], headers)
    board.open()
    expect(board.page.locator("#stale")).to_contain_text("These predictions are 3 days old")
    expect(board.page.locator("#ages")).to_contain_text("Predictions 3 days old")
    expect(board.page.locator("#ages")).to_contain_text("Odds 0 s old")


def test_the_service_says_how_old_its_predictions_are(board: Board) -> None:
    with board.page.expect_response(lambda answer: "/predict/cards/" in answer.url) as waiting:
        board.open()
    headers = waiting.value.headers
    assert headers["x-predictions-computed-at"].endswith("Z")
    assert headers["x-clock"].startswith("2024-04-01T")


def test_a_replay_says_which_odds_its_clock_could_not_know(board: Board) -> None:
    headers = {"Last-Modified": http_date(4), "Date": http_date(20), "x-clock": "2024-04-04T00:00:00Z"}
    cards = [
        make_card(match_id=1, **ODDS, odds_collected_at="2024-04-06T12:00:00Z"),
        make_card(match_id=2, **ODDS, odds_collected_at="2024-04-03T12:00:00Z"),
        make_card(match_id=3),
    ]
    serve(board, cards, headers)
    board.open()
    note = board.page.locator("#replay")
    expect(note).to_contain_text("The service's clock is set to 4 Apr 2024")
    expect(note).to_contain_text("1 of 3 upcoming matches carry odds collected after that clock")


def test_the_time_zone_stands_over_the_list(board: Board) -> None:
    board.open()
    expect(board.page.locator(".list-head .legend")).to_have_text("Times in Europe/London (GMT+1)")


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", [1100, 1280, 1500, 1920])
def test_rows_without_odds_stand_in_the_same_columns(board: Board, width: int) -> None:
    serve(board, [make_card(match_id=1, **ODDS, **MARKET), make_card(match_id=2)])
    board.page.set_viewport_size({"width": width, "height": 900})
    board.open()
    boxes = [
        {part: match.locator(f".{part}").bounding_box() for part in ("teams", "chances", "prices", "verdict")}
        for match in board.matches.all()
    ]
    with_odds, without = boxes
    for part, box in with_odds.items():
        assert box is not None
        other = without[part]
        assert other is not None
        assert other["x"] == pytest.approx(box["x"], abs=1), part
        assert other["width"] == pytest.approx(box["width"], abs=1), part


@pytest.mark.parametrize("width", [320, 390, 1100, 1280, 1500, 1920])
def test_every_probability_is_written_out_and_none_is_cut(board: Board, width: int) -> None:
    small = {"proba_home": 0.93, "proba_draw": 0.05, "proba_away": 0.02}
    long = {"home_team": "Wolverhampton Wanderers", "away_team": "Brighton & Hove Albion"}
    serve(board, [make_card(match_id=1, **small, **ODDS, **MARKET), make_card(match_id=2, **long)])
    board.page.set_viewport_size({"width": width, "height": 900})
    board.open()
    texts = board.matches.first.locator("[data-forecast=model] td").all_inner_texts()
    assert [text.split()[0] for text in texts] == ["93%", "5%", "2%"]
    expect(board.matches.first.locator("[data-forecast=model] .pick")).to_contain_text("93%")
    cut = board.page.evaluate(
        "[...document.querySelectorAll('.match td, .match th, .match .name, .match time')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')"
        ".map(e => e.textContent)"
    )
    assert cut == []
    assert not board.page.evaluate("document.documentElement.scrollWidth > innerWidth")


# ── What stays where it is ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("view", "summary"), [("record", "Figures of the diagram"), ("value", "bets")])
def test_a_refresh_closes_no_table_and_takes_no_focus(board: Board, view: str, summary: str) -> None:
    board.bet_on_home_sides()
    board.page.clock.install()
    board.open(f"?view={view}")
    opened = board.page.locator("details.figures summary", has_text=summary).first
    opened.click()
    opened.focus()
    with board.page.expect_response(lambda answer: "/predict/cards/" in answer.url):
        board.page.clock.fast_forward(61_000)
    expect(board.page.locator("#announcer")).to_have_text("Up to date")
    expect(opened).to_be_focused()
    assert board.page.locator("details.figures").first.get_attribute("open") is not None


SHIFTS = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


@pytest.mark.parametrize("size", [(390, 844), (1280, 900), (1920, 1080)])
def test_nothing_jumps_while_the_page_loads(board: Board, size: tuple[int, int]) -> None:
    board.page.set_viewport_size({"width": size[0], "height": size[1]})
    board.open()
    assert board.page.evaluate(SHIFTS) < 0.05


# ── One definition ───────────────────────────────────────────────────────────────────────────────────


def test_the_difference_to_the_market_comes_with_its_interval(board: Board) -> None:
    board.open("?view=record")
    note = board.page.locator("#difference")
    expect(note).to_contain_text("Log loss, model − market:")  # noqa: RUF001 - the sign as it is shown
    expect(note).to_contain_text("95% interval")
    expect(board.page.locator("#view-record")).not_to_contain_text("noise")
    board.open("?view=model")
    expect(board.page.locator("#test-scope")).to_contain_text("the track record counts only those that are over by now")


@pytest.mark.parametrize(
    ("market_wins", "verdict"),
    [
        (4, "The model is better, and not by chance."),
        (20, "The interval holds zero: these matches do not tell the two apart."),
        (36, "The market is better, and not by chance."),
    ],
)
def test_whether_the_difference_to_the_market_is_noise_is_up_to_its_interval(
    board: Board, market_wins: int, verdict: str
) -> None:
    # The log losses of these matches differ by ln 2 each: no figure of theirs looks like a fixed limit of noise.
    over = {"status": "finished", "is_future": False, "match_date": "2024-03-30T18:00:00Z", "outcome_1x2": "home"}
    timely = {**ODDS, "odds_collected_at": "2024-03-29T18:00:00Z"}
    likely = {"home": 0.6, "draw": 0.25, "away": 0.15}
    unlikely = {"home": 0.3, "draw": 0.45, "away": 0.25}
    cards = []
    for match in range(40):
        model, market = (unlikely, likely) if match < market_wins else (likely, unlikely)
        forecasts = {f"proba_{side}": share for side, share in model.items()}
        forecasts |= {f"implied_{side}": share for side, share in market.items()}
        cards.append(make_card(match_id=match + 1, **over, **timely, **forecasts))
    losses = np.where(np.arange(40) < market_wins, np.log(2), -np.log(2))
    mean, half = losses.mean(), 1.96 * losses.std(ddof=1) / np.sqrt(40)
    serve(board, cards)
    board.open("?view=record&region=Netherlands")
    expect(board.page.locator("#difference")).to_have_text(
        f"Log loss, model − market: {signed(mean)}, "  # noqa: RUF001 - the sign as it is shown
        f"95% interval {signed(mean - half)} to {signed(mean + half)} over 40 matches. {verdict}"
    )
    expect(board.page.locator("#view-record")).not_to_contain_text("0.015")


def signed(value: float) -> str:
    """With its sign as the board shows it, to four digits."""
    shown = round(value, 4)
    return ("+" if shown > 0 else "\u2212" if shown < 0 else "") + f"{abs(value):.4f}"


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_key_typed_in_the_header_is_noticed_by_the_model_tab(board: Board, stack: RunningStack) -> None:
    board.open("?view=model")
    panel = board.page.locator('[aria-labelledby="drift-title"]')
    expect(panel.get_by_label("Operator key")).to_be_visible()
    board.page.click("#key")
    board.page.locator("#key-dialog").get_by_label("API key").fill(stack.keys.operator)
    board.page.locator("#key-dialog").get_by_role("button", name="Use key").click()
    expect(panel.get_by_role("button", name="Show drift")).to_be_visible()


@pytest.mark.usefixtures("failing_calls")
def test_too_many_requests_keep_their_retry_after(board: Board) -> None:
    board.answer("/predict/cards/", 429, {"statusCode": 429, "message": "slow down"}, {"Retry-After": "12"})
    board.open()
    expect(board.page.get_by_role("alert")).to_contain_text("trying again in 12 seconds")


# ── Without something ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("failing_calls")
def test_without_its_script_the_page_says_what_is_wrong(board: Board) -> None:
    board.page.route(lambda url: url.endswith("/main.js"), lambda route: route.abort())
    board.page.goto(f"{board.base_url}/ui/")
    expect(board.page.locator(".boot")).to_contain_text("the page's script could not be fetched")


def test_without_javascript_the_page_says_where_the_data_are(browser: Browser, stack: RunningStack) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{stack.base_url}/ui/")
    expect(page.locator("noscript, .banner").first).to_be_attached()
    assert "predict/cards/" in page.inner_text("body")
    context.close()


@pytest.mark.usefixtures("failing_calls")
def test_without_a_later_page_of_data_the_first_is_shown_as_incomplete(board: Board) -> None:
    def respond(route: Route) -> None:
        if "cursor=" in route.request.url:
            route.fulfill(status=503, json={"statusCode": 503, "message": "no answer"}, headers={"Retry-After": "3"})
        else:
            route.fulfill(json=[make_card()], headers={"x-next-cursor": "next"})

    board.page.route(lambda url: "/predict/cards/" in url, respond)
    board.open()
    assert board.matches.count() == 1
    expect(board.page.locator("#failure")).to_contain_text("what is shown is incomplete")


def styled(browser: Browser, stack: RunningStack, **options: Any) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}, **options).new_page()
    faults = watch(page)
    Board(page, stack.base_url).open()
    assert faults == []
    return page


def test_in_forced_colours_the_pick_and_the_chosen_status_are_still_marked(
    browser: Browser, stack: RunningStack
) -> None:
    page = styled(browser, stack, forced_colors="active")
    for place in (".pick", ".segments :checked + span"):
        outline = page.locator(place).first.evaluate("e => getComputedStyle(e).outlineStyle")
        assert outline == "solid", place
    page.context.close()


def test_on_paper_there_are_matches_and_no_controls(browser: Browser, stack: RunningStack) -> None:
    page = styled(browser, stack)
    page.emulate_media(media="print")
    expect(page.locator(".match").first).to_be_visible()
    for place in (".tools", "#filter-fields", "#export", "nav"):
        expect(page.locator(place)).to_be_hidden()
    assert page.locator(".top").evaluate("e => getComputedStyle(e).position") == "static"
    page.context.close()


@pytest.mark.parametrize(
    "query", ["", "?view=tables", "?view=record", "?view=value", "?view=model", "?club=Arsenal&country=England"]
)
def test_at_320_pixels_nothing_lies_outside(board: Board, query: str) -> None:
    board.page.set_viewport_size({"width": 320, "height": 800})
    board.open(query)
    assert board.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_on_a_phone_the_tab_of_the_page_is_in_sight(board: Board) -> None:
    board.page.set_viewport_size({"width": 390, "height": 844})
    board.open("?view=model")
    expect(board.page.locator("#tab-model")).to_be_in_viewport(ratio=1)


# ── What is fetched ──────────────────────────────────────────────────────────────────────────────────


def test_the_past_is_fetched_when_it_is_asked_for(board: Board) -> None:
    asked: list[str] = []
    board.page.on("request", lambda request: asked.append(request.url) if "/predict/cards/" in request.url else None)
    board.open()
    assert [url for url in asked if "status=finished" in url] == []
    board.reach("finished")
    assert [url for url in asked if "status=finished" in url and "from=" in url] != []
    assert [url for url in asked if "status=finished" in url and "to=" in url] == []
