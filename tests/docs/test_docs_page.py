"""The API's page as the function serves it. In a browser: tests/browser/test_docs_page.py."""

import re
from pathlib import Path

import pytest

import app
from tests.handlers.calling import call
from tests.support.builders import Context, make_event


@pytest.mark.parametrize(("path", "prefix"), [("/docs", "docs/"), ("/docs/", "")])
def test_links_are_relative_to_the_path_asked_for(aws: None, path: str, prefix: str) -> None:
    answer = app.docs(make_event("docs", path=path), Context())
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert set(re.findall(r'(?:href|src)="([^"#:]+)"', answer["body"])) == {f"{prefix}docs.css", f"{prefix}docs.js"}
    assert "script-src 'self'" in answer["headers"]["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["docs.js", "dom.js", "examples.js", "schema.js", "try.js", "docs.css"])
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
