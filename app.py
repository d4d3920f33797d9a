"""Every function of the API package: hand the event over, return. No decisions here."""

from typing import Any

from chalice import Chalice

from chalicelib import queue_functions
from chalicelib.api.gateway import handle

app = Chalice(app_name="soccer")

Event = dict[str, Any]


@app.lambda_function(name="predict")
def predict(event: Event, context: Any) -> Event:
    """POST /predict/."""
    return handle("predict", event, context)


@app.lambda_function(name="predict_match")
def predict_match(event: Event, context: Any) -> Event:
    """GET /predict/{match_id}."""
    return handle("predict_match", event, context)


@app.lambda_function(name="predict_async")
def predict_async(event: Event, context: Any) -> Event:
    """POST /predict/async/."""
    return handle("predict_async", event, context)


@app.lambda_function(name="precomputed")
def precomputed(event: Event, context: Any) -> Event:
    """GET /predict/precomputed/{match_id}."""
    return handle("precomputed", event, context)


@app.lambda_function(name="predictions")
def predictions(event: Event, context: Any) -> Event:
    """GET /predict/predictions/."""
    return handle("predictions", event, context)


@app.lambda_function(name="matches")
def matches(event: Event, context: Any) -> Event:
    """GET /predict/matches/."""
    return handle("matches", event, context)


@app.lambda_function(name="odds")
def odds(event: Event, context: Any) -> Event:
    """GET /predict/odds/."""
    return handle("odds", event, context)


@app.lambda_function(name="cards")
def cards(event: Event, context: Any) -> Event:
    """GET /predict/cards/."""
    return handle("cards", event, context)


@app.lambda_function(name="region_roi")
def region_roi(event: Event, context: Any) -> Event:
    """GET /predict/region-roi/."""
    return handle("region_roi", event, context)


@app.lambda_function(name="model_info")
def model_info(event: Event, context: Any) -> Event:
    """GET /predict/model/info."""
    return handle("model_info", event, context)


@app.lambda_function(name="task_status")
def task_status(event: Event, context: Any) -> Event:
    """GET /monitoring/task_status/{task_id}."""
    return handle("task_status", event, context)


@app.lambda_function(name="healthcheck")
def healthcheck(event: Event, context: Any) -> Event:
    """GET /healthcheck/."""
    return handle("healthcheck", event, context)


@app.lambda_function(name="metrics")
def metrics(event: Event, context: Any) -> Event:
    """GET /metrics."""
    return handle("metrics", event, context)


@app.lambda_function(name="queues")
def queues(event: Event, context: Any) -> Event:
    """GET /monitoring/queues."""
    return handle("queues", event, context)


@app.lambda_function(name="workers")
def workers(event: Event, context: Any) -> Event:
    """GET /monitoring/workers."""
    return handle("workers", event, context)


@app.lambda_function(name="drift")
def drift(event: Event, context: Any) -> Event:
    """GET /monitoring/drift."""
    return handle("drift", event, context)


@app.lambda_function(name="docs")
def docs(event: Event, context: Any) -> Event:
    """GET /openapi.json and /docs."""
    return handle("docs", event, context)


@app.lambda_function(name="ui")
def ui(event: Event, context: Any) -> Event:
    """GET /ui/."""
    return handle("ui", event, context)


@app.lambda_function(name="inference")
def inference(event: Event, context: Any) -> Event:
    """Drain the inference queue; its event source mapping is in infra/stack/template.yaml."""
    return queue_functions.drain_event(event, context)


@app.lambda_function(name="dead_letters")
def dead_letters(event: Event, _context: Any) -> Event:
    """End the tasks of dead letters as failed."""
    return queue_functions.end_dead_letters(event)


@app.lambda_function(name="sweep")
def sweep(_event: Event, context: Any) -> Event:
    """Send again what got lost, end what is too old."""
    return queue_functions.sweep(context)
