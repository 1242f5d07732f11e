"""Which minutes lie inside a bar: the finer series that tells what came first there.

A bar has its minutes only if they make it up exactly: every one of them there, each possible in itself, the
first open, the highest high, the lowest low and the last close equal to the bar's to the bit. There is no
tolerance, because none is needed: venues build both series from the same trades, and a stored or simulated
bar may be made of its minutes. Where they differ one of the two was revised, and neither can be preferred.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Floats, Ints

MINUTES: Final = "1m"
MINUTE_MS: Final = TIMEFRAME_MS[MINUTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The minutes of each bar of a series: `rows[minute_first[i] : minute_first[i] + minute_count[i]]`.

    `rows` are open, high, low, close, float64, oldest first. Both int64 columns are as long as the series;
    a count of 0 (and a first of 0) says that there are no minutes or that they do not make up the bar.
    """

    minute_first: Ints
    minute_count: Ints
    rows: Floats

    def rows_of(self, at: int) -> tuple[tuple[float, ...], ...]:
        """Return bar `at`'s minutes as plain numbers, empty if it has none."""
        first = int(self.minute_first[at])
        rows = self.rows[first : first + int(self.minute_count[at])]
        return tuple([tuple(row) for row in rows.tolist()])


def no_minutes() -> Bars:
    """Return minutes without any, for a feed that has none."""
    none = np.empty(0)
    return Bars(
        timeframe_ms=MINUTE_MS,
        open_ms=np.empty(0, np.int64),
        open=none,
        high=none,
        low=none,
        close=none,
        volume=none,
    )


def detail_of(bars: Bars, minutes: Bars) -> Detail:
    """Return which minutes make up each of the bars; `bars` have passed the checks, `minutes` need not have.

    Minutes that are out of order, doubled or impossible make up no bar. About 0.1 s for three years of hours.
    """
    count = np.zeros(len(bars), np.int64)
    first = np.zeros(len(bars), np.int64)
    parts = bars.timeframe_ms // MINUTE_MS
    if len(bars) == 0 or minutes.timeframe_ms != MINUTE_MS or parts < 2 or len(minutes) < parts:
        return Detail(minute_first=first, minute_count=count, rows=np.empty((0, 4)))
    whole, starts = _complete(bars, minutes, parts)
    groups = starts[:, None] + np.arange(parts)
    fits = (
        (minutes.open[starts] == bars.open[whole])
        & (minutes.high[groups].max(axis=1) == bars.high[whole])
        & (minutes.low[groups].min(axis=1) == bars.low[whole])
        & (minutes.close[starts + parts - 1] == bars.close[whole])
    )
    first[whole[fits]] = starts[fits]
    count[whole[fits]] = parts
    rows: Floats = np.column_stack((minutes.open, minutes.high, minutes.low, minutes.close))
    return Detail(minute_first=first, minute_count=count, rows=rows)


def _complete(bars: Bars, minutes: Bars, parts: int) -> tuple[Ints, Ints]:
    """Return the places of the bars whose every minute is there and possible, and of their first minutes."""
    starts = minutes.open_ms.searchsorted(bars.open_ms)
    inside = np.flatnonzero(starts + parts <= len(minutes))
    starts = starts[inside]
    broken = _counted(np.diff(minutes.open_ms) != MINUTE_MS)  # [j]: breaks before minute j
    impossible = _counted(~_possible(minutes))
    good = (
        (minutes.open_ms[starts] == bars.open_ms[inside])
        & (broken[starts + parts - 1] == broken[starts])
        & (impossible[starts + parts] == impossible[starts])
    )
    return inside[good], starts[good]


def _counted(marks: np.ndarray) -> Ints:
    """Return how many marks stand before each place, one place more than there are marks."""
    counted: Ints = np.concatenate(([0], np.cumsum(marks)))
    return counted


def _possible(minutes: Bars) -> np.ndarray:
    """Say for each minute whether its low and high enclose its open and close; NaN says no."""
    return (
        (minutes.low > 0.0)
        & (minutes.low <= np.minimum(minutes.open, minutes.close))
        & (minutes.high >= np.maximum(minutes.open, minutes.close))
    )
