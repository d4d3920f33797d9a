"""Train the models.

With a registry (MLFLOW_TRACKING_URI): every recipe is fitted, logged and registered as `soccer_model`. Aliases that do
not exist yet go to the recipes nearest to the market on the test matches, where there are prices.

    python -m batch.train [--matches FILE…] [--odds FILE…] [--validate-from DATE --test-from DATE] [--if-missing]

Without any service, on files alone:

    python -m batch.train --matches FILE… --odds FILE… --recipe market --validate-from DATE --test-from DATE --out DIR

FILE is parquet, CSV or JSON lines: matches in the raw-matches schema, odds as `python -m batch.rebuild --odds` reads
them (docs/odds.md). Without --matches the embedded sample is used, with its odds. The model is fitted on matches before
--validate-from, stopped early on those up to --test-from, and forecasts all from there on. Prices of past matches are
used by the recipe `market` and by every report's comparison with the market.
"""

import argparse
import math
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from tqdm import tqdm

from batch import evaluate
from batch.evaluate import table
from batch.features import FeatureSettings, extra_pairs
from batch.matches import combine, parse_file
from batch.matches.schema import MatchesReport
from batch.mlflow.candidate import GOLDEN_FILE, GoldenRows
from batch.odds.price_files import read_prices
from batch.sample import MATCHES_PATH
from batch.times import parse_date
from batch.training.experiment import Experiment, metrics, report
from batch.training.fitting import CHAMPION, RECIPES, FittedModel, TooFewMatches, TrainingSettings
from batch.training.model_files import sha256, write_model
from batch.training.recipes import load_recipe
from batch.training.weights import read_weights
from chalicelib.domain import Stage
from chalicelib.errors import ServiceError

SAMPLE_VALIDATE_FROM: Final = "2016-07-01"
SAMPLE_TEST_FROM: Final = "2023-07-01"

GOLDEN_ROWS: Final = 64
"""At most this many golden rows are stored with a version."""

SHOWN_REJECTS: Final = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = _arguments(argv)
    try:
        return _train_files(arguments) if arguments.out else _train_registry(arguments)
    except (ServiceError, TooFewMatches, OSError, ValueError) as error:
        print(f"batch.train: {error}", file=sys.stderr)
        return 1


def read_files(paths: Iterable[Path], extra_columns: Sequence[str] = ()) -> tuple[MatchesReport, dict[str, str]]:
    """Matches of the files, later names correcting earlier ones, and each file's SHA-256.

    Args:
        paths: The files.
        extra_columns: Numeric columns to carry through.

    Raises:
        InvalidMatches: a file cannot be read, or lacks a column.
        OSError: a file does not exist.
    """
    parsed, checksums = [], {}
    for path in tqdm(list(paths), desc="reading", unit="file", disable=None):
        content = path.read_bytes()
        parsed.append(parse_file(str(path), content, extra_columns))
        checksums[str(path)] = sha256(content)
    return combine(parsed), checksums


def _train_files(arguments: argparse.Namespace) -> int:
    """Fit one recipe on files and write a folder."""
    from batch.training.plots import write_plots  # noqa: PLC0415 - matplotlib takes a second to load

    data, experiment, inputs = _prepare(arguments)
    recipe = load_recipe(arguments.recipe, arguments.set)
    model, result = _fit_and_report(experiment, recipe, inputs, arguments.weights)
    # without a server the run id derives from the content: the same model from the same files has the same id
    run_id = sha256((model.text + repr(sorted(inputs["files"].values()))).encode())[:32]
    forecasts = experiment.forecasts(model)
    if arguments.against:
        result["against_forecasts"] = _against(experiment, forecasts, arguments.against)
    write_model(arguments.out, model, result, experiment, run_id)
    forecasts.to_parquet(arguments.out / "forecasts.parquet", index=False, compression="zstd")
    write_plots(arguments.out / "plots", result)
    print(f"{len(forecasts)} forecasts, model, report and plots in {arguments.out} ({len(data.accepted)} matches read)")
    return 0


def _against(experiment: Experiment, forecasts: pd.DataFrame, other_path: Path) -> dict[str, Any]:
    """Print and return paired differences from another run's forecasts of the same test matches."""
    other_forecasts = pd.read_parquet(other_path)
    names = ["match_id", "proba_home", "proba_draw", "proba_away"]
    missing = [name for name in names if name not in other_forecasts.columns]
    if missing:
        raise ValueError(f"{other_path}: column {', '.join(missing)} missing")
    match_id = experiment.table.features["match_id"]
    aligned = [
        frame.set_index("match_id")[names[1:]].reindex(match_id).to_numpy() for frame in (forecasts, other_forecasts)
    ]
    shared = experiment.test & np.isfinite(aligned[1]).all(axis=1)
    result: dict[str, Any] = {"file": str(other_path)}
    for label, where in (("test", shared), ("test_settled", shared & experiment.settled())):
        if not where.any():
            continue
        compared = evaluate.compare(
            aligned[0][where], aligned[1][where], experiment.outcome[where], experiment.market[where]
        )
        result[label] = {"matches": int(where.sum()), **compared}
        for measure, interval in compared.items():
            print(f"{label} ({int(where.sum())}), {measure} minus that of {other_path}: {evaluate.span(interval)}")
    return result


