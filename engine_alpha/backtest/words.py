"""Kernel values as rows of 64-bit words: what one compiled run keeps and hands out.

A row holds a value's fields in their declared order, nested values inline: int64 as they are, float64 as
their bits. That is the order `step.text.pack` writes, so a row of words is what a digest hashes. The
functions that load and store a kind are generated from its annotations: a new field needs no change here.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, get_args, get_type_hints

import numpy as np
from numba.extending import register_jitable

from engine_alpha.kernel import values
from engine_alpha.kernel.gates import AccountGates, OwnGates
from engine_alpha.kernel.values import Decision

SHAPES: dict[tuple[Any, str], Any] = {(Decision, "gates"): OwnGates, (Decision, "allocation"): AccountGates}
"""What an annotation leaves open."""
NAN = float("nan")
"""The one that is hashed: the processor makes others, with a sign."""


def fields_of(kind: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and type of each field: int, float, a nested kind, or Any for lists, which take no words.

    Tuples of values come one by one, as [0], [1] ...
    """
    for name, hint in get_type_hints(kind).items():
        shape = SHAPES.get((kind, name), hint)
        parts = get_args(shape)
        if parts:
            yield from ((f".{name}[{place}]", part) for place, part in enumerate(parts))
        else:
            yield f".{name}", shape


def leaves_of(kind: Any, path: str = "") -> Iterator[tuple[str, type]]:
    """Yield the path and type of every number in a value, in order."""
    for name, shape in fields_of(kind):
        if shape in (int, float):
            yield path + name, shape
        elif shape is not Any:
            yield from leaves_of(shape, path + name)


@cache
def width_of(kind: Any) -> int:
    """Return how many words a value takes."""
    return sum(1 for _ in leaves_of(kind))


@cache
def dtype_of(kind: Any) -> np.dtype[Any]:
    """Return the record type of a flat kind, one field a word."""
    return np.dtype([(path[1:], np.int64 if shape is int else np.float64) for path, shape in leaves_of(kind)])


def records_of(items: Any, kind: Any) -> np.ndarray[Any, Any]:
    """Return flat values as an array of records, readable by the same attribute names."""
    return np.array([tuple(item) for item in items], dtype=dtype_of(kind))


def load_function(kind: Any) -> Callable[..., Any]:
    """Return the compilable `load(ints, floats, row, at, *lists)`: the value at words `at`... of a row.

    A field that takes no words is handed in by its place.
    """
    lists = [name[1:] for name, shape in fields_of(kind) if shape is Any]
    text, _ = _constructor(kind, 0)
    head = ", ".join(["ints", "floats", "row", "at", *lists])
    return _made(f"def load({head}):\n    return {text}\n", "load")


def store_function(kind: Any, hashed: bool = False) -> Callable[..., Any]:
    """Return the compilable `store(ints, floats, row, at, value)`; what is `hashed` has but one NaN."""
    lines = ["def store(ints, floats, row, at, value):"]
    for place, (path, shape) in enumerate(leaves_of(kind)):
        view = "ints" if shape is int else "floats"
        other = f" if value{path} == value{path} else NAN" if hashed and shape is float else ""
        lines.append(f"    {view}[row, at + {place}] = value{path}{other}")
    return _made("\n".join(lines) + "\n", "store")


def load_record_function(kind: Any) -> Callable[..., Any]:
    """Return the compilable `load(record)`: a flat value from one record of an array."""
    arguments = ", ".join(f"record{path}" for path, _ in leaves_of(kind))
    return _made(f"def load(record):\n    return {kind.__name__}({arguments})\n", "load")


def store_record_function(kind: Any) -> Callable[..., Any]:
    """Return the compilable `store(record, value)`."""
    lines = [f"    record{path} = value{path}" for path, _ in leaves_of(kind)]
    return _made("def store(record, value):\n" + "\n".join(lines) + "\n", "store")


def _constructor(kind: Any, place: int) -> tuple[str, int]:
    arguments: list[str] = []
    for name, shape in fields_of(kind):
        if shape is Any:
            arguments.append(name[1:])
        elif shape in (int, float):
            arguments.append(f"{'ints' if shape is int else 'floats'}[row, at + {place}]")
            place += 1
        else:
            text, place = _constructor(shape, place)
            arguments.append(text)
    return f"{kind.__name__}({', '.join(arguments)})", place


def _made(source: str, name: str) -> Callable[..., Any]:
    names: dict[str, Any] = {**vars(values), "NAN": NAN}
    exec(compile(source, f"<words {name}>", "exec"), names)
    made: Callable[..., Any] = register_jitable(names[name])
    return made
