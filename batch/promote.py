"""Move an alias of the registered model to another version, after comparing both.

    python -m batch.promote --version N [--stage champion] [--force] [--matches FILE… --test-from DATE] [--odds FILE…]
                             [--bucket B]

Prints candidate and current on the same test matches, with paired bootstrap intervals of their differences, and rejects
a candidate that is worse beyond doubt (the interval lies wholly above 0) unless forced. Where the matches have prices,
the Kullback-Leibler divergence from the market decides: it separates two models with far fewer matches than log loss,
which decides otherwise. Without --matches the embedded sample's last season is the test. Each model's training
period is shown: a test that a model has seen proves nothing.

With --bucket the model is validated here and written to that stack's data bucket, so the stack needs no access
to the registry: the functions serve it within MODEL_CHECK_SECONDS. Without it `sync_models` fetches it.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import boto3
import lightgbm as lgb
import numpy as np
import pandas as pd

from batch import evaluate
from batch.features import FeatureSettings
from batch.mlflow import mirror
from batch.mlflow.client import ClientRegistry
from batch.sample import MATCHES_PATH
from batch.times import parse_date
from batch.train import SAMPLE_TEST_FROM, prices_of, read_files
from batch.training.experiment import Experiment
from batch.training.registry import Registry
from chalicelib.domain import Stage
from chalicelib.errors import InvalidModel, ServiceError
from chalicelib.storage.objects import ObjectStore, S3ObjectStore

REFUSED: Final = 2
"""Exit status when the candidate is rejected."""

MEASURE_NAMES: Final = {"kl_to_market": "divergence from the market", "log_loss": "log loss"}


class Versions(Protocol):
    """What promotion needs of the registry; `batch.training.registry.Registry` is one."""

    def version_of(self, stage: Stage) -> str | None:
        """The version an alias points to."""

    def describe(self, version: str) -> dict[str, Any]:
        """Run id, tags and parameters of a version; KeyError where there is none."""

    def booster(self, version: str) -> lgb.Booster:
        """The model of a version."""

    def set_alias(self, stage: Stage, version: str) -> None:
        """Point an alias at a version."""


class Push(Protocol):
    """Where a promoted model is written besides the registry."""

    def examine(self, version: str) -> None:
        """Read a version and check that it can be served.

        Raises:
            InvalidModel: it cannot be served.
        """

    def write(self, stage: Stage) -> None:
        """Make the examined version the one that is served."""


class BucketPush:
    """Writes the model mirror of a stack.

    Args:
        registry: Where models come from.
        objects: The stack's data bucket.
        ui_url: The registry's user interface; empty for no link.
    """

    def __init__(self, registry: ClientRegistry, objects: ObjectStore, ui_url: str = "") -> None:
        self._registry, self._objects, self._ui_url = registry, objects, ui_url
        self._candidate: mirror.Candidate | None = None

    def examine(self, version: str) -> None:
        """See `Push.examine`."""
        self._candidate = mirror.candidate_of(self._registry, self._registry.version(version))

    def write(self, stage: Stage) -> None:
        """See `Push.write`."""
        assert self._candidate is not None  # noqa: S101 - examined before
        mirror.publish(self._candidate, self._objects, stage, datetime.now(UTC), self._ui_url)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0 moved, 1 failed, 2 refused."""
    arguments = parse_arguments(argv)
    try:
        registry = Registry()
        return promote(arguments, registry, _push(arguments, registry))
    except (ServiceError, OSError, ValueError) as error:
        print(f"batch.promote: {error}", file=sys.stderr)
        return 1


def _push(arguments: argparse.Namespace, registry: Registry) -> BucketPush | None:
    if arguments.bucket is None:
        return None
    objects = S3ObjectStore(boto3.client("s3"), arguments.bucket)
    return BucketPush(ClientRegistry(registry.client), objects, arguments.ui_url)


