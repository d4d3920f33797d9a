"""Requests of real HTTP clients answered by the functions in this process, routed as the gateway routes."""

import base64
import re
from collections.abc import Mapping

import httpx

import app
from chalicelib.endpoints import ENDPOINTS, Endpoint
from tests.support.builders import Context, make_event


class InProcessGateway(httpx.BaseTransport):
    """An httpx transport whose other end is the functions."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Route a request to its function."""
        self.requests.append(request)
        endpoint, parameters = route(request.url.path)
        headers = {name.lower(): value for name, value in request.headers.items()}
        event = make_event(
            endpoint.function,
            path=request.url.path,
            body=request.read().decode() or None,
            query=dict(request.url.params),
            headers=headers,
        )
        event |= {"httpMethod": request.method, "pathParameters": dict(parameters)}
        answer = getattr(app, endpoint.function)(event, Context())
        body = answer["body"]
        content = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        return httpx.Response(answer["statusCode"], headers=answer["headers"], content=content)


class AsyncInProcessGateway(httpx.AsyncBaseTransport):
    """The same for asynchronous clients."""

    def __init__(self) -> None:
        self.inner = InProcessGateway()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Route a request to its function."""
        await request.aread()
        return self.inner.handle_request(request)


def route(path: str) -> tuple[Endpoint, Mapping[str, str]]:
    """The endpoint of a path and its parameters; fixed words win over parameters, as in API Gateway."""
    candidates: list[tuple[int, Endpoint, Mapping[str, str]]] = []
    for endpoint in ENDPOINTS:
        for template in endpoint.paths:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template).replace("{asset+}", "(?P<asset>.+)")
            if match := re.fullmatch(pattern, path.rstrip("/")):
                candidates.append((len(match.groupdict()), endpoint, match.groupdict()))
    if not candidates:
        raise LookupError(path)
    _, endpoint, parameters = min(candidates, key=lambda candidate: candidate[0])
    return endpoint, parameters
