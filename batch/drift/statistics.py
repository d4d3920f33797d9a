"""Two-sample statistics with numpy alone; the batch function's package has no room for scipy.

Each function agrees with its counterpart in scipy 1.17 (named in its docstring), which the tests compare it with.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EXACT_KS_LIMIT: Final = 10_000
"""Largest sample for which the exact distribution of the KS statistic is used, as in scipy."""
_TERMS: Final = 100
_SERIES_STEPS: Final = 1000
_PRECISION: Final = 1e-15
_TINY: Final = 1e-300


def ks_statistic(a: Floats, b: Floats) -> float:
    """Largest distance between the two empirical distribution functions, in [0, 1]."""
    a, b = np.sort(a), np.sort(b)
    pooled = np.concatenate([a, b])
    below_a = np.searchsorted(a, pooled, side="right") / len(a)
    below_b = np.searchsorted(b, pooled, side="right") / len(b)
    return float(np.abs(below_a - below_b).max())


def ks_p_value(a: Floats, b: Floats) -> float:
    """Two-sided p-value of the two-sample Kolmogorov-Smirnov test (`scipy.stats.ks_2samp`, method "auto").

    Exact where neither sample has more than EXACT_KS_LIMIT values, by counting lattice paths (Hodges 1958); else the
    limiting distribution with Vrbik's correction for finite samples (2018), within 0.001 of scipy's.

    Args:
        a: At least one finite value.
        b: The same.
    """
    d = ks_statistic(a, b)
    if max(len(a), len(b)) <= EXACT_KS_LIMIT:
        return _exact_ks(len(a), len(b), d)
    n = round(len(a) * len(b) / (len(a) + len(b)))
    return kolmogorov_survival(d, n)


def kolmogorov_survival(d: float, n: int) -> float:
    """P(D_n >= d) of the one-sample two-sided statistic, approximately (`scipy.stats.kstwo.sf`)."""
    x = math.sqrt(n) * d
    x += 1 / (6 * math.sqrt(n)) + (x - 1) / (4 * n)
    if x < 0.2:  # noqa: PLR2004 - the alternating series needs too many terms: the value is 1 to 1e-12
        return 1.0
    total = 2 * sum((1 if k % 2 else -1) * math.exp(-2 * k * k * x * x) for k in range(1, _TERMS))
    return min(max(total, 0.0), 1.0)


def _exact_ks(m: int, n: int, d: float) -> float:
    """P(D >= d): one minus the share of lattice paths from (0, 0) to (m, n) that stay strictly within d."""
    m, n = min(m, n), max(m, n)  # the loop runs over the smaller sample
    divisor = math.gcd(m, n)
    step_m, step_n = m // divisor, n // divisor
    h = round(d * m * step_n)  # d is a multiple of 1 / lcm(m, n)
    if h == 0:
        return 1.0
    low, high = 0, min(-(-h // step_m), n + 1)  # j * step_m < h
    paths = np.ones(high)
    log_scale = 0.0
    for i in range(1, m + 1):
        # |i * step_n - j * step_m| < h
        next_low = max((i * step_n - h) // step_m + 1, 0)
        next_high = min(-(-(i * step_n + h) // step_m), n + 1)
        if next_low >= next_high:
            return 1.0
        diagonal = np.zeros(next_high - next_low)
        first, last = max(low, next_low), min(high, next_high)
        diagonal[first - next_low : last - next_low] = paths[first - low : last - low]
        paths = np.cumsum(diagonal)
        largest = float(paths[-1])
        if largest == 0:
            return 1.0
        paths /= largest
        log_scale += math.log(largest)
        low, high = next_low, next_high
    log_all = math.lgamma(m + n + 1) - math.lgamma(m + 1) - math.lgamma(n + 1)
    inside = math.exp(log_scale - log_all) * float(paths[n - low])
    return min(max(1 - inside, 0.0), 1.0)


def chi_square_p_value(observed: Floats, expected: Floats) -> float:
    """P-value of the chi-square goodness-of-fit test with k - 1 degrees of freedom (`scipy.stats.chisquare`).

    An observation in a category with expectation 0 is certain drift: 0.
    """
    with np.errstate(divide="ignore"):
        statistic = float(((observed - expected) ** 2 / expected).sum())
    return chi_square_survival(statistic, len(observed) - 1)


def chi_square_survival(statistic: float, degrees: int) -> float:
    """P(X >= statistic) of the chi-square distribution (`scipy.stats.chi2.sf`)."""
    if math.isinf(statistic):
        return 0.0
    return _upper_gamma(degrees / 2, statistic / 2)


def _upper_gamma(a: float, x: float) -> float:
    """Regularised upper incomplete gamma function Q(a, x), by series or continued fraction (Numerical Recipes, 6.2)."""
    if x <= 0:
        return 1.0
    factor = math.exp(-x + a * math.log(x) - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for n in range(1, _SERIES_STEPS):
            term *= x / (a + n)
            total += term
            if term < total * _PRECISION:
                break
        return max(1 - total * factor, 0.0)
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    fraction = d
    for n in range(1, _SERIES_STEPS):
        numerator = -n * (n - a)
        b += 2
        d = 1 / _away_from_zero(numerator * d + b)
        c = _away_from_zero(b + numerator / c)
        fraction *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return factor * fraction


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def two_proportions_p_value(successes: tuple[int, int], sizes: tuple[int, int]) -> float:
    """Two-sided p-value of the z test of two proportions with pooled variance.

    Args:
        successes: In each sample; neither none nor all of them together.
        sizes: Number of values of each.
    """
    first, second = successes[0] / sizes[0], successes[1] / sizes[1]
    pooled = sum(successes) / sum(sizes)
    z = (first - second) / math.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    return math.erfc(abs(z) / math.sqrt(2))


def wasserstein(a: Floats, b: Floats) -> float:
    """First Wasserstein distance, the area between the distribution functions (`scipy.stats.wasserstein_distance`)."""
    a, b = np.sort(a), np.sort(b)
    pooled = np.sort(np.concatenate([a, b]))
    below_a = np.searchsorted(a, pooled[:-1], side="right") / len(a)
    below_b = np.searchsorted(b, pooled[:-1], side="right") / len(b)
    return float((np.abs(below_a - below_b) * np.diff(pooled)).sum())


def jensen_shannon_distance(p: Floats, q: Floats) -> float:
    """Square root of the Jensen-Shannon divergence, natural logarithm (`scipy.spatial.distance.jensenshannon`)."""
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2

    def divergence(x: Floats) -> float:
        positive = x > 0
        return float((x[positive] * np.log(x[positive] / middle[positive])).sum())

    return math.sqrt(max((divergence(p) + divergence(q)) / 2, 0.0))
