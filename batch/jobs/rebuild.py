"""Rebuild the data release from the raw matches in the bucket."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd

from batch.jobs.context import Event, as_of, settings
from batch.jobs.datasets import model_params, outputs, readable, write_returns, write_serving_file
from batch.jobs.prices import kept_prices, prices_from_odds, reads_prices_from_odds, write_prices
from batch.matches import combine, parse_file
from batch.matches.schema import MatchesFile, MatchesReport
from batch.mlflow.run_log import BatchRun, InputFile
from batch.odds import price_history
from batch.odds import table as fonbet_odds
from batch.rebuild import LoadedModel, check_size, extra_columns, rebuild
from batch.release import (
    Overtaken,
    Published,
    ReleaseWriter,
    iso,
    new_release_id,
    parquet_bytes,
    publish_release,
    read_pointer,
)
from batch.retention import Retention, delete_old_releases
from batch.rows import FrameRows
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import ModelUnavailable, ReleaseUnavailable
from chalicelib.models.store import ModelStore
from chalicelib.releases.pointer import MATCH_FEATURES, ODDS, PAST_PRICES, PRICE_HISTORY, SERVING, DatasetEntry
from chalicelib.storage.objects import ObjectStore, read

RAW_MATCHES: Final = "raw/matches/"

PUBLISH_ATTEMPTS: Final = 3
"""Attempts to publish while odds refreshes replace the odds."""

# a reused sandbox reads only files that are new or changed
parsed_files: Final[dict[tuple[str, str, tuple[str, ...]], MatchesFile]] = {}


@dataclass(frozen=True)
class RebuildInputs:
    """What a rebuild works on.

    Attributes:
        models: The mirrored models.
        matches: The raw matches, validated.
        prices: Prices of past matches; None without any.
        price_entries: The data set of these prices, if this run wrote it.
    """

    models: list[LoadedModel]
    matches: MatchesReport
    prices: pd.DataFrame | None
    price_entries: dict[str, DatasetEntry]


def run(event: Event, batch_run: BatchRun) -> Event:
    """Compute features and predictions from the raw matches and publish them as a release."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    writer = ReleaseWriter(objects, new_release_id(now), moment, now)
    inputs = read_inputs(event, writer, batch_run)
    with batch_run.timed("compute"):
        rebuilt = rebuild(inputs.matches, inputs.models, moment, inputs.prices)
    check_size(rebuilt.report["rows"][MATCH_FEATURES], rows_before(objects), forced=bool(event.get("force")))
    with batch_run.timed("write"):
        entries = {
            dataset.name: writer.write(dataset.file_name, dataset.content, dataset.rows, dataset.model)
            for dataset in rebuilt.datasets
        } | inputs.price_entries
        stored = {stage: FrameRows(frame) for stage, frame in rebuilt.predictions.items()}
        entries[SERVING] = write_serving_file(writer, FrameRows(rebuilt.features), stored)
    report = {
        **rebuilt.report,
        "release_id": writer.release_id,
        "mlflow_run_id": batch_run.mlflow_run_id,
        "inputs": [file.to_json() for file in batch_run.inputs],
    }
    return publish(writer, entries, rebuilt.predictions, report, batch_run, backwards=bool(event.get("backwards")))


def read_inputs(event: Event, writer: ReleaseWriter, batch_run: BatchRun) -> RebuildInputs:
    """Read models, matches and past prices, and enter them in the run.

    Raises:
        ModelUnavailable: there is no champion.
        InvalidMatches: a raw file cannot be read.
    """
    batch_run.params |= {"as_of": iso(writer.as_of), "release_id": writer.release_id}
    models = _models()
    with batch_run.timed("read"):
        keys = writer.objects.keys(RAW_MATCHES)
        matches = combine((_parsed(key, etag, extra_columns(models)) for key, etag in keys), writer.as_of)
    batch_run.inputs += _inputs(keys, matches)
    batch_run.metrics |= _counts(matches.summary())
    for model in models:
        batch_run.params |= model_params(model.info)
    with batch_run.timed("prices"):
        prices, price_entries = _prices(event, writer, matches.accepted, batch_run)
    return RebuildInputs(models, matches, prices, price_entries)


def publish(
    writer: ReleaseWriter,
    entries: Mapping[str, DatasetEntry],
    predictions: Mapping[Stage, pd.DataFrame],
    report: dict[str, Any],
    batch_run: BatchRun,
    *,
    backwards: bool,
) -> Event:
    """Move the pointer to a rebuild's files, forget old releases, and say what was done.

    Args:
        writer: The run.
        entries: What it wrote.
        predictions: Their rows, by stage; the columns that returns are made from.
        report: Counts and inputs of the run; the data sets are added.
        batch_run: The run's log.
        backwards: Whether an as_of before the current release's may replace it.

    Raises:
        ReleaseUnavailable: the odds, or the pointer, were replaced again and again meanwhile.
    """
    with batch_run.timed("publish"):
        published = _publish(writer, entries, predictions, report, backwards=backwards)
        retention = Retention(settings().kept_rebuilds, settings().kept_hours)
        forgotten = delete_old_releases(writer.objects, published.pointer, writer.now, retention)
    batch_run.report = report
    batch_run.params["published"] = published.moved
    batch_run.metrics |= {f"rows_{name}": float(entry["rows"]) for name, entry in report["outputs"].items()}
    return {
        "release_id": writer.release_id,
        "published": published.moved,
        "as_of": iso(writer.as_of),
        "rows": report["rows"],
        "matches": report["matches"],
        "forgotten_files": len(forgotten),
    }


