"""The page that leads through the code leads to files that exist, and leaves no package out."""

import re

import pytest

from infra.paths import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
TREE = PAGE.split("## Folders")[1].split("```")[1]
NAMED = sorted(set(re.findall(r"`((?:chalicelib|batch|infra|tests|benchmarks)/[\w./]+|app\.py)`", PAGE)))
PACKAGES = sorted(
    folder.relative_to(ROOT).as_posix()
    for top in ("chalicelib", "batch", "infra")
    for folder in (ROOT / top).iterdir()
    if list(folder.glob("*.py"))
)


@pytest.mark.parametrize("path", NAMED)
def test_a_file_that_the_page_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_its_line(package: str) -> None:
    top, name = package.split("/")
    lines = TREE.split(f"\n{top}/", 1)[1]
    own_lines = re.split(r"\n(?=\w)", lines)[0]
    assert re.search(rf"(?:^|\s){name}/", own_lines), f"{package} has no line"
