"""Build the packages of a stage: `python -m infra.packaging.build --stage local`.

Writes to `build/<stage>/out/`: `sam.json` (the whole template), `deployment.zip` (API package, zipped by
chalice), `batch.zip`, `lightgbm-native.zip`, `pyarrow.zip`.
"""

import argparse
import ast
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from chalicelib.endpoints import Layer
from infra.packaging import dependencies
from infra.packaging.archive import files_below, fingerprint, normalise_zip, tree_size, write_zip
from infra.packaging.bare_import import import_faults
from infra.packaging.chalice_config import to_text
from infra.packaging.package_checks import MEGABYTE, oversized, sizes, unresolved_libraries
from infra.paths import BUILD, ROOT
from infra.stack import bulk, function_alarms
from infra.stack.functions import BY_NAME, FUNCTIONS, Package
from infra.stack.stages import LOCAL_STAGE, STAGES, Target, target_of
from infra.stack.template import TemplateError, check_template, merge_template

BATCH_ENTRY: Final = "batch.handlers"
_DATA_FILES: Final = frozenset({".csv", ".json", ".parquet", ".yaml", ".toml"})
_SOURCES: Final = ("app.py", "chalicelib", "batch", "infra", "requirements.txt")


class PackagingError(Exception):
    """The package would not work or would not be accepted."""


def stage_folder(stage: str) -> Path:
    """Everything built for a stage."""
    return BUILD / stage


def output_folder(stage: str) -> Path:
    """The template and the archives it names."""
    return stage_folder(stage) / "out"


def source_fingerprint(stage: str, target: Target) -> str:
    """A hash of everything a stage's build depends on."""
    policies = sorted((ROOT / ".chalice").glob("policy-*.json"))
    return fingerprint([ROOT / source for source in _SOURCES] + policies, stage, target.label, str(target.local))


def _run_chalice(project: Path, out: Path, stage: str, merge: Path | None) -> dict[str, Any]:
    """Run `chalice package` in a staging project and return its template."""
    # through the interpreter: a script's shebang cannot contain a space
    command = [sys.executable, "-c", "from chalice.cli import main; main()", "package", "--stage", stage]
    if merge is not None:
        command += ["--merge-template", str(merge)]
    environment = {
        **os.environ,
        # chalice needs the region for names only; it makes no call
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1"),
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "unused"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "unused"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    result = subprocess.run(
        [*command, str(out)], cwd=project, check=False, env=environment, capture_output=True, text=True
    )
    if result.returncode != 0:
        raise PackagingError(f"chalice package failed:\n{result.stdout}{result.stderr}")
    sam: dict[str, Any] = json.loads((out / "sam.json").read_text(encoding="utf-8"))
    return sam


def _stage_api(project: Path) -> None:
    """Stage the chalice project: the checkout's code, and nothing for pip to resolve."""
    project.mkdir(parents=True, exist_ok=True)
    for name in ("chalicelib", ".chalice", "vendor"):
        shutil.rmtree(project / name, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "deployments", "deployed")
    shutil.copyfile(ROOT / "app.py", project / "app.py")
    shutil.copytree(ROOT / "chalicelib", project / "chalicelib", ignore=ignore)
    shutil.copytree(ROOT / ".chalice", project / ".chalice", ignore=ignore)
    (project / ".chalice" / "config.json").write_text(to_text(), encoding="utf-8")
    (project / "requirements.txt").write_text("", encoding="utf-8")


def _declared_functions(project: Path) -> set[str]:
    """The functions that app.py declares, read in a new interpreter."""
    script = (
        "import json; from app import app;"
        "handlers = list(app.pure_lambda_functions) + list(app.event_sources);"
        "print(json.dumps([handler.name for handler in handlers]))"
    )
    result = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=project, check=False, capture_output=True, text=True
    )
    if result.returncode != 0:
        raise PackagingError(f"app.py cannot be imported:\n{result.stderr}")
    names: list[str] = json.loads(result.stdout.splitlines()[-1])
    return set(names)


