"""The inference queue: send, and count what waits."""

from collections.abc import Sequence
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


class SqsTaskQueue:
    """One SQS queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self.url = url

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


def _unavailable(error: Exception) -> QueueUnavailable:
    return QueueUnavailable(f"the inference queue does not answer: {type(error).__name__}")
