"""Sharpe inference: the papers' numbers in both conventions, skfolio's and purgedcv's, and the laws."""

import math
from dataclasses import replace

import numpy as np
import purgedcv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.backtest.sweeping.luck import expected_best, scatter_of
from engine_alpha.backtest.sweeping.outcome import DailyReturns, moments
from engine_alpha.research.statistics.sharpe import (
    CLASSIC,
    UNDER_NULL,
    Inference,
    autocorrelation_of,
    classic_track_record,
    dsr,
    minimum_track_record,
    psr,
    track_record_under_null,
)


def record(sharpe: float, days: int, skewness: float = 0.0, kurtosis: float = 3.0) -> DailyReturns:
    return DailyReturns(days=days, sharpe=sharpe, skewness=skewness, kurtosis=kurtosis)


def known(found: Inference | None) -> Inference:
    assert found is not None
    return found


HEDGE_FUND = record(0.036 / 0.079, 24, -2.448, 10.164)
"""The monthly track record both papers use."""


def test_the_probabilistic_ratio_of_2012() -> None:
    skewed = known(psr(record(1.585 / math.sqrt(12), 24, -2.448, 10.164)))
    assert skewed.classic == pytest.approx(0.9132343, abs=5e-8)
    normal = known(psr(record(1.585 / math.sqrt(12), 24)))
    assert normal.classic == pytest.approx(0.982, abs=5e-4)


@pytest.mark.parametrize(
    ("against", "autocorrelation", "expected"), [(0.0, 0.0, 0.987), (0.1, 0.0, 0.939), (0.0, 0.2, 0.966)]
)
def test_the_probabilistic_ratio_of_2025(against: float, autocorrelation: float, expected: float) -> None:
    found = known(psr(HEDGE_FUND, against, autocorrelation))
    assert found.under_null == pytest.approx(expected, abs=5e-4)


def test_the_deflated_ratio_of_2014() -> None:
    scatter = math.sqrt(0.5 / 250)
    found = record(2.5 / math.sqrt(250), 1_250, -3.0, 10.0)
    assert scatter * expected_best(100) == pytest.approx(0.1131720, abs=5e-8)
    assert known(dsr(found, scatter, 100)).classic == pytest.approx(0.9003968, abs=5e-8)
    assert known(dsr(found, scatter, 46)).classic == pytest.approx(0.9505, abs=5e-5)
    normal = record(2.5 / math.sqrt(250), 1_250)
    assert known(dsr(normal, scatter, 88)).classic == pytest.approx(0.9505, abs=5e-5)


def test_the_deflated_ratio_of_2025() -> None:
    assert math.sqrt(0.1) * expected_best(10) == pytest.approx(0.498, abs=5e-4)
    assert known(dsr(HEDGE_FUND, math.sqrt(0.1), 10, 0.2)).under_null == pytest.approx(0.457, abs=5e-4)


@pytest.mark.parametrize(
    ("sharpe", "against", "periods", "moments_of", "years"),
    [
        (2.0, 1.0, 250, (0.0, 3.0), 2.7311878),
        (2.0, 1.0, 52, (0.0, 3.0), 2.8288336),
        (2.0, 1.0, 12, (0.0, 3.0), 3.2398),
        (2.0, 1.0, 12, (-0.72, 5.78), 4.9913),
        (3.0, 2.5, 12, (-0.72, 5.78), 27.3529),
    ],
)
def test_the_minimum_track_record_of_2012(
    sharpe: float, against: float, periods: int, moments_of: tuple[float, float], years: float
) -> None:
    scale = math.sqrt(periods)
    found = classic_track_record(record(sharpe / scale, 100, *moments_of), against / scale)
    assert found is not None
    assert found / periods == pytest.approx(years, abs=5e-5 if years != 2.7311878 else 5e-8)


