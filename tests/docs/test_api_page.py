"""docs/api.md is true: its calls run against the stack, and its answers have the form of the real ones."""

import importlib
import json
import os
import pkgutil
import re

import pytest

import chalicelib
from chalicelib.api.failures import status_of
from chalicelib.endpoints import ENDPOINTS
from chalicelib.errors import ServiceError
from infra.stack.gateway_definition import GATEWAY_RESPONSES
from tests.docs.api_examples import PAGE, examples, fits, run_python, run_shell, shape
from tests.support.throwaway import RunningStack

PAGE_TEXT = PAGE.read_text("utf-8")
EXAMPLES = examples(PAGE_TEXT)


# In no error body: parents of others, what batch runs and commands raise, and what becomes another failure first.
UNSEEN = {
    "service_error", "rejected", "access_denied", "unavailable", "invalid_matches", "release_refused",
    "release_too_large", "invalid_settings", "registry_unavailable", "provider_unavailable", "invalid_model",
    "object_missing", "condition_failed",
}  # fmt: skip


def listed_codes() -> set[tuple[int, str]]:
    """Status and code of each row of the page's table of codes."""
    table = PAGE_TEXT.split("### Codes")[1]
    rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", table, re.MULTILINE)
    return {(int(status), code) for status, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}


def test_the_codes_on_the_page_are_those_that_errors_have() -> None:
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        importlib.import_module(module.name)
    found: set[type[ServiceError]] = set()
    unvisited = [ServiceError]
    while unvisited:
        found.add(kind := unvisited.pop())
        unvisited += [child for child in kind.__subclasses__() if child.__module__.startswith("chalicelib.")]
    functions = {(int(status_of(kind.__new__(kind))), kind.code) for kind in found if kind.code not in UNSEEN}
    gateway = {(status, code) for _, status, code, _ in GATEWAY_RESPONSES}
    assert listed_codes() == functions | gateway


def test_every_endpoint_has_a_section_with_an_example() -> None:
    sections = re.split(r"^### ", PAGE_TEXT, flags=re.MULTILINE)
    for endpoint in ENDPOINTS:
        (section,) = (
            one for one in sections if re.search(rf"{endpoint.method} {endpoint.path}/?(,|$)", one.split("\n")[0])
        )
        assert "```bash" in section, endpoint.path


def values(stack: RunningStack) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **stack.environment}


def test_every_path_of_every_endpoint_is_on_the_page() -> None:
    for endpoint in ENDPOINTS:
        for path in endpoint.paths:
            assert path.replace("/{asset+}", "") in PAGE_TEXT, path


def test_each_example_is_a_call_in_both_languages_with_an_answer() -> None:
    answered = [example for example in EXAMPLES if example.answer is not None]
    assert answered
    assert all(example.shell and example.python for example in answered)


@pytest.mark.parametrize("language", ["curl", "python"])
def test_the_examples_run_and_answer_as_shown(stack: RunningStack, language: str) -> None:
    run = run_shell if language == "curl" else run_python
    for one, answer in zip(EXAMPLES, run(EXAMPLES, values(stack)), strict=True):
        if one.answer is not None:
            assert fits(shape(json.loads(one.answer)), shape(answer)), f"{one.shell}\n{answer}"
