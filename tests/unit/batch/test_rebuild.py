"""`python -m batch.rebuild`: a release folder from files alone."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from batch import rebuild, synthetic, train

DATES = ["--validate-from", "2006-07-01", "--test-from", "2007-07-01"]
AS_OF = "2007-11-01T12:00:00Z"


class Analyst:
    """Files of an invented league, a model trained on them, and the commands on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.frame = synthetic.matches(1000, seed=3)
        self.matches = folder / "matches.parquet"
        self.frame.to_parquet(self.matches)
        self.model = folder / "model"
        assert train.main(["--matches", str(self.matches), *DATES, "--out", str(self.model)]) == 0

    def odds(self) -> Path:
        """Odds on every match, seen two days before its kickoff."""
        columns = ["region", "league", "home_team", "away_team", "kickoff"]
        table = self.frame[columns].assign(odds_home=2.4, odds_draw=3.3, odds_away=3.1)
        table["collected_at"] = table["kickoff"] - pd.Timedelta(days=2)
        path = self.folder / "odds.parquet"
        table.to_parquet(path)
        return path

    def rebuild(self, out: str, *options: str, matches: Path | None = None) -> tuple[int, Path]:
        folder = self.folder / out
        arguments = ["--as-of", AS_OF, "--model", str(self.model), "--out", str(folder)]
        return rebuild.main(["--matches", str(matches or self.matches), *arguments, *options]), folder


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Analyst:
    return Analyst(tmp_path_factory.mktemp("analyst"))


def read_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
    return report


