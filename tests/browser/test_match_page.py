"""A match page: forecasts, what the model weighs, what-if, ratings, form and meetings, as the release has them."""

import io
import json
from typing import Any

import pandas as pd
import pytest
import requests
from playwright.sync_api import expect

from tests.browser.board import Board
from tests.support.released import dataset
from tests.support.throwaway import RunningStack


@pytest.fixture(scope="module")
def predictions(stack: RunningStack) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(dataset(stack, "predictions")))


@pytest.fixture(scope="module")
def match_id(stack: RunningStack) -> int:
    """An upcoming match."""
    (match,) = requests.get(f"{stack.base_url}/predict/matches/", params={"limit": "1"}, timeout=30).json()
    return int(match["match_id"])


def chances(board: Board, forecast: str, part: str = "#view-match") -> list[float]:
    """A row of probabilities, unrounded."""
    return [
        float(text)
        for text in board.everything(f"{part} [data-forecast={forecast}] [data-probability]", "data-probability")
    ]


def of(answer: dict[str, Any]) -> list[float]:
    return [answer["prediction"]["probabilities"][name] for name in ("0", "1", "2")]


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace("+", "").rstrip("%"))


def test_model_and_market_stand_side_by_side(board: Board, predictions: pd.DataFrame, stack: RunningStack) -> None:
    odds = pd.read_parquet(io.BytesIO(dataset(stack, "fonbet_odds"))).set_index("match_id")
    row = predictions[predictions["is_future"] & predictions["match_id"].isin(odds.index)].iloc[0]
    board.open(f"?match={row['match_id']}")
    section = '[aria-labelledby="forecast-title"]'
    assert chances(board, "model", section) == [row["proba_home"], row["proba_draw"], row["proba_away"]]
    market = odds.loc[row["match_id"]]
    assert chances(board, "market", section) == [market[f"implied_{side}"] for side in ("home", "draw", "away")]


def test_the_contributions_are_those_of_the_live_prediction(board: Board, stack: RunningStack, match_id: int) -> None:
    live = requests.get(f"{stack.base_url}/predict/{match_id}", params={"explain": "true"}, timeout=30).json()
    board.open()
    board.page.locator(f'.match[data-match="{match_id}"] .open').click()
    board.settled()
    assert board.query == f"match={match_id}"
    top = board.page.locator(".contributions li").first
    # Relative to the mean of the three: what is added to all alike moves nothing.
    label = ("home", "draw", "away")[live["prediction"]["predicted_class"]]
    pushes = [row[label] - (row["home"] + row["draw"] + row["away"]) / 3 for row in live["contributions"]]
    largest = max(pushes, key=abs)
    expect(top.locator(".amount")).to_have_text(f"{largest:+.3f}".replace("-", "\u2212"))
    board.page.locator("[name=explained][value=draw]").check(force=True)
    pushes = [row["draw"] - (row["home"] + row["draw"] + row["away"]) / 3 for row in live["contributions"]]
    expect(top.locator(".amount")).to_have_text(f"{max(pushes, key=abs):+.3f}".replace("-", "\u2212"))
    if live.get("base"):
        expect(board.page.locator("#base")).to_contain_text("Base:")


def test_form_and_meetings_are_those_of_the_release(board: Board, predictions: pd.DataFrame, match_id: int) -> None:
    match = predictions.set_index("match_id").loc[match_id]
    pair = {match["home_team"], match["away_team"]}
    over = predictions[predictions["outcome_1x2"].notna() & (predictions["match_date"] < match["match_date"])]
    met = over[over["home_team"].isin(pair) & over["away_team"].isin(pair)]
    home = match["home_team"]
    won = ((met["outcome_1x2"] == "home") & (met["home_team"] == home)) | (
        (met["outcome_1x2"] == "away") & (met["away_team"] == home)
    )
    drawn = met["outcome_1x2"] == "draw"
    board.open(f"?match={match_id}")
    shown = [int(text) for text in board.page.locator("#meetings strong").all_inner_texts()]
    assert shown == [won.sum(), drawn.sum(), len(met) - won.sum() - drawn.sum()]
    for side in ("home", "away"):
        team = match[f"{side}_team"]
        last = over[(over["home_team"] == team) | (over["away_team"] == team)].sort_values(["match_date", "match_id"])
        listed = board.page.locator(f"[data-form={side}] .results a").all_inner_texts()
        wanted = [f"{row.home_team} \u2013 {row.away_team}" for row in last.tail(5).iloc[::-1].itertuples()]
        assert listed == wanted


SEEN = [
    ("2024-03-26T09:00:00Z", 2.0, 3.4, 3.6),
    ("2024-03-28T09:00:00Z", 1.9, 3.5, 3.9),
    ("2024-03-30T09:00:00Z", 1.8, 3.5, 4.2),
]
CLOSING = {"collected_at": "2024-03-31T17:55:00Z", "odds_home": 1.75, "odds_draw": 3.6, "odds_away": 4.5}
PRICE = '[aria-labelledby="price-title"]'


