"""Simulated trades in R: three shapes, any profit factor planted, gap losses among them.

The edge is the share of winners; their size is the shape's. `FAT` are the quantiles of what the default cards
made of twelve coins' real candles, 2020 to 2024, limits off: 1,334 trades, PF 2.2, a 15th of them beyond 3 R.
"""

from typing import NamedTuple

import numpy as np

Rs = np.ndarray[tuple[int, int], np.dtype[np.float64]]
GAP_LOSS_R = (3.0, 6.0)
GAP_FRAC = 0.04
"""Share of losers that are gaps, where there are any."""


class Quantiles(NamedTuple):
    """Sizes in R by share of trades below; straight lines between."""

    shares: tuple[float, ...]
    sizes: tuple[float, ...]

    def mean(self) -> float:
        """Return the mean size."""
        return float(np.trapezoid(self.sizes, self.shares))


class Shape(NamedTuple):
    """How large winners and losers are, and the share of losers that are gaps instead."""

    name: str
    winners: Quantiles
    losers: Quantiles
    gap_frac: float
    gap_r: tuple[float, float] = GAP_LOSS_R

    def mean_loser(self) -> float:
        """Return the mean loser in R, gaps included."""
        return (1.0 - self.gap_frac) * self.losers.mean() + self.gap_frac * sum(self.gap_r) / 2.0

    def win_frac_for_pf(self, pf: float) -> float:
        """Return the share of winners that makes this profit factor."""
        lost = pf * self.mean_loser()
        return lost / (lost + self.winners.mean())

    def win_frac_for_mean(self, mean_r: float) -> float:
        """Return the share of winners that makes this mean R."""
        return (mean_r + self.mean_loser()) / (self.winners.mean() + self.mean_loser())

    def mean_r(self, win_frac: float) -> float:
        """Return the mean R with this share of winners."""
        return win_frac * self.winners.mean() - (1.0 - win_frac) * self.mean_loser()


def always(size: float) -> Quantiles:
    """Return one size for all."""
    return Quantiles((0.0, 1.0), (size, size))


TWO_POINT = Shape("two sizes", always(1.6), always(1.0), 0.0)
EARLY = Shape(
    "stop, target, early exits",
    Quantiles((0.0, 0.2, 0.4, 0.6, 0.9, 1.0), (0.0, 0.5, 1.2, 1.9, 2.4, 3.2)),
    Quantiles((0.0, 0.2, 0.4, 0.9, 1.0), (0.0, 0.5, 0.95, 1.05, 1.4)),
    0.0,
)
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
FAT = Shape(
    "the default cards'",
    Quantiles(
        SHARES, (0.0, 0.04, 0.09, 0.17, 0.32, 0.48, 0.7, 1.13, 1.72, 2.72, 5.28, 8.44, 15.72, 17.62, 30.8)
    ),
    Quantiles(
        SHARES, (0.0, 0.07, 0.13, 0.21, 0.28, 0.38, 0.47, 0.59, 0.82, 1.0, 1.01, 1.02, 1.06, 1.08, 1.37)
    ),
    0.0,
)


def with_gaps(
    shape: Shape, name: str = "", frac: float = GAP_FRAC, gap_r: tuple[float, float] = GAP_LOSS_R
) -> Shape:
    """Return the shape with so many of its losers beyond the stop; the edge is planted gaps included."""
    return Shape(f"{shape.name}, {name or 'gaps'}", shape.winners, shape.losers, frac, gap_r)


def drawn(seed: tuple[int, ...], shape: Shape, win_frac: float, streams: int, trades: int) -> Rs:
    """Return trades in R, a row a coin; equal for equal arguments."""
    random = np.random.default_rng(seed)
    where = random.random((streams, trades))
    won = random.random((streams, trades)) < win_frac
    lost = np.interp(where, *shape.losers)
    if shape.gap_frac > 0.0:
        gaps = random.random((streams, trades)) < shape.gap_frac
        lost = np.where(gaps, random.uniform(*shape.gap_r, (streams, trades)), lost)
    return np.where(won, np.interp(where, *shape.winners), -lost)
