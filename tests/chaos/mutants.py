"""Reads damaged objects by the real routes and jobs: `python -m tests.chaos.mutants SEED EVERY`.

Each line `OBJECT FIRST COUNT` of its standard input is done in a fork, since damaged bytes may end it. For each mutant,
the fork prints its number before it reads it and a JSON line after; then comes how the fork ended. So whoever asked
knows which mutant killed it and goes on with the next.
"""

import json
import logging
import os
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from batch import handlers
from batch.jobs import context
from batch.jobs import rebuild as rebuild_job
from batch.mlflow.mirror import sync
from batch.odds.clubs import AliasTable
from batch.odds.sources import CONFIRMED_CLUBS_KEY, confirmed_clubs, keep_confirmed_clubs
from chalicelib import wiring
from chalicelib.domain import Stage
from chalicelib.errors import ServiceError
from chalicelib.models.store import ModelStore
from chalicelib.releases.drift_report import DRIFT_REPORT_KEY, read_drift_report
from chalicelib.releases.pointer import POINTER_KEY, Pointer
from chalicelib.storage.checksummed import sealed
from chalicelib.storage.objects import read
from tests.handlers.calling import call
from tests.handlers.test_batch import put_matches, put_odds
from tests.handlers.test_sync_models import FakeRegistry
from tests.support.builders import Context
from tests.support.fakes import InMemoryObjectStore

ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "DATA_BUCKET": "data",
    "TASKS_TABLE": "tasks",
    "INFERENCE_QUEUE_URL": "http://localhost/queue",
    "DEAD_LETTER_QUEUE_URL": "http://localhost/dead",
    "INFERENCE_FUNCTION": "inference",
    "API_KEYS_SECRET_ID": "keys",
    "CLIENT_KEY_REQUIRED": "false",
    "KEY_RATE": "0",
    "MODEL_CHECK_SECONDS": "0",
    "RELEASE_CHECK_SECONDS": "0",
    "REPLAY_AS_OF": "2024-05-01T12:00:00Z",
}
SECONDS_PER_MUTANT: Final = 60
FEATURES: Final = {"diff_elo": 10.0, "home_rest_days": 5.0, "sex": 0}
NOW: Final = datetime(2024, 5, 1, 12, tzinfo=UTC)
RELEASE_FILES: Final = ("match_features", "predictions", "fonbet_odds", "roi_by_region", "track_record", "projections")
"""Data sets that every release here has; those of later versions are found in the pointer."""
RAW: Final = ("raw/matches", "raw/odds")
OTHERS: Final = (
    "pointer",
    "kept_pointer",
    "mirror",
    "model",
    "reference",
    "drift_report",
    "confirmed_clubs",
    "aliases",
)
VERDICT: Final = "verdict "
OBJECTS: Final = (*RELEASE_FILES, "past_prices", "serving", "serving_odds", *OTHERS, *RAW)


def mutated(body: bytes, random_numbers: random.Random) -> bytes:
    """The bytes after one to three random damages."""
    for _ in range(random_numbers.choice((1, 1, 1, 2, 3))):
        body = _damaged(body, random_numbers)
    return body


def _damaged(body: bytes, random_numbers: random.Random) -> bytes:
    if not body:
        return random_numbers.randbytes(random_numbers.randrange(1, 64))
    start = random_numbers.randrange(len(body))
    end = min(len(body), start + random_numbers.choice((1, 2, 4, 16, 256, len(body))))
    part = body[start:end]
    kinds: dict[str, Callable[[], bytes]] = {
        "bit": lambda: body[:start] + bytes([body[start] ^ 1 << random_numbers.randrange(8)]) + body[start + 1 :],
        "bytes": lambda: body[:start] + random_numbers.randbytes(len(part)) + body[end:],
        "zeros": lambda: body[:start] + bytes(len(part)) + body[end:],
        "ones": lambda: body[:start] + b"\xff" * len(part) + body[end:],
        "cut": lambda: body[:start],
        "head cut": lambda: body[start:],
        "hole": lambda: body[:start] + body[end:],
        "repeated": lambda: body[:end] + part + body[end:],
        "moved": lambda: body[start:] + body[:start],
        "longer": lambda: body + random_numbers.randbytes(random_numbers.randrange(1, 64)),
    }
    return kinds[random_numbers.choice(list(kinds))]()


