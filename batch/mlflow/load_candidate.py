"""Load a model file and predict with it, in a process of its own: `python -m batch.mlflow.load_candidate`.

Reads one JSON object from standard input, `{"path": …, "rows": [[…]], "limit_bytes": …}` (null for a
missing value), and prints `{"probabilities": [[…]]}` or `{"refused": "…"}`. Whatever LightGBM does to this process, its
caller survives.
"""

import json
import math
import resource
import sys
from pathlib import Path

from chalicelib.errors import InvalidModel
from chalicelib.models.native import NativeModel


def main() -> int:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (request["limit_bytes"], request["limit_bytes"]))
    rows = [[math.nan if value is None else float(value) for value in row] for row in request["rows"]]
    try:
        model = NativeModel(Path(request["path"]))
        probabilities = model.predict_rows(rows)
        # live predictions and their explanations run different native code
        for row in rows[:3]:
            model.predict_row(row)
            model.contributions(row)
    except InvalidModel as error:
        json.dump({"refused": error.message}, sys.stdout)
        return 0
    json.dump({"probabilities": probabilities}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
