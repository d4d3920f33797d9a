"""Recipes as files, and changed key by key."""

from dataclasses import replace
from pathlib import Path

import pytest

from batch.training.fitting import CHAMPION, MARKET, RECIPES
from batch.training.recipes import InvalidRecipe, load_recipe
from batch.training.weights import read_weights


def write(folder: Path, text: str, name: str = "mine.toml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_found_by_its_name(name: str) -> None:
    assert load_recipe(name) == RECIPES[name]


def test_a_file_changes_its_base_and_is_called_as_it_says_or_as_the_file(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, 'base = "market"\nnum_leaves = 3\n')) == replace(
        MARKET, name="mine", num_leaves=3
    )
    recipe = load_recipe(write(tmp_path, 'name = "shallow"\nlearning_rate = 0.1\n'))
    assert recipe == replace(CHAMPION, name="shallow", learning_rate=0.1)
    few = load_recipe(write(tmp_path, 'features = ["elo_expected_home", "diff_elo"]\n'))
    assert few.features == ("elo_expected_home", "diff_elo")


def test_keys_are_changed_on_the_command_line() -> None:
    changed = load_recipe("champion", ["num_leaves=8", "elo_curve = false", "learning_rate=0.05", "name=deeper"])
    assert changed == replace(CHAMPION, name="deeper", num_leaves=8, elo_curve=False, learning_rate=0.05)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_leafs = 3", "no 'num_leafs'; num_leaves?"),
        ("num_leaves = 1", "a whole number from 2"),
        ("num_leaves = 3.5", "a whole number from 2"),
        ("num_leaves = true", "a whole number from 2"),
        ("learning_rate = 0", "over 0 and up to 1"),
        ("bagging_fraction = 1.5", "over 0 and up to 1"),
        ("lambda_l2 = -1", "a number from 0"),
        ("lambda_l2 = nan", "a number from 0"),
        ("elo_curve = 1", "true or false"),
        ("features = []", "a list of feature names"),
        ('features = ["diff_elo", "diff_elo"]', "none twice"),
        ("features = [1]", "a list of feature names"),
        ('features = "diff_elo"', "a list of feature names"),
        ('features = ["diff_elo"]', "curve_feature 'elo_expected_home' is not among"),
        ('base = "other"', "champion, challenger, market"),
        ("num_leaves = ", "mine.toml: "),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidRecipe, match=message.replace("?", r"\?")):
        load_recipe(write(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [("champoin", [], "no recipe 'champoin'"), ("champion", ["num_leaves"], "write key=value")],
)
def test_a_command_line_that_names_nothing_is_refused(name: str, changes: list[str], message: str) -> None:
    with pytest.raises(InvalidRecipe, match=message):
        load_recipe(name, changes)


def test_weights_are_read_by_match_id(tmp_path: Path) -> None:
    assert read_weights(Path(write(tmp_path, "match_id,weight\n3,0.5\n1,2\n", "w.csv"))).to_dict() == {3: 0.5, 1: 2.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("match_id\n1\n", "lacks the columns weight"),
        ("match_id,weight\n1,1\n1,2\n", "two weights"),
        ("match_id,weight\n1,-1\n", "numbers from 0"),
        ("match_id,weight\n1,much\n", "numbers from 0"),
        ("match_id,weight\n1,\n", "numbers from 0"),
    ],
)
def test_weights_that_are_none_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_weights(Path(write(tmp_path, text, "w.csv")))
