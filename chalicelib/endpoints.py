"""The HTTP surface as one table: which function answers which path, and who may call it.

The gateway's definition (infra), the access check (`gateway`) and the OpenAPI document are made from it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Access(IntEnum):
    """Who may call; a higher level includes the lower ones."""

    PUBLIC = 0
    CLIENT = 1
    OPERATOR = 2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One function behind the gateway.

    Args:
        function: Name of the Lambda function, as `app.py` declares it.
        method: HTTP method.
        paths: Path templates without trailing slash (the gateway answers both); the first is canonical.
        access: Lowest level that may call.
    """

    function: str
    method: str
    paths: tuple[str, ...]
    access: Access


ENDPOINTS: Final = (
    Endpoint("predict", "POST", ("/predict",), Access.CLIENT),
    Endpoint("predict_match", "GET", ("/predict/{match_id}",), Access.CLIENT),
    Endpoint("predict_async", "POST", ("/predict/async",), Access.CLIENT),
    Endpoint("precomputed", "GET", ("/predict/precomputed/{match_id}",), Access.PUBLIC),
    Endpoint("predictions", "GET", ("/predict/predictions",), Access.PUBLIC),
    Endpoint("matches", "GET", ("/predict/matches",), Access.PUBLIC),
    Endpoint("odds", "GET", ("/predict/odds",), Access.PUBLIC),
    Endpoint("cards", "GET", ("/predict/cards",), Access.PUBLIC),
    Endpoint("region_roi", "GET", ("/predict/region-roi",), Access.PUBLIC),
    Endpoint("model_info", "GET", ("/predict/model/info",), Access.PUBLIC),
    Endpoint("task_status", "GET", ("/monitoring/task_status/{task_id}",), Access.PUBLIC),
    Endpoint("healthcheck", "GET", ("/healthcheck",), Access.PUBLIC),
    Endpoint("metrics", "GET", ("/metrics",), Access.OPERATOR),
    Endpoint("queues", "GET", ("/monitoring/queues", "/monitoring/celery/queues"), Access.OPERATOR),
    Endpoint("workers", "GET", ("/monitoring/workers", "/monitoring/celery/workers"), Access.OPERATOR),
    Endpoint("drift", "GET", ("/monitoring/drift",), Access.OPERATOR),
    Endpoint("docs", "GET", ("/openapi.json", "/docs", "/docs/{asset+}"), Access.PUBLIC),
    Endpoint("ui", "GET", ("/ui", "/ui/{asset+}"), Access.PUBLIC),
)