def price_movement(**changes: Any) -> dict[str, Any]:
    names = ("collected_at", "odds_home", "odds_draw", "odds_away")
    snapshots = [dict(zip(names, row, strict=True), bookmaker=None) for row in SEEN]
    return {"match_id": 1, "match_date": None, "provider": "fonbet", "snapshots": snapshots, "closing": None} | changes


def test_the_price_is_drawn_as_it_was_seen_and_the_closing_price_is_marked(board: Board, match_id: int) -> None:
    board.answer("/predict/prices/", 200, price_movement(closing=CLOSING | {"bookmaker": None}))
    board.open(f"?match={match_id}")
    panel = board.page.locator(PRICE)
    lines = panel.locator("path.line").all()
    assert len(lines) == 3
    for line in lines:
        # Four prices, each of which holds until the next is seen.
        path = str(line.get_attribute("d"))
        assert (path.count("M"), path.count("L")) == (1, 6)
    expect(panel.locator("svg text.label")).to_have_text("Closing price")
    # Where the lines end.
    mark, end = panel.locator("svg line.ideal"), panel.locator("svg circle.dot").first
    assert float(str(mark.get_attribute("x1"))) == pytest.approx(float(str(end.get_attribute("cx"))))
    expect(panel.locator("#closing")).to_have_text("Closing price 1.75 / 3.60 / 4.50.")
    ticks = [text.strip() for text in panel.locator("svg text.tick").all_text_contents()]
    assert [ticks[-3], ticks[-1]] == ["26 Mar 2024", "31 Mar 2024"]
    panel.get_by_text("The prices").click()
    rows = panel.locator("tbody tr").all()
    assert [row.locator("td").all_inner_texts() for row in rows] == [
        ["2.00", "3.40", "3.60"],
        ["1.90", "3.50", "3.90"],
        ["1.80", "3.50", "4.20"],
        ["1.75", "3.60", "4.50"],
    ]
    expect(panel.locator("tbody th").last).to_contain_text("(closing)")


def test_a_closing_price_without_a_time_stands_at_the_kickoff(board: Board, match_id: int) -> None:
    closing = CLOSING | {"bookmaker": None, "collected_at": None}
    board.answer("/predict/prices/", 200, price_movement(closing=closing))
    board.open(f"?match={match_id}")
    panel = board.page.locator(PRICE)
    kickoff = board.page.locator(".match-head time")
    day = panel.locator("svg text.tick").last.text_content()
    assert pd.Timestamp(str(day)).date() == pd.Timestamp(str(kickoff.get_attribute("datetime"))).date()


def test_before_kickoff_there_is_a_line_and_no_closing_price(board: Board, match_id: int) -> None:
    board.answer("/predict/prices/", 200, price_movement())
    board.open(f"?match={match_id}")
    panel = board.page.locator(PRICE)
    expect(panel.locator("path.line")).to_have_count(3)
    expect(panel.locator("svg line.ideal")).to_have_count(0)
    expect(panel).to_contain_text("The closing price is known once the match has begun.")


def test_the_samples_one_price_is_shown_and_said_to_be_the_only_one(
    board: Board, stack: RunningStack, predictions: pd.DataFrame
) -> None:
    odds = pd.read_parquet(io.BytesIO(dataset(stack, "fonbet_odds"))).set_index("match_id")
    row = predictions[predictions["is_future"] & predictions["match_id"].isin(odds.index)].iloc[0]
    price = odds.loc[row["match_id"]]
    board.open(f"?match={row['match_id']}")
    panel = board.page.locator(PRICE)
    shown = " / ".join(f"{price[f'odds_{side}']:.2f}" for side in ("home", "draw", "away"))
    expect(panel.locator("#one-price")).to_contain_text(f"One price was seen, by market average: {shown}")
    expect(panel.locator("svg")).to_have_count(0)
    unpriced = predictions[~predictions["match_id"].isin(odds.index)].iloc[-1]
    board.open(f"?match={unpriced['match_id']}")
    expect(panel).to_contain_text("No price of this match has been collected.")


def test_a_clubs_rating_carries_what_is_derived_from_it(board: Board, stack: RunningStack, match_id: int) -> None:
    board.open(f"?match={match_id}")
    own = chances(board, "now")
    slider = board.page.locator("#slider-home_elo_pre")
    low, high = (float(str(slider.get_attribute(name))) for name in ("min", "max"))
    assert high - low == 800
    with board.page.expect_request(lambda request: "/what-if" in request.url) as sent:
        slider.fill(str(high))
    body = json.loads(str(sent.value.post_data))
    assert body == {"changes": {"home_elo_pre": high}}
    expect(board.page.locator(".answers h3")).to_have_text("With your features")
    expect(board.page.locator("#changed")).to_contain_text("Changed: Home Elo pre. Followed: ")
    expect(board.page.locator("#changed")).to_contain_text("Elo expected home")
    asked = requests.post(f"{stack.base_url}/predict/what-if/{match_id}", json=body, timeout=30).json()
    assert chances(board, "now") == of(asked)
    assert chances(board, "now")[0] > own[0] + 0.1
    assert chances(board, "before") == own
    board.page.get_by_role("button", name="Reset").click()
    assert chances(board, "now") == own


