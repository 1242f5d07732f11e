"""Statistics of a run: published vectors, independent formulas in fractions, and laws."""

import math
from dataclasses import replace
from fractions import Fraction
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.reports.returns import (
    annual_growth_frac,
    calmar,
    daily_returns,
    deepest_drawdown,
    drawdown_curve,
    monthly_returns,
    sharpe,
    sortino,
    time_weighted,
)
from engine_alpha.reports.statistics import statistics_of, trade_statistics
from tests.unit.reports.runs import (
    DAY_MS,
    FROM_MS,
    HOUR_MS,
    START_QUOTE,
    empty_run,
    random_run,
    trade,
    trades_of,
)

MIXED = np.array([1.0, 10.0, -4.0, 2.0, 3.0, 2.0, 1.0, -10.0]) / 100
"""empyrical's mixed_returns without the NaN they begin with."""
NEGATIVE = np.array([0.0, -6.0, -7.0, -1.0, -9.0, -2.0, -6.0, -8.0, -5.0]) / 100
FREQTRADE = [100.0, 200.0, 50.0, -150.0, 300.0, -100.0, 80.0, -30.0]

amounts = st.floats(-500.0, 500.0).map(lambda value: round(value, 2))


def curve(returns: np.ndarray) -> np.ndarray:
    return np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def days(count: int) -> np.ndarray:
    return FROM_MS + DAY_MS * np.arange(count)


def test_sharpe_equals_the_published_vectors() -> None:
    assert sharpe(MIXED, 252) == pytest.approx(1.7238613962, rel=1e-9)
    assert sharpe(NEGATIVE, 252) == pytest.approx(-24.4068086339, rel=1e-9)
    yearly = np.array([0.259, 0.198, 0.364, -0.081, 0.057, 0.055, 0.188, 0.317, 0.24, 0.184, -0.01, 0.526])
    assert sharpe(yearly - 0.05, 1) == pytest.approx(0.834364, abs=1e-6)


def test_sortino_equals_the_published_vector() -> None:
    found = sortino(np.array([0.17, 0.15, 0.23, -0.05, 0.12, 0.09, 0.13, -0.04]), 1)
    assert found == pytest.approx(4.417261, abs=1e-6)


def test_drawdown_and_calmar_equal_the_published_vectors() -> None:
    """Calmar counts empyrical's leading NaN as a period, as empyrical does."""
    equity = curve(MIXED)
    assert equity[-1] - 1.0 == pytest.approx(0.0389310, abs=1e-7)
    deepest = deepest_drawdown(days(len(equity)), equity)
    assert deepest is not None and deepest.frac == pytest.approx(0.1)
    for periods, expected in ((252, 19.1359253732), (52, 2.4690830514)):
        growth = annual_growth_frac(1.0, float(equity[-1]), 9 / periods)
        assert calmar(growth, deepest.frac) == pytest.approx(expected, rel=1e-9)
    worst = deepest_drawdown(days(10), curve(NEGATIVE))
    assert worst is not None and worst.frac == pytest.approx(0.36590730, abs=1e-7)


def test_growth_equals_the_published_vectors() -> None:
    assert annual_growth_frac(64_900.0, 176_000.0, 1_095 / 365) == pytest.approx(0.3945, abs=5e-5)
    assert annual_growth_frac(1_000.0, 1_500.0, 100 / 365) == pytest.approx(3.3927, abs=5e-5)
    assert annual_growth_frac(1.0, 1e9, 1e-4) is None
    assert annual_growth_frac(100.0, -1.0, 1.0) is None


def test_trades_equal_the_published_vector() -> None:
    found = trade_statistics(trades_of(FREQTRADE))
    assert found.net.value == pytest.approx(2.6071429, abs=5e-8)
    assert found.net.low == pytest.approx(0.50, abs=0.005)
    assert found.net.high == pytest.approx(13.5, abs=0.05)
    assert found.net.win_frac == 0.625
    assert (found.average_win_quote, found.net_quote) == (146.0, 450.0)
    assert found.average_loss_quote == pytest.approx(-93.3333, abs=5e-5)
    assert found.sqn == pytest.approx(1.0623901, abs=5e-8)
    assert found.expectancy_r == pytest.approx(56.25 / 8.0)
    equity = 1_000.0 + np.cumsum(FREQTRADE)
    deepest = deepest_drawdown(days(9), np.concatenate([[1_000.0], equity]))
    assert deepest is not None and deepest.quote == 150.0
    assert deepest.frac == pytest.approx(0.111111, abs=1e-6)


