"""The emulator as the local system runs it: `python -P infra/local/emulator_program.py [PROGRAM]`.

Runs in the emulator's own interpreter and imports nothing of this project. Around the emulator it puts

- a state that is saved whole or not at all, and says so (`saved.json`);
- a limit of workers per function, at which an invocation waits for a free one instead of starting another;
- layers and code unpacked once, whose files every worker links;
- an end for old log streams, since the emulator enforces no retention.

PROGRAM is run in its place, inside all of this, and starts the emulator itself.
"""

import hashlib
import json
import os
import runpy
import shutil
import sys
import threading
import time
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar, Final

from ministack import app  # type: ignore[import-not-found]  # only in the emulator's environment
from ministack.core import lambda_runtime, persistence  # type: ignore[import-not-found]
from ministack.services import cloudwatch_logs, lambda_svc  # type: ignore[import-not-found]

LOG_STREAMS_KEPT: Final = 10_000
"""Newest streams (invocations) kept per log group; the metrics relay reads them within seconds."""
_TRIM_SECONDS: Final = 30.0
_DROPPED_SECONDS: Final = 0.1
"""How soon an invocation that waits notices a worker that was dropped."""


# ── State ───────────────────────────────────────────────────────────────────────────────────────────


def save_whole_state(services: dict[str, Any]) -> None:
    """Write every service's state beside the old one, and replace that only when all of it is on disk."""
    state = Path(persistence.STATE_DIR)
    beside = state.with_name(f"{state.name}.new")
    code_files = lambda_svc.CODE_BLOB_DIR
    trim_logs()
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        # Code of functions is in files of its own, which `get_state` writes and prunes.
        lambda_svc.CODE_BLOB_DIR = str(beside / Path(code_files).name)
        for name, get_state in services.items():
            service_state = get_state()
            if service_state is not None:
                _write(beside / f"{name}.json", _document(name, service_state))
            elif (state / f"{name}.json").exists():
                # not loaded in this run: keep its old state
                shutil.copy2(state / f"{name}.json", beside / f"{name}.json")
        for entry in state.iterdir() if state.exists() else ():
            if entry.suffix != ".json" and not (beside / entry.name).exists():
                (shutil.copytree if entry.is_dir() else shutil.copy2)(entry, beside / entry.name)
        _write(beside / "saved.json", {"pid": os.getpid(), "at": time.time(), "services": sorted(services)})
    except Exception as error:  # noqa: BLE001 - whatever the cause, the old state stays
        shutil.rmtree(beside, ignore_errors=True)
        print(f"state not saved, the previous one is kept: {type(error).__name__}: {error}", flush=True)
        return
    finally:
        lambda_svc.CODE_BLOB_DIR = code_files
    old = state.with_name(f"{state.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if state.exists():
        state.rename(old)
    beside.rename(state)
    shutil.rmtree(old, ignore_errors=True)


def recover_state() -> None:
    """Finish a save that was interrupted between its two renames."""
    state = Path(persistence.STATE_DIR)
    beside, old = state.with_name(f"{state.name}.new"), state.with_name(f"{state.name}.old")
    if not state.exists() and (beside / "saved.json").exists():
        beside.rename(state)
    elif not state.exists() and old.exists():
        old.rename(state)
    for leftover in (beside, old):
        shutil.rmtree(leftover, ignore_errors=True)


def _document(service: str, state: Any) -> dict[str, Any]:
    return {"__ministack_format__": persistence._state_format_version(service), "payload": state}  # noqa: SLF001


def _write(path: Path, document: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(document, file, default=persistence._json_default)  # noqa: SLF001
        file.flush()
        os.fsync(file.fileno())


# ── Logs ────────────────────────────────────────────────────────────────────────────────────────────


def trim_logs(kept: int = LOG_STREAMS_KEPT) -> None:
    """Drop the oldest streams of each log group."""
    for _, group in list(cloudwatch_logs._log_groups.all_items()):  # noqa: SLF001
        streams = group["streams"]
        # in order of creation; other threads may add some meanwhile
        for name in list(streams)[: max(0, len(streams) - kept)]:
            streams.pop(name, None)


def keep_trimming() -> None:
    """Trim while the emulator runs."""
    while True:
        time.sleep(_TRIM_SECONDS)
        try:
            trim_logs()
        except RuntimeError:
            continue  # a group was added during listing


# ── Workers ─────────────────────────────────────────────────────────────────────────────────────────


class UnpackedOnce(zipfile.ZipFile):
    """An archive that is unpacked once; further extractions link its files."""

    _locks: ClassVar[defaultdict[str, threading.Lock]] = defaultdict(threading.Lock)

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        """Extract into a folder, by links to read-only files."""
        source = getattr(self.fp, "name", None)
        if path is None or members is not None or pwd is not None or not isinstance(source, str):
            super().extractall(path, members, pwd)
            return
        digest = hashlib.sha256(Path(source).read_bytes()).hexdigest()
        unpacked = Path(os.environ["TMPDIR"]) / "unpacked" / digest
        with self._locks[digest]:
            if not unpacked.exists():
                partial = unpacked.with_suffix(".partial")
                shutil.rmtree(partial, ignore_errors=True)
                super().extractall(partial)
                partial.rename(unpacked)
        shutil.copytree(unpacked, path, copy_function=os.link, dirs_exist_ok=True)
        # the archive itself is no longer needed
        Path(source).unlink(missing_ok=True)


class LimitedWorkers:
    """Limit the workers per function; an invocation waits for a free one.

    Workers are counted in the emulator's own pool: after a failed invocation it drops the worker and releases nothing.

    Args:
        limit: Workers per function.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._acquire, self._release = lambda_runtime.acquire_worker, lambda_runtime.release_worker
        self._lock = threading.Lock()
        self._freed: dict[str, threading.Condition] = {}

    def acquire(self, func_name: str, config: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        """As the emulator's own, after waiting for a free worker."""
        # no longer than the function's time limit: one worker too many is better than waiting forever
        deadline = time.monotonic() + float(config.get("Timeout", 3))
        freed = self._condition(func_name)
        with freed:
            while _in_use(func_name) >= self._limit and (left := deadline - time.monotonic()) > 0:
                freed.wait(min(left, _DROPPED_SECONDS))
            return self._acquire(func_name, config, *arguments, **named)

    def release(self, worker: Any) -> None:
        """As the emulator's own; lets the next invocation go on."""
        self._release(worker)
        if worker is not None:
            freed = self._condition(worker.func_name)
            with freed:
                freed.notify()

    def _condition(self, func_name: str) -> threading.Condition:
        with self._lock:
            return self._freed.setdefault(func_name, threading.Condition())


def _in_use(func_name: str) -> int:
    """Workers of the function that run an invocation."""
    with lambda_runtime._lock:  # noqa: SLF001
        pools = list(lambda_runtime._workers.values())  # noqa: SLF001
        return sum(worker.in_use for pool in pools for worker in pool if worker.func_name == func_name)


def limit_workers(limit: int) -> None:
    """Limit the workers of each function."""
    workers = LimitedWorkers(limit)
    for module in (lambda_runtime, lambda_svc):
        module.acquire_worker, module.release_worker = workers.acquire, workers.release


class _Zipfile:
    """Replaces the module `zipfile` in the emulator's worker pool."""

    ZipFile = UnpackedOnce
    BadZipFile, LargeFileError = zipfile.BadZipFile, zipfile.LargeZipFile


def main() -> None:
    """Patch the emulator and run it."""
    recover_state()
    app.save_all = save_whole_state
    lambda_runtime.zipfile = _Zipfile
    if limit := int(os.environ.get("WORKERS_PER_FUNCTION", "0")):
        limit_workers(limit)
    threading.Thread(target=keep_trimming, daemon=True, name="trim-logs").start()
    if len(sys.argv) > 1:
        sys.argv.pop(0)
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        app.main()


if __name__ == "__main__":
    main()
