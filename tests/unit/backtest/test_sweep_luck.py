"""How good the best of many looks without an edge: published vectors, and a simulation of coin tosses."""

import math
from statistics import variance

import numpy as np
import pytest

from engine_alpha.backtest.sweeping.luck import (
    deflated_sharpe,
    expected_best,
    lucky_factor,
    probabilistic_sharpe,
)
from engine_alpha.backtest.sweeping.outcome import DailyReturns, moments
from engine_alpha.kernel.profit_factor import profit_factor


def daily(sharpe: float, days: int, skewness: float = 0.0, kurtosis: float = 3.0) -> DailyReturns:
    return DailyReturns(days=days, sharpe=sharpe, skewness=skewness, kurtosis=kurtosis)


@pytest.mark.parametrize(
    ("trials", "expected"), [(10, 1.5745983), (45, 2.2356402), (100, 2.5306028932), (1_000, 3.2551215)]
)
def test_the_expected_best_is_the_published_one(trials: int, expected: float) -> None:
    assert expected_best(trials) == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize("trials", [0, 1])
def test_a_single_trial_is_expected_to_be_average(trials: int) -> None:
    assert expected_best(trials) == 0.0


def test_the_probabilistic_sharpe_ratio_of_2012() -> None:
    skewed = daily(1.585 / math.sqrt(12), 24, -2.448, 10.164)
    assert probabilistic_sharpe(skewed) == pytest.approx(0.9132343, abs=5e-8)
    assert probabilistic_sharpe(daily(1.585 / math.sqrt(12), 24)) == pytest.approx(0.982, abs=5e-4)


def ratios_scattered_by(deviation: float) -> list[float]:
    """Return two ratios with exactly this standard deviation."""
    return [0.0, deviation * math.sqrt(2.0)]


def test_the_deflated_sharpe_ratio_of_2014() -> None:
    found = daily(2.5 / math.sqrt(250), 1_250, -3.0, 10.0)
    scatter = ratios_scattered_by(math.sqrt(0.5 / 250))
    assert variance(scatter) == pytest.approx(0.5 / 250)
    assert deflated_sharpe(found, scatter, 100) == pytest.approx(0.9003968, abs=5e-8)
    assert deflated_sharpe(found, scatter, 46) == pytest.approx(0.9505, abs=5e-5)
    normal = daily(2.5 / math.sqrt(250), 1_250)
    assert deflated_sharpe(normal, scatter, 88) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize("ratios", [[], [0.08], [0.08] * 100])
def test_trials_that_are_all_alike_are_judged_by_the_scatter_of_chance(ratios: list[float]) -> None:
    found = daily(0.08, 900)
    by_chance = probabilistic_sharpe(found, expected_best(100) / 30)
    assert deflated_sharpe(found, ratios, 100) == by_chance
    assert by_chance is not None and by_chance < 0.5, "a yearly Sharpe of 1.5 is what the best of 100 shows"
    alone = deflated_sharpe(found, ratios, 1)
    assert alone == probabilistic_sharpe(found) and alone is not None and alone > 0.99


@pytest.mark.parametrize(("trials", "median"), [(10, 1.36), (100, 1.62), (1_000, 1.91)])
def test_the_lucky_factor_is_near_the_simulated_median_of_the_best(trials: int, median: float) -> None:
    fair = profit_factor([1.5] * 40 + [-1.0] * 60)
    assert fair.value == 1.0
    lucky = lucky_factor(fair, trials)
    assert lucky == pytest.approx(median, rel=0.04)  # the mean of a skewed value lies above its median


def test_the_lucky_factor_is_near_the_mean_log_of_simulated_bests() -> None:
    random = np.random.default_rng(7)
    wins = random.binomial(200, 0.4, size=(2_000, 50))
    logs = np.log(wins * 1.5 / (200 - wins)).max(axis=1)
    fair = profit_factor([1.5] * 80 + [-1.0] * 120)
    assert lucky_factor(fair, 50) == pytest.approx(math.exp(logs.mean()), rel=0.02)


@pytest.mark.parametrize("nets", [[], [1.0, 2.0], [-1.0]])
def test_without_an_interval_nothing_is_said_of_luck(nets: list[float]) -> None:
    assert lucky_factor(profit_factor(nets), 10) is None


def test_moments_are_those_of_the_textbook() -> None:
    returns = np.array([0.01, -0.02, 0.03, 0.0, 0.015])
    found = moments(returns)
    assert found is not None
    mean = sum(returns) / 5
    away = [value - mean for value in returns]
    deviation = math.sqrt(sum(value**2 for value in away) / 5)
    assert found.days == 5
    assert found.sharpe == pytest.approx(mean / math.sqrt(sum(value**2 for value in away) / 4))
    assert found.skewness == pytest.approx(sum(value**3 for value in away) / 5 / deviation**3)
    assert found.kurtosis == pytest.approx(sum(value**4 for value in away) / 5 / deviation**4)


@pytest.mark.parametrize("returns", [[], [0.01, 0.02], [0.01] * 50])
def test_too_few_or_equal_returns_have_no_moments(returns: list[float]) -> None:
    assert moments(np.array(returns)) is None