# ── A bucket with everything in it ──────────────────────────────────────────────────────────────────


class Unpublished(Exception):
    """This version publishes no such object."""


def bucket() -> InMemoryObjectStore:
    """A bucket after a sync, a rebuild, an odds refresh and a drift run; two releases deep."""
    store = InMemoryObjectStore()
    use(store)
    put_matches(store)
    put_odds(store)
    sync(FakeRegistry(), store, Stage.CHAMPION, NOW)
    for job in (handlers.rebuild, handlers.refresh_odds, handlers.rebuild, handlers.refresh_odds):
        job({}, Context())
    keep_confirmed_clubs(store, confirmed_clubs(store))
    store.put(DRIFT_REPORT_KEY, sealed({"drift_score": 0.25, "sufficient_sample": True}))
    return store


def use(store: InMemoryObjectStore) -> None:
    """Wire everything to the store, as in a new process with an empty disk."""
    for name in dir(wiring):
        if name != "recorder" and hasattr(getattr(wiring, name), "cache_clear"):
            getattr(wiring, name).cache_clear()
    wiring.objects = lambda: store  # type: ignore[assignment]
    wiring.models = lambda: ModelStore(store, 0)  # type: ignore[assignment]
    context.settings.cache_clear()
    rebuild_job.parsed_files.clear()


def key_of(name: str, store: InMemoryObjectStore) -> str:
    """The key of an object by its name here.

    Raises:
        Unpublished: there is none.
    """
    pointer = Pointer.from_json(read(store, POINTER_KEY).body)
    fixed = {
        "pointer": POINTER_KEY,
        "mirror": "models/champion/current.json",
        "drift_report": DRIFT_REPORT_KEY,
        "confirmed_clubs": CONFIRMED_CLUBS_KEY,
        "raw/matches": "raw/matches/matches.csv",
        "raw/odds": "raw/odds/sightings.csv",
    }
    info = ModelStore(store, 0).info(Stage.CHAMPION)
    if name == "kept_pointer":
        return store.newest("releases/pointers/", 1)[0]
    if name in ("model", "reference"):
        return info.model_key if name == "model" else str(info.reference_key)
    if name in fixed:
        return fixed[name]
    if name not in pointer.datasets:
        raise Unpublished(name)
    return pointer.datasets[name].key


# ── Reading, healing, judging ───────────────────────────────────────────────────────────────────────

READS: Final[dict[str, Callable[[], Any]]] = {
    "matches": lambda: call("matches"),
    "odds": lambda: call("odds"),
    "cards": lambda: call("cards"),
    "precomputed": lambda: call("precomputed", match_id=1),
    "region_roi": lambda: call("region_roi"),
    "regions": lambda: call("regions"),
    "projections": lambda: call("projections"),
    "features": lambda: call("features", match_id=1),
    "predict": lambda: call("predict", body={"match_id": 1, "features": FEATURES}),
    "predict_match": lambda: call("predict_match", match_id=3),
    "drift": lambda: read_drift_report(wiring.objects()),
    "clubs": lambda: sorted(confirmed_clubs(wiring.objects()).clubs.items()),
}
JOBS: Final[dict[str, Callable[[], Any]]] = {
    "sync_models": lambda: sync(FakeRegistry(), wiring.objects(), Stage.CHAMPION, NOW),
    "rebuild": lambda: handlers.rebuild({}, Context()),
    "refresh_odds": lambda: handlers.refresh_odds({}, Context()),
}
VOLATILE: Final = ("features_computed_at", "computed_at", "synced_at")
"""Times of a run, which differ between runs that say the same."""


def answers() -> dict[str, Any]:
    """What each read answers: the body, or the name of its error."""
    return {name: _answer(reading) for name, reading in READS.items()}


def _answer(reading: Callable[[], Any]) -> Any:
    try:
        answer = reading()
    except ServiceError as error:
        return {"error": error.code}
    if not isinstance(answer, tuple):
        return answer
    status, body, _headers = answer
    if status == 200:
        return _steady(body)
    is_named_error = isinstance(body, dict) and status in (404, 503)
    return {"error": str(status)} if is_named_error else {"unnamed": status, "body": body}


