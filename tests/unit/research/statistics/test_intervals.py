"""Intervals: the reference's trades, arch's bootstrap, and how often they hold the truth."""

import math

import numpy as np
import pytest
from arch.bootstrap import StationaryBootstrap
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.research.statistics.intervals import (
    Interval,
    block_length,
    daily_sums,
    drawn_intervals,
    mean_interval,
    mean_variance,
    resampled,
)

FREQTRADE = np.array([100.0, 200.0, 50.0, -150.0, 300.0, -100.0, 80.0, -30.0])
TRUE_FACTOR = 1.4


def known(found: Interval | None) -> Interval:
    assert found is not None
    return found


def heavy_tailed(random: np.random.Generator, trades: int) -> np.ndarray:
    """Return net R of 35 % lognormal winners and losers of 1 R; the true profit factor is 1.4."""
    mean_win = TRUE_FACTOR * 0.65 / 0.35
    wins = mean_win * np.exp(0.85 * random.standard_normal(trades) - 0.36125)
    return np.where(random.random(trades) < 0.35, wins, -1.0)


def test_the_mean_of_trades_on_days_of_their_own_has_the_textbooks_interval() -> None:
    found = known(mean_interval(FREQTRADE, np.arange(8)))
    error = FREQTRADE.std(ddof=1) / math.sqrt(8)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error)
    narrower = known(mean_interval(FREQTRADE, np.arange(8), level=0.8))
    assert narrower.low > found.low and narrower.high < found.high


def test_trades_of_one_day_count_as_one() -> None:
    random = np.random.default_rng(1)
    each = random.standard_normal(50)
    copied, days = np.repeat(each, 12), np.repeat(np.arange(50), 12)
    assert mean_variance(copied, days) == pytest.approx(mean_variance(each, np.arange(50)))
    single = known(drawn_intervals(daily_sums(each, np.arange(50)), seed=3, block=1).mean)
    twelve = known(drawn_intervals(daily_sums(copied, days), seed=3, block=1).mean)
    assert (twelve.low, twelve.high) == pytest.approx((single.low, single.high))


def test_days_in_any_order_are_summed_by_day() -> None:
    rows = daily_sums(np.array([1.0, -2.0, 0.5, -0.25]), np.array([20, 10, 20, 20]))
    assert rows.tolist() == [[0.0, 2.0, 1.0], [1.5, 0.25, 3.0]]


@pytest.mark.parametrize("rows", [0, 1])
def test_a_single_day_has_no_interval(rows: int) -> None:
    values, days = np.ones(rows), np.zeros(rows, dtype=np.int64)
    assert mean_interval(values, days) is None
    assert mean_interval(np.ones(3), np.zeros(3, dtype=np.int64)) is None
    assert drawn_intervals(daily_sums(values, days)).factor is None


def test_draws_without_a_loss_reach_infinity_without_complaint() -> None:
    found = known(drawn_intervals(daily_sums(np.array([1.0, 2.0, -1.0]), np.arange(3))).factor)
    assert (found.low, found.high) == (0.0, math.inf)
    only_gains = known(drawn_intervals(daily_sums(np.array([1.0, 2.0]), np.arange(2))).factor)
    assert (only_gains.low, only_gains.high) == (math.inf, math.inf)
    assert drawn_intervals(daily_sums(np.zeros(5), np.arange(5))).factor is None


def test_the_same_seed_gives_the_same_interval() -> None:
    values = heavy_tailed(np.random.default_rng(2), 300)
    sums = daily_sums(values, np.arange(300))
    one = drawn_intervals(sums, 200, seed=4)
    assert one == drawn_intervals(sums, 200, seed=4)
    assert one != drawn_intervals(sums, 200, seed=5)


@pytest.mark.parametrize("block", [1.0, 5.0, 20.0])
def test_arch_finds_the_same_interval(block: float) -> None:
    random = np.random.default_rng(8)
    values = np.convolve(random.standard_normal(620), np.ones(21) / 21, mode="valid")
    ours = known(drawn_intervals(daily_sums(values, np.arange(len(values))), 2_000, seed=1, block=block).mean)
    bootstrap = StationaryBootstrap(block, values, seed=2)
    low, high = bootstrap.conf_int(np.mean, 2_000, method="percentile").ravel()
    width = high - low
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.09 * width)


@settings(max_examples=40)
@given(st.integers(1, 400), st.floats(1.0, 50.0), st.integers(0, 1_000))
def test_runs_follow_on_and_all_rows_can_be_drawn(rows: int, length: float, seed: int) -> None:
    places = resampled(3, rows, length, np.random.default_rng(seed))
    assert places.shape == (3, rows) and places.min() >= 0 and places.max() < rows


def test_runs_are_as_long_as_asked_and_without_asking_the_cube_root() -> None:
    places = resampled(1, 200_000, 10.0, np.random.default_rng(1))[0]
    assert np.mean(np.diff(places) % 200_000 == 1) == pytest.approx(0.9, abs=0.005)
    assert [block_length(rows) for rows in (1, 8, 1_000, 20_000)] == [1, 2, 10, 27]


def coverage_of_factors(trades: int, repeats: int, seed: int) -> tuple[float, float]:
    """Return how often the analytic and the bootstrap interval hold the true factor."""
    random = np.random.default_rng(seed)
    held = np.zeros((repeats, 2))
    for at in range(repeats):
        nets = heavy_tailed(random, trades)
        analytic = profit_factor(nets.tolist())
        drawn = known(drawn_intervals(daily_sums(nets, np.arange(trades)), 300, at, 1).factor)
        ends = ((analytic.low or 0.0, analytic.high or 0.0), (drawn.low, drawn.high))
        held[at] = [low <= TRUE_FACTOR <= high for low, high in ends]
    analytic_share, drawn_share = held.mean(axis=0)
    return float(analytic_share), float(drawn_share)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trades", "analytic", "bootstrap"),
    [(30, 0.912, 0.891), (50, 0.921, 0.902), (100, 0.950, 0.939), (400, 0.941, 0.934)],
)
def test_factors_are_covered_as_the_reference_found(trades: int, analytic: float, bootstrap: float) -> None:
    found = coverage_of_factors(trades, 600, trades)
    assert found == pytest.approx((analytic, bootstrap), abs=0.03)


@pytest.mark.slow
def test_days_that_hang_together_need_the_runs_and_the_clusters() -> None:
    random = np.random.default_rng(3)
    days = np.repeat(np.arange(120), 6)
    held = np.zeros((300, 3))
    for at in range(300):
        values = np.repeat(random.standard_normal(120), 6) + random.standard_normal(720)
        found = (
            mean_interval(values, days),
            drawn_intervals(daily_sums(values, days), 300, at).mean,
            drawn_intervals(daily_sums(values, np.arange(720)), 300, at, block=1).mean,
        )
        held[at] = [known(each).low <= 0.0 <= known(each).high for each in found]
    by_day, by_runs, by_trade = held.mean(axis=0)
    assert by_day > 0.91 and by_runs > 0.89
    assert by_trade < 0.75, "trades taken as independent promise too much"
