"""What is shipped, under which licence and why: `python -m infra.reference.licences` writes docs/licences.md.

The list is the lock files of the two packages and what the native layer carries; licences are read from the installed
packages' own metadata. Each needs a reason here, or the test that compares the page fails.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from typing import Final

from infra.packaging.dependencies import locked_names
from infra.paths import LOCKS, ROOT

PAGE: Final = ROOT / "docs" / "licences.md"

# for direct dependencies the reason, for others the package that requires them
REASONS: Final = {
    "aws-lambda-powertools": "routing, validation and OpenAPI in the functions, structured logs",
    "pydantic": "request, response and message models",
    "numpy": "the arrays below pandas; features and statistics",
    "pandas": "matches to features, batch only",
    "apsw": "SQLite for the serving files, the same version wherever they are written and read",
    "pyarrow": "parquet: releases, raw matches; a layer, only where tables are read",
    "pyyaml": "the MLmodel file of a registered model, batch only",
    "rapidfuzz": "similarity of team names, batch only",
    "annotated-types": "brought by pydantic",
    "jmespath": "brought by aws-lambda-powertools",
    "pydantic-core": "brought by pydantic",
    "python-dateutil": "brought by pandas",
    "six": "brought by python-dateutil",
    "typing-extensions": "brought by pydantic",
    "typing-inspection": "brought by pydantic",
    "tzdata": "brought by pandas",
}
# Not Python packages of the functions: single libraries taken out of wheels for the layer lightgbm-native.
NATIVE: Final = (
    ("lib_lightgbm.so", "lightgbm", "MIT", "the model, through its C API"),
    (
        "libgomp.so.1",
        "scikit-learn's wheel (GCC)",
        "GPL-3.0 with GCC Runtime Library Exception",
        "lib_lightgbm needs it",
    ),
)
# What a package's metadata does not say in one word.
SPELLED: Final = {
    "aws-lambda-powertools": "MIT-0 AND MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "tzdata": "Apache-2.0",
}


def licence_of(name: str) -> str:
    """A package's licence as its metadata says, or as spelled out above.

    Raises:
        LookupError: Neither says one.
    """
    if name in SPELLED:
        return SPELLED[name]
    try:
        package_metadata = metadata(name)
    except PackageNotFoundError as error:
        raise LookupError(f"{name} is not installed: run `make setup`") from error
    stated = next(
        (package_metadata[field] for field in ("License-Expression", "License") if field in package_metadata), ""
    )
    if not stated or "\n" in stated:
        raise LookupError(
            f"{name} does not name its licence in a word; look it up and add it to infra/reference/licences.py"
        )
    return str(stated)


def versions(name: str) -> str:
    """The locked versions of a package; several where they depend on the Python version."""
    text = "".join((LOCKS / f"{lock}.txt").read_text(encoding="utf-8") for lock in ("api", "batch"))
    return ", ".join(sorted(set(re.findall(rf"^{re.escape(name)}==([^ ;\\]+)", text, re.MULTILINE))))


def page() -> str:
    """docs/licences.md.

    Raises:
        LookupError: A package has no reason or no licence.
    """
    api, batch = (set(locked_names(LOCKS / f"{lock}.txt")) for lock in ("api", "batch"))
    unexplained = (api | batch) - set(REASONS)
    if unexplained:
        raise LookupError(
            f"why does a package need {', '.join(sorted(unexplained))}? Say so in infra/reference/licences.py"
        )
    rows = [
        f"| {name} | {versions(name)} | {licence_of(name)} | {'API and batch' if name in api else 'batch'} "
        f"| {REASONS[name]} |"
        for name in sorted(api | batch, key=lambda name: (REASONS[name].startswith("brought"), name))
    ]
    native = [f"| {name} | {source} | {licence} | layer | {reason} |" for name, source, licence, reason in NATIVE]
    head = [
        "# What is shipped, and why",
        "",
        "Made by `make licences` from the lock files and the packages' metadata; a test compares it. Lambda's runtime",
        "has boto3. Every licence here permits redistribution with its notice; libgomp's exception lets a program of",
        "any licence link to it.",
        "",
        "| Package | Version | Licence | In | Why |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows, *native]) + "\n"


def main() -> int:
    """Write the page."""
    try:
        PAGE.write_text(page(), encoding="utf-8")
    except LookupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{PAGE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