def _train_registry(arguments: argparse.Namespace) -> int:
    """Fit and register every recipe, and set missing aliases."""
    # these load MLflow and matplotlib, which training on files does not need
    from batch.training.plots import write_plots  # noqa: PLC0415
    from batch.training.registry import Registry, signature  # noqa: PLC0415

    registry = Registry()
    current = {stage: registry.version_of(stage) for stage in Stage}
    if arguments.if_missing and all(current.values()):
        print("nothing to do: " + ", ".join(f"{stage} is version {version}" for stage, version in current.items()))
        return 0
    _, experiment, inputs = _prepare(arguments)
    versions: dict[str, str] = {}
    results: dict[str, dict[str, Any]] = {}
    for recipe in RECIPES.values():
        model, result = _fit_and_report(experiment, recipe, inputs, arguments.weights)
        with tempfile.TemporaryDirectory() as folder:
            files = write_plots(Path(folder), result)
            reference = Path(folder) / "reference.parquet"
            experiment.reference(model.feature_names).to_parquet(reference, index=False, compression="zstd")
            golden = Path(folder) / GOLDEN_FILE
            golden.write_bytes(_golden_rows(experiment, model).to_json())
            run_id, version = registry.log(
                run_name=recipe.name,
                model_text=model.text,
                signature=signature(model.feature_names, experiment.table.schema),
                params=model.params,
                metrics=metrics(result["scores"]),
                tags={
                    "recipe": recipe.name,
                    "model_sha256": sha256(model.text.encode()),
                    "matches": str(inputs["matches"]["accepted"]),
                    "inputs_sha256": sha256(repr(sorted(inputs["files"].values())).encode()),
                    "validate_from": arguments.validate_from,
                    "test_from": arguments.test_from,
                },
                report=result,
                files=[*files, reference, golden],
            )
        versions[recipe.name], results[recipe.name] = version, result
        print(f"registered version {version} ({recipe.name}, run {run_id})")
    recipe_names = [registry.describe(version)["tags"].get("recipe") for version in current.values() if version]
    free = [name for name in ranking(results) if name not in recipe_names]
    for stage in Stage:
        if current[stage] is None and free:
            recipe_name = free.pop(0)
            registry.set_alias(stage, versions[recipe_name])
            print(f"alias {stage} -> version {versions[recipe_name]} ({recipe_name})")
        elif current[stage] is not None:
            best = versions[ranking(results)[0]]
            print(f"alias {stage} stays at version {current[stage]}: make promote VERSION={best} STAGE={stage}")
    return 0


