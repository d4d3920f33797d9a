"""The pool, and when a flag is called value: on markets whose true probabilities are known."""

import numpy as np
import pandas as pd
import pytest

from batch.odds.arrays import NO_BET, Floats, Integers
from batch.returns.pool import MARKET_ALONE, MIN_MATCHES, PoolWeights, fit_pool, pool_walk_forward
from batch.returns.track_record import track_record
from batch.returns.value_signal import MAX_DAY_STAKE, MIN_BETS, ValueSignal, value_signal

START = pd.Timestamp("2015-08-01 15:00", tz="UTC")
TRUE = PoolWeights(price=0.55, model=0.5)


def drawn(n: int, seed: int) -> tuple[Floats, Floats]:
    """Prices and forecasts that are two looks at the same strengths."""
    generator = np.random.default_rng(seed)
    strength = generator.normal(0, 0.6, n)
    looks = []
    for spread in (0.15, 0.25):
        edge = strength + generator.normal(0, spread, n)
        raw = np.exp(np.column_stack([0.35 + edge, np.zeros(n), -edge]))
        looks.append(raw / raw.sum(axis=1, keepdims=True))
    return looks[0], looks[1]


def happened(probabilities: Floats, seed: int) -> Integers:
    uniform = np.random.default_rng(seed).random(len(probabilities))
    return np.asarray(np.minimum((uniform[:, None] > probabilities.cumsum(axis=1)).sum(axis=1), 2))


def divergence(truth: Floats, forecast: Floats) -> float:
    return float((truth * np.log(truth / forecast)).sum(axis=1).mean())


def test_the_market_alone_is_the_price() -> None:
    price, model = drawn(10, 1)
    np.testing.assert_allclose(MARKET_ALONE.combine(price, model), price)


def test_the_weights_are_found_again() -> None:
    price, model = drawn(40_000, 2)
    fitted = fit_pool(price, model, happened(TRUE.combine(price, model), 3))
    assert (fitted.price, fitted.model) == pytest.approx((TRUE.price, TRUE.model), abs=0.06)
    assert (fitted.home, fitted.away) == pytest.approx((0, 0), abs=0.05)


def test_with_the_matches_it_waits_for_the_pool_is_better_than_the_market_far_more_often_than_not() -> None:
    better = []
    for seed in range(20):
        price, model = drawn(2 * MIN_MATCHES, seed)
        truth = TRUE.combine(price, model)
        half = slice(0, MIN_MATCHES)
        fitted = fit_pool(price[half], model[half], happened(truth, seed + 100)[half])
        pooled_matches = slice(MIN_MATCHES, None)
        pooled = fitted.combine(price[pooled_matches], model[pooled_matches])
        better.append(
            divergence(truth[pooled_matches], pooled) < divergence(truth[pooled_matches], price[pooled_matches])
        )
    assert np.mean(better) >= 0.8


def test_each_months_weights_know_only_what_was_settled_before_it() -> None:
    n = 600
    price, model = drawn(n, 4)
    outcome = happened(TRUE.combine(price, model), 5)
    kickoff = pd.Series(START + pd.to_timedelta(np.arange(n) * 12, unit="h"))
    all_results = pool_walk_forward(kickoff, price, model, outcome, min_matches=100)
    scrambled = outcome.copy()
    late = (kickoff >= pd.Timestamp("2016-02-01", tz="UTC")).to_numpy()
    scrambled[late] = (scrambled[late] + 1) % 3
    changed = pool_walk_forward(kickoff, price, model, scrambled, min_matches=100)
    before_march = (kickoff < pd.Timestamp("2016-03-01", tz="UTC")).to_numpy()
    np.testing.assert_array_equal(all_results.probabilities[before_march], changed.probabilities[before_march])
    assert not np.allclose(all_results.probabilities[~before_march], changed.probabilities[~before_march])
    first_month = (kickoff < pd.Timestamp("2015-09-01", tz="UTC")).to_numpy()
    np.testing.assert_allclose(all_results.probabilities[first_month], price[first_month])


def test_matches_to_come_are_combined_with_everything_known() -> None:
    n = 600
    price, model = drawn(n, 6)
    outcome = happened(TRUE.combine(price, model), 7)
    outcome[-1] = NO_BET
    kickoff = pd.Series(START + pd.to_timedelta(np.arange(n) * 12, unit="h"))
    pooled = pool_walk_forward(kickoff, price, model, outcome, min_matches=100)
    fitted = fit_pool(price[:-1], model[:-1], outcome[:-1])
    np.testing.assert_allclose(pooled.probabilities[-1:], fitted.combine(price[-1:], model[-1:]), atol=1e-6)
    assert pooled.weights.matches == n - 1


