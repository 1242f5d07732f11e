"""Profit factor: published numbers, hand-made lists, and what is unknown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.profit_factor import profit_factor

FREQTRADES_TRADES = [100.0, 200.0, 50.0, -150.0, 300.0, -100.0, 80.0, -30.0]
RESULTS = st.lists(st.integers(min_value=-100_000, max_value=100_000).map(float), min_size=1, max_size=60)


def test_the_published_example() -> None:
    seen = profit_factor(FREQTRADES_TRADES)
    assert seen.value == pytest.approx(2.6071429, abs=1e-7)
    assert (seen.trades, seen.win_frac) == (8, 0.625)
    assert seen.low == pytest.approx(0.50, abs=0.005)
    assert seen.high == pytest.approx(13.5, abs=0.05)
    assert (seen.gross_profit_quote, seen.gross_loss_quote) == (730.0, 280.0)


def test_no_trades_is_unknown() -> None:
    seen = profit_factor([])
    assert (seen.value, seen.trades, seen.low, seen.high, seen.win_frac) == (None, 0, None, None, None)


def test_no_losses_is_infinite_without_an_interval() -> None:
    seen = profit_factor([5.0, 3.0])
    assert (seen.value, seen.low, seen.high, seen.gross_profit_quote) == (float("inf"), None, None, 8.0)


def test_no_profits_is_zero_without_an_interval() -> None:
    seen = profit_factor([-5.0, -3.0])
    assert (seen.value, seen.low, seen.high, seen.gross_loss_quote) == (0.0, None, None, 8.0)


def test_a_trade_that_made_nothing_counts_as_a_trade() -> None:
    seen = profit_factor([2.0, 0.0, -1.0])
    assert (seen.value, seen.trades) == (2.0, 3)
    assert seen.win_frac == pytest.approx(1 / 3)


def test_equal_wins_and_losses_have_the_textbook_error() -> None:
    seen = profit_factor([1.0, -1.0] * 50)  # SE of ln PF = 2 / sqrt(100)
    assert seen.value == 1.0
    assert seen.high == pytest.approx(2.718281828459045 ** (1.959963984540054 * 0.2))


@given(RESULTS)
def test_it_exceeds_one_exactly_when_the_sum_is_positive(results: list[float]) -> None:
    value = profit_factor(results).value
    profit, loss = sum(x for x in results if x > 0), sum(-x for x in results if x < 0)
    assert value is not None
    assert (value > 1.0) == (profit > loss or loss == 0.0)


@given(RESULTS)
def test_the_interval_holds_the_value(results: list[float]) -> None:
    seen = profit_factor(results)
    if seen.low is not None and seen.high is not None and seen.value is not None:
        assert seen.low <= seen.value <= seen.high


@given(RESULTS, st.floats(min_value=0.01, max_value=100.0))
def test_the_currency_does_not_matter(results: list[float], scale: float) -> None:
    one, other = profit_factor(results).value, profit_factor([x * scale for x in results]).value
    assert one is not None and other is not None
    assert other == pytest.approx(one, rel=1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=60), st.integers(-1_050, 1_000))
def test_a_currency_worth_next_to_nothing_or_everything_has_an_interval_too(
    results: list[float], power: int
) -> None:
    plain = [round(x * 1_024.0) / 1_024.0 for x in results]
    one, other = profit_factor(plain), profit_factor([math.ldexp(x, power) for x in plain])
    assert (one.value, one.trades, one.win_frac) == (other.value, other.trades, other.win_frac)
    assert other.low == (None if one.low is None else pytest.approx(one.low, rel=1e-12))
    assert other.high == (None if one.high is None else pytest.approx(one.high, rel=1e-12))


@pytest.mark.parametrize("unit", [5e-324, 1e-180, 1e-170, 1e-160, 1e155, 1e160, 1e300])
def test_results_whose_squares_are_no_numbers_are_counted_all_the_same(unit: float) -> None:
    seen = profit_factor([3.0 * unit, -unit, 2.0 * unit, -unit])
    wanted = profit_factor([3.0, -1.0, 2.0, -1.0])
    assert seen.value == pytest.approx(2.5) and seen.win_frac == 0.5
    assert seen.low == pytest.approx(wanted.low) and seen.high == pytest.approx(wanted.high)


@pytest.mark.parametrize("results", [[1e200, -1e-200], [1e-200, -1e200], [1e-180, -1.0, 2.0], [1e-180, -1.0]])
def test_profit_and_loss_of_unlike_size_are_no_trouble(results: list[float]) -> None:
    seen = profit_factor(results)
    assert seen.low is not None and seen.high is not None and seen.value is not None
    assert seen.low <= seen.value <= seen.high


@given(RESULTS)
def test_ordinary_results_give_the_formulas_very_bits(results: list[float]) -> None:
    seen = profit_factor(results)
    if seen.value is None or seen.low is None or seen.high is None:
        return
    wins, losses = ([x for x in results if x > 0.0], [-x for x in results if x < 0.0])
    deviation = (
        sum(x * x for x in wins) / sum(wins) ** 2 + sum(x * x for x in losses) / sum(losses) ** 2
    ) ** 0.5
    spread = 2.718281828459045 ** (1.959963984540054 * deviation)
    assert (seen.low, seen.high) == (seen.value / spread, seen.value * spread)
