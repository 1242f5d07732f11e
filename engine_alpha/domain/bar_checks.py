"""The one place that judges bars: refuses what can't be true, fills and counts what is missing.

Two steps, in this order: `check` raises `DataError` with a stable reason code for a series that must not be
decided on; `fill_holes` cuts it to the decision's window and fills holes flat, counted. A hole is no fault
here: the gates judge the counts.

What is judged on every bar of the window is only what can't be true of any market (order, grid, NaN, signs,
high/low). Wicks are never judged: LINK at 0.0001 and an ETH perpetual at 323 from 96 did trade. A jump is
judged on the newest two closes only, so a true crash costs at most two bars and an old one costs nothing.
"""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Bars, Floats, Ints
from engine_alpha.errors import DataError

EMPTY: Final = "empty"
RAGGED: Final = "ragged"
DUPLICATED: Final = "duplicated"
OUT_OF_ORDER: Final = "out_of_order"
OFF_GRID: Final = "off_grid"
FORMING_BAR: Final = "forming_bar"
FUTURE_BAR: Final = "future_bar"
STALE: Final = "stale"
NOT_A_NUMBER: Final = "nan"
NOT_POSITIVE: Final = "not_positive"
IMPOSSIBLE_BAR: Final = "impossible_bar"
IMPOSSIBLE_MARK: Final = "impossible_mark"
ABSURD_JUMP: Final = "absurd_jump"
FROZEN: Final = "frozen"

FROZEN_BARS: Final = 12
JUMP_FACTOR: Final = 5.0
JUMP_BARS: Final = 2
RECENT_BARS: Final = 10


def check(bars: Bars, now_ms: int, expected_close_ms: int | None = None) -> None:
    """Raise `DataError` unless the series may be decided on: possible, in order, closed, fresh and alive.

    `expected_close_ms` is the close the newest bar should have by now; None asks nothing of freshness.
    Holes are allowed. About 15 µs for 960 bars.
    """
    check_history(bars, now_ms)
    if expected_close_ms is not None and int(bars.open_ms[-1]) + bars.timeframe_ms < expected_close_ms:
        newest = int(bars.open_ms[-1]) + bars.timeframe_ms
        raise DataError(STALE, f"newest bar closed at {newest}, expected {expected_close_ms}")
    _check_jump(bars)
    _check_frozen(bars)


def check_history(bars: Bars, now_ms: int) -> None:
    """Raise `DataError` unless every bar could be true, closed by `now_ms` and in its place.

    This is what bars must pass to be stored: nothing about how new or lively the newest ones are.
    """
    if len(bars.open_ms) == 0:
        raise DataError(EMPTY, "no bars")
    _check_lengths(bars)
    check_order(bars.open_ms)
    _check_times(bars, now_ms)
    if not _all_possible(bars):
        raise _first_impossible(bars)
    if len(bars.mark_high):
        _check_mark(bars)


def check_order(times_ms: Ints) -> None:
    """Raise `DataError` unless times ascend strictly."""
    steps = times_ms[1:] - times_ms[:-1]
    if len(steps) and int(steps.min()) <= 0:
        raise _misordered(times_ms, steps)


def _check_lengths(bars: Bars) -> None:
    rows = len(bars.open_ms)
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    lengths = tuple(len(column) for column in columns)
    marks = (len(bars.mark_high), len(bars.mark_low))
    if any(length != rows for length in lengths) or marks not in ((0, 0), (rows, rows)):
        raise DataError(RAGGED, f"{rows} times, columns of {lengths}, marks of {marks}")


def _check_times(bars: Bars, now_ms: int) -> None:
    times, step = bars.open_ms, bars.timeframe_ms
    if (times % step).any():
        at = int(np.flatnonzero(times % step)[0])
        raise DataError(OFF_GRID, f"bar {at} opens at {times[at]}, not a multiple of {step} ms")
    newest_open = int(times[-1])
    if newest_open > now_ms:
        raise DataError(FUTURE_BAR, f"newest bar opens at {newest_open}, now is {now_ms}")
    if newest_open + step > now_ms:
        raise DataError(FORMING_BAR, f"newest bar closes at {newest_open + step}, now is {now_ms}")


def _misordered(times: Ints, steps: Ints) -> DataError:
    at = int(np.flatnonzero(steps <= 0)[0])
    if len(np.unique(times)) < len(times):
        return DataError(DUPLICATED, f"two bars open at the same time, first trouble at {times[at + 1]}")
    return DataError(OUT_OF_ORDER, f"bar {at + 1} opens at {times[at + 1]}, the one before at {times[at]}")


def _all_possible(bars: Bars) -> bool:
    """Say whether 0 < low <= open, close <= high < inf and 0 <= volume < inf for every bar; NaN says no."""
    return bool(
        bars.low.min() > 0.0
        and bars.high.max() < np.inf
        and (np.minimum(bars.open, bars.close) >= bars.low).all()
        and (np.maximum(bars.open, bars.close) <= bars.high).all()
        and bars.volume.min() >= 0.0
        and bars.volume.max() < np.inf
    )


def _first_impossible(bars: Bars) -> DataError:
    """Name the first thing that is wrong: NaN before signs before shape."""
    columns = np.stack((bars.open, bars.high, bars.low, bars.close, bars.volume))
    unreal = ~np.isfinite(columns).all(axis=0)
    unsigned = (columns[:4] <= 0.0).any(axis=0) | (columns[4] < 0.0)
    for reason, wrong in ((NOT_A_NUMBER, unreal), (NOT_POSITIVE, unsigned)):
        if wrong.any():
            return DataError(reason, _describe(bars, int(np.flatnonzero(wrong)[0])))
    body_low, body_high = np.minimum(bars.open, bars.close), np.maximum(bars.open, bars.close)
    outside = (body_low < bars.low) | (body_high > bars.high)
    return DataError(IMPOSSIBLE_BAR, _describe(bars, int(np.flatnonzero(outside)[0])))


