"""The description of a registered model in the S3 mirror; `sync_models` writes it, serving functions read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from chalicelib.domain import MODEL_NAME, Stage
from chalicelib.errors import InvalidModel
from chalicelib.storage.checksummed import unsealed


def mirror_key(stage: Stage) -> str:
    """Key of the object that names a stage's mirrored model."""
    return f"models/{stage}/current.json"


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One column of the model's signature; a column that is not required may be null."""

    name: str
    type: str
    required: bool


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model version's description from the registry, as mirrored.

    Args:
        stage: Alias it is served under.
        registered_version: Version number in the registry.
        model_run_id: MLflow run that produced it.
        metrics: Logged metrics of that run.
        params: Logged parameters of that run.
        features: The signature's inputs, in the model's column order.
        model_key: Object key of the LightGBM text model.
        model_sha256: Its SHA-256, in hex.
        synced_at: When it was mirrored, ISO-8601.
        reference_key: Object key of rows of its training features, if it has some.
        run_url: The run's page in MLflow, where people can open it.
        reference_sha256: SHA-256 of the reference rows, in hex.
    """

    stage: Stage
    registered_version: str
    model_run_id: str
    metrics: Mapping[str, float]
    params: Mapping[str, str]
    features: tuple[FeatureSpec, ...]
    model_key: str
    model_sha256: str
    synced_at: str
    model_name: str = MODEL_NAME
    reference_key: str | None = None
    run_url: str | None = None
    reference_sha256: str | None = None

    @classmethod
    def from_json(cls, body: bytes, stage: Stage) -> Self:
        """Parse a mirror object.

        Raises:
            InvalidModel: it is not one, or is damaged.
        """
        try:
            raw: dict[str, Any] = unsealed(body)
            return cls(
                stage=stage,
                registered_version=str(raw["registered_version"]),
                model_run_id=raw["model_run_id"],
                metrics=raw["metrics"],
                params=raw["params"],
                features=tuple(FeatureSpec(f["name"], f["type"], f["required"]) for f in raw["features"]),
                model_key=raw["model_key"],
                model_sha256=raw["model_sha256"],
                synced_at=raw["synced_at"],
                model_name=raw["model_name"],
                reference_key=raw.get("reference_key"),
                run_url=raw.get("run_url"),
                reference_sha256=raw.get("reference_sha256"),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidModel(f"the mirror of {stage} is malformed: {error}") from error
