"""Profit factor of closed trades with its uncertainty: gross profit over gross loss, net of all costs."""

from collections.abc import Sequence
from typing import NamedTuple

Z_95 = 1.959963984540054
LEAST, MOST = 1e-140, 1e150  # sums between them have squares that are ordinary numbers
SCALE = 2.0**600  # brings any other sum between them: exact, as a power of two


class ProfitFactor(NamedTuple):
    """`value` is None for no trades ("unknown"), inf for no losses; bounds are None where undefined."""

    value: float | None
    trades: int
    low: float | None
    high: float | None
    gross_profit_quote: float
    gross_loss_quote: float
    win_frac: float | None


def profit_factor(net_quote: Sequence[float]) -> ProfitFactor:
    """Return the profit factor of net trade results with a 95 % interval.

    Delta method on the logarithm: Var ln PF = (E[W^2]/E[W]^2 + E[L^2]/E[L]^2) / n with W = max(x, 0) and
    L = max(-x, 0). Below some 50 trades the interval is too narrow.
    """
    trades = len(net_quote)
    profit = loss = profit_squared = loss_squared = 0.0
    wins = 0
    for value in net_quote:
        if value > 0.0:
            wins += 1
            profit += value
            profit_squared += value * value
        else:
            loss -= value
            loss_squared += value * value
    if trades == 0:
        return ProfitFactor(None, 0, None, None, 0.0, 0.0, None)
    win_frac = wins / trades
    if loss == 0.0:
        return ProfitFactor(float("inf"), trades, None, None, profit, 0.0, win_frac)
    value = profit / loss
    if profit == 0.0:
        return ProfitFactor(0.0, trades, None, None, 0.0, loss, win_frac)
    profit_share = _share(profit_squared, profit, net_quote, 1.0)
    loss_share = _share(loss_squared, loss, net_quote, -1.0)
    deviation = (profit_share + loss_share) ** 0.5
    spread = _exponential(Z_95 * deviation)
    return ProfitFactor(value, trades, value / spread, value * spread, profit, loss, win_frac)


def _share(squared: float, total: float, net_quote: Sequence[float], side: float) -> float:
    """Return the squares of one side's results over the square of their sum, 1 at most.

    `squared` is their sum as it was added up, which counts only where it can't have lost anything.
    """
    if LEAST <= total <= MOST:
        return squared / total**2
    scale = SCALE if total < 1.0 else 1.0 / SCALE
    squared = 0.0
    for value in net_quote:
        part = side * value * scale
        if part > 0.0:
            squared += part * part
    return squared / (total * scale) ** 2


def _exponential(x: float) -> float:
    """Return e to the x; a report's number, not a decision's."""
    return float(2.718281828459045**x)
