"""The cost model's arithmetic, worked out by hand."""

import math

import pytest

from infra.reference.cost import (
    MEASURED,
    PAGE,
    PRICES,
    SECONDS,
    Workload,
    always_on,
    billed_gb_seconds,
    break_even,
    cold_share,
    load,
    monthly,
    options,
    provisioned,
    snapstart,
    tables,
    with_tables,
)

PRICE = load(PRICES)
PLAIN = {name: {"memory_mb": 1_769, "warm_ms": 2, "cold_ms": 2} for name in Workload(0).calls()}


def fake_measured(memory_mb: int = 1_769, warm_ms: float = 2, cold_ms: float = 2) -> dict[str, object]:
    """Every function equal, cold starts as fast as warm calls unless said otherwise."""
    names = Workload(0).calls()
    function = {"memory_mb": memory_mb, "warm_ms": warm_ms, "cold_ms": cold_ms}
    return {"measured_at": "2025-01-01", "machine": "none", "functions": dict.fromkeys(names, function)}


def test_a_months_calls_follow_from_its_predictions() -> None:
    # 1,000 predictions: 800 synchronous, 200 queued, each asked for twice, 500 lists
    calls = Workload(1_000).calls()
    assert (calls["predict"], calls["predict_async"], calls["inference"]) == (800, 200, 200)
    assert (calls["task_status"], calls["cards"]) == (400, 500)
    assert Workload(1_000).http_calls == 1_900


def test_a_function_that_is_never_called_for_long_starts_cold_every_time() -> None:
    # one call a month: exp(-300/2,628,000) = 0.99989, with the share for scaling more than 1
    assert cold_share(1) == 1.0


def test_a_function_in_steady_use_hardly_ever_starts_cold() -> None:
    # one call a second: exp(-300) is nothing, 0.1 % remains
    assert cold_share(SECONDS) == pytest.approx(0.001, abs=1e-12)


def test_one_call_in_five_minutes_starts_cold_more_than_a_third_of_the_time() -> None:
    assert cold_share(SECONDS / 300) == pytest.approx(math.exp(-1) + 0.001)


def test_gigabyte_seconds_are_whole_milliseconds_times_memory() -> None:
    # steady use, a whole core: 1.2 ms is billed as 2, 1.7 GB; cold starts cost the same here
    calls = SECONDS * 10
    expected = calls * 0.002 * 1_769 / 1_024
    assert billed_gb_seconds(calls, 1_769, 1.2, 1.2) == pytest.approx(expected)


def test_half_a_core_takes_twice_as_long() -> None:
    # 884.5 MB is half of 1,769: 3 ms become 6 at half the memory, so the bill is the same
    calls = SECONDS * 10
    half = billed_gb_seconds(calls, 884.5, 3, 3)
    assert half == pytest.approx(billed_gb_seconds(calls, 1_769, 3, 3))


def test_more_memory_than_a_core_needs_is_no_faster() -> None:
    calls = SECONDS * 10
    assert billed_gb_seconds(calls, 3_538, 3, 3) == pytest.approx(2 * billed_gb_seconds(calls, 1_769, 3, 3))


def test_a_million_http_calls_cost_three_and_a_half_dollars_at_the_gateway() -> None:
    # 1.9 HTTP calls per prediction
    month = monthly(Workload(1_000_000 / 1.9), fake_measured(), PRICE)
    assert month["API Gateway"] == pytest.approx(3.50)


def test_dynamodb_counts_six_write_units_a_task_and_one_read_unit_a_poll() -> None:
    # 1,000,000 predictions, 200,000 tasks: 1.2 M writes at 0.625 and 0.4 M reads at 0.125 per million, 10 MB kept
    month = monthly(Workload(1_000_000), fake_measured(), PRICE)
    assert month["DynamoDB"] == pytest.approx(0.75 + 0.05 + 0.0045)


def test_idle_queues_cost_their_polling() -> None:
    # two queues, five pollers, three calls a minute for 43,800 minutes: 1,314,000 at 0.40 per million
    assert monthly(Workload(0), fake_measured(), PRICE)["SQS"] == pytest.approx(0.5256)


