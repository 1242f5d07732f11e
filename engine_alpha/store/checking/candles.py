"""The values of candles: what can't be true, stands still, was copied or cut short. Arrays only."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bar_checks import (
    FROZEN,
    FROZEN_BARS,
    IMPOSSIBLE_BAR,
    NOT_A_NUMBER,
    NOT_POSITIVE,
)
from engine_alpha.domain.bars import Bars, Floats, Ints
from engine_alpha.store.checking.findings import (
    BAD_TICK,
    COPIED,
    NAN_VOLUME,
    NEVER_CORRECTED,
    NEWEST_UNFINISHED,
    NO_VOLUME,
    Finding,
    found,
    some,
)
from engine_alpha.store.checking.thresholds import (
    COPIED_ROWS,
    CUT_BARS,
    CUT_OF_JOINTS,
    CUT_RANGE,
    CUT_VOLUME,
    JOINT_FRAC,
    JOINT_OF_RANGE,
    LEAST_BARS,
    NEWEST_RANGE,
    NEWEST_VOLUME,
    SAME_ROWS,
    WICK_FRAC,
)
from engine_alpha.store.checking.times import longest_run

Marks = NDArray[np.bool_]

AROUND: Final = (-3, -2, -1, 1, 2, 3)
BEFORE_NEWEST: Final = 24


def judge_rows(bars: Bars, has_volume: bool) -> Iterator[Finding]:
    """Judge each row by itself, as `bar_checks` would; `has_volume` is False for mark prices."""
    prices = np.stack((bars.open, bars.high, bars.low, bars.close))
    unreal, unsigned = _any_of(~np.isfinite(prices)), _any_of(prices <= 0.0)
    outside = (prices[[0, 3]].min(axis=0) < bars.low) | (prices[[0, 3]].max(axis=0) > bars.high)
    times = bars.open_ms
    yield from found(NOT_A_NUMBER, unreal, times, f"{some(unreal, 'bar')} with a price that is no number")
    yield from found(NOT_POSITIVE, unsigned, times, f"{some(unsigned, 'bar')} with a price of zero or less")
    outside = outside & ~unreal & ~unsigned
    yield from found(
        IMPOSSIBLE_BAR, outside, times, f"{some(outside, 'bar')} whose open or close lies outside"
    )
    no_number = ~np.isfinite(bars.volume)
    saw = "no bar has a volume" if no_number.all() else f"{some(no_number, 'bar')} whose volume is no number"
    yield from found(NAN_VOLUME, no_number, times, saw, grave=has_volume)
    negative = bars.volume < 0.0
    yield from found(NOT_POSITIVE, negative, times, f"{some(negative, 'bar')} with a volume below zero")
    if has_volume and len(bars) and bool((bars.volume == 0.0).all()):
        yield from found(NO_VOLUME, bars.volume == 0.0, times, "every volume is zero")


def judge_stillness(bars: Bars, has_volume: bool) -> Iterator[Finding]:
    """Judge runs of bars that repeat: frozen ones, and stretches copied from elsewhere in the series.

    `bars` are in order of time, as for all that follows here.
    """
    if len(bars) < 2:
        return
    rows = _identities(bars)
    still = (bars.high == bars.low) & ((bars.volume == 0.0) | (not has_volume))
    alike = np.concatenate(([False], rows[1:] == rows[:-1]))
    frozen = _in_runs(still & _flat(bars), FROZEN_BARS)
    if has_volume:
        frozen |= _in_runs(alike & (bars.volume > 0.0), SAME_ROWS - 1)
    saw = f"{some(frozen, 'bar')} stand still, {longest_run(frozen)} in a row"
    yield from found(FROZEN, frozen, bars.open_ms, saw)
    copied = _copied(rows, bars.high > bars.low) & ~frozen
    saw = f"{some(copied, 'bar')} repeat earlier ones exactly, {longest_run(copied)} in a row"
    yield from found(COPIED, copied, bars.open_ms, saw)


def judge_wicks(bars: Bars) -> Iterator[Finding]:
    """Find wicks far beyond both neighbours that came back: such ticks did trade, so it is only said."""
    if len(bars) < 3:
        return
    reach = 1.0 + WICK_FRAC
    before, here, after = slice(None, -2), slice(1, -1), slice(2, None)
    high, low = bars.high, bars.low
    body_high, body_low = np.maximum(bars.open, bars.close)[here], np.minimum(bars.open, bars.close)[here]
    tallest = np.maximum(np.maximum(high[before], high[after]), body_high)
    deepest = np.minimum(np.minimum(low[before], low[after]), body_low)
    wild = np.zeros(len(bars), np.bool_)
    wild[here] = (high[here] > tallest * reach) | (low[here] * reach < deepest)
    saw = f"{some(wild, 'bar')} with a wick {WICK_FRAC:.0%} beyond both neighbours that came back"
    yield from found(BAD_TICK, wild, bars.open_ms, saw, grave=False)


def judge_cut_short(bars: Bars) -> Iterator[Finding]:
    """Find candles that look as if they had been stored while they formed."""
    if len(bars) < LEAST_BARS:
        return
    joints, cut = _cut_short(bars)
    enough = np.count_nonzero(cut) >= max(CUT_BARS, CUT_OF_JOINTS * np.count_nonzero(joints))
    saw = f"{some(cut, 'bar')} with little volume and range, and a close that the next open does not join"
    yield from found(NEVER_CORRECTED, cut & enough, bars.open_ms, saw)
    lately = slice(-BEFORE_NEWEST - 1, -1)
    ranges = bars.high - bars.low
    small = bars.volume[-1] < NEWEST_VOLUME * np.median(bars.volume[lately]) and ranges[
        -1
    ] < NEWEST_RANGE * np.median(ranges[lately])
    newest = np.arange(len(bars)) == len(bars) - 1
    saw = "the newest bar has little of the usual volume and range: maybe unfinished"
    yield from found(NEWEST_UNFINISHED, newest & small, bars.open_ms, saw, grave=False)


def _cut_short(bars: Bars) -> tuple[Marks, Marks]:
    """Return where a close is not joined by the next bar's open, and where such a bar is small besides."""
    ranges = bars.high - bars.low
    usual_range, usual_volume = _around(ranges), _around(bars.volume)
    joint = np.zeros(len(bars))
    joint[:-1] = np.abs(bars.open[1:] - bars.close[:-1])
    joint[:-1][np.diff(bars.open_ms) != bars.timeframe_ms] = 0.0
    off = (joint > JOINT_OF_RANGE * usual_range) & (joint > JOINT_FRAC * bars.close)
    small = (bars.volume < CUT_VOLUME * usual_volume) & (ranges < CUT_RANGE * usual_range)
    return off, off & small


