"""Coarser bars from finer ones, exactly."""

from dataclasses import replace

import numpy as np

from engine_alpha.domain.bars import Bars, Floats


def resample(bars: Bars, timeframe_ms: int) -> Bars:
    """Return bars of a multiple timeframe; a bar with any part missing is left out, a hole stays a hole.

    `bars` ascend on their grid. Volumes are added in order of time. A mark extreme is NaN where a part's is.
    """
    parts = timeframe_ms // bars.timeframe_ms
    if parts * bars.timeframe_ms != timeframe_ms:
        raise ValueError(f"{timeframe_ms} ms is no multiple of {bars.timeframe_ms} ms")
    if parts == 1:
        return bars
    first = np.flatnonzero(bars.open_ms % timeframe_ms == 0)
    first = first[first + parts <= len(bars)]
    span = (parts - 1) * bars.timeframe_ms
    first = first[bars.open_ms[first + parts - 1] - bars.open_ms[first] == span]
    groups = first[:, None] + np.arange(parts)
    volume: Floats = np.cumsum(bars.volume[groups], axis=1)[:, -1]
    whole = replace(
        bars,
        timeframe_ms=timeframe_ms,
        open_ms=bars.open_ms[first],
        open=bars.open[first],
        high=bars.high[groups].max(axis=1),
        low=bars.low[groups].min(axis=1),
        close=bars.close[first + parts - 1],
        volume=volume,
    )
    if len(bars.mark_high) == 0:
        return whole
    return replace(
        whole, mark_high=bars.mark_high[groups].max(axis=1), mark_low=bars.mark_low[groups].min(axis=1)
    )
