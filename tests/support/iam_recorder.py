"""The emulator with a record of what its policy engine decides: `python -P tests/support/iam_recorder.py`.

Runs in the emulator's own interpreter and environment, started by `infra.local.emulator` where rights are enforced.
It imports nothing of this project, and takes the name of its file out of the environment again, so that functions do
not see it.

One JSON line per distinct decision: `principal` (ARN of the assumed role), `action`, `resource`, `allowed`. Calls of
the emulator's root user are decided without policies and are not written. `infra.reference.rights` reads the file.
"""

import json
import os
from contextvars import ContextVar
from typing import Any

from ministack import app  # type: ignore[import-not-found]  # only in the emulator's environment
from ministack.core import iam_evaluator  # type: ignore[import-not-found]

FILE_VARIABLE = "IAM_RECORD"


def record(path: str) -> None:
    """Write what the policy engine decides from now on."""
    evaluate, enforce = iam_evaluator.evaluate, iam_evaluator.enforce
    stream = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115, PTH123 - open as long as the emulator runs
    seen: set[tuple[str, str, str, bool]] = set()
    asked: ContextVar[Any] = ContextVar("asked", default=None)

    def noting_evaluate(context: Any, *layers: Any) -> Any:
        # The first evaluation of a request is of the caller's own policies; others are of resource policies.
        if asked.get() is None:
            asked.set(context)
        return evaluate(context, *layers)

    def recording_enforce(*arguments: Any, **named: Any) -> Any:
        before = asked.set(None)
        try:
            denied = enforce(*arguments, **named)
            context = asked.get()
        finally:
            asked.reset(before)
        if context is not None:
            decision = (context.principal_arn, context.action, context.resource_arn, denied is None)
            if decision not in seen:
                seen.add(decision)
                names = ("principal", "action", "resource", "allowed")
                stream.write(json.dumps(dict(zip(names, decision, strict=True))) + "\n")
        return denied

    iam_evaluator.evaluate, iam_evaluator.enforce = noting_evaluate, recording_enforce


if __name__ == "__main__":
    record(os.environ.pop(FILE_VARIABLE))
    app.main()