def _steady(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _steady(value) for name, value in body.items() if name not in VOLATILE}
    return [_steady(row) for row in body] if isinstance(body, list) else body


def verdicts(answers: dict[str, Any], expected_answers: dict[str, Any], *, is_input: bool) -> Iterator[str]:
    """What is wrong with the answers: nothing, where each is right or a named error."""
    for name, answer in answers.items():
        if isinstance(answer, dict) and "unnamed" in answer:
            yield f"{name}: unnamed error {answer}"
            continue
        is_named_error = isinstance(answer, dict) and "error" in answer
        settled_anew = name == "clubs" and answer == []
        # A damaged input is another input.
        if answer != expected_answers[name] and not (is_named_error or settled_anew or is_input):
            yield f"{name}: wrong answer {answer}"


def run_jobs() -> Iterator[str]:
    """Run every job; returns failures that are not named errors."""
    for name, job in JOBS.items():
        try:
            job()
        except ServiceError:
            continue
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            yield f"{name}: {type(error).__name__}: {error}"


def examine(name: str, seed: int, first: int, count: int, every: int) -> None:
    """Read `count` mutants of an object from number `first`; jobs run, and healing is checked, on each `every`th."""
    undamaged = bucket()
    right = answers()
    objects_before = dict(undamaged.objects)
    body = b"" if name == "aliases" else objects_before[key_of(name, undamaged)]
    for number in range(first, first + count):
        _tell(start=number)
        random_numbers = random.Random(f"{seed}/{name}/{number}")  # noqa: S311 - damage, no secret
        if name == "aliases":
            _tell(number=number, faults=list(_aliases(random_numbers)))
            continue
        store = InMemoryObjectStore()
        store.objects = dict(objects_before)
        key = key_of(name, store)
        store.objects[key] = mutated(body, random_numbers)
        unchanged = store.objects[key] == body
        use(store)
        mutant_answers = answers()
        faults = list(verdicts(mutant_answers, right, is_input=name in RAW))
        healed = None
        if number % every == 0 and not unchanged:
            faults += run_jobs()
            use(store)
            healed = answers() == right if name not in RAW else None
        n_errors = sum(isinstance(answer, dict) and "error" in answer for answer in mutant_answers.values())
        _tell(number=number, faults=faults, errors=n_errors, healed=healed)


def _aliases(random_numbers: random.Random) -> Iterator[str]:
    from importlib.resources import files  # noqa: PLC0415

    table = files("batch.odds").joinpath("team_aliases.csv").read_bytes()
    try:
        AliasTable.read(mutated(table, random_numbers).decode("utf-8"))
    except ValueError:
        return
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        yield f"{type(error).__name__}: {error}"


def _tell(**values: Any) -> None:
    # Metrics are lines of the standard output too.
    sys.stdout.write(f"{VERDICT}{json.dumps(values)}\n")
    sys.stdout.flush()


def _in_a_fork(work: Callable[[], None], seconds: int) -> None:
    """Do some work in a process of its own, which is killed when its time is over; tell how it ended."""
    with tempfile.TemporaryFile() as errors:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.dup2(errors.fileno(), sys.stderr.fileno())
            signal.alarm(seconds)
            try:
                work()
            except BaseException:  # noqa: BLE001 - a fork must not continue its parent's work
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        errors.seek(0)
        error_text = errors.read().decode("utf-8", "replace")
    _tell(exit=os.waitstatus_to_exitcode(status), stderr=error_text[-2_000:])


def _examine(name: str, seed: int, first: int, count: int, every: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        tempfile.tempdir = temporary
        try:
            examine(name, seed, first, count, every)
        except Unpublished:
            _tell(unpublished=name)


def main() -> None:
    """Read the mutants that the standard input names."""
    os.environ.update(ENVIRONMENT)
    logging.disable(logging.CRITICAL)
    seed, every = map(int, sys.argv[1:])
    for line in sys.stdin:
        name, first, count = line.split()
        work = partial(_examine, name, seed, int(first), int(count), every)
        _in_a_fork(work, SECONDS_PER_MUTANT * (int(count) + 1))


if __name__ == "__main__":
    main()
