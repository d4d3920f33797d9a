"""Rebuild: raw matches and models in, the data sets of a release out.

`rebuild` is pure; `batch.handlers` runs it on the bucket, and on files it runs without a stack:

    python -m batch.rebuild --matches FILE… --as-of TIME --model DIR --out DIR [--odds FILE]
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from batch import refresh as odds_refresh
from batch.features import LONG, FeatureSettings, FeatureTable, build_features
from batch.matches import read_matches
from batch.matches.schema import MatchesReport
from batch.odds import past_prices
from batch.odds.clubs import ConfirmedClubs
from batch.odds.providers.snapshot import SnapshotProvider
from batch.projections import projections, projections_json
from batch.release import iso, parquet_bytes
from batch.score import PREDICTIONS_SCHEMA, ModelIdentity, RowModel, score
from batch.times import parse_date
from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel, ReleaseRefused, ServiceError
from chalicelib.models.mirror import FeatureSpec, ModelInfo
from chalicelib.models.native import NativeModel
from chalicelib.releases.pointer import (
    MATCH_FEATURES,
    ODDS,
    PAST_PRICES,
    PREDICTIONS,
    PREDICTIONS_CHALLENGER,
    PRICE_HISTORY,
    PROJECTIONS,
    REGION_ROI,
    TRACK_RECORD,
)
from chalicelib.timestamps import parse_utc

DATASET_OF: Final[Mapping[Stage, str]] = {
    Stage.CHAMPION: PREDICTIONS,
    Stage.CHALLENGER: PREDICTIONS_CHALLENGER,
}

SMALLEST_SHARE: Final = 0.5
"""A rebuild with a smaller share of the previous release's matches is rejected."""

REPORT_FILE: Final = "run.json"
RELEASE_FILES: Final = (
    *(
        f"{name}.parquet"
        for name in (MATCH_FEATURES, PREDICTIONS, PREDICTIONS_CHALLENGER, ODDS, PAST_PRICES, PRICE_HISTORY)
    ),
    f"{REGION_ROI}.csv",
    f"{TRACK_RECORD}.json",
    f"{PROJECTIONS}.json",
)
"""What a release folder may hold beside the report."""


@dataclass(frozen=True)
class LoadedModel:
    """A model and its description."""

    info: ModelInfo
    rows: RowModel


@dataclass(frozen=True)
class Dataset:
    """One file of a release, before it is written."""

    name: str
    file_name: str
    content: bytes
    rows: int
    model: ModelInfo | None = None


@dataclass(frozen=True)
class Rebuilt:
    """The result of a rebuild.

    Attributes:
        datasets: The files.
        features: Rows of match_features.parquet.
        predictions: Rows of predictions, by stage.
        report: Counts and rejected rows, plain JSON values.
    """

    datasets: list[Dataset]
    features: pd.DataFrame
    predictions: dict[Stage, pd.DataFrame]
    report: dict[str, Any]


@dataclass(frozen=True)
class Scored:
    """Features and predictions of matches.

    Attributes:
        table: The features.
        predictions: Rows of predictions, by stage.
        projections: Rows of projections.json, made from the champion's predictions.
    """

    table: FeatureTable
    predictions: dict[Stage, pd.DataFrame]
    projections: list[dict[str, Any]]


def score_matches(
    matches: pd.DataFrame, models: Sequence[LoadedModel], as_of: datetime, prices: pd.DataFrame | None
) -> Scored:
    """Features of these matches, and predictions of every model; see `rebuild`.

    What comes of a match depends on no match of another group of leagues (`batch.bulk.groups`).
    """
    table = build_features(matches, as_of, FeatureSettings(extra_columns=extra_columns(models)), prices)
    predictions = {model.info.stage: score(table, model.rows, identity_of(model.info)) for model in models}
    champion = predictions.get(Stage.CHAMPION)
    return Scored(table, predictions, [] if champion is None else projections(champion))


def rebuild(
    matches: MatchesReport, models: Sequence[LoadedModel], as_of: datetime, prices: pd.DataFrame | None = None
) -> Rebuilt:
    """Compute the features of every match and the predictions of every model.

    The same matches, prices, models and as_of give the same bytes.

    Args:
        matches: The raw matches, validated.
        models: Whose predictions to make.
        as_of: The time up to which data is known.
        prices: Prices of past matches (`batch.odds.past_prices`); None without any.

    Raises:
        InvalidModel: a model needs features that the batch does not compute.
    """
    scored = score_matches(matches.accepted, models, as_of, prices)
    features = scored.table.features
    content = parquet_bytes(features, features_schema(scored.table))
    datasets = [Dataset(MATCH_FEATURES, f"{MATCH_FEATURES}.parquet", content, len(features))]
    for model in models:
        info = model.info
        frame = scored.predictions[info.stage]
        name = DATASET_OF[info.stage]
        content = parquet_bytes(frame, PREDICTIONS_SCHEMA)
        datasets.append(Dataset(name, f"{name}.parquet", content, len(frame), info))
        if info.stage is Stage.CHAMPION:
            content = projections_json(scored.projections)
            datasets.append(Dataset(PROJECTIONS, f"{PROJECTIONS}.json", content, len(scored.projections), info))
    report = run_report(matches, [model.info for model in models], as_of, prices)
    report["rows"] = {dataset.name: dataset.rows for dataset in datasets}
    return Rebuilt(datasets, features, scored.predictions, report)