@pytest.mark.parametrize(
    ("sharpe", "skewness", "kurtosis", "years"),
    [(0.7079, -0.2250, 2.9570, 0.7152), (0.8183, -1.4455, 7.0497, 1.1593)],
)
def test_the_minimum_track_record_of_hedge_fund_indices(
    sharpe: float, skewness: float, kurtosis: float, years: float
) -> None:
    found = classic_track_record(record(sharpe, 134, skewness, kurtosis))
    assert found is not None
    assert found / 12 == pytest.approx(years, abs=2e-4)


def test_the_minimum_track_record_of_2025() -> None:
    assert track_record_under_null(HEDGE_FUND) == pytest.approx(13.029, abs=5e-4)
    assert track_record_under_null(HEDGE_FUND, 0.0, 0.1, 0.2) == pytest.approx(11.863, abs=1e-3)


@pytest.mark.parametrize(
    ("yearly", "normal_days", "skewed_days"),
    [(1.0, 990, 1_046), (1.5, 441, 480), (2.0, 249, 280), (3.0, 112, 134)],
)
def test_the_minimum_track_record_of_markets_that_never_close(
    yearly: float, normal_days: int, skewed_days: int
) -> None:
    per_day = yearly / math.sqrt(365)
    assert math.ceil(classic_track_record(record(per_day, 9)) or 0.0) == pytest.approx(normal_days, abs=1)
    skewed = classic_track_record(record(per_day, 9, -1.0, 10.0))
    assert math.ceil(skewed or 0.0) == pytest.approx(skewed_days, abs=1)


def heavy_tailed() -> np.ndarray:
    returns = np.random.RandomState(11).standard_t(4, (500, 20)) * 0.01
    returns[:, 7] += 0.001
    return returns


def test_real_arrays_give_what_skfolio_gives() -> None:
    returns = heavy_tailed()
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    found = moments(returns[:, 7])
    assert found is not None
    # skfolio 1.12.2: probabilistic_sharpe_ratio(r), (r, 0.05), deflated_sharpe_ratio(r, ratios)
    assert known(psr(found)).classic == pytest.approx(0.9856456906623408, abs=1e-14)
    assert known(psr(found, 0.05)).classic == pytest.approx(0.8464473519943343, abs=1e-14)
    scatter = float(ratios.std(ddof=1))
    assert known(dsr(found, scatter, 20)).classic == pytest.approx(0.4812682526317195, abs=1e-14)
    assert scatter_of(ratios.tolist(), 500) == pytest.approx(scatter)


def test_purgedcv_differs_by_its_moments_only() -> None:
    returns = heavy_tailed()
    ratios = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    found = moments(returns[:, 7])
    assert found is not None
    theirs = purgedcv.probabilistic_sharpe_ratio(returns[:, 7], 0.0)
    assert known(psr(found)).classic == pytest.approx(theirs, abs=2e-4)
    deflated = purgedcv.deflated_sharpe_ratio(returns[:, 7], 20, float(ratios.var(ddof=1)))
    assert known(dsr(found, float(ratios.std(ddof=1)), 20)).classic == pytest.approx(deflated, abs=2e-3)


@pytest.mark.parametrize("sharpe", [0.05, 0.1, 0.2])
def test_the_minimum_track_record_is_purgedcvs(sharpe: float) -> None:
    ours = classic_track_record(record(sharpe, 100, -0.5, 6.0), 0.01)
    theirs = purgedcv.min_track_record_length(sharpe, 0.01, 0.05, -0.5, 6.0)
    assert math.ceil(ours or 0.0) == theirs


def test_the_lower_probability_is_named() -> None:
    fat_loser = known(psr(HEDGE_FUND))
    assert (fat_loser.lower, fat_loser.convention) == (fat_loser.classic, CLASSIC)
    lucky = known(psr(record(0.1, 400, 2.0, 9.0)))
    assert (lucky.lower, lucky.convention) == (lucky.under_null, UNDER_NULL)


