"""The anchored look-back: which bars a decision reads, whenever the process started.

Bars are numbered absolutely, `i = open_ms // timeframe_ms`. Every bar of a block reads from the same first
bar, so a recursive indicator starts at the same place in every mode and after any restart.
"""

from typing import Final

BLOCK: Final = 448
WARMUP: Final = 512
MIN_BARS: Final = WARMUP + 1
"""Fewer bars than this in the window: not warm."""


def first_bar(bar_index: int) -> int:
    """Return the absolute index of the first bar that the decision on `bar_index` reads."""
    return (bar_index // BLOCK) * BLOCK - WARMUP


def first_open_ms(open_ms: int, timeframe_ms: int) -> int:
    """Return the open time of the first bar that the decision on the bar opening at `open_ms` reads."""
    return first_bar(open_ms // timeframe_ms) * timeframe_ms
