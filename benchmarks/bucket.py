"""A bucket that answers reads as S3 does, ranges and conditions included, as fast as one chooses.

The emulator reads a whole object to answer a range of it, so cold starts on large releases would measure the emulator.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass
class LocalBucket:
    """Objects in files.

    Attributes:
        url: The endpoint; keys follow the bucket's name in the path.
        latency_seconds: How long each answer waits.
        bytes_per_second: How fast its body comes.
        reads: Requests answered so far.
    """

    url: str
    latency_seconds: float = 0.0
    bytes_per_second: float = float("inf")
    reads: int = 0


@contextmanager
def serve_copy(client: "S3Client", bucket: str, folder: Path) -> Iterator[LocalBucket]:
    """Serve the objects of a bucket from a copy in `folder`."""
    etags: dict[str, str] = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            path = folder / entry["Key"]
            path.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, entry["Key"], str(path))
            etags[entry["Key"]] = entry["ETag"]
    served = LocalBucket("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            served.reads += 1
            time.sleep(served.latency_seconds)
            key = unquote(urlsplit(self.path).path).removeprefix(f"/{bucket}/")
            if key not in etags:
                self._answer(HTTPStatus.NOT_FOUND, b"<Error><Code>NoSuchKey</Code></Error>", "")
            elif self.headers.get("if-match", etags[key]) != etags[key]:
                self._answer(HTTPStatus.PRECONDITION_FAILED, b"", etags[key])
            elif self.headers.get("if-none-match") == etags[key]:
                self._answer(HTTPStatus.NOT_MODIFIED, b"", etags[key])
            elif byte_range := self.headers.get("range"):
                first, last = (int(number) for number in byte_range.removeprefix("bytes=").split("-"))
                with (folder / key).open("rb") as stream:
                    stream.seek(first)
                    self._answer(HTTPStatus.PARTIAL_CONTENT, stream.read(last + 1 - first), etags[key])
            else:
                self._answer(HTTPStatus.OK, (folder / key).read_bytes(), etags[key])

        def _answer(self, status: HTTPStatus, body: bytes, etag: str) -> None:
            self.send_response(status)
            self.send_header("etag", etag)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            time.sleep(len(body) / served.bytes_per_second)
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
