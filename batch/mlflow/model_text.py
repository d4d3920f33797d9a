"""Check a LightGBM text model: complete, consistent, and made of trees.

LightGBM trusts the text. Truncated or altered, it crashes the process (SIGSEGV, SIGABRT, SIGFPE) or never returns, in
some cases only for some rows. This parses the text in Python, where a fault is an exception, and follows every
branch of every tree once.

Source of the format: LightGBM 4.x, src/boosting/gbdt_model_text.cpp and src/io/tree.cpp.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from chalicelib.errors import InvalidModel

CLASSES: Final = 3
_CATEGORICAL: Final = 1
_END: Final = "end of trees"


def check_model_text(content: bytes, features: Sequence[str]) -> None:
    """Reject a text that might crash LightGBM.

    Args:
        content: The model file.
        features: Names of the signature's columns, in order.

    Raises:
        InvalidModel: it is damaged, or not a multiclass model of these features.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidModel("the model file is not text") from error
    try:
        head, blocks = _parts(text)
        _check_head(head, blocks, features)
        for block in blocks:
            _check_tree(_fields(block), len(features))
    except (KeyError, ValueError, IndexError, OverflowError) as error:
        raise InvalidModel(f"the model file is damaged: {type(error).__name__}: {str(error)[:200]}") from error


def _parts(text: str) -> tuple[Mapping[str, str], list[str]]:
    """The head's fields and each tree's text, cut by `tree_sizes` as LightGBM cuts them."""
    first = text.index("\nTree=0\n") + 1
    head = _fields(text[:first])
    if not text.startswith("tree\n"):
        raise ValueError("it does not begin with `tree`")
    trees = text[first:].encode()
    blocks, start = [], 0
    for number, size in enumerate(_integers(head["tree_sizes"])):
        block = trees[start : start + size].decode("utf-8")
        # the last size may exclude the empty line before the end
        if size <= 0 or not block.startswith(f"Tree={number}\n") or block.count("\nTree=") or _END in block:
            raise ValueError(f"tree {number} is not where tree_sizes says")
        blocks.append(block)
        start += size
    if not trees[start:].decode("utf-8").lstrip("\n").startswith(_END):
        raise ValueError("the trees do not end where tree_sizes says")
    return head, blocks


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if name in fields:
            raise ValueError(f"{name} stands twice")
        if equals:
            fields[name] = value
    return fields


def _check_head(head: Mapping[str, str], blocks: Sequence[str], features: Sequence[str]) -> None:
    if head["version"] != "v4":
        raise ValueError(f"format {head['version'][:20]}, not v4")
    if head["num_class"] != str(CLASSES) or head["num_tree_per_iteration"] != str(CLASSES):
        raise ValueError(f"not a model of {CLASSES} classes with a tree each")
    if not re.fullmatch(rf"multiclass(ova)? num_class:{CLASSES}( sigmoid:[0-9.]+)?", head["objective"]):
        raise ValueError(f"objective {head['objective'][:60]!r}")
    if not blocks or len(blocks) % CLASSES:
        raise ValueError(f"{len(blocks)} trees")
    if head["feature_names"].split(" ") != list(features):
        raise ValueError("the model's features differ from its signature's")
    if int(head["max_feature_idx"]) != len(features) - 1 or len(head["feature_infos"].split(" ")) != len(features):
        raise ValueError("the number of features is not the same everywhere")


def _check_tree(tree: Mapping[str, str], features: int) -> None:
    leaves, categorical = _integer(tree["num_leaves"]), _integer(tree["num_cat"])
    if leaves < 1 or categorical < 0 or tree.get("is_linear", "0") != "0":
        raise ValueError("a tree without leaves, or with linear ones")
    _finite(tree["leaf_value"], leaves)
    _finite(tree["shrinkage"], 1)
    if leaves == 1:
        return
    nodes = leaves - 1
    for name in ("split_gain", "internal_value", "internal_weight", "internal_count"):
        _numbers(tree[name], nodes)
    for name in ("leaf_weight", "leaf_count"):
        _numbers(tree[name], leaves)
    thresholds = _numbers(tree["threshold"], nodes)
    if not all(0 <= feature < features for feature in _integers(tree["split_feature"], nodes)):
        raise ValueError("a split on a feature that does not exist")
    decisions = _integers(tree["decision_type"], nodes)
    if not all(0 <= decision < 16 for decision in decisions):  # noqa: PLR2004 - four bits
        raise ValueError("a decision of no known type")
    sets = [threshold for threshold, decision in zip(thresholds, decisions, strict=True) if decision & _CATEGORICAL]
    _check_categories(tree, categorical, sets)
    left, right = _integers(tree["left_child"], nodes), _integers(tree["right_child"], nodes)
    # in a tree each node but the root is the child of exactly one other: no path repeats, and all end in a leaf
    reached = sorted(_reached(left, right))
    if reached != [*range(-leaves, 0), *range(nodes)]:
        raise ValueError("the branches are not a tree")


def _reached(left: Sequence[int], right: Sequence[int]) -> Iterator[int]:
    """Every node (from 0) and leaf (from -1 downwards) that the root leads to, as often as a branch leads there."""
    waiting, limit = [0], 2 * len(left) + 1
    while waiting and limit:
        limit -= 1
        node = waiting.pop()
        yield node
        if node >= 0:
            waiting += [left[node], right[node]]


def _check_categories(tree: Mapping[str, str], categorical: int, sets: Sequence[float]) -> None:
    if not categorical:
        if sets:
            raise ValueError("a categorical split without categories")
        return
    bounds = _integers(tree["cat_boundaries"], categorical + 1)
    _integers(tree["cat_threshold"], bounds[-1])
    if bounds[0] != 0 or any(begin >= end for begin, end in pairwise(bounds)):
        raise ValueError("categories out of order")
    if not all(index == int(index) and 0 <= index < categorical for index in sets):
        raise ValueError("a split by categories that do not exist")


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise ValueError(f"{text[:40]!r} is not a whole number")
    return int(text)


def _integers(text: str, count: int | None = None) -> list[int]:
    values = [_integer(value) for value in text.split(" ")]
    if count is not None and len(values) != count:
        raise ValueError(f"{len(values)} values where {count} belong")
    return values


def _numbers(text: str, count: int) -> list[float]:
    values = [float(value) for value in text.split(" ")]
    if len(values) != count or any(math.isnan(value) for value in values):
        raise ValueError(f"{len(values)} values where {count} belong, or one that is not a number")
    return values


def _finite(text: str, count: int) -> None:
    if not all(map(math.isfinite, _numbers(text, count))):
        raise ValueError("a value that is not finite")