def test_logs_cost_by_the_gigabyte_and_metrics_by_the_series() -> None:
    # nothing but schedules: 16,151 calls of 1,200 bytes, kept for 90 of 30.417 days; 100 series, 16 alarms, a dashboard
    month = monthly(Workload(0, alarms=16), fake_measured(), PRICE)
    kept = 0.03 * 90 / (730 / 24)
    assert month["Logs"] == pytest.approx(16_151 * 1_200 / 1e9 * (0.5 + kept))
    assert month["Metrics, alarms"] == pytest.approx(30 + 1.6 + 3)


def test_what_a_scrape_costs_is_mostly_the_figures_it_asks_for() -> None:
    # 43,800 scrapes of 100 figures at $10 a million
    measured = fake_measured()
    measured["functions"] = {**PLAIN, "metrics": {"memory_mb": 512, "warm_ms": 1, "cold_ms": 1}}
    more = options(Workload(0), measured, PRICE)
    scrape = more["`GET /metrics` scraped each minute"]
    assert scrape == pytest.approx(43_800 * 100 * 1e-5 + 43_800 * 3.7e-6, rel=0.001)


def test_a_web_acl_and_cloudfront_cost_by_the_request() -> None:
    # 1,000,000 predictions are 1.9 M calls and 10 GB of lists
    measured = fake_measured()
    measured["functions"] = {**PLAIN, "metrics": {"memory_mb": 512, "warm_ms": 1, "cold_ms": 1}}
    more = options(Workload(1_000_000), measured, PRICE)
    assert more["Web ACL, two rules (`AddressLimit`)"] == pytest.approx(5 + 2 + 1.9 * 0.6)
    assert more["CloudFront (`Cdn`), nothing cached"] == pytest.approx(1.9 * 1.1 - 10 * 0.005 + 0.4)


def test_the_original_costs_the_same_at_any_size() -> None:
    # EKS 73; API and worker each 0.5 cores and 2 GB: 14.7752 + 6.4897; broker with 1 GB: 14.7752 + 3.24485;
    # load balancer 0.0305 an hour; 20 GB of disk
    original = always_on(PRICE)
    assert original["Kubernetes"] == pytest.approx(73)
    assert original["API"] == pytest.approx(21.2649)
    assert original["broker"] == pytest.approx(18.02005)
    assert original["Load balancer"] == pytest.approx(22.265)
    assert sum(original.values()) == pytest.approx(73 + 2 * 21.2649 + 18.02005 + 22.265 + 1.6)
    assert sum(always_on(PRICE, cluster=False).values()) == pytest.approx(sum(original.values()) - 73)


def test_break_even_is_where_the_cost_reaches_the_limit() -> None:
    assert break_even(lambda predictions: 10 + predictions / 1_000, 110) == pytest.approx(100_000, abs=2)


def test_a_cost_that_never_reaches_the_limit_has_no_break_even() -> None:
    assert break_even(lambda _: 1.0, 2.0, most=5_000.0) == 5_000.0


def test_a_gigabyte_kept_warm_costs_eleven_dollars_a_month() -> None:
    # 2,628,000 s at 0.0000041667
    assert provisioned(1_024, 1, PRICE["lambda"]) == pytest.approx(10.95, abs=0.001)


def test_snapstart_costs_its_snapshot_and_every_restore() -> None:
    # 2,628,000 s at 0.0000015046, and 1,000 restores at 0.0001397998
    assert snapstart(1_024, 1_000, PRICE["lambda"]) == pytest.approx(3.9541 + 0.1398, abs=0.001)


def test_every_price_is_dated_and_names_its_source() -> None:
    assert PRICE["as_of"] > "2025"
    assert "Check them" in PRICE["source"]
    for names, page in PRICE["compared"].items():
        assert page.startswith("https://")
        for name in names.split(", "):
            service, price = name.split(".")
            assert PRICE[service][price] > 0, name


def test_the_published_tables_are_what_the_calculator_says() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page, tables(load(MEASURED), PRICE, Workload(100_000))) == page, "run `make cost`"


def test_a_page_without_its_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        with_tables("# Cost", "x")
