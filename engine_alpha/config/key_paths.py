"""Keys of a configuration file by their path, as people write it: exits.stop.range, entry[0].at_least."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from engine_alpha.config.checking import Problem, check
from engine_alpha.config.reading import KeyPath

DESCRIPTIONS: Final = ("name", "rationale", "source")  # of a card: they say what it is, not what it does
PATH: Final = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*"

_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed configuration file and the model that judges it."""

    name: str
    model: type[BaseModel]
    fields: Mapping[str, Any]

    def problems(self, changes: Sequence[tuple[KeyPath, Any]]) -> tuple[Problem, ...]:
        """Return what is wrong with the document after these changes."""
        return check(self.model, self.changed(changes))[1]

    def changed(self, changes: Sequence[tuple[KeyPath, Any]]) -> dict[str, Any]:
        """Return the document's fields after these changes; `LookupError` for an item that is not there."""
        fields: Any = self.fields
        for path, value in changes:
            fields = placed(fields, path, value)
        return dict(fields)


def key_path(text: str) -> KeyPath | None:
    """Return the path that a text writes down; None if it is none."""
    if re.fullmatch(PATH, text) is None:
        return None
    return tuple(int(place) if place else name for name, place in _STEP.findall(text))


def overlap(path: KeyPath, other: KeyPath) -> bool:
    """Say whether one of two paths leads through the other, or both to the same value."""
    shorter = min(len(path), len(other))
    return path[:shorter] == other[:shorter]


def placed(value: Any, path: KeyPath, leaf: Any) -> Any:
    """Return a copy of `value` with `leaf` at `path`; objects that are not there are made, list items not."""
    if not path:
        return leaf
    key, rest = path[0], path[1:]
    if isinstance(key, int):
        items = list(value) if isinstance(value, list | tuple) else []
        if key >= len(items):
            there = f"[0] to [{len(items) - 1}]" if items else "none"
            raise LookupError(f"there is no item [{key}] to vary; there is {there}")
        return [*items[:key], placed(items[key], rest, leaf), *items[key + 1 :]]
    fields = value if isinstance(value, Mapping) else {}
    return {**fields, key: placed(fields.get(key), rest, leaf)}
