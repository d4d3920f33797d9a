"""Accept a prediction for the background (docs/adr/0006)."""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Final

from chalicelib.contracts.tasks import AsyncPredictRequest, InferenceMessage
from chalicelib.domain import Stage
from chalicelib.errors import (
    BacklogFull,
    BodyTooLarge,
    QueueUnavailable,
    ServiceError,
    TaskNotFound,
    TaskStoreUnavailable,
)
from chalicelib.models.signature import Signature
from chalicelib.releases.features import match_features
from chalicelib.releases.store import ReleaseStore
from chalicelib.tasks.queue import TaskQueue
from chalicelib.tasks.store import IdempotencyKey, TaskState, TaskStore

MAX_MESSAGE_BYTES: Final = 256 * 1024
"""Largest message that every SQS queue takes; a task's item in DynamoDB may be 400 KB."""


RESEND_ON_RETRY_SECONDS: Final = 30.0
"""How long after a submission a repeated one sends the message again, in case it was never sent."""


def fingerprint(request: AsyncPredictRequest, stage: Stage) -> str:
    """Hash of a request's content; independent of how its body is formatted."""
    canonical = json.dumps([request.model_dump(mode="json"), stage], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def own_key(idempotency_key: str | None, api_key: str | None) -> str | None:
    """An idempotency key in the namespace of the API key it came with, so that callers cannot collide."""
    if idempotency_key is None or api_key is None:
        return idempotency_key
    return f"{hashlib.sha256(api_key.encode('utf-8', 'replace')).hexdigest()} {idempotency_key}"


def submit(
    request: AsyncPredictRequest,
    stage: Stage,
    idempotency_key: str | None,
    *,
    tasks: TaskStore,
    queue: TaskQueue,
    releases: ReleaseStore,
    max_backlog: int,
    now: datetime,
    signature: Signature | None = None,
    new_id: Callable[[], uuid.UUID] = uuid.uuid4,
) -> str:
    """Accept a prediction to be made later, and return its task id.

    The task is recorded before its message is sent; a crash in between leaves a pending task that the sweep, or the
    same submission again with its key, sends (docs/adr/0006).

    Args:
        request: What to predict.
        stage: Alias of the model.
        idempotency_key: The caller's key, already in the caller's own namespace (`own_key`).
        tasks: Task table.
        queue: Inference queue.
        releases: Source of features that the caller did not send.
        max_backlog: Messages that may wait.
        now: Time of the request.
        signature: The model's signature where it is known: features sent are then checked before they are accepted.
        new_id: Generates the task's id.

    Raises:
        MatchNotFound, ReleaseUnavailable: no features sent, and none in the release.
        FeaturesRejected: the features sent contradict the signature.
        IdempotencyConflict: the key was used with another request.
        BodyTooLarge: the message would be larger than a queue takes.
        BacklogFull: more messages wait than the configured backlog.
        TaskStoreUnavailable, QueueUnavailable: not accepted.
    """
    key = IdempotencyKey(idempotency_key, fingerprint(request, stage)) if idempotency_key else None
    task_id = str(new_id())
    try:
        if queue.backlog() >= max_backlog:
            raise BacklogFull(f"more than {max_backlog} predictions are waiting")
        if signature is not None and request.features is not None:
            signature.row(request.features)
        message = _message(task_id, request, stage, releases, now)
    except ServiceError:
        # what was accepted once stays accepted, even if it could not be accepted now
        if key is None or (earlier_task := tasks.find(key, now)) is None:
            raise
        return earlier_task
    accepted = tasks.submit(task_id, message, now, key)
    if accepted != task_id:
        _send_if_unsent(accepted, tasks, queue, now)
        return accepted
    try:
        queue.send(message)
    except QueueUnavailable as error:
        # The caller learns that it was not accepted. With a key a retry finds this task, which is due at once; without
        # one no retry can, so the task must not run. If neither can be recorded, the sweep finds a pending task:
        # rather run once too often than never.
        with contextlib.suppress(TaskStoreUnavailable):
            if key is None:
                tasks.fail(task_id, error.code, error.message, now)
            else:
                tasks.not_sent(task_id, now)
        raise
    return accepted


def _message(task_id: str, request: AsyncPredictRequest, stage: Stage, releases: ReleaseStore, now: datetime) -> str:
    features, computed_at = request.features, None
    if features is None:
        released_features = match_features(request.match_id, releases)
        features, computed_at = dict(released_features.values), released_features.computed_at
    # not validated again: the request was, and the release's values are checked against the signature
    message = InferenceMessage.model_construct(
        task_id=task_id,
        match_id=request.match_id,
        stage=stage,
        features=features,
        features_computed_at=computed_at,
        submitted_at=now,
    ).model_dump_json()
    # two characters that JSON allows unescaped and SQS rejects; they occur only in strings
    message = message.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
    if len(message.encode()) > MAX_MESSAGE_BYTES:
        raise BodyTooLarge(f"the features are larger than {MAX_MESSAGE_BYTES} bytes")
    return message


def _send_if_unsent(task_id: str, tasks: TaskStore, queue: TaskQueue, now: datetime) -> None:
    """Send an accepted task's message again if it may never have been sent; rarely enough to avoid a flood."""
    with contextlib.suppress(TaskNotFound):
        task = tasks.get(task_id, now)
        old = task.sends == 0 and now.timestamp() - task.submitted_at >= RESEND_ON_RETRY_SECONDS
        if task.state is not TaskState.PENDING or not (old or task.next_send_at <= now.timestamp()):
            return
        if (message := tasks.claim_send(task, now)) is None:
            return
        try:
            queue.send(message)
        except QueueUnavailable:
            with contextlib.suppress(TaskStoreUnavailable):
                tasks.not_sent(task_id, now)
            raise
