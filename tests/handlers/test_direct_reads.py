"""Reads without the SDK: signed as the SDK signs, and answered as `ObjectStore` and `KeyRing` promise."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SdkCredentials

from chalicelib import wiring
from chalicelib.access.keys import KeyRing
from chalicelib.endpoints import Access
from chalicelib.errors import KeysUnavailable, MissingKey
from chalicelib.storage.aws_http import (
    ATTEMPTS,
    AwsEndpoint,
    AwsUnreachable,
    Credentials,
    SecretRefused,
    SecretsReader,
    service_url,
    signed_headers,
)
from chalicelib.storage.direct_s3 import DirectS3ObjectStore
from chalicelib.storage.objects import ObjectMissing, ObjectStoreUnavailable, S3ObjectStore
from tests.handlers.conftest import forget_wiring

OURS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token/with+signs==")
NOW = datetime(2026, 11, 21, 5, 6, 7, tzinfo=UTC)


@pytest.mark.parametrize("token", [None, OURS.token])
@pytest.mark.parametrize("key", ["models/champion/current.json", "raw/matches/a b+ü~%.parquet"])
def test_a_get_is_signed_as_the_sdk_signs_it(key: str, token: str | None) -> None:
    from urllib.parse import quote  # noqa: PLC0415

    path = "/" + quote(key, safe="/-_.~")
    credentials = Credentials(OURS.access_key, OURS.secret_key, token)
    signed = signed_headers(
        credentials,
        service="s3",
        region="eu-west-1",
        method="GET",
        host="data.s3.eu-west-1.amazonaws.com",
        path=path,
        headers={"if-none-match": '"abc"'},
        body=b"",
        now=NOW,
    )
    assert signed["Authorization"] == authorization_of_the_sdk("s3", "GET", signed, path, b"", token)


def test_a_post_is_signed_as_the_sdk_signs_it() -> None:
    body = b'{"SecretId": "x"}'
    signed = signed_headers(
        OURS,
        service="secretsmanager",
        region="eu-west-1",
        method="POST",
        host="secretsmanager.eu-west-1.amazonaws.com",
        path="/",
        headers={"x-amz-target": "secretsmanager.GetSecretValue"},
        body=body,
        now=NOW,
    )
    assert signed["Authorization"] == authorization_of_the_sdk("secretsmanager", "POST", signed, "/", body, OURS.token)


def authorization_of_the_sdk(
    service: str, method: str, headers: dict[str, str], path: str, body: bytes, token: str | None
) -> str:
    """The signature botocore makes of the same headers at the same time."""
    plain = {name: value for name, value in headers.items() if name not in ("Authorization", "if-none-match")}
    request = AWSRequest(method=method, url=f"https://{headers['host']}{path}", data=body, headers=plain)
    request.context["timestamp"] = headers["x-amz-date"]
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    signer = kind(SdkCredentials(OURS.access_key, OURS.secret_key, token), service, "eu-west-1")
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    names = signer.signed_headers(signer.headers_to_sign(request))
    scope = signer.scope(request)
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"


class Aws:
    """A server that gives prepared answers in order and records the requests."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes] | None] = []
        self.asked: list[tuple[str, str, Message, bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.asked.append((self.command, self.path, self.headers, body))
                answer = outer.answers.pop(0)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 304:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.endpoints: list[AwsEndpoint] = []

    def endpoint(self, service: str = "s3") -> AwsEndpoint:
        url = f"http://127.0.0.1:{self.server.server_port}"
        self.endpoints.append(AwsEndpoint(service, "eu-west-1", url, OURS, pause=lambda _: None))
        return self.endpoints[-1]


@pytest.fixture
def server() -> Iterator[Aws]:
    aws = Aws()
    thread = threading.Thread(target=aws.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield aws
    for endpoint in aws.endpoints:
        endpoint.close()
    aws.server.shutdown()
    aws.server.server_close()
    thread.join()


def store(server: Aws) -> DirectS3ObjectStore:
    def no_sdk() -> Any:
        raise AssertionError("reads need no SDK")

    return DirectS3ObjectStore(server.endpoint(), "/data", no_sdk, "data")


def test_an_object_is_its_body_and_its_etag(server: Aws) -> None:
    server.answers = [(200, {"ETag": '"v1"'}, b"content")]
    stored = store(server).get("a b.json")
    assert stored is not None
    assert (stored.body, stored.etag) == (b"content", '"v1"')
    assert server.asked[0][1] == "/data/a%20b.json"


def test_an_object_that_did_not_change_is_none(server: Aws) -> None:
    server.answers = [(304, {"ETag": '"v1"'}, b""), (200, {"ETag": '"v2"'}, b"new")]
    objects = store(server)
    assert objects.get("key", unless_etag='"v1"') is None
    assert server.asked[0][2]["if-none-match"] == '"v1"'
    assert objects.get("key") is not None


def test_a_missing_object_is_missing_and_a_missing_bucket_is_not(server: Aws) -> None:
    server.answers = [
        (404, {}, b"<Error><Code>NoSuchKey</Code></Error>"),
        (404, {}, b"<Error><Code>NoSuchBucket</Code></Error>"),
    ]
    with pytest.raises(ObjectMissing):
        store(server).get("key")
    with pytest.raises(ObjectStoreUnavailable):
        store(server).get("key")


def test_a_refusal_is_not_repeated(server: Aws) -> None:
    server.answers = [(403, {}, b"<Error><Code>AccessDenied</Code></Error>")]
    with pytest.raises(ObjectStoreUnavailable):
        store(server).get("key")
    assert len(server.asked) == 1


def test_a_server_error_and_a_lost_connection_are_survived(server: Aws) -> None:
    server.answers = [(503, {}, b"SlowDown"), None, (200, {"ETag": '"v1"'}, b"content")]
    stored = store(server).get("key")
    assert stored is not None
    assert stored.body == b"content"


def test_half_an_answer_is_not_an_answer(server: Aws) -> None:
    half = (200, {"ETag": '"v1"', "Content-Length": "1000", "Connection": "close"}, b"only this")
    server.answers = [half] * ATTEMPTS
    with pytest.raises(ObjectStoreUnavailable):
        store(server).get("key")


def test_after_all_attempts_the_bucket_is_unavailable(server: Aws) -> None:
    server.answers = [(500, {}, b"")] * ATTEMPTS
    with pytest.raises(ObjectStoreUnavailable):
        store(server).get("key")
    assert len(server.asked) == ATTEMPTS


def test_a_port_nobody_listens_on_is_unreachable(server: Aws) -> None:
    nobody = AwsEndpoint("s3", "eu-west-1", "http://127.0.0.1:1", OURS, pause=lambda _: None)
    with pytest.raises(AwsUnreachable):
        nobody.request("GET", "/")


def test_a_connection_is_kept_for_the_next_read(server: Aws) -> None:
    server.answers = [(200, {"ETag": '"v1"'}, b"a"), (200, {"ETag": '"v1"'}, b"b")]
    objects = store(server)
    objects.get("one")
    first = objects._endpoint._kept.connection.sock.getsockname()
    objects.get("two")
    assert objects._endpoint._kept.connection.sock.getsockname() == first


def test_a_secret_is_read(server: Aws) -> None:
    server.answers = [(200, {}, b'{"SecretString": "{\\"client\\": [\\"k\\"], \\"operator\\": []}"}')]
    ring = KeyRing(SecretsReader(server.endpoint("secretsmanager")), "stack/api-keys", 60)
    ring.admit("k", Access.CLIENT)
    with pytest.raises(MissingKey):
        ring.admit("other", Access.CLIENT)
    method, path, headers, body = server.asked[0]
    assert (method, path, body) == ("POST", "/", b'{"SecretId": "stack/api-keys"}')
    assert headers["x-amz-target"] == "secretsmanager.GetSecretValue"
    assert len(server.asked) == 1


def test_a_secret_that_is_not_there_closes_the_route(server: Aws) -> None:
    server.answers = [(400, {}, b'{"__type": "ResourceNotFoundException"}')] * 2
    reader = SecretsReader(server.endpoint("secretsmanager"))
    with pytest.raises(SecretRefused, match="ResourceNotFoundException"):
        reader.get_secret_value(SecretId="x")
    with pytest.raises(KeysUnavailable):
        KeyRing(reader, "x", 60).admit("k", Access.CLIENT)


@pytest.mark.parametrize(
    ("region", "environment", "expected"),
    [
        ("eu-west-1", {}, ("https://s3.eu-west-1.amazonaws.com", False)),
        ("cn-north-1", {}, ("https://s3.cn-north-1.amazonaws.com.cn", False)),
        ("eu-west-1", {"AWS_ENDPOINT_URL": "http://localhost:4566/"}, ("http://localhost:4566", True)),
        ("eu-west-1", {"AWS_ENDPOINT_URL_S3": "http://a", "AWS_ENDPOINT_URL": "http://b"}, ("http://a", True)),
    ],
)
def test_a_service_is_where_the_environment_says(
    region: str, environment: dict[str, str], expected: tuple[str, bool]
) -> None:
    assert service_url("s3", region, environment) == expected


def test_without_keys_in_the_environment_the_sdk_finds_them(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRECT_READS", "true")
    forget_wiring()
    assert isinstance(wiring.objects(), DirectS3ObjectStore)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    forget_wiring()
    assert type(wiring.objects()) is S3ObjectStore


@pytest.mark.parametrize(
    ("bucket", "host", "prefix"),
    [("data", "data.s3.us-east-1.amazonaws.com", ""), ("my.data", "s3.us-east-1.amazonaws.com", "/my.data")],
)
def test_on_aws_the_host_names_the_bucket_unless_its_name_has_dots(
    aws: None, monkeypatch: pytest.MonkeyPatch, bucket: str, host: str, prefix: str
) -> None:
    monkeypatch.setenv("DIRECT_READS", "true")
    monkeypatch.setenv("DATA_BUCKET", bucket)
    forget_wiring()
    objects: Any = wiring.objects()
    assert (objects._endpoint._host, objects._prefix) == (host, prefix)


def test_writes_go_through_the_sdk(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIRECT_READS", "true")
    forget_wiring()
    wiring.objects().put("key", b"content")
    assert [key for key, _ in wiring.objects().keys("")] == ["key"]
