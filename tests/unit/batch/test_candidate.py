"""What may be served: a damaged model is refused before any serving process sees it."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

from batch.features import RESULT_FEATURES
from batch.mlflow import candidate
from batch.mlflow.candidate import GoldenRows, validate
from batch.mlflow.model_text import check_model_text
from batch.training.elo_curve import EloCurve
from batch.training.fitting import curve_booster
from chalicelib.errors import InvalidModel
from tests.support.builders import FEATURES, model_text

NAMES = [str(feature["name"]) for feature in FEATURES]
TEXT = model_text()


def golden(text: str = TEXT, shift: float = 0.0) -> GoldenRows:
    """Two rows, one with a missing value, and what a model makes of them."""
    rows = np.array([[10.0, 5.0, 0.0], [-200.0, np.nan, 1.0]])
    return GoldenRows.of(NAMES, rows, np.asarray(lgb.Booster(model_str=text).predict(rows)) + shift)


def with_sizes(text: str) -> str:
    """The same with the sizes of the trees that it has: an attacker's work, not an accident's."""
    if "\nTree=0\n" not in text:
        return text
    first, end = text.index("\nTree=0\n") + 1, text.index("end of trees")
    blocks = re.split(r"(?m)^(?=Tree=\d+$)", text[first:end])[1:]
    sizes = " ".join(str(len(block)) for block in blocks)
    return re.sub(r"(?m)^tree_sizes=.*$", f"tree_sizes={sizes}", text)


def in_first_tree(line: str, values: str) -> str:
    """The model with another line in its first tree."""
    start = TEXT.index("\nTree=0\n")
    return with_sizes(TEXT[:start] + re.sub(rf"(?m)^{line}=.*$", f"{line}={values}", TEXT[start:], count=1))


# Each of these ends or stalls a process that hands it to LightGBM.
CYCLE = in_first_tree("left_child", "2 -2 0")
FATAL = {
    "cut off in a tree": TEXT[: TEXT.index("Tree=1\n") + 200],
    "cut off in the head": TEXT[: TEXT.index("tree_sizes=") + 30],
    "a child that does not exist": in_first_tree("left_child", "2 -2 900000"),
    "a leaf that does not exist": in_first_tree("left_child", "2 -2 -900000"),
    "a feature that does not exist": in_first_tree("split_feature", "0 0 9000000"),
    "no trees an iteration": TEXT.replace("num_tree_per_iteration=3", "num_tree_per_iteration=0"),
    "children in a circle": CYCLE,
}


def test_a_model_of_ours_passes() -> None:
    validate(TEXT.encode(), NAMES, golden())


def test_the_models_that_training_makes_pass() -> None:
    text = curve_booster(RESULT_FEATURES, EloCurve()).model_to_string()
    validate(text.encode(), RESULT_FEATURES, None)


@pytest.mark.parametrize("text", FATAL.values(), ids=FATAL)
def test_what_would_end_a_serving_process_is_refused(text: str) -> None:
    with pytest.raises(InvalidModel):
        validate(text.encode(), NAMES, golden())


def test_without_the_examination_such_a_model_does_end_its_process(tmp_path: Path) -> None:
    path = tmp_path / "model.lgb"
    path.write_text(FATAL["no trees an iteration"], encoding="utf-8")
    with pytest.raises(InvalidModel, match="crashes the process that loads it: SIG"):
        candidate._predictions(str(path), [[0.0, 0.0, 0.0]], 10)


def test_a_model_that_never_answers_times_out(tmp_path: Path) -> None:
    path = tmp_path / "model.lgb"
    path.write_text(CYCLE, encoding="utf-8")
    with pytest.raises(InvalidModel, match="more than 1 s"):
        candidate._predictions(str(path), [[-1e3, 0.0, 0.0], [1e3, 0.0, 0.0], [-50.0, 0.0, 0.0]], 1)


def test_a_model_that_differs_from_training_is_refused() -> None:
    with pytest.raises(InvalidModel, match="golden row 0"):
        validate(model_text(1).encode(), NAMES, golden())
    with pytest.raises(InvalidModel, match="golden row 0"):
        validate(TEXT.encode(), NAMES, golden(shift=1e-5))


def test_golden_rows_of_other_columns_are_refused() -> None:
    other_columns = GoldenRows(("a", "b", "c"), golden().rows, golden().probabilities)
    with pytest.raises(InvalidModel, match="not the signature's"):
        validate(TEXT.encode(), NAMES, other_columns)


def test_golden_rows_survive_being_stored() -> None:
    assert GoldenRows.from_json(golden().to_json()) == golden()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"features": ["a"], "rows": [[1, 2]], "probabilities": [[1, 0, 0]]}',
        b'{"features": ["a"], "rows": [[1]], "probabilities": []}',
        b'{"features": [], "rows": [], "probabilities": []}',
    ],
)
def test_damaged_golden_rows_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidModel, match="golden"):
        GoldenRows.from_json(content)


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(InvalidModel, match="signature"):
        check_model_text(TEXT.encode(), ["sex", "diff_elo", "home_rest_days"])


# ── Fuzzing ─────────────────────────────────────────────────────────────────────────────────────────

MUTATIONS = 200


def _flip_bytes(text: str, random_: random.Random) -> str:
    content = bytearray(text.encode())
    for _ in range(random_.choice([1, 1, 4, 30])):
        content[random_.randrange(len(content))] = random_.randrange(256)
    return content.decode("latin-1")


def _cut(text: str, random_: random.Random) -> str:
    return text[: random_.randrange(len(text))]


def _drop_line(text: str, random_: random.Random) -> str:
    lines = text.split("\n")
    del lines[random_.randrange(len(lines))]
    return "\n".join(lines)


def _repeat_part(text: str, random_: random.Random) -> str:
    start = random_.randrange(len(text))
    return text[: start + random_.randrange(2_000)] + text[start:]


def _other_number(text: str, random_: random.Random) -> str:
    """Another number in one line of a tree, the sizes set right: nothing but the tree's own logic can tell."""
    numbers = list(re.finditer(r"(?<=[= ])-?\d+(?= |$)", text[: text.index("end of trees")], re.MULTILINE))
    place = random_.choice(numbers)
    number = random_.choice([0, 1, -1, 2, -4, 3, 255, -129, 2**31 - 1, -(2**31), 10**12, int(place[0]) + 1])
    return with_sizes(text[: place.start()] + str(number) + text[place.end() :])


