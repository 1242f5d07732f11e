"""Two series beside each other: one market from two hands, two markets, two timeframes, two clocks."""

from dataclasses import replace

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.domain.resampling import resample
from engine_alpha.store.checking.comparing import (
    judge_clocks,
    judge_other_market,
    judge_same_market,
    judge_timeframes,
    paired,
)
from engine_alpha.store.checking.findings import Finding
from engine_alpha.store.checking.settlements import judge_settlements
from tests.unit.store.markets import FIRST, HOUR, like_a_market, rows_at, with_values


def same(bars: Bars, other: Bars) -> list[Finding]:
    return list(judge_same_market(paired(bars, other, "OTHER")))


def test_equal_series_and_parts_of_them_agree() -> None:
    bars = like_a_market(400)
    assert same(bars, bars) == [] and same(bars, rows_at(bars, slice(100, 200))) == []


def test_one_bar_of_two_thousand_is_noted_and_three_are_grave() -> None:
    bars = like_a_market(2_000)
    for rows, grave in (([7], False), ([7, 8, 900], True)):
        (seen,) = same(with_values(bars, rows, close=bars.high[rows], high=bars.high[rows] * 1.01), bars)
        assert (seen.code, seen.grave, seen.count, seen.first_ms) == (
            "vendors_disagree",
            grave,
            len(rows),
            int(bars.open_ms[7]),
        )
    assert "at worst by 100.0 bps at" in seen.saw


def test_volumes_count_from_a_thousandth_on() -> None:
    bars = like_a_market(400)
    assert same(with_values(bars, 5, volume=bars.volume[5] * 1.0005), bars) == []
    assert len(same(with_values(bars, 5, volume=bars.volume[5] * 1.005), bars)) == 1


def test_beginnings_of_the_other_ones_bars_were_captured_too_early() -> None:
    bars = like_a_market(400)
    at = [5, 50, 300]
    early = with_values(bars, at, close=bars.open[at], high=bars.open[at], volume=bars.volume[at] / 3.0)
    (here,) = same(early, bars)
    assert (here.code, here.grave, here.count) == ("forming_never_corrected", True, 3)
    assert "here each is the beginning" in here.saw
    (there,) = same(bars, early)
    assert there.code == "forming_never_corrected" and "in OTHER each is" in there.saw


def test_a_vendor_that_stands_still_is_told() -> None:
    bars = like_a_market(400)
    at = slice(50, 55)
    still = float(bars.close[40])
    frozen = with_values(bars, at, open=still, high=still, low=still, close=still, volume=0.0)
    (seen,) = same(frozen, bars)
    assert (
        seen.code == "vendors_disagree" and "5 of them stand still in one and trade in the other" in seen.saw
    )


def test_series_of_other_times_can_not_be_compared() -> None:
    bars = like_a_market(400)
    later = replace(bars, open_ms=bars.open_ms + 1_000 * HOUR)
    for judged in (same(bars, later), list(judge_other_market(paired(bars, later, "OTHER")))):
        assert [(each.code, each.grave) for each in judged] == [("no_overlap", False)]


def test_another_market_is_near_and_never_the_same() -> None:
    bars = like_a_market(400)
    near = {name: getattr(bars, name) * 1.0007 for name in ("open", "high", "low", "close")}
    far = {name: getattr(bars, name)[:20] * 1.01 for name in ("open", "high", "low", "close")}
    perpetual = with_values(bars, slice(None), **near)
    assert list(judge_other_market(paired(perpetual, bars, "SPOT"))) == []
    (copy,) = judge_other_market(paired(bars, bars, "SPOT"))
    assert (copy.code, copy.grave) == (
        "wrong_market",
        True,
    ) and "100% of closes are those of SPOT" in copy.saw
    (apart,) = judge_other_market(paired(with_values(perpetual, slice(0, 20), **far), bars, "SPOT"))
    assert (apart.code, apart.grave, apart.count) == ("vendors_disagree", True, 20)


def test_timeframes_of_one_market_must_add_up() -> None:
    minutes = like_a_market(6_000, step_ms=60_000)
    hours = resample(minutes, HOUR)
    assert list(judge_timeframes(minutes, hours, "1m bars")) == []
    (seen,) = judge_timeframes(minutes, with_values(hours, 9, close=hours.low[9]), "1m bars")
    assert (seen.code, seen.grave, seen.count) == ("timeframes_disagree", True, 1)
    assert "differ from 1m bars's" in seen.saw


@pytest.mark.parametrize("hours", [-5, 2])
def test_a_clock_that_is_off_is_found_by_moving_it(hours: int) -> None:
    bars = like_a_market(600)
    moved = replace(bars, open_ms=bars.open_ms - hours * HOUR)
    (seen,) = judge_clocks(moved, bars, "OTHER")
    assert (seen.code, seen.grave) == ("local_times", True) and f"of {hours:+d} h" in seen.saw
    assert list(judge_clocks(bars, bars, "OTHER")) == []
    assert list(judge_clocks(like_a_market(600, seed=2), bars, "OTHER")) == []


def rates(count: int = 300, **changes: object) -> list[Finding]:
    times = FIRST + np.arange(count, dtype=np.int64) * 8 * HOUR
    values = np.random.default_rng(1).normal(1e-4, 5e-5, count)
    given = {"stamped_ms": times, "rate_frac": values, **changes}
    return list(judge_settlements(given["stamped_ms"], given["rate_frac"]))  # type: ignore[arg-type]


def test_sound_settlements_give_no_finding() -> None:
    assert rates() == [] and rates(0) == []


def test_stamps_off_the_minute_are_noted() -> None:
    times = FIRST + np.arange(300, dtype=np.int64) * 8 * HOUR
    times[[3, 9]] += [4, 16]
    (seen,) = rates(stamped_ms=times)
    assert (seen.code, seen.grave, seen.count) == ("funding_jitter", False, 2) and "up to 16 ms" in seen.saw


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda times, values: (times, values * 100.0), "funding_in_percent"),
        (lambda times, values: (times, np.where(times == times[7], 0.3, values)), "funding_absurd"),
        (lambda times, values: (times, np.where(times == times[7], np.nan, values)), "nan"),
        (lambda times, values: (np.where(times == times[7], times[6], times), values), "duplicated"),
        (lambda times, values: (np.delete(times, slice(50, 75)), np.delete(values, slice(50, 75))), "gaps"),
        (lambda times, values: (times[np.r_[5, 0:5, 6:300]], values), "out_of_order"),
    ],
)
def test_each_fault_of_settlements_is_grave(change: object, code: str) -> None:
    times = FIRST + np.arange(300, dtype=np.int64) * 8 * HOUR
    values = np.random.default_rng(1).normal(1e-4, 5e-5, 300)
    stamped, rate_frac = change(times, values)  # type: ignore[operator]
    seen = list(judge_settlements(stamped, rate_frac))
    assert [(each.code, each.grave) for each in seen] == [(code, True)]
