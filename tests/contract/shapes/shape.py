"""Compare a reply with the documentation: the same names, each with the documented JSON type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEXT, NUMBER, FLAG, NULL = "text", "number", "flag", "null"
Kind = Any
"""One of the words above, a dict of names to kinds for an object, a list of one kind for an array.

A name that ends in "?" may be absent: the page says that it comes for some orders or accounts only.
"""


@dataclass(frozen=True, slots=True)
class Documented:
    """One reply: the title of the page that describes it, and its kind."""

    page: str
    kind: Kind


def differences(kind: Kind, told: Any, at: str = "reply") -> list[str]:
    """Return in words where `told` departs from the documented kind; nothing for a reply that keeps to it."""
    if isinstance(kind, dict):
        return _object_differences(kind, told, at) if isinstance(told, dict) else [f"{at} is no object"]
    if isinstance(kind, list):
        if not isinstance(told, list):
            return [f"{at} is no array"]
        return [text for i, each in enumerate(told) for text in differences(kind[0], each, f"{at}[{i}]")]
    return [] if json_word(told) == kind else [f"{at} is {json_word(told)}, documented as {kind}"]


def _object_differences(kind: Mapping[str, Kind], told: Mapping[str, Any], at: str) -> list[str]:
    names = {name.rstrip("?"): each for name, each in kind.items()}
    needed = {name for name in kind if not name.endswith("?")}
    found = [f"{at}.{name} is not documented" for name in told if name not in names]
    found += [f"{at}.{name} is missing" for name in sorted(needed - set(told))]
    for name, each in told.items():
        if name in names:
            found += differences(names[name], each, f"{at}.{name}")
    return found


def json_word(told: Any) -> str:
    """Return the word for a JSON value's type."""
    if told is None:
        return NULL
    if isinstance(told, bool):
        return FLAG
    if isinstance(told, int | float):
        return NUMBER
    return TEXT if isinstance(told, str) else type(told).__name__
