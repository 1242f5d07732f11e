"""One seed's world: an exchange account, a machine, a disk, and the process that lives on them."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from engine_alpha.errors import BrokenPromise, JournalError
from engine_alpha.loop import wiring
from engine_alpha.loop.arming import ArmedAsset
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.lock import account_lock
from engine_alpha.loop.tick import TickReport, tick_all
from engine_alpha.ports import Venue
from engine_alpha.step.recording import Labels
from engine_alpha.step.state import AccountBook
from engine_alpha.venues.binance import BinanceVenue
from engine_alpha.venues.bybit import BybitVenue
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.bybit_trading import TEST_KEY, BybitTrading
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.private import Front
from tests.exchange.trading.book import TradingBook
from tests.live.worlds import ACCOUNT, PROOF_MS, contract_of, listing_of
from tests.simulation.exchange import UnevenBook
from tests.simulation.feed import SimulatedFeed
from tests.simulation.network import CountingPlan, Line, QuickTransport, SimulatedTransport
from tests.simulation.plan import HOUR_MS, NETWORK, REFUSALS, Plan
from tests.simulation.process import Crash, Disk, Process, SimulatedJournal
from tests.simulation.timeline import MachineClock, SimulatedLoop, Timeline
from tests.simulation.universe import FIRST_MS, SYMBOLS, bars_of, funding, setup_of
from tests.simulation.watch import Violation, Watch

ORDER_PATH = {"bybit": "/v5/order/create", "binance": "/fapi/v1/order"}


class World:
    """Everything of one seed. `story` is filled where it is wished for; `faults` counts what was injected."""

    def __init__(self, seed: int, plan: Plan, assets: int, bars: int, trace: bool = False) -> None:
        self.seed, self.plan, self.symbols = seed, plan, SYMBOLS[:assets]
        self.setup = setup_of(plan.venue, plan.style, assets)
        self.folder: Path = self.setup.home.account(ACCOUNT)
        self.faults: Counter[str] = Counter()
        self.crashes: Counter[str] = Counter()
        self.story: list[str] | None = [] if trace else None
        self.trouble = 0  # faults and deeds so far: a tick without any is a clean one
        self.start_ms = FIRST_MS + plan.start_bar * HOUR_MS
        exchange_clock = ExchangeClock(self.start_ms)
        self.timeline = Timeline(self.start_ms, exchange_clock)
        self.book = self._exchange(exchange_clock, bars)
        self.line = Line(Random(f"{seed}/network"), self.note)
        self.feed = SimulatedFeed(
            plan.universe, self.timeline, Random(f"{seed}/feed"), self.note, dict.fromkeys(plan.feed, 0.0), {}
        )
        self.clock = MachineClock(self.timeline)
        self.disk = Disk()
        self.engine: Engine | None = None
        self.process = Process(self.note)
        self.journal: SimulatedJournal | None = None
        self.random = Random(f"{seed}/life")
        self.down_until_ms = 0
        self.crashing = False
        self.tick_began_ms = 0
        self._open = ExitStack()
        self.watch = Watch(self)
        self.timeline.watchers.append(self.watch.passed)
        for left in self.folder.glob("*.json"):
            left.unlink()

    def _exchange(self, clock: ExchangeClock, bars: int) -> TradingBook:
        from_ms, to_ms = self.start_ms - 48 * HOUR_MS, self.start_ms + (bars + 90) * HOUR_MS
        paid = funding().between(from_ms, to_ms)
        listings = []
        for symbol in self.symbols:
            hours = bars_of(self.plan.universe, symbol).between(from_ms, to_ms)
            listings.append(listing_of(symbol, hours, paid, self.setup))
        market = Market(listings, clock)
        market.faults = CountingPlan(self.seed, self.note)
        contracts = {symbol: contract_of(self.setup, symbol) for symbol in self.symbols}
        equity = self.setup.risk.equity_quote
        book = UnevenBook(market, self.plan.venue, equity, contracts=contracts, seed=self.seed)
        private: Any = BybitTrading(book) if self.plan.venue == "bybit" else BinanceTrading(book)
        self.front = Front(market, private)
        return book

    def note(self, kind: str, detail: str) -> None:
        """Write down a fault or a deed."""
        self.trouble += 1
        if kind == "crash":
            self.crashes[detail] += 1
        else:
            self.faults[kind] += 1
        self.tell(f"{kind}: {detail}")

    def tell(self, text: str) -> None:
        """Add a line to the story."""
        if self.story is not None:
            passed = self.timeline.now_ms - self.start_ms
            self.story.append(f"{passed // HOUR_MS:4d} h {passed % HOUR_MS / 1_000:8.3f} s  {text}")

    def fail(self, rule: str, text: str) -> None:
        """Note a violation."""
        self.tell(f"VIOLATION {rule}: {text}")
        hour = (self.timeline.now_ms - self.start_ms) // HOUR_MS
        self.watch.violations.append(Violation(rule, hour, text))

    # the process

    def open(self) -> Engine:
        """Start a process on what the disk holds."""
        dies_in = None
        if self.crashing and self.plan.crash_points:
            dies_in = 1 + int(self.random.expovariate(1.0 / self.plan.crash_points))
        self.process = Process(self.note, dies_in)
        self.journal = SimulatedJournal(self.disk, self.process, self.note)
        runner = asyncio.Runner(loop_factory=lambda: SimulatedLoop(self.timeline))
        self._open.enter_context(account_lock(self.folder))
        self._open.callback(runner.close)
        engine = Engine(
            setup=self.setup,
            labels=Labels(account=ACCOUNT, mode="live", feed="venue"),
            clock=self.clock,
            feed=self.feed,
            journal=self.journal,
            book=AccountBook(self.journal.states(), self.setup.risk.equity_quote),
            loop=runner,
            frozen=True,
            armed={symbol: self._armed(symbol) for symbol in self.symbols},
        )
        venues = {self.plan.venue: self.make_venue()}
        engine.live = wiring.live_desk(self.setup, self.journal, self.clock, venues)
        self.engine = engine
        self.tell("a process starts")
        return engine

    def _armed(self, symbol: str) -> ArmedAsset:
        live = self.setup.engine.live.environment
        return ArmedAsset(symbol=symbol, at_ms=self.start_ms, environment=live, venue=self.plan.venue)

    def make_venue(self) -> Venue:
        """Return the real adapter over the simulated line."""
        inner = QuickTransport(self.plan.venue, self.front, TEST_KEY.key)
        clocks = (self.timeline, self.clock)
        transport = SimulatedTransport(inner, self.process, self.line, clocks, self.watch.sent)
        if self.plan.venue == "bybit":
            return BybitVenue(transport, PROOF_MS)
        return BinanceVenue(transport, PROOF_MS)

    def close(self) -> None:
        """End the process, in whatever state it is."""
        self.process.dead = True
        self._open.close()
        self.engine = None

    def tick(self) -> TickReport | None:
        """Run one tick, in a new process where none lives; None if there is none or it died."""
        if self.engine is None and self.timeline.now_ms < self.down_until_ms:
            return None
        before, self.tick_began_ms = self.trouble, self.timeline.now_ms
        report = self._ticked(self.engine or self.open())
        self.book.advance(self.timeline.now_ms)
        clean = report is not None and self.trouble == before
        self.watch.after_tick(report, clean)
        if self.plan.short_lived and self.engine is not None:
            self.close()
        return report

    def _ticked(self, engine: Engine) -> TickReport | None:
        try:
            return tick_all(engine, announce=False)
        except Crash:
            self._crashed()
        except JournalError as fault:
            self.tell(f"the engine stops: {fault}")
            self.close()
            if self.journal is None or not self.journal.failed:
                self.fail("stopped", str(fault))
            self.down_until_ms = self.timeline.now_ms + self.random.choice((1, 20, 90)) * 60_000
        except BrokenPromise as fault:
            self.close()
            self.fail("broken promise", str(fault))
        return None

    def _crashed(self) -> None:
        assert self.journal is not None
        self.disk.crashed(self.journal.commits)
        self.close()
        minutes = self.random.choice((0, 0, 0, 2, 15, 190, 190, 1_800 if self.random.random() < 0.2 else 60))
        self.down_until_ms = self.timeline.now_ms + minutes * 60_000
        self.watch.after_crash()

    # the weather

    def storm(self) -> None:
        """Switch the plan's dials on."""
        faults, plan = self.book.market.faults, self.plan
        for kind, chance in plan.network.items():
            if chance:
                self._add_dial(kind, chance)
        if plan.refusals:
            value = self.random.choice(REFUSALS[plan.venue])
            faults.add(kind="refuse", path=ORDER_PATH[plan.venue], value=value, chance=plan.refusals)
        self.line.straggler, self.line.slow = plan.straggler, plan.slow
        self.feed.chance = dict(plan.feed)
        self.book.dials.set(ack_delay_ms=plan.ack_delay_ms, propagation_ms=plan.propagation_ms)
        if plan.partial:
            share = self.random.choice((1, 1, "0.5", "0.3"))
            parts = self.random.choice((1, 2, 3))
            self.book.dials.set(partial_parts=parts, partial_share=share, partial_chance=plan.partial)
        self.clock.skew_ms = plan.skew_ms
        self.crashing = True

    def _add_dial(self, kind: str, chance: float) -> None:
        faults = self.book.market.faults
        settings = NETWORK.get(kind, {})
        if kind == "twice" and self.plan.venue == "binance":
            # a venue that fills the same id twice can't be asked for safety here: only stops are doubled
            settings = {"path": "/fapi/v1/algoOrder"}
        faults.add(kind=kind, chance=chance, **settings)

    def calm_network(self) -> None:
        """Switch the dials of the network, the exchange and the feed off."""
        self.book.market.faults.clear()
        self.book.market.limits.clear()
        self.line.straggler = self.line.slow = 0.0
        self.feed.chance = dict.fromkeys(self.feed.chance, 0.0)
        self.book.dials.set(ack_delay_ms=0, propagation_ms=0, partial_parts=1, partial_share=1)
        self.clock.skew_ms = 0

    def calm(self) -> None:
        """Switch everything off; what is under way comes to its end."""
        self.calm_network()
        self.disk.full = False
        self.crashing = False
        self.process.dies_in = None
        self.plan = replace(self.plan, short_lived=False)
