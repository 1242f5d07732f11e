"""A bar has its minutes if they make it up to the bit, and none of them otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.domain.detail import MINUTE_MS, Detail, detail_of, no_minutes
from engine_alpha.domain.resampling import resample
from engine_alpha.step.windows import bar_of
from tests.makers import HOUR_MS, random_bars

FIRST_HOUR = 470_000
HOURS = 6


def some_minutes(hours: int = HOURS, seed: int = 1) -> Bars:
    """Return a random walk of minutes with gaps between them."""
    walk = random_bars(hours * 60, seed=seed, first_index=0)
    times = FIRST_HOUR * HOUR_MS + np.arange(hours * 60, dtype=np.int64) * MINUTE_MS
    return replace(walk, timeframe_ms=MINUTE_MS, open_ms=times)


def only(bars: Bars, kept: np.ndarray) -> Bars:
    """Return the bars at these places, in the order given."""
    columns = {name: getattr(bars, name)[kept] for name in ("open_ms", "open", "high", "low", "close")}
    return replace(bars, volume=bars.volume[kept], **columns)


def changed(bars: Bars, name: str, at: int, value: float) -> Bars:
    column = getattr(bars, name).copy()
    column[at] = value
    return replace(bars, **{name: column})


def rows_of(bars: Bars, places: slice) -> list[tuple[float, ...]]:
    columns = [column[places].tolist() for column in (bars.open, bars.high, bars.low, bars.close)]
    return list(zip(*columns, strict=True))


def counts(detail: Detail) -> list[int]:
    return detail.minute_count.tolist()


@pytest.mark.parametrize("timeframe", [name for name in TIMEFRAME_MS if name not in ("1m", "1d")])
def test_bars_made_of_minutes_have_all_of_them(timeframe: str) -> None:
    minutes = some_minutes(48)
    bars = resample(minutes, TIMEFRAME_MS[timeframe])
    detail = detail_of(bars, minutes)
    parts = TIMEFRAME_MS[timeframe] // MINUTE_MS
    assert len(bars) >= 3 and counts(detail) == [parts] * len(bars)
    for at in range(len(bars)):
        first = int(minutes.open_ms.searchsorted(bars.open_ms[at]))
        assert list(detail.rows_of(at)) == rows_of(minutes, slice(first, first + parts))


def test_columns_are_as_the_compiled_road_takes_them() -> None:
    minutes = some_minutes()
    detail = detail_of(resample(minutes, HOUR_MS), minutes)
    assert detail.minute_first.tolist() == [0, 60, 120, 180, 240, 300]
    assert detail.minute_first.dtype == detail.minute_count.dtype == np.int64
    assert detail.rows.dtype == np.float64 and detail.rows.flags.c_contiguous
    assert detail.rows.shape == (360, 4)


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("up", [True, False])
def test_a_bar_that_differs_in_its_last_bit_has_none(name: str, up: bool) -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    price = float(getattr(bars, name)[2])
    detail = detail_of(changed(bars, name, 2, np.nextafter(price, np.inf if up else 0.0)), minutes)
    assert counts(detail) == [60, 60, 0, 60, 60, 60]
    assert detail.rows_of(2) == () and int(detail.minute_first[2]) == 0


@pytest.mark.parametrize("lost", [60, 61, 90, 119])
def test_a_bar_with_a_minute_missing_has_none(lost: int) -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    kept = only(minutes, np.delete(np.arange(len(minutes)), lost))
    assert counts(detail_of(bars, kept)) == [60, 0, 60, 60, 60, 60]


def test_a_doubled_minute_does_not_stand_in_for_a_missing_one() -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    places = np.arange(len(minutes))
    places[75] = 74
    assert counts(detail_of(bars, only(minutes, places))) == [60, 0, 60, 60, 60, 60]


def test_minutes_out_of_order_make_up_no_bar() -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    places = np.arange(len(minutes))
    places[[75, 76]] = [76, 75]
    assert counts(detail_of(bars, only(minutes, places)))[1] == 0
    assert counts(detail_of(bars, only(minutes, np.arange(len(minutes))[::-1]))) == [0] * HOURS


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("open", float("nan")),
        ("close", float("nan")),
        ("high", float("nan")),
        ("low", float("nan")),
        ("open", 1e9),
        ("close", 1e-9),
        ("low", 0.0),
        ("low", -1.0),
    ],
)
def test_an_impossible_minute_inside_spoils_its_bar_alone(name: str, wrong: float) -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    assert counts(detail_of(bars, changed(minutes, name, 75, wrong))) == [60, 0, 60, 60, 60, 60]


def test_minutes_that_begin_late_and_end_early_serve_the_bars_between() -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    assert counts(detail_of(bars, only(minutes, np.arange(30, 330)))) == [0, 60, 60, 60, 60, 0]


def test_a_hole_in_the_bars_is_no_hindrance() -> None:
    minutes = some_minutes()
    bars = only(resample(minutes, HOUR_MS), np.array([0, 1, 4, 5]))
    detail = detail_of(bars, minutes)
    assert counts(detail) == [60] * 4
    assert detail.minute_first.tolist() == [0, 60, 240, 300]


def test_without_bars_or_minutes_or_where_the_bars_are_minutes_there_are_none() -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    assert counts(detail_of(bars, no_minutes())) == [0] * HOURS
    assert counts(detail_of(minutes, minutes)) == [0] * len(minutes)
    assert counts(detail_of(only(bars, np.arange(0)), minutes)) == []
    assert counts(detail_of(bars, bars)) == [0] * HOURS, "hours are no minutes"


@given(
    seed=st.integers(0, 9),
    lost=st.sets(st.integers(0, HOURS * 60 - 1), max_size=4),
    wrong=st.sets(
        st.tuples(st.sampled_from(["open", "high", "low", "close"]), st.integers(0, 359)), max_size=3
    ),
)
def test_the_step_sees_the_minutes_that_the_whole_series_gives(
    seed: int, lost: set[int], wrong: set[tuple[str, int]]
) -> None:
    minutes = some_minutes(seed=seed)
    bars = resample(minutes, HOUR_MS)
    for name, at in wrong:
        minutes = changed(minutes, name, at, float(getattr(minutes, name)[at]) * 1.01)
    minutes = only(minutes, np.array([at for at in range(HOURS * 60) if at not in lost]))
    detail = detail_of(bars, minutes)
    for at in range(HOURS):
        assert bar_of(bars, Funding(), at, minutes).minutes == detail.rows_of(at)
        if any(at * 60 <= each < at * 60 + 60 for each in lost):
            assert detail.minute_count[at] == 0


def test_the_step_gives_plain_numbers_and_without_minutes_none() -> None:
    minutes = some_minutes()
    bars = resample(minutes, HOUR_MS)
    inside = bar_of(bars, Funding(), 3, minutes).minutes
    assert len(inside) == 60
    assert {type(each) for row in inside for each in row} == {float}
    assert bar_of(bars, Funding(), 3).minutes == ()
