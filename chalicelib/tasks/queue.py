"""The inference queue: send, and count waiting messages."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import QueueUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Approximate numbers of messages, as SQS gives them."""

    waiting: int
    in_flight: int
    delayed: int


class TaskQueue(Protocol):
    """A queue of task messages."""

    def send(self, body: str) -> None:
        """Enqueue one message.

        Raises:
            QueueUnavailable: it was not accepted.
        """
        ...

    def counts(self) -> QueueCounts:
        """How many messages wait, are being worked on, or are delayed.

        Raises:
            QueueUnavailable: the queue does not answer.
        """
        ...

    def backlog(self) -> int:
        """Number of waiting messages at the last count; 0 before the first."""
        ...


class SqsTaskQueue:
    """One SQS queue.

    Args:
        client: SQS client.
        url: The queue's URL.
        backlog_seconds: How long `backlog` reuses a count.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        client: "SQSClient",
        url: str,
        backlog_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self.url = url
        self._backlog_seconds = backlog_seconds
        self._clock = clock
        self._backlog = 0
        self._counted_at: float | None = None

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.url.rsplit("/", 1)[-1]

    def send(self, body: str) -> None:
        """See `TaskQueue.send`."""
        try:
            self._client.send_message(QueueUrl=self.url, MessageBody=body)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error

    def counts(self) -> QueueCounts:
        """See `TaskQueue.counts`."""
        names: Sequence[str] = (
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        )
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)  # type: ignore[arg-type]
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(error) from error
        waiting, in_flight, delayed = (int(answer["Attributes"][name]) for name in names)  # type: ignore[index]
        return QueueCounts(waiting, in_flight, delayed)

    def backlog(self) -> int:
        """See `TaskQueue.backlog`."""
        now = self._clock()
        if self._counted_at is None or now - self._counted_at >= self._backlog_seconds:
            self._counted_at = now
            # a queue that cannot be counted may still accept messages: keep the last count
            with contextlib.suppress(QueueUnavailable):
                self._backlog = self.counts().waiting
        return self._backlog


def _unavailable(error: Exception) -> QueueUnavailable:
    return QueueUnavailable(f"the inference queue does not answer: {type(error).__name__}")