@given(st.lists(amounts, min_size=1, max_size=40))
def test_profit_factor_win_rate_and_averages_are_those_of_exact_arithmetic(nets: list[float]) -> None:
    found = trade_statistics(trades_of(nets))
    exact = [Fraction(net) for net in nets]
    profit, loss = sum(x for x in exact if x > 0), -sum(x for x in exact if x < 0)
    wins = [x for x in exact if x > 0]
    if loss == 0:
        assert found.net.value == math.inf and found.average_loss_quote in (None, 0.0)
    else:
        assert found.net.value == pytest.approx(float(profit / loss), rel=1e-12)
    assert found.net.win_frac == float(Fraction(len(wins), len(exact)))
    assert found.average_win_quote == (pytest.approx(float(sum(wins) / len(wins))) if wins else None)
    assert found.net_quote == pytest.approx(float(sum(exact)), abs=1e-9)


@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=60))
def test_sharpe_and_sortino_are_those_of_the_standard_library(returns: list[float]) -> None:
    found = sharpe(np.array(returns))
    deviation = stdev(map(Fraction, returns))
    if found is None:
        assert deviation <= 1e-9
    else:
        assert found == pytest.approx(mean(returns) / deviation * 365**0.5, rel=1e-6, abs=1e-6)
    below = math.sqrt(math.fsum(min(value, 0.0) ** 2 for value in returns) / len(returns))
    found = sortino(np.array(returns))
    assert (found is None) == (below <= 1e-9 * max(map(abs, returns)))
    if found is not None:
        assert found == pytest.approx(mean(returns) / below * 365**0.5, rel=1e-6, abs=1e-6)


@given(st.lists(st.floats(1.0, 1_000.0), min_size=1, max_size=40))
def test_the_deepest_drawdown_is_the_worst_of_all_pairs(equity: list[float]) -> None:
    times = days(len(equity))
    found = deepest_drawdown(times, np.array(equity))
    pairs = [(a - b) / a for at, a in enumerate(equity) for b in equity[at:]]
    assert found is not None
    assert found.frac == pytest.approx(max(0.0, *pairs), abs=1e-12)
    peak = equity[int(np.searchsorted(times, found.from_ms))]
    bottom = equity[int(np.searchsorted(times, found.bottom_ms))]
    assert found.quote == peak - bottom
    assert found.from_ms <= found.bottom_ms <= found.until_ms
    later = [value for at, value in zip(times, equity, strict=True) if at > found.bottom_ms]
    assert found.over == (found.quote == 0.0 or any(value >= peak for value in later))
    assert drawdown_curve(np.array(equity)).max() == found.frac


def test_a_drawdown_that_goes_on_lasts_until_the_end_and_says_so() -> None:
    found = deepest_drawdown(days(6), np.array([100.0, 120.0, 90.0, 100.0, 119.0, 118.0]))
    assert found is not None
    assert (found.quote, found.frac, found.days, found.over) == (30.0, 0.25, 4.0, False)
    recovered = deepest_drawdown(days(5), np.array([120.0, 120.0, 90.0, 120.0, 119.0]))
    assert recovered is not None
    assert (recovered.days, recovered.over) == (2.0, True)


def test_days_are_marked_at_midnight_and_parts_of_days_left_out() -> None:
    times = FROM_MS + HOUR_MS * np.array([0, 12, 24, 30, 48, 60])
    equity = np.array([100.0, 500.0, 110.0, 700.0, 99.0, 900.0])
    found = daily_returns(times, equity, FROM_MS, FROM_MS + 60 * HOUR_MS)
    assert found == pytest.approx([0.1, -0.1])
    late = daily_returns(times[1:], equity[1:], FROM_MS + 12 * HOUR_MS, FROM_MS + 60 * HOUR_MS)
    assert late == pytest.approx([-0.1])


def test_a_day_without_marks_has_no_return_but_counts() -> None:
    found = daily_returns(days(1), np.array([100.0]), FROM_MS, FROM_MS + 3 * DAY_MS)
    assert found.tolist() == [0.0, 0.0, 0.0]
    assert sharpe(found) is None and sortino(found) is None


def test_months_multiply_to_the_whole_return() -> None:
    run = random_run(("A", "B"), 24 * 100)
    found = statistics_of(run).account
    assert [month for month, _ in found.months] == ["2023-01", "2023-02", "2023-03", "2023-04"]
    assert math.prod(1.0 + part for _, part in found.months) == pytest.approx(1.0 + found.return_frac)
    assert monthly_returns(days(0), np.empty(0), FROM_MS) == ()


def test_a_curve_of_steps_is_weighted_by_time() -> None:
    times = FROM_MS + HOUR_MS * np.array([0, 1, 4])
    assert time_weighted(times, np.array([1.0, 0.0, 1.0]), FROM_MS + 5 * HOUR_MS) == pytest.approx(0.4)
    assert time_weighted(times[:0], np.empty(0), FROM_MS) is None


