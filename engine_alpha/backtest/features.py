"""Signals of a whole history, block by block: what every decision reads, computed once.

All decisions of a block read from the same anchor, so one pass of TA-Lib over its window serves 448 of them,
bit for bit as each of them alone would have it (DESIGN §2, "Anchored look-back").
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine_alpha.backtest.compiling import compiled
from engine_alpha.domain.bar_checks import fill_holes
from engine_alpha.domain.bars import Bars, Floats, Funding, Ints
from engine_alpha.domain.lookback import BLOCK, first_bar
from engine_alpha.kernel.indicators import EVERYTHING, Wanted, indicators_of
from engine_alpha.kernel.regime import SPAN_BARS
from engine_alpha.kernel.signals import (
    ADX,
    CHANNEL_24,
    CHANNEL_48,
    EFFICIENCY_48,
    SIGNALS,
    VOLUME_Z_120,
    rank_at,
    signals_at,
    trend_at,
)
from engine_alpha.kernel.values import Indicators, Rules

WIDTH = len(SIGNALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureTable:
    """Signals of many bars. `row_at[bar]` is a bar's row in `rows`; the one before it in the same window
    stands ahead of it; `tail_at[bar]` its place in `trend` and `volatility`, where NaN parts the windows.
    """

    rows: Floats
    trend: Floats
    volatility: Floats
    row_at: Ints
    tail_at: Ints


def features_of(bars: Bars, funding: Funding, first: int) -> FeatureTable:
    """Return the features of bars[first:]; `bars` begin at the anchor of the first of them or later."""
    return features_of_all([(bars, funding, first)])[0]


def wanted_by(rules: Iterable[Rules]) -> Wanted:
    """Return which columns the conditions of any card read, beside those that every decision reads."""
    read = {condition.signal for each in rules for condition in each.conditions}
    codes = (ADX, CHANNEL_24, CHANNEL_48, EFFICIENCY_48, VOLUME_Z_120)
    return Wanted(*(1 if code in read else 0 for code in codes))


def features_of_all(
    series: Sequence[tuple[Bars, Funding, int]], wanted: Wanted = EVERYTHING
) -> list[FeatureTable]:
    """Return the features of many series in one set of arrays, each as `features_of` takes it.

    The first row and the first two tails of the arrays are NaN: for a bar of which nothing is known.
    """
    room = [_room(bars, first) for bars, _, first in series]
    rows = np.empty((2 + sum(part[0] for part in room), WIDTH))
    trend, volatility = (np.full(2 + sum(part[1] for part in room), np.nan) for _ in range(2))
    rows[:2] = np.nan
    tables, row, tail = [], 2, 2
    for bars, funding, first in series:
        count = len(bars)
        table = FeatureTable(
            rows=rows,
            trend=trend,
            volatility=volatility,
            row_at=np.zeros(count, np.int64),
            tail_at=np.zeros(count, np.int64),
        )
        numbers = bars.open_ms // bars.timeframe_ms
        for start, stop in _blocks(numbers, first):
            anchor = first_bar(int(numbers[start]))
            row, tail = _block(table, (bars, funding, wanted), (anchor, start, stop), (row, tail))
        tables.append(table)
    return tables


def _room(bars: Bars, first: int) -> tuple[int, int]:
    """Return how many rows and tails a series takes at most."""
    numbers = bars.open_ms // bars.timeframe_ms
    blocks = len(_blocks(numbers, first))
    span = int(numbers[-1]) - int(numbers[first]) + 1 if blocks else 0
    return span + blocks, span + blocks * (SPAN_BARS + 1)


def _blocks(numbers: Ints, first: int) -> list[tuple[int, int]]:
    """Return (start, stop) of the decided bars of each block."""
    if len(numbers) <= first:
        return []
    block = numbers[first:] // BLOCK
    edges = np.flatnonzero(np.diff(block)) + 1 + first
    starts = [first, *edges.tolist()]
    return list(zip(starts, [*edges.tolist(), len(numbers)], strict=True))


def _block(
    table: FeatureTable,
    source: tuple[Bars, Funding, Wanted],
    where: tuple[int, int, int],
    free: tuple[int, int],
) -> tuple[int, int]:
    """Fill in one block and return the next free row and tail."""
    bars, funding, wanted = source
    anchor, start, stop = where
    frame_ms = bars.timeframe_ms
    anchor_ms, last_ms = anchor * frame_ms, int(bars.open_ms[stop - 1])
    window = fill_holes(bars.between(anchor_ms, last_ms + frame_ms), anchor_ms, last_ms).bars
    begin = int(window.open_ms[0]) // frame_ms
    places = bars.open_ms[start:stop] // frame_ms - begin
    head, end = int(places[0]), len(window)
    row, tail = free
    tail_head = max(0, head - SPAN_BARS)
    table.row_at[start:stop] = places - head + row + 1
    table.tail_at[start:stop] = places - tail_head + tail
    rows = table.rows[row : row + 1 + end - head]
    if end <= 1 or head == 0:
        rows[: 2 if end <= 1 else 1] = np.nan
    if end > 1:
        known = indicators_of(window, funding.between(anchor_ms, last_ms + frame_ms), wanted)
        _fill(known, (head, end, tail_head), table.rows[row:], table.trend[tail:], table.volatility[tail:])
    return row + 1 + end - head, tail + end - tail_head + 1


def _fill_rows(known: Indicators, span: Any, rows: Any, trend: Any, volatility: Any) -> None:
    """Write the row before and the rows of the span, and the tails from `span[2]` on."""
    head, end, tail_head = span
    for t in range(max(head - 1, 0), end):
        seen = signals_at(known, t)
        for k in range(WIDTH):
            rows[t - head + 1, k] = seen[k]
    for t in range(tail_head, end):
        trend[t - tail_head] = trend_at(known, t)
        volatility[t - tail_head] = rank_at(known, t)


_fill = compiled(_fill_rows)
