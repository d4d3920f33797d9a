"""Mirror the registry's aliases into the bucket, where the serving functions read them.

It takes four calls of the MLflow server's REST API (`batch.mlflow.rest`).
"""

import hashlib
import json
import logging
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import yaml

from batch.mlflow.candidate import GOLDEN_FILE, GoldenRows, validate
from batch.mlflow.rest import MlflowRest
from chalicelib.domain import MODEL_NAME, Stage
from chalicelib.errors import InvalidModel, RegistryUnavailable
from chalicelib.models.mirror import ModelInfo, mirror_key
from chalicelib.storage.checksummed import sealed
from chalicelib.storage.objects import ObjectStore, read_if_present

logger = logging.getLogger(__name__)

MODEL_FILE: Final = "model.lgb"
REPORT_FOLDER: Final = "report"
REFERENCE_FILE: Final = f"{REPORT_FOLDER}/reference.parquet"


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A model version in the registry and the address of its files."""

    version: str
    run_id: str
    artifact_uri: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a training run logged, and the address of its artifacts."""

    metrics: dict[str, float]
    params: dict[str, str]
    artifact_uri: str
    experiment_id: str


class Registry(Protocol):
    """The part of a model registry that the mirror needs."""

    def version_of(self, stage: Stage) -> RegisteredVersion | None:
        """The version with that alias; None if there is none.

        Raises:
            RegistryUnavailable: the registry does not answer.
        """
        ...

    def run(self, run_id: str) -> Run:
        """Metrics, parameters and artifacts of a run.

        Raises:
            RegistryUnavailable: the registry does not answer.
        """
        ...

    def file(self, artifact_uri: str, name: str) -> bytes | None:
        """One file below a model's or a run's address; None if there is none.

        Raises:
            RegistryUnavailable: the registry does not answer.
            InvalidModel: this kind of address cannot be read.
        """
        ...


class MlflowRegistry:
    """The registry of an MLflow server.

    Args:
        server: The server.
        read_s3: Reads `s3://bucket/key`, for servers with direct artifact access.
    """

    def __init__(self, server: MlflowRest, read_s3: Callable[[str, str], bytes | None] | None = None) -> None:
        self._server = server
        self._read_s3 = read_s3

    def version_of(self, stage: Stage) -> RegisteredVersion | None:
        """See `Registry.version_of`."""
        alias = self._server.get("registered-models/alias", {"name": MODEL_NAME, "alias": stage.value})
        if alias is None:
            return None
        version = alias["model_version"]
        address = self._server.get(
            "model-versions/get-download-uri", {"name": MODEL_NAME, "version": str(version["version"])}
        )
        if address is None:
            raise RegistryUnavailable(f"version {version['version']} vanished while it was read")
        return RegisteredVersion(str(version["version"]), version["run_id"], address["artifact_uri"])

    def run(self, run_id: str) -> Run:
        """See `Registry.run`."""
        answer = self._server.get("runs/get", {"run_id": run_id})
        if answer is None:
            raise RegistryUnavailable(f"run {run_id} vanished while it was read")
        data = answer["run"]["data"]
        metrics = {metric["key"]: float(metric["value"]) for metric in data.get("metrics", [])}
        params = {param["key"]: str(param["value"]) for param in data.get("params", [])}
        info = answer["run"]["info"]
        return Run(metrics, params, info["artifact_uri"], info["experiment_id"])

    def file(self, artifact_uri: str, name: str) -> bytes | None:
        """See `Registry.file`."""
        address = urllib.parse.urlsplit(artifact_uri)
        path = f"{address.path.strip('/')}/{name}"
        if address.scheme == "mlflow-artifacts":
            # for a missing file a server with artifacts in S3 answers 500
            folder, _, file_name = path.rpartition("/")
            return self._server.artifact(path) if file_name in self._server.artifact_names(folder) else None
        if address.scheme == "s3" and self._read_s3 is not None:
            return self._read_s3(address.netloc, path)
        raise InvalidModel(f"artifacts are stored at an address that cannot be read: {address.scheme}")


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Outcome for one alias: `updated`, `repaired`, `unchanged`, `removed` or `refused`."""

    stage: Stage
    outcome: str
    registered_version: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version that was read and may be served.

    Args:
        version: The version.
        run: The run that made it.
        features: The signature's columns, each with name, type and required.
        model: LightGBM text model.
        reference: Rows of the training features, the reference of drift; a model of another origin may have none.
        golden_rows: How many golden rows it was compared with.
    """

    version: RegisteredVersion
    run: Run
    features: list[dict[str, Any]]
    model: bytes
    reference: bytes | None
    golden_rows: int


def candidate_of(registry: Registry, version: RegisteredVersion) -> Candidate:
    """Read a version and check that it can be served; see `batch.mlflow.candidate`.

    Raises:
        RegistryUnavailable: the registry does not answer.
        InvalidModel: it cannot be served.
    """
    model = _required_file(registry, version, MODEL_FILE)
    features = signature_features(_required_file(registry, version, "MLmodel"))
    run = registry.run(version.run_id)
    reference = registry.file(run.artifact_uri, REFERENCE_FILE)
    stored = registry.file(run.artifact_uri, f"{REPORT_FOLDER}/{GOLDEN_FILE}")
    golden = GoldenRows.from_json(stored) if stored is not None else None
    validate(model, [feature["name"] for feature in features], golden)
    return Candidate(version, run, features, model, reference, len(golden.rows) if golden is not None else 0)


