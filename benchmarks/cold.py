"""Cold start and warm time of every function: `python -m benchmarks.cold [--record]`.

Each function runs from its package and layers alone (as in `tests.support.bare_call`), in a new process per cold
start, with the variables it is deployed with, against a stack of its own on the emulator. Cold is from the start of
the process to the first answer: interpreter, imports, clients, model or tables from S3. Warm is the median of the calls
after it in the same process. Lambda's own part of a cold start (fetching the package, starting the sandbox) comes on
top there.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from chalicelib.endpoints import ENDPOINTS
from infra.packaging import dependencies
from infra.packaging.build import output_folder
from infra.packaging.isolated import run_isolated
from infra.reference.cost import MEASURED
from infra.stack.functions import FUNCTIONS, Function, Package
from infra.stack.stages import LOCAL_STAGE, target_of
from tests.support.bare_call import unpack
from tests.support.throwaway import RunningStack, throwaway_stack

_PROGRAM: Final = """
import importlib, json, sys, time
given = json.load(sys.stdin)
sys.path[:0] = given["paths"]
class Context:
    function_name = "bench"
    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"
    aws_request_id = "bench"
    def get_remaining_time_in_millis(self):
        return 25_000
module, name = given["handler"].rsplit(".", 1)
before = time.time()
handler = getattr(importlib.import_module(module), name)
imported = time.time()
answer = handler(given["event"], Context())
cold = time.time()
warm = []
for _ in range(given["warm_calls"]):
    started = time.perf_counter()
    handler(given["event"], Context())
    warm.append(time.perf_counter() - started)
status = answer.get("statusCode", 200) if isinstance(answer, dict) else 200
with open(given["result"], "w") as stream:
    json.dump({"status": status, "import_ms": 1e3 * (imported - before), "answered": cold, "warm": warm}, stream)
"""
# The same for functions that call no store, a floor to compare with.
FLOOR_PROGRAM: Final = """
import json, sys, time
given = json.load(sys.stdin)
sys.path[:0] = given["paths"]
import boto3
boto3.client("s3", region_name="us-east-1")
with open(given["result"], "w") as stream:
    json.dump({"status": 200, "import_ms": 0, "answered": time.time(), "warm": []}, stream)
