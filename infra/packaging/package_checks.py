"""Checks of a stage's packages: sizes against Lambda's limits, and missing shared libraries."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chalicelib.endpoints import Layer
from infra.packaging import dependencies
from infra.packaging.archive import unzipped_size
from infra.packaging.elf import missing_libraries
from infra.stack.functions import FUNCTIONS, Package
from infra.stack.stages import Target

MEGABYTE: Final = 1024 * 1024
UNZIPPED_LIMIT: Final = 250 * MEGABYTE
ZIPPED_LIMIT: Final = 50 * MEGABYTE
PREDICT_LIMIT: Final = 30 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Size:
    """A function's size, in bytes.

    Args:
        function: Its name.
        zipped: Its own archive, as uploaded; AWS limits each archive to 50 MB.
        unzipped: Code and layers unpacked; AWS limits them to 250 MB.
        layers_zipped: Its layers' archives, each of which is an upload of its own.
    """

    function: str
    zipped: int
    unzipped: int
    layers_zipped: tuple[int, ...] = ()


def sizes(out: Path) -> list[Size]:
    """Sizes of the deployed functions with their layers.

    Args:
        out: Folder with the template and the archives.
    """
    template = json.loads((out / "sam.json").read_text(encoding="utf-8"))
    archives = {Package.API: out / "deployment.zip", Package.BATCH: out / "batch.zip"}
    unzipped = {
        path: unzipped_size(path)
        for path in [*archives.values(), *(out / f"{x.value}.zip" for x in Layer)]
        if path.exists()
    }
    return [
        Size(
            function.name,
            archives[function.package].stat().st_size,
            unzipped[archives[function.package]]
            + sum(unzipped[out / f"{layer.value}.zip"] for layer in function.layers),
            tuple((out / f"{layer.value}.zip").stat().st_size for layer in function.layers),
        )
        for function in FUNCTIONS
        if function.logical_id in template["Resources"]
    ]


def oversized(measured: Iterable[Size]) -> list[str]:
    """A sentence for every exceeded limit."""
    faults = []
    for size in measured:
        limit = PREDICT_LIMIT if size.function == "predict" else UNZIPPED_LIMIT
        if size.unzipped > limit:
            faults.append(
                f"{size.function}: {size.unzipped / MEGABYTE:.1f} MB unzipped, over {limit / MEGABYTE:.0f} MB"
            )
        faults += [
            f"{size.function}: {part} of {zipped / MEGABYTE:.1f} MB zipped, over {ZIPPED_LIMIT / MEGABYTE:.0f} MB"
            for part, zipped in [("an archive", size.zipped), *(("a layer", layer) for layer in size.layers_zipped)]
            if zipped > ZIPPED_LIMIT
        ]
    return faults


def unresolved_libraries(target: Target) -> list[str]:
    """Shared libraries that a package needs but lacks."""
    layers = {
        "lightgbm-native": dependencies.lightgbm_layer(target) / "layer",
        "pyarrow": dependencies.pyarrow_layer(target) / "layer",
    }
    return missing_libraries({"api": dependencies.api_vendor(target), **layers}) + missing_libraries(
        {"batch": dependencies.batch_vendor(target) / "vendor", **layers}
    )
