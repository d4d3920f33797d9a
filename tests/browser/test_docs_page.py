"""The API's page in a browser: found, filtered and tried with a key on the running stack."""

import pytest
from playwright.sync_api import BrowserContext, Request

from tests.browser.conftest import watch
from tests.support.throwaway import RunningStack


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
