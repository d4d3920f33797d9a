"""What callers do: most read lists, some ask for predictions, a few queue them and poll.

`make load` runs it through `benchmarks.load.run`, which writes the report. Every request's duration and outcome go
to the file that LOAD_SAMPLES names.
"""

# locust is not followed by mypy (pyproject.toml): its decorators and its base class are untyped here.
# mypy: disable-error-code="misc,untyped-decorator"

import csv
import os
import random
import time
from pathlib import Path
from typing import Any

from locust import HttpUser, between, events, task

PATIENCE_SECONDS = 30.0
_samples = Path(os.environ.get("LOAD_SAMPLES", os.devnull)).open("w", encoding="utf-8", newline="")  # noqa: SIM115
_writer = csv.writer(_samples)


@events.request.add_listener
def _keep(
    name: str,
    response_time: float,
    start_time: float,
    response: Any = None,
    exception: Exception | None = None,
    **_: Any,
) -> None:
    status = getattr(response, "status_code", 0) or 0
    _writer.writerow([f"{start_time:.3f}", name, f"{response_time:.3f}", status, "" if exception is None else "failed"])


@events.quitting.add_listener
def _close(**_: Any) -> None:
    _samples.close()


class Caller(HttpUser):
    """A web page, an application and a batch client in one; the weights are calls per hundred."""

    wait_time = between(0.05, 0.25)

    def on_start(self) -> None:
        """Learn which matches and features there are."""
        self.client.headers["X-API-Key"] = os.environ.get("CLIENT_KEY", "")
        self.client.headers["Accept-Encoding"] = "gzip"
        rows = self.client.get("/predict/predictions/?limit=100", name="(set-up)").json()
        self.matches: list[int] = [row["match_id"] for row in rows]
        described = self.client.get("/predict/model/info", name="(set-up)").json()
        self.features = {feature["name"]: 0 if feature["type"] == "long" else 0.5 for feature in described["features"]}
        # a seed of its own for each caller
        self.random = random.Random(id(self))  # noqa: S311 - no secret

    def any_match(self) -> int:
        """One of the matches there are."""
        return self.random.choice(self.matches)

    def body(self) -> dict[str, Any]:
        """A request with all features, one of them different each time."""
        first = next(iter(self.features))
        return {"match_id": self.any_match(), "features": {**self.features, first: self.random.uniform(1_200, 1_800)}}

    @task(20)
    def cards(self) -> None:
        """The board's first page."""
        self.client.get("/predict/cards/?limit=50", name="GET /predict/cards/")

    @task(8)
    def matches_to_come(self) -> None:
        """What can be predicted."""
        self.client.get("/predict/matches/?limit=50", name="GET /predict/matches/")

    @task(8)
    def predictions(self) -> None:
        """All predictions, a page of them."""
        self.client.get("/predict/predictions/?limit=100", name="GET /predict/predictions/")

    @task(8)
    def precomputed(self) -> None:
        """One stored prediction; one in ten is not there."""
        match = 1 if self.random.random() < 0.1 else self.any_match()
        with self.client.get(
            f"/predict/precomputed/{match}", name="GET /predict/precomputed/{match_id}", catch_response=True
        ) as answer:
            if answer.status_code == (404 if match == 1 else 200):
                answer.success()

    @task(4)
    def odds(self) -> None:
        """The odds."""
        self.client.get("/predict/odds/?limit=50", name="GET /predict/odds/")

    @task(4)
    def region_roi(self) -> None:
        """Returns by region."""
        self.client.get("/predict/region-roi/", name="GET /predict/region-roi/")

    @task(4)
    def model_info(self) -> None:
        """Which model."""
        self.client.get("/predict/model/info", name="GET /predict/model/info")

    @task(2)
    def healthcheck(self) -> None:
        """What a monitor does."""
        self.client.get("/healthcheck/", name="GET /healthcheck/")

    @task(22)
    def predict(self) -> None:
        """A prediction from features; one in twenty is not valid."""
        wrong = self.random.random() < 0.05
        body = {"match_id": 1, "features": {}} if wrong else self.body()
        with self.client.post("/predict/", json=body, name="POST /predict/", catch_response=True) as answer:
            if answer.status_code == (422 if wrong else 200):
                answer.success()

    @task(10)
    def predict_match(self) -> None:
        """A live prediction of a match of the release."""
        self.client.get(f"/predict/{self.any_match()}", name="GET /predict/{match_id}")

    @task(10)
    def predict_async(self) -> None:
        """Queue one, poll until it ends; the whole wait is a line of its own."""
        started = time.time()
        answer = self.client.post("/predict/async/", json=self.body(), name="POST /predict/async/")
        if answer.status_code != 202:
            return
        url = answer.json()["status_url"]
        state = "pending"
        while state == "pending" and time.time() - started < PATIENCE_SECONDS:
            time.sleep(0.2)
            state = self.client.get(url, name="GET /monitoring/task_status/{task_id}").json()["status"]
        problem = None if state == "success" else RuntimeError(f"task is {state}")
        events.request.fire(
            request_type="TASK",
            name="(task: POST to result)",
            response_time=(time.time() - started) * 1_000,
            response_length=0,
            exception=problem,
            context={},
            start_time=started,
            response=None,
        )
