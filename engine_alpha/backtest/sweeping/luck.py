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


def expected_best(trials: int) -> float:
    """Return the expected largest of so many independent standard normal values; 0.0 for a single one."""
    if trials < 2:
        return 0.0
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
    ratio = daily.sharpe
    spread = 1.0 - daily.skewness * ratio + (daily.kurtosis - 1.0) / 4.0 * ratio**2
    if daily.days < 2 or spread <= 0.0:
        return None
    return NORMAL.cdf((ratio - benchmark) * math.sqrt((daily.days - 1) / spread))


def deflated_sharpe(best: DailyReturns, ratios: Sequence[float], trials: int) -> float | None:
    """Return the probability that the best trial's true Sharpe ratio is above what luck gives the best.

    `ratios` are the Sharpe ratios, per day, of the trials at hand; `trials` counts all that were ever run.
    The paper takes the scatter of the trials; where that is less than the scatter of a ratio whose true value
    is 0, as it is where all trials are alike, the latter counts.
    """
    scatter = max(stdev(ratios) if len(ratios) > 1 else 0.0, 1.0 / math.sqrt(best.days))
    return probabilistic_sharpe(best, scatter * expected_best(trials))
