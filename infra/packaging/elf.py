"""Read ELF headers: does a package contain every shared library that its binaries need?

A wheel that works on a developer's machine can still fail on Lambda, because the machine's own
libraries (`libgomp`!) or newer glibc were used unnoticed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

# native libraries of Amazon Linux 2023's Lambda image: glibc 2.34's libraries and the two of GCC.
BASE_IMAGE: Final = frozenset(
    {
        "ld-linux-aarch64.so.1",
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
        "libz.so.1",
    }
)
BASE_IMAGE_GLIBC: Final = (2, 34)
_LAYER_LIBRARIES: Final = "lib"


@dataclass(frozen=True, slots=True)
class Binary:
    """The headers of a shared object that the dynamic loader reads.

    Args:
        needed: Names of the libraries it must find (DT_NEEDED).
        search: Folders its RPATH or RUNPATH names, `$ORIGIN` not yet replaced.
        glibc: Newest glibc version one of its symbols asks for, as (major, minor); (0, 0) if none.
        machine: ELF's name of the processor, such as `x64` or `AArch64`.
    """

    needed: tuple[str, ...]
    search: tuple[str, ...]
    glibc: tuple[int, int]
    machine: str


def _glibc(names: Iterable[str]) -> tuple[int, int]:
    versions = [name.removeprefix("GLIBC_").split(".") for name in names if name.startswith("GLIBC_2")]
    return max(((int(parts[0]), int(parts[1])) for parts in versions), default=(0, 0))


def read_binary(path: Path) -> Binary:
    """Read a shared object's headers.

    Raises:
        elftools.common.exceptions.ELFError: It is not an ELF file.
    """
    needed: list[str] = []
    search: list[str] = []
    versions: list[str] = []
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        for section in elf.iter_sections():
            if isinstance(section, DynamicSection):
                for tag in section.iter_tags():
                    if tag.entry.d_tag == "DT_NEEDED":
                        needed.append(tag.needed)
                    elif tag.entry.d_tag in ("DT_RPATH", "DT_RUNPATH"):
                        text = tag.rpath if tag.entry.d_tag == "DT_RPATH" else tag.runpath
                        search.extend(part for part in text.split(":") if part)
            elif isinstance(section, GNUVerNeedSection):
                versions.extend(aux.name for _, auxiliaries in section.iter_versions() for aux in auxiliaries)
        machine = str(elf.get_machine_arch())
    return Binary(tuple(needed), tuple(search), _glibc(versions), machine)


def is_elf(path: Path) -> bool:
    """Whether a file is an ELF file."""
    with path.open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def missing_libraries(roots: Mapping[str, Path], glibc: tuple[int, int] = BASE_IMAGE_GLIBC) -> list[str]:
    """Every reason why a function made of these folders would not load on Lambda.

    Args:
        roots: The unpacked package and layers, by a name used in the messages. The `lib/` folder of each
            is on Lambda's library path (`/opt/lib`, `/var/task/lib`); other folders only by RUNPATH.
        glibc: Newest glibc symbols the runtime has.

    Returns:
        One sentence per fault; empty when all is well.
    """
    on_path = {
        file.name for root in roots.values() for file in (root / _LAYER_LIBRARIES).glob("*.so*") if file.is_file()
    }
    faults: list[str] = []
    for label, root in roots.items():
        for file in sorted(root.rglob("*.so*")):
            if not file.is_file() or not is_elf(file):
                continue
            binary = read_binary(file)
            folders = [Path(part.replace("$ORIGIN", str(file.parent))) for part in binary.search]
            where = f"{label}:{file.relative_to(root)}"
            faults.extend(
                f"{where} needs {name}, which neither the package, its layers nor Lambda's image has"
                for name in binary.needed
                if name not in BASE_IMAGE
                and name not in on_path
                and not any((folder / name).exists() for folder in folders)
            )
            if binary.glibc > glibc:
                faults.append(f"{where} needs glibc {binary.glibc[0]}.{binary.glibc[1]}, newer than the runtime's")
    return faults
