"""Kernel functions in both forms: as plain Python, and compiled by the means of `engine_alpha.backtest`.

A value has two forms as well: what is a list of values in the plain one is an array of records in the other.
"""

import importlib
import inspect
import pkgutil
import random
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import FrameType
from typing import Any, get_type_hints

import numpy as np

import engine_alpha.kernel as kernel_package
from engine_alpha.backtest.compiling import PLAIN, compiled
from engine_alpha.backtest.words import records_of
from engine_alpha.kernel.values import Card, Condition, Tally, Tier

NEVER_COMPILED = {"signals.readable": "it makes the columns that the plain form reads"}
ROWS = ("row", "before", "trend", "volatility", "column", "weights")
LISTS = {"tiers": Tier, "cards": Card, "conditions": Condition, "tallies": Tally}
RECORDS = (Card, Condition)
"""What the compiled road never holds but as a record of an array."""


@cache
def kernel_functions() -> dict[str, Callable[..., Any]]:
    """Return every function of the kernel that the compiled road may call, by module and name."""
    found = {}
    for info in pkgutil.iter_modules(kernel_package.__path__):
        if info.name in PLAIN:
            continue
        module = importlib.import_module(f"engine_alpha.kernel.{info.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and f"{info.name}.{name}" not in NEVER_COMPILED:
                found[f"{info.name}.{name}"] = function
    return found


@cache
def compiled_form(name: str) -> Callable[..., Any]:
    """Return a kernel function compiled, from the cache that backtests use; it takes arrays for lists."""
    form: Callable[..., Any] = compiled(kernel_functions()[name])
    return form


@cache
def kinds_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of a function's arguments, in order."""
    hints = get_type_hints(function)
    return {name: hints[name] for name in inspect.signature(function).parameters}


def as_arrays(value: Any, name: str = "") -> Any:
    """Return a plain value as the compiled form takes it; `name` is its field or argument."""
    if isinstance(value, memoryview):
        return np.array(value)
    if name in ROWS:
        return np.array(value, dtype=np.float64)
    if name in LISTS:
        return records_of(value, LISTS[name])
    if name == "calibration":
        return np.array(value, dtype=np.float64).reshape(-1, 2)
    if name == "minutes":
        return np.array(value, dtype=np.float64).reshape(-1, 4)
    if isinstance(value, RECORDS):
        return records_of([value], type(value))[0]
    if hasattr(value, "_fields"):
        return type(value)(
            *(as_arrays(part, field) for field, part in zip(value._fields, value, strict=True))
        )
    return value


def outcome(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """Return what a call gives; for one that divides by zero, its name: both forms must do the same."""
    try:
        return function(*arguments)
    except ZeroDivisionError:
        return "divides by zero"


def outcomes(name: str, arguments: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return what a function gives in its plain and in its compiled form."""
    arrays = [as_arrays(value, argument) for argument, value in arguments.items()]
    plain = outcome(kernel_functions()[name], list(arguments.values()))
    return plain, outcome(compiled_form(name), arrays)


def difference(plain: Any, other: Any) -> str | None:
    """Return where two results differ first, None if nowhere: floats by their bits, all NaN alike."""
    ours, theirs = list(numbers_of(plain)), list(numbers_of(other))
    if len(ours) != len(theirs):
        return f"{len(ours)} numbers plain, {len(theirs)} compiled: {plain!r} and {other!r}"
    for (place, one), (_, two) in zip(ours, theirs, strict=True):
        if bits(one) != bits(two):
            return f"{place or 'result'}: plain {one!r}, compiled {two!r}"
    return None


def numbers_of(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and value of every number in a result, in order."""
    if isinstance(value, np.ndarray | memoryview):
        value = value.tolist()
    if isinstance(value, tuple | list):
        names = getattr(value, "_fields", range(len(value)))
        for name, part in zip(names, value, strict=True):
            yield from numbers_of(part, f"{path}.{name}")
    else:
        yield path, value


def bits(value: Any) -> tuple[type, Any]:
    """Return what must be equal of two numbers: their kind and bits."""
    if isinstance(value, float):
        return float, struct.pack("<d", float("nan") if value != value else value)
    return type(value), value


class Recorder:
    """Keeps arguments of the kernel functions called while it is on: a sample of each one's calls."""

    def __init__(self, most: int = 60, seed: int = 1) -> None:
        self.calls: dict[str, list[dict[str, Any]]] = {}
        self._most = most
        self._counts: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._names = {function.__code__: name for name, function in kernel_functions().items()}

    def __enter__(self) -> "Recorder":
        sys.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or frame.f_code not in self._names:
            return
        name = self._names[frame.f_code]
        self._counts[name] += 1
        kept = self.calls.setdefault(name, [])
        place = len(kept) if len(kept) < self._most else self._random.randrange(self._counts[name])
        if place < self._most:
            arguments = frame.f_locals
            found = {each: frozen(arguments[each]) for each in kinds_of(kernel_functions()[name])}
            kept[place : place + 1] = [found]


def frozen(value: Any) -> Any:
    """Return a value that nobody changes any more: tallies are entered into their list after each bar."""
    if isinstance(value, list):
        return tuple(value)
    if hasattr(value, "_fields"):
        return type(value)(*map(frozen, value))
    return value
