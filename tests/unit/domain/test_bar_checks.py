"""Each wrong series is refused with its reason; holes are filled flat and counted."""

from dataclasses import replace

import numpy as np
import pytest

from engine_alpha.domain.bar_checks import FROZEN_BARS, check, fill_holes, off_tick_frac, window_hash
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import DataError

HOUR = 3_600_000
START = 472_000 * HOUR


def rising(rows: int = 40) -> Bars:
    """Return a valid series: each bar opens where the last closed."""
    close = 100.0 + 0.5 * np.arange(rows)
    return Bars(
        timeframe_ms=HOUR,
        open_ms=START + np.arange(rows, dtype=np.int64) * HOUR,
        open=close - 0.5,
        high=close + 0.25,
        low=close - 0.75,
        close=close,
        volume=np.full(rows, 3.0),
    )


def now_of(bars: Bars) -> int:
    return int(bars.close_ms[-1])


def put(bars: Bars, at: int, **values: float) -> Bars:
    """Return a copy with single values replaced."""
    columns = {name: getattr(bars, name).copy() for name in values}
    for name, value in values.items():
        columns[name][at] = value
    return replace(bars, **columns)


def rows_of(bars: Bars, rows: list[int]) -> Bars:
    """Return the given rows, in the given order."""
    names = ("open_ms", "open", "high", "low", "close", "volume")
    return replace(bars, **{name: getattr(bars, name)[rows] for name in names})


def reason_of(bars: Bars, now_ms: int, expected_close_ms: int | None = None) -> str:
    with pytest.raises(DataError) as caught:
        check(bars, now_ms, expected_close_ms)
    return caught.value.reason


def test_a_valid_series_passes() -> None:
    bars = rising()
    check(bars, now_of(bars), now_of(bars))


def test_one_bar_is_a_series() -> None:
    bars = rising(1)
    check(bars, now_of(bars))


def test_a_hole_is_no_fault_here() -> None:
    bars = rows_of(rising(), [*range(10), *range(14, 40)])
    check(bars, now_of(bars))


def test_no_bars_at_all_are_refused() -> None:
    assert reason_of(rows_of(rising(), []), START) == "empty"


def test_columns_of_different_length_are_refused() -> None:
    bars = rising()
    assert reason_of(replace(bars, volume=bars.volume[:-1]), now_of(bars)) == "ragged"


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [0, 17, 39])
def test_a_number_that_is_none_is_refused(column: str, value: float, at: int) -> None:
    bars = put(rising(), at, **{column: value})
    assert reason_of(bars, now_of(bars)) == "nan"


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_price_of_zero_or_less_is_refused(column: str, value: float) -> None:
    bars = put(rising(), 5, **{column: value})
    assert reason_of(bars, now_of(bars)) == "not_positive"


def test_negative_volume_is_refused_and_none_is_fine() -> None:
    bars = rising()
    check(put(bars, 5, volume=0.0), now_of(bars))
    assert reason_of(put(bars, 5, volume=-1.0), now_of(bars)) == "not_positive"


@pytest.mark.parametrize(
    "values",
    [{"high": 101.0, "low": 103.0}, {"open": 90.0}, {"open": 120.0}, {"close": 90.0}, {"close": 120.0}],
)
def test_a_bar_whose_prices_contradict_each_other_is_refused(values: dict[str, float]) -> None:
    bars = put(rising(), 6, **values)
    assert reason_of(bars, now_of(bars)) == "impossible_bar"


def test_the_same_bar_twice_is_refused_wherever_it_stands() -> None:
    bars = rising()
    assert reason_of(rows_of(bars, [*range(20), 19, *range(20, 40)]), now_of(bars)) == "duplicated"
    assert reason_of(rows_of(bars, [*range(20), 5, *range(20, 40)]), now_of(bars)) == "duplicated"


def test_newest_first_is_refused() -> None:
    bars = rising()
    assert reason_of(rows_of(bars, list(range(39, -1, -1))), now_of(bars)) == "out_of_order"


def test_a_bar_between_two_hours_is_refused() -> None:
    bars = rising()
    shifted = replace(bars, open_ms=bars.open_ms + 60_000)
    assert reason_of(shifted, now_of(shifted)) == "off_grid"
    times = bars.open_ms.copy()
    times[12] += 1
    assert reason_of(replace(bars, open_ms=times), now_of(bars)) == "off_grid"


def test_the_forming_bar_is_refused_until_the_instant_it_closes() -> None:
    bars = rising()
    check(bars, now_of(bars))
    assert reason_of(bars, now_of(bars) - 1) == "forming_bar"


def test_a_bar_from_the_future_is_refused() -> None:
    bars = rising()
    assert reason_of(bars, now_of(bars) - HOUR - 1) == "future_bar"


def test_bars_that_end_before_the_expected_close_are_stale() -> None:
    bars = rising()
    assert reason_of(bars, now_of(bars) + HOUR, now_of(bars) + HOUR) == "stale"
    check(bars, now_of(bars) + HOUR)


@pytest.mark.parametrize("factor", [5.5, 1 / 5.5])
def test_a_new_close_five_times_the_last_is_refused(factor: float) -> None:
    bars = rising()
    jumped = put(bars, -1, close=119.5 * factor, high=1_000.0, low=1.0)
    assert reason_of(jumped, now_of(bars)) == "absurd_jump"


def test_a_jump_is_history_after_two_bars() -> None:
    bars = rising()
    for at, refused in ((39, True), (38, True), (37, False)):
        scale = np.where(np.arange(40) >= at, 6.0, 1.0)
        names = ("open", "high", "low", "close")
        jumped = replace(bars, **{name: getattr(bars, name) * scale for name in names})
        if refused:
            assert reason_of(jumped, now_of(bars)) == "absurd_jump"
        else:
            check(jumped, now_of(bars))


