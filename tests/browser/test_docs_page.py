"""The API's page in a browser: found, filtered and tried with a key on the running stack."""

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route

from tests.browser.conftest import watch
from tests.support.throwaway import RunningStack


@pytest.fixture(autouse=True)
def patience(context: BrowserContext) -> None:
    """A first answer takes the starts of three functions one after the other, on cores that other tests use too."""
    context.set_default_timeout(60_000)


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_a_reader_finds_an_operation_and_tries_it_with_a_key(
    context: BrowserContext, stack: RunningStack, path: str
) -> None:
    page = context.new_page()
    problems = watch(page)
    tried: list[Request] = []
    page.on("request", lambda request: tried.append(request) if "/monitoring/drift" in request.url else None)
    page.goto(stack.base_url + path)
    page.wait_for_selector("#drift")
    assert page.locator("#operations details.operation").count() >= 21
    page.fill("#filter", "feature drift")
    assert page.locator("#operations details.operation:visible").count() == 1
    page.fill("#key", stack.keys.operator)
    page.click("#drift > summary")
    page.click("#drift button")
    page.wait_for_selector("#drift .answer .body")
    assert '"drift_score": 0.' in page.inner_text("#drift .answer .body")
    assert stack.keys.operator not in page.inner_text("#drift .answer")
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    (request,) = tried
    assert request.headers["x-api-key"] == stack.keys.operator
    assert problems == []


STATUSES = {
    "predict": 200,
    "predict_async": 202,
    "predict_match": 200,
    "what_if": 200,
    "features": 200,
    "precomputed": 200,
    "cards": 200,
    "model_info": 200,
}


def tried(page: Page, operation: str) -> str:
    """Open an operation, send its example as it stands, and read what the answer's heading says."""
    page.click(f"#{operation} > summary")
    page.click(f"#{operation} button")
    page.wait_for_selector(f"#{operation} .answer .body")
    return page.inner_text(f"#{operation} .answer h3 >> nth=1")


def test_what_is_tried_first_succeeds(context: BrowserContext, stack: RunningStack) -> None:
    page = context.new_page()
    problems = watch(page)
    page.goto(f"{stack.base_url}/docs")
    page.wait_for_selector("#predict")
    page.fill("#key", stack.keys.client)
    for operation, status in STATUSES.items():
        assert tried(page, operation).startswith(f"Answer: {status} "), page.inner_text(f"#{operation} .answer")
    assert problems == []


def test_an_example_that_needs_a_key_comes_once_there_is_one(context: BrowserContext, stack: RunningStack) -> None:
    """As where client keys are demanded; the stack's own client routes are open."""

    def demand(route: Route) -> None:
        if route.request.headers.get("x-api-key") == stack.keys.client:
            route.continue_()
        else:
            route.fulfill(status=401, json={"statusCode": 401, "message": "a valid X-API-Key header is needed"})

    page = context.new_page()
    page.route("**/predict/features/*", demand)
    page.goto(f"{stack.base_url}/docs")
    page.wait_for_selector("#predict")
    page.click("#predict > summary")
    page.get_by_text("With an API key the example").wait_for()
    page.fill("#key", stack.keys.client)
    page.press("#key", "Tab")
    page.get_by_text("With an API key the example").wait_for(state="hidden")
    page.click("#predict button")
    page.wait_for_selector("#predict .answer .body")
    assert page.inner_text("#predict .answer h3 >> nth=1").startswith("Answer: 200 ")


def test_what_the_reader_typed_stays(context: BrowserContext, stack: RunningStack) -> None:
    page = context.new_page()
    page.goto(f"{stack.base_url}/docs")
    page.wait_for_selector("#what_if")
    page.click("#what_if > summary")
    page.fill("#what_if textarea", '{"changes": {}}')
    page.fill("#key", stack.keys.client)
    page.press("#key", "Tab")
    page.click("#what_if button")
    page.wait_for_selector("#what_if .answer .body")
    assert page.input_value("#what_if textarea") == '{"changes": {}}'
    assert page.inner_text("#what_if .answer h3 >> nth=1").startswith("Answer: 200 ")
