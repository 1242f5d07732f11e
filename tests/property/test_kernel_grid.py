"""Rounding to the grid agrees with exact decimals."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.grid import ceil_to, cost_frac, floor_to, steps_per_unit
from tests.makers import a_risk

STEPS = [
    "0.1",
    "0.01",
    "0.001",
    "0.0001",
    "0.00001",
    "0.000001",
    "1",
    "10",
    "100",
    "0.5",
    "0.05",
    "0.25",
    "0.0005",
    "3",
    "0.3",
]
MOST_STEPS = 1_000_000  # 100,000 USDT in ticks of 0.1


@st.composite
def values_on_a_decimal_lattice(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    """Draw a step and a value that lies on the grid or a thousandth of a step or more beside it."""
    step = Decimal(draw(st.sampled_from(STEPS)))
    thousandths = draw(st.integers(min_value=0, max_value=MOST_STEPS * 1_000))
    return step, step * thousandths / 1_000


def exact(value: Decimal, step: Decimal, rounding: str) -> float:
    return float((value / step).to_integral_value(rounding) * step)


@given(values_on_a_decimal_lattice())
def test_floor_and_ceil_agree_with_decimals_to_the_bit(case: tuple[Decimal, Decimal]) -> None:
    step, value = case
    unit = steps_per_unit(float(step))
    down, up = floor_to(float(value), float(step), unit), ceil_to(float(value), float(step), unit)
    if unit > 0.0 or step == int(step):
        assert (down, up) == (exact(value, step, ROUND_FLOOR), exact(value, step, ROUND_CEILING))
    else:  # 1 / 0.3 is not whole: the nearest double may be missed by its last bit
        assert down == pytest.approx(exact(value, step, ROUND_FLOOR), rel=1e-15)
        assert up == pytest.approx(exact(value, step, ROUND_CEILING), rel=1e-15)


@given(values_on_a_decimal_lattice())
def test_a_value_on_the_grid_stays(case: tuple[Decimal, Decimal]) -> None:
    step = float(case[0])
    unit = steps_per_unit(step)
    on_grid = floor_to(float(case[1]), step, unit)
    assert floor_to(on_grid, step, unit) == ceil_to(on_grid, step, unit) == on_grid


@given(st.floats(min_value=0.0, max_value=100_000.0), st.sampled_from(STEPS[:4]))
def test_rounding_moves_by_less_than_a_step_and_in_its_direction(value: float, text: str) -> None:
    step = float(text)
    nudge = step * 2e-9 + value * 1e-12
    unit = steps_per_unit(step)
    assert value - step - nudge < floor_to(value, step, unit) <= value + nudge
    assert value - nudge <= ceil_to(value, step, unit) < value + step + nudge


def test_three_tenths_are_three_steps_of_a_tenth() -> None:
    assert 0.3 / 0.1 < 3.0
    assert floor_to(0.3, 0.1, 10.0) == ceil_to(0.3, 0.1, 10.0) == 0.3


@pytest.mark.parametrize(
    ("step", "unit"),
    [(0.1, 10.0), (0.01, 100.0), (1e-8, 1e8), (1.0, 1.0), (0.25, 4.0), (0.3, 0.0), (10.0, 0.0), (0.0, 0.0)],
)
def test_steps_per_unit_are_whole_or_nothing(step: float, unit: float) -> None:
    assert steps_per_unit(step) == unit


def test_one_order_costs_slippage_and_half_the_spread() -> None:
    assert cost_frac(a_risk(slippage_bps=1.5, spread_bps=1.0)) == pytest.approx(0.0002)
