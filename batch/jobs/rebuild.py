"""Rebuild the data release from the raw matches in the bucket."""

import json
from datetime import UTC, datetime
from typing import Final

from batch.jobs.context import Event, as_of, settings
from batch.jobs.published import frame_of, write_returns
from batch.matches import MatchesFile, combine, parse_file
from batch.rebuild import LoadedModel, rebuild
from batch.release import ReleaseWriter, forget_old_releases, iso, new_release_id, publish_release, read_pointer
from chalicelib import wiring
from chalicelib.data_release import ODDS
from chalicelib.domain import Stage
from chalicelib.errors import ModelUnavailable
from chalicelib.model_store import ModelStore

RAW_MATCHES: Final = "raw/matches/"

# A sandbox that is used again reads only the files that are new or changed.
parsed_files: Final[dict[tuple[str, str], MatchesFile]] = {}


def run(event: Event) -> Event:
    """Compute features and predictions from the raw matches and publish them as a release."""
    objects = wiring.objects()
    moment, now = as_of(event), datetime.now(UTC)
    writer = ReleaseWriter(objects, new_release_id(now), moment, now)
    keys = objects.keys(RAW_MATCHES)
    matches = combine(_parsed(key, etag) for key, etag in keys)
    rebuilt = rebuild(matches, _models(), moment)
    entries = {
        dataset.name: writer.write(dataset.file_name, dataset.content, dataset.rows, dataset.model)
        for dataset in rebuilt.datasets
    }
    report = {**rebuilt.report, "release_id": writer.release_id, "inputs": [{"key": k, "etag": e} for k, e in keys]}
    entries |= write_returns(
        writer, rebuilt.predictions[Stage.CHAMPION], frame_of(objects, read_pointer(objects)[0], ODDS)
    )
    objects.put(f"releases/{writer.release_id}/run.json", json.dumps(report, sort_keys=True, indent=1).encode())
    published = publish_release(
        objects, writer, entries, keep=frozenset({ODDS}), backwards=bool(event.get("backwards"))
    )
    forgotten = forget_old_releases(objects, published.pointer, now, settings().kept_releases)
    return {
        "release_id": writer.release_id,
        "published": published.moved,
        "as_of": iso(moment),
        "rows": report["rows"],
        "matches": report["matches"],
        "forgotten_files": len(forgotten),
    }


def _models() -> list[LoadedModel]:
    """The mirrored models; a missing challenger is nothing unusual, a missing champion is."""
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


def _parsed(key: str, etag: str) -> MatchesFile:
    if (key, etag) not in parsed_files:
        found = wiring.objects().get(key)
        assert found is not None  # noqa: S101 - no ETag was given
        for old in [known for known in parsed_files if known[0] == key]:
            del parsed_files[old]
        parsed_files[key, etag] = parse_file(key.removeprefix(RAW_MATCHES), found.body)
    return parsed_files[key, etag]
