"""A live account on the test exchange in this process: real home, real adapters, one clock for both."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.arming import arm
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_orders import LiveDesk, armed_symbols
from engine_alpha.loop.tick import TickReport, tick_all
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.ports import Venue
from engine_alpha.step.recording import Labels
from engine_alpha.venues.binance import BinanceVenue
from engine_alpha.venues.bybit import BybitVenue
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.bybit_trading import TEST_KEY, BybitTrading
from tests.exchange.candles import HOUR_MS, Listing, Series
from tests.exchange.clock import ExchangeClock
from tests.exchange.in_process import InProcessTransport
from tests.exchange.market import Market
from tests.exchange.private import Front
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.rules import RULES, Contract
from tests.unit.loop.runs import LATE_MS, START_MS, MemoryFeed, edit

PROOF_MS = 6_000
ACCOUNT = "live-loopback"


class SharedClock(FixedClock):
    """One time for the engine and the exchange; a pause lets it pass for both."""

    def __init__(self, now_ms: int, exchange: ExchangeClock) -> None:
        super().__init__(now_ms)
        self._exchange = exchange
        exchange.set(now_ms)

    def set(self, now_ms: int) -> None:
        super().set(now_ms)
        self._exchange.set(now_ms)

    async def pause(self, wait_ms: int) -> None:
        self.set(self.now_ms() + wait_ms)


@dataclass(slots=True, kw_only=True)
class World:
    """An exchange account, and what of the engine outlives a crash: home, journal's file, clock."""

    home: Home
    venue: str
    market: Market
    book: TradingBook
    front: Front
    clock: SharedClock
    feed: MemoryFeed

    def transport(self) -> InProcessTransport:
        return InProcessTransport(self.venue, self.front, TEST_KEY.key)

    def make_venue(self) -> Venue:
        if self.venue == "bybit":
            return BybitVenue(self.transport(), PROOF_MS)
        return BinanceVenue(self.transport(), PROOF_MS)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Open the live account as a process that starts now would."""
        setup = read_setup(self.home)
        labels = Labels(account=ACCOUNT, mode="live", feed="venue")
        with wiring.opened(setup, labels, self.feed, self.clock) as engine:
            engine.armed = armed_symbols(setup)
            engine.live = self.desk(engine, setup)
            yield engine

    def desk(self, engine: Engine, setup: Setup) -> LiveDesk:
        venues: dict[str, Venue] = {self.venue: self.make_venue()}
        return wiring.live_desk(setup, engine.journal, self.clock, venues)

    def end_of(self, symbol: str, at_ms: int) -> None:
        """Let the feed's bars of a symbol end: nobody quotes it any more."""
        bars = self.feed.series[symbol]
        self.feed.series[symbol] = bars.between(int(bars.open_ms[0]), at_ms)

    def tick(self, engine: Engine, hour: int) -> TickReport:
        """Run one tick shortly after this close, counted in hours from START_MS."""
        self.clock.set(START_MS + hour * HOUR_MS + LATE_MS)
        return tick_all(engine, announce=False)


def live_world(
    home: Home,
    venue: str,
    series: Mapping[str, Bars],
    funding: Funding | None = None,
    seed: int = 1,
    endless: Sequence[str] = (),
) -> World:
    """Return the home's enabled assets armed at an exchange that quotes these bars and fills by our rules.

    Of `endless` contracts the home's snapshot knows no end.
    """
    on_venue(home, venue, endless)
    setup = read_setup(home)
    paid = funding or Funding()
    listings = [listing_of(symbol, bars, paid, setup) for symbol, bars in series.items()]
    exchange_clock = ExchangeClock(START_MS)
    market = Market(listings, exchange_clock)
    contracts = {asset.symbol: contract_of(setup, asset.symbol) for asset in setup.enabled}
    book = TradingBook(market, venue, setup.risk.equity_quote, contracts=contracts, seed=seed)
    private: Any = BybitTrading(book) if venue == "bybit" else BinanceTrading(book)
    for asset in setup.enabled:
        arm(home.account(ACCOUNT), asset.symbol, START_MS, "loopback", venue)
    return World(
        home=home,
        venue=venue,
        market=market,
        book=book,
        front=Front(market, private),
        clock=SharedClock(START_MS, exchange_clock),
        feed=MemoryFeed(series, paid),
    )


def on_venue(home: Home, venue: str, endless: Sequence[str] = ()) -> None:
    """Put every asset on one venue, in the environment of a test exchange on this machine.

    The exchange has one smallest notional for all its contracts.
    """

    def change(found: dict[str, Any]) -> None:
        for symbol, entry in found.items():
            if symbol != "$schema":
                entry["venue"] = venue

    def level(found: dict[str, Any]) -> None:
        for symbol, instrument in found["instruments"].items():
            instrument["min_notional_quote"] = str(RULES[venue].min_notional_quote)
            if symbol in endless:
                instrument.update(settled_ms=None, successor=None)

    edit(home.registry, change)
    for snapshot in home.instruments.glob(f"{venue}_*.json"):
        edit(snapshot, level)
    edit(home.engine, lambda found: found["live"].update(environment="loopback"))


def contract_of(setup: Setup, symbol: str) -> Contract:
    """Return the contract with the very grid, fees and costs that the engine has for the asset."""
    asset = next(each for each in setup.registry.assets if each.symbol == symbol)
    plan = setup.plan(asset)
    most = max(tier.max_leverage for tier in plan.instrument.tiers)
    return Contract(asset=plan.rules.asset, risk=plan.rules.risk, max_leverage=Decimal(str(most)))


def listing_of(symbol: str, bars: Bars, funding: Funding, setup: Setup) -> Listing:
    """Return the bars as the exchange quotes them, on the grid of the instrument."""
    asset = next(each for each in setup.registry.assets if each.symbol == symbol)
    instrument = setup.plan(asset).instrument
    values = np.column_stack((bars.open, bars.high, bars.low, bars.close, bars.volume))
    series = Series(HOUR_MS, bars.open_ms, values)
    settlements = list(zip(funding.settled_ms.tolist(), funding.rate_frac.tolist(), strict=True))
    return Listing(
        symbol, {HOUR_MS: series}, settlements, tick=instrument.tick_quote, lot=instrument.lot_base
    )
