"""What the neighbours of a trial came to: a good place with bad neighbours is more likely luck."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from engine_alpha.backtest.sweep import Trial
from engine_alpha.backtest.sweeping.space import Axis, Values

NEAREST: Final = 6  # where values have no steps, so many of the nearest trials are the neighbours


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """Profit factors round a trial: `neighbours` of them have one; None where none has."""

    neighbours: int
    median_factor: float | None
    least_factor: float | None


def plateau_of(trial: Trial, trials: Sequence[Trial], axes: Sequence[Axis]) -> Plateau:
    """Return what lies round a trial: one step away on a grid, else the nearest trials."""
    around = [each for each in neighbours_of(trial, trials, axes) if each.outcome is not None]
    values = [each.outcome.factor.value for each in around if each.outcome is not None]
    factors = [value for value in values if value is not None]
    return Plateau(
        neighbours=len(factors),
        median_factor=median(factors) if factors else None,
        least_factor=min(factors, default=None),
    )


def neighbours_of(trial: Trial, trials: Sequence[Trial], axes: Sequence[Axis]) -> list[Trial]:
    """Return the trials one step away along one axis; where an axis has no steps, the nearest ones.

    Choices that are not numbers in order have no neighbours: they have to be equal.
    """
    others = [each for each in trials if each is not trial]
    if all(axis.choices for axis in axes):
        return [each for each in others if _one_step_apart(trial.values, each.values, axes)]
    apart = [(_distance(trial.values, each.values, axes), each.place, each) for each in others]
    return [each for far, _, each in sorted(apart, key=lambda one: one[:2])[:NEAREST] if far < math.inf]


def _one_step_apart(first: Values, second: Values, axes: Sequence[Axis]) -> bool:
    steps = []
    for axis, here, there in zip(axes, first, second, strict=True):
        apart = abs(axis.choices.index(here) - axis.choices.index(there))
        if apart and not axis.ordered:
            return False
        steps.append(apart)
    return sum(steps) == 1


def _distance(first: Values, second: Values, axes: Sequence[Axis]) -> float:
    return math.hypot(
        *(_apart(axis, here, there) for axis, here, there in zip(axes, first, second, strict=True))
    )


def _apart(axis: Axis, here: Any, there: Any) -> float:
    """Return how far apart two values are, the whole axis being 1."""
    if axis.choices:
        if here == there:
            return 0.0
        steps = abs(axis.choices.index(here) - axis.choices.index(there))
        return steps / (len(axis.choices) - 1) if axis.ordered else math.inf
    low, high, one, other = (
        math.log(each) if axis.log else float(each) for each in (axis.low, axis.high, here, there)
    )
    return abs(one - other) / (high - low)
