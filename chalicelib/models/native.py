"""LightGBM's C API: load a text model, predict one row or many. Knows nothing of soccer.

The Python package `lightgbm` needs numpy and scipy (about 150 MB unzipped) and is slower; the library
itself is 9 MB (docs/adr/0003). Signatures: LightGBM 4.x `include/LightGBM/c_api.h`.
"""

import ctypes
import os
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from chalicelib.errors import InvalidModel

_FLOAT64: Final = 1
_PREDICT_NORMAL: Final = 0
_PREDICT_CONTRIB: Final = 3
_ROW_MAJOR: Final = 1
# a sandbox has about one core: OpenMP's start-up costs more than it gains on single rows
_PARAMETERS: Final = b"num_threads=1 verbosity=-1"
_LIBRARY: Final = "lib_lightgbm.so"


def _candidates() -> Iterator[Path]:
    if configured := os.environ.get("LIGHTGBM_LIB"):
        yield Path(configured)
    # on AWS layers are merged into /opt; an emulator with plain processes lists their folders
    roots = ["/opt", *filter(None, os.environ.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep))]
    yield from (Path(root) / "lib" / _LIBRARY for root in roots)
    # in a developer's environment: the wheel's own copy, located without importing the package
    if (spec := find_spec("lightgbm")) and spec.origin:
        yield Path(spec.origin).parent / "lib" / _LIBRARY


@cache
def _library() -> ctypes.CDLL:
    for path in _candidates():
        if path.is_file():
            library = ctypes.CDLL(str(path))
            library.LGBM_GetLastError.restype = ctypes.c_char_p
            return library
    raise InvalidModel("LightGBM's native library is neither in a layer nor in this environment")


def _check(status: int) -> None:
    if status != 0:
        message = _library().LGBM_GetLastError()
        raise InvalidModel(f"LightGBM: {message.decode(errors='replace')}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidModel(f"no model file at {path}") from error


class NativeModel:
    """A loaded LightGBM multiclass model.

    Args:
        model: LightGBM text model, as `Booster.save_model` writes it, or the path of one.

    Raises:
        InvalidModel: it is not a LightGBM model, or not one of the expected number of classes.
    """

    def __init__(self, model: bytes | Path, num_classes: int = 3) -> None:
        # not by LightGBM, which aborts the process on some missing files instead of returning an error
        content = model if isinstance(model, bytes) else _content(model)
        self._lib = _library()
        self._handle = ctypes.c_void_p()
        iterations = ctypes.c_int()
        _check(self._lib.LGBM_BoosterLoadModelFromString(content, ctypes.byref(iterations), ctypes.byref(self._handle)))
        self._fast = ctypes.c_void_p()
        classes = self._int("LGBM_BoosterGetNumClasses")
        if classes != num_classes:
            raise InvalidModel(f"the model has {classes} classes, expected {num_classes}")
        self.num_classes = num_classes
        self.num_features = self._int("LGBM_BoosterGetNumFeature")
        self.feature_names = self._names()
        _check(
            self._lib.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._handle,
                _PREDICT_NORMAL,
                0,
                -1,
                _FLOAT64,
                self.num_features,
                ctypes.c_char_p(_PARAMETERS),
                ctypes.byref(self._fast),
            )
        )
        self._row = (ctypes.c_double * self.num_features)()
        self._result = (ctypes.c_double * num_classes)()
        self._length = ctypes.c_int64()
        self._fast_arguments = (self._fast, self._row, ctypes.byref(self._length), self._result)
        # the row buffer is shared by all calls of this object
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if getattr(self, "_fast", None):
            self._lib.LGBM_FastConfigFree(self._fast)
        if getattr(self, "_handle", None):
            self._lib.LGBM_BoosterFree(self._handle)

    def _int(self, function: str) -> int:
        value = ctypes.c_int()
        _check(getattr(self._lib, function)(self._handle, ctypes.byref(value)))
        return value.value

    def _names(self) -> list[str]:
        size = 256
        while True:
            buffers = [ctypes.create_string_buffer(size) for _ in range(self.num_features)]
            array = (ctypes.c_void_p * self.num_features)(*map(ctypes.addressof, buffers))
            count, longest = ctypes.c_int(), ctypes.c_size_t()
            _check(
                self._lib.LGBM_BoosterGetFeatureNames(
                    self._handle,
                    self.num_features,
                    ctypes.byref(count),
                    ctypes.c_size_t(size),
                    ctypes.byref(longest),
                    array,
                )
            )
            if longest.value <= size:
                return [buffer.value.decode() for buffer in buffers[: count.value]]
            size = longest.value

    def predict_row(self, values: Sequence[float]) -> tuple[float, ...]:
        """Class probabilities of one row.

        Args:
            values: One number per feature, in the order of `feature_names`; NaN is missing.

        Returns:
            One probability per class, in class order.

        Raises:
            ValueError: the number of values differs from the number of features.
        """
        with self._lock:
            self._row[:] = values  # type: ignore[call-overload]
            _check(self._lib.LGBM_BoosterPredictForMatSingleRowFast(*self._fast_arguments))
            return tuple(self._result)

    def predict_rows(
        self, rows: "Sequence[Sequence[float]] | ctypes.Array[ctypes.c_double]"
    ) -> list[tuple[float, ...]]:
        """Class probabilities of many rows in one native call.

        Args:
            rows: One sequence per row, or one flat row-major array of doubles.

        Returns:
            One tuple per row, in order.

        Raises:
            ValueError: a row has another number of values than the model has features.
        """
        out = self._predict_matrix(rows, _PREDICT_NORMAL, self.num_classes)
        return [tuple(out[i : i + self.num_classes]) for i in range(0, len(out), self.num_classes)]

    def contributions(self, values: Sequence[float]) -> list[tuple[float, ...]]:
        """What each feature adds to the raw score of each class (SHAP values of the trees).

        Args:
            values: One number per feature, as for `predict_row`.

        Returns:
            Per class a tuple of `num_features + 1` numbers; the last is the class's expected raw score.
        """
        width = self.num_features + 1
        out = self._predict_matrix([values], _PREDICT_CONTRIB, width * self.num_classes)
        return [tuple(out[i : i + width]) for i in range(0, len(out), width)]

    def _predict_matrix(
        self, rows: "Sequence[Sequence[float]] | ctypes.Array[ctypes.c_double]", kind: int, width: int
    ) -> list[float]:
        if isinstance(rows, ctypes.Array):
            matrix, count = rows, len(rows) // self.num_features
        else:
            count = len(rows)
            if any(len(row) != self.num_features for row in rows):
                raise ValueError(f"each row needs {self.num_features} values")
            matrix = (ctypes.c_double * (count * self.num_features))(*(value for row in rows for value in row))
        if count == 0:
            return []
        out = (ctypes.c_double * (count * width))()
        length = ctypes.c_int64()
        _check(
            self._lib.LGBM_BoosterPredictForMat(
                self._handle,
                matrix,
                _FLOAT64,
                ctypes.c_int32(count),
                ctypes.c_int32(self.num_features),
                _ROW_MAJOR,
                kind,
                0,
                -1,
                ctypes.c_char_p(_PARAMETERS),
                ctypes.byref(length),
                out,
            )
        )
        return list(out)
