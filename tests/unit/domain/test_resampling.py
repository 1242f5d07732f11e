"""Coarser bars are made of whole groups of finer ones and of nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.domain.resampling import resample

HOUR = 3_600_000
NAMES = ("open_ms", "open", "high", "low", "close", "volume")


def hours(first: int, rows: int) -> Bars:
    number = np.arange(first, first + rows)
    close = 100.0 + (number * 7 % 13)
    return Bars(
        timeframe_ms=HOUR,
        open_ms=number * HOUR,
        open=close - 1.0,
        high=close + (number % 5) + 1.0,
        low=close - (number % 3) - 2.0,
        close=close,
        volume=number * 0.1,
    )


def without(bars: Bars, row: int) -> Bars:
    return replace(bars, **{name: np.delete(getattr(bars, name), row) for name in NAMES})


def test_four_hours_become_one_bar() -> None:
    fine = hours(8, 8)
    coarse = resample(fine, 4 * HOUR)
    assert coarse.timeframe_ms == 4 * HOUR
    assert coarse.open_ms.tolist() == [8 * HOUR, 12 * HOUR]
    assert coarse.open.tolist() == [fine.open[0], fine.open[4]]
    assert coarse.high.tolist() == [fine.high[:4].max(), fine.high[4:].max()]
    assert coarse.low.tolist() == [fine.low[:4].min(), fine.low[4:].min()]
    assert coarse.close.tolist() == [fine.close[3], fine.close[7]]
    assert coarse.volume.tolist() == [sum(fine.volume[:4].tolist()), sum(fine.volume[4:].tolist())]


def test_a_group_that_is_not_whole_is_left_out() -> None:
    assert resample(hours(9, 9), 4 * HOUR).open_ms.tolist() == [12 * HOUR]
    assert resample(without(hours(8, 12), 6), 4 * HOUR).open_ms.tolist() == [8 * HOUR, 16 * HOUR]
    assert resample(without(hours(8, 12), 4), 4 * HOUR).open_ms.tolist() == [8 * HOUR, 16 * HOUR]
    assert len(resample(hours(8, 3), 4 * HOUR)) == 0


def test_the_same_timeframe_is_the_same_bars() -> None:
    fine = hours(8, 5)
    assert resample(fine, HOUR) is fine


def test_a_timeframe_that_does_not_fit_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no multiple"):
        resample(hours(8, 5), HOUR + 60_000)


def test_a_mark_price_absent_in_a_part_is_absent_in_the_whole() -> None:
    fine = hours(8, 8)
    mark = fine.high.copy()
    mark[2] = np.nan
    coarse = resample(replace(fine, mark_high=mark, mark_low=fine.low), 4 * HOUR)
    assert np.isnan(coarse.mark_high[0]) and coarse.mark_high[1] == fine.high[4:].max()
    assert coarse.mark_low.tolist() == coarse.low.tolist()
