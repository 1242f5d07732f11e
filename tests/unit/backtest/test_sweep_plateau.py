"""Neighbours of a trial: one step on a grid, the nearest elsewhere."""

from typing import Any

import pytest

from engine_alpha.backtest.sweep import Trial
from engine_alpha.backtest.sweeping.outcome import Outcome
from engine_alpha.backtest.sweeping.plateau import NEAREST, Plateau, neighbours_of, plateau_of
from engine_alpha.backtest.sweeping.space import Axis
from engine_alpha.kernel.profit_factor import profit_factor


def choices(*values: Any) -> Axis:
    return Axis(text="", document="a", path=("key",), choices=values)


def span(low: float, high: float, log: bool = False) -> Axis:
    return Axis(text="", document="a", path=("key",), low=low, high=high, log=log)


def a_trial(place: int, *values: Any, factor: float | None = 1.0) -> Trial:
    if factor is None:
        return Trial(place=place, values=values, score=0.0, outcome=None, fault="failed")
    found = Outcome(
        factor=profit_factor([factor, -1.0]),
        per_coin={},
        sharpe=None,
        max_drawdown_frac=0.0,
        daily=None,
        trades_sha256="",
    )
    return Trial(place=place, values=values, score=factor, outcome=found, fault=None)


GRID = [choices(4, 6, 9), choices(0.3, 0.5, 0.7)]
TRIALS = [
    a_trial(place, stop, entry, factor=1.0 + place / 10)
    for place, (stop, entry) in enumerate((stop, entry) for stop in (4, 6, 9) for entry in (0.3, 0.5, 0.7))
]


@pytest.mark.parametrize(
    ("values", "around"),
    [
        ((6, 0.5), {(4, 0.5), (9, 0.5), (6, 0.3), (6, 0.7)}),
        ((4, 0.3), {(6, 0.3), (4, 0.5)}),
        ((9, 0.5), {(6, 0.5), (9, 0.3), (9, 0.7)}),
    ],
)
def test_on_a_grid_neighbours_are_one_step_along_one_axis(
    values: tuple[Any, ...], around: set[tuple[Any, ...]]
) -> None:
    (trial,) = (each for each in TRIALS if each.values == values)
    assert {each.values for each in neighbours_of(trial, TRIALS, GRID)} == around


def test_words_have_no_neighbours_but_their_own_kind() -> None:
    axes = [choices(4, 6), choices("long", "short")]
    trials = [
        a_trial(place, *values) for place, values in enumerate([(4, "long"), (6, "long"), (4, "short")])
    ]
    assert neighbours_of(trials[0], trials, axes) == [trials[1]]


def test_without_steps_the_nearest_are_neighbours_measured_by_each_axis_length() -> None:
    axes = [span(0.0, 100.0), span(0.0, 1.0)]
    trials = [a_trial(0, 50.0, 0.5)] + [a_trial(1 + place, 50.0 + 5 * place, 0.5) for place in range(1, 10)]
    trials.append(a_trial(99, 50.0, 0.9))
    found = neighbours_of(trials[0], trials, axes)
    assert [each.values[0] for each in found] == [55.0, 60.0, 65.0, 70.0, 75.0, 80.0]
    assert len(found) == NEAREST


def test_a_logarithmic_span_is_measured_in_its_logarithm() -> None:
    trials = [a_trial(0, 0.1), a_trial(1, 0.01), a_trial(2, 0.9)]
    axes = [span(0.001, 1.0, log=True)]
    assert [each.place for each in neighbours_of(trials[0], trials, axes)] == [2, 1]


def test_a_plateau_sums_up_the_neighbours_that_have_a_factor() -> None:
    (middle,) = (each for each in TRIALS if each.values == (6, 0.5))
    found = plateau_of(middle, TRIALS, GRID)
    assert (found.neighbours, found.least_factor) == (4, pytest.approx(1.1))
    assert found.median_factor == pytest.approx((1.3 + 1.5) / 2)
    failed = [each if each.values != (4, 0.5) else a_trial(1, 4, 0.5, factor=None) for each in TRIALS]
    assert plateau_of(middle, failed, GRID).neighbours == 3


def test_a_lonely_trial_has_no_plateau() -> None:
    lonely = a_trial(0, 6, 0.5)
    assert plateau_of(lonely, [lonely], GRID) == Plateau(neighbours=0, median_factor=None, least_factor=None)
