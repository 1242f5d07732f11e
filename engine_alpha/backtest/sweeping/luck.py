"""How good the best of many trials looks without any edge.

Bailey, López de Prado: The Deflated Sharpe Ratio, Journal of Portfolio Management 40 (2014), in its classic
form: the deviation of the ratio is evaluated at the ratio found. The trials are taken as independent. Those
of a sweep are not, neighbours trade alike, so luck is rather made too much of here than too little.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist, stdev
from typing import Final

from engine_alpha.backtest.sweeping.outcome import DailyReturns
from engine_alpha.kernel.profit_factor import Z_95, ProfitFactor

EULER_MASCHERONI: Final = 0.5772156649015329
NORMAL: Final = NormalDist()


def expected_best(trials: float) -> float:
    """Return the expected largest of so many independent standard normal values; 0.0 for a single one.

    Trials may be an effective number, so a fraction: between 1 and 2, where the paper's formula fails, the
    straight line.
    """
    if trials <= 1.0:
        return 0.0
    if trials < 2.0:
        return (trials - 1.0) * expected_best(2.0)
    first, second = (NORMAL.inv_cdf(1.0 - 1.0 / (trials * scale)) for scale in (1.0, math.e))
    return (1.0 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second


def lucky_factor(found: ProfitFactor, trials: int) -> float | None:
    """Return the profit factor to expect of the best of so many trials that have no edge (true factor 1).

    `found` says how widely such a factor scatters: trades as many and as uneven as its own. None without an
    interval.
    """
    if found.low is None or found.high is None:
        return None
    deviation = math.log(found.high / found.low) / (2.0 * Z_95)
    return math.exp(deviation * expected_best(trials))


def probabilistic_sharpe(daily: DailyReturns, benchmark: float = 0.0) -> float | None:
    """Return the probability that the true Sharpe ratio, per day, is above the benchmark, per day.

    None where the moments allow no such statement.
    """
    spread = variance_of_ratio(daily)
    if daily.days < 2 or spread <= 0.0:
        return None
    return NORMAL.cdf((daily.sharpe - benchmark) * math.sqrt((daily.days - 1) / spread))


def variance_of_ratio(daily: DailyReturns) -> float:
    """Return days − 1 times the variance of a Sharpe ratio, evaluated at the ratio found (Mertens 2002)."""
    return 1.0 - daily.skewness * daily.sharpe + (daily.kurtosis - 1.0) / 4.0 * daily.sharpe**2


def scatter_of(ratios: Sequence[float], days: int) -> float:
    """Return the standard deviation of the trials' Sharpe ratios, per day, over a record of so many days.

    The paper takes the scatter of the trials; where that is less than the scatter of a ratio whose true value
    is 0, as it is where all trials are alike, the latter counts.
    """
    return max(stdev(ratios) if len(ratios) > 1 else 0.0, 1.0 / math.sqrt(days))


def deflated_sharpe(best: DailyReturns, ratios: Sequence[float], trials: float) -> float | None:
    """Return the probability that the best trial's true Sharpe ratio is above what luck gives the best.

    `ratios` are the Sharpe ratios, per day, of the trials at hand; `trials` counts all that were ever run.
    """
    return probabilistic_sharpe(best, scatter_of(ratios, best.days) * expected_best(trials))
