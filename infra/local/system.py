"""The whole system on this machine: `python -m infra.local up|down|status|demo|promote|rebuild`.

The emulator, an MLflow server, the stack of stage `local`, and (demo) the sample, a trained model and a release.
State, logs and data are in `.local/` (or `LOCAL_DIR`); `PORT` and `MLFLOW_PORT` choose ports. Default ports
that are taken are replaced by the next free ones, which are remembered.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain import MODEL_NAME, Stage
from infra.as_of import parse_as_of
from infra.local import demo_calls, emulator, mlflow_server
from infra.local.dropped_properties import apply_dropped_properties
from infra.local.emulator import Emulator
from infra.local.mlflow_server import MlflowServer
from infra.local.preconditions import (
    HIGHEST_PORT,
    check_disk,
    check_memory,
    free_disk_mb,
    make_private,
    number_from_environment,
    only_command_in,
)
from infra.local.processes import Daemon, LocalSystemError, free_port, is_free, port_owner, write_whole
from infra.ops.api_keys import ApiKeys, ensure_keys
from infra.ops.deploy import DeployError, Deployment, build_mark, deploy
from infra.packaging.build import PackagingError
from infra.paths import LOCAL, ROOT, SAMPLE
from infra.stack.outputs import StackOutputs, read_outputs
from infra.stack.stages import LOCAL_STAGE, stage_parameters
from infra.stack.template import TemplateError

DEFAULT_AS_OF: Final = "2024-04-01"
STACK_NAME: Final = "soccer-local"
API_ID: Final = "soccer"
_INVOKE_SECONDS: Final = 900


class Steps:
    """Progress lines with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line."""
        print(f"[{time.monotonic() - self._started:6.1f} s] {text}", flush=True)


@dataclass(frozen=True, slots=True)
class LocalSystem:
    """One local system.

    Args:
        home: Folder of its state, data and logs.
        emulator: Its emulator.
        mlflow: Its MLflow server.
        as_of: The replay clock as ISO time; empty lets scheduled runs take the real time.
        parameters: Further stack parameters.
    """

    home: Path
    emulator: Emulator
    mlflow: MlflowServer
    as_of: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def relay(self) -> Daemon:
        """The process that makes metrics of the functions' log lines, as CloudWatch does on AWS."""
        return Daemon("metrics-relay", self.home / "metrics-relay")

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """All processes, in the order to stop them."""
        return self.relay, self.mlflow.daemon, self.emulator.daemon

    @property
    def deployment(self) -> Deployment:
        """The stack on its emulator."""
        parameters = {
            "Stage": LOCAL_STAGE,
            **stage_parameters(LOCAL_STAGE),
            "ApiId": API_ID,
            "MlflowTrackingUri": self.mlflow.tracking_uri,
            "MlflowUiUrl": self.mlflow.tracking_uri,
            "ReplayAsOf": self.as_of,
            "PublicUrl": self.base_url,
            **self.parameters,
        }
        return Deployment(LOCAL_STAGE, STACK_NAME, parameters, self.emulator.client_environment(), poll_seconds=0.2)

    @property
    def base_url(self) -> str:
        """The API's URL; the same after every redeploy."""
        return f"{self.emulator.endpoint_url}/_aws/execute-api/{API_ID}/{LOCAL_STAGE}"

    def client(self, service: str) -> Any:
        """A boto3 client that talks to its emulator; never retries, so that an invocation runs once."""
        config = Config(read_timeout=_INVOKE_SECONDS, retries={"max_attempts": 1, "mode": "standard"})
        return self.emulator.session().client(service, config=config)

    def environment(self, outputs: StackOutputs, keys: ApiKeys) -> dict[str, str]:
        """Environment variables for using it (`.local/demo.env`)."""
        return {
            "BASE_URL": self.base_url,
            "CLIENT_KEY": keys.client,
            "OPERATOR_KEY": keys.operator,
            "BUCKET": outputs.bucket,
            "TASKS_TABLE": outputs.tasks_table,
            "INFERENCE_QUEUE_URL": outputs.inference_queue_url,
            "DEAD_LETTER_QUEUE_URL": outputs.dead_letter_queue_url,
            "STACK_NAME": outputs.stack_name,
            "MLFLOW_TRACKING_URI": self.mlflow.tracking_uri,
            "AS_OF": self.as_of,
            **self.emulator.client_environment(),
        }


