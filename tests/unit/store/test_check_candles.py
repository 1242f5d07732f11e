"""What `chloe data check` says about values: impossible, frozen and copied ones, candles cut short."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.bar_checks import check_history
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import DataError
from engine_alpha.store.checking.candles import judge_cut_short, judge_rows, judge_stillness, judge_wicks
from engine_alpha.store.checking.findings import Finding
from tests.unit.store.markets import like_a_market, rows_at, with_values


def found(bars: Bars, has_volume: bool = True) -> dict[str, Finding]:
    judged = (
        *judge_rows(bars, has_volume),
        *judge_stillness(bars, has_volume),
        *judge_wicks(bars),
        *judge_cut_short(bars),
    )
    return {finding.code: finding for finding in judged}


def captured_early(bars: Bars, at: "np.typing.NDArray[np.intp]", minutes: int) -> Bars:
    """Return the bars, some of them as they stood after so many minutes of their hour."""
    part = minutes / 60.0
    close = np.round(bars.open[at] + (bars.close[at] - bars.open[at]) * part, 1)
    return with_values(
        bars,
        at,
        close=close,
        high=np.maximum(np.maximum(bars.open[at], close), np.round(close * 1.0001, 1)),
        low=np.minimum(np.minimum(bars.open[at], close), np.round(close * 0.9999, 1)),
        volume=bars.volume[at] * part,
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_sound_market_gives_no_finding(seed: int) -> None:
    assert [each for each in found(like_a_market(seed=seed)).values() if each.grave] == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"close": np.nan}, "nan"),
        ({"high": np.inf}, "nan"),
        ({"low": 0.0}, "not_positive"),
        ({"open": -1.0}, "not_positive"),
        ({"volume": -1.0}, "not_positive"),
        ({"volume": np.nan}, "nan_volume"),
        ({"close": 1e9}, "impossible_bar"),
        ({"open": 1.0}, "impossible_bar"),
    ],
)
def test_each_impossible_value_is_counted_and_placed(values: dict[str, float], code: str) -> None:
    bars = with_values(like_a_market(300), [7, 90], **values)
    seen = {finding.code: finding for finding in judge_rows(bars, True)}
    assert list(seen) == [code]
    assert seen[code].grave and (seen[code].count, seen[code].first_ms) == (2, int(bars.open_ms[7]))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 19),
            st.sampled_from(["open", "high", "low", "close", "volume"]),
            st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e12, 1e-12, 30_000.0]),
        ),
        max_size=3,
    )
)
def test_the_check_finds_a_fault_just_where_the_store_would_refuse(
    changes: list[tuple[int, str, float]],
) -> None:
    bars = like_a_market(20)
    for row, name, value in changes:
        bars = with_values(bars, row, **{name: value})
    try:
        check_history(bars, int(bars.close_ms[-1]))
        refused = False
    except DataError:
        refused = True
    judged = list(judge_rows(bars, True))
    assert any(finding.grave for finding in judged) == refused


def test_mark_prices_need_no_volume_and_candles_do() -> None:
    marks = with_values(like_a_market(300), slice(None), volume=np.nan)
    assert found(marks)["nan_volume"].grave and found(marks)["nan_volume"].saw == "no bar has a volume"
    assert not found(marks, has_volume=False)["nan_volume"].grave
    zeros = with_values(like_a_market(300), slice(None), volume=0.0)
    assert found(zeros)["no_volume"].grave and "no_volume" not in found(zeros, has_volume=False)


def test_twelve_bars_without_trades_are_frozen_and_eleven_are_not() -> None:
    bars = like_a_market(300)
    for rows, is_frozen in ((11, False), (12, True), (40, True)):
        still = float(bars.close[49])
        rest = slice(50, 50 + rows)
        stuck = with_values(bars, rest, open=still, high=still, low=still, close=still, volume=0.0)
        seen = found(stuck)
        assert ("frozen" in seen) == is_frozen
        if is_frozen:
            assert (seen["frozen"].count, seen["frozen"].first_ms) == (rows, int(bars.open_ms[50]))


def test_a_bar_repeated_with_its_volume_is_frozen_from_the_third_on() -> None:
    bars = like_a_market(300)
    source = np.arange(300)
    source[51:53] = 50
    repeated = replace(rows_at(bars, source), open_ms=bars.open_ms)
    assert found(repeated)["frozen"].count == 2


def test_a_day_copied_over_another_is_found() -> None:
    bars = like_a_market(300)
    source = np.arange(300)
    source[200:224] = np.arange(100, 124)
    copied = found(replace(rows_at(bars, source), open_ms=bars.open_ms))["copied_stretch"]
    assert (copied.count, copied.first_ms) == (24, int(bars.open_ms[200]))


def test_a_wick_that_came_back_is_only_noted() -> None:
    bars = like_a_market(300)
    wild = found(with_values(bars, 70, low=float(bars.low[70]) / 2.0))["bad_tick"]
    assert (wild.grave, wild.count, wild.first_ms) == (False, 1, int(bars.open_ms[70]))


def test_a_crash_that_stayed_is_no_bad_tick() -> None:
    bars = like_a_market(300)
    fallen = {name: getattr(bars, name)[70:] * 0.5 for name in ("open", "high", "low", "close")}
    assert "bad_tick" not in found(with_values(bars, slice(70, None), **fallen))


@pytest.mark.parametrize("minutes", [1, 5, 15])
def test_candles_stored_while_forming_are_found(minutes: int) -> None:
    bars = like_a_market()
    at = np.arange(99, 1_999, 100)
    seen = found(captured_early(bars, at, minutes))["forming_never_corrected"]
    assert seen.grave and 6 <= seen.count <= len(at)
    assert seen.first_ms in bars.open_ms[at]


def test_a_few_of_them_are_not_told_from_a_thin_market() -> None:
    assert "forming_never_corrected" not in found(captured_early(like_a_market(), np.array([500, 900]), 5))


def test_joints_that_are_off_without_small_bars_are_a_thin_market() -> None:
    bars = like_a_market()
    at = np.arange(100, 1_999, 50)
    opened = np.round(bars.open[at] * 1.01, 1)
    thin = with_values(bars, at, open=opened, high=np.maximum(bars.high[at], opened))
    assert "forming_never_corrected" not in found(thin)


def test_a_small_newest_bar_is_noted() -> None:
    bars = captured_early(like_a_market(), np.array([1_999]), 1)
    seen = found(bars)["newest_unfinished"]
    assert not seen.grave and seen.first_ms == int(bars.open_ms[-1])


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 30])
def test_too_few_bars_say_nothing_and_break_nothing(rows: int) -> None:
    assert found(rows_at(like_a_market(300), slice(0, rows))) == {}