def checksums(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.name != "run.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_folder_holds_a_release_and_its_report_names_inputs_and_outputs(analyst: Analyst) -> None:
    status, folder = analyst.rebuild("whole", "--odds", str(analyst.odds()))
    assert status == 0
    report, file_checksums = read_report(folder), checksums(folder)
    assert set(file_checksums) == {
        "match_features.parquet",
        "predictions.parquet",
        "fonbet_odds.parquet",
        "past_prices.parquet",
        "price_history.parquet",
        "roi_by_region.csv",
        "track_record.json",
        "projections.json",
    }
    assert {name: output["sha256"] for name, output in report["outputs"].items()} == file_checksums
    (read,) = report["inputs"]
    assert (read["file"], read["rows"]) == (str(analyst.matches), 1000)
    assert read["sha256"] == hashlib.sha256(analyst.matches.read_bytes()).hexdigest()
    predictions = pq.read_table(folder / "predictions.parquet").to_pandas()
    kickoff = pd.Timestamp(AS_OF)
    assert len(predictions) == 1000
    assert (predictions["is_future"] == (predictions["match_date"] >= kickoff)).all()
    assert predictions.loc[predictions["is_future"], "outcome_1x2"].isna().all()
    odds = pq.read_table(folder / "fonbet_odds.parquet").to_pandas()
    assert (odds["collected_at"] <= kickoff).all()


def test_every_format_and_order_of_columns_gives_the_same_bytes(analyst: Analyst) -> None:
    backwards = analyst.frame[analyst.frame.columns[::-1]].sample(frac=1, random_state=1).assign(note='a,"b"', row=7)
    csv, lines = analyst.folder / "matches.csv", analyst.folder / "matches.jsonl"
    backwards.assign(match_id=backwards["match_id"].astype(str)).to_csv(csv, index=False, encoding="utf-8-sig")
    backwards.to_json(lines, orient="records", lines=True, date_format="iso")
    expected = checksums(analyst.rebuild("parquet")[1])
    assert checksums(analyst.rebuild("csv", matches=csv)[1]) == expected
    assert checksums(analyst.rebuild("jsonl", matches=lines)[1]) == expected


def test_nothing_of_an_earlier_run_stays_beside_a_new_one(analyst: Analyst) -> None:
    analyst.rebuild("again", "--odds", str(analyst.odds()))
    _, folder = analyst.rebuild("again")
    assert set(checksums(folder)) == {"match_features.parquet", "predictions.parquet", "projections.json"}


def test_times_without_a_zone_are_utc(analyst: Analyst) -> None:
    assert rebuild._time("2007-11-01T12:00:00") == rebuild._time("2007-11-01T13:00:00+01:00")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--matches", "nowhere.csv"], "nowhere.csv"),
        (["--model", "nowhere"], "nowhere holds no model"),
        (["--odds", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_is_not_there_is_reported_in_a_line_and_nothing_is_written(
    analyst: Analyst, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    status, folder = analyst.rebuild("refused", *options)
    assert status == 1
    printed = capsys.readouterr().err
    assert printed.startswith("batch.rebuild: ")
    assert message in printed
    assert printed.count("\n") == 1
    assert not folder.exists()


def test_a_file_that_is_not_a_table_of_odds_is_named(analyst: Analyst, capsys: pytest.CaptureFixture[str]) -> None:
    assert analyst.rebuild("refused", "--odds", str(analyst.matches))[0] == 1
    assert "lacks the columns odds_home" in capsys.readouterr().err


def test_a_time_that_is_none_is_refused(analyst: Analyst, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        analyst.rebuild("refused", "--as-of", "soon")
    assert "not an ISO 8601 time" in capsys.readouterr().err


def test_files_without_a_usable_row_give_an_empty_release_when_forced(analyst: Analyst) -> None:
    empty = analyst.folder / "empty.csv"
    empty.write_text(",".join(analyst.frame.columns) + "\n")
    status, folder = analyst.rebuild("empty", "--force", "--odds", str(analyst.odds()), matches=empty)
    assert status == 0
    assert pq.read_table(folder / "predictions.parquet").num_rows == 0
    assert (folder / "roi_by_region.csv").read_text().startswith("region,bets")


def test_a_release_without_a_match_is_refused_unless_forced(
    analyst: Analyst, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.parquet"
    analyst.frame.assign(away_team=analyst.frame["home_team"]).to_parquet(broken)
    status, folder = analyst.rebuild("refused", matches=broken)
    assert (status, folder.exists()) == (1, False)
    assert "no match was accepted" in capsys.readouterr().err
    assert analyst.rebuild("refused", "--force", matches=broken)[0] == 0


def test_a_release_that_lost_more_than_half_of_its_matches_is_refused_unless_forced(
    analyst: Analyst, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, folder = analyst.rebuild("shrinking")
    assert status == 0
    full_release = checksums(folder)
    for share, expected in ((499, 1), (500, 0)):
        part = tmp_path / f"part{share}.parquet"
        analyst.frame.head(share).to_parquet(part)
        status, _ = analyst.rebuild("shrinking", matches=part)
        assert status == expected
        assert (checksums(folder) == full_release) == bool(expected)
    assert "499 matches, but the previous release has 1000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("prices", "unpriced", "no_market"),
    [
        ((float("nan"),) * 3, 1000, 0),
        ((1.0, 3.3, 3.1), 1000, 0),
        ((150, 220, 180), 0, 1000),
        ((-140, 220, 380), 1000, 0),
        (("7/5", "23/10", "21/10"), 1000, 0),
        ((0.42, 0.30, 0.28), 1000, 0),
    ],
    ids=["missing", "one", "American", "American favourite", "fractional", "probabilities"],
)
def test_odds_that_are_not_decimal_prices_are_counted_and_reported(
    analyst: Analyst,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    prices: tuple[Any, ...],
    unpriced: int,
    no_market: int,
) -> None:
    table = pd.read_parquet(analyst.odds())
    table[["odds_home", "odds_draw", "odds_away"]] = pd.DataFrame([prices] * len(table))
    odds = tmp_path / "odds.csv"
    table.to_csv(odds, index=False)
    status, folder = analyst.rebuild(tmp_path.name, "--odds", str(odds))
    assert status == 0
    report = read_report(folder)["odds"]
    n_matched = report["matched"]
    assert (report["unpriced"] > 0, report["no_market"] > 0) == (unpriced > 0, no_market > 0)
    assert report["unpriced"] + report["no_market"] == n_matched
    printed = capsys.readouterr()
    assert json.loads(printed.out.splitlines()[-1])["odds"]["matched"] == n_matched
    assert f"{n_matched} of {n_matched} matched odds cannot be used" in printed.err


def test_odds_may_be_separated_by_semicolons_with_decimal_commas(analyst: Analyst, tmp_path: Path) -> None:
    odds = tmp_path / "odds.csv"
    pd.read_parquet(analyst.odds()).to_csv(odds, index=False, sep=";", decimal=",")
    status, folder = analyst.rebuild("semicolons", "--odds", str(odds))
    assert status == 0
    report = read_report(folder)["odds"]
    assert report["matched"] > 0
    assert (report["unpriced"], report["no_market"]) == (0, 0)
    assert set(pq.read_table(folder / "fonbet_odds.parquet").column("odds_draw").to_pylist()) == {3.3}
