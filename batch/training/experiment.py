"""One training on one set of matches: split in time, fit, report beside the baselines. No files, no network."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch import evaluate
from batch.evaluate import Outcomes, Probabilities
from batch.features import DEFAULT_SETTINGS, RESULT_FEATURES, FeatureSettings, FeatureTable, build_features
from batch.odds.past_prices import closing_probabilities
from batch.training.elo_curve import EloCurve
from batch.training.fitting import ELO_CURVE_FEATURE, FittedModel, TrainingRows, TrainingSettings, fit
from batch.training.weights import weights_of

REFERENCE_ROWS: Final = 2000
"""Training rows stored with the model, evenly spaced in time: the reference of drift."""


DRAWN_REGIONS: Final = 12
"""Regions with a plot of their own."""

CONTRIBUTION_ROWS: Final = 300
"""Matches per region for feature importance: contributions take about a millisecond per match."""

BASELINE_METRICS: Final = ("log_loss", "rps", "ece", "kl_to_market")
"""Measures of the baselines that become metrics; the report has all."""


@dataclass(frozen=True)
class Experiment:
    """Matches with features, split by kickoff.

    Attributes:
        table: Features and display columns, sorted by match_id; with the results of all finished matches.
        outcome: Outcome codes, valid where `finished`.
        finished: Where the result is known.
        train, validation, test: Finished matches of the three periods.
        forecast: All matches from the test's start on, finished or not, including those without a kickoff.
        market: Margin-free closing (else last known) probabilities, NaN where there is no price; shape (n, 3).
    """

    table: FeatureTable
    outcome: Outcomes
    finished: npt.NDArray[np.bool_]
    train: npt.NDArray[np.bool_]
    validation: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]
    forecast: npt.NDArray[np.bool_]
    market: Probabilities

    @classmethod
    def of(
        cls,
        matches: pd.DataFrame,
        validate_from: pd.Timestamp,
        test_from: pd.Timestamp,
        prices: pd.DataFrame | None = None,
        settings: FeatureSettings = DEFAULT_SETTINGS,
    ) -> "Experiment":
        """Split matches at two kickoffs.

        Args:
            matches: Accepted matches.
            validate_from: Where the training matches end.
            test_from: Where the validation matches end.
            prices: Prices of past matches (`batch.odds.past_prices`), used for features of later matches and
                to judge forecasts.
            settings: Settings of the features.

        Raises:
            ValueError: the test would start before the validation.
        """
        if test_from < validate_from:
            raise ValueError(f"the test starts ({test_from}) before the validation ({validate_from})")
        # after the last match, so every result is known; each match still sees only what was before its kickoff
        as_of = matches["kickoff"].max() if matches["kickoff"].notna().any() else test_from
        table = build_features(matches, as_of + pd.Timedelta(days=2), settings, prices)
        display = table.display
        finished = (display["home_goals"].notna() & display["away_goals"].notna()).to_numpy(bool)
        outcome = np.zeros(len(display), dtype=np.int64)
        outcome[finished] = evaluate.outcomes(display.loc[finished, "home_goals"], display.loc[finished, "away_goals"])
        kickoff = display["match_date"]
        before_validation = (kickoff < validate_from).to_numpy(bool)
        from_test = (kickoff >= test_from).to_numpy(bool)
        return cls(
            table=table,
            outcome=outcome,
            finished=finished,
            train=finished & before_validation,
            validation=finished & ~before_validation & ~from_test,
            test=finished & from_test,
            forecast=from_test | kickoff.isna().to_numpy(bool),
            market=closing_probabilities(prices, table.features["match_id"]),
        )

    def matrix(self, where: npt.NDArray[np.bool_], names: tuple[str, ...] = RESULT_FEATURES) -> npt.NDArray[np.float64]:
        """Features of some matches, shape (n, len(names)), NaN for missing."""
        return self.table.features.loc[where, list(names)].to_numpy(np.float64)

    def rows(self, where: npt.NDArray[np.bool_], names: tuple[str, ...] = RESULT_FEATURES) -> TrainingRows:
        """Features and outcomes of some finished matches."""
        return TrainingRows(self.matrix(where, names), self.outcome[where])

    def settled(self) -> npt.NDArray[np.bool_]:
        """Where both sides have played SETTLED_MATCHES in the season."""
        counts = self.table.features[["home_season_matches", "away_season_matches"]]
        return np.asarray(counts.min(axis="columns") >= evaluate.SETTLED_MATCHES)

    def reference(self, names: tuple[str, ...] = RESULT_FEATURES) -> pd.DataFrame:
        """These features of at most REFERENCE_ROWS training rows, evenly spaced in time, with match_id."""
        order = self.table.display.loc[self.train].sort_values(["match_date", "match_id"]).index
        sampled = order[np.linspace(0, len(order) - 1, min(REFERENCE_ROWS, len(order))).astype(np.int64)]
        return self.table.features.loc[sampled, ["match_id", *names]].sort_values("match_id", ignore_index=True)

    def fit(
        self,
        recipe: TrainingSettings,
        on_round: Callable[[], object] = lambda: None,
        weights: pd.Series | None = None,
    ) -> FittedModel:
        """Fit a recipe on the training matches, stopped early on the validation matches.

        Args:
            recipe: What to fit.
            on_round: Called after every round.
            weights: Sample weights by match_id; 1 for matches that are not in it.
        """
        train = replace(
            self.rows(self.train, recipe.features),
            weight=weights_of(weights, self.table.features.loc[self.train, "match_id"]),
        )
        return fit(train, self.rows(self.validation, recipe.features), recipe, on_round)

    def predict(self, model: FittedModel, where: npt.NDArray[np.bool_]) -> Probabilities:
        """A model's forecasts of some matches, shape (n, 3)."""
        return model.predict(self.matrix(where, model.feature_names))

    def forecasts(self, model: FittedModel) -> pd.DataFrame:
        """match_id, proba_home, proba_draw, proba_away of every match to forecast, sorted by match_id."""
        return _forecast_frame(self.table.features.loc[self.forecast, "match_id"], self.predict(model, self.forecast))


