"""The emulator with a record of what its policy engine decides: `python -P tests/support/iam_recorder.py`.

Runs in the emulator's own interpreter and environment, handed to `infra.local.emulator` by the tests that enforce
rights. It imports nothing of this project and writes `iam.jsonl` into its working directory, the emulator's folder.

One JSON line per distinct decision: `principal` (ARN of the assumed role), `action`, `resource`, `allowed`. Calls of
the emulator's root user are decided without policies and are not written. `tests.support.rights` reads the file.
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # only in the emulator's environment
from ministack.core import iam_evaluator  # type: ignore[import-not-found]


def record(path: str) -> None:
    """Write what the policy engine decides from now on."""
    evaluate, enforce = iam_evaluator.evaluate, iam_evaluator.enforce
    stream = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115, PTH123 - open as long as the emulator runs
    recorded: set[tuple[str, str, str, bool]] = set()
    request: ContextVar[Any] = ContextVar("asked", default=None)

    def noting_evaluate(context: Any, *layers: Any) -> Any:
        # The first evaluation of a request is of the caller's own policies; others are of resource policies.
        if request.get() is None:
            request.set(context)
        return evaluate(context, *layers)

    def recording_enforce(*arguments: Any, **named: Any) -> Any:
        before = request.set(None)
        try:
            denied = enforce(*arguments, **named)
            context = request.get()
        finally:
            request.reset(before)
        if context is not None:
            decision = (context.principal_arn, context.action, context.resource_arn, denied is None)
            if decision not in recorded:
                recorded.add(decision)
                names = ("principal", "action", "resource", "allowed")
                stream.write(json.dumps(dict(zip(names, decision, strict=True))) + "\n")
        return denied

    iam_evaluator.evaluate, iam_evaluator.enforce = noting_evaluate, recording_enforce


if __name__ == "__main__":
    record("iam.jsonl")
    app.main()