def _describe(bars: Bars, at: int) -> str:
    return (
        f"bar {at} of {len(bars)} at {bars.open_ms[at]}: open {bars.open[at]}, high {bars.high[at]}, "
        f"low {bars.low[at]}, close {bars.close[at]}, volume {bars.volume[at]}"
    )


def _check_mark(bars: Bars) -> None:
    """Refuse a mark price that would liquidate by mistake; NaN is allowed and means "no mark here"."""
    wrong = (bars.mark_low <= 0.0) | (bars.mark_high < bars.mark_low) | (bars.mark_high == np.inf)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise DataError(
            IMPOSSIBLE_MARK, f"at {bars.open_ms[at]}: mark {bars.mark_low[at]} to {bars.mark_high[at]}"
        )


def _check_jump(bars: Bars) -> None:
    closes = bars.close[-JUMP_BARS - 1 :].tolist()
    for before, after in pairwise(closes):
        if after > before * JUMP_FACTOR or after * JUMP_FACTOR < before:
            raise DataError(ABSURD_JUMP, f"close went from {before} to {after} in one bar")


def _check_frozen(bars: Bars) -> None:
    if len(bars) < FROZEN_BARS or bars.volume[-1] > 0.0:
        return
    recent = slice(-FROZEN_BARS, None)
    high, low, volume = bars.high[recent], bars.low[recent], bars.volume[recent]
    if high.max() == low.min() and volume.max() == 0.0:
        raise DataError(FROZEN, f"the newest {FROZEN_BARS} bars stand at {high[-1]} without volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A decision's window without holes, and what was made up to get there.

    `filled_frac` is the part of `bars` that is made up, `recent_gap_bars` the longest run of it among the
    newest ten, `newest_missing` whether the newest bar is.
    """

    bars: Bars
    filled_bars: int
    filled_frac: float
    recent_gap_bars: int
    newest_missing: bool


def fill_holes(bars: Bars, first_open_ms: int, last_open_ms: int) -> Filled:
    """Return the window from `first_open_ms` to `last_open_ms`, holes filled flat (previous close, volume 0).

    `bars` have passed `check`. What lies outside the window is cut before anything else, so a feed that
    sends more changes nothing. Before the first bar at hand nothing is filled: the window is then shorter.
    """
    step = bars.timeframe_ms
    window = bars
    if len(bars) and (int(bars.open_ms[0]) < first_open_ms or int(bars.open_ms[-1]) > last_open_ms):
        window = bars.between(first_open_ms, last_open_ms + step)
    if len(window) == 0:
        return Filled(bars=window, filled_bars=0, filled_frac=0.0, recent_gap_bars=0, newest_missing=True)
    first = int(window.open_ms[0])
    rows = (last_open_ms - first) // step + 1
    if rows == len(window):
        return Filled(bars=window, filled_bars=0, filled_frac=0.0, recent_gap_bars=0, newest_missing=False)
    places = (window.open_ms - first) // step
    present = np.zeros(rows, np.bool_)
    present[places] = True
    missing = rows - len(window)
    return Filled(
        bars=_spread(window, present, places),
        filled_bars=missing,
        filled_frac=missing / rows,
        recent_gap_bars=_longest_gap(present[-RECENT_BARS:].tolist()),
        newest_missing=not bool(present[-1]),
    )


def _spread(window: Bars, present: NDArray[np.bool_], places: Ints) -> Bars:
    """Put each bar in its place; a missing place repeats the close before it."""
    source = np.cumsum(present) - 1
    flat = window.close[source]

    def put(column: Floats) -> Floats:
        spread: Floats = np.where(present, column[source], flat)
        return spread

    def put_mark(column: Floats) -> Floats:
        spread: Floats = np.where(present, column[source], np.nan) if len(column) else column
        return spread

    return Bars(
        timeframe_ms=window.timeframe_ms,
        open_ms=int(window.open_ms[0]) + np.arange(len(present), dtype=np.int64) * window.timeframe_ms,
        open=put(window.open),
        high=put(window.high),
        low=put(window.low),
        close=flat,
        volume=np.where(present, window.volume[source], 0.0),
        mark_high=put_mark(window.mark_high),
        mark_low=put_mark(window.mark_low),
    )


def _longest_gap(present: list[bool]) -> int:
    longest = run = 0
    for here in present:
        run = 0 if here else run + 1
        longest = max(longest, run)
    return longest


def window_hash(bars: Bars) -> str:
    """Return 32 hex characters of SHA-256 over timeframe, times, open, high, low, close, volume as seen.

    Packed little-endian, int64 and float64; the same on any machine.
    """
    digest = hashlib.sha256(int(bars.timeframe_ms).to_bytes(8, "little"))
    digest.update(np.ascontiguousarray(bars.open_ms, "<i8").data)
    for column in (bars.open, bars.high, bars.low, bars.close, bars.volume):
        digest.update(np.ascontiguousarray(column, "<f8").data)
    return digest.hexdigest()[:32]


def off_tick_frac(bars: Bars, tick_quote: float) -> float:
    """Return the part of `bars` with a price off the tick grid: near 0 for the contract the tick belongs to.

    Not part of `check` (ticks change over the years); importers and `chloe` reports use it to tell another
    market's prices, or made-up ones, from the contract they are labelled as.
    """
    if len(bars) == 0:
        return 0.0
    ticks = np.stack((bars.open, bars.high, bars.low, bars.close)) / tick_quote
    off = (np.abs(ticks - np.rint(ticks)) > 1e-4).any(axis=0)
    return float(np.count_nonzero(off)) / len(bars)