def _batch_functions() -> set[str]:
    """The batch functions that `batch/handlers.py` defines."""
    source = ROOT.joinpath(*BATCH_ENTRY.split(".")).with_suffix(".py")
    if not source.exists():
        return set()
    defined = {
        node.name for node in ast.parse(source.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    }
    return {function.name for function in FUNCTIONS if function.package is Package.BATCH} & defined


def imported_modules(entry: str, root: Path = ROOT) -> set[str]:
    """The project's own modules that a module imports, directly or not, also inside functions.

    Args:
        entry: Dotted name of the module to start from.
        root: Where the project's packages are.

    Returns:
        Dotted names of modules and packages, with `entry` and every package above a module.
    """
    modules: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        path = root.joinpath(*name.split("."))
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in modules or not source.exists():
            continue
        modules.add(name)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                # `from package import name` imports a module if `name` is one
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return modules


def _batch_members(target: Target, staging: Path) -> dict[str, Path]:
    """What `batch.handlers` imports of this project, with the data files beside it and bytecode.

    Training, evaluation and the sample stay out because nothing on that path imports them.
    """
    shutil.rmtree(staging, ignore_errors=True)
    for name in imported_modules(BATCH_ENTRY):
        source = ROOT.joinpath(*name.split("."))
        folder = source if source.is_dir() else source.parent
        data = [path for path in folder.iterdir() if path.suffix in _DATA_FILES] if source.is_dir() else []
        for file in [source / "__init__.py" if source.is_dir() else source.with_suffix(".py"), *data]:
            copy = staging / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    dependencies.compile_bytecode(staging, target)
    return files_below(staging)


def build_stage(stage: str, target: Target | None = None, *, force: bool = False) -> Path:
    """Build a stage's packages, layers and template; unchanged inputs are not built again.

    Returns:
        The folder with `sam.json` and the archives.

    Raises:
        PackagingError: app.py cannot be imported, declares a function infra does not know, or the template is broken.
    """
    with _locked(BUILD / f"{stage}.lock"):
        return _build_stage(stage, target or target_of(stage), force=force)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Lock builds: a demo and a test run may need the same packages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_stage(stage: str, target: Target, *, force: bool) -> Path:
    out = output_folder(stage)
    stamp = stage_folder(stage) / "fingerprint"
    fingerprint = source_fingerprint(stage, target)
    if not force and stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint:
        return out
    stamp.unlink(missing_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    layers = {Layer.LIGHTGBM: dependencies.lightgbm_layer(target), Layer.PYARROW: dependencies.pyarrow_layer(target)}
    for layer, folder in layers.items():
        shutil.copyfile(folder / "layer.zip", out / f"{layer.value}.zip")

    project = stage_folder(stage) / "api"
    _stage_api(project)
    shutil.copytree(dependencies.api_vendor(target), project / "vendor")
    dependencies.compile_bytecode(project / "chalicelib", target)
    sam = render(project, out, stage, target)
    normalise_zip(out / "deployment.zip")
    (out / bulk.FILE).write_text(json.dumps(bulk.bulk_template(target), indent=1), encoding="utf-8")
    if BY_NAME["rebuild"].logical_id in sam["Resources"]:
        vendor = dependencies.batch_vendor(target) / "vendor.zip"
        write_zip(out / "batch.zip", _batch_members(target, stage_folder(stage) / "batch"), base=vendor)
    stamp.write_text(fingerprint, encoding="utf-8")
    return out


def render(
    project: Path, out: Path, stage: str, target: Target, batch: Collection[str] | None = None
) -> dict[str, Any]:
    """The stage's whole template, with every function that has code.

    Args:
        project: A staged chalice project.
        out: Folder for the template and chalice's archive.
        stage: The stage.
        target: The functions' target.
        batch: Batch functions to include; those `batch/handlers.py` defines if None.

    Raises:
        PackagingError: app.py cannot be imported or declares a function infra does not know.
        TemplateError: The template is broken.
    """
    declared = _declared_functions(project)
    unknown = declared - {function.name for function in FUNCTIONS if function.package is Package.API}
    if unknown:
        raise PackagingError(
            f"app.py declares {', '.join(sorted(unknown))}, which infra/stack/functions.py does not list"
        )
    available = declared | (_batch_functions() if batch is None else set(batch))
    for function in FUNCTIONS:
        if function.name not in available:
            print(f"    no code for {function.name}: left out of the stack")
    merge = project.parent / "merge.json"
    deployed = [function for function in FUNCTIONS if function.name in available]
    merge.write_text(json.dumps(merge_template(deployed, target), indent=1), encoding="utf-8")
    sam = _run_chalice(project, out, stage, merge)
    check_template(sam)
    (out / function_alarms.FILE).write_text(json.dumps(function_alarms.function_alarms(deployed)), encoding="utf-8")
    return sam


def template_of_stage(stage: str, folder: Path) -> dict[str, Any]:
    """A stage's whole template without packages, for checks.

    Args:
        stage: The stage.
        folder: An empty working folder.
    """
    _stage_api(folder / "api")
    batch = [function.name for function in FUNCTIONS if function.package is Package.BATCH]
    return render(folder / "api", folder / "out", stage, target_of(stage), batch)


def main(arguments: list[str] | None = None) -> int:
    """Build a stage, print each function's size, fail beyond a limit."""
    parser = argparse.ArgumentParser(prog="python -m infra.packaging.build", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default=os.environ.get("STAGE", LOCAL_STAGE))
    parser.add_argument("--force", action="store_true", help="build even if no input changed")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    target = target_of(options.stage)
    try:
        out = build_stage(options.stage, target, force=options.force)
    except (PackagingError, TemplateError, subprocess.CalledProcessError) as error:
        print(f"packaging failed: {error}", file=sys.stderr)
        return 1
    measured = sizes(out)
    print(f"{'MB':<16}{'zipped':>8}{'+ layers':>10}{'unzipped':>10}   runtime {target.runtime} {target.architecture}")
    for size in measured:
        zipped_total = size.zipped + sum(size.layers_zipped)
        print(
            f"{size.function:<16}{size.zipped / MEGABYTE:>8.1f}{zipped_total / MEGABYTE:>10.1f}"
            f"{size.unzipped / MEGABYTE:>10.1f}"
        )
    faults = oversized(measured) + unresolved_libraries(target) + import_faults(out, target)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    seconds, weight = time.monotonic() - started, tree_size(out) / MEGABYTE
    print(f"{out.relative_to(ROOT)} built in {seconds:.1f} s, {weight:.0f} MB to upload")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
