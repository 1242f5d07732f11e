"""What to expect of future trades: less than what was found, the more so the less that proves.

Two things flatter what was found. Some coins did better than others by luck: each is drawn towards all of
them (`statistics.pooling`). And what passes a gate is the lucky end of what there is, all coins together: so
their mean is drawn towards nothing, by a prior that doubts (Spiegelhalter, Freedman, Parmar: Bayesian
Approaches to Randomized Trials, Journal of the Royal Statistical Society A 157 (1994)): before any evidence a
card's yearly Sharpe ratio, net of costs, is 0, give or take `PRIOR_SHARPE`. A posterior needs no correction
for having been selected. Coins that win and lose together are fewer bets than there are coins: the design
effect widens the interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine_alpha.backtest.sweeping.luck import variance_of_ratio
from engine_alpha.backtest.sweeping.outcome import moments
from engine_alpha.domain.bars import Floats
from engine_alpha.kernel.profit_factor import Z_95, ProfitFactor, profit_factor
from engine_alpha.reports.returns import DAYS_A_YEAR
from engine_alpha.research.statistics.pooling import Pooled, pooled
from engine_alpha.research.statistics.sharpe import autocorrelation_of, variance_under_null

FEWEST_TRADES: Final = 5
"""A coin with fewer out-of-sample trades of a card has no say of its own: it stands with all coins."""
PRIOR_SHARPE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What to expect of future trades. Intervals are of 95 %.

    `mean_r` is net R a trade; None where there were too few trades to say.
    """

    trades: int
    mean_r: float | None
    mean_r_low: float | None
    mean_r_high: float | None
    factor: float | None
    factor_low: float | None
    factor_high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the mean of all coins is to be believed, 0 to 1, and its variance over that of apart coins."""

    belief: float
    design_effect: float


def standing_of(daily: Floats) -> Standing:
    """Return it from out-of-sample results by day, coins × days."""
    together = daily.sum(axis=0)
    apart = float(daily.var(axis=1).sum())
    design = max(1.0, float(together.var()) / apart) if apart > 0.0 else 1.0
    found = moments(together)
    under_null = None if found is None else variance_under_null(found, 0.0, autocorrelation_of(together))
    if found is None or under_null is None:
        return Standing(belief=0.0, design_effect=design)
    variance = max(variance_of_ratio(found), under_null) / found.days * DAYS_A_YEAR
    return Standing(belief=PRIOR_SHARPE**2 / (PRIOR_SHARPE**2 + variance), design_effect=design)


def estimates(results: Sequence[Floats], daily: Floats) -> tuple[Estimate, ...]:
    """Return what to expect of each coin, from out-of-sample trades in R and from days, coins × days."""
    standing = standing_of(daily)
    means = _doubted(pooled(*mean_moments(results)), standing)
    logs = _doubted(pooled(*_log_factors([profit_factor(each.tolist()) for each in results])), standing)
    return tuple(
        _estimate(len(each), (means[0][coin], means[1][coin]), (logs[0][coin], logs[1][coin]))
        for coin, each in enumerate(results)
    )


def mean_moments(results: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Return mean R and its variance by coin; NaN where a coin has too few trades.

    The scatter of R is taken over all coins: a coin with few trades does not know its own.
    """
    everything = np.concatenate(results)
    scatter = float(everything.var(ddof=1)) if len(everything) > 1 else math.nan
    counts = np.array([len(each) for each in results], dtype=float)
    enough = counts >= FEWEST_TRADES
    means = np.array([each.mean() if len(each) else math.nan for each in results])
    variances = np.divide(scatter, counts, out=np.full(len(counts), math.nan), where=enough)
    return np.where(enough, means, math.nan), variances


def _log_factors(factors: Sequence[ProfitFactor]) -> tuple[Floats, Floats]:
    """Return ln PF and its variance by coin, from the interval of each; NaN where it has none."""
    values, variances = np.full(len(factors), math.nan), np.full(len(factors), math.nan)
    for coin, factor in enumerate(factors):
        if factor.trades >= FEWEST_TRADES and factor.value and factor.low and factor.high:
            values[coin] = math.log(factor.value)
            variances[coin] = (math.log(factor.high / factor.low) / (2.0 * Z_95)) ** 2
    return values, variances


def _doubted(found: Pooled, standing: Standing) -> tuple[Floats, Floats]:
    """Return values and variances after the prior: of a normal mean with a normal prior, all drawn alike.

    A coin's own part is drawn, too: where coins do not differ, what seems its own is luck as well.
    """
    unsure = found.variance * (standing.belief * standing.design_effect - 1.0)
    variances = found.value_variances + (1.0 - found.weights) ** 2 * unsure
    return standing.belief * found.values, np.maximum(variances, 0.0)


def _estimate(trades: int, mean: tuple[float, float], log: tuple[float, float]) -> Estimate:
    """Return an estimate from values and variances of mean R and of ln PF."""
    r, r_low, r_high = _with_interval(*mean)
    factor, low, high = (None if each is None else math.exp(each) for each in _with_interval(*log))
    return Estimate(
        trades=trades,
        mean_r=r,
        mean_r_low=r_low,
        mean_r_high=r_high,
        factor=factor,
        factor_low=low,
        factor_high=high,
    )


def _with_interval(value: float, variance: float) -> tuple[float | None, float | None, float | None]:
    if not (math.isfinite(value) and math.isfinite(variance)):
        return None, None, None
    half = Z_95 * math.sqrt(variance)
    return float(value), float(value) - half, float(value) + half
