"""`make redrive`: run again tasks that failed without a prediction.

There are two kinds of dead letters. Messages still in the dead-letter queue, because its consumer is off or fails,
belong to pending tasks: they return to the inference queue. Tasks that failed with type dead_letter or expired keep
their message: each is run again as a NEW task, named in the failed one's error, because a caller may have read `failed`
and a task never changes its result. `--reopen` makes the same tasks pending again instead, for callers that are known
not to have looked.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import boto3

from chalicelib.errors import ServiceError, TaskNotFound
from chalicelib.tasks.dead_letters import redrive
from chalicelib.tasks.messages import task_id_of
from chalicelib.tasks.queue import SqsTaskQueue, TaskQueue
from chalicelib.tasks.store import DynamoTaskStore, TaskState, TaskStore
from infra.stack.outputs import read_outputs

RETENTION_SECONDS: Final = 86_400
_RECEIVED_AT_MOST: Final = 10


def return_waiting(sqs: Any, dead_letters_url: str, tasks: TaskStore, queue: TaskQueue, now: datetime) -> int:
    """Move the messages of pending tasks from the dead-letter queue back to the inference queue; returns their number.

    Others stay for the queue's consumer. Moving a message twice is harmless.
    """
    moved = 0
    while messages := sqs.receive_message(
        QueueUrl=dead_letters_url, MaxNumberOfMessages=_RECEIVED_AT_MOST, WaitTimeSeconds=0
    ).get("Messages", []):
        for message in messages:
            task_id = task_id_of(message["Body"])
            if task_id is None:
                continue
            try:
                task = tasks.get(task_id, now)
            except TaskNotFound:
                continue
            if task.state is TaskState.PENDING and task.message is not None:
                # the table's message, not the failed one, which may be at fault
                queue.send(task.message)
                sqs.delete_message(QueueUrl=dead_letters_url, ReceiptHandle=message["ReceiptHandle"])
                moved += 1
    return moved


def run_again(
    tasks: TaskStore,
    queue: TaskQueue,
    now: datetime,
    *,
    reopen: bool,
    at_most: int,
    say: Callable[[str], None] = print,
) -> Counter[str]:
    """Run the kept dead letters again, oldest first; counts of `run` and `not_readable`."""
    counts: Counter[str] = Counter()
    for number, task in enumerate(list(tasks.dead_letters())):
        if number >= at_most:
            counts["left"] += 1
            continue
        redriven = redrive(task, tasks, queue, now, reopen=reopen)
        if redriven is None:
            # run again by another operator since it was listed
            continue
        if redriven.new_id is None:
            counts["not_readable"] += 1
            say(f"{task.task_id}  {redriven.error_type}  cannot be run again: its message is unreadable")
        else:
            counts["run"] += 1
            say(f"{task.task_id}  {redriven.error_type}  runs as {redriven.new_id}")
    return counts


def _resources(environment: Mapping[str, str], stack: str | None) -> tuple[str, str, str]:
    """Table, inference queue and dead-letter queue.

    Raises:
        LookupError: there is no such stack, or none was named.
    """
    if stack is None:
        try:
            names = ("TASKS_TABLE", "INFERENCE_QUEUE_URL", "DEAD_LETTER_QUEUE_URL")
            table, inference, dead = (environment[name] for name in names)
        except KeyError:
            raise LookupError("which system? Start the local one with `make up`, or name a stack: --stack") from None
        return table, inference, dead
    outputs = read_outputs(boto3.client("cloudformation"), stack)
    if outputs is None:
        raise LookupError(f"no complete stack {stack} here")
    return outputs.tasks_table, outputs.inference_queue_url, outputs.dead_letter_queue_url


def main(arguments: list[str] | None = None) -> int:
    """Show dead letters or run them again; exit code 1 if one could not be run."""
    parser = argparse.ArgumentParser(prog="python -m infra.ops.redrive", description=__doc__)
    parser.add_argument("--stack", help="a stack on AWS; without it the local system")
    parser.add_argument("--list", action="store_true", help="only show what is kept")
    parser.add_argument("--reopen", action="store_true", help="the same tasks, although callers may have read `failed`")
    parser.add_argument("--at-most", type=int, default=1_000_000, help="how many to run, oldest first")
    options = parser.parse_args(arguments)
    try:
        table, inference, dead = _resources(os.environ, options.stack)
        sqs, now = boto3.client("sqs"), datetime.now(UTC)
        tasks = DynamoTaskStore(boto3.client("dynamodb"), table, RETENTION_SECONDS)
        if options.list:
            letters = [tasks.dead_letter(task.task_id) for task in tasks.dead_letters()]
            for letter in letters:
                if letter is not None and letter.error is not None:
                    at = datetime.fromtimestamp(letter.submitted_at, UTC)
                    print(
                        f"{letter.task_id}  {at:%Y-%m-%d %H:%M:%S}Z  {letter.error['type']}: {letter.error['message']}"
                    )
            print(f"{len(letters)} kept, {SqsTaskQueue(sqs, dead).counts().waiting} waiting in the dead-letter queue")
            return 0
        queue = SqsTaskQueue(sqs, inference)
        moved = return_waiting(sqs, dead, tasks, queue, now)
        counts = run_again(tasks, queue, now, reopen=options.reopen, at_most=options.at_most)
    except (LookupError, ServiceError) as error:
        print(error, file=sys.stderr)
        return 2
    print(
        f"{moved} moved back from the dead-letter queue, {counts['run']} run again, "
        f"{counts['not_readable']} cannot be, {counts['left']} left"
    )
    return 1 if counts["not_readable"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