def test_a_run_without_trades_has_unknown_factors_and_no_ratios() -> None:
    found = statistics_of(empty_run())
    assert (found.whole.net.value, found.whole.expectancy_r, found.whole.sqn) == (None, None, None)
    account = found.account
    assert (account.sharpe, account.sortino, account.calmar) == (None, None, None)
    assert (account.end_quote, account.return_frac, account.exposure_frac) == (START_QUOTE, 0.0, 0.0)
    assert account.drawdown is not None and account.drawdown.frac == 0.0
    assert list(found.per_regime) == ["trend_up", "trend_down", "high_vol", "chop"]


def test_a_run_shorter_than_two_days_has_no_yearly_numbers() -> None:
    run = random_run(("A",), 40)
    account = statistics_of(run).account
    assert (account.growth_frac, account.calmar, account.sharpe) == (None, None, None)
    assert statistics_of(random_run(("A",), 24 * 20)).account.sharpe is not None


def test_groups_add_up_to_the_whole() -> None:
    run = random_run(("A", "B", "C"), 2_000)
    found = statistics_of(run)
    assert found.whole.trades > 30
    for groups in (found.per_coin, found.per_card, found.per_regime):
        assert sum(group.trades for group in groups.values()) == found.whole.trades
        for name in ("net_quote", "fees_quote", "slippage_quote", "funding_quote", "before_costs_quote"):
            added = sum(getattr(group, name) for group in groups.values())
            assert added == pytest.approx(getattr(found.whole, name), abs=1e-6)
    account = found.account
    assert account.open_quote == pytest.approx(0.0, abs=1e-6)  # no position is open at the end
    assert account.end_quote == pytest.approx(START_QUOTE + found.whole.net_quote)


def test_costs_stand_between_the_result_before_them_and_the_net_result() -> None:
    found = trade_statistics([trade()])
    assert found.before_costs_quote == pytest.approx(11.0 + 0.1)
    assert found.gross.gross_profit_quote == 11.0


def test_ambiguous_trades_are_counted_and_the_other_order_has_its_own_factor() -> None:
    one = trade(net_quote=-8.0, r=-1.0, ambiguous=1, other_net_quote=10.0)
    found = trade_statistics([trade(), one, trade(net_quote=-5.0, r=-0.6, other_net_quote=-5.0)])
    assert (found.ambiguous, found.net.value, found.other.value) == (1, pytest.approx(10 / 13), 4.0)


def test_the_longest_losing_run_goes_by_exits_across_coins() -> None:
    run = empty_run(
        trades=(
            trade(exit_ms=FROM_MS + 40, net_quote=-1.0),
            trade(symbol="BTCUSDT", exit_ms=FROM_MS + 10, net_quote=-1.0),
            trade(exit_ms=FROM_MS + 30, net_quote=0.0),
            trade(symbol="BTCUSDT", exit_ms=FROM_MS + 20, net_quote=5.0),
        )
    )
    assert statistics_of(run).whole.losing_run == 2
    assert list(statistics_of(run).per_coin) == ["BTCUSDT", "ETHUSDT"]


def test_exposure_is_share_of_time_and_mean_notional_over_equity() -> None:
    times = FROM_MS + DAY_MS * np.arange(1, 11)
    held = np.array([0.0, 5_000.0, 5_000.0, 0, 0, 0, 0, 0, 0, 0])
    account = statistics_of(
        empty_run(times_ms=times, equity_quote=np.full(10, START_QUOTE), notional_quote=held)
    ).account
    assert account.exposure_frac == pytest.approx(0.2)
    assert account.notional_frac == pytest.approx(0.1)
    coin = random_run(("A",), 500).coins[0]
    run = empty_run(coins=(coin, replace(coin, symbol="B", side=coin.side[:0])))
    assert statistics_of(run).exposure_per_coin == {"A": np.count_nonzero(coin.side) / 500, "B": None}


def test_gates_are_counted_over_coins_the_most_blocking_first() -> None:
    coin = random_run(("A",), 30).coins[0]
    first = replace(
        coin, wanted=7, blocked={"spread": 2, "warm": 5}, failed={"spread": 2, "warm": 9, "listed": 0}
    )
    second = replace(coin, symbol="B", wanted=1, blocked={"spread": 4}, failed={"spread": 4})
    found = statistics_of(empty_run(coins=(first, second)))
    assert found.wanted == 8
    assert [(count.gate, count.blocked, count.failed) for count in found.gates] == [
        ("spread", 6, 6),
        ("warm", 5, 9),
    ]
    assert found.gates[0].blocked_per_coin == {"A": 2, "B": 4}


@given(st.permutations(range(8)))
def test_the_order_in_which_trades_are_listed_changes_nothing(order: list[int]) -> None:
    trades = trades_of(FREQTRADE)
    shuffled = empty_run(trades=tuple(trades[at] for at in order))
    assert statistics_of(shuffled) == statistics_of(empty_run(trades=trades))
