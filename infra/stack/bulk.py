"""The nested stack of rebuilds in items: `infra/bulk.yaml`, completed."""

import json
from typing import Any, Final

from chalicelib import NAME
from chalicelib.endpoints import Layer
from infra.paths import BULK_TEMPLATE
from infra.stack import cfn_yaml
from infra.stack.function_resources import basic_properties, log_group, role
from infra.stack.functions import BULK_FUNCTIONS, Function
from infra.stack.stages import Target

FILE: Final = "bulk.json"
"""The nested stack's template, beside the stack's own."""
_LAYERS: Final = {Layer.LIGHTGBM: "LightgbmLayer", Layer.PYARROW: "PyarrowLayer"}
"""The parameters that name the layers of the stack around it."""
_STACK: Final = "ParentStack"
"""The parameter with the name of the stack around it."""
_VARIABLES: Final = {
    "DATA_BUCKET": {"Ref": "DataBucket"},
    "KEPT_REBUILDS": {"Ref": "KeptRebuilds"},
    "KEPT_HOURS": {"Ref": "KeptHours"},
    "REPLAY_AS_OF": {"Ref": "ReplayAsOf"},
    "STACK_NAME": {"Ref": _STACK},
    "METRICS_NAMESPACE": {"Ref": "MetricsNamespace"},
    "POWERTOOLS_LOG_LEVEL": {"Ref": "LogLevel"},
    "POWERTOOLS_SERVICE_NAME": NAME,
    # Settings that every function must have; these use neither tasks nor keys.
    **dict.fromkeys(("TASKS_TABLE", "INFERENCE_QUEUE_URL", "DEAD_LETTER_QUEUE_URL"), "unused"),
    **dict.fromkeys(("INFERENCE_FUNCTION", "API_KEYS_SECRET_ID"), "unused"),
}


def bulk_template(target: Target) -> dict[str, Any]:
    """The whole template.

    Args:
        target: What its functions run on.
    """
    template = cfn_yaml.load(BULK_TEMPLATE)
    resources = template["Resources"]
    for function in BULK_FUNCTIONS:
        declared = resources[function.logical_id]["Properties"]
        resources[function.logical_id]["Properties"] = {**_properties(function, target), **declared}
        resources |= log_group(function, _STACK)
        resources[function.role_logical_id] = role(function)
    machine = resources["StateMachine"]["Properties"]
    # CloudFormation passes a parameter on as text, and the state machine needs a number.
    definition = json.dumps(machine.pop("Definition"), indent=1).replace('"${Concurrency}"', "${Concurrency}")
    machine["DefinitionString"] = {"Fn::Sub": definition}
    return template


def _properties(function: Function, target: Target) -> dict[str, Any]:
    return {
        **basic_properties(function, target, _STACK),
        "Code": "./batch.zip",
        "Handler": f"batch.handlers.{function.name}",
        "TracingConfig": {"Mode": {"Ref": "Tracing"}},
        "Environment": {"Variables": _VARIABLES},
        "Tags": [{"Key": "service", "Value": NAME}],
        "Layers": [{"Ref": _LAYERS[layer]} for layer in function.layers],
    }