def _prices(
    event: Event, writer: ReleaseWriter, matches: pd.DataFrame, run: BatchRun
) -> tuple[pd.DataFrame | None, dict[str, DatasetEntry]]:
    """Prices of past matches, and the data set if they come from the stored odds."""
    pointer, _etag = read_pointer(writer.objects)
    previous, restored = kept_prices(writer.objects, pointer, run)
    if not reads_prices_from_odds(event):
        return previous, restored
    prices = prices_from_odds(writer.objects, matches, writer.as_of, run)
    if prices is None:
        return previous, restored
    return prices, restored | write_prices(writer, pointer, None if restored else previous, prices)


def _publish(
    writer: ReleaseWriter,
    entries: Mapping[str, DatasetEntry],
    predictions: Mapping[Stage, pd.DataFrame],
    report: dict[str, Any],
    *,
    backwards: bool,
) -> Published:
    """Publish with the returns on the current odds; repeat if these are replaced meanwhile.

    The previous release's odds are kept, without what was not known at an earlier `as_of`.
    """
    objects = writer.objects
    for _ in range(PUBLISH_ATTEMPTS):
        pointer, _etag = read_pointer(objects)
        all_entries, carried = dict(entries), {}
        is_rewound = backwards and pointer is not None and pointer.as_of > iso(writer.as_of)
        for dataset in (ODDS, PRICE_HISTORY):
            published = readable(objects, pointer, dataset)
            if published is None or pointer is None:
                continue
            entry, carried[dataset] = published
            if entry != pointer.datasets.get(dataset):
                # the current ones are damaged: publish older ones again
                all_entries[dataset] = entry
        odds, history = carried.get(ODDS), carried.get(PRICE_HISTORY)
        if odds is not None and is_rewound:
            odds = fonbet_odds.known_at(odds, predictions[Stage.CHAMPION], writer.as_of)
            content = parquet_bytes(odds, fonbet_odds.FONBET_ODDS_SCHEMA)
            all_entries[ODDS] = writer.write(f"{ODDS}.parquet", content, len(odds))
        if history is not None and is_rewound:
            history = price_history.known_at(history, writer.as_of)
            content = parquet_bytes(history, price_history.PRICE_HISTORY_SCHEMA)
            all_entries[PRICE_HISTORY] = writer.write(f"{PRICE_HISTORY}.parquet", content, len(history))
        all_entries |= write_returns(writer, predictions, odds, history)
        report["outputs"] = outputs(all_entries)
        objects.put(f"releases/{writer.release_id}/run.json", json.dumps(report, sort_keys=True, indent=1).encode())
        based_on = {ODDS: pointer.datasets.get(ODDS) if pointer else None}
        try:
            return publish_release(
                objects,
                writer,
                all_entries,
                keep=frozenset({ODDS, PAST_PRICES, PRICE_HISTORY}),
                based_on=based_on,
                backwards=backwards,
            )
        except Overtaken:
            continue
    raise ReleaseUnavailable(f"the odds were replaced {PUBLISH_ATTEMPTS} times while returns were computed from them")


def _inputs(keys: Sequence[tuple[str, str]], matches: MatchesReport) -> list[InputFile]:
    etags = dict(keys)
    return [
        InputFile(
            RAW_MATCHES + file["file"],
            file["sha256"],
            etags[RAW_MATCHES + file["file"]],
            file["rows"],
            file["rejected"],
        )
        for file in matches.inputs
    ]


def _counts(summary: Mapping[str, Any]) -> dict[str, float]:
    counts = {f"matches_{name}": float(summary[name]) for name in ("files", "rows", "accepted", "rejected")}
    return counts | {f"rejected_{reason}": float(n) for reason, n in summary["rejected_by_reason"].items()}


def rows_before(objects: ObjectStore) -> int | None:
    """Matches of the current release; None before the first."""
    pointer, _etag = read_pointer(objects)
    entry = pointer.datasets.get(MATCH_FEATURES) if pointer else None
    return entry.rows if entry else None


def _models() -> list[LoadedModel]:
    """The mirrored models; the challenger may be missing, the champion may not."""
    store = ModelStore(wiring.objects(), check_seconds=0)
    loaded = []
    for stage in Stage:
        try:
            model = store.current(stage)
        except ModelUnavailable:
            if stage is Stage.CHAMPION:
                raise
            continue
        loaded.append(LoadedModel(model.info, model.native))
    return loaded


def _parsed(key: str, etag: str, extra: tuple[str, ...]) -> MatchesFile:
    if (key, etag, extra) not in parsed_files:
        stored = read(wiring.objects(), key)
        for outdated in [parsed_file for parsed_file in parsed_files if parsed_file[0] == key]:
            del parsed_files[outdated]
        parsed_files[key, etag, extra] = parse_file(key.removeprefix(RAW_MATCHES), stored.body, extra)
    return parsed_files[key, etag, extra]
