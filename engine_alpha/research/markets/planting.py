"""How large a planted edge is: what its card makes of such markets, alone and net of all costs."""

import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from engine_alpha.backtest.sweeping.road import prepare
from engine_alpha.domain.bars import Floats
from engine_alpha.kernel.profit_factor import Z_95
from engine_alpha.research.markets.homes import card_alone, written
from engine_alpha.research.markets.market import Market
from engine_alpha.research.markets.planted import CARD, THRESHOLD, Factor

TOLERANCE: Final = 0.01
"""Of the logarithm of the profit factor: far inside the interval of any run one would wait for."""
MOST_STEPS: Final = 12


class Played(NamedTuple):
    """One market's trades in R: gains, losses (as positive numbers) and how many there were."""

    gained_r: float
    lost_r: float
    trades: int


def net_r(market: Market) -> Floats:
    """Return the net R of each trade that the card, alone in its neutral setup, makes of a market.

    It enters where the drift begins, whatever the card's file says now.
    """
    with tempfile.TemporaryDirectory(prefix="chloe-market-") as folder:
        home, wanted = written(market, Path(folder) / "home")
        setup = card_alone(home, wanted, CARD, {"entry[0].at_least": THRESHOLD})
        return np.asarray(prepare(setup, wanted).swept(setup).rows["r"], np.float64).copy()


def played_of(trades_r: Floats) -> Played:
    """Return one market's trades, summed up."""
    gained, lost = trades_r[trades_r > 0.0].sum(), -trades_r[trades_r < 0.0].sum()
    return Played(float(gained), float(lost), len(trades_r))


def factor_of(strength: float, markets: Sequence[Played]) -> Factor:
    """Return the profit factor of all markets' trades together.

    Delta method on the logarithm over whole markets, whose coins move together: with P and L the sums,
    Var ln(P / L) = sum over markets of (p / P - l / L)^2.
    """
    gained = np.array([each.gained_r for each in markets])
    lost = np.array([each.lost_r for each in markets])
    trades = sum(each.trades for each in markets)
    profit, loss = float(gained.sum()), float(lost.sum())
    value = profit / loss
    spread = math.exp(Z_95 * float(np.sqrt(np.square(gained / profit - lost / loss).sum())))
    return Factor(
        strength=strength,
        value=value,
        low=value / spread,
        high=value * spread,
        mean_r=(profit - loss) / trades,
        trades=trades,
        markets=len(markets),
    )


def solved(target: float, measure: Callable[[float], Factor], low: float = 0.0, high: float = 0.02) -> Factor:
    """Return the strength that makes the target, by false position on the logarithm of the factor.

    `measure` plays the same markets for every strength, so that the factor rises steadily with it. Raises
    `ValueError` where low and high do not enclose the target.
    """
    ends = [(each, math.log(measure(each).value / target)) for each in (low, high)]
    if not ends[0][1] < 0.0 < ends[1][1]:
        raise ValueError(f"PF {target:g} lies outside strengths {low:g} to {high:g}: widen them")
    for _ in range(MOST_STEPS):
        (below, under), (above, over) = ends
        found = measure(below + (above - below) * under / (under - over))
        miss = math.log(found.value / target)
        if abs(miss) <= TOLERANCE:
            return found
        ends[miss > 0.0] = (found.strength, miss)
    raise ValueError(f"PF {target:g} not met in {MOST_STEPS} steps: play more markets")