def report(experiment: Experiment, model: FittedModel) -> dict[str, Any]:
    """Evaluate a model on the test matches, beside base rates, Elo alone and, where there are prices, the market.

    Returns:
        Plain values, ready for JSON: `rows`, `scores` by set of matches ("test", "test_settled", and, where only some
        matches have prices, "test_with_odds" and "test_settled_with_odds") and forecast, `against` (paired differences
        of the log loss), `by_region`, `calibration`, `feature_importance`, the latter two also `_by_region` for the
        DRAWN_REGIONS regions with the most test matches, `params`. Where all matches of a set have prices, its scores
        carry `kl_to_market` too.
    """
    settled = experiment.test & experiment.settled()
    sets = {"validation": experiment.validation, "test": experiment.test, "test_settled": settled}
    priced = np.isfinite(experiment.market[:, 0])
    # where every match has a price, the other sets already include the market
    if priced[experiment.test].any() and not priced[experiment.test].all():
        sets |= {"test_with_odds": experiment.test & priced, "test_settled_with_odds": settled & priced}
    forecasts = _all_forecasts(experiment, model)
    if priced.any():
        forecasts["market"] = experiment.market
    result: dict[str, Any] = {
        "rows": {"train": int(experiment.train.sum())} | {name: int(where.sum()) for name, where in sets.items()},
        "scores": {},
        "against": {},
    }
    for name, where in sets.items():
        available = {label: values[where] for label, values in forecasts.items() if not np.isnan(values[where]).any()}
        outcome = experiment.outcome[where]
        closing = experiment.market[where] if "market" in available else None
        result["scores"][name] = {
            label: evaluate.scores(values, outcome, closing) for label, values in available.items()
        }
        if len(outcome):
            mine = evaluate.log_losses(available["model"], outcome)
            result["against"][name] = {
                label: evaluate.paired_interval(mine, evaluate.log_losses(values, outcome))
                for label, values in available.items()
                if label != "model"
            }
    display = experiment.table.display
    tested, outcome = forecasts["model"][experiment.test], experiment.outcome[experiment.test]
    result["by_region"] = evaluate.by_region(tested, outcome, display.loc[experiment.test, "region"])
    result["calibration"] = _calibration(tested, outcome)
    region = display.loc[experiment.test, "region"].to_numpy(dtype=object)
    largest = Counter(region.tolist()).most_common(DRAWN_REGIONS)
    result["calibration_by_region"] = {
        name: _calibration(tested[region == name], outcome[region == name]) for name, _ in largest
    }
    rows = experiment.matrix(experiment.test, model.feature_names)
    result["feature_importance_by_region"] = {name: contributions(model, rows[region == name]) for name, _ in largest}
    gains = model.booster().feature_importance(importance_type="gain")
    result["feature_importance"] = dict(zip(model.feature_names, (float(gain) for gain in gains), strict=True))
    result["params"] = model.params
    return {key: without_nan(value) for key, value in result.items()}


