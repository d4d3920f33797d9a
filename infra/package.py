"""Build what a stage deploys: `python -m infra.package --stage local`.

Leaves in `build/<stage>/out/`: `sam.json` (the whole template), `deployment.zip` (API package, zipped by
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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra import cfn_yaml, dependencies
from infra.archive import files_below, fingerprint, normalise_zip, tree_size, unzipped_size, write_zip
from infra.elf import missing_libraries
from infra.functions import FUNCTIONS, Function, Layer, Package
from infra.gateway_definition import gateway_resources
from infra.paths import BUILD, ROOT, TEMPLATE
from infra.stages import LOCAL_STAGE, STAGES, Target, target_of

MEGABYTE: Final = 1024 * 1024
UNZIPPED_LIMIT: Final = 250 * MEGABYTE
ZIPPED_LIMIT: Final = 50 * MEGABYTE
PREDICT_LIMIT: Final = 30 * MEGABYTE

BATCH_ENTRY: Final = "batch.handlers"
_DATA_FILES: Final = frozenset({".csv", ".json", ".parquet", ".yaml", ".toml"})
_SOURCES: Final = ("app.py", "chalicelib", "batch", "infra", ".chalice/config.json", "requirements.txt")


class PackagingError(Exception):
    """The package would not work or would not be accepted."""


@dataclass(frozen=True, slots=True)
class Size:
    """What one function weighs, in bytes.

    Args:
        function: Its name.
        zipped: Its own archive, as uploaded.
        unzipped: Code and layers unpacked, which AWS limits to 250 MB.
    """

    function: str
    zipped: int
    unzipped: int


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


# ── Template ────────────────────────────────────────────────────────────────────────────────────────


def _policy(function: Function) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(function.policy_file.read_text(encoding="utf-8"))
    return document


def _batch_role(function: Function) -> dict[str, Any]:
    """The role chalice would make, for a function it does not know."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "",
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            },
            "Policies": [{"PolicyDocument": _policy(function), "PolicyName": f"{function.role_logical_id}Policy"}],
        },
    }


def function_overlay(function: Function, target: Target) -> dict[str, Any]:
    """What every function gets beside what chalice or the template says: name, runtime, layers, role, log group."""
    log_group = f"{function.logical_id}Logs"
    properties: dict[str, Any] = {
        # A name of our own, because the log group and the policy that allows writing to it need it beforehand.
        "FunctionName": {"Fn::Sub": f"${{AWS::StackName}}-{function.name}"},
        "Runtime": target.runtime,
        "Architectures": [target.architecture],
        "Role": {"Fn::GetAtt": [function.role_logical_id, "Arn"]},
        "LoggingConfig": {"LogGroup": {"Ref": log_group}},
    }
    if function.layers:
        properties["Layers"] = [{"Ref": layer.logical_id} for layer in function.layers]
    resources: dict[str, Any] = {
        function.logical_id: {"Type": "AWS::Serverless::Function", "Properties": properties},
        log_group: {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function.name}"},
                "RetentionInDays": {"Ref": "LogRetentionDays"},
            },
        },
    }
    if function.package is Package.BATCH:
        resources[function.role_logical_id] = _batch_role(function)
    return resources