records = st.builds(
    lambda sharpe, days, skewness, more: record(sharpe, days, skewness, 1.01 + skewness**2 + more),
    st.floats(0.0, 0.3),
    st.integers(3, 5_000),
    st.floats(-3.0, 3.0),
    st.floats(0.0, 20.0),
)


@given(records, st.floats(0.0, 0.3), st.floats(0.0, 0.3), st.floats(-0.5, 0.5))
def test_a_higher_benchmark_is_less_likely_beaten(
    daily: DailyReturns, one: float, other: float, autocorrelation: float
) -> None:
    low, high = sorted((one, other))
    easy, hard = known(psr(daily, low)), known(psr(daily, high))
    assert hard.classic <= easy.classic + 1e-12
    assert hard.under_null <= easy.under_null + 1e-12
    mixed = known(psr(daily, low, autocorrelation))
    assert mixed.classic == easy.classic, "the classic form knows no autocorrelation"
    assert 0.0 <= mixed.lower <= 1.0


@given(records, st.integers(1, 5_000))
def test_a_longer_record_is_more_certain(daily: DailyReturns, more: int) -> None:
    longer = replace(daily, days=daily.days + more)
    assert known(psr(longer)).lower >= known(psr(daily)).lower
    assert known(psr(longer, 1.0)).classic <= known(psr(daily, 1.0)).classic


@given(records, st.floats(1.0, 1e6), st.floats(1.0, 1e6), st.floats(0.0, 0.05))
def test_more_trials_deflate_more(daily: DailyReturns, one: float, other: float, scatter: float) -> None:
    few, many = sorted((one, other))
    assert known(dsr(daily, scatter, many)).lower <= known(dsr(daily, scatter, few)).lower + 1e-12
    assert dsr(daily, scatter, 1.0) == psr(daily)


@given(st.floats(1.0, 1e9), st.floats(1.0, 1e9))
def test_the_expected_best_grows_with_a_fraction_of_a_trial_too(one: float, other: float) -> None:
    few, many = sorted((one, other))
    assert 0.0 <= expected_best(few) <= expected_best(many) + 1e-12
    assert expected_best(2.0 - 1e-9) == pytest.approx(expected_best(2.0))


@given(records, st.floats(0.01, 0.2))
def test_a_record_as_long_as_the_minimum_suffices(daily: DailyReturns, alpha: float) -> None:
    needed = minimum_track_record(daily, 0.0, alpha)
    if needed is None or needed > 1e9:
        assert daily.sharpe <= 1e-3
        return
    days = max(2, math.ceil(needed))
    assert known(psr(replace(daily, days=days))).lower >= 1.0 - alpha - 1e-9
    if days > 3:
        assert known(psr(replace(daily, days=days - 2))).lower < 1.0 - alpha


def test_a_ratio_below_the_benchmark_never_gets_a_record_long_enough() -> None:
    assert minimum_track_record(record(0.05, 900), 0.05) is None
    assert minimum_track_record(record(-0.1, 900)) is None


def test_moments_that_allow_no_statement_get_none() -> None:
    impossible = record(1.0, 100, 3.0, 2.0)  # no distribution has these
    assert psr(impossible) is None
    assert minimum_track_record(impossible) is None
    assert psr(record(0.1, 1)) is None


def test_autocorrelation_is_that_of_the_process() -> None:
    random = np.random.default_rng(5)
    returns = np.zeros(20_000)
    for at, shock in enumerate(random.standard_normal(19_999), start=1):
        returns[at] = 0.3 * returns[at - 1] + shock
    assert autocorrelation_of(returns) == pytest.approx(0.3, abs=0.02)
    assert autocorrelation_of(returns + 5.0) == pytest.approx(autocorrelation_of(returns))


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.2], [0.1] * 40])
def test_returns_without_movement_have_no_autocorrelation(returns: list[float]) -> None:
    assert autocorrelation_of(np.array(returns)) == 0.0
