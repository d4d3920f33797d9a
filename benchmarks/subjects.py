"""What `make bench` compares: the function's own handler and other ways to serve the same model."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import lightgbm
import mlflow
import numpy as np
import pandas as pd

import app
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.models.mirror import ModelInfo, mirror_key
from chalicelib.models.store import ModelStore
from chalicelib.storage.objects import ObjectStore
from chalicelib.telemetry.names import SERVICE
from tests.support.builders import Context, make_event, make_odds, make_predictions, publish
from tests.support.fakes import InMemoryObjectStore
from tests.support.throwaway import RunningStack

CARDS_PREDICTIONS = 100_000


@contextmanager
def quiet() -> Iterator[None]:
    """Logs and metrics are written, to nowhere."""
    handlers = [
        stream_handler
        for stream_handler in logging.getLogger(SERVICE).handlers
        if isinstance(stream_handler, logging.StreamHandler)
    ]
    streams = [handler.stream for handler in handlers]
    with Path(os.devnull).open("w", encoding="utf-8") as sink, contextlib.redirect_stdout(sink):
        for handler in handlers:
            handler.setStream(sink)
        try:
            yield
        finally:
            for handler, stream in zip(handlers, streams, strict=True):
                handler.setStream(stream)


def mirror_in_memory(stack: RunningStack) -> tuple[InMemoryObjectStore, ModelInfo]:
    """The stack's champion, copied from its bucket."""
    s3, bucket, objects = stack.client("s3"), stack.outputs.bucket, InMemoryObjectStore()
    key = mirror_key(Stage.CHAMPION)
    description = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    info = ModelInfo.from_json(description, Stage.CHAMPION)
    objects.put(key, description)
    objects.put(info.model_key, s3.get_object(Bucket=bucket, Key=info.model_key)["Body"].read())
    return objects, info


def in_function(stack: RunningStack, objects: ObjectStore) -> None:
    """Wire the handlers of this process to the objects; everything else is the stack's."""
    configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.function_name("predict"))
    os.environ.update(configuration["Environment"]["Variables"])
    # One look at the store a minute instead of one a second: neither counts in a benchmark of the code.
    models = ModelStore(objects, 60)
    wiring.objects.cache_clear()
    wiring.objects = lambda: objects  # type: ignore[assignment]
    wiring.models = lambda: models  # type: ignore[assignment]


def predictors(
    stack: RunningStack, objects: InMemoryObjectStore, info: ModelInfo, features: Mapping[str, float | None]
) -> dict[str, Callable[[], object]]:
    """In-process ways from features to probabilities; the handler's has the HTTP event, validation, log and metrics."""
    text = objects.objects[info.model_key].decode()
    booster = lightgbm.Booster(model_str=text)
    row = [features[spec.name] for spec in info.features]
    values = [float("nan") if value is None else value for value in row]
    matrix = np.array([values], dtype=np.float64)
    mlflow.set_tracking_uri(stack.mlflow_tracking_uri)
    pyfunc = mlflow.pyfunc.load_model("models:/soccer_model@champion")
    frame = pd.DataFrame(matrix, columns=[spec.name for spec in info.features]).astype(
        {spec.name: "int64" for spec in info.features if spec.type in ("long", "integer")}
    )
    event, context = make_event("predict", body={"match_id": 99, "features": dict(features)}), Context()
    native = ModelStore(objects, 60).current(Stage.CHAMPION)

    def handler() -> None:
        answer = app.predict(dict(event), context)
        assert answer["statusCode"] == 200, answer

    fastapi = asgi_call(text, info, features)
    return {
        "handler POST /predict/": handler,
        "native row (LightGBM C API)": lambda: native.native.predict_row(values),
        "Booster.predict": lambda: booster.predict(matrix, num_threads=1),
        "mlflow.pyfunc predict": lambda: pyfunc.predict(frame),
        "FastAPI + Booster (ASGI, in process)": fastapi,
    }


def asgi_call(text: str, info: ModelInfo, features: Mapping[str, float | None]) -> Callable[[], object]:
    """One request to the FastAPI application without a network."""
    from benchmarks.fastapi_service import make_app  # noqa: PLC0415

    service = make_app(text, [spec.name for spec in info.features])
    body = json.dumps({"match_id": 99, "features": dict(features)}).encode()
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/predict/",
        "raw_path": b"/predict/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    loop = asyncio.new_event_loop()

    async def once() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            assert message.get("status", 200) == 200

        await service(dict(scope), receive, send)

    return lambda: loop.run_until_complete(once())


def cards_page(objects: InMemoryObjectStore) -> Callable[[], object]:
    """The first page of 100 cards from a release of 100,000 predictions, a third of them with odds."""
    predictions = make_predictions(CARDS_PREDICTIONS)
    publish(objects, predictions=predictions, odds=make_odds(list(range(1, CARDS_PREDICTIONS, 3))))
    event, context = make_event("cards", query={"limit": "100"}), Context()

    def page() -> None:
        answer = app.cards(dict(event), context)
        assert answer["statusCode"] == 200, answer["body"][:300]
        assert answer["body"].count('"match_id"') == 100

    return page


def one_line_function(stack: RunningStack) -> str:
    """URL of a function that answers `{}`, logs one line, and has a gateway of its own on the same emulator."""
    import io  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(
            "one.py",
            'def line(event, context):\n    print("request")\n    return {"statusCode": 200, "body": "{}"}\n',
        )
    client, gateway = stack.client("lambda"), stack.client("apigateway")
    role = client.get_function_configuration(FunctionName=stack.function_name("predict"))
    function = client.create_function(
        FunctionName="bench-one-line",
        Runtime=role["Runtime"],
        Role=role["Role"],
        Handler="one.line",
        Code={"ZipFile": archive.getvalue()},
    )
    region = boto3.session.Session().region_name or "us-east-1"
    api = gateway.create_rest_api(name="bench-one-line")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    resource = gateway.create_resource(restApiId=api, parentId=root, pathPart="line")["id"]
    gateway.put_method(restApiId=api, resourceId=resource, httpMethod="POST", authorizationType="NONE")
    gateway.put_integration(
        restApiId=api,
        resourceId=resource,
        httpMethod="POST",
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function['FunctionArn']}/invocations",
    )
    gateway.create_deployment(restApiId=api, stageName="bench")
    return f"{stack.system.emulator.endpoint_url}/_aws/execute-api/{api}/bench/line"
