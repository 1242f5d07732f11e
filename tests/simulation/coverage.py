"""Which rows of the order table a run reaches."""

from engine_alpha.domain.orders import TRANSITIONS, transition
from engine_alpha.trading import ingest

_seen: set[tuple[str, str]] = set()


def _noted(status: str, happening: str) -> str:
    _seen.add((status, happening))
    return transition(status, happening)


def fresh() -> set[tuple[str, str]]:
    """Begin to note anew; return the set that fills."""
    _seen.clear()
    ingest.transition = _noted
    return _seen


def missing(seen: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the rows that were not reached, in the order of the table."""
    return [row for row in TRANSITIONS if row not in seen]
