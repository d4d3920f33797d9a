"""Reading CloudFormation YAML with its short intrinsics (`!Ref`, `!GetAtt`, `!Sub`).

chalice has a reader of its own, which builds nested sequences below an intrinsic lazily and loses them;
therefore the merged template is written as JSON and chalice never reads YAML.
"""

from pathlib import Path
from typing import Any

import yaml


class _CloudFormationLoader(yaml.SafeLoader):
    """`SafeLoader` that knows the short intrinsics."""


def _intrinsic(loader: _CloudFormationLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:  # pragma: no cover - YAML has no fourth kind
        raise TypeError(f"unknown YAML node {node!r}")
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_CloudFormationLoader.add_multi_constructor("!", _intrinsic)


def load(path: Path) -> dict[str, Any]:
    """The template as plain dictionaries, intrinsics in their long form.

    Raises:
        TypeError: The document is not a mapping.
    """
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=_CloudFormationLoader)  # noqa: S506 - a SafeLoader
    if not isinstance(document, dict):
        raise TypeError(f"{path} is not a CloudFormation template")
    return document