"""


def _http_event(function: str, stack: RunningStack, match_id: int, features: Mapping[str, Any]) -> dict[str, Any]:
    endpoint = next(candidate for candidate in ENDPOINTS if candidate.function == function)
    template = endpoint.paths[-1]
    parameters = {"match_id": str(match_id), "task_id": "healthcheck", "asset+": "index.html"}
    used = {name.rstrip("+"): value for name, value in parameters.items() if f"{{{name}}}" in template}
    path = template
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", value)
    body = {
        "predict": {"match_id": match_id, "features": features},
        "predict_async": {"match_id": match_id},
        "what_if": {"changes": {}},
    }.get(function)
    headers = {"accept": "application/json", "content-type": "application/json", "x-api-key": stack.keys.operator}
    return {
        "resource": template,
        "path": path,
        "httpMethod": endpoint.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": used or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "bench",
            "stage": LOCAL_STAGE,
            "path": f"/{LOCAL_STAGE}{path}",
            "httpMethod": endpoint.method,
            "resourcePath": template,
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def _event(function: Function, stack: RunningStack, match_id: int, features: Mapping[str, Any]) -> dict[str, Any]:
    if function.name == "inference":
        # A task that is not there: the model answers, and the conditional write that would end the task is refused.
        task = {"task_id": str(uuid.uuid4()), "match_id": match_id, "stage": "champion", "features": features}
        body = json.dumps({**task, "submitted_at": stack.system.as_of})
        return {"Records": [{"messageId": str(uuid.uuid4()), "body": body, "attributes": {}}]}
    if function.name == "dead_letters":
        return {"Records": [{"messageId": str(uuid.uuid4()), "body": "{}", "attributes": {}}]}
    if function.name == "sweep" or function.package is Package.BATCH:
        return {"as_of": stack.system.as_of}
    return _http_event(function.name, stack, match_id, features)


def _first_match(stack: RunningStack) -> tuple[int, dict[str, Any]]:
    import io  # noqa: PLC0415

    import pyarrow.parquet as pq  # noqa: PLC0415

    s3 = stack.client("s3")
    pointer = json.loads(s3.get_object(Bucket=stack.outputs.bucket, Key="releases/current.json")["Body"].read())
    content = s3.get_object(Bucket=stack.outputs.bucket, Key=pointer["datasets"]["match_features"]["key"])[
        "Body"
    ].read()
    row = pq.read_table(io.BytesIO(content)).slice(0, 1).to_pylist()[0]
    return row.pop("match_id"), row


def run_bare(
    python: str, program: str, request: Mapping[str, Any], environment: Mapping[str, str], folder: Path
) -> dict[str, Any]:
    """What a program of the bare interpreter wrote as its result, and the milliseconds from its start to its answer."""
    result = folder / "result.json"
    started = time.time()
    ran = run_isolated(python, program, {**request, "result": str(result)}, environment=environment, folder=folder)
    if ran.returncode != 0:
        raise RuntimeError(f"{request.get('handler')}: {ran.stderr.strip()[-1_000:]}")
    answer: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return {**answer, "cold_ms": 1e3 * (answer["answered"] - started)}


def measure(
    stack: RunningStack, cold_starts: int, warm_calls: int, only: Collection[str] = ()
) -> dict[str, dict[str, float]]:
    """Milliseconds of every function, by name; `boto3 and a client` is the floor the cold starts compare with."""
    target, out = target_of(LOCAL_STAGE), output_folder(LOCAL_STAGE)
    interpreter = dependencies.interpreter(target.python)
    assert interpreter is not None
    template = json.loads((out / "sam.json").read_text(encoding="utf-8"))["Resources"]
    runtime = dependencies.runtime_libraries(target)
    match_id, features = _first_match(stack)
    client = stack.client("lambda")
    figures = {}
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        floors = [
            run_bare(interpreter[0], FLOOR_PROGRAM, {"paths": [str(runtime)]}, {}, folder)["cold_ms"]
            for _ in range(cold_starts)
        ]
        figures["boto3 and a client"] = {"cold_ms": round(statistics.median(floors), 1)}
        for function in FUNCTIONS:
            if only and function.name not in only:
                continue
            code, layers = unpack(out, function, folder / function.name)
            configuration = client.get_function_configuration(FunctionName=stack.function_name(function.name))
            environment = {
                **configuration["Environment"]["Variables"],
                **stack.system.emulator.client_environment(),
                "_LAMBDA_LAYERS_DIRS": ":".join(map(str, layers)),
                "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
            }
            batch = function.package is Package.BATCH
            request = {
                "paths": [str(path) for path in [*(layer / "python" for layer in layers), code, runtime]],
                "handler": template[function.logical_id]["Properties"]["Handler"],
                "event": _event(function, stack, match_id, features),
                "warm_calls": 1 if batch else warm_calls,
            }
            runs = [
                run_bare(interpreter[0], _PROGRAM, request, environment, folder)
                for _ in range(2 if batch else cold_starts)
            ]
            figures[function.name] = {
                "memory_mb": template[function.logical_id]["Properties"]["MemorySize"],
                "import_ms": round(statistics.median(run["import_ms"] for run in runs), 1),
                "cold_ms": round(statistics.median(run["cold_ms"] for run in runs), 1),
                "warm_ms": round(1e3 * statistics.median(time for run in runs for time in run["warm"]), 3),
                "status": runs[0]["status"],
            }
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; `--record` keeps the figures for the cost model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold", description=__doc__)
    parser.add_argument("--cold-starts", type=int, default=3)
    parser.add_argument("--warm-calls", type=int, default=50)
    parser.add_argument("--only", nargs="*", default=[], help="functions to measure; the others keep their figures")
    parser.add_argument("--record", action="store_true", help="write infra/reference/measured.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, throwaway_stack(Path(folder)) as stack:
        figures = measure(stack, options.cold_starts, options.warm_calls, options.only)
    floor = figures["boto3 and a client"]["cold_ms"]
    print(f"\n{'function':<20}{'cold ms':>9}{'x floor':>9}{'import ms':>11}{'warm ms':>10}")
    for name, figure in figures.items():
        print(
            f"{name:<20}{figure['cold_ms']:>9.0f}{figure['cold_ms'] / floor:>9.1f}"
            f"{figure.get('import_ms', 0):>11.0f}{figure.get('warm_ms', 0):>10.2f}"
        )
    cores = os.cpu_count()
    machine = f"{platform.machine()}, {cores} cores, Python {platform.python_version()}"
    print(f"medians of {options.cold_starts} cold starts and {options.warm_calls} warm calls; {machine}")
    if options.record:
        if options.only:
            figures = {**json.loads(MEASURED.read_text(encoding="utf-8"))["functions"], **figures}
        content = {"measured_at": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine, "functions": figures}
        MEASURED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