def _around(column: Floats) -> Floats:
    """Return the median of three values before and three after each."""
    places = np.arange(len(column))
    near = np.stack([column[np.clip(places + by, 0, len(column) - 1)] for by in AROUND])
    usual: Floats = np.median(near, axis=0)
    return usual


def _flat(bars: Bars) -> Marks:
    """Mark bars at the price of the one before or after them."""
    same = bars.close[1:] == bars.close[:-1]
    return np.concatenate((same, [False])) | np.concatenate(([False], same))


def _identities(bars: Bars) -> Ints:
    """Return a number per bar, equal where all five values are."""
    columns = np.column_stack((bars.open, bars.high, bars.low, bars.close, bars.volume))
    rows = np.ascontiguousarray(columns).view(np.dtype((np.void, 40))).ravel()
    numbers: Ints = np.unique(rows, return_inverse=True)[1].ravel().astype(np.int64)
    return numbers


def _copied(rows: Ints, moving: Marks) -> Marks:
    """Mark runs of rows that stand, in the same order, earlier in the series."""
    order = np.lexsort((np.arange(len(rows)), rows))
    before = np.full(len(rows), -1)
    again = np.flatnonzero(rows[order][1:] == rows[order][:-1]) + 1
    before[order[again]] = order[again - 1]
    lag = np.where((before >= 0) & moving, np.arange(len(rows)) - before, 0)
    follows = np.concatenate(([False], (lag[1:] == lag[:-1]) & (lag[1:] > 1)))
    runs = _in_runs(follows, COPIED_ROWS - 1)
    return runs | np.concatenate((runs[1:], [False]))


def _in_runs(marked: Marks, least: int) -> Marks:
    """Keep the runs of True that are at least so long."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(np.int8), [0]))))
    kept = np.zeros(len(marked), np.bool_)
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        kept[start:stop] = stop - start >= least
    return kept


def _any_of(marked: Marks) -> Marks:
    """Mark the bars of which any price is marked."""
    marks: Marks = np.asarray(marked.any(axis=0), np.bool_)
    return marks
