"""Ask the model: a live prediction, a changed one, a queued one."""

import json
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from tests.browser.board import Board
from tests.support.throwaway import RunningStack


@pytest.fixture(scope="module")
def match_id(stack: RunningStack) -> int:
    """An upcoming match."""
    (match,) = requests.get(f"{stack.base_url}/predict/matches/", params={"limit": "1"}, timeout=30).json()
    return int(match["match_id"])


def probabilities(board: Board) -> list[float]:
    """What the dialog shows, unrounded."""
    return [float(text) for text in board.everything("#ask [data-probability]", "data-probability")]


def of(answer: dict[str, Any]) -> list[float]:
    return [answer["prediction"]["probabilities"][name] for name in ("0", "1", "2")]


def test_a_match_opens_with_its_live_prediction_and_features(board: Board, stack: RunningStack, match_id: int) -> None:
    live = requests.get(f"{stack.base_url}/predict/{match_id}", params={"explain": "true"}, timeout=30).json()
    board.open()
    board.page.locator(f'.match[data-match="{match_id}"] button').click()
    board.settled()
    assert board.query == f"match={match_id}"
    assert probabilities(board) == of(live)
    for row in live["contributions"]:
        shown = board.page.locator(f'#ask input[name="{row["feature"]}"]').input_value()
        assert (float(shown) if shown else None) == pytest.approx(row["value"], abs=5e-5)
    top = board.page.locator("#ask .contributions li").first
    # Relative to the mean of the three: what is added to all alike moves nothing.
    label = ("home", "draw", "away")[live["prediction"]["predicted_class"]]
    pushes = [row[label] - (row["home"] + row["draw"] + row["away"]) / 3 for row in live["contributions"]]
    largest = max(pushes, key=abs)
    expect(top.locator(".amount")).to_have_text(f"{largest:+.3f}".replace("-", "\u2212"))


def test_unchanged_features_give_the_same_prediction_to_the_last_digit(board: Board, match_id: int) -> None:
    board.open(f"?match={match_id}")
    own = probabilities(board)
    board.page.get_by_role("button", name="Predict now").click()
    expect(board.page.locator("#ask .answers h3")).to_have_text("With your features")
    assert probabilities(board) == own


def test_changed_features_are_predicted_live(board: Board, stack: RunningStack, match_id: int) -> None:
    board.open(f"?match={match_id}")
    own = probabilities(board)
    with board.page.expect_request(lambda request: request.url.split("?")[0].endswith("/predict/")) as sent:
        board.page.fill('#ask input[name="elo_expected_home"]', "0.9")
        board.page.get_by_role("button", name="Predict now").click()
    body = json.loads(str(sent.value.post_data))
    assert body["features"]["elo_expected_home"] == 0.9
    expect(board.page.locator("#ask .answers")).to_contain_text("Changed: Elo expected home.")
    asked = requests.post(f"{stack.base_url}/predict/", json=body, timeout=30).json()
    assert probabilities(board) == of(asked)
    assert probabilities(board)[0] > own[0]
    board.page.get_by_role("button", name="Reset").click()
    assert probabilities(board) == own


def test_a_queued_prediction_is_watched_until_it_ends(board: Board, match_id: int) -> None:
    board.open(f"?match={match_id}")
    board.page.fill('#ask input[name="elo_expected_home"]', "0.2")
    board.page.get_by_role("button", name="Predict now").click()
    expect(board.page.locator("#ask .answers h3")).to_have_text("With your features")
    asked = probabilities(board)
    board.page.get_by_role("button", name="Queue it").click()
    steps = board.page.locator("#ask .steps li")
    expect(steps.first).to_contain_text("Submitted as task")
    expect(steps.last).to_contain_text("Success after")
    expect(board.page.locator("#ask .answers h3")).to_have_text("Queued, with your features")
    assert probabilities(board) == asked


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
    board.page.get_by_role("button", name="Queue it").click()
    steps = board.page.locator("#ask .steps li")
    expect(steps.nth(1)).to_contain_text("Pending, asked 2 times")
    expect(steps.last).to_contain_text("no model")


def test_a_missing_value_is_sent_as_null_and_a_required_one_cannot_be_left_out(board: Board, match_id: int) -> None:
    board.open(f"?match={match_id}")
    with board.page.expect_request(lambda request: request.url.split("?")[0].endswith("/predict/")) as sent:
        board.page.fill('#ask input[name="home_rest_days"]', "")
        board.page.get_by_role("button", name="Predict now").click()
    assert json.loads(str(sent.value.post_data))["features"]["home_rest_days"] is None
    expect(board.page.locator("#ask .answers h3")).to_have_text("With your features")
    board.page.fill('#ask input[name="diff_elo"]', "")
    board.page.get_by_role("button", name="Queue it").click()
    expect(board.page.locator('#ask input[name="diff_elo"]')).to_be_focused()
    expect(board.page.locator("#ask .steps")).to_have_count(0)


@pytest.mark.usefixtures("failing_calls")
def test_what_the_service_refuses_is_told_with_its_reasons(board: Board, match_id: int) -> None:
    details = [{"loc": ["body", "features", "sex"], "msg": "feature must be a whole number", "type": "int_from_float"}]
    board.page.route(
        lambda url: url.split("?")[0].endswith("/predict/"),
        lambda route: route.fulfill(
            status=422, json={"statusCode": 422, "message": "features do not fit", "details": details}
        ),
    )
    board.open(f"?match={match_id}")
    board.page.get_by_role("button", name="Predict now").click()
    alert = board.page.locator("#ask").get_by_role("alert")
    expect(alert).to_contain_text("Features do not fit.")
    expect(alert).to_contain_text("sex: feature must be a whole number")


def test_the_back_button_closes_the_match(board: Board, match_id: int) -> None:
    board.open()
    board.matches.first.get_by_role("button").click()
    expect(board.page.locator("#ask")).to_be_visible()
    board.page.go_back()
    expect(board.page.locator("#ask")).not_to_be_visible()
    board.page.go_forward()
    expect(board.page.locator("#ask")).to_be_visible()
    board.page.get_by_role("button", name="Close").click()
    expect(board.page.locator("#ask")).not_to_be_visible()
    assert "match" not in board.query


def test_features_can_be_found_by_name(board: Board, match_id: int) -> None:
    board.open(f"?match={match_id}")
    board.page.get_by_label("Find a feature").fill("rest")
    assert board.page.locator("#ask .feature-row:visible label").all_inner_texts() == [
        "Home rest days",
        "Away rest days",
    ]


@pytest.mark.usefixtures("failing_calls")
def test_a_match_that_does_not_exist_is_not_found(board: Board) -> None:
    board.open("?match=999999999")
    alert = board.page.locator("#ask").get_by_role("alert")
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
    dialog = board.page.locator("#ask")
    expect(dialog.get_by_role("alert")).to_contain_text("API key needed")
    dialog.get_by_label("API key").fill(stack.keys.client)
    dialog.get_by_role("button", name="Use key").click()
    expect(dialog.locator(".feature-row").first).to_be_visible()
