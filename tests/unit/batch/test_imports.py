"""What the batch function imports must fit into the batch function."""

import subprocess
import sys

TRAINING_ONLY = {"lightgbm", "mlflow", "scipy", "sklearn", "matplotlib", "tqdm"}


def test_the_modules_a_rebuild_needs_import_nothing_that_only_training_has() -> None:
    program = (
        "import sys; import batch.matches, batch.ratings, batch.features, batch.score;"
        f"print(sorted({TRAINING_ONLY!r} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
