"""Forward returns: what holding from the next open to the open after a horizon made, costs aside."""

import numpy as np

from engine_alpha.domain.bars import Bars, Floats, Ints
from engine_alpha.research.dataset.schema import FORWARD_NAMES, HORIZONS, REACH_BARS, Columns


def forward_returns(numbers: Ints, bars: Bars) -> Columns:
    """Return, by horizon, open[n + 1 + horizon] / open[n + 1] - 1 for the bars with these numbers.

    NaN where one of the two bars is missing: nobody could have traded there.
    """
    known = bars.open_ms // bars.timeframe_ms
    entry = _open_at(numbers + 1, known, bars.open)
    return {
        name: _open_at(numbers + 1 + horizon, known, bars.open) / entry - 1.0
        for name, horizon in zip(FORWARD_NAMES, HORIZONS, strict=True)
    }


def complete(numbers: Ints, end_number: int) -> np.ndarray:
    """Say of which bars even the longest return is known, when bars below `end_number` have closed."""
    found: np.ndarray = numbers + REACH_BARS < end_number
    return found


def _open_at(numbers: Ints, known: Ints, opens: Floats) -> Floats:
    if len(known) == 0:
        return np.full(len(numbers), np.nan)
    at = np.minimum(known.searchsorted(numbers), len(known) - 1)
    usable = (known[at] == numbers) & (opens[at] > 0.0)
    found: Floats = np.where(usable, opens[at], np.nan)
    return found
