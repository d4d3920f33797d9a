"""Powertools routers, one per function, in modules by area; a function imports only its own module."""

from importlib import import_module
from typing import Final

from aws_lambda_powertools.event_handler.api_gateway import Router

AREAS: Final = {
    "predict": "prediction",
    "predict_match": "prediction",
    "predict_async": "prediction",
    "task_status": "tasks",
    "precomputed": "lists",
    "predictions": "lists",
    "matches": "lists",
    "odds": "lists",
    "cards": "lists",
    "region_roi": "lists",
    "model_info": "operations",
    "healthcheck": "operations",
    "metrics": "metrics",
    "queues": "operations",
    "workers": "operations",
    "drift": "operations",
    "docs": "site",
    "ui": "site",
}
"""Function to the module that holds its router."""


def router_of(function: str) -> Router:
    """The routes of one function."""
    module = import_module(f"{__name__}.{AREAS[function]}")
    router: Router = module.ROUTERS[function]
    return router
