"""The Python client: typed results, paging, waiting, retries, errors; against the functions and against the stack."""

import asyncio
import filecmp
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import boto3
import httpx
import pytest
from soccer_predictions import (
    AccessDenied,
    ApiError,
    AsyncSoccerPredictions,
    Conflict,
    InvalidRequest,
    NotFound,
    ServiceUnavailable,
    SoccerPredictions,
    TaskFailed,
    TaskTimeout,
    calls,
)
from soccer_predictions.retries import AsyncRetryTransport, Retries, RetryTransport

import app
from chalicelib import VERSION, wiring
from chalicelib.api import openapi
from chalicelib.api.routes import all_routers
from chalicelib.contracts.lists import ProjectionRow
from chalicelib.storage.objects import ObjectStore
from infra.paths import ROOT
from tests.support.builders import Context, make_odds, make_predictions, mirror_model, publish
from tests.support.gateway import AsyncInProcessGateway, InProcessGateway
from tests.support.throwaway import RunningStack

PACKAGE = ROOT / "clients" / "python"
FEATURES = {"diff_elo": 80.0, "home_rest_days": 6.0, "sex": 0}
_EXAMPLES: Any = ProjectionRow.model_config["json_schema_extra"]
PROJECTION: dict[str, Any] = _EXAMPLES["examples"][0]
AT_ONCE = Retries(attempts=3, first_wait=0.0)


@pytest.fixture
def gateway() -> InProcessGateway:
    return InProcessGateway()


@pytest.fixture
def client(objects: ObjectStore, gateway: InProcessGateway) -> Iterator[SoccerPredictions]:
    """A client of a stack with a model and a release of 25 matches."""
    mirror_model(objects)
    publish(objects, predictions=make_predictions(25), odds=make_odds([1, 3]), projections=[PROJECTION])
    with SoccerPredictions("http://api.test", transport=gateway, retries=AT_ONCE) as client:
        yield client


def drain() -> None:
    """Let the inference function work on what is queued."""
    found = boto3.client("sqs").receive_message(QueueUrl=wiring.settings().inference_queue_url)
    for message in found.get("Messages", []):
        app.inference({"Records": [{"messageId": "1", "body": message["Body"], "attributes": {}}]}, Context())


def test_results_are_typed(client: SoccerPredictions) -> None:
    live = client.predict(99, FEATURES, explain=True)
    assert live.match_id == 99
    assert live.prediction.model_version == "champion"
    assert live.contributions
    row = client.precomputed(1)
    assert (row.home_team, type(row.match_date)) == ("Home 1", datetime)
    assert client.predict_match(1).prediction.features_computed_at is not None
    assert client.model_info().features[0].name == "diff_elo"
    assert client.health(ready=True).status == "ok"


def test_a_list_is_an_iterator_over_all_of_its_pages(client: SoccerPredictions, gateway: InProcessGateway) -> None:
    rows = list(client.predictions(limit=10))
    assert len({row.match_id for row in rows}) == 25
    assert len(gateway.requests) == 3
    only = client.cards(from_=datetime(2000, 1, 1, tzinfo=UTC), limit=7)
    assert len(list(only)) == 25
    assert {row.match_id for row in client.odds()} == {1, 3}


def test_lists_take_orders_ids_and_spellings(client: SoccerPredictions) -> None:
    assert [row.match_id for row in client.predictions(sort="-kickoff")] == list(range(25, 0, -1))
    assert [row.match_id for row in client.cards(match_ids=range(3, 6))] == [3, 4, 5]
    assert [row.match_id for row in client.cards(sort="edge", limit=1)][:2] == [1, 3]
    assert [row.match_id for row in client.odds(match_id=3)] == [3]
    assert [row.match_id for row in client.matches(region="SP\u00c1IN", team="home 4")] == [4]


def test_what_filters_take_is_listed(client: SoccerPredictions) -> None:
    england, spain = client.regions()
    assert [(england.region, england.matches), (spain.region, spain.matches)] == [("England", 13), ("Spain", 12)]
    assert {club.region for club in client.clubs(region="spain")} == {"Spain"}
    (row,) = client.projections(region="england")
    assert row.team == PROJECTION["team"]
    assert list(client.projections(team="nobody")) == []


def test_a_match_is_predicted_with_changed_features(client: SoccerPredictions) -> None:
    features = client.features(1).features.additional_properties
    changed = client.what_if(1, {"diff_elo": 300.0})
    assert changed.features.additional_properties == {**features, "diff_elo": 300.0}
    assert changed.prediction.probabilities.home > client.predict_match(1).prediction.probabilities.home
    assert client.predict(1, features, explain=True).base


