"""How the board's files are served: no browser needed."""

import re

import pytest
import requests

from tests.support.throwaway import RunningStack


def get(stack: RunningStack, path: str) -> requests.Response:
    return requests.get(f"{stack.base_url}{path}", timeout=30)


@pytest.mark.parametrize("page", ["/ui", "/ui/"])
def test_every_file_the_page_names_is_there_and_may_be_kept(stack: RunningStack, page: str) -> None:
    answer = get(stack, page)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    named = re.findall(r'="(ui/[^"]+)"', answer.text)
    assert len(named) > 10
    for name in named:
        # As a browser would resolve it: /ui/ puts it one level deeper than /ui.
        file = get(stack, f"{page if page.endswith('/') else '/'}{name}")
        assert file.status_code == 200, name
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_file_of_another_version_is_served_and_not_kept(stack: RunningStack) -> None:
    answer = get(stack, "/ui/000000000000/main.js")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


def test_nothing_outside_the_boards_files_can_be_had(stack: RunningStack) -> None:
    for path in ("/ui/nothing.js", "/ui/..%2fsettings.py", "/ui/%2e%2e/settings.py", "/ui/x/y/z.js"):
        assert get(stack, path).status_code == 404, path


def test_the_pages_policy_lets_no_inline_script_or_style_in(stack: RunningStack) -> None:
    policy = get(stack, "/ui/").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
