"""Recipes by name or from TOML files, with changed keys.

    name = "shallow"            # name in reports; default: the file's name
    base = "market"             # champion (the default), challenger or market: gives what the file leaves out
    num_leaves = 3
    features = ["market_expected_home", "diff_elo"]

Every key of `TrainingSettings` may be given; unknown keys and values out of range are rejected.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from batch.training.fitting import CHAMPION, RECIPES, TrainingSettings


class InvalidRecipe(ValueError):
    """A recipe has an unknown key or an invalid value."""


_Check = tuple[str, Callable[[Any], bool]]


def _integer(least: int) -> _Check:
    return (
        f"a whole number from {least}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least,
    )


def _number(low: float, high: float) -> _Check:
    return (
        f"a number over {low:g} and up to {high:g}",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low < value <= high,
    )


_NAMES: Final = "a list of feature names, none twice"

_CHECKS: Final[Mapping[str, _Check]] = {
    "name": ("a text", lambda value: isinstance(value, str) and bool(value.strip())),
    "elo_curve": ("true or false", lambda value: isinstance(value, bool)),
    "num_leaves": _integer(2),
    "min_data_in_leaf": _integer(1),
    "learning_rate": _number(0, 1),
    "lambda_l2": (
        "a number from 0",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"),
    ),
    "feature_fraction": _number(0, 1),
    "bagging_fraction": _number(0, 1),
    "usual_rounds": _integer(1),
    "max_rounds": _integer(1),
    "patience": _integer(1),
    "features": (_NAMES, lambda value: bool(value) and len(set(value)) == len(value)),
    "curve_feature": ("a feature's name", lambda value: isinstance(value, str)),
}


def load_recipe(name_or_file: str, changes: Sequence[str] = ()) -> TrainingSettings:
    """A recipe by its name (champion, challenger, market) or of a TOML file.

    Args:
        name_or_file: A name, or a path that ends in .toml.
        changes: Keys to change, as on the command line: "num_leaves=8".

    Raises:
        InvalidRecipe: no such recipe, key or value.
        OSError: the file does not exist.
    """
    if name_or_file in RECIPES:
        recipe = RECIPES[name_or_file]
    elif name_or_file.endswith(".toml"):
        recipe = recipe_of(_read(Path(name_or_file)), Path(name_or_file).stem)
    else:
        raise InvalidRecipe(f"no recipe {name_or_file!r}: {', '.join(RECIPES)}, or a file that ends in .toml")
    return _changed(recipe, dict(_change(text) for text in changes))


def recipe_of(content: Mapping[str, Any], name: str) -> TrainingSettings:
    """The recipe that a file's content describes.

    Raises:
        InvalidRecipe: an unknown key or an invalid value.
    """
    values = dict(content)
    base = values.pop("base", CHAMPION.name)
    if base not in RECIPES:
        raise InvalidRecipe(f"base = {base!r}: {', '.join(RECIPES)}")
    return _changed(RECIPES[base], {"name": name} | values)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRecipe(f"{path}: {error}") from error


def _change(text: str) -> tuple[str, Any]:
    key, separator, value = text.partition("=")
    if not separator:
        raise InvalidRecipe(f"{text!r} changes nothing: write key=value, such as num_leaves=8")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()  # a bare word


def _changed(recipe: TrainingSettings, values: Mapping[str, Any]) -> TrainingSettings:
    field_names = {field.name for field in fields(TrainingSettings)}
    for key, value in values.items():
        if key not in field_names:
            near = get_close_matches(key, field_names, 1)
            raise InvalidRecipe(f"a recipe has no {key!r}" + (f"; {near[0]}?" if near else ""))
        meaning, holds = _CHECKS[key]
        is_list = key != "features" or (isinstance(value, list) and all(isinstance(name, str) for name in value))
        if not (is_list and holds(value)):
            raise InvalidRecipe(f"{key} = {value!r} is not {meaning}")
    changed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    new_recipe = replace(recipe, **changed)
    if new_recipe.curve_feature not in new_recipe.features:
        raise InvalidRecipe(f"curve_feature {new_recipe.curve_feature!r} is not among the recipe's features")
    return new_recipe
