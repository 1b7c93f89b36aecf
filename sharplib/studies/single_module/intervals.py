"""95 % intervals: of a share, of the mean of positive numbers, of the mean of sparsity errors."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

__all__ = ["Interval", "beta", "gamma", "wilson"]

_Z = float(stats.norm.ppf(0.975))
_DROP = _Z**2 / 2  # of the log-likelihood, from its top to the ends of the interval


class Interval(NamedTuple):
    """An estimate between two ends."""

    low: float
    value: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    r"""A share of trials, with the interval of Wilson (1927).

    .. math:: \frac{\hat p + z^2/2n \pm z \sqrt{\hat p (1 - \hat p)/n + z^2/4n^2}}{1 + z^2/n}

    >>> [round(100 * end, 1) for end in wilson(17, 25)]
    [48.4, 68.0, 82.8]
    """
    share, more = successes / trials, _Z**2 / trials
    half = _Z * math.sqrt(share * (1 - share) / trials + more / (4 * trials))
    # The ends are exact at 0 and 1, where rounding would miss.
    low = 0.0 if successes == 0 else (share + more / 2 - half) / (1 + more)
    high = 1.0 if successes == trials else (share + more / 2 + half) / (1 + more)
    return Interval(low, share, high)


def gamma(values: ArrayLike) -> Interval:
    """The mean of positive numbers that follow a gamma law, with its profile-likelihood interval.

    With fewer than two values, or where they hardly differ, Student's interval; without any, NaN.

    >>> [round(end, 2) for end in gamma([2.0, 3.0, 4.0, 7.0])]
    [2.4, 4.0, 7.42]
    """
    x = np.asarray(values, float)
    if x.size < 2 or x.std(ddof=1) <= 1e-5:
        return _student(x)

    size, log_mean = x.size, float(np.log(x).mean())

    def best(mean: float) -> float:
        # Of the shape k, with rate k / mean; the slope in k falls from infinity to below 0.
        level = log_mean - x.mean() / mean - math.log(mean)

        def slope(k: float) -> float:
            return math.log(k) + 1 - float(special.digamma(k)) + level

        k = float(optimize.brentq(slope, 1e-8, 1e12)) if slope(1e12) < 0 else 1e12
        return size * (k * (math.log(k) + level) - float(special.gammaln(k)) - log_mean)

    return _profile(best, float(x.mean()), 0.0, math.inf)


def beta(values: ArrayLike) -> Interval:
    r"""The mean of numbers in [0, 1/2] that follow a beta law there, with its profile interval.

    Numbers are doubled, fitted in (0, 1) as :math:`\mathrm{Beta}(m v, (1 - m) v)`, and the mean is
    halved. A published script halves the mean only: its figures are half of what they should be.
    With fewer than two values, or where they hardly differ, Student's interval; without any, NaN.

    >>> [round(end, 3) for end in beta([0.1, 0.2, 0.3, 0.2])]
    [0.126, 0.2, 0.287]
    """
    x = np.asarray(values, float)
    if x.size < 2 or x.std(ddof=1) <= 1e-10:
        return _student(x)
    u = np.clip(2 * x, 2e-16, 1 - 2e-16)

    logs = float(np.log(u).mean()), float(np.log1p(-u).mean())

    def best(mean: float) -> float:
        def loss(log_v: float) -> float:
            one, other = mean * math.exp(log_v), (1 - mean) * math.exp(log_v)
            area = float(special.betaln(one, other))
            return u.size * (area - (one - 1) * logs[0] - (other - 1) * logs[1])

        return -float(optimize.minimize_scalar(loss, bounds=(-20, 40), method="bounded").fun)

    top = optimize.minimize_scalar(lambda m: -best(m), bounds=(1e-15, 1 - 1e-15), method="bounded")
    low, value, high = _profile(best, float(top.x), 0.0, 1.0)
    return Interval(low / 2, value / 2, high / 2)


def _student(x: NDArray[np.float64]) -> Interval:
    if x.size == 0:
        return Interval(math.nan, math.nan, math.nan)
    mean = float(x.mean())
    if x.size == 1:
        return Interval(math.nan, mean, math.nan)
    half = float(stats.t.ppf(0.975, x.size - 1) * x.std(ddof=1) / math.sqrt(x.size))
    return Interval(mean - half, mean, mean + half)


def _profile(best: Callable[[float], float], top: float, least: float, most: float) -> Interval:
    """The means whose best log-likelihood is at most `_DROP` below the top."""
    peak = best(top)

    def end(outer: float) -> float:
        inner, reach = top, top
        for _ in range(200):  # half the way to a bound, or twice as far, until it is too far
            reach = (reach + outer) / 2 if math.isfinite(outer) else 2 * reach
            if best(reach) < peak - _DROP:
                return float(optimize.brentq(lambda m: best(m) - peak + _DROP, inner, reach))
            inner = reach
        return outer

    return Interval(end(least), top, end(most))
