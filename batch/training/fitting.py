"""Fit the LightGBM models by three recipes.

`champion` starts from the Elo curve (an ordered logit of the Elo expectation, written into its first trees) and lets
a few small, heavily regularised trees correct it. `challenger` is the same trees without the curve: they must
learn everything themselves. `market` is the champion with past prices: its curve is a function of the market rating,
and its trees see how many prices support that. With too few matches only the curve remains.

Everything lives inside the booster, temperature included, so that `Booster.predict` is what is served. Fixed seeds,
one thread and `deterministic` make the text model a function of the training rows alone.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from batch.evaluate import N_OUTCOMES, Outcomes, Probabilities, log_loss
from batch.features import MARKET_FEATURES, RESULT_FEATURES
from batch.training.elo_curve import EloCurve

ELO_CURVE_FEATURE: Final = "elo_expected_home"
"""Input of the curve where only results are known."""

MARKET_CURVE_FEATURE: Final = "market_expected_home"
"""Input of the curve where past prices are known too."""

CURVE_STEPS: Final = 201
"""Leaves of a curve tree, evenly spaced in the logit over +-CURVE_RANGE: steps of at most 0.01 in probability."""

CURVE_RANGE: Final = 4.0

ROWS_FOR_TREES: Final = 400
"""With fewer training rows no tree is grown besides the curve."""

ROWS_FOR_STOPPING: Final = 100
"""With fewer validation rows the number of rounds is `usual_rounds` and the temperature 1."""

TEMPERATURES: Final = tuple(np.round(np.arange(0.80, 1.2501, 0.01), 2).tolist())

TEMPERATURE_SPREAD: Final = 0.05
"""Prior standard deviation of ln(temperature)."""

SEED: Final = 20240501


class TooFewMatches(ValueError):
    """There is no finished match to learn from."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """One recipe.

    Attributes:
        name: Name in reports.
        elo_curve: Whether the trees start from the curve.
        num_leaves, learning_rate, lambda_l2, feature_fraction, bagging_fraction: LightGBM's parameters.
        min_data_in_leaf: Upper limit; a twentieth of the training rows if that is less.
        usual_rounds: Rounds with too few validation rows to stop early.
        max_rounds: Rounds at most.
        patience: Rounds without improvement on the validation rows before training stops.
        features: Names of the features it learns from.
        curve_feature: The feature, an expected share of the points, that the curve is a function of.
    """

    name: str
    elo_curve: bool
    num_leaves: int
    min_data_in_leaf: int = 300
    learning_rate: float = 0.03
    lambda_l2: float = 20.0
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.7
    usual_rounds: int = 30
    max_rounds: int = 2000
    patience: int = 100
    features: tuple[str, ...] = RESULT_FEATURES
    curve_feature: str = ELO_CURVE_FEATURE


CHAMPION: Final = TrainingSettings("champion", elo_curve=True, num_leaves=4)
CHALLENGER: Final = TrainingSettings("challenger", elo_curve=False, num_leaves=6, usual_rounds=120)
MARKET: Final = TrainingSettings(
    "market", elo_curve=True, num_leaves=4, features=MARKET_FEATURES, curve_feature=MARKET_CURVE_FEATURE
)
RECIPES: Final = {recipe.name: recipe for recipe in (CHAMPION, CHALLENGER, MARKET)}


@dataclass(frozen=True)
class TrainingRows:
    """Features (n, n_features) with NaN for missing, outcomes (n,), and sample weights (n,) unless they are equal."""

    features: npt.NDArray[np.float64]
    outcome: Outcomes
    weight: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.outcome)


@dataclass(frozen=True)
class FittedModel:
    """A fitted model as text, and its parameters.

    Attributes:
        text: LightGBM text model, num_class 3.
        feature_names: Its features in order.
        params: The recipe and what was chosen from the data (rounds, leaf size, temperature, the curve).
    """

    text: str
    feature_names: tuple[str, ...]
    params: dict[str, Any]

    def booster(self) -> lgb.Booster:
        """The model as a LightGBM booster."""
        return lgb.Booster(model_str=self.text)

    def predict(self, features: npt.NDArray[np.float64]) -> Probabilities:
        """Shape (n, 3), columns home, draw, away."""
        if len(features) == 0:
            return np.zeros((0, N_OUTCOMES))
        return np.asarray(self.booster().predict(features, num_threads=1))


def fit(
    train: TrainingRows,
    validation: TrainingRows,
    recipe: TrainingSettings,
    on_round: Callable[[], object] = lambda: None,
) -> FittedModel:
    """Fit a recipe on the training rows; rounds and temperature come from the validation rows, if there are enough.

    The rows' columns are the recipe's features, in its order. `on_round` is called after every round, to show progress.

    Raises:
        TooFewMatches: no training rows at all.
    """
    names = recipe.features
    if len(train) == 0:
        raise TooFewMatches("no finished match to train on: check the files and --validate-from")
    grows_trees = len(train) >= ROWS_FOR_TREES
    # trees alone would give an outcome without training matches probability 0
    uses_curve = recipe.elo_curve or not grows_trees or len(np.unique(train.outcome)) < N_OUTCOMES
    stops_early = len(validation) >= ROWS_FOR_STOPPING
    leaf_rows = min(recipe.min_data_in_leaf, max(20, len(train) // 20))
    curve = EloCurve.fit(train.features[:, names.index(recipe.curve_feature)], train.outcome)
    booster = curve_booster(names, curve, recipe.curve_feature) if uses_curve else None
    if grows_trees:
        booster = _grow(names, train, validation if stops_early else None, recipe, leaf_rows, booster, on_round)
    assert booster is not None  # noqa: S101  no trees means the curve
    rounds = booster.num_trees() // N_OUTCOMES - int(uses_curve)
    temperature = _temperature(booster, validation) if stops_early else 1.0
    if temperature != 1.0:
        _divide_leaves(booster, temperature)
    # the features are the model's signature
    params = {name: value for name, value in asdict(recipe).items() if name != "features"} | {
        "min_data_in_leaf": leaf_rows,
        "rounds": rounds,
        "temperature": temperature,
        "curve": asdict(curve) if uses_curve else None,
        "stopped_early": stops_early and grows_trees,
        "training_rows": len(train),
        "validation_rows": len(validation),
        "seed": SEED,
    }
    return FittedModel(booster.model_to_string(), names, params)


def _grow(
    names: tuple[str, ...],
    train: TrainingRows,
    validation: TrainingRows | None,
    recipe: TrainingSettings,
    leaf_rows: int,
    start: lgb.Booster | None,
    on_round: Callable[[], object],
) -> lgb.Booster:
    parameters = {
        "objective": "multiclass",
        "num_class": N_OUTCOMES,
        "num_leaves": recipe.num_leaves,
        "min_data_in_leaf": leaf_rows,
        "learning_rate": recipe.learning_rate,
        "lambda_l2": recipe.lambda_l2,
        "feature_fraction": recipe.feature_fraction,
        "bagging_fraction": recipe.bagging_fraction,
        "bagging_freq": 1,
        "seed": SEED,
        "deterministic": True,
        "force_row_wise": True,
        # the result must not depend on the machine's number of cores
        "num_threads": 1,
        "verbosity": -1,
    }

    def progress(_: lgb.callback.CallbackEnv) -> None:
        on_round()

    data = lgb.Dataset(
        train.features, train.outcome, weight=train.weight, feature_name=list(names), free_raw_data=False
    )
    if validation is None:
        rounds = recipe.usual_rounds
        booster = lgb.train(parameters, data, rounds, init_model=start, callbacks=[progress])
        best = booster.num_trees() // N_OUTCOMES
    else:
        held_out = lgb.Dataset(validation.features, validation.outcome, reference=data, free_raw_data=False)
        stopping = lgb.early_stopping(recipe.patience, verbose=False)
        booster = lgb.train(
            parameters, data, recipe.max_rounds, valid_sets=[held_out], init_model=start, callbacks=[progress, stopping]
        )
        best = booster.best_iteration
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=best))


def curve_booster(names: tuple[str, ...], curve: EloCurve, curve_feature: str = ELO_CURVE_FEATURE) -> lgb.Booster:
    """The curve as one tree per class: a staircase in `curve_feature`, other features unused."""
    grid = np.zeros((CURVE_STEPS, len(names)))
    shares = 1.0 / (1.0 + np.exp(-np.linspace(-CURVE_RANGE, CURVE_RANGE, CURVE_STEPS)))
    grid[:, names.index(curve_feature)] = shares
    target = np.log(curve.probabilities(shares))

    def squared(prediction: npt.NDArray[np.float64], _: lgb.Dataset) -> tuple[Probabilities, Probabilities]:
        return prediction - target, np.ones_like(target)

    parameters = {
        "objective": squared,
        "num_class": N_OUTCOMES,
        "num_leaves": CURVE_STEPS,
        "learning_rate": 1.0,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 0.0,
        "min_data_in_bin": 1,
        "max_bin": 2 * CURVE_STEPS,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    data = lgb.Dataset(grid, np.zeros(CURVE_STEPS), feature_name=list(names), free_raw_data=False)
    text = lgb.train(parameters, data, 1).model_to_string()
    # a model grown with a custom objective stores none; its scores need the softmax
    return lgb.Booster(
        model_str=text.replace("\nfeature_names=", "\nobjective=multiclass num_class:3\nfeature_names=", 1)
    )


def _temperature(booster: lgb.Booster, validation: TrainingRows) -> float:
    """The maximum-likelihood temperature on the validation rows, shrunk to 1: one season misjudges it by about 0.05."""
    raw = np.asarray(booster.predict(validation.features, raw_score=True, num_threads=1))
    costs = [
        len(validation) * log_loss(_softmax(raw / temperature), validation.outcome)
        + 0.5 * (math.log(temperature) / TEMPERATURE_SPREAD) ** 2
        for temperature in TEMPERATURES
    ]
    return float(TEMPERATURES[int(np.argmin(costs))])


def _divide_leaves(booster: lgb.Booster, temperature: float) -> None:
    """Divide every leaf value by the temperature, which divides the raw scores by it."""
    for tree in range(booster.num_trees()):
        for leaf in range(_n_leaves(booster, tree)):
            booster.set_leaf_output(tree, leaf, booster.get_leaf_output(tree, leaf) / temperature)


def _n_leaves(booster: lgb.Booster, tree: int) -> int:
    iteration = booster.dump_model(num_iteration=1, start_iteration=tree // N_OUTCOMES)
    return int(iteration["tree_info"][tree % N_OUTCOMES]["num_leaves"])


def _softmax(raw: npt.NDArray[np.float64]) -> Probabilities:
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
