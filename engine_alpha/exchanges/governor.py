"""One pace for everything that is sent to one venue: who goes first, how fast, and when nobody may."""

import asyncio
import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from engine_alpha.errors import VenueBusy
from engine_alpha.exchanges.pace import LIMITS, SHARE, Cost, Limit, parts_of
from engine_alpha.exchanges.patience import asked_silence_s, used_weight
from engine_alpha.exchanges.transport import Urgency

PATIENCE_MS: Final = 60_000
SLACK_S: Final = 0.001  # a timer may fire this much early


@dataclass(order=True, slots=True)
class _Waiter:
    urgency: Urgency
    number: int
    since_s: float = field(compare=False)
    cost: Cost = field(compare=False)
    ready: "asyncio.Future[None]" = field(compare=False)


class _Window:
    """What was spent of one limit within its span."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def wait_s(self, now_s: float, amount: int, share: float) -> float:
        """Return how long until `amount` fits under that share of the limit; 0 for now."""
        self._forget(now_s)
        if not amount:
            return 0.0
        room = max(int(self.limit.most * share), amount) - amount
        left, wait_s = self._sum, 0.0
        for at_s, spent in self._spent:
            if left <= room:
                break
            left -= spent
            wait_s = max(at_s + self.limit.span_s - now_s, SLACK_S)
        return wait_s

    def spend(self, now_s: float, amount: int) -> None:
        if amount:
            self._spent.append((now_s, amount))
            self._sum += amount

    def at_least(self, now_s: float, amount: int) -> None:
        """Believe the venue if it counts more than we do: others may share the address."""
        self._forget(now_s)
        self.spend(now_s, max(amount - self._sum, 0))

    def _forget(self, now_s: float) -> None:
        while self._spent and self._spent[0][0] + self.limit.span_s <= now_s:
            self._sum -= self._spent.popleft()[1]


class Governor:
    """Admits requests to one venue; one per venue and process, shared by feed and orders of all assets.

    Time is the running loop's. It limits the pace, not how many answers are waited for: slow answers hold
    nobody up. While a venue wants silence nothing is admitted: exits wait for its end, and go first then, if
    that is within `patience_ms` of when they came; everyone else is told at once how long is left.
    """

    def __init__(
        self, venue: str, limits: tuple[Limit, ...] | None = None, patience_ms: int = PATIENCE_MS
    ) -> None:
        self.venue = venue
        self._windows = [_Window(limit) for limit in (LIMITS[venue] if limits is None else limits)]
        self._patience_s = patience_ms / 1_000
        self._silent_until_s = 0.0
        self._queue: list[_Waiter] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    async def admit(self, urgency: Urgency, cost: Cost | None = None) -> None:
        """Return when a request may be sent, and count it; `VenueBusy` while the venue wants silence."""
        number, since_s = next(self._numbers), asyncio.get_running_loop().time()
        while True:
            ready = asyncio.get_running_loop().create_future()
            waiter = _Waiter(urgency, number, since_s, cost or Cost(), ready)
            if self._gives_up(waiter):
                raise self._busy()
            await self._turn_of(waiter)
            if self.silence_left_s() <= 0:  # else it began between the admission and this line
                return

    async def _turn_of(self, waiter: _Waiter) -> None:
        heapq.heappush(self._queue, waiter)
        self._serve()
        try:
            await waiter.ready
        finally:
            if waiter in self._queue:  # whoever waited went away
                self._queue.remove(waiter)
                heapq.heapify(self._queue)
                self._serve()

    def be_silent(self, wait_s: float) -> None:
        """Admit nobody for so long; a longer silence that was asked for before stays."""
        until_s = asyncio.get_running_loop().time() + wait_s
        if until_s > self._silent_until_s and wait_s > 0:
            self._silent_until_s = until_s
            self._serve()

    def silence_left_s(self) -> float:
        """Return how long the venue still wants to hear nothing."""
        return max(self._silent_until_s - asyncio.get_running_loop().time(), 0.0)

    def learn(self, status: int, headers: Mapping[str, str], code: str, words: str, now_ms: int = 0) -> None:
        """Take from a reply what it says about the pace; `now_ms` is the venue's time."""
        used = used_weight(headers) if self.venue == "binance" else None
        if used is not None:
            now_s = asyncio.get_running_loop().time()
            for window in self._windows:
                if window.limit.part == "weight":
                    window.at_least(now_s, used)
        self.be_silent(asked_silence_s(self.venue, status, headers, code, words, now_ms))

    def _gives_up(self, waiter: _Waiter) -> bool:
        if self.silence_left_s() <= 0:
            return False
        return waiter.urgency is not Urgency.EXIT or self._silent_until_s > waiter.since_s + self._patience_s

    def _busy(self) -> VenueBusy:
        left_s = self.silence_left_s()
        return VenueBusy(f"{self.venue} asked for patience: {left_s:.0f} s left, nothing sent")

    def _serve(self) -> None:
        """Admit the most urgent waiters as far as the pace allows; come back when more will fit."""
        self._drop_the_gone_and_impatient()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            now_s = asyncio.get_running_loop().time()
            waiter = self._queue[0]
            wait_s = max(self.silence_left_s(), self._wait_s(now_s, waiter))
            if wait_s > 0:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._serve)
                return
            heapq.heappop(self._queue)
            parts = parts_of(waiter.cost)
            for window in self._windows:
                window.spend(now_s, parts[window.limit.part])
            waiter.ready.set_result(None)

    def _wait_s(self, now_s: float, waiter: _Waiter) -> float:
        parts, share = parts_of(waiter.cost), SHARE[waiter.urgency]
        waits = [each.wait_s(now_s, parts[each.limit.part], share) for each in self._windows]
        return max(waits, default=0.0)

    def _drop_the_gone_and_impatient(self) -> None:
        kept = []
        for waiter in self._queue:
            if waiter.ready.done() or waiter.ready.get_loop().is_closed():
                continue  # cancelled, or of a loop that ended
            if self._gives_up(waiter):
                waiter.ready.set_exception(self._busy())
            else:
                kept.append(waiter)
        if len(kept) != len(self._queue):
            heapq.heapify(kept)
            self._queue = kept
