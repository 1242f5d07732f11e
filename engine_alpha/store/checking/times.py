"""The times of a series: order, doubled ones, the grid, holes, and local clocks read as UTC. Arrays only."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bar_checks import DUPLICATED, FORMING_BAR, OFF_GRID, OUT_OF_ORDER
from engine_alpha.domain.bars import Bars, Ints
from engine_alpha.store.checking.findings import (
    GAPS,
    LOCAL_TIMES,
    NEWEST_FIRST,
    WRONG_TIMEFRAME,
    Finding,
    found,
    some,
)
from engine_alpha.store.checking.thresholds import LONGEST_HOLE_MS, MOST_MISSING_FRAC

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
NIGHT_MS: Final = 5 * HOUR_MS  # clocks change between midnight and then
SUNDAY: Final = 6
COLUMNS: Final = ("open", "high", "low", "close", "volume")


def judge_times(bars: Bars, now_ms: int) -> Iterator[Finding]:
    """Judge the times of rows as they stand in a file, in its order."""
    if len(bars) == 0:
        return
    yield from _judge_order(bars)
    times = np.unique(bars.open_ms)
    wrong = _wrong_timeframe(times, bars.timeframe_ms)
    if wrong is not None:
        yield wrong
    else:
        off = times % bars.timeframe_ms != 0
        yield from found(
            OFF_GRID, off, times, f"{np.count_nonzero(off)} bars open between their grid's times"
        )
        yield from _judge_gaps(times, bars.timeframe_ms)
    yield from _judge_clock_changes(bars)
    late = times + bars.timeframe_ms > now_ms
    yield from found(FORMING_BAR, late, times, f"{some(late, 'bar')} yet to close")


def rows_in_order(bars: Bars) -> Bars:
    """Return the rows by time, the first one of each, without those whose prices can't be true."""
    prices = np.stack((bars.open, bars.high, bars.low, bars.close))
    true = np.isfinite(prices).all(axis=0) & (prices > 0.0).all(axis=0)
    at = np.flatnonzero(true)
    _, first = np.unique(bars.open_ms[at], return_index=True)
    return rows_of(bars, at[first])


def rows_of(bars: Bars, at: NDArray[np.intp]) -> Bars:
    """Return these rows, in this order, without mark prices."""
    columns = {name: getattr(bars, name)[at] for name in COLUMNS}
    none = np.empty(0)
    return replace(bars, open_ms=bars.open_ms[at], mark_high=none, mark_low=none, **columns)


def _judge_order(bars: Bars) -> Iterator[Finding]:
    times = bars.open_ms
    steps = np.diff(times)
    if len(steps) and bool((steps <= 0).all()) and times[-1] < times[0]:
        saw = f"{some(len(times), 'row')} from the newest to the oldest"
        yield Finding(code=NEWEST_FIRST, grave=False, count=len(times), first_ms=int(times[-1]), saw=saw)
    else:
        back = np.concatenate(([False], steps < 0))
        yield from found(OUT_OF_ORDER, back, times, f"time goes back at {some(back, 'row')}")
    yield from _judge_doubled(bars)


def _judge_doubled(bars: Bars) -> Iterator[Finding]:
    """Find rows of a time that stood before, and say whether they are the same rows."""
    _, first, place = np.unique(bars.open_ms, return_index=True, return_inverse=True)
    earlier = first[place]
    doubled = earlier != np.arange(len(bars))
    if not doubled.any():
        return
    same = np.ones(len(bars), np.bool_)
    for name in COLUMNS:
        column = getattr(bars, name)
        same &= (column == column[earlier]) | (np.isnan(column) & np.isnan(column[earlier]))
    differ = int(np.count_nonzero(doubled & ~same))
    run = longest_run(doubled)
    saw = f"{some(doubled, 'row')} of a time that stood before, {differ} with other values"
    yield from found(DUPLICATED, doubled, bars.open_ms, saw + (f", {run} in a row" if run > 1 else ""))


def _wrong_timeframe(times: Ints, step_ms: int) -> Finding | None:
    if len(times) < 2:
        return None
    steps, counts = np.unique(np.diff(times), return_counts=True)
    usual_ms = int(steps[np.argmax(counts)])
    if usual_ms == step_ms or 2 * counts.max() <= counts.sum():
        return None
    saw = f"bars open every {usual_ms / MINUTE_MS:g} min, not every {step_ms / MINUTE_MS:g}"
    return Finding(code=WRONG_TIMEFRAME, grave=True, count=len(times), first_ms=int(times[0]), saw=saw)


def _judge_gaps(times: Ints, step_ms: int) -> Iterator[Finding]:
    missing = np.diff(times) // step_ms - 1
    holes = missing > 0
    total = int(missing[holes].sum())
    if total == 0:
        return
    longest = int(np.argmax(missing))
    of_span = total / (total + len(times))
    starts = _minute(int(times[longest]) + step_ms)
    saw = (
        f"{some(holes, 'hole')}, {some(total, 'bar')} missing ({of_span:.2%}), "
        f"longest {missing[longest]} bars from {starts}"
    )
    grave = int(missing[longest]) * step_ms >= LONGEST_HOLE_MS or of_span > MOST_MISSING_FRAC
    first = int(times[:-1][holes][0]) + step_ms
    yield Finding(code=GAPS, grave=grave, count=total, first_ms=first, saw=saw)


def _judge_clock_changes(bars: Bars) -> Iterator[Finding]:
    """Find hours that stand twice in autumn or miss in spring, in the nights when clocks are changed."""
    step_ms = bars.timeframe_ms
    if step_ms > HOUR_MS:
        return
    ordered = np.unique(bars.open_ms)
    after = ordered[:-1][np.diff(ordered) == HOUR_MS + step_ms] + step_ms
    missing = [int(at) for at in after.tolist() if _in_night_of(_spring_days, at)]
    _, first, place = np.unique(bars.open_ms, return_index=True, return_inverse=True)
    again = np.flatnonzero((first[place] != np.arange(len(bars))) & (bars.close != bars.close[first[place]]))
    doubled = sorted({int(at) for at in bars.open_ms[again].tolist() if _in_night_of(_autumn_days, at)})
    nights = {at // (24 * HOUR_MS) for at in doubled}
    if not nights and len(missing) < 2:
        return
    saw = (
        f"an hour stands twice in {len(nights)} autumn nights and misses in {len(missing)} spring nights, "
        "when clocks are changed: local times read as UTC"
    )
    count = len(nights) + len(missing)
    first_ms = min([*doubled, *missing])
    yield Finding(code=LOCAL_TIMES, grave=True, count=count, first_ms=first_ms, saw=saw)


def _spring_days(year: int) -> tuple[date, date]:
    """Return when clocks go forward: in Europe, in North America."""
    return _sunday_before(date(year, 4, 1)), _sunday_before(date(year, 3, 15))


def _autumn_days(year: int) -> tuple[date, date]:
    """Return when clocks go back: in Europe, in North America."""
    return _sunday_before(date(year, 11, 1)), _sunday_before(date(year, 11, 8))


def _sunday_before(day: date) -> date:
    return day - timedelta(days=(day.weekday() - SUNDAY) % 7 or 7)


def _in_night_of(days: Callable[[int], tuple[date, date]], at_ms: int) -> bool:
    day = datetime.fromtimestamp(at_ms / 1_000, UTC).date()
    return day in days(day.year) and at_ms % (24 * HOUR_MS) < NIGHT_MS


def longest_run(marked: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], marked.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M")