def test_a_raw_feature_is_changed_under_advanced(board: Board, match_id: int) -> None:
    board.open(f"?match={match_id}")
    board.page.locator("#advanced summary").click()
    board.page.get_by_label("Find a feature").fill("rest")
    assert board.page.locator(".feature-row label").all_inner_texts() == ["Home rest days", "Away rest days"]
    with board.page.expect_request(lambda request: "/what-if" in request.url) as sent:
        board.page.fill('.feature-row input[name="home_rest_days"]', "")
        board.page.keyboard.press("Tab")
    assert json.loads(str(sent.value.post_data)) == {"changes": {"home_rest_days": None}}


def test_a_queued_prediction_is_watched_until_it_ends(board: Board, match_id: int) -> None:
    board.open(f"?match={match_id}")
    board.page.locator("#slider-home_elo_pre").fill("1700")
    expect(board.page.locator(".answers h3")).to_have_text("With your features")
    asked = chances(board, "now")
    board.page.locator("#advanced summary").click()
    board.page.get_by_role("button", name="Queue it").click()
    steps = board.page.locator(".steps li")
    expect(steps.first).to_contain_text("Submitted as task")
    expect(steps.last).to_contain_text("Success after")
    expect(board.page.locator(".answers h3")).to_have_text("Queued, with your features")
    assert chances(board, "now") == asked


def test_a_pending_task_is_polled_and_a_failed_one_tells_why(board: Board, match_id: int) -> None:
    answers = iter(
        [
            {"task_id": "t", "status": "pending"},
            {"task_id": "t", "status": "pending"},
            {"task_id": "t", "status": "failed", "error": {"type": "model_unavailable", "message": "no model"}},
        ]
    )
    board.answer("/predict/async/", 202, {"task_id": "t", "status": "submitted", "status_url": "/"})
    board.page.route(lambda url: "/monitoring/task_status/" in url, lambda route: route.fulfill(json=next(answers)))
    board.open(f"?match={match_id}")
    board.page.locator("#advanced summary").click()
    board.page.get_by_role("button", name="Queue it").click()
    steps = board.page.locator(".steps li")
    expect(steps.nth(1)).to_contain_text("Pending, asked 2 times")
    expect(steps.last).to_contain_text("no model")


@pytest.mark.usefixtures("failing_calls")
def test_what_the_service_refuses_is_told_with_its_reasons(board: Board, match_id: int) -> None:
    details = [{"loc": ["body", "changes", "sex"], "msg": "feature must be a whole number", "type": "int_from_float"}]
    board.open(f"?match={match_id}")
    board.answer("/what-if", 422, {"statusCode": 422, "message": "features do not fit", "details": details})
    board.page.locator("#slider-home_elo_pre").fill("1700")
    alert = board.page.locator(".what-if").get_by_role("alert")
    expect(alert).to_contain_text("Features do not fit.")
    expect(alert).to_contain_text("sex: feature must be a whole number")


@pytest.mark.usefixtures("failing_calls")
def test_too_many_requests_say_when_to_try_again(board: Board, match_id: int) -> None:
    board.open(f"?match={match_id}")
    board.answer("/what-if", 429, {"statusCode": 429, "message": "slow down"}, {"Retry-After": "7"})
    board.page.locator("#slider-home_elo_pre").fill("1700")
    alert = board.page.locator(".what-if").get_by_role("alert")
    expect(alert).to_contain_text("Too many requests")
    expect(alert).to_contain_text("trying again in 7 seconds")


def test_the_back_button_returns_to_the_list(board: Board) -> None:
    board.open("?region=Spain")
    board.open_first()
    expect(board.page.locator("#match-title")).to_be_visible()
    board.page.go_back()
    expect(board.page.locator("#list")).to_be_visible()
    assert board.query == "region=Spain"
    board.page.go_forward()
    expect(board.page.locator("#match-title")).to_be_visible()


@pytest.mark.usefixtures("failing_calls")
def test_a_match_that_does_not_exist_is_not_found(board: Board) -> None:
    board.open("?match=999999999")
    alert = board.page.get_by_role("alert")
    expect(alert).to_contain_text("Not found")
    expect(alert.get_by_role("button")).to_have_count(0)


@pytest.mark.usefixtures("failing_calls")
def test_a_client_key_is_asked_for_where_one_is_needed(board: Board, stack: RunningStack, match_id: int) -> None:
    refusal = {"statusCode": 401, "message": "a valid X-API-Key header is needed"}
    board.page.route(
        lambda url: f"/predict/{match_id}" in url,
        lambda route: (
            route.continue_()
            if route.request.headers.get("x-api-key") == stack.keys.client
            else route.fulfill(status=401, json=refusal)
        ),
    )
    board.open(f"?match={match_id}")
    panel = board.page.locator('[aria-labelledby="weighs-title"]')
    expect(panel.get_by_role("alert")).to_contain_text("API key needed")
    panel.get_by_label("API key").fill(stack.keys.client)
    panel.get_by_role("button", name="Use key").click()
    expect(board.page.locator("#slider-home_elo_pre")).to_be_visible()
