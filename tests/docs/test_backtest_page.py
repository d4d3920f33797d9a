"""The backtest page's commands are run as they stand there, and its files are those it shows."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from batch.backtest.__main__ import main
from infra.paths import ROOT

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "backtest.md").read_text("utf-8")


def block(language: str, containing: str) -> str:
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(text for text in blocks if containing in text)


def run(command: str, out: Path) -> str:
    words = [str(out) if word == "backtest" else word for word in shlex.split(command)]
    assert words[0] == "python"
    process = subprocess.run(
        [sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    return process.stdout


def test_the_worked_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    command, _, expected = block("console", "batch.backtest").partition("\n")
    printed = run(command.removeprefix("$ "), tmp_path)
    assert printed.partition("report.json, ")[0].strip() == expected.strip()
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["total"]["log_loss"] <= 0.942
    assert report["recipe"]["name"] == "market"
    assert len(pd.read_parquet(tmp_path / "forecasts.parquet")) == report["total"]["matches"] == 760
    assert len(pd.read_parquet(tmp_path / "bets.parquet")) == report["total"]["bets"]
    for plot in ("reliability", "loss_over_time", "bankroll", "clv_by_edge"):
        assert (tmp_path / f"{plot}.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_shows_the_example_files_as_they_are() -> None:
    assert block("toml", "num_leaves") == (ROOT / "docs/examples/shallow.toml").read_text("utf-8")
    source = (ROOT / "docs/examples/backtest_strategies.py").read_text("utf-8")
    assert block("python", "def favourites") == source[source.index("def elo_alone") :]


def test_the_example_trainer_bettor_and_recipe_run(tmp_path: Path) -> None:
    names = "docs.examples.backtest_strategies"
    season = "python -m batch.backtest --from 2023-07-01 --out backtest"
    run(f"{season} --trainer {names}:elo_alone --bettor {names}:favourites", tmp_path / "own")
    own = json.loads((tmp_path / "own" / "report.json").read_text("utf-8"))
    assert (own["trainer"], own["bettor"], own["recipe"]) == ("elo_alone", "favourites", None)
    assert own["total"]["log_loss"] < own["total"]["base_rates_log_loss"]
    assert own["total"]["turnover"] > 0
    run(f"{season} --recipe docs/examples/shallow.toml --set num_leaves=4", tmp_path / "file")
    shallow = json.loads((tmp_path / "file" / "report.json").read_text("utf-8"))["recipe"]
    assert (shallow["name"], shallow["num_leaves"], shallow["learning_rate"]) == ("shallow", 4, 0.05)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--from", "2030-01-01"], "no finished match from 2030-01-01"),
        (["--from", "2023-07-01", "--recipe", "other"], "no recipe 'other'"),
        (["--from", "2023-07-01", "--set", "num_leafs=8"], "num_leaves?"),
        (["--from", "2023-07-01", "--trainer", "nowhere:trainer"], "is not module:function"),
        (["--from", "01/07/2023"], "not an ISO 8601 date"),
        (["--from", "2023-07-01", "--matches", "none.csv"], "none.csv"),
    ],
)
def test_a_command_that_cannot_be_run_says_why_and_leaves_nothing(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    try:
        status = main([*words, "--out", str(out)])
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status in {1, 2}
    assert reason in capsys.readouterr().err
    assert not out.exists()
