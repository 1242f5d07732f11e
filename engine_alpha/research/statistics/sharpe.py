"""How sure a Sharpe ratio is: probabilistic, deflated, and how long a record must be; two conventions each.

* classic: Bailey, López de Prado: The Sharpe Ratio Efficient Frontier, Journal of Risk 15 (2012), and The
  Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014): the deviation of the ratio is evaluated at
  the ratio found, days count as independent. Found in `backtest.sweeping.luck`.
* 2025, under the null: López de Prado, Lipton, Zoonekynd: How to Use the Sharpe Ratio (2025): the deviation
  is evaluated at the benchmark, and an autocorrelation of first order widens it.

A gate reads the lower of both. Ratios are per day, not yearly; kurtosis is not the excess.
"""

import math
from dataclasses import dataclass
from typing import Final

from scipy.special import ndtr, ndtri

from engine_alpha.backtest.sweeping.luck import expected_best, probabilistic_sharpe, variance_of_ratio
from engine_alpha.backtest.sweeping.outcome import DailyReturns
from engine_alpha.domain.bars import Floats

CLASSIC: Final = "classic"
UNDER_NULL: Final = "2025, under the null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """One probability by both conventions."""

    classic: float
    under_null: float

    @property
    def lower(self) -> float:
        """The smaller of both: what gates read."""
        return min(self.classic, self.under_null)

    @property
    def convention(self) -> str:
        """Which convention gave the smaller one."""
        return CLASSIC if self.classic <= self.under_null else UNDER_NULL


def autocorrelation_of(returns: Floats) -> float:
    """Return the autocorrelation at lag 1, inside (−1, 1); 0.0 where fewer than 3 returns or none differ."""
    if len(returns) < 3 or float(returns.min()) == float(returns.max()):
        return 0.0
    away = returns - returns.mean()
    return float(away[1:] @ away[:-1]) / float(away @ away)


def psr(daily: DailyReturns, benchmark: float = 0.0, autocorrelation: float = 0.0) -> Inference | None:
    """Return the probability that the true ratio is above the benchmark; None where moments allow neither."""
    classic = probabilistic_sharpe(daily, benchmark)
    variance = variance_under_null(daily, benchmark, autocorrelation)
    if classic is None or variance is None:
        return None
    under_null = float(ndtr((daily.sharpe - benchmark) * math.sqrt(daily.days / variance)))
    return Inference(classic=classic, under_null=under_null)


def dsr(daily: DailyReturns, scatter: float, trials: float, autocorrelation: float = 0.0) -> Inference | None:
    """Return the probability that the true ratio is above what luck gives the best of so many trials.

    `scatter` is the standard deviation of the trials' ratios, per day (`luck.scatter_of` has a floor where
    trials are alike). The paper of 2025 also offers a deviation shrunk to that of a maximum; above one half,
    where gates are, it is the more generous, and not used.
    """
    return psr(daily, scatter * expected_best(trials), autocorrelation)


def variance_under_null(daily: DailyReturns, benchmark: float, autocorrelation: float = 0.0) -> float | None:
    """Return days times the variance of an estimated ratio whose true value is the benchmark (2025).

    (1 + 2ρ/(1−ρ)) − (1 + ρ/(1−ρ) + ρ²/(1−ρ²)) γ3 SR + (1 + 2ρ²/(1−ρ²)) (γ4−1)/4 SR² at SR = benchmark.
    None where it is not positive or there is no record.
    """
    rho = autocorrelation
    first, second = rho / (1.0 - rho), rho**2 / (1.0 - rho**2)
    variance = (
        1.0
        + 2.0 * first
        - (1.0 + first + second) * daily.skewness * benchmark
        + (1.0 + 2.0 * second) * (daily.kurtosis - 1.0) / 4.0 * benchmark**2
    )
    return variance if variance > 0.0 and daily.days >= 2 else None


def minimum_track_record(
    daily: DailyReturns, benchmark: float = 0.0, alpha: float = 0.05, autocorrelation: float = 0.0
) -> float | None:
    """Return how many days must pass until such a ratio is above the benchmark at 1 − alpha.

    The longer of both conventions. None where the ratio is not above the benchmark, or moments allow none.
    """
    classic = classic_track_record(daily, benchmark, alpha)
    under_null = track_record_under_null(daily, benchmark, alpha, autocorrelation)
    return None if classic is None or under_null is None else max(classic, under_null)


def classic_track_record(daily: DailyReturns, benchmark: float = 0.0, alpha: float = 0.05) -> float | None:
    """Return MinTRL of 2012, in days: 1 + (1 − γ3 SR + (γ4−1)/4 SR²) (z / (SR − SR*))²."""
    days = _days(variance_of_ratio(daily), daily.sharpe - benchmark, alpha)
    return None if days is None else 1.0 + days


def track_record_under_null(
    daily: DailyReturns, benchmark: float = 0.0, alpha: float = 0.05, autocorrelation: float = 0.0
) -> float | None:
    """Return MinTRL of 2025, in days: the variance under the null times (z / (SR − SR*))²."""
    variance = variance_under_null(daily, benchmark, autocorrelation)
    return None if variance is None else _days(variance, daily.sharpe - benchmark, alpha)


def _days(variance: float, above: float, alpha: float) -> float | None:
    """Return variance (z / above)²; None where that is not finite or nothing is above."""
    if variance <= 0.0 or above <= 0.0:
        return None
    deviations = max(0.0, -float(ndtri(alpha))) / above
    days = variance * deviations * deviations
    return days if math.isfinite(days) else None