def run_report(
    matches: MatchesReport, models: Iterable[ModelInfo], as_of: datetime, prices: pd.DataFrame | None
) -> dict[str, Any]:
    """What a run report says of a rebuild's inputs, as plain JSON values."""
    return {
        "as_of": iso(as_of),
        "inputs": [dict(file) for file in matches.inputs],
        "matches": matches.summary(),
        "rejected": [
            {"file": r.file, "row": r.row, "match_id": r.match_id, "reason": str(r.reason)} for r in matches.rejected
        ],
        "models": {
            str(info.stage): {"registered_version": info.registered_version, "model_run_id": info.model_run_id}
            for info in models
        },
        "prices": 0 if prices is None else len(prices),
    }


def extra_columns(models: Iterable[LoadedModel]) -> tuple[str, ...]:
    """Further columns of the matches that these models' features need."""
    column_lists = (str(model.info.params.get("extra_columns") or "") for model in models)
    return tuple(sorted({column for text in column_lists for column in text.split(",") if column}))


def identity_of(info: ModelInfo) -> ModelIdentity:
    """The model's identity, as in its predictions."""
    test_from = info.params.get("test_from")
    return ModelIdentity(
        info.model_run_id,
        str(info.stage),
        info.registered_version,
        first_unseen=parse_date(str(test_from)).to_pydatetime() if test_from else None,
    )


def features_schema(table: FeatureTable) -> pa.Schema:
    """Columns of match_features.parquet."""
    columns = [(feature.name, pa.int64() if feature.type == LONG else pa.float64()) for feature in table.schema]
    return pa.schema([("match_id", pa.int64()), *columns])


