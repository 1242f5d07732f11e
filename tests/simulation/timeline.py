"""One true time for everything: the exchange, the process that may die, and what is under way."""

import asyncio
import heapq
import selectors
from collections.abc import Callable
from itertools import count
from math import ceil
from typing import Any

from tests.exchange.clock import ExchangeClock

Deed = Callable[[], None]
Watcher = Callable[[int, int], None]


class Timeline:
    """The true time. What is put on it happens at its time, whether a process lives or not."""

    def __init__(self, start_ms: int, exchange: ExchangeClock) -> None:
        self.now_ms = self.start_ms = start_ms
        self.watchers: list[Watcher] = []
        self._exchange = exchange
        self._waiting: list[tuple[int, int, Deed]] = []
        self._order = count()
        exchange.set(start_ms)

    def at(self, at_ms: int, deed: Deed) -> None:
        """Let something happen at that time; of one instant, in the order it was asked for."""
        heapq.heappush(self._waiting, (max(at_ms, self.now_ms), next(self._order), deed))

    def move_to(self, to_ms: int) -> None:
        """Let time pass; what is due on the way happens at its moment."""
        while self._waiting and self._waiting[0][0] <= to_ms:
            at_ms, _, deed = heapq.heappop(self._waiting)
            self._set(at_ms)
            deed()
        self._set(to_ms)

    def _set(self, now_ms: int) -> None:
        if now_ms <= self.now_ms:
            return
        before_ms, self.now_ms = self.now_ms, now_ms
        self._exchange.set(now_ms)
        for watcher in self.watchers:
            watcher(before_ms, now_ms)


class _Selector(selectors.SelectSelector):
    """Waits for nothing: the time asked for passes on the timeline."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__()
        self._timeline = timeline

    def select(self, timeout: float | None = None) -> list[Any]:
        """Let the time pass that the loop would sleep; there is no file to wait for."""
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen")
        if timeout > 0.0:
            self._timeline.move_to(self._timeline.now_ms + max(1, ceil(timeout * 1_000 - 1e-3)))
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is the timeline's: a sleep takes no time here and all of it there."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        super().__init__(_Selector(timeline))
        self._clock_resolution = 1e-6
        self.set_exception_handler(lambda _loop, _context: None)

    def time(self) -> float:
        """Return the timeline's time in seconds since its start."""
        return (self._timeline.now_ms - self._timeline.start_ms) / 1_000


class MachineClock:
    """The clock of the machine that the engine runs on: `skew_ms` ahead of the true time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.skew_ms = 0

    def now_ms(self) -> int:
        """Return what the machine shows."""
        return self._timeline.now_ms + self.skew_ms

    def wait_until(self, at_ms: int) -> None:
        """Let time pass until the machine shows that."""
        self._timeline.move_to(at_ms - self.skew_ms)

    async def pause(self, wait_ms: int) -> None:
        """Let that much time pass for all."""
        await asyncio.sleep(wait_ms / 1_000)
