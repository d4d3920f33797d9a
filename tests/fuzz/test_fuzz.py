"""Requests generated from the OpenAPI document, every check of Schemathesis on; `make fuzz` makes many more."""

from pathlib import Path

from chalicelib.api.openapi import document
from chalicelib.api.routes import all_routers
from tests.fuzz.run import fuzz
from tests.support.throwaway import RunningStack

EXAMPLES = 15
"""Most cases per operation and phase."""


def test_two_thousand_generated_requests_are_answered_as_documented(stack: RunningStack, tmp_path: Path) -> None:
    outcome = fuzz(stack.base_url, stack.keys.operator, examples=EXAMPLES, seed=20_240_401, home=tmp_path)
    assert outcome.passed, outcome.report
    assert outcome.cases >= 2_000, outcome.report
    documented = [operation for item in document(all_routers())["paths"].values() for operation in item.values()]
    assert outcome.operations == len(documented), outcome.report
