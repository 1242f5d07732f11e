"""Kernel values as JSON text and as bytes for digests, both exact."""

import json
import struct
from collections.abc import Iterable
from typing import Any

NAN_BYTES = struct.pack("<Q", 0x7FF8_0000_0000_0000)


def to_text(value: Any) -> str:
    """Return canonical JSON: sorted keys, no spaces, NaN as null, infinities as "inf" and "-inf".

    Floats are written so that they read back to the same bits; NamedTuples become arrays.
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    except ValueError:
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        if value != value:
            return None
        return value if abs(value) != float("inf") else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


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
    out = bytearray()
    _pack_into(out, items)
    return bytes(out)


def _pack_into(out: bytearray, items: Iterable[Any]) -> None:
    for item in items:
        if isinstance(item, list | tuple):
            _pack_into(out, item)
        elif isinstance(item, int):
            out += item.to_bytes(8, "little", signed=True)
        elif item is None:
            out += NAN_BYTES
        else:
            value = float(item)
            out += struct.pack("<d", value) if value == value else NAN_BYTES
