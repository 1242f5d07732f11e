"""The network between engine and exchange: time passes, requests are late, replies are lost."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, cast

from aiohttp import web

from engine_alpha.errors import ChloeError, OutcomeUnknown, VenueBusy
from engine_alpha.exchanges.judging import judged
from engine_alpha.exchanges.transport import Endpoint, Params, Urgency
from tests.exchange.faults import Fault, FaultPlan
from tests.exchange.in_process import InProcessTransport
from tests.exchange.private import Reply
from tests.simulation.process import Process
from tests.simulation.timeline import MachineClock, Timeline

RECEIVE_WINDOW_MS = 5_000  # a request that is older when it arrives is refused
AHEAD_MS = 1_000  # and so is one from the future
TIMEOUT_MS = 10_000
CLOCK_CODE = {"bybit": 10002, "binance": -1021}
Note = Callable[[str, str], None]


class CountingPlan(FaultPlan):
    """The exchange's dials, each hit told."""

    def __init__(self, seed: int, note: Note) -> None:
        super().__init__(seed)
        self._note = note

    def take(self, kinds: tuple[str, ...], path: str, symbol: str) -> list[Fault]:
        """Return the dials that hit, and tell of them."""
        if not self.faults:
            return []
        hit = super().take(kinds, path, symbol)
        for fault in hit:
            self._note(_name(fault), f"{path} {symbol}")
        return hit


def _name(fault: Fault) -> str:
    return f"{fault.kind} {fault.value}" if fault.kind.startswith("status") else fault.kind


@dataclass(slots=True)
class Line:
    """How bad the network is now: chances of a straggler and of a slow reply. A life of its own."""

    random: Random
    note: Note
    straggler: float = 0.0
    slow: float = 0.0
    latency_ms: tuple[int, int] = (5, 60)

    def latency(self) -> int:
        """Return how long one way takes."""
        return self.random.randint(*self.latency_ms)

    def hits(self, chance: float) -> bool:
        """Draw; a dial that is off draws nothing."""
        return chance > 0.0 and self.random.random() < chance


@dataclass(frozen=True, slots=True)
class PublicRequest:
    """What the exchange's public handlers read of a request."""

    path: str
    query: Mapping[str, str]


class QuickTransport(InProcessTransport):
    """The exchange's end of the line, without aiohttp's request objects: they would cost most of the time."""

    async def _public_reply(self, endpoint: Endpoint, asked: Mapping[str, str]) -> Reply:
        handler = self._public.get(endpoint.path)
        if handler is None:
            return Reply(404, "404: Not Found")
        response = await handler(cast(web.Request, PublicRequest(endpoint.path, asked)))
        assert isinstance(response, web.Response)
        return Reply(response.status, response.text or "")


Watch = Callable[[Endpoint, Params], None]


class SimulatedTransport:
    """Implements `Transport`: the process's side of the line. `inner` is the exchange's."""

    def __init__(
        self,
        inner: InProcessTransport,
        process: Process,
        line: Line,
        clock: tuple[Timeline, MachineClock],
        watch: Watch,
    ) -> None:
        self._inner, self._process, self._line = inner, process, line
        self._timeline, self._clock = clock
        self._watch = watch
        self._correction_ms = 0  # what the last refusal of a timestamp taught

    async def call(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        """Send a request and wait for its reply, as long as a client does."""
        name = f"{endpoint.method} {endpoint.path}"
        self._process.point(f"before {name}")
        self._watch(endpoint, params)
        stamped_ms = self._clock.now_ms() + self._correction_ms
        if endpoint.writes and self._line.hits(self._line.straggler):
            await self._lost_sight_of(endpoint, params, stamped_ms)
        try:
            await asyncio.sleep(self._line.latency() / 1_000)
            self._alive()
            self._check_stamp(endpoint, stamped_ms)
            reply = await self._inner.call(endpoint, params, urgency)
        except ChloeError:
            await self._returned(endpoint, name)
            raise
        await self._returned(endpoint, name)
        return reply

    async def _returned(self, endpoint: Endpoint, name: str) -> None:
        late = self._line.hits(self._line.slow)
        way_ms = self._line.random.choice((900, 3_000, 9_000, 20_000)) if late else self._line.latency()
        if late:
            self._line.note("slow reply", f"{name} {way_ms} ms")
        await asyncio.sleep(min(way_ms, TIMEOUT_MS) / 1_000)
        self._alive()
        self._process.point(f"after {name}")
        if way_ms >= TIMEOUT_MS:
            raise _unclear(endpoint, "no reply in time")

    async def _lost_sight_of(self, endpoint: Endpoint, params: Params, stamped_ms: int) -> None:
        """Let the connection break while the request is on its way: it may arrive for all that, later."""
        way_ms = self._line.random.choice((300, 2_000, 4_500, 4_990, 7_000))
        self._line.note("straggler", f"{endpoint.path} arrives after {way_ms} ms")

        def arrive() -> None:
            try:
                self._check_stamp(endpoint, stamped_ms)
                self._inner.call(endpoint, params, Urgency.ENTRY).send(None)
            except (StopIteration, ChloeError):
                return

        self._timeline.at(self._timeline.now_ms + way_ms, arrive)
        await asyncio.sleep(self._line.random.choice((50, 1_000)) / 1_000)
        self._alive()
        self._process.point(f"after {endpoint.method} {endpoint.path}")
        raise _unclear(endpoint, "the connection broke")

    def _check_stamp(self, endpoint: Endpoint, stamped_ms: int) -> None:
        """Refuse a timestamp as the venue does: too old, or from the future."""
        age_ms = self._timeline.now_ms - stamped_ms
        if -AHEAD_MS <= age_ms <= RECEIVE_WINDOW_MS:
            return
        self._line.note("timestamp refused", f"{endpoint.path} {age_ms} ms")
        self._correction_ms = -self._clock.skew_ms
        venue = self._inner.venue
        status = 200 if venue == "bybit" else 400
        body = f'{{"retCode": {CLOCK_CODE[venue]}, "code": {CLOCK_CODE[venue]}, "msg": "timestamp"}}'
        judged(venue, endpoint, status, {}, body)

    def _alive(self) -> None:
        self._process.point("while a request was under way")

    async def close(self) -> None:
        """Have nothing to close."""


def _unclear(endpoint: Endpoint, why: str) -> ChloeError:
    text = f"{endpoint.method} {endpoint.path}: {why}"
    return OutcomeUnknown(text) if endpoint.writes else VenueBusy(text)
