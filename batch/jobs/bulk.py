"""A rebuild as a state machine runs it (infra/bulk.yaml): plan, score every item, publish.

`plan` reads and settles the raw matches as a rebuild does, cuts them into items and writes each item's matches below
`bulk/<release id>/`; `score` computes one item, however often it is called; `publish` merges the items' rows into the
files of one release, the same bytes that one run writes, and moves the pointer. Until then nothing is published: a
run that fails leaves the release before.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from batch.bulk import SMALLEST_ITEM, Item, items, merged_projections
from batch.jobs import rebuild as rebuild_job
from batch.jobs.context import Event, as_of
from batch.jobs.datasets import write_serving_file
from batch.mlflow.run_log import BatchRun
from batch.odds.past_prices import PAST_PRICES_SCHEMA
from batch.projections import projections_json
from batch.rebuild import DATASET_OF, LoadedModel, check_size, features_schema, run_report, score_matches
from batch.release import ReleaseWriter, iso, new_release_id, parquet_bytes, read_pointer, typed_table
from batch.rows import ParquetRows, merged, part_bytes, read_part, to_frame, write_parquet
from batch.score import PREDICTIONS_SCHEMA
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import InvalidRequest, ServiceError
from chalicelib.models.mirror import FeatureSpec, ModelInfo
from chalicelib.models.store import read_model
from chalicelib.releases.pointer import MATCH_FEATURES, PROJECTIONS, SERVING, DatasetEntry
from chalicelib.storage.objects import ObjectStore, read
from chalicelib.timestamps import parse_utc

BULK: Final = "bulk/"

SHOWN_ONLY: Final = frozenset(
    {
        *("season", "predicted_label", "model_run_id", "model_stage", "registered_version"),
        *("home_elo", "away_elo", "home_form", "away_form"),
    }
)
"""Columns of the predictions that no return on bets is made from."""

LISTED_ITEMS: Final = 10
"""At most so many failed items are named in an error; the log has all."""


class ItemsFailed(ServiceError):
    """Items of a bulk rebuild have no result, so that nothing is published."""

    code = "items_failed"


@dataclass(frozen=True)
class Plan:
    """What the items and the publication of one run work on.

    Attributes:
        writer: The run.
        models: The models that every item uses, whatever is promoted meanwhile.
        has_prices: Whether there are prices of past matches.
        price_entries: The data set of these prices, if the run wrote it.
        items: The pieces.
        report: What the run report says of the inputs.
        force, backwards: What the run was asked for.
    """

    writer: ReleaseWriter
    models: list[ModelInfo]
    has_prices: bool
    price_entries: dict[str, DatasetEntry]
    items: list[Item]
    report: dict[str, Any]
    force: bool
    backwards: bool

    @property
    def folder(self) -> str:
        """Where the run's working files are."""
        return f"{BULK}{self.writer.release_id}/"

    def part_key(self, dataset: str, item: str) -> str:
        """Where an item's rows of a data set are."""
        return f"{self.folder}{dataset}/{item}"

    def results(self) -> list[str]:
        """The data sets that every item has a part of."""
        return [MATCH_FEATURES, *(DATASET_OF[info.stage] for info in self.models), PROJECTIONS]

    def write(self) -> None:
        """Keep it for the items."""
        document = {
            "as_of": iso(self.writer.as_of),
            "now": self.writer.now.isoformat(),
            "models": [asdict(info) for info in self.models],
            "has_prices": self.has_prices,
            "price_entries": {name: asdict(entry) for name, entry in self.price_entries.items()},
            "items": [asdict(item) for item in self.items],
            "report": self.report,
            "force": self.force,
            "backwards": self.backwards,
        }
        self.writer.objects.put(f"{self.folder}plan.json", json.dumps(document, sort_keys=True).encode())

    @classmethod
    def read(cls, objects: ObjectStore, release_id: str) -> "Plan":
        """The plan of a run.

        Raises:
            ObjectMissing: there is no such run, or it is over.
        """
        raw = json.loads(read(objects, f"{BULK}{release_id}/plan.json").body)
        writer = ReleaseWriter(objects, release_id, parse_utc(raw["as_of"]), datetime.fromisoformat(raw["now"]))
        return cls(
            writer,
            [_model_info(model) for model in raw["models"]],
            raw["has_prices"],
            {name: DatasetEntry(**entry) for name, entry in raw["price_entries"].items()},
            [Item(item["name"], item["matches"], tuple(item["leagues"])) for item in raw["items"]],
            raw["report"],
            raw["force"],
            raw["backwards"],
        )


