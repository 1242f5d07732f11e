"""Write events out as lines of canonical JSON, the same bytes on every machine."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from engine_alpha.errors import BrokenPromise, JournalError
from engine_alpha.ports import Journal, StoredEvent

Transform = Callable[[Any], Any]
"""Make what is exported out of a parsed payload; None leaves the event out."""


def canonical(value: Any) -> str:
    """Return `value` as canonical JSON: sorted keys, no spaces, ASCII; NaN is a `BrokenPromise`."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as fault:
        raise BrokenPromise(f"this has no canonical JSON form: {fault}") from fault


def export(
    journal: Journal, kind: str | None = None, symbol: str | None = None, transform: Transform | None = None
) -> Iterator[str]:
    """Iterate over the transformed payloads as canonical lines (without line ends), oldest first.

    Sequence numbers, hashes and times of writing stay behind. Raises `JournalError` at a payload that
    is no JSON.
    """
    for stored in journal.events(kind, symbol):
        payload = _parsed(stored)
        exported = payload if transform is None else transform(payload)
        if exported is not None:
            yield canonical(exported)


def _parsed(stored: StoredEvent) -> Any:
    try:
        return json.loads(stored.event.payload, parse_constant=_refuse)
    except (TypeError, ValueError) as fault:
        raise JournalError(
            f"event {stored.seq} ({stored.event.kind} {stored.event.key}) holds no JSON ({fault}): "
            "run chloe journal check"
        ) from fault


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
