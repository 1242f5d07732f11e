"""An event loop whose time passes only when it has nothing else to do: hours in a moment, always alike."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    now_s = 1_000.0

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if not events and timeout is None:
            raise AssertionError("nothing will ever happen again: somebody waits for good")
        if not events:
            self.now_s += max(timeout or 0.0, 0.0)
        return events


class StandingLoop(asyncio.SelectorEventLoop):
    """A loop on its own time."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


def played(main: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns on a loop of its own time."""
    with asyncio.Runner(loop_factory=StandingLoop) as runner:
        return runner.run(main)
