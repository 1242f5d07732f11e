"""One pace for everything that is sent to one venue: who goes first, how fast, and when nobody may."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from engine_alpha.errors import VenueBusy
from engine_alpha.exchanges.pace import LIMITS, SHARE, Cost, Limit, parts_of
from engine_alpha.exchanges.patience import asked_silence_s, used_weight
from engine_alpha.exchanges.transport import Urgency

PATIENCE_MS: Final = 60_000
SLACK_S: Final = 0.001  # a timer may fire this much early
LONGEST_FLIGHT_S: Final = 1.0
"""A request counts from its answer on, as the venue may have seen it last then; without one from here on.

So no way through the network squeezes more into a venue's window than we allow, and one that hangs does not
hold up the others for long.
"""


@dataclass(slots=True)
class _Flight:
    """A request on its way: the venue counts it at some time between its start and its end."""

    from_s: float
    ended_s: float | None = None

    def counts_until_s(self, span_s: float) -> float:
        longest_s = self.from_s + LONGEST_FLIGHT_S
        return min(longest_s if self.ended_s is None else self.ended_s, longest_s) + span_s


@dataclass(order=True, slots=True)
class _Waiter:
    urgency: Urgency
    number: int
    since_s: float = field(compare=False)
    cost: Cost = field(compare=False)
    ready: "asyncio.Future[_Flight]" = field(compare=False)


class _Window:
    """What counts against one limit now."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._spent: list[tuple[_Flight, int]] = []

    def wait_s(self, now_s: float, amount: int, share: float) -> float:
        """Return how long until `amount` fits under that share of the limit; 0 for now."""
        left = self._sum(now_s)
        room = max(int(self.limit.most * share), amount) - amount
        if not amount or left <= room:
            return 0.0
        wait_s = 0.0
        for until_s, spent in sorted((each.counts_until_s(self.limit.span_s), n) for each, n in self._spent):
            wait_s, left = until_s - now_s, left - spent
            if left <= room:
                break
        return max(wait_s, SLACK_S)

    def spend(self, flight: _Flight, amount: int) -> None:
        if amount:
            self._spent.append((flight, amount))

    def at_least(self, now_s: float, amount: int) -> None:
        """Believe the venue if it counts more than we do: others may share the address."""
        self.spend(_Flight(now_s, now_s), max(amount - self._sum(now_s), 0))

    def _sum(self, now_s: float) -> int:
        span_s = self.limit.span_s
        self._spent = [each for each in self._spent if each[0].counts_until_s(span_s) > now_s]
        return sum(amount for _, amount in self._spent)


class Governor:
    """Admits requests to one venue; one per venue and process, shared by feed and orders of all assets.

    Time is the running loop's. It limits the pace, not how many answers are waited for. While a venue wants
    silence nothing is admitted: exits wait for its end, and go first then, if that is within `patience_ms` of
    when they came; everyone else is told at once how long is left.
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

    @asynccontextmanager
    async def turn(self, urgency: Urgency, cost: Cost | None = None) -> AsyncIterator[None]:
        """Enter when a request may be sent, leave when it is answered; `VenueBusy` in silence."""
        flight = await self.admit(urgency, cost)
        try:
            yield
        finally:
            flight.ended_s = asyncio.get_running_loop().time()
            self._serve()

    async def admit(self, urgency: Urgency, cost: Cost | None = None) -> _Flight:
        """Return when a request may be sent, and count it; `VenueBusy` while the venue wants silence."""
        number, since_s = next(self._numbers), asyncio.get_running_loop().time()
        while True:
            ready: asyncio.Future[_Flight] = asyncio.get_running_loop().create_future()
            waiter = _Waiter(urgency, number, since_s, cost or Cost(), ready)
            if self._gives_up(waiter):
                raise self._busy()
            flight = await self._flight_of(waiter)
            if self.silence_left_s() <= 0:  # else it began between the admission and this line
                return flight

    async def _flight_of(self, waiter: _Waiter) -> _Flight:
        heapq.heappush(self._queue, waiter)
        self._serve()
        try:
            return await waiter.ready
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
            parts, flight = parts_of(waiter.cost), _Flight(now_s)
            for window in self._windows:
                window.spend(flight, parts[window.limit.part])
            waiter.ready.set_result(flight)

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