def test_a_calendar_is_text(client: SoccerPredictions) -> None:
    assert client.calendar(match_id=3).startswith("BEGIN:VCALENDAR")


def test_an_operators_client_reads_the_operations(client: SoccerPredictions) -> None:
    with pytest.raises(AccessDenied):
        client.drift()
    with SoccerPredictions("http://api.test", api_key="operator-key", transport=InProcessGateway()) as operator:
        assert operator.drift().drift_score is None
        assert operator.queues().inference.waiting == 0
        assert operator.workers().workers[0].state == "Missing"
        assert "prediction_requests_total" in operator.metrics()


def test_the_client_has_every_operation_and_every_filter() -> None:
    document = openapi.document(all_routers())
    operations = {found["operationId"]: found for item in document["paths"].values() for found in item.values()}
    pages = {name for name, found in operations.items() if "pages" in found["tags"]}
    called = {value.__name__.rsplit(".", 1)[-1] for value in vars(calls).values() if isinstance(value, ModuleType)}
    assert called >= {name for name in operations if not name.endswith("_alias")} - pages
    for kind in (SoccerPredictions, AsyncSoccerPredictions):
        for name in (*calls.LISTS, "calendar"):
            queried = {found["name"] for found in operations[name].get("parameters", []) if found["in"] == "query"}
            hint = get_type_hints(getattr(kind, name)).get("filters")
            taken = set(get_type_hints(get_args(hint)[0])) if hint else set()
            assert {filter_name.rstrip("_") for filter_name in taken} == queried - {"cursor"}, name


def test_a_queued_prediction_is_waited_for(client: SoccerPredictions) -> None:
    task = client.submit(1)
    drain()
    probabilities = client.wait(task).probabilities
    assert probabilities.home + probabilities.draw + probabilities.away == pytest.approx(1)
    assert client.task(task.task_id).status == "success"


def test_a_task_that_failed_or_takes_too_long_says_so(client: SoccerPredictions, objects: ObjectStore) -> None:
    task = client.submit(1)
    with pytest.raises(TaskTimeout):
        client.wait(task, timeout=0.1)
    wiring.tasks().fail(task.task_id, "features_rejected", "no good", datetime.now(UTC))
    with pytest.raises(TaskFailed) as failed:
        client.wait(task.task_id)
    assert (failed.value.type, failed.value.message) == ("features_rejected", "no good")


def test_a_submission_repeats_under_its_key(client: SoccerPredictions, gateway: InProcessGateway) -> None:
    first, again = client.submit(1, idempotency_key="k"), client.submit(1, idempotency_key="k")
    assert first.task_id == again.task_id
    with pytest.raises(Conflict):
        client.submit(2, idempotency_key="k")
    assert client.submit(1).task_id != client.submit(1).task_id
    assert all(request.headers.get("idempotency-key") for request in gateway.requests)


@pytest.mark.parametrize(
    ("ask", "kind", "code"),
    [
        (lambda client: client.precomputed(999), NotFound, "prediction_not_found"),
        (lambda client: client.predict(1, {}), InvalidRequest, "features_rejected"),
        (lambda client: client.predict(1, {**FEATURES, "sex": 2}), InvalidRequest, "invalid_request"),
        (lambda client: list(client.matches(limit=9_999)), InvalidRequest, "invalid_request"),
        (lambda client: client.model_info(stage="challenger"), ServiceUnavailable, "model_unavailable"),
    ],
)
def test_an_error_is_raised_with_its_code(
    client: SoccerPredictions, ask: Callable[[SoccerPredictions], Any], kind: type[ApiError], code: str
) -> None:
    patient = Retries(attempts=1)
    client._http._transport._retries = patient  # type: ignore[attr-defined]
    with pytest.raises(kind) as raised:
        ask(client)
    assert (raised.value.code, raised.value.request_id) == (code, "request-1")


