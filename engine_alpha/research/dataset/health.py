"""What a reader of an asset's figures has to know about its history, in sentences."""

from typing import Final

import numpy as np

from engine_alpha.domain.bars import Bars
from engine_alpha.domain.lookback import MIN_BARS
from engine_alpha.research.dataset.schema import REACH_BARS
from engine_alpha.times import minute

DAY_MS: Final = 86_400_000
YOUNG_DAYS: Final = 60
LONG_GAP_DAYS: Final = 7
STILL_BARS: Final = 48


def history_notes(bars: Bars, to_ms: int) -> list[str]:
    """Say what is wrong with the bars closed by `to_ms`: too few, too young, holes of weeks, stillness."""
    notes: list[str] = []
    if len(bars) == 0:
        return ["there are no bars: nothing can be measured"]
    needed = MIN_BARS + REACH_BARS
    if len(bars) < needed:
        notes.append(f"too little history: {len(bars)} bars, {needed} are needed for a first complete row")
    days = (to_ms - int(bars.open_ms[0])) / DAY_MS
    if days < YOUNG_DAYS:
        notes.append(
            f"its history began {days:.0f} days ago, {minute(int(bars.open_ms[0]))}: too young to judge"
        )
    notes.extend(_gaps(bars))
    notes.extend(_stillness(bars))
    return notes


def _gaps(bars: Bars) -> list[str]:
    steps = np.diff(bars.open_ms)
    long = np.flatnonzero(steps > LONG_GAP_DAYS * DAY_MS)
    return [
        f"no bars for {steps[at] / DAY_MS:.0f} days after {minute(int(bars.close_ms[at]))}: no row stands in "
        "that hole, and forward returns that end in it are unknown"
        for at in long.tolist()
    ]


def _stillness(bars: Bars) -> list[str]:
    """Find the longest run of bars at one single price."""
    flat = bars.high == bars.low
    still = flat & np.concatenate(([False], bars.close[1:] == bars.close[:-1]))
    edges = np.flatnonzero(np.diff(np.concatenate(([0], still.astype(np.int8), [0]))))
    if len(edges) == 0:
        return []
    starts, ends = edges[::2], edges[1::2]
    at = int(np.argmax(ends - starts))
    first = int(starts[at]) - (1 if flat[starts[at] - 1] else 0)
    length = int(ends[at]) - first
    if length < STILL_BARS:
        return []
    since = minute(int(bars.open_ms[first]))
    return [f"prices stood still for {length} bars from {since}: a feed that froze, or nobody traded"]