def contributions(model: FittedModel, rows: npt.NDArray[np.float64]) -> dict[str, float]:
    """Mean absolute contribution of each feature to the raw scores of these matches.

    In log odds, averaged over the three outcomes and at most CONTRIBUTION_ROWS matches, evenly spaced.

    Source: Lundberg et al. (2018), TreeSHAP, as LightGBM computes it.
    """
    sampled_rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), CONTRIBUTION_ROWS)).astype(np.int64)]
    raw_contributions = np.asarray(model.booster().predict(sampled_rows, pred_contrib=True, num_threads=1))
    # one block per outcome; its last column is the expected score
    by_outcome = raw_contributions.reshape(len(sampled_rows), evaluate.N_OUTCOMES, len(model.feature_names) + 1)[
        :, :, :-1
    ]
    return dict(zip(model.feature_names, np.abs(by_outcome).mean(axis=(0, 1)).tolist(), strict=True))


def _calibration(tested: Probabilities, outcome: Outcomes) -> dict[str, Any]:
    return {
        label: evaluate.calibration_table(tested[:, code], outcome == code).to_dict("records")
        for code, label in enumerate(("home", "draw", "away"))
        if len(outcome)
    }


def metrics(scores: Mapping[str, Any]) -> dict[str, float]:
    """The flat metrics of a report's `scores`, for MLflow and `model.json`.

    The model's own on the settled test matches go by their plain names (log_loss, rps, ...); the others are prefixed
    with the set of matches and, for baselines, the baseline.
    """
    flat: dict[str, float] = {}
    for matches, forecasts in scores.items():
        for label, values in forecasts.items():
            for name, value in values.items():
                if value is None:
                    continue
                is_model = label == "model"
                if not is_model and name not in BASELINE_METRICS:
                    continue
                flat[f"{matches}_{name}" if is_model else f"{matches}_{label}_{name}"] = value
                if is_model and matches == "test_settled":
                    flat[name] = value
    return flat


def without_nan(value: Any) -> Any:
    """Replace NaN by None, since JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _all_forecasts(experiment: Experiment, model: FittedModel) -> dict[str, Probabilities]:
    n = len(experiment.outcome)
    expected = experiment.table.features[ELO_CURVE_FEATURE].to_numpy(np.float64)
    curve = EloCurve.fit(expected[experiment.train], experiment.outcome[experiment.train])
    return {
        "model": experiment.predict(model, np.ones(n, dtype=bool)),
        "elo_only": curve.probabilities(expected),
        "base_rates": evaluate.base_rates(experiment.outcome[experiment.train], n),
    }


def _forecast_frame(match_id: pd.Series, probabilities: Probabilities) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "match_id": match_id.to_numpy(np.int64),
            "proba_home": probabilities[:, 0],
            "proba_draw": probabilities[:, 1],
            "proba_away": probabilities[:, 2],
        }
    )
