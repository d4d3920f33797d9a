"""A queued prediction: its request, its queue message and its status."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from chalicelib.contracts.base import Features, Frozen, MatchId, RequestFeatures, with_example
from chalicelib.contracts.predictions import EXAMPLE_PREDICTION, Prediction
from chalicelib.domain import Stage

_EXAMPLE_TASK_ID = "0d9f2c6e-5a0e-4f5c-9a1c-3c2f3f6d8b11"


class AsyncPredictRequest(Frozen):
    """A match, with its feature values or without: then they come from the current data release."""

    model_config = with_example(match_id=99)

    match_id: MatchId
    features: RequestFeatures | None = None


class AsyncPredictResponse(Frozen):
    """An accepted task and where to poll for its result."""

    model_config = with_example(
        task_id=_EXAMPLE_TASK_ID, status="submitted", status_url=f"/monitoring/task_status/{_EXAMPLE_TASK_ID}"
    )

    task_id: str = Field(examples=[_EXAMPLE_TASK_ID])
    status: Literal["submitted"] = "submitted"
    status_url: str = Field(description="Path below the API's URL; the header `Location` has the whole URL.")


class TaskError(Frozen):
    """Why a task failed."""

    model_config = with_example(type="features_rejected", message="required feature diff_elo is missing")

    type: str
    message: str


class TaskStatus(Frozen):
    """A task: pending, or ended once as success with its result or as failed with its error."""

    model_config = with_example(task_id=_EXAMPLE_TASK_ID, status="success", result=EXAMPLE_PREDICTION)

    task_id: str
    status: Literal["pending", "success", "failed"]
    result: Prediction | None = None
    error: TaskError | None = None


class InferenceMessage(Frozen):
    """A task on the inference queue.

    Later versions of the service must still read messages of this version: fields are added with defaults, never
    renamed or removed (tests/contract/messages).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    task_id: str
    match_id: MatchId
    stage: Stage
    features: Features
    features_computed_at: str | None = None
    submitted_at: datetime
