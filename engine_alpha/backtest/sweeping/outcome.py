"""What one evaluation of one set of parameters came to, and by which number sets are ranked."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Floats
from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.reports.returns import ROUNDING, sharpe

FEWEST_DAYS: Final = 3  # below, a deviation says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyReturns:
    """Moments of the account's UTC-daily returns, as tests of a Sharpe ratio need them: per day, not yearly.

    `kurtosis` is not the excess: 3 for normal returns.
    """

    days: int
    sharpe: float
    skewness: float
    kurtosis: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One run in short. `factor` is net of all costs; `sharpe` is yearly (365 days), None undefined.

    `max_drawdown_frac` is the account's deepest fall, open positions marked at their last close.
    `trades_sha256` hashes every closed trade, all its fields, in the order of the exits.
    """

    factor: ProfitFactor
    per_coin: Mapping[str, ProfitFactor]
    sharpe: float | None
    max_drawdown_frac: float
    daily: DailyReturns | None
    trades_sha256: str

    @property
    def trades(self) -> int:
        """How many trades were closed."""
        return self.factor.trades

    @property
    def net_quote(self) -> float:
        """What the closed trades made, net."""
        return self.factor.gross_profit_quote - self.factor.gross_loss_quote


def moments(returns: Floats) -> DailyReturns | None:
    """Return the moments of daily returns; None where there are too few or they do not differ."""
    if len(returns) < FEWEST_DAYS:
        return None
    away = returns - returns.mean()
    deviation = float(np.sqrt(np.mean(away**2)))
    if deviation <= ROUNDING * float(np.abs(returns).max()):
        return None
    per_day = sharpe(returns, periods_per_year=1)
    return DailyReturns(
        days=len(returns),
        sharpe=per_day or 0.0,
        skewness=float(np.mean(away**3)) / deviation**3,
        kurtosis=float(np.mean(away**4)) / deviation**4,
    )


def _net_over_drawdown(outcome: Outcome) -> float | None:
    if outcome.trades == 0 or outcome.max_drawdown_frac <= 0.0:
        return None
    return outcome.net_quote / outcome.max_drawdown_frac


OBJECTIVES: Final[Mapping[str, Callable[[Outcome], float | None]]] = {
    "pf_low": lambda outcome: outcome.factor.low,
    "pf": lambda outcome: outcome.factor.value,
    "net": lambda outcome: outcome.net_quote if outcome.trades else None,
    "sharpe": lambda outcome: outcome.sharpe,
    "net_over_drawdown": _net_over_drawdown,
}
"""Numbers to rank by, more is better; None (undefined) ranks behind every number."""


def score(outcome: Outcome | None, objective: str) -> float:
    """Return the number to rank by; minus infinity where it is undefined or nothing came out."""
    found = None if outcome is None else OBJECTIVES[objective](outcome)
    return -math.inf if found is None else float(found)