def _merge(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`base` with `extra` laid over it, dictionaries key by key (chalice's own rule)."""
    merged = dict(base)
    for key, value in extra.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def merge_template(deployed: Iterable[Function], target: Target) -> dict[str, Any]:
    """What chalice merges over its own output: `infra/template.yaml`, the gateway and the functions' common parts.

    Args:
        deployed: The functions there is code for.
        target: What they run on.
    """
    functions = {function.name: function for function in deployed}
    template = cfn_yaml.load(TEMPLATE)
    absent = {function.logical_id for function in FUNCTIONS} - {function.logical_id for function in functions.values()}
    resources = {name: resource for name, resource in template["Resources"].items() if name not in absent}
    for layer in Layer:
        resources[layer.logical_id]["Properties"] |= {
            "CompatibleRuntimes": [target.runtime],
            "CompatibleArchitectures": [target.architecture],
        }
    for function in functions.values():
        resources = _merge(resources, function_overlay(function, target))
    template["Resources"] = resources | gateway_resources(functions)
    return template


def _walk(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _walk(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}/{index}")


def check_template(template: dict[str, Any]) -> None:
    """Refuse what chalice's merge can silently break.

    Raises:
        PackagingError: An object has two intrinsics, or a function kept a policy or role that is not its own.
    """
    for path, value in _walk(template["Resources"], ""):
        intrinsics = [key for key in value if key == "Ref" or key.startswith("Fn::")]
        if intrinsics and len(value) > 1:
            raise PackagingError(
                f"{path} has {', '.join(sorted(value))} at once: the template and app.py both set it; name queues in "
                f"app.py by queue_arn (a string), which the template's intrinsic replaces"
            )
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            role = resource["Properties"].get("Role")
            if role != {"Fn::GetAtt": [f"{name}Role", "Arn"]}:
                raise PackagingError(f"function {name} has the role {role} instead of its own")


# ── Packages ────────────────────────────────────────────────────────────────────────────────────────


def _run_chalice(project: Path, out: Path, stage: str, merge: Path | None) -> dict[str, Any]:
    """Run `chalice package` in a staging project and return its template."""
    command = [str(Path(sys.executable).parent / "chalice"), "package", "--stage", stage]
    if merge is not None:
        command += ["--merge-template", str(merge)]
    environment = {
        **os.environ,
        # chalice asks botocore for the region's names only; it calls nothing.
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


def _stage_api(project: Path, target: Target) -> None:
    """The chalice project as it is packaged: the checkout's code, locked dependencies, nothing for pip to resolve."""
    project.mkdir(parents=True, exist_ok=True)
    for name in ("chalicelib", ".chalice", "vendor"):
        shutil.rmtree(project / name, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "deployments", "deployed")
    shutil.copyfile(ROOT / "app.py", project / "app.py")
    shutil.copytree(ROOT / "chalicelib", project / "chalicelib", ignore=ignore)
    shutil.copytree(ROOT / ".chalice", project / ".chalice", ignore=ignore)
    (project / "requirements.txt").write_text("", encoding="utf-8")
    shutil.copytree(dependencies.api_vendor(target), project / "vendor")


def _declared_functions(project: Path) -> set[str]:
    """The names app.py declares, without building anything: in an interpreter of its own, so that it is read afresh."""
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
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        path = root.joinpath(*name.split("."))
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in found or not source.exists():
            continue
        found.add(name)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                # `from package import name` imports a module if `name` is one
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


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
    """Build a stage's packages, layers and template; nothing is done when no input changed.

    Returns:
        The folder with `sam.json` and the archives.

    Raises:
        PackagingError: app.py cannot be imported, declares a function infra does not know, or the template is broken.
    """
    with _locked(BUILD / f"{stage}.lock"):
        return _build_stage(stage, target or target_of(stage), force=force)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One build at a time: a demo and a test run may want the same packages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_stage(stage: str, target: Target, *, force: bool) -> Path:
    out = output_folder(stage)
    stamp = stage_folder(stage) / "fingerprint"
    wanted = source_fingerprint(stage, target)
    if not force and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return out
    stamp.unlink(missing_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    layers = {Layer.LIGHTGBM: dependencies.lightgbm_layer(target), Layer.PYARROW: dependencies.pyarrow_layer(target)}
    for layer, folder in layers.items():
        shutil.copyfile(folder / "layer.zip", out / f"{layer.value}.zip")

    project = stage_folder(stage) / "api"
    _stage_api(project, target)
    declared = _declared_functions(project)
    unknown = declared - {function.name for function in FUNCTIONS if function.package is Package.API}
    if unknown:
        raise PackagingError(f"app.py declares {', '.join(sorted(unknown))}, which infra/functions.py does not list")
    batch = _batch_functions()
    deployed = [function for function in FUNCTIONS if function.name in (declared | batch)]
    for function in FUNCTIONS:
        if function not in deployed:
            print(f"    no code for {function.name} yet: left out of the stack")
    dependencies.compile_bytecode(project / "chalicelib", target)
    merge = stage_folder(stage) / "merge.json"
    merge.write_text(json.dumps(merge_template(deployed, target), indent=1), encoding="utf-8")
    sam = _run_chalice(project, out, stage, merge)
    check_template(sam)
    normalise_zip(out / "deployment.zip")
    if batch:
        vendor = dependencies.batch_vendor(target) / "vendor.zip"
        write_zip(out / "batch.zip", _batch_members(target, stage_folder(stage) / "batch"), base=vendor)
    stamp.write_text(wanted, encoding="utf-8")
    return out


# ── Gates ───────────────────────────────────────────────────────────────────────────────────────────


def sizes(stage: str) -> list[Size]:
    """What each deployed function weighs with its layers."""
    out = output_folder(stage)
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
        )
        for function in FUNCTIONS
        if function.logical_id in template["Resources"]
    ]


def oversized(measured: Iterable[Size]) -> list[str]:
    """Every limit that is broken, as a sentence; empty when all is well."""
    faults = []
    for size in measured:
        limit = PREDICT_LIMIT if size.function == "predict" else UNZIPPED_LIMIT
        if size.unzipped > limit:
            faults.append(
                f"{size.function}: {size.unzipped / MEGABYTE:.1f} MB unzipped, over {limit / MEGABYTE:.0f} MB"
            )
        if size.zipped > ZIPPED_LIMIT:
            faults.append(
                f"{size.function}: {size.zipped / MEGABYTE:.1f} MB zipped, over {ZIPPED_LIMIT / MEGABYTE:.0f} MB"
            )
    return faults


def unresolved_libraries(target: Target) -> list[str]:
    """Shared libraries that a package of ours needs and does not bring."""
    layers = {
        "lightgbm-native": dependencies.lightgbm_layer(target) / "layer",
        "pyarrow": dependencies.pyarrow_layer(target) / "layer",
    }
    return missing_libraries({"api": dependencies.api_vendor(target), **layers}) + missing_libraries(
        {"batch": dependencies.batch_vendor(target) / "vendor", **layers}
    )


def main(arguments: list[str] | None = None) -> int:
    """Build a stage, print what each function weighs, fail on a broken limit."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default=os.environ.get("STAGE", LOCAL_STAGE))
    parser.add_argument("--force", action="store_true", help="build even if no input changed")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    target = target_of(options.stage)
    try:
        out = build_stage(options.stage, target, force=options.force)
    except (PackagingError, subprocess.CalledProcessError) as error:
        print(f"packaging failed: {error}", file=sys.stderr)
        return 1
    measured = sizes(options.stage)
    print(f"{'function':<16}{'zipped MB':>11}{'with layers MB':>16}   runtime {target.runtime} {target.architecture}")
    for size in measured:
        print(f"{size.function:<16}{size.zipped / MEGABYTE:>11.1f}{size.unzipped / MEGABYTE:>16.1f}")
    faults = oversized(measured) + unresolved_libraries(target)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    seconds, weight = time.monotonic() - started, tree_size(out) / MEGABYTE
    print(f"{out.relative_to(ROOT)} built in {seconds:.1f} s, {weight:.0f} MB to upload")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
