"""Builders of test data, with defaults for everything that does not matter."""

import csv
import hashlib
import io
import json
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from batch.jobs.datasets import write_serving_file, write_serving_odds
from batch.odds.arrays import value_bets
from batch.odds.price_history import typed
from batch.release import ReleaseWriter, new_release_id, parquet_bytes, publish_release
from batch.returns.track_record import track_record
from batch.returns.value_signal import POOLED, value_signal
from batch.rows import FrameRows
from batch.score import PREDICTIONS_SCHEMA
from chalicelib.domain import Stage
from chalicelib.endpoints import ENDPOINTS
from chalicelib.models.mirror import mirror_key
from chalicelib.releases.pointer import (
    MATCH_FEATURES,
    ODDS,
    PREDICTIONS,
    PREDICTIONS_CHALLENGER,
    PROJECTIONS,
    REGION_ROI,
    SERVING,
    SERVING_ODDS,
    TRACK_RECORD,
    Pointer,
)
from chalicelib.storage.objects import ObjectStore
from tests.support.fakes import InMemoryObjectStore

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)

FEATURES = [
    {"name": "diff_elo", "type": "double", "required": True},
    {"name": "home_rest_days", "type": "double", "required": False},
    {"name": "sex", "type": "long", "required": True},
]


@dataclass
class Context:
    """Lambda's context object."""

    function_name: str = "soccer-test"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:soccer-test"
    aws_request_id: str = "lambda-request-1"
    milliseconds: int = 10_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def make_event(
    function: str,
    *,
    path: str | None = None,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    **parameters: Any,
) -> dict[str, Any]:
    """A REST API proxy event for a function's canonical path; `body` is sent as JSON unless it is text."""
    endpoint = next(e for e in ENDPOINTS if e.function == function)
    template = endpoint.paths[0]
    actual = path if path is not None else template.format(**parameters) + "/"
    text = body if body is None or isinstance(body, str) else json.dumps(body)
    all_headers = {"accept": "application/json", "content-type": "application/json", **(headers or {})}
    return {
        "resource": template,
        "path": actual,
        "httpMethod": endpoint.method,
        "headers": all_headers,
        "multiValueHeaders": {name: [value] for name, value in all_headers.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": {name: str(value) for name, value in parameters.items()} or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "request-1",
            "stage": "test",
            "path": f"/test{actual}",
            "httpMethod": endpoint.method,
            "resourcePath": template,
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": text,
        "isBase64Encoded": False,
    }


@cache
def model_text(seed: int = 0) -> str:
    """A small LightGBM model on `FEATURES`: a stronger home side wins more often."""
    random = np.random.default_rng(seed)
    difference = random.normal(0, 150, 2_000)
    rows = np.column_stack([difference, random.uniform(2, 14, 2_000), random.integers(0, 2, 2_000)])
    noise = random.normal(0, 150, 2_000)
    outcome = np.select([difference + noise > 60, difference + noise > -60], [0, 1], 2)
    data = lightgbm.Dataset(rows, outcome, feature_name=[str(f["name"]) for f in FEATURES])
    parameters = {"objective": "multiclass", "num_class": 3, "num_leaves": 4, "verbosity": -1, "seed": seed}
    text: str = lightgbm.train({**parameters, "num_threads": 1, "deterministic": True}, data, 20).model_to_string()
    return text


def mirror_model(
    objects: ObjectStore,
    stage: Stage = Stage.CHAMPION,
    *,
    version: str = "1",
    run_id: str = "3f7a1c9d2e4b",
    seed: int = 0,
    **changes: Any,
) -> None:
    """Put a model into the mirror, as `sync_models` does."""
    model = model_text(seed).encode()
    key = f"models/{stage}/{version}.lgb"
    objects.put(key, model)
    description = {
        "schema_version": 1,
        "model_name": "soccer_model",
        "stage": stage.value,
        "registered_version": version,
        "model_run_id": run_id,
        "metrics": {"log_loss": 0.97},
        "params": {"seed": "0"},
        "features": FEATURES,
        "model_key": key,
        "model_sha256": hashlib.sha256(model).hexdigest(),
        "synced_at": "2024-05-01T11:00:00Z",
        **changes,
    }
    objects.put(mirror_key(stage), json.dumps(description).encode())


def make_predictions(count: int = 3, **columns: Any) -> pd.DataFrame:
    """Rows of predictions.parquet: match 1 is finished, match 2 kicked off an hour ago, the others are to come."""
    index = range(1, count + 1)
    starts = [NOW - timedelta(days=1), NOW - timedelta(hours=1)] + [NOW + timedelta(days=i) for i in range(1, count)]
    frame = pd.DataFrame(
        {
            "match_id": list(index),
            "home_team": [f"Home {i}" for i in index],
            "away_team": [f"Away {i}" for i in index],
            "match_date": pd.Series(starts[:count]).astype("datetime64[ms, UTC]"),
            "season": "2023/24",
            "region": ["England" if i % 2 else "Spain" for i in index],
            "league": ["Premier League" if i % 2 else "La Liga" for i in index],
            "sex": 0,
            "proba_home": 0.5,
            "proba_draw": 0.25,
            "proba_away": 0.25,
            "predicted_class": 0,
            "predicted_label": "home",
            "is_future": [i > 2 for i in index],
            "model_run_id": "3f7a1c9d2e4b",
            "model_stage": "champion",
            "registered_version": "1",
            "outcome_1x2": ["home" if i == 1 else None for i in index],
            "home_score": pd.array([2 if i == 1 else None for i in index], dtype="Int16"),
            "away_score": pd.array([1 if i == 1 else None for i in index], dtype="Int16"),
            "home_elo": 1_500.0,
            "away_elo": 1_480.0,
            "home_form": "WDLWW",
            "away_form": "LLDWD",
            "in_sample": False,
        }
    )
    return frame.assign(**columns)


def make_odds(match_ids: list[int], home: float = 2.2, draw: float = 3.4, away: float = 3.6) -> pd.DataFrame:
    """Rows of fonbet_odds.parquet."""
    booksum = 1 / home + 1 / draw + 1 / away
    return pd.DataFrame(
        {
            "match_id": match_ids,
            "provider": "fonbet",
            "fonbet_event_id": [str(1_000 + i) for i in match_ids],
            "odds_home": home,
            "odds_draw": draw,
            "odds_away": away,
            "margin": booksum - 1,
            "implied_home": 1 / home / booksum,
            "implied_draw": 1 / draw / booksum,
            "implied_away": 1 / away / booksum,
            "margin_method": "multiplicative",
            "suspended": False,
            "collected_at": pd.Series([NOW] * len(match_ids)).astype("datetime64[ms, UTC]"),
            "url": [f"https://fon.bet/sports/football/1/{1_000 + i}" for i in match_ids],
            "live_score": pd.Series([None] * len(match_ids), dtype="str"),
        }
    )


def make_history(match_id: int, *seen: tuple[str, float], provider: str = "fonbet") -> pd.DataFrame:
    """Rows of price_history.parquet: what was seen of a match when, as (ISO time, odds of a home win)."""
    times = pd.to_datetime([time for time, _ in seen], utc=True)
    return typed(
        pd.DataFrame(
            {
                "match_id": match_id,
                "provider": provider,
                "bookmaker": None,
                "collected_at": times,
                "odds_home": [home for _, home in seen],
                "odds_draw": 3.4,
                "odds_away": 3.6,
            }
        )
    )


def make_track_record(predictions: pd.DataFrame, odds: pd.DataFrame) -> dict[str, Any]:
    """The track record of a release whose closing prices are not known."""
    unknown = dict.fromkeys(("closing_home", "closing_draw", "closing_away"), float("nan"))
    return track_record(predictions, odds, value_signal(predictions, odds.assign(**unknown)))


def make_features(count: int = 3) -> pd.DataFrame:
    """Rows of match_features.parquet for the small model; match 2 has no rest days."""
    return pd.DataFrame(
        {
            "match_id": list(range(1, count + 1)),
            "diff_elo": [20.0 * i for i in range(1, count + 1)],
            "home_rest_days": [None if i == 2 else 7.0 for i in range(1, count + 1)],
            "sex": 0,
        }
    )


def make_signal(predictions: pd.DataFrame, odds: pd.DataFrame) -> pd.DataFrame:
    """A value signal whose pool is the model itself and whose flags all count as value, at a quarter of Kelly."""
    names = [f"{kind}_{label}" for kind in ("proba", "odds") for label in ("home", "draw", "away")]
    priced = predictions.merge(odds, on="match_id").sort_values("match_id", ignore_index=True)
    model, prices = (priced[part].to_numpy(np.float64) for part in (names[:3], names[3:]))
    bets = value_bets(model, prices)
    frame = pd.DataFrame(model, columns=list(POOLED)).assign(match_id=priced["match_id"])
    frame["value_bet"] = np.array(["home", "draw", "away", None], dtype=object)[bets.outcome]
    return frame.assign(stake=bets.edge / (bets.odds - 1) / 4)


def publish(
    objects: ObjectStore,
    *,
    predictions: pd.DataFrame | None = None,
    odds: pd.DataFrame | None = None,
    features: pd.DataFrame | None = None,
    challenger: pd.DataFrame | None = None,
    region_roi: str | None = None,
    projections: list[dict[str, Any]] | None = None,
    signal: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame] = make_signal,
    history: pd.DataFrame | None = None,
    record: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    odds_at: datetime | None = None,
) -> Pointer:
    """Publish a release of these data sets, as `rebuild` and `refresh_odds` do."""
    by_stage = {Stage.CHAMPION: make_predictions() if predictions is None else predictions}
    if challenger is not None:
        by_stage[Stage.CHALLENGER] = challenger
    match_features = make_features() if features is None else features
    # Most tests publish one of a few releases, whose files take longer to make than to write.
    described = pickle.dumps((by_stage, match_features, odds, region_roi, history))
    is_kept = signal is make_signal and sum(map(len, by_stage.values())) <= _ROWS_KEPT
    files = _made.get(described) if is_kept else None
    if files is None:
        files = _files(by_stage, match_features, odds, region_roi, signal, history)
    if is_kept:
        _made[described] = files
    writer = ReleaseWriter(objects, new_release_id(now), now, now)
    refresh = ReleaseWriter(objects, writer.release_id, now, odds_at or now)
    entries = {
        dataset: (refresh if dataset == ODDS else writer).write(*of_dataset) for dataset, of_dataset in files.items()
    }
    if projections is not None:
        content = json.dumps(projections).encode()
        entries[PROJECTIONS] = writer.write("projections.json", content, len(projections))
    if record is not None:
        entries[TRACK_RECORD] = writer.write("track_record.json", json.dumps(record).encode(), record["matches"])
    return publish_release(objects, writer, entries, keep=frozenset()).pointer


