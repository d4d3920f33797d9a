"""Proving to an MLflow server who asks: against its own authentication app, and what never leaves for another host."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests
from botocore.credentials import Credentials

from batch.mlflow.auth import SAGEMAKER_ARN_HEADER, signer
from batch.mlflow.mirror import MlflowRegistry, sync
from batch.mlflow.rest import MlflowRest
from chalicelib.domain import Stage
from chalicelib.errors import InvalidSettings, RegistryUnavailable
from tests.support.builders import FEATURES, NOW, model_text
from tests.support.fakes import InMemoryObjectStore

pytestmark = pytest.mark.filterwarnings("ignore")

USER, PASSWORD = "admin", "a password of 12"
ARN = "arn:aws:sagemaker:eu-west-1:000000000000:mlflow-tracking-server/soccer"

REGISTER = """
import json, sys, lightgbm as lgb, mlflow, mlflow.lightgbm
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.tracking import MlflowClient
features, text = json.load(sys.stdin)
inputs = Schema([ColSpec(f["type"], f["name"], required=f["required"]) for f in features])
with mlflow.start_run():
    mlflow.lightgbm.log_model(lgb.Booster(model_str=text), name="model", signature=ModelSignature(inputs=inputs),
                              registered_model_name="soccer_model", pip_requirements=["lightgbm"])
MlflowClient().set_registered_model_alias("soccer_model", "champion", "1")
"""


def clean_environment() -> dict[str, str]:
    """This process's variables without MLflow's: importing its server in another test leaves some behind."""
    return {name: value for name, value in os.environ.items() if not name.lstrip("_").startswith("MLFLOW_")}


@dataclass(frozen=True)
class Server:
    """A real `mlflow server --app-name basic-auth`."""

    url: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mlflow-auth")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "auth.ini"
    config.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\nadmin_username = {USER}\n"
        f"admin_password = {PASSWORD}\nauthorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
        encoding="utf-8",
    )
    environment = {
        **clean_environment(),
        "MLFLOW_AUTH_CONFIG_PATH": str(config),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = [str(Path(sys.executable).parent / "mlflow"), "server", "--app-name", "basic-auth", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/health", process)
            yield Server(url)
        finally:
            os.killpg(process.pid, 15)
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(url, timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.3)
    pytest.fail("the MLflow server did not start")


@pytest.mark.slow
def test_a_version_behind_basic_authentication_is_mirrored(server: Server) -> None:
    client = {"MLFLOW_TRACKING_URI": server.url, "MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    import json  # noqa: PLC0415

    subprocess.run(
        [sys.executable, "-c", REGISTER],
        input=json.dumps([FEATURES, model_text()]),
        env={**clean_environment(), **client},
        text=True,
        check=True,
        capture_output=True,
        timeout=120,
    )
    mlflow = MlflowRest(server.url, signer("basic", server.url, f"{USER}:{PASSWORD}"))
    objects = InMemoryObjectStore()
    assert sync(MlflowRegistry(mlflow), objects, Stage.CHAMPION, NOW).outcome == "updated"


@pytest.mark.slow
def test_without_a_credential_or_with_a_wrong_one_the_server_refuses(server: Server) -> None:
    for sign in (
        signer("none", server.url),
        signer("basic", server.url, f"{USER}:wrong"),
        signer("bearer", server.url, "t"),
    ):
        with pytest.raises(RegistryUnavailable, match="answered 401"):
            MlflowRest(server.url, sign).get("experiments/get-by-name", {"experiment_name": "Default"})


# ── What is sent ────────────────────────────────────────────────────────────────────────────────────


class _Recorder(BaseHTTPRequestHandler):
    """Keeps the headers of requests; redirects everything below /redirect to `elsewhere`."""

    requests: ClassVar[list[tuple[str, dict[str, str]]]] = []
    elsewhere: ClassVar[str] = ""

    def do_GET(self) -> None:
        self.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        if self.path.startswith("/redirect"):
            self.send_response(302)
            self.send_header("Location", f"{self.elsewhere}/stolen")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Requests are not news here."""


@pytest.fixture
def recorder() -> Iterator[str]:
    _Recorder.requests.clear()
    with HTTPServer(("127.0.0.1", 0), _Recorder) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        _Recorder.elsewhere = f"http://localhost:{http.server_port}"
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_credential_does_not_follow_a_redirect_to_another_host(recorder: str) -> None:
    mlflow = MlflowRest(f"{recorder}/redirect", signer("bearer", recorder, "a token"))
    with pytest.raises(RegistryUnavailable, match="302"):
        mlflow.get("runs/get", {"run_id": "1"})
    assert [headers.get("authorization") for _, headers in _Recorder.requests] == ["Bearer a token"]
    assert not any(path == "/stolen" for path, _ in _Recorder.requests)


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        ("user:pass:word", "Basic dXNlcjpwYXNzOndvcmQ="),
        ('{"username": "user", "password": "pass:word"}', "Basic dXNlcjpwYXNzOndvcmQ="),
    ],
)
def test_a_basic_secret_is_a_pair_or_an_object(recorder: str, secret: str, header: str) -> None:
    MlflowRest(recorder, signer("basic", recorder, secret)).get("runs/get", {"run_id": "1"})
    assert _Recorder.requests[0][1]["authorization"] == header


def test_a_signed_request_names_service_region_and_server() -> None:
    sign = signer("sigv4", ARN, credentials=Credentials("AKIAEXAMPLE", "secret", "session"))
    headers = sign("GET", "https://eu-west-1.experiments.sagemaker.aws/api/2.0/mlflow/runs/get?run_id=1", {}, None)
    assert "/eu-west-1/sagemaker-mlflow/aws4_request" in headers["Authorization"]
    assert SAGEMAKER_ARN_HEADER in headers["Authorization"].partition("SignedHeaders=")[2]
    assert headers[SAGEMAKER_ARN_HEADER] == ARN
    assert headers["X-Amz-Security-Token"] == "session"


def test_an_arn_is_reached_at_sagemakers_address() -> None:
    assert MlflowRest(ARN)._base == "https://eu-west-1.experiments.sagemaker.aws"


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_no_credential_travels_in_the_clear(kind: str) -> None:
    with pytest.raises(InvalidSettings, match="https"):
        signer(kind, "http://mlflow.example.org", "user:password")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "uri", "secret"),
    [
        ("basic", "https://m.example", None),
        ("basic", "https://m.example", "only a user"),
        ("basic", "https://m.example", '{"user": "x"}'),
        ("bearer", "https://m.example", ""),
        ("sigv4", "https://m.example", None),
        ("sigv4", "arn:aws:s3:::bucket", None),
    ],
)
def test_settings_that_cannot_work_are_named_without_the_secret(kind: str, uri: str, secret: str | None) -> None:
    with pytest.raises(InvalidSettings) as error:
        signer(kind, uri, secret, Credentials("a", "b"))  # type: ignore[arg-type]
    assert not secret or secret not in error.value.message
