"""One fingerprint of parsed configuration, whatever its text looked like."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel

_PLAIN = frozenset({str, bool, int, float, type(None)})


def hash_config(parts: Mapping[str, Any]) -> str:
    """Return the sha256 (hex) of named values: models, dataclasses, named tuples, numbers, text.

    Give what applies to one asset: what concerns another asset must not change it. Key order, spacing and
    comments of the files do not count; 3 and 3.0 are the same where a field casts them.
    """
    text = json.dumps(
        _plain(parts), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: _plain(inner) for name, inner in zip(value._fields, value, strict=True)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"no fingerprint for {type(value).__name__}")