def promote(arguments: argparse.Namespace, registry: Versions, push: Push | None = None) -> int:
    """Compare, decide, move the alias, and write the model where it is served."""
    stage, candidate = Stage(arguments.stage), str(arguments.version)
    current = registry.version_of(stage)
    try:
        about = {version: registry.describe(version) for version in dict.fromkeys([candidate, current]) if version}
    except KeyError as error:
        raise ValueError(f"the registry has no version {error.args[0]}") from error
    try:
        if push is not None:
            push.examine(candidate)
            print(f"version {candidate} can be served")
    except InvalidModel as error:
        print(f"refused: version {candidate} cannot be served: {error.message}")
        return REFUSED
    if current == candidate:
        print(f"{stage} is version {candidate} already")
        _write(push, stage)
        return 0

    test_from = parse_date(arguments.test_from)
    column_lists = {str(facts["params"].get("extra_columns") or "") for facts in about.values()}
    extra_columns = tuple(sorted({column for text in column_lists for column in text.split(",") if column}))
    data, _ = read_files(arguments.matches, extra_columns)
    prices, _ = prices_of(arguments, data.accepted)
    settings = FeatureSettings(extra_columns=extra_columns)
    experiment = Experiment.of(data.accepted, test_from, test_from, prices, settings)
    where = experiment.test & experiment.settled()
    if not where.any():
        raise ValueError(f"no finished match from {arguments.test_from} on to compare the models on")
    outcome, market = experiment.outcome[where], experiment.market[where]
    forecasts = {version: _forecast(registry, version, experiment, where) for version in about}
    print(f"{int(where.sum())} matches from {arguments.test_from} on, both sides having played 5 in the season")
    print(
        evaluate.table(
            {
                f"version {version}{' (candidate)' if version == candidate else f' ({stage} now)'}": evaluate.scores(
                    values, outcome, None if np.isnan(market).any() else market
                )
                for version, values in forecasts.items()
            }
        )
    )
    for version, facts in about.items():
        print(f"version {version}: run {facts['run_id']}, {trained_on(facts, test_from)}")
    if current:
        compared = evaluate.compare(forecasts[candidate], forecasts[current], outcome, market)
        if not _accepted(compared, forced=arguments.force):
            return REFUSED
    registry.set_alias(stage, candidate)
    print(f"alias {stage}: {'none' if current is None else f'version {current}'} -> version {candidate}")
    _write(push, stage)
    return 0


def _write(push: Push | None, stage: Stage) -> None:
    if push is not None:
        push.write(stage)
        print(f"written to the bucket: functions serve it as {stage} within MODEL_CHECK_SECONDS")


def trained_on(facts: dict[str, Any], test_from: pd.Timestamp) -> str:
    """The training period of a version, and whether it includes test matches."""
    validate_from, first_test = facts["tags"].get("validate_from"), facts["tags"].get("test_from")
    if not (validate_from and first_test):
        return "training period unknown"
    warning = " (HAS SEEN test matches)" if parse_date(first_test) > test_from else ""
    return f"trained before {validate_from}, stopped on matches before {first_test}{warning}"


def _accepted(compared: dict[str, dict[str, float]], *, forced: bool) -> bool:
    """Whether the candidate may take over, by the first measure; prints why."""
    for measure, interval in compared.items():
        print(f"{MEASURE_NAMES[measure]}, candidate minus current: {evaluate.span(interval)}")
    deciding = next(iter(compared))
    if compared[deciding]["low"] <= 0:
        return True
    if forced:
        print("the candidate is worse; promoted because --force was given")
        return True
    print(f"refused: the candidate is worse by its {MEASURE_NAMES[deciding]} (--force promotes it anyway)")
    return False


def _forecast(
    registry: Versions, version: str, experiment: Experiment, where: np.ndarray[Any, np.dtype[np.bool_]]
) -> evaluate.Probabilities:
    booster = registry.booster(version)
    names = booster.feature_name()
    missing = [name for name in names if name not in experiment.table.features.columns]
    if missing:
        raise ValueError(f"version {version} needs features that are no longer computed: {', '.join(missing)}")
    return np.asarray(booster.predict(experiment.table.features.loc[where, names].to_numpy(np.float64), num_threads=1))


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the sample and its test season as defaults."""
    parser = argparse.ArgumentParser(
        prog="python -m batch.promote", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", type=int, required=True, help="version of soccer_model to promote")
    parser.add_argument("--stage", choices=[str(stage) for stage in Stage], default=str(Stage.CHAMPION))
    parser.add_argument("--force", action="store_true", help="promote even a candidate that is worse")
    parser.add_argument("--bucket", help="data bucket of a stack whose model this becomes")
    parser.add_argument("--ui-url", default="", help="where people open MLflow's pages, for a link to the run")
    parser.add_argument("--matches", nargs="+", type=Path, metavar="FILE", default=[MATCHES_PATH])
    parser.add_argument("--odds", nargs="+", type=Path, metavar="FILE", help="prices of past matches (docs/odds.md)")
    parser.add_argument("--test-from", metavar="DATE", default=SAMPLE_TEST_FROM)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
