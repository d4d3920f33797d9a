"""An HTTP proxy in front of the emulator that fails like AWS does: throttles, 500s, lost answers, slowness.

Functions reach it through `AWS_ENDPOINT_URL`. Which request fails how is drawn from a seeded generator.
"""

import http.client
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import urlsplit

Fault = Literal["throttled", "error_before", "error_after", "lost_before", "lost_after", "slow"]
_HOP_HEADERS: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_TIMEOUT_SECONDS: Final = 60.0


@dataclass
class Faults:
    """What goes wrong, and what did.

    Args:
        shares: Share of the requests that fail in each way. `after` means that the request was carried out and its
            answer was replaced by an error or lost; `slow` that the answer comes after `slow_seconds`.
        slow_seconds: More than a client waits for an answer.
        seed: Of the draws.
        on: Whether anything fails at all.
    """

    shares: Mapping[Fault, float]
    slow_seconds: float = 6.0
    seed: int = 1
    on: bool = True
    happened: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - no secret

    def draw(self, service: str) -> Fault | None:
        """How the next request fails; None if it does not."""
        with self._lock:
            drawn = self._random.random()
            for fault, share in self.shares.items():
                drawn -= share
                if drawn < 0:
                    if self.on:
                        self.happened[f"{service} {fault}"] += 1
                        return fault
                    return None
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, faults: Faults) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream_address = host, port
        self.faults = faults

    def handle_error(self, *_: Any) -> None:
        """A client that was killed in the middle is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers must not wait for an acknowledgement.
    disable_nagle_algorithm = True
    server: _Server
    upstream: http.client.HTTPConnection | None = None

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service = _service(self.headers)
        fault = self.server.faults.draw(service)
        if fault == "throttled":
            self._answer(*_throttled(service))
        elif fault == "error_before":
            self._answer(*_ERROR)
        elif fault == "lost_before":
            self._hang_up()
        else:
            answer = self._forward(body)
            if fault == "lost_after":
                self._hang_up()
                return
            if fault == "slow":
                time.sleep(self.server.faults.slow_seconds)
            self._answer(*(_ERROR if fault == "error_after" else answer))

    def _forward(self, body: bytes) -> "_Answer":
        if self.upstream is None:
            self.upstream = http.client.HTTPConnection(*self.server.upstream_address, timeout=_TIMEOUT_SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_HEADERS}
        self.upstream.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
        answer = self.upstream.getresponse()
        content = answer.read()
        if answer.will_close:
            self.upstream.close()
            self.upstream = None
        return answer.status, dict(answer.getheaders()), content

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        """Close both ends."""
        if self.upstream is not None:
            self.upstream.close()
        super().finish()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle  # noqa: N815 - the base class's names

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


_Answer = tuple[int, Mapping[str, str], bytes]
_ERROR: Final[_Answer] = (500, {"Content-Type": "application/json"}, b'{"__type": "InternalServerError"}')


@contextmanager
def faulty_endpoint(upstream: str, faults: Faults) -> Iterator[str]:
    """Run the proxy; yields its URL.

    Args:
        upstream: URL of the emulator.
        faults: What goes wrong; may be changed while it runs.
    """
    target = urlsplit(upstream)
    assert target.hostname is not None
    assert target.port is not None
    server = _Server(target.hostname, target.port, faults)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _service(headers: Any) -> str:
    target = headers.get("X-Amz-Target", "")
    if target.startswith("DynamoDB"):
        return "dynamodb"
    return "sqs" if target.startswith("AmazonSQS") else "s3"


def _throttled(service: str) -> _Answer:
    if service == "s3":
        return 503, {"Content-Type": "application/xml"}, b"<Error><Code>SlowDown</Code><Message>slow</Message></Error>"
    kind = {"dynamodb": b"com.amazonaws.dynamodb.v20120810#ThrottlingException", "sqs": b"RequestThrottled"}[service]
    return 400, {"Content-Type": "application/x-amz-json-1.0"}, b'{"__type": "%s", "message": "slow down"}' % kind