class Flaky(httpx.BaseTransport):
    """Answers with each of these in turn."""

    def __init__(self, *outcomes: httpx.Response | Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_what_may_be_repeated_is_repeated_until_it_succeeds() -> None:
    flaky = Flaky(
        httpx.ConnectError("refused"),
        httpx.Response(503, headers={"retry-after": "0"}),
        httpx.Response(200, json={"status": "ok", "worker_id": "w", "memory_usage_mb": 1, "checks": {}}),
    )
    client = SoccerPredictions("http://api.test", transport=flaky, retries=AT_ONCE)
    assert (client.health().status, flaky.asked) == ("ok", 3)


def test_after_the_last_attempt_the_answer_or_the_failure_is_the_callers() -> None:
    refused = Flaky(*[httpx.Response(429, headers={"retry-after": "0"}, json={"code": "throttled"})] * 3)
    with pytest.raises(ApiError) as raised:
        SoccerPredictions("http://api.test", transport=refused, retries=AT_ONCE).health()
    assert (raised.value.code, raised.value.retry_after, refused.asked) == ("throttled", 0, 3)
    gone = Flaky(*[httpx.ConnectError("refused")] * 3)
    with pytest.raises(httpx.ConnectError):
        SoccerPredictions("http://api.test", transport=gone, retries=AT_ONCE).health()


def test_what_asks_for_more_patience_than_there_is_is_final() -> None:
    refused = Flaky(httpx.Response(503, headers={"retry-after": "3600"}))
    with pytest.raises(ServiceUnavailable):
        SoccerPredictions("http://api.test", transport=refused, retries=AT_ONCE).health()
    assert refused.asked == 1


def test_without_a_named_time_waits_grow_up_to_their_limit() -> None:
    retries = Retries(attempts=10, first_wait=1, longest_wait=4)
    waits = [retries.wait(attempt, None) for attempt in range(1, 11)]
    assert waits[-1] is None
    assert [0.5 * 2 ** min(i, 2) <= (wait or 0) <= 2 ** min(i, 2) for i, wait in enumerate(waits[:-1])] == [True] * 9


def test_the_asynchronous_client_has_the_same_methods_and_answers(client: SoccerPredictions) -> None:
    def public(of: type) -> set[str]:
        return {name for name in vars(of) if not name.startswith("_")}

    assert public(AsyncSoccerPredictions) == public(SoccerPredictions)
    expected = [row.match_id for row in client.predictions()]

    async def ask() -> None:
        async with AsyncSoccerPredictions("http://api.test", transport=AsyncInProcessGateway()) as other:
            assert [row.match_id async for row in other.predictions(limit=10)] == expected
            assert (await other.predict(99, FEATURES)).match_id == 99
            task = await other.submit(1)
            with pytest.raises(TaskTimeout):
                await other.wait(task, timeout=0.1)
            drain()
            assert (await other.wait(task)).model_version == "champion"

    asyncio.run(ask())


def test_asynchronous_requests_are_repeated_too() -> None:
    class Refusing(httpx.AsyncBaseTransport):
        asked = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.asked += 1
            raise httpx.ConnectError("refused")

    refusing = Refusing()

    async def ask() -> None:
        with pytest.raises(httpx.ConnectError):
            await AsyncSoccerPredictions("http://api.test", transport=refusing, retries=AT_ONCE).health()

    asyncio.run(ask())
    assert refusing.asked == 3
    assert isinstance(AsyncRetryTransport(refusing, AT_ONCE), httpx.AsyncBaseTransport)
    assert issubclass(RetryTransport, httpx.BaseTransport)


@pytest.mark.slow
def test_the_generated_core_is_that_of_the_document(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "infra.reference.clients", "--python", str(tmp_path / "core")],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    committed = PACKAGE / "src" / "soccer_predictions" / "_generated"
    assert differences(filecmp.dircmp(committed, tmp_path / "core", ignore=["__pycache__"])) == []


def differences(compared: "filecmp.dircmp[str]") -> list[str]:
    found = [*compared.left_only, *compared.right_only, *compared.diff_files]
    return found + [name for below in compared.subdirs.values() for name in differences(below)]


@pytest.mark.slow
def test_the_package_installs_and_has_the_services_version(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(tmp_path), str(PACKAGE)], check=True, capture_output=True)
    script = (
        "import importlib.metadata, soccer_predictions;"
        "print(soccer_predictions.__file__, importlib.metadata.version('soccer-predictions-client'))"
    )
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True, cwd=tmp_path
    )
    location, version = done.stdout.split()
    assert (tmp_path / "soccer_predictions" / "py.typed").is_file()
    assert (Path(location).is_relative_to(tmp_path), version) == (True, VERSION)


def test_it_works_against_the_stack(stack: RunningStack) -> None:
    with SoccerPredictions(stack.base_url, api_key=stack.environment["CLIENT_KEY"]) as client:
        match = next(client.matches(limit=1))
        live = client.predict_match(match.match_id)
        assert client.precomputed(match.match_id).proba_home == live.prediction.probabilities.home
        task = client.submit(match.match_id)
        assert client.wait(task).probabilities == live.prediction.probabilities
        assert len({row.match_id for row in client.cards(status="upcoming", limit=50)}) > 50
        assert client.prices(match.match_id).match_id == match.match_id
        assert client.track_record().matches > 0
        with pytest.raises(NotFound):
            client.precomputed(1)
