"""Requests generated from the OpenAPI document, every check of Schemathesis on; `make fuzz` makes many more."""

from pathlib import Path

from tests.fuzz.run import fuzz
from tests.support.throwaway import RunningStack

EXAMPLES = 50
"""Most cases per operation and phase: about 2,400 in all, in a minute."""


def test_two_thousand_generated_requests_are_answered_as_documented(stack: RunningStack, tmp_path: Path) -> None:
    outcome = fuzz(stack.base_url, stack.keys.operator, examples=EXAMPLES, seed=20_240_401, home=tmp_path)
    assert outcome.passed, outcome.report
    assert outcome.cases >= 2_000, outcome.report
