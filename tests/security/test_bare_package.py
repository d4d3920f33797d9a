"""Functions answer from their package and layers alone: what AWS gets, in an empty folder, and nothing of this machine.

The stage is `local`, which the end-to-end tests build too; `make package STAGE=dev` runs this on what it has built.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from infra.packaging import dependencies
from infra.packaging.build import build_stage
from infra.stack.functions import BY_NAME
from infra.stack.stages import LOCAL_STAGE, Target, target_of
from tests.support.bare_call import BareAnswer, BareCallError, call_alone, served_objects
from tests.support.builders import make_predictions, mirror_model, publish
from tests.support.fakes import InMemoryObjectStore

pytestmark = pytest.mark.slow

EVENTS = Path(__file__).parents[1] / "events"


@pytest.fixture(scope="module")
def target() -> Target:
    """What the stage under test is built for."""
    chosen = target_of(os.environ.get("BARE_STAGE", LOCAL_STAGE))
    if dependencies.runner(chosen) is None:
        pytest.skip(f"this machine cannot run {chosen.runtime} on {chosen.architecture}")
    return chosen


@pytest.fixture(scope="module")
def out(target: Target) -> Path:
    """The built packages."""
    return build_stage(os.environ.get("BARE_STAGE", LOCAL_STAGE), target)


@pytest.fixture(scope="module")
def objects() -> dict[str, bytes]:
    """A bucket with a model and a release."""
    store = InMemoryObjectStore()
    mirror_model(store)
    publish(store, predictions=make_predictions(3))
    return {key: store.get(key).body for key, _ in store.keys("")}  # type: ignore[union-attr]  # no ETag given


def environment(endpoint: str) -> dict[str, str]:
    """The variables of a function, with S3 at our endpoint and keys not demanded."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_LAMBDA_FUNCTION_NAME": "soccer-bare",
        "DATA_BUCKET": "data",
        "TASKS_TABLE": "tasks",
        "INFERENCE_QUEUE_URL": f"{endpoint}/000000000000/inference",
        "DEAD_LETTER_QUEUE_URL": f"{endpoint}/000000000000/dead-letters",
        "INFERENCE_FUNCTION": "soccer-bare-inference",
        "API_KEYS_SECRET_ID": "soccer-bare/api-keys",
        "CLIENT_KEY_REQUIRED": "false",
        "REPLAY_AS_OF": "2024-05-01T12:00:00Z",
        "POWERTOOLS_SERVICE_NAME": "soccer-predictions",
    }


def call(function: str, out: Path, target: Target, objects: dict[str, bytes], folder: Path) -> BareAnswer:
    """The answer to the stored event of a function."""
    event = json.loads((EVENTS / f"{function}.json").read_text(encoding="utf-8"))
    with served_objects(objects) as endpoint:
        return call_alone(out, target, BY_NAME[function], event, environment(endpoint), folder)


@pytest.mark.parametrize("function", ["predict", "predict_match", "cards"])
def test_a_function_answers_from_what_is_deployed_alone(
    function: str, out: Path, target: Target, objects: dict[str, bytes], tmp_path: Path
) -> None:
    called = call(function, out, target, objects, tmp_path)
    assert called.strangers == ()
    assert called.answer["statusCode"] == 200, called.answer
    if function.startswith("predict"):
        body: Any = json.loads(called.answer["body"])
        assert sum(body["prediction"]["probabilities"].values()) == pytest.approx(1)


def test_without_its_layer_a_function_cannot_predict(
    out: Path, target: Target, objects: dict[str, bytes], tmp_path: Path
) -> None:
    # proves that the test above would notice: this machine has a libgomp and a LightGBM that must not stand in
    event = json.loads((EVENTS / "predict.json").read_text(encoding="utf-8"))
    without = type(BY_NAME["predict"])("predict", BY_NAME["predict"].package)
    with served_objects(objects) as endpoint:
        try:
            called = call_alone(out, target, without, event, environment(endpoint), tmp_path)
        except BareCallError as error:
            assert "lightgbm" in str(error).lower()  # noqa: PT017 - either way is a refusal
            return
    assert called.answer["statusCode"] == 503
