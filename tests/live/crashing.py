"""A live account that dies at a numbered point: before or after a journal write or a venue call.

After a death nothing more is written or sent by that process: tasks that still ran die, too.
"""

import copy
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from engine_alpha.exchanges.transport import Endpoint, Params, Urgency
from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_orders import armed_symbols
from engine_alpha.loop.tick import TickReport, tick_all
from engine_alpha.plans.setup import read_setup
from engine_alpha.ports import Event, Journal
from engine_alpha.step.recording import Labels
from tests.exchange.bybit_trading import TEST_KEY
from tests.exchange.in_process import InProcessTransport
from tests.exchange.private import Reply
from tests.live.worlds import ACCOUNT, SharedClock, World

BEFORE, AFTER = "before", "after"


class Crash(BaseException):
    """The process is gone."""


@dataclass(slots=True, kw_only=True)
class Points:
    """Counts points and dies at one: point `at`, on the side `side` of it; None never."""

    at: int | None = None
    side: str = BEFORE
    passed: int = 0
    dead: bool = False
    names: list[str] = field(default_factory=list)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Stand round one write or call."""
        self.live()
        number = self.passed
        self.passed += 1
        self.names.append(name)
        self._die(number, BEFORE)
        try:
            yield
        finally:  # a "no" is an answer, too
            self._die(number, AFTER)

    def live(self) -> None:
        """Raise `Crash` for whoever goes on in a dead process."""
        if self.dead:
            raise Crash

    def _die(self, number: int, side: str) -> None:
        if (number, side) == (self.at, self.side):
            self.dead = True
            raise Crash


class CrashingTransport(InProcessTransport):
    """A transport whose process may die before a request is sent, or after it took effect."""

    points: Points

    async def call(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        """Send one request; see `Transport`."""
        with self.points.around(f"{endpoint.method} {endpoint.path} {params.get('symbol', '')}".strip()):
            return await super().call(endpoint, params, urgency)

    async def _public_reply(self, endpoint: Endpoint, asked: Mapping[str, str]) -> Reply:
        """Answer without aiohttp's mocked requests: they would be a third of all the time."""
        handler: Any = self._public[endpoint.path]
        response = await handler(SimpleNamespace(query=asked, path=endpoint.path))
        return Reply(response.status, response.text or "")


class CrashingJournal:
    """A journal whose process may die before a commit, or after it."""

    def __init__(self, journal: Journal, points: Points) -> None:
        self._journal, self._points = journal, points

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def commit(self, at_ms: int, events: Sequence[Event], states: Mapping[str, str]) -> int:
        """Commit; see `Journal`."""
        with self._points.around(f"commit {_told(events)}"):
            return self._journal.commit(at_ms, events, states)


def _told(events: Sequence[Event]) -> str:
    first = events[0]
    named = next((each for each in events if each.kind == "order"), first)
    payload = json.loads(named.payload)
    words = [first.kind, first.symbol]
    if named.kind == "order":
        words.append(f"{payload['intent']['leg']} {payload['status']}")
    elif named.kind == "protection":
        words.append(str(payload["what"]))
    elif named.kind == "execution":
        words.append(str(payload["kind"]))
    return " ".join(words)


class MortalClock(SharedClock):
    """The clock of a process that may be dead: nobody there waits any more."""

    points: Points

    async def pause(self, wait_ms: int) -> None:
        """Let time pass for the engine and the exchange."""
        self.points.live()
        await super().pause(wait_ms)


@dataclass(slots=True, kw_only=True)
class MortalWorld(World):
    """A world whose engine is opened anew for every tick, as the runner is, and may die in it."""

    points: Points

    def transport(self) -> InProcessTransport:
        """Return a transport with the points in it."""
        found = CrashingTransport(self.venue, self.front, TEST_KEY.key)
        found.points = self.points
        return found

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Open the live account as a process that starts now would, with the points round its journal."""
        setup = read_setup(self.home)
        labels = Labels(account=ACCOUNT, mode="live", feed="venue")
        with wiring.opened(setup, labels, self.feed, self.clock) as engine:
            engine.journal = CrashingJournal(engine.journal, self.points)
            engine.armed = armed_symbols(setup)
            engine.live = self.desk(engine, setup)
            yield engine

    def renewed(self, points: Points) -> None:
        """Begin anew after a crash: another process, which may die elsewhere."""
        self.points = points
        assert isinstance(self.clock, MortalClock)
        self.clock.points = points

    def tick_now(self, engine: Engine) -> TickReport:
        """Run one tick at the time that it is."""
        return tick_all(engine, announce=False)

    def copied(self, folder: Path, points: Points) -> "MortalWorld":
        """Return a world of its own that goes on from here: exchange, home, journal, with other points."""
        shutil.copytree(self.home.path, folder)
        shared = {id(each): each for each in (*self.market.listings.values(), self.feed)}
        for prices in self.book.state.prices.values():
            shared[id(prices)] = prices
        twin = copy.deepcopy((self.market, self.book, self.front, self.clock), shared)
        market, book, front, clock = twin
        assert isinstance(clock, MortalClock)
        clock.points = points
        return MortalWorld(
            home=Home(folder),
            venue=self.venue,
            market=market,
            book=book,
            front=front,
            clock=clock,
            feed=self.feed,
            points=points,
        )


def mortal(world: World, points: Points) -> MortalWorld:
    """Return the world with points in it."""
    clock = MortalClock(world.clock.now_ms(), world.market.clock)
    clock.points = points
    fields = {name: getattr(world, name) for name in ("home", "venue", "market", "book", "front", "feed")}
    return MortalWorld(**fields, clock=clock, points=points)
