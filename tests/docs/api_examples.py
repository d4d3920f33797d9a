"""The examples of docs/api.md: read, run, answered anew (`python -m tests.docs.api_examples`, from a demo system)."""

import ast
import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from infra.paths import ROOT

PAGE: Final = ROOT / "docs" / "api.md"
_BLOCK: Final = re.compile(r"```(bash|python|json)\n(.*?)```", re.DOTALL)
_MARK: Final = "=== end of block ==="
_READ_DEMO: Final = "set -a; . .local/demo.env; set +a\n"
_SHOWN_OBJECTS: Final = 1
_SHOWN_VALUES: Final = 3
_LONG_MAP: Final = 12


@dataclass(frozen=True, slots=True)
class Example:
    """A call in curl and in Python, and its answer; a call without an answer only prepares the next ones."""

    shell: str
    python: str
    answer: str | None


def examples(page: str) -> list[Example]:
    """The page's examples in order; a `json` block belongs to the `bash` and the `python` block before it."""
    found: list[Example] = []
    shell = python = ""
    # The caller's environment says which system; the page's reader takes the demo's.
    page = page.replace(_READ_DEMO, "")
    for kind, text in _BLOCK.findall(page):
        if kind == "bash":
            shell, python = text, ""
        elif kind == "python" and python:
            # A further Python block without an answer stands alone.
            found.append(Example("", text, None))
        elif kind == "python":
            python = text
            found.append(Example(shell, python, None))
        else:
            last = found.pop()
            found.append(Example(last.shell, last.python, text))
            shell, python = "", "done"
    return found


def run_shell(found: list[Example], environment: Mapping[str, str], folder: Path = ROOT) -> list[Any]:
    """What the curl calls print, in one shell, as parsed JSON (None where nothing is answered)."""
    script = "\n".join(f"{one.shell}\necho\necho '{_MARK}'" for one in found)
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=dict(environment), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    if result.returncode != 0:
        raise AssertionError(result.stdout[-2_000:] + result.stderr[-2_000:])
    printed = result.stdout.split(_MARK)
    return [json.loads(text) if one.answer is not None else None for one, text in zip(found, printed, strict=False)]


def run_python(found: list[Example], environment: Mapping[str, str]) -> list[Any]:
    """What the Python calls print, in one namespace, as values (None where nothing is answered)."""
    answers: list[Any] = []
    namespace: dict[str, Any] = {}
    before, folder = dict(os.environ), Path.cwd()
    os.environ.update(environment)
    os.chdir(ROOT)
    try:
        for one in found:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(one.python, str(PAGE), "exec"), namespace)  # noqa: S102 - the page's own examples
            answers.append(ast.literal_eval(printed.getvalue()) if one.answer is not None else None)
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
    return answers


def shape(value: Any) -> Any:
    """Names and kinds of a value; null fits any kind, and a list is as its first item."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None if value is None else type(value).__name__
    return "number"


def fits(shown: Any, real: Any) -> bool:
    """Whether two shapes agree where neither is null or empty; a long map may be cut."""
    if isinstance(shown, dict) and isinstance(real, dict):
        has_names = shown.keys() <= real.keys() if _is_long_map(real) else shown.keys() == real.keys()
        return has_names and all(fits(shown[name], real[name]) for name in shown)
    if isinstance(shown, list) and isinstance(real, list):
        return not shown or not real or fits(shown[0], real[0])
    return shown is None or real is None or shown == real


def shown(value: Any) -> Any:
    """An answer as the page shows it: of lists and long maps one object, or a few plain values."""
    if isinstance(value, dict):
        count = _shown_count(value.values()) if _is_long_map(shape(value)) else None
        return {name: shown(item) for name, item in islice(value.items(), count)}
    return [shown(item) for item in value[: _shown_count(value)]] if isinstance(value, list) else value


def _shown_count(items: Iterable[Any]) -> int:
    """How many items of a list or long map the page shows."""
    return _SHOWN_OBJECTS if any(isinstance(item, dict) for item in items) else _SHOWN_VALUES


def _is_long_map(value: dict[str, Any]) -> bool:
    """Whether an object's shape is that of a map of many names, such as features, and not of a row with its fields."""
    kinds = {item if isinstance(item, str) else type(item) for item in value.values() if item is not None}
    return len(value) > _LONG_MAP and len(kinds) == 1


def answered(page: str, answers: list[Any]) -> str:
    """The page with these answers in its `json` blocks."""
    left = iter(answers)

    def block(match: re.Match[str]) -> str:
        return f"```json\n{json.dumps(next(left), indent=1, ensure_ascii=False)}\n```"

    return re.sub(r"```json\n.*?```", block, page, flags=re.DOTALL)


def main() -> int:
    """Write the answers of the system that the environment names into the page."""
    page = PAGE.read_text("utf-8")
    found = examples(page)
    answers = run_shell(found, os.environ)
    real = [shown(answer) for one, answer in zip(found, answers, strict=True) if one.answer is not None]
    PAGE.write_text(answered(page, real), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