# ── Finding and remembering ─────────────────────────────────────────────────────────────────────────


def _remembered(home: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((home / "state.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return state


def _remember(home: Path, **values: Any) -> None:
    write_whole(home / "state.json", json.dumps({**_remembered(home), **values}, indent=1))


def _choose_port(name: str, variable: str, remembered: int | None, default: int, *, ours: bool) -> int:
    """The port to use: the requested one, else the last one, else the default, else the next free one.

    Raises:
        LocalSystemError: The requested port is invalid or taken by another program.
    """
    requested_port = number_from_environment(variable, None, HIGHEST_PORT)
    port = requested_port or remembered or default
    if ours or is_free(port):
        return port
    if requested_port:
        raise LocalSystemError(
            f"port {port} for {name} is taken by {port_owner(port)}. Stop that program, or choose another port: "
            f"{variable}=<port> make ..., or leave {variable} out and a free one is taken"
        )
    replacement = free_port(port + 1)
    print(f"port {port} is taken by {port_owner(port)}; {name} takes {replacement}")
    return replacement


def known_system(home: Path, *, as_of: str | None = None) -> LocalSystem:
    """The local system of a folder on the ports it had last.

    Args:
        home: Its folder.
        as_of: Its replay clock; None keeps the one it had.
    """
    state = _remembered(home)
    clock = str(state.get("as_of", "")) if as_of is None else as_of
    own_emulator = Emulator(home / "emulator", int(state.get("emulator_port", emulator.DEFAULT_PORT)))
    mlflow_port = int(state.get("mlflow_port", mlflow_server.DEFAULT_PORT))
    return LocalSystem(home, own_emulator, MlflowServer(home / "mlflow", mlflow_port, own_emulator.endpoint_url), clock)


def find_system(home: Path, *, as_of: str | None = None) -> LocalSystem:
    """The local system of a folder on available ports: its own if it runs, else free ones.

    Args:
        home: Its folder.
        as_of: Its replay clock; None keeps the one it had.

    Raises:
        LocalSystemError: A requested port is taken.
    """
    remembered = known_system(home, as_of=as_of)
    state = _remembered(home)
    for daemon in remembered.daemons:
        if daemon.process() is None:
            daemon.end_orphans()
    running = remembered.emulator.daemon.process() is not None
    requested_port = number_from_environment("PORT", None, HIGHEST_PORT)
    if running and requested_port and requested_port != remembered.emulator.port:
        raise LocalSystemError(
            f"the emulator of {home} runs on port {remembered.emulator.port}; "
            f"`make down` first, then PORT={requested_port}"
        )
    port = _choose_port("the emulator", "PORT", state.get("emulator_port"), emulator.DEFAULT_PORT, ours=running)
    mlflow_running = remembered.mlflow.daemon.process() is not None
    mlflow_port = _choose_port(
        "MLflow", "MLFLOW_PORT", state.get("mlflow_port"), mlflow_server.DEFAULT_PORT, ours=mlflow_running
    )
    own_emulator = replace(remembered.emulator, port=port)
    own_mlflow = replace(remembered.mlflow, port=mlflow_port, s3_endpoint_url=own_emulator.endpoint_url)
    return replace(remembered, emulator=own_emulator, mlflow=own_mlflow)


# ── Up and down ─────────────────────────────────────────────────────────────────────────────────────


def start(system: LocalSystem, steps: Steps) -> StackOutputs:
    """Start what is not running, and deploy the stack if it changed.

    Raises:
        LocalSystemError: The user must solve a problem first.
        DeployError: The stack cannot be deployed.
    """
    if system.emulator.daemon.process() is None or system.mlflow.daemon.process() is None:
        check_memory()
        check_disk(system.home)
    make_private(system.home)
    # ports first: whatever happens next, `make down` and the next start find the processes
    _remember(system.home, emulator_port=system.emulator.port, mlflow_port=system.mlflow.port, as_of=system.as_of)
    if system.emulator.daemon.process() is None:
        system.emulator.start()
        steps.say(f"emulator started on {system.emulator.endpoint_url}")
    elif not system.emulator.ready():
        raise LocalSystemError(
            f"the emulator runs but does not answer; `make down` and start again. The end of its log:\n"
            f"{system.emulator.daemon.log_end()}"
        )
    s3 = system.client("s3")
    try:
        s3.head_bucket(Bucket=mlflow_server.ARTIFACTS_BUCKET)
    except ClientError:
        s3.create_bucket(Bucket=mlflow_server.ARTIFACTS_BUCKET)
    if system.mlflow.daemon.process() is None:
        system.mlflow.start()
        steps.say("MLflow is starting")
    outputs = _deploy_if_changed(system, steps)
    if system.relay.process() is None:
        memory = str(system.relay.folder / "relayed.json")
        command = [sys.executable, "-m", "infra.local.metrics_relay", "--stack", STACK_NAME, "--memory", memory]
        variables = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": str(ROOT)}
        system.relay.start(command, variables | system.emulator.client_environment())
        steps.say("metrics relay started")
    system.mlflow.wait_ready()
    steps.say(f"MLflow is ready on {system.mlflow.tracking_uri}")
    write_environment(system, outputs)
    return outputs


def _deploy_if_changed(system: LocalSystem, steps: Steps) -> StackOutputs:
    deployment = system.deployment
    outputs = read_outputs(deployment.client("cloudformation"), deployment.stack_name)
    # read from the stack itself: after a crash the emulator restores an older stack
    if outputs is not None and outputs.build == build_mark(deployment):
        steps.say("the stack is up to date")
        return outputs
    outputs = deploy(deployment, steps.say)
    apply_dropped_properties(deployment, outputs)
    return outputs


def write_environment(system: LocalSystem, outputs: StackOutputs) -> dict[str, str]:
    """Write `demo.env` as NAME=value lines and return it."""
    keys = ensure_keys(system.client("secretsmanager"), outputs.api_keys_secret_id)
    values = system.environment(outputs, keys)
    path = system.home / "demo.env"
    write_whole(path, "".join(f"{name}={value}\n" for name, value in values.items()))
    return values


def stop(system: LocalSystem, steps: Steps) -> None:
    """Stop everything; data stays.

    Raises:
        LocalSystemError: The emulator's state could not be saved; everything is stopped and the previous state kept.
    """
    emulator_process = system.emulator.daemon.process()
    started_at = emulator_process.create_time() if emulator_process is not None else 0.0
    running = [daemon.name for daemon in system.daemons if daemon.ask_to_stop()]
    for daemon in system.daemons:
        daemon.stop()
        steps.say(f"{daemon.name} {'stopped' if daemon.name in running else 'was not running'}")
    system.emulator.discard_temporary()
    if emulator_process is not None and system.emulator.saved_at() < started_at:
        raise LocalSystemError(_not_saved(system))
    if emulator_process is not None:
        steps.say("its state is saved")


def _not_saved(system: LocalSystem) -> str:
    saved_at = system.emulator.saved_at()
    state_note = (
        f"the state of {datetime.fromtimestamp(saved_at, UTC):%Y-%m-%d %H:%M:%SZ} is kept"
        if saved_at
        else "there is no earlier one"
    )
    return (
        f"the emulator's state could not be saved ({free_disk_mb(system.home)} MB are free on the disk of "
        f"{system.home}); {state_note}, and what changed since is lost. The end of its log:\n"
        f"{system.emulator.daemon.log_end()}"
    )


# ── Data and model ──────────────────────────────────────────────────────────────────────────────────


def invoke(system: LocalSystem, function: str, event: Mapping[str, Any]) -> Any:
    """Run a function of the stack and return its result.

    Raises:
        LocalSystemError: It failed; with its error.
    """
    response = system.client("lambda").invoke(
        FunctionName=f"{STACK_NAME}-{function}", Payload=json.dumps(event).encode()
    )
    payload = response["Payload"].read().decode()
    if response.get("FunctionError"):
        raise LocalSystemError(f"function {function} failed: {payload[:2000]}")
    return json.loads(payload or "null")


def is_deployed(system: LocalSystem, function: str) -> bool:
    """Whether the stack has a function."""
    try:
        system.client("lambda").get_function_configuration(FunctionName=f"{STACK_NAME}-{function}")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True


def upload_sample(system: LocalSystem, bucket: str) -> int:
    """Upload the embedded sample's files; returns how many were new."""
    s3 = system.client("s3")
    new = 0
    for path in sorted(SAMPLE.glob("*.parquet")):
        folder = "odds" if "odds" in path.name else "matches"
        key = f"raw/{folder}/{path.name}"
        stamp = str(int(path.stat().st_size))
        try:
            head = s3.head_object(Bucket=bucket, Key=key)
            if (
                str(head["ContentLength"]) == stamp
                and s3.get_object(Bucket=bucket, Key=key)["Body"].read() == path.read_bytes()
            ):
                continue
        except ClientError:
            pass
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        new += 1
    return new


def run_batch_module(system: LocalSystem, module: str, *arguments: str) -> None:
    """Run a training program of `batch/` against this system, showing its output.

    Raises:
        LocalSystemError: It failed.
    """
    outputs = read_outputs(system.client("cloudformation"), STACK_NAME)
    environment = {
        **os.environ,
        **system.emulator.client_environment(),
        "MLFLOW_TRACKING_URI": system.mlflow.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # no warning on a machine without git
        "GIT_PYTHON_REFRESH": "quiet",
        "DATA_BUCKET": outputs.bucket if outputs else "",
        "PYTHONPATH": str(ROOT),
    }
    result = subprocess.run([sys.executable, "-m", module, *arguments], check=False, cwd=ROOT, env=environment)
    if result.returncode != 0:
        raise LocalSystemError(f"python -m {module} failed; see above")


def fill(system: LocalSystem, outputs: StackOutputs, steps: Steps) -> None:
    """Upload the sample, train models and make a release.

    Raises:
        LocalSystemError: A step failed.
    """
    new = upload_sample(system, outputs.bucket)
    steps.say(f"sample uploaded ({new} files)" if new else "sample is in place")
    if not system.mlflow.has_aliases(MODEL_NAME, list(Stage)):
        run_batch_module(system, "batch.train", "--if-missing")
    steps.say("models are registered")
    steps.say(f"sync_models: {json.dumps(invoke(system, 'sync_models', {}))[:200]}")
    # moving the replay clock back is intended here; schedules never do
    event = {"as_of": system.as_of, "backwards": True}
    for function in ("rebuild", "refresh_odds", "monitor_drift"):
        if not is_deployed(system, function):
            steps.say(f"{function} is not part of this stack")
            continue
        steps.say(f"{function}: {json.dumps(invoke(system, function, event))[:200]}")


# ── Commands ────────────────────────────────────────────────────────────────────────────────────────


def _urls(system: LocalSystem) -> None:
    print(f"\nAPI     {system.base_url}/")
    print(f"board   {system.base_url}/ui/")
    print(f"docs    {system.base_url}/docs")
    print(f"MLflow  {system.mlflow.tracking_uri}")
    print(f"values  {system.home / 'demo.env'}")
    print("stop    make down      (data stays; make up starts it again)")


def command_up(options: argparse.Namespace, steps: Steps) -> None:
    """Start everything with the existing data."""
    system = find_system(options.home)
    start(system, steps)
    _urls(system)


def command_demo(options: argparse.Namespace, steps: Steps) -> None:
    """Start everything, fill it and make the demo's calls."""
    system = find_system(options.home, as_of=options.as_of)
    outputs = start(system, steps)
    fill(system, outputs, steps)
    keys = ensure_keys(system.client("secretsmanager"), outputs.api_keys_secret_id)
    failed = demo_calls.run(system.base_url, keys)
    steps.say("demo done" if not failed else f"demo done, {failed} calls failed")
    _urls(system)
    if failed:
        raise LocalSystemError(f"{failed} calls failed; logs are in {system.home}")


def command_down(options: argparse.Namespace, steps: Steps) -> None:
    """Stop everything."""
    stop(known_system(options.home), steps)


def command_status(options: argparse.Namespace, steps: Steps) -> None:  # noqa: ARG001 - one signature for all
    """Show what runs and whether it answers."""
    system = known_system(options.home)
    checks = (
        (system.emulator.daemon, system.emulator.ready),
        (system.mlflow.daemon, system.mlflow.ready),
        (system.relay, lambda: True),
    )
    for daemon, is_ready in checks:
        process = daemon.process()
        if process is None:
            state = f"died {_last_seen(daemon)}" if daemon.died() else "stopped"
        else:
            state = "ready" if is_ready() else "does not answer"
        print(f"{daemon.name:<15}{state:<26}{'' if process is None else f'pid {process.pid}'}   log {daemon.log}")
    if system.emulator.daemon.process() is not None:
        outputs = read_outputs(system.client("cloudformation"), STACK_NAME)
        print(f"{'stack':<15}{'deployed' if outputs else 'not deployed':<26}{system.base_url}")
    print(f"{'disk':<15}{f'{free_disk_mb(options.home):,} MB free':<26}{options.home}")


def _last_seen(daemon: Daemon) -> str:
    """When a daemon that died last wrote something."""
    latest = max((file.stat().st_mtime for file in daemon.folder.iterdir() if file.is_file()), default=0.0)
    return f"after {datetime.fromtimestamp(latest, UTC):%Y-%m-%d %H:%M:%SZ}"


def command_train(options: argparse.Namespace, steps: Steps) -> None:
    """Train and register new versions."""
    system = find_system(options.home)
    start(system, steps)
    run_batch_module(system, "batch.train", *options.arguments)
    steps.say(f"sync_models: {json.dumps(invoke(system, 'sync_models', {}))[:200]}")


def command_promote(options: argparse.Namespace, steps: Steps) -> None:
    """Move an alias and mirror it at once."""
    system = find_system(options.home)
    start(system, steps)
    forced = ["--force"] if options.force else []
    run_batch_module(system, "batch.promote", "--version", options.version, "--stage", options.stage, *forced)
    steps.say(f"sync_models: {json.dumps(invoke(system, 'sync_models', {}))[:200]}")


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("LOCAL_DIR", LOCAL)).resolve())
    commands = parser.add_subparsers(required=True)
    for name, function in (("up", command_up), ("down", command_down), ("status", command_status)):
        commands.add_parser(name, help=function.__doc__).set_defaults(run=function)
    demo = commands.add_parser("demo", help=command_demo.__doc__)
    demo.add_argument("--as-of", type=parse_as_of, default=os.environ.get("AS_OF") or DEFAULT_AS_OF)
    demo.set_defaults(run=command_demo)
    train = commands.add_parser("train", help=command_train.__doc__)
    train.add_argument("arguments", nargs="*")
    train.set_defaults(run=command_train)
    promote = commands.add_parser("promote", help=command_promote.__doc__)
    promote.add_argument("--version", required=True)
    promote.add_argument("--stage", default="champion", choices=["champion", "challenger"])
    promote.add_argument("--force", action="store_true", help="even a version that is worse than the current one")
    promote.set_defaults(run=command_promote)
    options = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace, Steps], None] = options.run
    try:
        if run is command_status:
            run(options, Steps())
            return 0
        make_private(options.home)
        with only_command_in(options.home):
            run(options, Steps())
    except (LocalSystemError, DeployError, PackagingError, TemplateError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"error: the emulator failed: {error}\nIts log is in {options.home}/emulator", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.strerror or error}: {error.filename or options.home}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; what was started still runs: make down stops it", file=sys.stderr)
        return 130
    return 0