MUTATORS: list[Callable[[str, random.Random], str]] = [
    _flip_bytes,
    _cut,
    _drop_line,
    _repeat_part,
    *[_other_number] * 4,
]

SERVE = """
import random, sys
from pathlib import Path
from chalicelib.models.native import NativeModel
random_ = random.Random(1)
for path in sorted(Path(sys.argv[1]).glob("*.lgb")):
    model = NativeModel(path)
    rows = [[random_.uniform(-600, 600), random_.uniform(0, 20), random_.choice([0, 1])] for _ in range(500)]
    model.predict_rows(rows + [[float("nan")] * 3, [1e308] * 3, [-1e308] * 3])
    model.contributions(rows[0])
    print(path.name)
"""


@pytest.mark.slow
def test_no_mutation_of_a_model_that_is_let_through_ends_the_serving_process(tmp_path: Path) -> None:
    """200 damaged files; those that pass are served, 500 rows each, and one process survives them all."""
    random_ = random.Random(20_240_401)  # noqa: S311 - the same mutations in every run
    admitted = 0
    for number in range(MUTATIONS):
        damaged = MUTATORS[number % len(MUTATORS)](TEXT, random_).encode("latin-1", "replace")
        try:
            validate(damaged, NAMES, golden(), limit_seconds=10)
        except InvalidModel:
            continue
        admitted += 1
        (tmp_path / f"{number:03}.lgb").write_bytes(damaged)
    served = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert served.returncode == 0, served.stderr
    assert len(served.stdout.splitlines()) == admitted
    # A number in the tail or in a statistic nobody predicts with does no harm; most mutations do.
    assert 0 < admitted < MUTATIONS / 2
