"""The text format, checked with Prometheus' own parser, and the window of the totals."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chalicelib.errors import ServiceError
from chalicelib.telemetry.cloudwatch import PERIOD, WINDOW, window_start
from chalicelib.telemetry.emf import Measurement, Recorder
from chalicelib.telemetry.names import BUCKET_LABELS, bucket
from chalicelib.telemetry.prometheus import Family, Sample, histogram_samples, render
from chalicelib.telemetry.service_metrics import REASONS
from infra.stack.functions import FUNCTIONS as DEPLOYED


def test_a_family_is_its_help_its_type_and_its_samples() -> None:
    family = Family("tasks_total", "counter", "Tasks ended.", [Sample(3, {"state": "failed"}), Sample(0.25)])
    assert render([family]) == (
        '# HELP tasks_total Tasks ended.\n# TYPE tasks_total counter\ntasks_total{state="failed"} 3\ntasks_total 0.25\n'
    )


def test_a_family_without_samples_still_appears() -> None:
    assert render([Family("x", "gauge", "Nothing yet.", [])]) == "# HELP x Nothing yet.\n# TYPE x gauge\n"


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (1e18, "1000000000000000000")]
)
def test_special_values_are_written_as_prometheus_reads_them(value: float, text: str) -> None:
    assert render([Family("x", "gauge", "x", [Sample(value)])]).splitlines()[-1] == f"x {text}"


def test_labels_of_any_content_round_trip() -> None:
    awkward = 'a "quoted" \\ back\nslash, {brace}=1'
    text = render([Family("x", "gauge", "Help with \\ and\nnewline.", [Sample(1, {"reason": awkward})])])
    (family,) = text_string_to_metric_families(text)
    assert family.samples[0].labels == {"reason": awkward}


def test_a_histogram_is_cumulative_and_agrees_with_its_count() -> None:
    lines = histogram_samples({"source": "sync"}, {"0.1": 2.0, "1.0": 3.0, "+Inf": 1.0}, 7.5)
    assert [(line.suffix, line.labels.get("le"), line.value) for line in lines] == [
        ("_bucket", "0.1", 2.0),
        ("_bucket", "1.0", 5.0),
        ("_bucket", "+Inf", 6.0),
        ("_sum", None, 7.5),
        ("_count", None, 6.0),
    ]


@pytest.mark.parametrize(
    ("seconds", "bound"), [(0.0, "0.001"), (0.001, "0.001"), (0.0010001, "0.0025"), (0.2, "0.2"), (301.0, "+Inf")]
)
def test_a_latency_on_a_bound_belongs_to_it(seconds: float, bound: str) -> None:
    assert bucket(seconds) == bound


def test_the_service_levels_are_bounds_of_the_histogram() -> None:
    assert {"0.05", "0.2", "0.5"} <= set(BUCKET_LABELS)


def test_the_window_begins_at_a_fixed_instant_and_holds_the_present() -> None:
    first = window_start(datetime(2026, 11, 21, tzinfo=UTC))
    assert first == window_start(datetime(2027, 9, 1, tzinfo=UTC))
    assert first.timestamp() % PERIOD.total_seconds() == 0
    assert window_start(first) == first
    assert window_start(first - timedelta(seconds=1)) == first - WINDOW


def test_a_line_cannot_say_two_things_of_one_dimension() -> None:
    with pytest.raises(ValueError, match="stage"):
        Recorder("test").record(Measurement("x", "Count", 1, ({"stage": "champion"}, {"stage": "challenger"})))


def every_error() -> set[type[ServiceError]]:
    import importlib  # noqa: PLC0415
    import pkgutil  # noqa: PLC0415

    import chalicelib  # noqa: PLC0415

    for module in pkgutil.iter_modules(chalicelib.__path__):
        importlib.import_module(f"chalicelib.{module.name}")
    errors, waiting = set(), [ServiceError]
    while waiting:
        kind = waiting.pop()
        errors.add(kind)
        waiting += kind.__subclasses__()
    return errors


def test_every_reason_shown_from_the_start_is_an_error_that_exists() -> None:
    codes = {kind.code for kind in every_error()}
    assert set(REASONS["sync"]) <= codes
    assert set(REASONS["async"]) - codes == {"dead_letter"}


def test_cold_starts_are_shown_of_every_function_that_is_deployed() -> None:
    from chalicelib.telemetry.service_metrics import FUNCTIONS  # noqa: PLC0415

    assert set(FUNCTIONS) == {function.name for function in DEPLOYED}
