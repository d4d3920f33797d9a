"""From a stage to its current model: read from the S3 mirror, cached per sandbox, last good one kept.

Only the mirror is read; the registry itself is never on the request path, so predictions go on while it is down.
"""

import hashlib
import logging
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from chalicelib.domain import MODEL_NAME, OutcomeProbabilities, Stage
from chalicelib.errors import InvalidModel, ModelUnavailable
from chalicelib.models.mirror import ModelInfo, mirror_key
from chalicelib.models.native import NativeModel
from chalicelib.models.signature import Signature
from chalicelib.storage.objects import ObjectMissing, ObjectStore, ObjectStoreUnavailable, read

logger = logging.getLogger(__name__)


class ServedModel:
    """A loaded model with its signature: features by name in, outcome probabilities out.

    Raises:
        InvalidModel: the booster's feature names differ from the signature's, or their order does.
    """

    def __init__(self, info: ModelInfo, native: NativeModel) -> None:
        self._signature = Signature(info.features)
        if native.feature_names != self._signature.names:
            raise InvalidModel(
                f"version {info.registered_version}: the model's features differ from its signature's",
                [
                    {
                        "loc": ["features"],
                        "msg": f"{native.feature_names} != {self._signature.names}",
                        "type": "signature",
                    }
                ],
            )
        self.info = info
        self.native = native

    def row(self, features: Mapping[str, float | None]) -> list[float]:
        """The model's input row; see `Signature.row`."""
        return self._signature.row(features)

    def ignored(self, features: Mapping[str, float | None]) -> list[str]:
        """Names in `features` that the signature does not know, sorted."""
        return self._signature.ignored(features)

    def predict(self, row: list[float]) -> OutcomeProbabilities:
        """Outcome probabilities of one row made by `row`."""
        return OutcomeProbabilities(*self.native.predict_row(row))

    def predict_many(self, rows: list[list[float]]) -> list[OutcomeProbabilities]:
        """Outcome probabilities of many rows in one native call."""
        return [OutcomeProbabilities(*probabilities) for probabilities in self.native.predict_rows(rows)]

    def contributions(self, row: list[float]) -> list[tuple[float, ...]]:
        """Per outcome, what each feature adds to its raw score; the last number is the expected score."""
        return self.native.contributions(row)


@dataclass(slots=True)
class _Cached:
    etag: str
    info: ModelInfo
    checked_at: float
    model: ServedModel | None = None
    # Whether the model's file was read and has the recorded checksum.
    is_whole: bool = False


class ModelStore:
    """The current model of each stage.

    Args:
        objects: Where the mirror is.
        check_seconds: How long an answer of the mirror is trusted before it is asked again (by ETag).
        clock: Monotonic seconds.
    """

    def __init__(self, objects: ObjectStore, check_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._objects = objects
        self._check_seconds = check_seconds
        self._clock = clock
        self._cache: dict[Stage, _Cached] = {}

    def info(self, stage: Stage) -> ModelInfo:
        """The stage's metadata, without loading the model.

        Raises:
            ModelUnavailable: no version has the alias, or the mirror was never readable.
        """
        return self._fresh(stage).info

    def is_loadable(self, stage: Stage) -> bool:
        """Whether the mirror holds the model it names, whole, so that every serving function can load it.

        Read once per version, since a model's file never changes; again while it is missing or damaged.

        Raises:
            ModelUnavailable: no version has the alias, or the mirror was never readable.
        """
        cached = self._fresh(stage)
        if not cached.is_whole:
            try:
                self._content(cached.info)
            except (ObjectMissing, ObjectStoreUnavailable, InvalidModel) as error:
                logger.warning("the mirrored model cannot be loaded", extra={"reason": error.code})
            else:
                cached.is_whole = True
        return cached.is_whole

    def current(self, stage: Stage) -> ServedModel:
        """The stage's model.

        Raises:
            ModelUnavailable: no version has the alias, or none was ever readable.
        """
        cached = self._cache.get(stage)
        if cached is None or cached.model is None or self._clock() - cached.checked_at >= self._check_seconds:
            cached = self._fresh(stage)
        if cached.model is None:
            try:
                cached.model = self._load(cached.info)
            except (ObjectMissing, ObjectStoreUnavailable, InvalidModel) as error:
                raise ModelUnavailable(f"the model of {stage} cannot be read: {error.message}") from error
        return cached.model

    def _fresh(self, stage: Stage) -> _Cached:
        cached = self._cache.get(stage)
        now = self._clock()
        if cached is not None and now - cached.checked_at < self._check_seconds:
            return cached
        try:
            found = self._objects.get(mirror_key(stage), unless_etag=cached.etag if cached else None)
            if found is not None:
                cached = self._replacement(stage, cached, found.body, found.etag)
        except ObjectMissing as error:
            # The alias is gone from the registry: nobody wants this model served any more.
            self._cache.pop(stage, None)
            raise ModelUnavailable(f"no registered version of {MODEL_NAME} has the alias {stage}") from error
        except (ObjectStoreUnavailable, InvalidModel) as error:
            if cached is None:
                raise ModelUnavailable(f"the model mirror cannot be read: {error.message}") from error
            logger.warning("model mirror unreadable, keeping the last good model", extra={"reason": error.code})
        assert cached is not None  # noqa: S101 - the store answers None only for an ETag it was given
        cached.checked_at = now
        self._cache[stage] = cached
        return cached

    def _replacement(self, stage: Stage, old: _Cached | None, body: bytes, etag: str) -> _Cached:
        info = ModelInfo.from_json(body, stage)
        replacement = _Cached(etag, info, self._clock())
        if old is not None and old.model is not None:
            if info.model_sha256 == old.info.model_sha256 and info.features == old.info.features:
                replacement.model = ServedModel(info, old.model.native)
            else:
                try:
                    replacement.model = self._load(info)
                except (ObjectMissing, InvalidModel) as error:
                    raise InvalidModel(f"version {info.registered_version}: {error.message}") from error
        return replacement

    def _content(self, info: ModelInfo) -> bytes:
        body = read(self._objects, info.model_key).body
        if hashlib.sha256(body).hexdigest() != info.model_sha256:
            raise InvalidModel(f"{info.model_key} does not have the recorded checksum")
        return body

    def _load(self, info: ModelInfo) -> ServedModel:
        content = self._content(info)
        with tempfile.NamedTemporaryFile(suffix=".lgb") as file:
            file.write(content)
            file.flush()
            return ServedModel(info, NativeModel(Path(file.name)))
