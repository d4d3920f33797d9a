"""Every function of the API package: hand the event over, return. No decisions here."""

from collections.abc import Callable
from typing import Any

from chalice import Chalice

from chalicelib import NAME, queue_functions
from chalicelib.api.gateway import handle

# The service's logger, which has the same name, is ours: Chalice would add a second handler to it.
app = Chalice(app_name=NAME, configure_logs=False)

Event = dict[str, Any]
Handler = Callable[[Event, Any], Event]


def http_function(name: str) -> Handler:
    """Declare the function of an endpoint; `chalicelib.endpoints` says which requests it answers.

    Lambda finds the handler as `app.<name>`, so the variable it is assigned to has the same name.
    """

    def handler(event: Event, context: Any) -> Event:
        return handle(name, event, context)

    handler.__name__ = name
    declared: Handler = app.lambda_function(name=name)(handler)
    return declared


predict = http_function("predict")
predict_match = http_function("predict_match")
what_if = http_function("what_if")
predict_async = http_function("predict_async")
features = http_function("features")
precomputed = http_function("precomputed")
predictions = http_function("predictions")
matches = http_function("matches")
odds = http_function("odds")
cards = http_function("cards")
prices = http_function("prices")
track_record = http_function("track_record")
region_roi = http_function("region_roi")
regions = http_function("regions")
projections = http_function("projections")
clubs = http_function("clubs")
calendar = http_function("calendar")
model_info = http_function("model_info")
task_status = http_function("task_status")
healthcheck = http_function("healthcheck")
metrics = http_function("metrics")
queues = http_function("queues")
workers = http_function("workers")
drift = http_function("drift")
docs = http_function("docs")
ui = http_function("ui")


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