def publish(candidate: Candidate, objects: ObjectStore, stage: Stage, now: datetime, ui_url: str = "") -> None:
    """Write a candidate to a stage's mirror.

    The model file is written first, under a unique name, and the description that names it last, so that readers never
    see one without the other. `ui_url` is the registry's user interface, for a link to the run.
    """
    version, run = candidate.version, candidate.run
    digest = hashlib.sha256(candidate.model).hexdigest()
    name = f"models/{stage}/{version.version}-{digest[:12]}"
    description: dict[str, Any] = {
        "schema_version": 1,
        "model_name": MODEL_NAME,
        "stage": stage.value,
        "registered_version": version.version,
        "model_run_id": version.run_id,
        "run_url": _run_page(ui_url, run.experiment_id, version.run_id),
        "metrics": run.metrics,
        "params": run.params,
        "features": candidate.features,
        "model_key": f"{name}.lgb",
        "reference_key": f"{name}-reference.parquet" if candidate.reference is not None else None,
        "reference_sha256": (
            hashlib.sha256(candidate.reference).hexdigest() if candidate.reference is not None else None
        ),
        "model_sha256": digest,
        "golden_rows": candidate.golden_rows,
        "synced_at": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    objects.put(description["model_key"], candidate.model)
    if candidate.reference is not None:
        objects.put(description["reference_key"], candidate.reference)
    objects.put(mirror_key(stage), sealed(description))


def sync(registry: Registry, objects: ObjectStore, stage: Stage, now: datetime, ui_url: str = "") -> Mirrored:
    """Bring one alias's mirror in line with the registry.

    Where the registry no longer has the alias, the mirror is removed; where it does not answer, the mirror stays. A
    mirror whose files are missing or damaged is written again.

    Raises:
        RegistryUnavailable, ObjectStoreUnavailable: nothing was changed.
        InvalidModel: the version cannot be served; the mirror stays.
    """
    version = registry.version_of(stage)
    current = _mirrored(objects, stage)
    if version is None:
        if current is None:
            return Mirrored(stage, "unchanged", None)
        objects.delete(mirror_key(stage))
        return Mirrored(stage, "removed", None)
    outcome = "updated"
    if current is not None and _is_mirror_of(current, version, ui_url):
        damaged = damaged_files(objects, current)
        if not damaged:
            return Mirrored(stage, "unchanged", version.version)
        logger.error("mirrored model damaged", extra={"stage": stage.value, "keys": damaged})
        outcome = "repaired"
    publish(candidate_of(registry, version), objects, stage, now, ui_url)
    return Mirrored(stage, outcome, version.version)


def damaged_files(objects: ObjectStore, info: ModelInfo) -> list[str]:
    """Keys of a mirrored model's files that are missing or do not have the recorded checksum.

    Raises:
        ObjectStoreUnavailable: the bucket does not answer.
    """
    recorded: list[tuple[str, str | None]] = [(info.model_key, info.model_sha256)]
    if info.reference_key is not None:
        recorded.append((info.reference_key, info.reference_sha256))
    damaged = []
    for key, sha256 in recorded:
        stored = read_if_present(objects, key)
        if stored is None or hashlib.sha256(stored.body).hexdigest() != sha256:
            damaged.append(key)
    return damaged


def _is_mirror_of(current: ModelInfo, version: RegisteredVersion, ui_url: str) -> bool:
    """Whether it describes that version as this code does, with a link to where its pages are now."""
    if current.reference_key is not None and current.reference_sha256 is None:
        return False
    linked = current.run_url.startswith(ui_url) if current.run_url and ui_url else not (current.run_url or ui_url)
    return linked and (current.registered_version, current.model_run_id) == (version.version, version.run_id)


def _run_page(ui_url: str, experiment_id: str, run_id: str) -> str | None:
    return f"{ui_url.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}" if ui_url else None


def _required_file(registry: Registry, version: RegisteredVersion, name: str) -> bytes:
    content = registry.file(version.artifact_uri, name)
    if content is None:
        raise InvalidModel(f"version {version.version} has no file {name}")
    return content


def signature_features(mlmodel: bytes) -> list[dict[str, Any]]:
    """The inputs of an `MLmodel` file's signature, each with name, type and required.

    Raises:
        InvalidModel: there is no column-based signature.
    """
    try:
        columns = json.loads(yaml.safe_load(mlmodel)["signature"]["inputs"])
        return [
            {"name": column["name"], "type": column["type"], "required": bool(column.get("required", True))}
            for column in columns
        ]
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise InvalidModel(f"the model has no usable signature: {error}") from error


def _mirrored(objects: ObjectStore, stage: Stage) -> ModelInfo | None:
    mirror = read_if_present(objects, mirror_key(stage))
    if mirror is None:
        return None
    try:
        return ModelInfo.from_json(mirror.body, stage)
    except InvalidModel:
        logger.warning("the mirror is malformed and will be written again", extra={"stage": stage.value})
        return None