_ROWS_KEPT = 1_000
_made: dict[bytes, dict[str, tuple[str, bytes, int]]] = {}
"""Files of releases made before, by what is in them."""


def _files(
    by_stage: dict[Stage, pd.DataFrame],
    features: pd.DataFrame,
    odds: pd.DataFrame | None,
    region_roi: str | None,
    signal: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
    history: pd.DataFrame | None,
) -> dict[str, tuple[str, bytes, int]]:
    """Name, content and rows of each data set's file."""
    store = InMemoryObjectStore()
    writer = ReleaseWriter(store, "made", NOW, NOW)
    champion = by_stage[Stage.CHAMPION]
    entries = {
        PREDICTIONS: writer.write("predictions.parquet", parquet_bytes(champion, PREDICTIONS_SCHEMA), len(champion)),
        MATCH_FEATURES: writer.write("match_features.parquet", parquet_bytes(features), len(features)),
    }
    if (challenger := by_stage.get(Stage.CHALLENGER)) is not None:
        content = parquet_bytes(challenger, PREDICTIONS_SCHEMA)
        entries[PREDICTIONS_CHALLENGER] = writer.write("predictions_challenger.parquet", content, len(challenger))
    stored = {stage: FrameRows(frame) for stage, frame in by_stage.items()}
    entries[SERVING] = write_serving_file(writer, FrameRows(features), stored)
    if odds is not None:
        entries[ODDS] = writer.write("fonbet_odds.parquet", parquet_bytes(odds), len(odds))
        lines = csv.DictReader(io.StringIO(region_roi or ""))
        roi = {line["region"]: float(line["roi"]) if line["roi"] else None for line in lines}
        signals = {stage: signal(frame, odds) for stage, frame in by_stage.items()}
        entries[SERVING_ODDS] = write_serving_odds(writer, by_stage, odds, signals, roi, history)
    if region_roi is not None:
        entries[REGION_ROI] = writer.write("roi_by_region.csv", region_roi.encode(), region_roi.count("\n") - 1)
    return {
        dataset: (entry.key.rpartition("/")[2], store.objects[entry.key], entry.rows)
        for dataset, entry in entries.items()
    }
