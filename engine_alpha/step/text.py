"""Kernel values as JSON text and as bytes for digests, both exact."""

import json
import re
import struct
from collections.abc import Iterable
from typing import Any

_STRING_OR_UNREAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_REAL = {"NaN": "null", "Infinity": '"inf"', "-Infinity": '"-inf"'}
_NAN = float("nan")


def to_text(value: Any) -> str:
    """Return canonical JSON: sorted keys, no spaces, NaN as null, infinities as "inf" and "-inf".

    Floats are written so that they read back to the same bits; NamedTuples become arrays.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if "NaN" in text or "Infinity" in text:
        return _STRING_OR_UNREAL.sub(_real, text)
    return text


def _real(found: re.Match[str]) -> str:
    return _REAL.get(found.group(), found.group())


def writable(text: str) -> str:
    """Return the text as it can be stored and printed: a venue or a file may send half a letter."""
    return text.encode("utf-8", "replace").decode()


def to_number(item: Any) -> Any:
    """Return a number as the kernel has it: null is NaN, "inf" infinity."""
    if item is None:
        return float("nan")
    if isinstance(item, str):
        return float(item)
    return item


def build(kind: Any, items: Any) -> Any:
    """Return the NamedTuple `kind` from its JSON array; nested NamedTuples by their annotations."""
    nested = _nested_kinds(kind)
    return kind(*(build(nested[i], item) if i in nested else to_number(item) for i, item in enumerate(items)))


_NESTED: dict[Any, dict[int, Any]] = {}


def _nested_kinds(kind: Any) -> dict[int, Any]:
    if kind not in _NESTED:
        hints = kind.__annotations__.values()
        _NESTED[kind] = {i: hint for i, hint in enumerate(hints) if hasattr(hint, "_fields")}
    return _NESTED[kind]


def named(kind: Any, items: Any) -> dict[str, Any]:
    """Return a JSON array of `kind` as a dictionary with field names, nested ones likewise."""
    nested = _nested_kinds(kind)
    return {
        name: named(nested[i], items[i]) if i in nested else items[i] for i, name in enumerate(kind._fields)
    }


def pack(items: Iterable[Any]) -> bytes:
    """Return the numbers of a nested array little-endian in order: int64, float64; null is one NaN."""
    flat: list[Any] = []
    _flatten(items, flat)
    kinds = "".join(["q" if type(item) is int else "d" for item in flat])
    return struct.pack("<" + kinds, *flat)


def _flatten(items: Iterable[Any], flat: list[Any]) -> None:
    for item in items:
        if isinstance(item, list | tuple):
            _flatten(item, flat)
        elif item is None or item != item:
            flat.append(_NAN)
        else:
            flat.append(float(item) if isinstance(item, str) else item)