def release(n: int, *, closing_follows_pool: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions and odds of n matches, three a day; the close moves to the truth, or away from it."""
    price, model = drawn(n, 8)
    truth = PoolWeights(price=0.3, model=0.8).combine(price, model)
    outcome = happened(truth, 9)
    kickoff = pd.Series(START + pd.to_timedelta(np.arange(n) * 8, unit="h")).dt.as_unit("ms")
    labels = np.array(["home", "draw", "away"], dtype=object)[outcome]
    labels[-3:] = None
    predictions = pd.DataFrame(
        {
            "match_id": np.arange(1, n + 1),
            "match_date": kickoff,
            "region": "England",
            "league": "First",
            "proba_home": model[:, 0],
            "proba_draw": model[:, 1],
            "proba_away": model[:, 2],
            "outcome_1x2": labels,
        }
    )
    close = truth if closing_follows_pool else price**2 / truth
    odds = pd.DataFrame({"match_id": predictions["match_id"], "collected_at": kickoff - pd.Timedelta(hours=5)})
    odds[["odds_home", "odds_draw", "odds_away"]] = 0.98 / price
    odds[["closing_home", "closing_draw", "closing_away"]] = 0.98 / (close / close.sum(axis=1, keepdims=True))
    return predictions, odds


@pytest.fixture(scope="module")
def proven() -> ValueSignal:
    return value_signal(*release(4_000, closing_follows_pool=True))


def test_flags_whose_closing_line_value_is_above_zero_are_called_value_from_then_on(proven: ValueSignal) -> None:
    assert proven.is_proven
    settled = proven.matches["outcome_1x2"].notna().to_numpy()
    flags, values = proven.flagged != NO_BET, proven.value != NO_BET
    # the first flags are those that the later ones are judged by
    assert flags[settled & ~values].sum() >= MIN_BETS
    assert values[settled].sum() > MIN_BETS
    assert not (values & ~flags).any()
    assert (proven.value[values] == proven.flagged[values]).all()


def test_flags_that_the_close_moved_away_from_are_never_called_value() -> None:
    signal = value_signal(*release(4_000, closing_follows_pool=False))
    assert (signal.flagged != NO_BET).sum() > MIN_BETS
    assert not signal.is_proven
    assert (signal.value == NO_BET).all()


def test_without_closing_prices_nothing_is_called_value() -> None:
    predictions, odds = release(4_000, closing_follows_pool=True)
    signal = value_signal(predictions, odds.drop(columns=["closing_home", "closing_draw", "closing_away"]))
    assert (signal.flagged != NO_BET).any()
    assert (signal.value == NO_BET).all()


def test_few_matches_leave_the_market_alone_and_flag_nothing() -> None:
    signal = value_signal(*release(300, closing_follows_pool=True))
    assert signal.weights == MARKET_ALONE
    assert (signal.flagged == NO_BET).all()


def test_stakes_are_a_quarter_of_kelly_and_a_day_is_capped(proven: ValueSignal) -> None:
    days = proven.matches["match_date"].dt.strftime("%Y-%m-%d")
    daily = pd.Series(proven.stake).groupby(days.to_numpy()).sum()
    assert daily.max() == pytest.approx(MAX_DAY_STAKE)
    assert (proven.stake[proven.value == NO_BET] == 0).all()
    alone = np.flatnonzero((proven.value != NO_BET) & (days.map(daily).to_numpy() < MAX_DAY_STAKE - 1e-9))[0]
    bet = proven.value[alone]
    odds = proven.matches[["odds_home", "odds_draw", "odds_away"]].to_numpy()[alone, bet]
    assert proven.stake[alone] == pytest.approx((proven.pooled[alone, bet] * odds - 1) / (odds - 1) / 4)


def test_the_signal_by_match_names_the_outcome(proven: ValueSignal) -> None:
    frame = proven.by_match()
    assert frame["match_id"].is_monotonic_increasing
    assert set(frame["value_bet"].dropna()) <= {"home", "draw", "away"}
    np.testing.assert_allclose(frame[["pooled_home", "pooled_draw", "pooled_away"]].sum(axis=1), 1)
    assert (frame["stake"].notna() == frame["value_bet"].notna()).all()


def test_the_record_holds_promised_beside_realised_and_the_price_beside_profit(proven: ValueSignal) -> None:
    predictions, odds = release(4_000, closing_follows_pool=True)
    record = track_record(predictions, odds, proven)
    assert record["pool"]["is_proven"]
    assert record["pool"]["bets"]["clv_ci_low"] > 0
    assert record["pool"]["scores"]["pool"]["log_loss"] < record["pool"]["scores"]["market"]["log_loss"]
    model = record["by_threshold"]["model"]
    assert [row["threshold"] for row in model] == [0.0, 0.02, 0.05, 0.1]
    assert [row["bets"] for row in model] == sorted((row["bets"] for row in model), reverse=True)
    assert all(row["promised"] > row["threshold"] for row in model)
    split = record["against_the_pick"]
    assert split["against"]["bets"] + split["with"]["bets"] == record["value_bets"]["bets"]
    # a bettor at random loses the margin
    last = record["curves"]["random"][-1]
    assert last[2] / last[1] == pytest.approx(-0.02, abs=0.02)
    assert record["curves"]["favourite"][-1][1] == last[1] == 3_997
