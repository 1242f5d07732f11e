"""Partial pooling across assets: 12 coins do not become 12 lotteries.

Normal-normal: an asset's mean scatters about its true value with a known variance, the true values scatter
about a common one with a variance between assets, τ². That is Paule & Mandel's (Consensus Values and
Weighting Factors, Journal of Research of the NBS 87 (1982)): the τ² >= 0 at which the weighted squares about
the pooled mean, Σ (y − μ)² / (v + τ²), are as large as their degrees of freedom. The value of an asset is the
posterior mean, w y + (1 − w) μ with w = τ² / (τ² + v) (Morris: Parametric Empirical Bayes Inference, JASA 78
(1983)). Its variance is that of the posterior, τ² v / (τ² + v), plus (1 − w)² Var(μ) for what is not known of
the pooled mean, plus Morris's 2 (1 − w)² (y − μ)² / (k − 3) for what is not known of τ², with k assets and
k − 3 at least 1: where τ² is small, an interval of 95 % would hold 84 % of 12 assets' truths without it, 92 %
with it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from engine_alpha.domain.bars import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """`mean` with its `variance`; per entry, as given, value, variance and weight of its own mean."""

    mean: float
    variance: float
    between_variance: float
    values: Floats
    value_variances: Floats
    weights: Floats


def pooled(means: ArrayLike, variances: ArrayLike) -> Pooled:
    """Return the means drawn together as far as they are unsure; `variances` are those of the means.

    An entry without a finite mean and a finite variance above 0 has no weight and takes the pooled value; its
    variance is that between assets plus the pooled mean's. All is NaN where no entry has them.
    """
    own, variance = np.asarray(means, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    known = np.isfinite(own) & np.isfinite(variance) & (variance > 0.0)
    if not known.any():
        nothing = np.full(len(own), np.nan)
        return Pooled(
            mean=np.nan,
            variance=np.nan,
            between_variance=np.nan,
            values=nothing,
            value_variances=nothing,
            weights=np.zeros(len(own)),
        )
    between = variance_between(own[known], variance[known])
    mean, mean_variance = _common(own[known], variance[known], between)
    finite = np.where(known, variance, 1.0)
    weights = np.where(known, between / (between + finite), 0.0)
    posterior = np.where(known, between * finite / (between + finite), between)
    away = np.where(known, own, mean) - mean
    unsure = 2.0 * ((1.0 - weights) * away) ** 2 / max(1, int(known.sum()) - 3)
    return Pooled(
        mean=mean,
        variance=mean_variance,
        between_variance=between,
        values=mean + weights * away,
        value_variances=posterior + (1.0 - weights) ** 2 * mean_variance + unsure,
        weights=weights,
    )


def variance_between(means: Floats, variances: Floats) -> float:
    """Return τ² of Paule & Mandel; 0.0 where the means differ no more than they are unsure."""
    freedom = len(means) - 1

    def excess(between: float) -> float:
        mean, _ = _common(means, variances, between)
        return float(np.sum((means - mean) ** 2 / (variances + between))) - freedom

    if freedom == 0 or excess(0.0) <= 0.0:
        return 0.0
    # at or above this every weighted square is at most (y - y')² / τ², so together below their freedom
    enough = len(means) * float(np.ptp(means)) ** 2 / freedom
    return float(brentq(excess, 0.0, enough, xtol=enough * 1e-15, rtol=1e-13))


def _common(means: Floats, variances: Floats, between: float) -> tuple[float, float]:
    """Return the weighted mean and its variance."""
    weights = 1.0 / (variances + between)
    return float(weights @ means / weights.sum()), float(1.0 / weights.sum())
