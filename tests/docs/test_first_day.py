"""docs/first-day.md names what there is: parameters, targets of make, files."""

import re

from infra.paths import ROOT
from infra.stack.functions import FUNCTIONS
from infra.stack.stages import target_of
from infra.stack.template import merge_template

PAGE = (ROOT / "docs" / "first-day.md").read_text(encoding="utf-8")


def test_every_parameter_that_is_set_exists() -> None:
    parameters = merge_template(FUNCTIONS, target_of("prod"))["Parameters"]
    settings = re.findall(r'SET="([^"]+)"|`SET=([^`]+)`', PAGE)
    named = {name for both in settings for name in re.findall(r"(\w+)=", "".join(both))}
    assert {"AlarmTopicArn", "AddressLimit", "Cdn", "Canary"} <= named
    assert named - {"Name"} <= parameters.keys()


def test_every_target_and_file_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make ([a-z-]+) STAGE", PAGE):
        assert f"\n{target}:" in makefile
    files = re.findall(r"`?((?:infra|tests|docs)/[\w/.-]+\.\w+)", PAGE) + [
        f"docs/{name}" for name in re.findall(r"\]\(([\w-]+\.md)\)", PAGE)
    ]
    assert len(files) > 5
    assert [name for name in files if not (ROOT / name).exists()] == []
