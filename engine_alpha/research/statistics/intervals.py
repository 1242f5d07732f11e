"""Intervals of profit factor and mean R: analytic, and by a bootstrap of days in runs.

* analytic: delta method on the logarithm of the profit factor (`kernel.profit_factor`), and the mean with a
  deviation clustered by day (Liang & Zeger, Biometrika 73 (1986)). Below some 50 trades both are too narrow.
* bootstrap: stationary (Politis & Romano, JASA 89 (1994)): rows are drawn in runs of a length that is
  geometric with mean `block`; without one, the cube root of the number of rows, the order that suits a
  variance (Hall, Horowitz, Jing, Biometrika 82 (1995)). Percentiles, so the logarithm makes no difference.
  Trades of one day, across coins too, go together: `daily_sums` makes a row a day.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from engine_alpha.domain.bars import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of 95 % unless the function was told otherwise; a profit factor's may be inf."""

    low: float
    high: float


def mean_interval(values: Floats, days: NDArray[np.int64], level: float = 0.95) -> Interval | None:
    """Return the interval of the mean, trades of a UTC day counted as one; None below 2 days.

    Variance G/(G−1) Σ (sum over the day of value − mean)² / n², G days, n values.
    """
    variance = mean_variance(values, days)
    if variance is None:
        return None
    half = float(ndtri(0.5 + level / 2.0)) * math.sqrt(variance)
    mean = float(values.mean())
    return Interval(low=mean - half, high=mean + half)


def mean_variance(values: Floats, days: NDArray[np.int64]) -> float | None:
    """Return the variance of the mean, clustered by day; None below 2 days."""
    _, place = np.unique(days, return_inverse=True)
    clusters = int(place.max()) + 1 if len(place) else 0
    if clusters < 2:
        return None
    away = np.bincount(place, weights=values - values.mean())
    return clusters / (clusters - 1) * float(away @ away) / len(values) ** 2


def daily_sums(nets: Floats, days: NDArray[np.int64]) -> Floats:
    """Return a row a UTC day with trades, oldest first: sum of the gains, sum of the losses, trades."""
    _, place = np.unique(days, return_inverse=True)
    parts = (np.maximum(nets, 0.0), np.maximum(-nets, 0.0), np.ones(len(nets)))
    return np.column_stack([np.bincount(place, weights=part) for part in parts])


def block_length(rows: int) -> int:
    """Return the mean length of the bootstrap's runs where none is given: the cube root of the rows."""
    return max(1, round(math.cbrt(rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Intervals by bootstrap; None where fewer than two draws say anything."""

    factor: Interval | None
    mean: Interval | None


def drawn_intervals(
    sums: Floats, draws: int = 1_000, seed: int = 0, block: float | None = None, level: float = 0.95
) -> Drawn:
    """Return the percentile intervals of profit factor and mean result, of rows of `daily_sums`.

    Both are of the same draws. `block` 1 draws single rows.
    """
    if len(sums) < 2:
        return Drawn(factor=None, mean=None)
    mean_length = float(block_length(len(sums)) if block is None else block)
    places = resampled(draws, len(sums), mean_length, np.random.default_rng(seed))
    drawn = sums[places].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = drawn[:, 0] / drawn[:, 1]  # inf without a loss, NaN with neither
    means = (drawn[:, 0] - drawn[:, 1]) / drawn[:, 2]
    return Drawn(factor=_percentiles(factors, level), mean=_percentiles(means, level))


def _percentiles(found: Floats, level: float) -> Interval | None:
    known = found[~np.isnan(found)]
    if len(known) < 2:
        return None
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(known, [tail, 1.0 - tail], method="inverted_cdf")  # no sums: inf stays inf
    return Interval(low=float(low), high=float(high))


def resampled(draws: int, rows: int, mean_length: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Return places drawn by the stationary bootstrap, (draws, rows): each follows the last, or jumps.

    A jump has the chance of 1 / mean length, and goes anywhere; the last row is followed by the first.
    """
    starts = random.integers(0, rows, (draws, rows))
    jumps = random.random((draws, rows)) < 1.0 / mean_length
    jumps[:, 0] = True
    at = np.arange(rows)
    since = np.maximum.accumulate(np.where(jumps, at, 0), axis=1)
    return (np.take_along_axis(starts, since, axis=1) + at - since) % rows
