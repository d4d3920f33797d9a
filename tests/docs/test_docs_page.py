"""The API's page in a browser, over HTTP, below a stage's prefix, with the headers the service sends."""

import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import app
from chalicelib import wiring
from tests.builders import Context, make_event
from tests.handlers.calling import call

PREFIX = "/_aws/execute-api/soccer/local"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Gateway(BaseHTTPRequestHandler):
    """A stage in front of the functions that a page needs."""

    asked: list[dict[str, str]] = []  # noqa: RUF012 - one list for the test

    def do_GET(self) -> None:
        path = self.path.removeprefix(PREFIX)
        Gateway.asked.append({"path": path, **{name.lower(): value for name, value in self.headers.items()}})
        if path.startswith(("/docs", "/openapi.json")):
            answer = app.docs(make_event("docs", path=path), Context())
        else:
            answer = app.drift(make_event("drift", path=path, headers=dict(self.headers)), Context())
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer["body"].encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def base_url(aws: None) -> Iterator[str]:
    """The API's URL, with a stage prefix."""
    for cached in (wiring.settings, wiring.key_ring, wiring.objects):
        cached()  # here: moto's patches hold in this thread's start only as long as the fixture
    Gateway.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("path", "prefix"), [("/docs", "docs/"), ("/docs/", "")])
def test_links_are_relative_to_the_path_asked_for(aws: None, path: str, prefix: str) -> None:
    answer = app.docs(make_event("docs", path=path), Context())
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert set(re.findall(r'(?:href|src)="([^"#:]+)"', answer["body"])) == {f"{prefix}docs.css", f"{prefix}docs.js"}
    assert "script-src 'self'" in answer["headers"]["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["docs.js", "dom.js", "schema.js", "try.js", "docs.css"])
def test_its_files_are_served_with_their_types(aws: None, name: str) -> None:
    answer = app.docs(make_event("docs", path=f"/docs/{name}"), Context())
    kind = "text/css" if name.endswith("css") else "text/javascript"
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, f"{kind}; charset=utf-8")


@pytest.mark.parametrize(
    "name", ["../errors.py", "..%2Ferrors.py", "nothing.js", "index.html/../../gateway.py", ".env"]
)
def test_no_other_file_can_be_asked_for(aws: None, name: str) -> None:
    assert call("docs", path=f"/docs/{name}")[0] == 404


def test_nothing_on_the_page_comes_from_elsewhere() -> None:
    for path in Path("chalicelib/docs_page").iterdir():
        assert not re.search(r"https?://|@import|\son\w+=", path.read_text("utf-8")), path.name


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed")
@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_a_reader_finds_an_operation_and_tries_it_with_a_key(base_url: str, path: str) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    problems: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(base_url + path)
        page.wait_for_selector("#drift")
        assert page.locator("#operations details.operation").count() >= 21
        page.fill("#filter", "feature drift")
        assert page.locator("#operations details.operation:visible").count() == 1
        page.fill("#key", "operator-key")
        page.click("#drift > summary")
        page.click("#drift button")
        page.wait_for_selector("#drift .answer .body")
        assert '"drift_score": null' in page.inner_text("#drift .answer .body")
        assert "operator-key" not in page.inner_text("#drift .answer")
        assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
        browser.close()
    assert problems == []
    (tried,) = [request for request in Gateway.asked if request["path"].startswith("/monitoring/drift")]
    assert tried["x-api-key"] == "operator-key"