def model_from_directory(directory: Path) -> LoadedModel:
    """Read a model written by `python -m batch.train --out DIR`.

    Raises:
        InvalidModel: the directory has no valid model.
    """
    try:
        raw = json.loads((directory / "model.json").read_text("utf-8"))
        info = ModelInfo(
            stage=Stage(raw.get("stage") or Stage.CHAMPION),
            registered_version=str(raw.get("registered_version") or "0"),
            model_run_id=str(raw.get("model_run_id") or "local"),
            metrics=raw.get("metrics") or {},
            params=raw.get("params") or {},
            features=tuple(FeatureSpec(f["name"], f["type"], f["required"]) for f in raw["features"]),
            model_key="",
            model_sha256="",
            synced_at="",
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidModel(f"{directory} holds no model: {error}") from error
    return LoadedModel(info, NativeModel(directory / "model.lgb"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a release folder from files; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m batch.rebuild", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--matches", nargs="+", type=Path, required=True, help="parquet, CSV or JSON lines")
    parser.add_argument("--odds", nargs="+", type=Path, help="stored odds: parquet, CSV or JSON lines (docs/odds.md)")
    parser.add_argument("--as-of", type=_time, required=True, help="ISO time up to which results are known")
    parser.add_argument("--model", type=Path, required=True, help="folder written by python -m batch.train --out")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the release to")
    parser.add_argument("--force", action="store_true", help="also a release that is empty or lost most of its rows")
    options = parser.parse_args(arguments)
    try:
        report = _write_release(options)
    except (ServiceError, OSError, ValueError) as error:
        print(f"batch.rebuild: {error}", file=sys.stderr)
        return 1
    odds = {name: report["odds"][name] for name in odds_refresh.COUNTS} if "odds" in report else None
    print(json.dumps({"rows": report["rows"], **report["matches"], **({"odds": odds} if odds else {})}))
    if odds and (unusable := odds["unpriced"] + odds["no_market"]):
        print(
            f"batch.rebuild: {unusable} of {odds['matched']} matched odds cannot be used: {odds['unpriced']} without "
            f"three decimal prices above 1, {odds['no_market']} whose prices are not a market (their inverses must add "
            "up to between 1 and 1.25). American, fractional and probability forms are not read.",
            file=sys.stderr,
        )
    return 0


def _write_release(options: argparse.Namespace) -> dict[str, Any]:
    from tqdm import tqdm  # noqa: PLC0415 - not in the function's package

    with tqdm(total=4, unit="step", file=sys.stderr, disable=not sys.stderr.isatty()) as steps:
        steps.set_description("reading matches")
        models = [model_from_directory(options.model)]
        contents = {str(path): path.read_bytes() for path in options.matches}
        matches = read_matches(contents, options.as_of, extra_columns(models))
        steps.update()
        steps.set_description("odds")
        refreshed = _refreshed(options.odds, options.as_of, matches) if options.odds else None
        steps.update()
        steps.set_description("features and predictions")
        prices = _past_prices(refreshed, matches, options.as_of) if refreshed else None
        rebuilt = rebuild(matches, models, options.as_of, prices)
        check_size(rebuilt.report["rows"][MATCH_FEATURES], _rows_before(options.out), forced=options.force)
        files = {dataset.file_name: dataset.content for dataset in rebuilt.datasets}
        if refreshed and prices is not None:
            files |= _odds_files(refreshed, prices, rebuilt)
        steps.update()
        steps.set_description("writing")
        sums = {name: {"sha256": hashlib.sha256(content).hexdigest()} for name, content in sorted(files.items())}
        report = {**rebuilt.report, "outputs": sums}
        _write_folder(options.out, files, json.dumps(report, indent=1, sort_keys=True).encode())
        steps.update()
    return report


def check_size(rows: int, rows_before: int | None, *, forced: bool) -> None:
    """Reject a release that lost its matches, which usually means bad files.

    Args:
        rows: Matches of the new release.
        rows_before: Matches of the release it replaces; None without one.
        forced: Publish it anyway.

    Raises:
        ReleaseRefused: it has no match, or less than half of the previous ones.
    """
    if forced:
        return
    if rows == 0:
        raise ReleaseRefused("no match was accepted: the release would be empty (force publishes it)")
    if rows_before is not None and rows < SMALLEST_SHARE * rows_before:
        raise ReleaseRefused(f"{rows} matches, but the previous release has {rows_before} (force publishes them)")


def _rows_before(out: Path) -> int | None:
    """Matches of the release in a folder; None without a readable one."""
    try:
        return int(json.loads((out / REPORT_FILE).read_text("utf-8"))["rows"][MATCH_FEATURES])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_folder(out: Path, files: Mapping[str, bytes], report: bytes) -> None:
    """Write each file atomically, and run.json, which has the others' checksums, last.

    Files of an earlier run are removed first, so the folder never holds files of two runs.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in (REPORT_FILE, *RELEASE_FILES):
        (out / name).unlink(missing_ok=True)
    for name, content in {**files, REPORT_FILE: report}.items():
        partial = out / f"{name}.partial"
        partial.write_bytes(content)
        partial.replace(out / name)


def _refreshed(files: Sequence[Path], as_of: datetime, matches: MatchesReport) -> odds_refresh.Refreshed:
    """The odds known at as_of, matched to the matches."""
    provider = SnapshotProvider(keys=lambda: [str(path) for path in files], read=lambda key: Path(key).read_bytes())
    snapshot = odds_refresh.fetch(provider, as_of)
    return odds_refresh.refresh(matches.accepted, snapshot, None, ConfirmedClubs())


def _past_prices(refreshed: odds_refresh.Refreshed, matches: MatchesReport, as_of: datetime) -> pd.DataFrame:
    kickoffs = matches.accepted[["match_id", "kickoff"]].rename(columns={"kickoff": "match_date"})
    return past_prices.of_begun_matches(refreshed.odds, kickoffs, as_of)


def _odds_files(refreshed: odds_refresh.Refreshed, prices: pd.DataFrame, rebuilt: Rebuilt) -> dict[str, bytes]:
    """The odds, how they moved, past prices, the returns on them and the track record."""
    predictions = next(iter(rebuilt.predictions.values()))
    record = odds_refresh.returns(predictions, refreshed.odds)
    rebuilt.report["odds"] = refreshed.report
    rebuilt.report["rows"] |= {
        ODDS: len(refreshed.odds),
        PAST_PRICES: len(prices),
        PRICE_HISTORY: len(refreshed.history),
    }
    return {
        f"{PAST_PRICES}.parquet": parquet_bytes(prices, past_prices.PAST_PRICES_SCHEMA),
        f"{ODDS}.parquet": refreshed.parquet(),
        f"{PRICE_HISTORY}.parquet": refreshed.history_parquet(),
        f"{REGION_ROI}.csv": record.roi_csv,
        f"{TRACK_RECORD}.json": record.track_record_json(),
    }


def _time(text: str) -> datetime:
    try:
        return parse_utc(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not an ISO 8601 time such as 2024-05-01T12:00:00Z: {text}") from None


if __name__ == "__main__":
    raise SystemExit(main())
