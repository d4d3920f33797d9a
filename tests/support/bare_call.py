"""Call a handler from its unpacked package and layers alone, as on Lambda.

The interpreter is isolated (`-I -S`: no site-packages, no variables of Python's, no user folder) and its environment is
Lambda's only. Every file the process maps is checked afterwards, because a library of this machine (`libgomp`!) could
replace one that the package lacks.
"""

import json
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from infra.packaging import dependencies
from infra.packaging.elf import BASE_IMAGE
from infra.packaging.isolated import run_isolated
from infra.stack.functions import Function, Package
from infra.stack.stages import Target

_ARCHIVES: Final = {Package.API: "deployment.zip", Package.BATCH: "batch.zip"}
_SECONDS: Final = 60
_PROGRAM: Final = """
import importlib, json, sys, time
started = time.perf_counter()
given = json.load(sys.stdin)
sys.path[:0] = given["paths"]
class Context:
    function_name = "soccer-bare"
    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:soccer-bare"
    aws_request_id = "bare-request"
    def get_remaining_time_in_millis(self):
        return 25_000
module, name = given["handler"].rsplit(".", 1)
handler = getattr(importlib.import_module(module), name)
imported = time.perf_counter()
answer = handler(given["event"], Context())
answered = time.perf_counter()
mapped = sorted({line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if ".so" in line})
modules = sorted({getattr(module, "__file__", None) or "" for module in list(sys.modules.values())})
with open(given["result"], "w") as stream:
    json.dump({"answer": answer, "libraries": mapped, "modules": modules,
               "import_ms": 1e3 * (imported - started), "call_ms": 1e3 * (answered - imported)}, stream)
"""


class BareCallError(Exception):
    """The handler could not be called from what is deployed; the message has the end of its output."""


@dataclass(frozen=True, slots=True)
class BareAnswer:
    """The result of a call.

    Args:
        answer: What the handler returned.
        strangers: Shared libraries and modules that came from elsewhere than the package, its layers, the runtime's
            libraries, the standard library and Lambda's base image.
        import_ms: Milliseconds to import the handler's module.
        call_ms: Milliseconds of the first call, clients and model loading included.
    """

    answer: dict[str, Any]
    strangers: tuple[str, ...]
    import_ms: float
    call_ms: float


def unpack(out: Path, function: Function, folder: Path) -> tuple[Path, list[Path]]:
    """Unpack a function as Lambda does: its code, and the folders of its layers.

    Args:
        out: Folder with the built archives.
        function: The function.
        folder: An empty folder.
    """
    code = folder / "task"
    with zipfile.ZipFile(out / _ARCHIVES[function.package]) as archive:
        archive.extractall(code)
    layers = []
    for layer in function.layers:
        layers.append(folder / "layers" / layer.value)
        with zipfile.ZipFile(out / f"{layer.value}.zip") as archive:
            archive.extractall(layers[-1])
    return code, layers


@contextmanager
def served_objects(objects: Mapping[str, bytes]) -> Iterator[str]:
    """A read-only S3 endpoint: `GET /<bucket>/<key>`, with ETags.

    Args:
        objects: Content by key, the same for every bucket.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = objects.get(self.path.partition("?")[0].lstrip("/").partition("/")[2])
            body = b"<Error><Code>NoSuchKey</Code></Error>" if content is None else content
            etag = f'"{md5(body, usedforsecurity=False).hexdigest()}"'
            unchanged = content is not None and self.headers.get("If-None-Match") == etag
            self.send_response(404 if content is None else 304 if unchanged else 200)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", "0" if unchanged else str(len(body)))
            self.end_headers()
            if not unchanged:
                self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def call_alone(
    out: Path,
    target: Target,
    function: Function,
    event: Mapping[str, Any],
    environment: Mapping[str, str],
    folder: Path,
) -> BareAnswer:
    """Call a function's handler with its deployed files and the runtime's boto3 only.

    Args:
        out: Folder with the built archives and template.
        target: What they are built for; this machine must have an interpreter of its version.
        function: Which one.
        event: Its event.
        environment: Its variables; nothing else is set but where its layers are.
        folder: Empty folder to work in.

    Raises:
        BareCallError: It could not be imported or it raised.
    """
    python = dependencies.runner(target)
    if python is None:
        raise BareCallError(f"this machine cannot run {target.runtime} on {target.architecture}")
    code, layers = unpack(out, function, folder)
    runtime = dependencies.runtime_libraries(target)
    template = json.loads((out / "sam.json").read_text(encoding="utf-8"))["Resources"]
    paths = [*(layer / "python" for layer in layers), code, runtime]
    result = folder / "result.json"
    request = {
        "paths": [str(path) for path in paths],
        "handler": template[function.logical_id]["Properties"]["Handler"],
        "event": event,
        "result": str(result),
    }
    ran = run_isolated(
        python,
        _PROGRAM,
        request,
        # /opt cannot be unpacked to here; the variable names the layers' folders instead, as the emulator's does.
        environment={
            **environment,
            "_LAMBDA_LAYERS_DIRS": ":".join(map(str, layers)),
            "LAMBDA_TASK_ROOT": str(code),
        },
        folder=code,
        seconds=_SECONDS,
    )
    if ran.returncode != 0 or not result.exists():
        raise BareCallError((ran.stderr or ran.stdout).strip()[-2_000:])
    answer = json.loads(result.read_text(encoding="utf-8"))
    standard = _standard_library(python)
    allowed = (str(folder), str(runtime), *standard)
    strangers = [path for path in answer["modules"] if path.startswith("/") and not path.startswith(allowed)]
    strangers += [
        path
        for path in answer["libraries"]
        if not path.startswith(allowed)
        and not Path(path).name.startswith(tuple(BASE_IMAGE))
        and not _of_interpreter(path, standard)
    ]
    return BareAnswer(answer["answer"], tuple(strangers), answer["import_ms"], answer["call_ms"])


def _standard_library(python: str) -> tuple[str, ...]:
    script = "import sysconfig; print(sysconfig.get_path('stdlib')); print(sysconfig.get_path('platstdlib'))"
    result = run_isolated(python, script, {})
    result.check_returncode()
    return tuple(result.stdout.split())


def _of_interpreter(path: str, standard: tuple[str, ...]) -> bool:
    """Whether a library belongs to the interpreter: libpython itself, or what its own extension modules need.

    Lambda's interpreter brings its own OpenSSL, libffi and the like; nothing in a package links to them.
    """
    interpreters = (
        "libpython",
        "libssl",
        "libcrypto",
        "libffi",
        "libbz2",
        "liblzma",
        "libexpat",
        "libuuid",
        "libsqlite",
    )
    return Path(path).name.startswith(interpreters) or path.startswith(standard)
