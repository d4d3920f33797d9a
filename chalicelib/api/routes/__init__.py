"""Powertools routers, one per function, in modules by area; a function imports only its own module."""

from collections.abc import Iterator
from importlib import import_module

from aws_lambda_powertools.event_handler.api_gateway import Router

from chalicelib.endpoints import BY_FUNCTION, ENDPOINTS


def router_of(function: str) -> Router:
    """The routes of one function."""
    module = import_module(f"{__name__}.{BY_FUNCTION[function].routes}")
    router: Router = module.ROUTERS[function]
    return router


def all_routers() -> Iterator[Router]:
    """The routes of every function; imports every module."""
    return (router_of(endpoint.function) for endpoint in ENDPOINTS)
