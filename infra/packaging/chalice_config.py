"""`.chalice/config.json`, which chalice reads: `python -m infra.packaging.chalice_config` writes the committed copy."""

import json
import sys
from typing import Any, Final

from chalicelib import NAME
from infra.paths import ROOT
from infra.stack.functions import FUNCTIONS, Package

CONFIG: Final = ROOT / ".chalice" / "config.json"


def chalice_config() -> dict[str, Any]:
    """Each function's policy file, memory and time limit, the same in every stage."""
    return {
        "version": "2.0",
        "app_name": NAME,
        "autogen_policy": False,
        "automatic_layer": False,
        "lambda_functions": {
            function.name: {
                "iam_policy_file": function.policy_file.name,
                "lambda_memory_size": function.memory_mb,
                "lambda_timeout": function.timeout_seconds,
            }
            for function in FUNCTIONS
            if function.package is Package.API
        },
        "stages": {"dev": {}},
    }


def to_text() -> str:
    """The file as it is committed."""
    return json.dumps(chalice_config(), indent=1) + "\n"


def main() -> int:
    """Write the file."""
    CONFIG.write_text(to_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