def ranking(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Recipes by distance of their forecasts from the market, nearest first; in their own order without prices.

    Judged on the settled test matches with prices by `kl_to_market`, as in promotion.
    """

    def divergence(name: str) -> float:
        scores = results[name]["scores"]
        for matches in ("test_settled_with_odds", "test_settled"):
            value = scores.get(matches, {}).get("model", {}).get("kl_to_market")
            if value is not None:
                return float(value)
        return math.inf

    return sorted(results, key=divergence)


def _golden_rows(experiment: Experiment, model: FittedModel) -> GoldenRows:
    """Rows from all training matches with the model's output, which serving must reproduce."""
    reference = experiment.reference(model.feature_names)
    rows = reference.iloc[:: -(-len(reference) // GOLDEN_ROWS)][list(model.feature_names)].to_numpy(np.float64)
    return GoldenRows.of(model.feature_names, rows, model.predict(rows))


def _prepare(arguments: argparse.Namespace) -> tuple[MatchesReport, Experiment, dict[str, Any]]:
    data, checksums = read_files(arguments.matches, arguments.extra_columns)
    summary = data.summary()
    print(f"{summary['accepted']} of {summary['rows']} rows accepted from {summary['files']} files")
    if summary["rejected"]:
        print("  refused: " + ", ".join(f"{n} {reason}" for reason, n in summary["rejected_by_reason"].items()))
    for row in data.rejected[:SHOWN_REJECTS]:
        print(f"  rejected {row.file} row {row.row}: {row.reason}")
    prices, price_summary = prices_of(arguments, data.accepted)
    experiment = Experiment.of(
        data.accepted,
        parse_date(arguments.validate_from),
        parse_date(arguments.test_from),
        prices,
        FeatureSettings(extra_columns=arguments.extra_columns),
    )
    checksums |= {str(path): sha256(path.read_bytes()) for path in arguments.odds or ()}
    inputs = {
        "files": checksums,
        "prices": price_summary,
        "matches": summary,
        "rejected": [{"file": r.file, "row": r.row, "match_id": r.match_id, "reason": r.reason} for r in data.rejected],
        "validate_from": arguments.validate_from,
        "test_from": arguments.test_from,
        "extra_columns": ",".join(arguments.extra_columns),
    }
    return data, experiment, inputs


def _fit_and_report(
    experiment: Experiment, recipe: TrainingSettings, inputs: dict[str, Any], weights: Path | None
) -> tuple[FittedModel, dict[str, Any]]:
    extra = tuple(feature.name for feature in experiment.table.schema if feature.source == "extra")
    with tqdm(desc=f"fitting {recipe.name}", unit="round", disable=None) as bar:
        wider = replace(recipe, features=(*recipe.features, *extra))
        fitted = experiment.fit(wider, bar.update, read_weights(weights) if weights else None)
    # with the dates: readers must know whether the model was trained on a match
    noted = {name: inputs[name] for name in ("validate_from", "test_from", "extra_columns")}
    model = replace(fitted, params=fitted.params | noted)
    result = {"recipe": recipe.name, "inputs": inputs} | report(experiment, model)
    rows = result["rows"]
    print(
        f"\n{recipe.name}: {rows['train']} matches to train on, {rows['validation']} to stop on, "
        f"{rows['test']} to test on; {model.params['rounds']} rounds, temperature {model.params['temperature']}"
    )
    for name in ("test", "test_settled"):
        if rows[name]:
            note = " once both sides have played 5 in the season" if name == "test_settled" else ""
            print(f"test matches{note} ({rows[name]}):\n{table(result['scores'][name])}")
    return model, result


def prices_of(arguments: argparse.Namespace, matches: pd.DataFrame) -> tuple[pd.DataFrame | None, dict[str, Any]]:
    """Prices of past matches from the given files, else the sample's, and their summary for the report."""
    if arguments.odds:
        last = matches["kickoff"].max()
        as_of = pd.Timestamp.now(tz="UTC") if pd.isna(last) else last + pd.Timedelta(days=2)
        prices_read = read_prices(arguments.odds, matches, as_of.to_pydatetime())
        summary = prices_read.summary
        print(f"prices of {summary['prices']} matches from {summary['files']} files of odds")
        for note in summary.get("notes", ()):
            print(f"  {note}")
        return prices_read.prices, summary
    if arguments.matches == [MATCHES_PATH]:
        from batch.sample.prices import sample_prices  # noqa: PLC0415  reads a file that only the sample has

        prices = sample_prices()
        return prices, {"prices": len(prices)}
    return None, {"prices": 0}


def column_names(text: str) -> tuple[str, ...]:
    """Parse comma-separated names of extra columns.

    Raises:
        ValueError: a column has no partner.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    extra_pairs(names)
    return names


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m batch.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--matches", nargs="+", type=Path, metavar="FILE", help="raw matches; default: the sample")
    parser.add_argument("--validate-from", metavar="DATE", help="first kickoff that is not trained on (UTC)")
    parser.add_argument("--test-from", metavar="DATE", help="first kickoff that is forecast and tested on (UTC)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write model, report and forecasts here; no MLflow")
    parser.add_argument(
        "--recipe", default=CHAMPION.name, help="with --out: champion, challenger, market or a TOML file"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe: num_leaves=8")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="sample weights: match_id, weight (CSV, parquet)")
    parser.add_argument("--odds", nargs="+", type=Path, metavar="FILE", help="prices of past matches (docs/odds.md)")
    parser.add_argument(
        "--extra-columns",
        type=column_names,
        default=(),
        metavar="NAMES",
        help="numeric columns of the matches to make features from, as in xg_home,xg_away (docs/features.md)",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="forecasts.parquet of another run: prints paired differences, with --out",
    )
    parser.add_argument("--if-missing", action="store_true", help="train only the stages that have no version yet")
    arguments = parser.parse_args(argv)
    if arguments.matches is None:
        arguments.matches = [MATCHES_PATH]
        arguments.validate_from = arguments.validate_from or SAMPLE_VALIDATE_FROM
        arguments.test_from = arguments.test_from or SAMPLE_TEST_FROM
    if arguments.set and not arguments.out:
        parser.error("--set needs --out: with a registry every recipe is trained as it is")
    if not (arguments.validate_from and arguments.test_from):
        parser.error("--matches needs --validate-from and --test-from")
    for name in ("validate_from", "test_from"):
        try:
            parse_date(getattr(arguments, name))
        except ValueError as error:
            parser.error(f"--{name.replace('_', '-')}: {error}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
