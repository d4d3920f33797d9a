"""A new sandbox: import the function's package, answer one prediction with the model fetched from S3, end.

Run by `make bench` in the emulator's interpreter: `cold_predict.py PACKAGE EVENT`.
"""

import json
import sys
from pathlib import Path

package, event = sys.argv[1:]
sys.path.insert(0, package)
sys.path.insert(1, f"{package}/vendor")

import app  # noqa: E402 - the package is known only now


class Context:
    """What the handler asks of Lambda's context."""

    aws_request_id = "cold"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Plenty."""
        return 20_000


answer = app.predict(json.loads(Path(event).read_text(encoding="utf-8")), Context())
sys.exit(0 if answer["statusCode"] == 200 else answer["body"])