def _model_info(raw: dict[str, Any]) -> ModelInfo:
    features = tuple(FeatureSpec(**feature) for feature in raw["features"])
    return ModelInfo(**{**raw, "stage": Stage(raw["stage"]), "features": features})


def plan(event: Event, batch_run: BatchRun) -> Event:
    """Settle the raw matches, cut them into items, and write these and the manifest of the map over them."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    writer = ReleaseWriter(objects, new_release_id(now), moment, now)
    inputs = rebuild_job.read_inputs(event, writer, batch_run)
    matches, prices = inputs.matches.accepted, inputs.prices
    forced = bool(event.get("force"))
    # Before anything is computed: what would be refused at the end.
    check_size(len(matches), rebuild_job.rows_before(objects), forced=forced)
    pieces, position = items(matches, int(event.get("smallest_item", SMALLEST_ITEM)))
    infos = [model.info for model in inputs.models]
    report = run_report(inputs.matches, infos, moment, prices)
    report["inputs"] = [one.to_json() for one in batch_run.inputs]
    made = Plan(
        writer,
        infos,
        prices is not None,
        inputs.price_entries,
        pieces,
        report,
        forced,
        bool(event.get("backwards")),
    )
    with batch_run.timed("write"):
        for number, item in enumerate(pieces):
            own = matches[position == number]
            objects.put(made.part_key("matches", item.name), parquet_bytes(own))
            if prices is not None:
                own_prices = prices[prices["match_id"].isin(own["match_id"])]
                objects.put(made.part_key("prices", item.name), parquet_bytes(own_prices, PAST_PRICES_SCHEMA))
        made.write()
        manifest = [{"release_id": writer.release_id, "item": item.name} for item in pieces]
        objects.put(f"{made.folder}manifest.json", json.dumps(manifest).encode())
    batch_run.metrics["items"] = len(pieces)
    return {
        "release_id": writer.release_id,
        "as_of": iso(moment),
        "manifest": f"{made.folder}manifest.json",
        "items": len(pieces),
        "matches": len(matches),
    }


def score(event: Event, batch_run: BatchRun) -> Event:
    """Compute one item's rows and keep them; a second time, the same bytes again.

    Raises:
        InvalidRequest: the run has no such item.
    """
    objects = wiring.objects()
    made = Plan.read(objects, _text(event, "release_id"))
    item = next((one for one in made.items if one.name == _text(event, "item")), None)
    if item is None:
        raise InvalidRequest([{"loc": ["item"], "msg": "the run has no such item", "type": "value_error"}])
    batch_run.params |= {"release_id": made.writer.release_id, "item": str(item)}
    loaded = [read_model(objects, info) for info in made.models]
    models = [LoadedModel(model.info, model.native) for model in loaded]
    with batch_run.timed("read"):
        matches = _frame(objects, made.part_key("matches", item.name))
        prices = _frame(objects, made.part_key("prices", item.name)) if made.has_prices else None
    with batch_run.timed("compute"):
        scored = score_matches(matches, models, made.writer.as_of, prices)
    tables = {MATCH_FEATURES: typed_table(scored.table.features, features_schema(scored.table))} | {
        DATASET_OF[stage]: typed_table(frame, PREDICTIONS_SCHEMA) for stage, frame in scored.predictions.items()
    }
    with batch_run.timed("write"):
        for dataset, table in tables.items():
            objects.put(made.part_key(dataset, item.name), part_bytes(table))
        objects.put(made.part_key(PROJECTIONS, item.name), projections_json(scored.projections))
    return {"release_id": made.writer.release_id, "item": item.name, "matches": len(matches)}


def _frame(objects: ObjectStore, key: str) -> pd.DataFrame:
    return to_frame(pq.ParquetFile(pa.BufferReader(read(objects, key).body)).read())


def publish(event: Event, batch_run: BatchRun) -> Event:
    """Merge the items' rows into the files of a release and move the pointer.

    Raises:
        ItemsFailed: items have no result, or the event says that the map failed; they are named.
        ReleaseRefused: the release would be empty, or lose most of its rows.
        ReleaseTooLarge: there is no room to put it together.
    """
    objects = wiring.objects()
    release_id = _text(event, "release_id")
    pointer, _etag = read_pointer(objects)
    if pointer is not None and pointer.release_id == release_id:
        # Published by a call whose answer was lost.
        _forget(objects, release_id)
        return {"release_id": release_id, "published": True, "as_of": pointer.as_of}
    made = Plan.read(objects, release_id)
    _check_complete(made, event.get("failure"))
    writer = made.writer
    batch_run.params |= {"as_of": iso(writer.as_of), "release_id": release_id}
    models = {info.stage: info for info in made.models}
    report = {**made.report, "release_id": release_id, "mlflow_run_id": batch_run.mlflow_run_id, "rows": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with batch_run.timed("merge"):
            features = _merge(made, folder, MATCH_FEATURES, ["match_id"])
            predictions = {
                stage: _merge(made, folder, DATASET_OF[stage], ["match_date", "match_id"]) for stage in models
            }
            projected = merged_projections(
                json.loads(read(objects, made.part_key(PROJECTIONS, item.name)).body) for item in made.items
            )
        check_size(len(features), rebuild_job.rows_before(objects), forced=made.force)
        with batch_run.timed("write"):
            entries = {MATCH_FEATURES: writer.write_file(features.path, len(features))}
            for stage, rows in predictions.items():
                entries[DATASET_OF[stage]] = writer.write_file(rows.path, len(rows), models[stage])
            entries[PROJECTIONS] = writer.write(
                f"{PROJECTIONS}.json", projections_json(projected), len(projected), models[Stage.CHAMPION]
            )
            report["rows"] = {dataset: entry.rows for dataset, entry in entries.items()}
            entries |= made.price_entries
            entries[SERVING] = write_serving_file(writer, features, predictions)
        columns = [column for column in PREDICTIONS_SCHEMA.names if column not in SHOWN_ONLY]
        frames = {stage: rows.columns(columns) for stage, rows in predictions.items()}
    result = rebuild_job.publish(writer, entries, frames, report, batch_run, backwards=made.backwards)
    _forget(objects, release_id)
    return {**result, "items": len(made.items)}


def _check_complete(made: Plan, failure: object) -> None:
    stored = {key for key, _ in made.writer.objects.keys(made.folder)}
    failed = [item for item in made.items if any(made.part_key(one, item.name) not in stored for one in made.results())]
    if not failed and failure is None:
        return
    named = "; ".join(str(item) for item in failed[:LISTED_ITEMS])
    more = f" and {len(failed) - LISTED_ITEMS} more" if len(failed) > LISTED_ITEMS else ""
    raise ItemsFailed(f"{len(failed)} of {len(made.items)} items have no result: {named}{more}")


def _merge(made: Plan, folder: Path, dataset: str, keys: Sequence[str]) -> ParquetRows:
    """A data set's file, from the parts of all items."""
    parts = []
    for item in made.items:
        path = folder / f"{dataset}-{item.name}"
        path.write_bytes(read(made.writer.objects, made.part_key(dataset, item.name)).body)
        parts.append(read_part(path))
    target = folder / f"{dataset}.parquet"
    write_parquet(target, parts[0].schema, merged(parts, keys))
    for path in folder.glob(f"{dataset}-*"):
        path.unlink()
    return ParquetRows(target)


def _forget(objects: ObjectStore, release_id: str) -> None:
    """Delete a run's working files, the plan last: without it, nobody would know that there are others."""
    plan_key = f"{BULK}{release_id}/plan.json"
    for key, _ in objects.keys(f"{BULK}{release_id}/"):
        if key != plan_key:
            objects.delete(key)
    objects.delete(plan_key)


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value or "/" in value:
        raise InvalidRequest([{"loc": [name], "msg": "a name is needed", "type": "value_error"}])
    return value
