"""Facts about the sandbox this code runs in."""

import os
from pathlib import Path
from typing import Final

_STATUS: Final = Path("/proc/self/statm")


def worker_id() -> str:
    """Name of this sandbox."""
    return os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME") or f"pid-{os.getpid()}"


def memory_usage_mb() -> float:
    """Resident memory of this process, in MB.

    Not `ru_maxrss`: a process inherits that peak from its parent.
    """
    resident_pages = int(_STATUS.read_text("ascii").split()[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576
