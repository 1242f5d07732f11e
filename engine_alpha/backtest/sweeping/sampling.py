"""Which values a sweep tries, in which order: all of a grid, seeded random ones, or Optuna's choice.

A sampler gives batches and is told their scores before it gives the next; batches do not depend on how many
threads work on them, so a sweep with the same seed tries the same values again.
"""

import math
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice, product
from typing import Any, Final, Protocol

import numpy as np

from engine_alpha.backtest.sweeping.space import Axis, Values
from engine_alpha.errors import ConfigError

BATCH: Final = 256
GUIDED_BATCH: Final = 8  # small: what is not told yet can't guide
MOST_SETS: Final = 100_000

_DIGITS: Final = 6  # of a sampled number: it has to be typed again
_DRAWS: Final = 100  # in vain, before a space counts as used up
_WORST: Final = -1e300


class Sampler(Protocol):
    """Gives values to try. `total` is how many it will give at most."""

    total: int

    def batch(self) -> list[Values]:
        """Return the next values to try; nothing at the end."""
        ...

    def tell(self, batch: Sequence[Values], scores: Sequence[float]) -> None:
        """Take the scores of the batch given last, in its order; minus infinity is undefined."""
        ...


class GridSampler:
    """Every combination of the choices, the last axis moving fastest."""

    def __init__(self, axes: Sequence[Axis], most: int = MOST_SETS) -> None:
        """Raise `ConfigError` for a span, which has no end of values, and for more than `most` sets."""
        for axis in axes:
            if not axis.choices:
                raise ConfigError(
                    f"--vary {axis.text}: a grid needs a step, for example {axis.text}:{_a_step(axis)}; "
                    "or try --random N"
                )
        self.total = grid_size(axes)
        if self.total > most:
            raise ConfigError(
                f"{self.total:,} sets of parameters are more than {most:,}; take wider steps, --random N, or "
                f"ask for it: --most {self.total}"
            )
        self._sets = product(*(axis.choices for axis in axes))

    def batch(self) -> list[Values]:
        """Return the next values to try; nothing at the end."""
        return list(islice(self._sets, BATCH))

    def tell(self, batch: Sequence[Values], scores: Sequence[float]) -> None:
        """Do nothing: a grid is not guided."""


class RandomSampler:
    """Seeded random values, no set twice; fewer than asked for where the space holds no more."""

    def __init__(self, axes: Sequence[Axis], count: int, seed: int) -> None:
        _require_count(count, "--random")
        self.total = count
        self._axes = axes
        self._random = np.random.default_rng(seed)
        self._given: set[str] = set()  # as text: a value may be a list

    def batch(self) -> list[Values]:
        """Return the next values to try; nothing at the end."""
        return list(islice(self._fresh(), min(BATCH, self.total - len(self._given))))

    def tell(self, batch: Sequence[Values], scores: Sequence[float]) -> None:
        """Do nothing: chance is not guided."""

    def _fresh(self) -> Iterator[Values]:
        in_vain = 0
        while in_vain < _DRAWS:
            values = tuple(self._draw(axis) for axis in self._axes)
            if repr(values) in self._given:
                in_vain += 1
                continue
            in_vain = 0
            self._given.add(repr(values))
            yield values

    def _draw(self, axis: Axis) -> Any:
        if axis.choices:
            return axis.choices[int(self._random.integers(len(axis.choices)))]
        share = float(self._random.random())
        if axis.log:
            low, high = math.log(axis.low), math.log(axis.high)
            return _rounded(axis, math.exp(low + share * (high - low)))
        if axis.whole:
            return int(axis.low) + int(share * (int(axis.high) - int(axis.low) + 1))
        return _rounded(axis, axis.low + share * (axis.high - axis.low))


class OptunaSampler:
    """Optuna's TPE, seeded: asked for batches of fixed size and told in their order."""

    def __init__(self, axes: Sequence[Axis], count: int, seed: int) -> None:
        """Raise `ConfigError` where Optuna is not installed."""
        _require_count(count, "--optuna")
        self.total = count
        self._axes = axes
        self._optuna = _imported()
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._study = self._optuna.create_study(
            direction="maximize", sampler=self._optuna.samplers.TPESampler(seed=seed)
        )
        self._ranges = {axis.key: self._range(axis) for axis in axes}
        self._asked: list[Any] = []
        self._given = 0

    def batch(self) -> list[Values]:
        """Return the next values to try; nothing at the end."""
        count = min(GUIDED_BATCH, self.total - self._given)
        self._given += count
        self._asked = [self._study.ask(fixed_distributions=self._ranges) for _ in range(count)]
        return [tuple(_chosen(axis, trial.params[axis.key]) for axis in self._axes) for trial in self._asked]

    def tell(self, batch: Sequence[Values], scores: Sequence[float]) -> None:
        """Let the scores guide what comes next."""
        for trial, score in zip(self._asked, scores, strict=True):
            self._study.tell(trial, max(score, _WORST) if score < math.inf else -_WORST)

    def _range(self, axis: Axis) -> Any:
        """Return how Optuna sees the axis: choices by their place, in order where they have one."""
        kinds = self._optuna.distributions
        if axis.choices:
            last = len(axis.choices) - 1
            return (
                kinds.IntDistribution(0, last)
                if axis.ordered
                else kinds.CategoricalDistribution(list(range(last + 1)))
            )
        if axis.whole:
            return kinds.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
        return kinds.FloatDistribution(float(axis.low), float(axis.high), log=axis.log)


def grid_size(axes: Sequence[Axis]) -> int:
    """Return how many sets a grid over these axes has."""
    return math.prod(len(axis.choices) for axis in axes)


def _imported() -> Any:
    """Import Optuna: found by name, as it is large and only this needs it."""
    try:
        return import_module("optuna")
    except ImportError:
        raise ConfigError(
            "--optuna needs Optuna: install the extra, pip install 'chloe[research]', or take --random N"
        ) from None


def _chosen(axis: Axis, value: Any) -> Any:
    if axis.choices:
        return axis.choices[value]
    return value if axis.whole else _rounded(axis, value)


def _rounded(axis: Axis, value: float) -> Any:
    if axis.whole:
        return min(max(round(value), int(axis.low)), int(axis.high))
    return min(max(float(f"{value:.{_DIGITS}g}"), float(axis.low)), float(axis.high))


def _require_count(count: int, option: str) -> None:
    if not 1 <= count <= MOST_SETS:
        raise ConfigError(f"{option} {count}: give a number of sets between 1 and {MOST_SETS:,}")


def _a_step(axis: Axis) -> str:
    return f"{(axis.high - axis.low) / 4:.4g}"
