"""Which rows of the order table a run reaches."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine_alpha.domain.orders import TRANSITIONS, transition
from engine_alpha.trading import ingest


@contextmanager
def noted() -> Iterator[set[tuple[str, str]]]:
    """Note every row that an order goes through; yield the set that fills."""
    seen: set[tuple[str, str]] = set()

    def through(status: str, happening: str) -> str:
        seen.add((status, happening))
        return transition(status, happening)

    vars(ingest).update(transition=through)
    try:
        yield seen
    finally:
        vars(ingest).update(transition=transition)


def missing(seen: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the rows that were not reached, in the order of the table."""
    return [row for row in TRANSITIONS if row not in seen]
