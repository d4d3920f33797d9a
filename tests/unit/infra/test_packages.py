"""Archives, sizes and shared libraries of what is deployed."""

import ast
import json
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from infra.packaging.archive import files_below, fingerprint, normalise_zip, unzipped_size, write_zip
from infra.packaging.bare_import import import_alone
from infra.packaging.build import imported_modules
from infra.packaging.dependencies import entries, locked_names, runner, with_system_certificates
from infra.packaging.elf import missing_libraries, read_binary
from infra.packaging.package_checks import MEGABYTE, Size, oversized, sizes
from infra.packaging.reproducible import checksums, differences
from infra.paths import LOCKS, ROOT
from infra.stack.stages import target_of

# ── Archives ────────────────────────────────────────────────────────────────────────────────────────


def tree(root: Path, **files: str) -> Path:
    """A folder with text files; `__` in a name is a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_the_same_files_make_the_same_archive_whatever_their_times(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_zip(tmp_path / f"{name}.zip", files_below(tree(tmp_path / name, b="2", a__c="1")))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "one.zip").namelist() == ["a/c", "b"]


def test_an_archive_is_extended_without_touching_its_base(tmp_path: Path) -> None:
    base = tmp_path / "base.zip"
    write_zip(base, files_below(tree(tmp_path / "vendor", lib="x" * 10)))
    write_zip(tmp_path / "all.zip", files_below(tree(tmp_path / "code", app="y" * 5)), base=base)
    assert unzipped_size(tmp_path / "all.zip") == 15
    assert unzipped_size(base) == 10


def test_code_that_would_shadow_a_dependency_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "base.zip"
    write_zip(base, files_below(tree(tmp_path / "vendor", lib="x")))
    with pytest.raises(ValueError, match="already in the dependencies"):
        write_zip(tmp_path / "all.zip", files_below(tree(tmp_path / "code", lib="y")), base=base)


def test_an_archive_of_another_tool_is_made_reproducible(tmp_path: Path) -> None:
    for name, order in (("one", "ab"), ("two", "ba")):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for member in order:
                archive.writestr(zipfile.ZipInfo(member, (2024, 1, 1 + ord(order[0]) - 97, 0, 0, 0)), member)
        normalise_zip(tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_two_builds_are_the_same_if_all_their_files_are(tmp_path: Path) -> None:
    first = checksums(tree(tmp_path / "one", sam="1", layer__zip="2"))
    assert differences(first, checksums(tree(tmp_path / "same", sam="1", layer__zip="2"))) == []
    assert differences(first, checksums(tree(tmp_path / "other", sam="1", layer__zip="3"))) == ["layer/zip"]
    assert differences(first, checksums(tree(tmp_path / "less", sam="1"))) == ["layer/zip"]


def test_a_fingerprint_changes_with_content_and_with_names_but_not_with_caches(tmp_path: Path) -> None:
    folder = tree(tmp_path / "source", a="1")
    first = fingerprint([folder])
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert fingerprint([folder]) == first
    (folder / "a").rename(folder / "b")
    renamed = fingerprint([folder])
    (folder / "b").write_text("2", encoding="utf-8")
    assert len({first, renamed, fingerprint([folder])}) == 3


# ── Limits ──────────────────────────────────────────────────────────────────────────────────────────


def test_sizes_within_the_limits_are_not_faults() -> None:
    assert (
        oversized([Size("predict", 6 * MEGABYTE, 30 * MEGABYTE), Size("rebuild", 40 * MEGABYTE, 250 * MEGABYTE)]) == []
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (Size("rebuild", 1, 250 * MEGABYTE + 1), "over 250 MB"),
        (Size("rebuild", 50 * MEGABYTE + 1, 1), "over 50 MB"),
        (Size("predict", 1, 30 * MEGABYTE + 1), "over 30 MB"),
        (Size("cards", 1, 1, (1, 50 * MEGABYTE + 1)), "a layer of 50.0 MB zipped, over 50 MB"),
    ],
)
def test_a_broken_limit_names_function_and_limit(size: Size, words: str) -> None:
    (fault,) = oversized([size])
    assert fault.startswith(size.function)
    assert words in fault


def test_a_function_weighs_its_package_and_each_of_its_layers(tmp_path: Path) -> None:
    for name, weight in (("deployment", 1), ("lightgbm-native", 10), ("pyarrow", 100), ("batch", 101)):
        write_zip(tmp_path / f"{name}.zip", files_below(tree(tmp_path / name, data="x" * weight)))
    names = ["Predict", "Rebuild", "Cards", "RefreshOdds"]
    (tmp_path / "sam.json").write_text(json.dumps({"Resources": dict.fromkeys(names)}), encoding="utf-8")
    unzipped = {size.function: size.unzipped for size in sizes(tmp_path)}
    assert unzipped == {"predict": 11, "cards": 1, "rebuild": 211, "refresh_odds": 201}
    layers = {name: (tmp_path / f"{name}.zip").stat().st_size for name in ("lightgbm-native", "pyarrow")}
    zipped = {size.function: size.layers_zipped for size in sizes(tmp_path)}
    assert zipped["rebuild"] == (layers["lightgbm-native"], layers["pyarrow"])
    assert zipped["cards"] == ()


# ── Shared libraries ────────────────────────────────────────────────────────────────────────────────

LIGHTGBM = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / "lightgbm" / "lib"


def test_lightgbms_own_wheel_lacks_libgomp(tmp_path: Path) -> None:
    shutil.copy(LIGHTGBM / "lib_lightgbm.so", tmp_path / "lib_lightgbm.so")
    (fault,) = missing_libraries({"layer": tmp_path})
    assert fault.startswith("layer:lib_lightgbm.so needs libgomp.so.1")


def test_a_library_in_a_layers_lib_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "layer" / "lib").mkdir(parents=True)
    (tmp_path / "code").mkdir()
    shutil.copy(LIGHTGBM / "lib_lightgbm.so", tmp_path / "code" / "lib_lightgbm.so")
    (tmp_path / "layer" / "lib" / "libgomp.so.1").write_bytes(b"any file of that name")
    assert missing_libraries({"code": tmp_path / "code", "layer": tmp_path / "layer"}) == []


def test_a_library_built_for_a_newer_glibc_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    shutil.copy(LIGHTGBM / "lib_lightgbm.so", tmp_path / "lib" / "lib_lightgbm.so")
    (tmp_path / "lib" / "libgomp.so.1").write_bytes(b"any file of that name")
    assert read_binary(tmp_path / "lib" / "lib_lightgbm.so").glibc == (2, 27)
    (fault,) = missing_libraries({"layer": tmp_path}, glibc=(2, 26))
    assert "needs glibc 2.27" in fault


# ── Importing a package alone ───────────────────────────────────────────────────────────────────────


def test_a_handler_that_finds_everything_in_its_package_is_not_a_fault(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import json\n\n\ndef predict(): ...\n", encoding="utf-8")
    assert import_alone(sys.executable, [str(tmp_path)], ["app.predict"]) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import pydantic\ndef predict(): ...\n", "No module named 'pydantic'"),
        ("def other(): ...\n", "has no attribute 'predict'"),
    ],
)
def test_what_only_the_developers_environment_has_is_missing_in_a_package(
    tmp_path: Path, source: str, words: str
) -> None:
    (tmp_path / "app.py").write_text(source, encoding="utf-8")
    (fault,) = import_alone(sys.executable, [str(tmp_path)], ["app.predict"])
    assert fault.startswith("app.predict cannot be imported")
    assert words in fault


# ── Dependencies ────────────────────────────────────────────────────────────────────────────────────


def test_one_package_of_a_lock_comes_with_its_hashes() -> None:
    block = "".join(entries(LOCKS / "dev.txt", frozenset({"lightgbm"})))
    assert block.startswith("lightgbm==")
    assert block.count("--hash=sha256:") >= 1
    assert "\nlocust" not in block


def test_a_package_that_is_not_locked_is_named() -> None:
    with pytest.raises(KeyError, match="no-such-package"):
        entries(LOCKS / "api.txt", frozenset({"no-such-package"}))


@pytest.mark.parametrize("lock", ["api", "batch", "dev", "emulator"])
def test_lock_files_name_no_index_and_hash_everything(lock: str) -> None:
    text = (LOCKS / f"{lock}.txt").read_text(encoding="utf-8")
    assert "--index-url" not in text
    assert "--find-links" not in text
    assert text.count("==") <= text.count("--hash=sha256:")


@pytest.mark.parametrize("lock", ["api", "batch"])
def test_functions_run_the_versions_that_are_tested(lock: str) -> None:
    pinned = {
        line.split(" ")[0] for line in (LOCKS / "dev.txt").read_text(encoding="utf-8").splitlines() if "==" in line
    }
    function_versions = {
        line.split(" ")[0] for line in (LOCKS / f"{lock}.txt").read_text(encoding="utf-8").splitlines() if "==" in line
    }
    assert function_versions <= pinned


def test_the_api_package_has_no_numeric_library() -> None:
    heavy = {"numpy", "pandas", "scipy", "pyarrow", "lightgbm", "mlflow", "scikit-learn"}
    assert heavy.isdisjoint(locked_names(LOCKS / "api.txt"))


def test_the_batch_package_has_no_training_library() -> None:
    training = {"mlflow", "lightgbm", "scipy", "scikit-learn", "matplotlib", "mlflow-skinny"}
    assert training.isdisjoint(locked_names(LOCKS / "batch.txt"))


# ── The batch package's code ────────────────────────────────────────────────────────────────────────


def test_modules_are_followed_through_functions_and_packages(tmp_path: Path) -> None:
    modules = {
        "__init__": "",
        "entry": "def run():\n    from app.deep import leaf\n    import json\n",
        "deep/__init__": "from app.beside import x\n",
        "deep/leaf": "",
        "beside": "x = 1\n",
        "unused": "",
    }
    (tmp_path / "app" / "deep").mkdir(parents=True)
    for name, source in modules.items():
        (tmp_path / "app" / f"{name}.py").write_text(source, encoding="utf-8")
    assert imported_modules("app.entry", tmp_path) == {"app", "app.entry", "app.deep", "app.deep.leaf", "app.beside"}


def imported_at_once(module: str) -> set[str]:
    """Top-level packages that importing a module of this project imports from elsewhere."""
    source = ROOT.joinpath(*module.split("."))
    path = source / "__init__.py" if source.is_dir() else source.with_suffix(".py")
    names: list[str] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return {name.partition(".")[0] for name in names} - {"batch", "chalicelib"} - sys.stdlib_module_names


def test_the_batch_functions_import_only_what_their_package_or_the_runtime_has() -> None:
    locked = {"apsw", "numpy", "pandas", "pyarrow", "rapidfuzz", "yaml", "pydantic", "aws_lambda_powertools"}
    runtime = {"boto3", "botocore"}
    for module in imported_modules("batch.handlers"):
        assert imported_at_once(module) <= locked | runtime, module


def test_training_and_the_sample_are_not_in_the_batch_package() -> None:
    modules = imported_modules("batch.handlers")
    assert {"batch.handlers", "chalicelib.settings"} <= modules
    assert modules.isdisjoint({"batch.train", "batch.promote", "batch.sample", "app"})


# ── Targets ─────────────────────────────────────────────────────────────────────────────────────────


def test_aws_gets_a_runtime_whose_glibc_loads_the_wheels() -> None:
    target = target_of("prod", runtime=None, architecture="arm64")
    assert (target.runtime, target.uv_platform, target.local) == ("python3.12", "aarch64-manylinux_2_28", False)


def test_a_runtime_on_amazon_linux_2_is_refused() -> None:
    with pytest.raises(ValueError, match="glibc too old"):
        target_of("dev", runtime="python3.11")


def test_the_local_stage_is_built_for_the_interpreter_that_runs_the_emulator() -> None:
    target = target_of("local")
    assert target.local
    assert target.python == f"{sys.version_info.major}.{sys.version_info.minor}"


def test_what_is_built_for_another_architecture_is_not_run_here() -> None:
    local_target = target_of("local")
    foreign = replace(local_target, architecture="x86_64" if local_target.architecture == "arm64" else "arm64")
    assert runner(local_target) is not None
    assert runner(foreign) is None


def test_uv_trusts_the_systems_certificates_unless_told_otherwise() -> None:
    assert with_system_certificates({"PATH": "/bin"}) == {"PATH": "/bin", "UV_SYSTEM_CERTS": "1"}
    assert with_system_certificates({"UV_SYSTEM_CERTS": "0"}) == {"UV_SYSTEM_CERTS": "0"}


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="no stage 'staging'"):
        target_of("staging")
