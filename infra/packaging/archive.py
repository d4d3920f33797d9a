"""Zip archives that depend on their content only: sorted names, fixed times, fixed modes.

An unchanged input therefore has an unchanged hash, is not uploaded again and does not publish a new
layer version.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE_MODE: Final = 0o100644 << 16
_PROGRAM_MODE: Final = 0o100755 << 16


def files_below(root: Path) -> dict[str, Path]:
    """Every file below `root` by its path relative to it, with forward slashes."""
    return {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}


def write_zip(target: Path, members: Mapping[str, Path], base: Path | None = None) -> None:
    """Write `members` (archive name to file) as a reproducible zip.

    Args:
        target: The archive to write; replaced only when it is complete.
        members: Files by archive name; must not repeat a name of `base`.
        base: An archive whose members come first, copied without compressing them again.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    if base is None:
        partial.unlink(missing_ok=True)
    else:
        shutil.copyfile(base, partial)
    with zipfile.ZipFile(partial, "a", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        clash = set(archive.namelist()) & set(members)
        if clash:
            raise ValueError(f"{target.name}: {sorted(clash)[:3]} are already in the dependencies")
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, so that the modes below are read
            info.external_attr = _PROGRAM_MODE if ".so" in Path(name).suffixes else _FILE_MODE
            archive.writestr(info, members[name].read_bytes())
    partial.replace(target)


def normalise_zip(path: Path) -> None:
    """Rewrite an archive made by another tool with sorted names and fixed times."""
    partial = path.with_name(f"{path.name}.part")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for name in sorted(set(source.namelist())):
            if name.endswith("/"):
                continue
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = _PROGRAM_MODE if ".so" in Path(name).suffixes else _FILE_MODE
            out.writestr(info, source.read(name))
    partial.replace(path)


def unzipped_size(path: Path) -> int:
    """Size of the unpacked archive in bytes."""
    with zipfile.ZipFile(path) as archive:
        return sum(info.file_size for info in archive.infolist())


def tree_size(root: Path) -> int:
    """Size of the files below a folder in bytes."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def fingerprint(paths: Iterable[Path], *extra: str) -> str:
    """A hash of files (folders recursively, caches left out) and further text.

    Args:
        paths: Files or folders; a missing one counts as absent, not as an error.
        extra: Anything else the result depends on.
    """
    digest = hashlib.sha256("\0".join(extra).encode())
    for root in paths:
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" in path.parts:
                continue
            digest.update(f"\0{path.relative_to(root.parent)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
