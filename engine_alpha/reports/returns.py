"""Ratios of a marked equity curve: growth, Sharpe, Sortino, Calmar, drawdown, exposure.

Undefined is None, never 0 and never a cap. Crypto trades every day: a year has 365 of them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.kernel.money import DAY_MS

DAYS_A_YEAR = 365
FEWEST_RETURNS = 2
ROUNDING = 1e-9  # deviations below this share of the largest return are float noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawdown:
    """The deepest fall of an equity curve, by its share of the peak before it.

    From the peak at `from_ms` down to `bottom_ms`; `until_ms` is when the peak was reached again, or where
    the curve ends: then it is not `over`. A curve that never fell has zeros.
    """

    quote: float
    frac: float
    from_ms: int
    bottom_ms: int
    until_ms: int
    over: bool

    @property
    def days(self) -> float:
        """Its length in days, from the peak to the end."""
        return (self.until_ms - self.from_ms) / DAY_MS


def daily_returns(times_ms: Ints, equity_quote: Floats, from_ms: int, to_ms: int) -> Floats:
    """Return the returns of the whole UTC days in [from_ms, to_ms], marked at midnight.

    The curve holds from each time on; `times_ms[0]` is at or before the first midnight. Empty where a mark is
    not positive: a share of nothing is no return.
    """
    first, last = -(-from_ms // DAY_MS), to_ms // DAY_MS
    midnights = np.arange(first, last + 1, dtype=np.int64) * DAY_MS
    at = np.searchsorted(times_ms, midnights, side="right") - 1
    if len(at) == 0 or at[0] < 0:
        return np.empty(0)
    marks = equity_quote[at]
    if not np.all(marks > 0.0):
        return np.empty(0)
    found: Floats = marks[1:] / marks[:-1] - 1.0
    return found


def sharpe(returns: Floats, periods_per_year: float = DAYS_A_YEAR) -> float | None:
    """Return mean over standard deviation (n − 1) of the returns, annualised; the riskless rate is 0."""
    if len(returns) < FEWEST_RETURNS:
        return None
    return _annualised(returns, float(returns.std(ddof=1)), periods_per_year)


def sortino(returns: Floats, periods_per_year: float = DAYS_A_YEAR) -> float | None:
    """Return mean over downside deviation √(Σ min(r, 0)² / n), annualised; n counts all returns."""
    if len(returns) < FEWEST_RETURNS:
        return None
    downside = float(np.sqrt(np.mean(np.minimum(returns, 0.0) ** 2)))
    return _annualised(returns, downside, periods_per_year)


def _annualised(returns: Floats, deviation: float, periods_per_year: float) -> float | None:
    if deviation <= ROUNDING * float(np.abs(returns).max()):
        return None
    return float(returns.mean() / deviation * np.sqrt(periods_per_year))


def annual_growth_frac(first_quote: float, last_quote: float, years: float) -> float | None:
    """Return the yearly growth that leads from the first amount to the last (CAGR)."""
    if first_quote <= 0.0 or last_quote <= 0.0 or years <= 0.0:
        return None
    with np.errstate(over="ignore"):
        grown = float(np.float64(last_quote / first_quote) ** (1.0 / years)) - 1.0
    return grown if np.isfinite(grown) else None


def calmar(growth_frac: float | None, drawdown_frac: float | None) -> float | None:
    """Return yearly growth over the deepest drawdown."""
    return growth_frac / drawdown_frac if growth_frac is not None and drawdown_frac else None


def drawdown_curve(equity_quote: Floats) -> Floats:
    """Return how far below its highest point so far the curve stands, 0..1; 0 while that is not positive."""
    peaks = np.maximum.accumulate(equity_quote)
    below: Floats = np.zeros(len(equity_quote))
    np.divide(peaks - equity_quote, peaks, out=below, where=peaks > 0.0)
    return below


def deepest_drawdown(times_ms: Ints, equity_quote: Floats) -> Drawdown | None:
    """Return the deepest drawdown of a curve; None for one without points."""
    if len(equity_quote) == 0:
        return None
    below = drawdown_curve(equity_quote)
    bottom = int(below.argmax())
    peak_quote = float(equity_quote[: bottom + 1].max())
    peak = int(np.flatnonzero(equity_quote[: bottom + 1] == peak_quote)[-1])
    after = np.flatnonzero(equity_quote[bottom:] >= peak_quote)
    end = bottom + int(after[0]) if len(after) else len(equity_quote) - 1
    return Drawdown(
        quote=peak_quote - float(equity_quote[bottom]),
        frac=float(below[bottom]),
        from_ms=int(times_ms[peak]),
        bottom_ms=int(times_ms[bottom]),
        until_ms=int(times_ms[end]),
        over=len(after) > 0,
    )


def time_weighted(times_ms: Ints, values: Floats, to_ms: int) -> float | None:
    """Return the mean of a curve of steps, each value holding until the next time, the last until `to_ms`."""
    if len(times_ms) == 0:
        return None
    spans = np.diff(np.append(times_ms, max(to_ms, int(times_ms[-1]))))
    whole = int(spans.sum())
    return float((values * spans).sum() / whole) if whole else None


def monthly_returns(times_ms: Ints, equity_quote: Floats, to_ms: int) -> tuple[tuple[str, float], ...]:
    """Return ("2023-04", return) per UTC month; the first and the last may be parts of one."""
    if len(times_ms) == 0:
        return ()
    first, last = _month(int(times_ms[0])), _month(to_ms - 1)
    found, before = [], float(equity_quote[0])
    for month in range(first, last + 1):
        at = int(np.searchsorted(times_ms, _start_ms(month + 1), side="right")) - 1
        mark = float(equity_quote[at])
        if before > 0.0:
            found.append((f"{month // 12}-{month % 12 + 1:02}", mark / before - 1.0))
        before = mark
    return tuple(found)


def _month(at_ms: int) -> int:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.year * 12 + at.month - 1


def _start_ms(month: int) -> int:
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
