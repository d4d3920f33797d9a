"""Facts about the sandbox this code runs in."""

import os
import resource


def worker_id() -> str:
    """Name of this sandbox."""
    return os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME") or f"pid-{os.getpid()}"


def memory_usage_mb() -> float:
    """Resident memory of this process at its largest, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
