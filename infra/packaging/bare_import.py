"""Import every handler from its package and layers alone, as Lambda would: no site-packages, only the runtime's boto3.

The emulator's interpreter has libraries of its own; a package that lacks one of those would work there and fail on AWS.
"""

import json
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Final

from chalicelib.endpoints import Layer
from infra.packaging import dependencies
from infra.packaging.isolated import run_isolated
from infra.stack.functions import BY_NAME, FUNCTIONS, Package
from infra.stack.stages import Target

_ARCHIVES: Final = {Package.API: "deployment.zip", Package.BATCH: "batch.zip"}
_PROGRAM: Final = """
import importlib, json, sys, sysconfig
given = json.load(sys.stdin)
paths, handlers = given["paths"], given["handlers"]
sys.path[:0] = paths
for handler in handlers:
    module, name = handler.rsplit(".", 1)
    getattr(importlib.import_module(module), name)
allowed = (*paths, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
print(json.dumps(sorted({file for file in files if file.startswith("/") and not file.startswith(allowed)})))
"""


def import_faults(out: Path, target: Target) -> list[str]:
    """A sentence for every handler that cannot be imported from its package and layers.

    Args:
        out: Folder with the template and the archives.
        target: Their target; checked only where this machine can run it.
    """
    python = dependencies.runner(target)
    if python is None:
        print(f"    not imported: this machine cannot run {target.runtime} on {target.architecture}")
        return []
    template = json.loads((out / "sam.json").read_text(encoding="utf-8"))["Resources"]
    handlers: dict[tuple[Package, tuple[Layer, ...]], list[str]] = defaultdict(list)
    for function in FUNCTIONS:
        if function.logical_id in template:
            handler = template[BY_NAME[function.name].logical_id]["Properties"]["Handler"]
            handlers[function.package, function.layers].append(handler)
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        unpacked: dict[str, Path] = {}
        for name in [*_ARCHIVES.values(), *(f"{layer.value}.zip" for layer in Layer)]:
            unpacked[name] = Path(folder) / name
            if (out / name).exists():
                with zipfile.ZipFile(out / name) as archive:
                    archive.extractall(unpacked[name])
        for (package, layers), names in handlers.items():
            # Lambda's order: the layers' python/, then the code, then the runtime's own libraries
            paths = [unpacked[f"{layer.value}.zip"] / "python" for layer in layers] + [unpacked[_ARCHIVES[package]]]
            search = [str(path) for path in [*paths, dependencies.runtime_libraries(target)]]
            faults += import_alone(python, search, names)
    return faults


def import_alone(python: str, paths: list[str], handlers: list[str]) -> list[str]:
    """Import handlers in an isolated interpreter without site-packages.

    Args:
        python: The interpreter.
        paths: Module search path besides the standard library.
        handlers: `module.function`, as in the template.

    Returns:
        What went wrong, as sentences.
    """
    result = run_isolated(python, _PROGRAM, {"paths": paths, "handlers": handlers})
    if result.returncode != 0:
        return [f"{', '.join(handlers)} cannot be imported: {result.stderr.strip().splitlines()[-1]}"]
    strangers: list[str] = json.loads(result.stdout.splitlines()[-1])
    return [f"{', '.join(handlers)} imported {file} from outside" for file in strangers]
