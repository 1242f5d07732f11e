"""Laws of judging bars: valid series pass, one corruption is refused or recorded, filling is causal."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.bar_checks import check, fill_holes, window_hash
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import DataError

STEP = 900_000
NAMES = ("open_ms", "open", "high", "low", "close", "volume")


@st.composite
def valid_series(draw: st.DrawFn) -> Bars:
    """Draw a random walk of 30 to 80 bars with wicks and volume."""
    rows = draw(st.integers(30, 80))
    steps = draw(st.lists(st.floats(-0.2, 0.2), min_size=rows, max_size=rows))
    wicks = draw(st.lists(st.floats(0.0, 0.3), min_size=rows, max_size=rows))
    volume = draw(st.lists(st.floats(0.001, 1e9), min_size=rows, max_size=rows))
    scale = draw(st.sampled_from([1e-6, 0.1, 37.0, 60_000.0]))
    close = scale * np.cumprod(1.0 + np.array(steps))
    opened = np.append(scale, close[:-1])
    wick = 1.0 + np.array(wicks)
    first = draw(st.integers(1, 2_000_000)) * STEP
    return Bars(
        timeframe_ms=STEP,
        open_ms=first + np.arange(rows, dtype=np.int64) * STEP,
        open=opened,
        high=np.maximum(opened, close) * wick,
        low=np.minimum(opened, close) / wick,
        close=close,
        volume=np.array(volume),
    )


def rows_of(bars: Bars, rows: list[int]) -> Bars:
    return replace(bars, **{name: getattr(bars, name)[rows] for name in NAMES})


def now_of(bars: Bars) -> int:
    return int(bars.close_ms[-1])


@given(valid_series())
def test_a_valid_series_passes_and_comes_through_unchanged(bars: Bars) -> None:
    check(bars, now_of(bars), now_of(bars))
    filled = fill_holes(bars, int(bars.open_ms[0]), int(bars.open_ms[-1]))
    assert filled.bars is bars and filled.filled_bars == 0


@given(valid_series(), st.data())
def test_one_impossible_number_is_refused(bars: Bars, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(bars) - 1))
    name = data.draw(st.sampled_from(NAMES[1:]))
    value = data.draw(st.sampled_from([float("nan"), float("inf"), -float("inf"), -1.0]))
    column = getattr(bars, name).copy()
    column[at] = value
    with pytest.raises(DataError):
        check(replace(bars, **{name: column}), now_of(bars))


@given(valid_series(), st.data())
def test_high_and_low_exchanged_is_refused(bars: Bars, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(bars) - 1))
    high, low = bars.high.copy(), bars.low.copy()
    high[at], low[at] = low[at] / 1.01, high[at] * 1.01
    with pytest.raises(DataError, match="impossible_bar"):
        check(replace(bars, high=high, low=low), now_of(bars))


@given(valid_series(), st.data())
def test_a_repeated_or_displaced_row_is_refused(bars: Bars, data: st.DataObject) -> None:
    rows = list(range(len(bars)))
    at, other = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, len(rows) - 1))
    twice = [*rows[: other + 1], at, *rows[other + 1 :]]
    with pytest.raises(DataError, match="duplicated"):
        check(rows_of(bars, twice), now_of(bars))
    if at != other:
        rows[at], rows[other] = rows[other], rows[at]
        with pytest.raises(DataError, match="out_of_order"):
            check(rows_of(bars, rows), now_of(bars))


@given(valid_series(), st.data())
def test_a_time_off_the_grid_is_refused(bars: Bars, data: st.DataObject) -> None:
    times = bars.open_ms.copy()
    times[data.draw(st.integers(0, len(bars) - 1))] += data.draw(st.integers(1, STEP - 1))
    with pytest.raises(DataError, match="off_grid"):
        check(replace(bars, open_ms=times), now_of(bars) + STEP)


@given(valid_series(), st.sets(st.integers(1, 29), min_size=1, max_size=12))
def test_missing_rows_are_recorded_and_nothing_else_changes(bars: Bars, missing: set[int]) -> None:
    kept = [row for row in range(len(bars)) if row not in missing]
    holed = rows_of(bars, kept)
    check(holed, now_of(bars))
    filled = fill_holes(holed, int(bars.open_ms[0]), int(bars.open_ms[-1]))
    assert filled.filled_bars == len(missing)
    assert filled.filled_frac == len(missing) / len(bars)
    assert filled.bars.open_ms.tolist() == bars.open_ms.tolist()
    for name in NAMES:
        assert getattr(filled.bars, name)[kept].tolist() == getattr(bars, name)[kept].tolist()
    check(filled.bars, now_of(bars))


@given(valid_series(), st.sets(st.integers(0, 79), max_size=20), st.data())
def test_filling_is_causal(bars: Bars, missing: set[int], data: st.DataObject) -> None:
    kept = [row for row in range(len(bars)) if row not in missing]
    holed = rows_of(bars, kept)
    upto = data.draw(st.integers(kept[0], len(bars) - 1))
    first, last = int(bars.open_ms[0]), int(bars.open_ms[upto])
    whole = fill_holes(holed, first, int(bars.open_ms[-1])).bars.between(first, last + STEP)
    past = fill_holes(holed.between(first, last + STEP), first, last).bars
    assert window_hash(past) == window_hash(whole)


@given(valid_series(), st.data())
def test_any_revision_changes_the_hash(bars: Bars, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES[1:]))
    column = getattr(bars, name).copy()
    at = data.draw(st.integers(0, len(bars) - 1))
    column[at] = np.nextafter(column[at], np.inf)
    assert window_hash(replace(bars, **{name: column})) != window_hash(bars)
