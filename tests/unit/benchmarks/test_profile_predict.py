"""What the sampling profiler makes of a stack."""

import sys
from pathlib import Path

from benchmarks.profile_predict import Samples, module_of, sample
from chalicelib import endpoints
from infra.paths import ROOT


def test_modules_are_named_so_that_a_reader_knows_whose_they_are() -> None:
    packages = Path(sys.prefix) / "lib" / "python3.11" / "site-packages"
    assert module_of(str(ROOT / "chalicelib" / "api" / "gateway.py")) == "chalicelib/api/gateway.py"
    assert module_of(str(packages / "pydantic" / "main.py")) == "pydantic"
    powertools = packages / "aws_lambda_powertools" / "event_handler" / "router.py"
    assert module_of(str(powertools)) == "aws_lambda_powertools/event_handler/router.py"
    assert module_of("/usr/lib/python3.12/json/encoder.py") == "python: json/encoder.py"


def handle(samples: Samples) -> None:
    """A frame of the handler's name."""
    samples.take(0, sys._getframe())


def test_a_sample_counts_for_the_module_that_runs_and_only_inside_the_handler() -> None:
    samples = Samples()
    handle(samples)
    samples.take(0, sys._getframe())
    assert samples.taken == 1
    assert samples.modules == {"tests/unit/benchmarks/test_profile_predict.py": 1}
    assert samples.functions == {}


def test_sampling_counts_the_calls_and_removes_the_timer() -> None:
    calls = []
    samples, microseconds = sample(lambda: calls.append(endpoints.ENDPOINTS), 0.01)
    assert len(calls) > 500
    assert microseconds > 0
    assert samples.taken == 0
