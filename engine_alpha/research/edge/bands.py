"""Bands of confidence: thirds of the trades of an earlier span, the same for every card and coin."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.errors import BrokenPromise
from engine_alpha.research.edge.trades import Pool
from engine_alpha.times import minute

NAMES: Final = ("low", "middle", "high")
FIXED_EDGES: Final = (0.2, 0.35)
"""Where too few trades came before the cut to take thirds of."""
LEAST_TRADES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Bounds of |score| between the bands, how they were come by, and the instant before which."""

    edges: tuple[float, float]
    said: str
    fitted_before_ms: int

    def __post_init__(self) -> None:
        if not 0.0 <= self.edges[0] <= self.edges[1]:
            raise BrokenPromise(f"bands must rise: {self.edges}")

    def place(self, strength: Floats) -> Ints:
        """Return the band of each |score|: 0 low, 1 middle, 2 high; an edge belongs to the band above."""
        return np.searchsorted(self.edges, strength, side="right")


def bands_of(pool: Pool, cut_ms: int) -> Bands:
    """Return thirds of the |score| of all trades that were over before the cut; fixed bounds for too few."""
    earlier = pool.strength[pool.known_ms < cut_ms]
    earlier = earlier[np.isfinite(earlier)]
    if len(earlier) < LEAST_TRADES:
        low, high = FIXED_EDGES
        said = f"fixed at |score| {low:g} and {high:g}: {len(earlier)} earlier trades are too few for thirds"
        return Bands(edges=FIXED_EDGES, said=said, fitted_before_ms=0)
    low, high = (float(edge) for edge in np.quantile(earlier, [1 / 3, 2 / 3]))
    said = (
        f"thirds of the {len(earlier)} trades of all coins over before {minute(cut_ms)}: "
        f"|score| {low:.3f} and {high:.3f}"
    )
    return Bands(edges=(low, high), said=said, fitted_before_ms=cut_ms)
