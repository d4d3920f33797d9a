"""Every function driven through each part of its job once, by its real path: gateway, queue or schedule."""

import io
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import pyarrow.parquet as pq
import requests

from tests.support.throwaway import RunningStack

AS_OF: Final = {"as_of": "2024-04-01T00:00:00Z"}
# More releases than a rebuild keeps, so that it has some to delete.
OLD_RELEASES: Final = 20


class GivenUp(Exception):
    """The job is not waited for any longer."""


def role_of(stack: RunningStack, function: str) -> str:
    """Name of a function's role."""
    configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.function_name(function))
    return str(configuration["Role"].rpartition("/")[2])


@contextmanager
def variables(stack: RunningStack, function: str, changes: Mapping[str, str]) -> Iterator[None]:
    """A function with other variables, hence in new sandboxes; put back afterwards."""
    client, name = stack.client("lambda"), stack.function_name(function)
    before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **changes}})
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": before})


KEYED_READERS = frozenset({"cards", "matches", "odds", "predictions", "region_roi", "features"})


class Jobs:
    """The jobs of all functions, by function name.

    Args:
        stack: Where they run.
        hopeless: Asked while a job waits for something; true ends the wait.
    """

    def __init__(self, stack: RunningStack, hopeless: Callable[[], bool] = lambda: False) -> None:
        self._stack = stack
        self._hopeless = hopeless
        self._session = requests.Session()
        self.match_id, self._feature_values = self._a_match_with_features()

    def run(self, function: str) -> None:
        """Do a function's job.

        Raises:
            AssertionError, LocalSystemError: It is not done.
            GivenUp: It was hopeless.
        """
        getattr(self, f"_{function}", lambda: self._read(function))()

    # ── What jobs consist of ────────────────────────────────────────────────────────────────────────

    def _answer(self, method: str, path: str, status: int = 200, *, key: str = "", **request: Any) -> Any:
        headers = {"X-API-Key": key or self._stack.keys.client, **request.pop("headers", {})}
        response = self._session.request(
            method, f"{self._stack.base_url}/{path}", timeout=30, headers=headers, **request
        )
        assert response.status_code == status, f"{path}: {response.status_code} {response.text[:300]}"
        return response

    def _eventually(self, condition: Callable[[], bool], description: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if self._hopeless():
                raise GivenUp(description)
            assert time.monotonic() < end, f"{description}: not within {seconds:.0f} s"
            time.sleep(0.1)

    def _state(self, task_id: str) -> str:
        item = self._stack.client("dynamodb").get_item(
            TableName=self._stack.outputs.tasks_table, Key={"task_id": {"S": task_id}}
        )["Item"]
        return str(item["status"]["S"])

    def _a_match_with_features(self) -> tuple[int, dict[str, Any]]:
        s3, bucket = self._stack.client("s3"), self._stack.outputs.bucket
        pointer = json.loads(s3.get_object(Bucket=bucket, Key="releases/current.json")["Body"].read())
        key = pointer["datasets"]["match_features"]["key"]
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        row = pq.read_table(io.BytesIO(content)).slice(0, 1).to_pylist()[0]
        return row.pop("match_id"), row

    def _pending_task(self, age_seconds: float) -> tuple[str, str]:
        """A task that waits since then, written past the API; its id and its message."""
        task_id, submitted = str(uuid.uuid4()), time.time() - age_seconds
        content = {"task_id": task_id, "match_id": self.match_id, "stage": "champion", "features": self._feature_values}
        message = json.dumps({**content, "submitted_at": "2024-04-01T00:00:00Z"})
        self._stack.client("dynamodb").put_item(
            TableName=self._stack.outputs.tasks_table,
            Item={
                "task_id": {"S": task_id},
                "status": {"S": "pending"},
                "message": {"S": message},
                "submitted_at": {"N": repr(submitted)},
                "sends": {"N": "0"},
                "next_send_at": {"N": repr(submitted)},
                "pending_shard": {"S": "0"},
                "expires_at": {"N": str(int(submitted) + 86_400)},
            },
        )
        return task_id, message

    @contextmanager
    def _queue_refused(self) -> Iterator[None]:
        """The queue unreachable for predict_async."""
        role, iam = role_of(self._stack, "predict_async"), self._stack.client("iam")
        statement = {"Effect": "Deny", "Action": "sqs:SendMessage", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName="refuse", PolicyDocument=document)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="refuse")

    # ── Predictions: with keys demanded as in production; the local stage leaves these routes open ──

    def _predict(self) -> None:
        with variables(self._stack, "predict", {"CLIENT_KEY_REQUIRED": "true"}):
            self._answer("POST", "predict", json={"match_id": self.match_id, "features": self._feature_values})

    def _predict_match(self) -> None:
        with variables(self._stack, "predict_match", {"CLIENT_KEY_REQUIRED": "true"}):
            self._answer("GET", f"predict/{self.match_id}")

    def _predict_async(self) -> None:
        body, headers = {"match_id": self.match_id}, {"Idempotency-Key": str(uuid.uuid4())}
        with variables(self._stack, "predict_async", {"CLIENT_KEY_REQUIRED": "true"}):
            task = self._answer("POST", "predict/async", 202, json=body, headers=headers).json()["task_id"]
            repeated_id = self._answer("POST", "predict/async", 202, json=body, headers=headers).json()["task_id"]
            assert repeated_id == task
            # features in the body are checked against the signature of the stage's model
            for stage in ("champion", "challenger"):
                sent = {**body, "features": self._feature_values}
                self._answer("POST", f"predict/async?stage={stage}", 202, json=sent)
            # ends its task itself, since nobody has its id
            with self._queue_refused():
                self._answer("POST", "predict/async", 503, json=body)

    def _what_if(self) -> None:
        with variables(self._stack, "what_if", {"CLIENT_KEY_REQUIRED": "true"}):
            self._answer("POST", f"predict/what-if/{self.match_id}", json={"changes": {}})

    # ── Queues ──────────────────────────────────────────────────────────────────────────────────────

    def _inference(self) -> None:
        task, message = self._pending_task(age_seconds=0)
        self._stack.client("sqs").send_message(QueueUrl=self._stack.outputs.inference_queue_url, MessageBody=message)
        self._eventually(lambda: self._state(task) == "success", "the queued prediction")

    def _dead_letters(self) -> None:
        task, message = self._pending_task(age_seconds=0)
        self._stack.client("sqs").send_message(QueueUrl=self._stack.outputs.dead_letter_queue_url, MessageBody=message)
        self._eventually(lambda: self._state(task) == "failed", "the dead letter's task")

    def _sweep(self) -> None:
        lost, _ = self._pending_task(age_seconds=3_600)
        self._eventually(lambda: self._stack.invoke("sweep")["sent"] >= 1, "the sweep")
        self._eventually(lambda: self._state(lost) == "success", "the lost task")
        self._restore_damaged()

    def _restore_damaged(self) -> None:
        s3, bucket = self._stack.client("s3"), self._stack.outputs.bucket
        pointer = json.loads(s3.get_object(Bucket=bucket, Key="releases/current.json")["Body"].read())
        mirror = json.loads(s3.get_object(Bucket=bucket, Key="models/champion/current.json")["Body"].read())
        keys = [pointer["datasets"]["roi_by_region"]["key"], mirror["model_key"]]
        undamaged = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"damaged")
        self._stack.invoke("sweep")
        assert [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys] == undamaged

    # ── Scheduled functions ─────────────────────────────────────────────────────────────────────────

    def _old_releases(self) -> None:
        s3 = self._stack.client("s3")
        for number in range(OLD_RELEASES):
            key = f"releases/20200101T0000{number:02}Z-00000000/predictions.parquet"
            s3.put_object(Bucket=self._stack.outputs.bucket, Key=key, Body=b"old")

    def _rebuild(self) -> None:
        self._old_releases()
        assert self._stack.invoke("rebuild", AS_OF)["forgotten_files"] >= 1

    def _bulk_plan(self) -> None:
        # Prices known before those of the current release are a data set of their own.
        self._stack.invoke("bulk_plan", {"as_of": "2024-03-31T00:00:00Z"})

    def _bulk_score(self) -> None:
        self._bulk_items()

    def _bulk_items(self) -> str:
        """Have all items of a run scored; its release id."""
        plan = self._stack.invoke("bulk_plan", AS_OF)
        manifest = self._stack.client("s3").get_object(Bucket=self._stack.outputs.bucket, Key=plan["manifest"])
        for item in json.loads(manifest["Body"].read()):
            self._stack.invoke("bulk_score", item)
        return str(plan["release_id"])

    def _bulk_publish(self) -> None:
        release_id = self._bulk_items()
        self._old_releases()
        result = self._stack.invoke("bulk_publish", {"release_id": release_id})
        assert result["published"]
        assert result["forgotten_files"] >= 1

    def _refresh_odds(self) -> None:
        # Three weeks later more of the matches with prices have been played: there are past prices to add.
        self._stack.invoke("refresh_odds", {"as_of": "2024-04-22T00:00:00Z"})
        self._stack.invoke("refresh_odds", AS_OF)

    def _monitor_drift(self) -> None:
        self._stack.invoke("monitor_drift", AS_OF)

    def _export_table(self) -> None:
        assert self._stack.invoke("export_table")["key"].startswith("exports/")

    def _sync_models(self) -> None:
        """Have it remove a mirror and write it again."""
        api = f"{self._stack.mlflow_tracking_uri}/api/2.0/mlflow/registered-models/alias"
        alias = {"name": "soccer_model", "alias": "challenger"}
        version = requests.get(api, params=alias, timeout=10).json()["model_version"]["version"]
        # a run before may have failed between removing and writing
        self._stack.invoke("sync_models")
        requests.delete(api, json=alias, timeout=10).raise_for_status()
        try:
            self._stack.invoke("sync_models")
        finally:
            requests.post(api, json={**alias, "version": version}, timeout=10).raise_for_status()
        self._stack.invoke("sync_models")

    # ── Readers ─────────────────────────────────────────────────────────────────────────────────────

    def _read(self, function: str) -> None:
        paths = {
            "precomputed": f"predict/precomputed/{self.match_id}",
            "prices": f"predict/prices/{self.match_id}",
            "track_record": "predict/track-record",
            "features": f"predict/features/{self.match_id}",
            "region_roi": "predict/region-roi",
            "model_info": "predict/model/info",
            "metrics": "metrics",
            "queues": "monitoring/queues",
            "workers": "monitoring/workers",
            "drift": "monitoring/drift",
            "docs": "openapi.json",
            "ui": "ui",
        }
        # Where keys are demanded, a list looks at the caller's, which lifts the limit of its pages.
        demanded = variables(self._stack, function, {"CLIENT_KEY_REQUIRED": "true"})
        with demanded if function in KEYED_READERS else nullcontext():
            self._answer("GET", paths.get(function, f"predict/{function}"), key=self._stack.keys.operator)

    def _task_status(self) -> None:
        # never issued: found out by looking
        self._answer("GET", f"monitoring/task_status/{uuid.uuid4()}", 404)

    def _healthcheck(self) -> None:
        assert set(self._answer("GET", "healthcheck?ready=true").json()["checks"].values()) == {"ok"}
