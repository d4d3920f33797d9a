"""docs/api.md is true: its calls run against the stack, and its answers have the form of the real ones."""

import json
import os

import pytest

from chalicelib.endpoints import ENDPOINTS
from tests.docs.api_examples import PAGE, examples, fits, run_python, run_shell, shape
from tests.support.throwaway import RunningStack

PAGE_TEXT = PAGE.read_text("utf-8")
EXAMPLES = examples(PAGE_TEXT)


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