@pytest.mark.parametrize("at", [-1, -7])
def test_a_wick_that_did_trade_is_never_refused(at: int) -> None:
    bars = rising()
    check(put(bars, at, low=0.0001), now_of(bars))
    check(put(bars, at, high=403.0), now_of(bars))


def frozen(rows: int, volume: float = 0.0) -> Bars:
    bars = rising()
    still = np.arange(40) >= 40 - rows
    names = ("open", "high", "low", "close")
    columns = {name: np.where(still, 110.0, getattr(bars, name)) for name in names}
    return replace(bars, **columns, volume=np.where(still, volume, 3.0))


def test_candles_that_stand_still_without_volume_are_frozen() -> None:
    bars = frozen(FROZEN_BARS)
    assert reason_of(bars, now_of(bars)) == "frozen"


def test_a_pause_or_a_peg_that_trades_is_not_frozen() -> None:
    check(frozen(FROZEN_BARS - 1), START + 40 * HOUR)
    check(frozen(FROZEN_BARS, volume=1.0), START + 40 * HOUR)


def test_a_mark_price_may_be_absent_but_not_impossible() -> None:
    bars = rising()
    low, high = bars.low.copy(), bars.high.copy()
    low[3] = high[3] = np.nan
    check(replace(bars, mark_low=low, mark_high=high), now_of(bars))
    low[4] = 0.0
    assert reason_of(replace(bars, mark_low=low, mark_high=high), now_of(bars)) == "impossible_mark"


def test_a_whole_window_is_returned_as_it_is() -> None:
    bars = rising()
    filled = fill_holes(bars, START, int(bars.open_ms[-1]))
    assert filled.bars is bars
    assert (filled.filled_bars, filled.filled_frac, filled.recent_gap_bars) == (0, 0.0, 0)
    assert not filled.newest_missing


def test_a_hole_is_filled_with_the_close_before_it_and_no_volume() -> None:
    bars = rows_of(rising(), [*range(10), *range(12, 40)])
    filled = fill_holes(bars, START, START + 39 * HOUR)
    assert filled.bars.open_ms.tolist() == rising().open_ms.tolist()
    for column in (filled.bars.open, filled.bars.high, filled.bars.low, filled.bars.close):
        assert column[10:12].tolist() == [104.5, 104.5]
    assert filled.bars.volume[9:13].tolist() == [3.0, 0.0, 0.0, 3.0]
    assert (filled.filled_bars, filled.filled_frac, filled.recent_gap_bars) == (2, 0.05, 0)


def test_gaps_among_the_last_ten_bars_are_measured_by_the_longest() -> None:
    keep = [at for at in range(40) if at not in (29, 32, 34, 35, 37)]  # 29 is not among the last ten
    filled = fill_holes(rows_of(rising(), keep), START, START + 39 * HOUR)
    assert (filled.filled_bars, filled.recent_gap_bars, filled.newest_missing) == (5, 2, False)


def test_a_missing_newest_bar_is_filled_and_told() -> None:
    filled = fill_holes(rising(), START, START + 40 * HOUR)
    assert len(filled.bars) == 41
    assert filled.newest_missing and filled.recent_gap_bars == 1 and filled.filled_bars == 1


def test_what_came_before_the_first_bar_is_not_made_up() -> None:
    filled = fill_holes(rising(), START - 100 * HOUR, START + 39 * HOUR)
    assert len(filled.bars) == 40 and filled.filled_bars == 0


def test_bars_outside_the_window_change_nothing() -> None:
    bars = rows_of(rising(), [*range(10), *range(11, 40)])
    window = fill_holes(bars, START + 10 * HOUR, START + 30 * HOUR)
    assert window.bars.open_ms[0] == START + 11 * HOUR  # bar 9, outside, does not fill bar 10
    assert window.bars.open_ms[-1] == START + 30 * HOUR


def test_a_window_without_any_bar_is_empty_and_its_newest_is_missing() -> None:
    filled = fill_holes(rising(), START + 100 * HOUR, START + 200 * HOUR)
    assert len(filled.bars) == 0 and filled.newest_missing


def test_a_filled_bar_has_no_mark_price() -> None:
    bars = rising()
    with_mark = replace(bars, mark_low=bars.low, mark_high=bars.high)
    holed = with_mark.between(START, START + 40 * HOUR)
    kept = [*range(10), *range(11, 40)]
    holed = replace(rows_of(holed, kept), mark_low=bars.low[kept], mark_high=bars.high[kept])
    filled = fill_holes(holed, START, START + 39 * HOUR).bars
    assert np.flatnonzero(np.isnan(filled.mark_low)).tolist() == [10]
    assert np.flatnonzero(np.isnan(filled.mark_high)).tolist() == [10]


def test_the_hash_is_pinned() -> None:
    assert window_hash(rising()) == "ca07450bb69db4c46ee825aacbf595bb"


def test_the_hash_sees_the_timeframe_and_not_the_memory_layout() -> None:
    bars = rising()
    assert window_hash(replace(bars, timeframe_ms=2 * HOUR)) != window_hash(bars)
    wide = np.zeros((40, 2))
    wide[:, 0] = bars.close
    assert window_hash(replace(bars, close=wide[:, 0])) == window_hash(bars)


def test_prices_off_the_tick_grid_are_counted_by_bar() -> None:
    bars = rising()
    assert off_tick_frac(bars, 0.25) == 0.0
    assert off_tick_frac(put(bars, 3, high=106.26), 0.01) == 0.0
    assert off_tick_frac(put(bars, 3, high=106.26), 0.25) == 1 / 40
    assert off_tick_frac(bars, 0.3) > 0.9
    assert off_tick_frac(rows_of(bars, []), 0.1) == 0.0
