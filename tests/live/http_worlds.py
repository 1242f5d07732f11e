"""A live account over HTTP: a real home, real ccxt and signatures, the test exchange in a thread of its own.

The exchange's clock follows the wall's while a person arms, and stands where a test puts it from then on;
the engine's `--now` is the same time.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from click.testing import CliRunner, Result

from engine_alpha.cli.root import chloe
from engine_alpha.config.assets import VENUES
from engine_alpha.config.keys import keys_file
from engine_alpha.domain.bars import Funding
from engine_alpha.home import Home
from engine_alpha.loop.tick import TickReport
from engine_alpha.loop.wiring import run_tick
from engine_alpha.plans.setup import read_setup
from engine_alpha.times import iso
from tests.exchange import binance_signing, bybit_signing
from tests.exchange.binance_signing import BinanceKey
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.bybit_signing import BybitKey
from tests.exchange.bybit_trading import BybitTrading
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running
from tests.exchange.trading.book import TradingBook
from tests.live.worlds import ACCOUNT, contract_of, listing_of, on_venue
from tests.makers import HOUR_MS, random_bars
from tests.unit.loop.runs import LATE_MS, SYMBOLS, a_home, edit, enable

KEY, SECRET = "round-trip-key-0001", "round-trip-secret-0001"
BARS, BARS_BEFORE = 1_700, 1_400  # as many as `series_of` makes: the walk depends on their number
LONGEST_TEST_MS = 300_000
AHEAD_MS = 600_000  # how far ahead of the exchange's standing clock a request may be stamped
FUNDING_EVERY_MS = 2 * HOUR_MS


@dataclass(slots=True, kw_only=True)
class HttpWorld:
    """A home and the exchange that it trades at. Hours are counted from `start_ms`, the coming full hour."""

    home: Home
    venue: str
    exchange: RunningExchange
    book: TradingBook
    start_ms: int
    start_wallet: float

    def chloe(self, *arguments: str) -> Result:
        """Run a command of the command line, on this home."""
        return CliRunner(env={"CHLOE_HOME": str(self.home.path)}).invoke(chloe, list(arguments))

    def control(self, **wish: Any) -> dict[str, Any]:
        """Post to /_control."""
        request = urllib.request.Request(
            f"{self.exchange.url}/_control", data=json.dumps(wish).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            told: dict[str, Any] = json.load(reply)
        return told

    def facts(self) -> dict[str, Any]:
        """Return the truth about this venue's account."""
        with urllib.request.urlopen(f"{self.exchange.url}/_control/facts", timeout=10) as reply:
            told: dict[str, Any] = json.load(reply)["accounts"][self.venue]
        return told

    def tick_ms(self, hour: int) -> int:
        """Return when the tick after that close comes."""
        return self.start_ms + hour * HOUR_MS + LATE_MS

    def goes_to(self, hour: int) -> None:
        """Let the exchange play until the tick after that close, and stand there."""
        self.control(now_ms=self.tick_ms(hour), advance_ms=self.tick_ms(hour))

    def tick(self, hour: int) -> TickReport:
        """Let the exchange play up to a tick, and run it as the runner does."""
        self.goes_to(hour)
        return run_tick(str(self.home.path), "venue", iso(self.tick_ms(hour)))

    def orders_sent(self) -> list[dict[str, Any]]:
        """Return the requests for a new order that reached the exchange."""
        ends = ("/v5/order/create", "/fapi/v1/order", "/fapi/v1/algoOrder")
        asked = self.exchange.market.requests
        return [each for each in asked if each.get("method") == "POST" and each["path"] in ends]

    @property
    def journal(self) -> Path:
        """Return where the live account's journal is."""
        return self.home.account(ACCOUNT) / "journal.sqlite"


class When(NamedTuple):
    """Where in the random walk a world begins, and at which hour.

    `bars_in` bars of the walk more than usual lie in the past. `start_ms`: another hour than the coming one,
    for the second of two worlds that are to be equal.
    """

    bars_in: int = 0
    start_ms: int = 0


NOW = When()


@contextmanager
def http_world(
    folder: Path,
    venue: str,
    card: Mapping[str, Any],
    symbols: Sequence[str] = ("ETHUSDT", "BTCUSDT"),
    when: When = NOW,
    before: Callable[[Home], object] = lambda _home: None,
) -> Iterator[HttpWorld]:
    """Serve an account of a home whose assets trade this card; nothing is armed yet.

    `before` changes the home first.
    """
    home = a_home(folder, cards=(card,))
    before(home)
    enable(home, *symbols)
    on_venue(home, venue)
    start_ms, bars_in = when.start_ms or coming_hour_ms(), when.bars_in
    first = start_ms // HOUR_MS - BARS_BEFORE - bars_in
    setup = read_setup(home)
    funding = funding_of(first * HOUR_MS, (first + BARS) * HOUR_MS)
    listings = []
    for symbol in symbols:
        bars = random_bars(BARS, 100 + seed_of(symbol), first_index=first)
        listings.append(listing_of(symbol, bars, funding, setup))
    market = Market(listings, ExchangeClock())
    contracts = {symbol: contract_of(setup, symbol) for symbol in symbols}
    wallet = setup.risk.equity_quote
    book = TradingBook(market, venue, wallet, contracts=contracts)
    private: Any = (
        BybitTrading(book, [BybitKey(key=KEY, secret=SECRET)])
        if venue == "bybit"
        else BinanceTrading(book, [BinanceKey(key=KEY, secret=SECRET)])
    )
    with pytest.MonkeyPatch.context() as patch, running(market, [private]) as exchange:
        for signing in (
            bybit_signing,
            binance_signing,
        ):  # the wall's clock, which stamps, overtakes one that stands
            patch.setattr(signing, "AHEAD_MS", AHEAD_MS)
        lead_to(home, venue, exchange.url)
        plant_keys(home, venue)
        yield HttpWorld(
            home=home,
            venue=venue,
            exchange=exchange,
            book=book,
            start_ms=start_ms,
            start_wallet=wallet,
        )


def coming_hour_ms() -> int:
    """Return when the next hour begins that the machine's clock does not reach while a test runs."""
    now_ms = time.time_ns() // 1_000_000
    return ((now_ms + LONGEST_TEST_MS) // HOUR_MS + 1) * HOUR_MS


def seed_of(symbol: str) -> int:
    """Return the number of a symbol's random walk: the one that it has in the other tests."""
    return SYMBOLS.index(symbol) if symbol in SYMBOLS else sum(symbol.encode())


def funding_of(first_ms: int, end_ms: int) -> Funding:
    """Return a settlement every two hours: a position that is held for some bars meets one."""
    times = list(range(-(-first_ms // FUNDING_EVERY_MS) * FUNDING_EVERY_MS, end_ms, FUNDING_EVERY_MS))
    return Funding(
        settled_ms=np.array(times, dtype=np.int64),
        rate_frac=np.full(len(times), 0.0001),
        from_ms=first_ms,
        to_ms=end_ms,
    )


def lead_to(home: Home, venue: str, url: str) -> None:
    """Let a home's prices and orders come from and go to this exchange."""

    def change(found: dict[str, Any]) -> None:
        found.update(feed="venue", settle_delay_ms=dict.fromkeys(VENUES, 0), venue_urls={venue: url})
        found["live"].update(environment="loopback")

    edit(home.engine, change)


def plant_keys(home: Home, venue: str, key: str = KEY, secret: str = SECRET, mode: int = 0o600) -> Path:
    """Write a venue's keys as a person does."""
    path = keys_file(home, venue)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"key": key, "secret": secret}))
    path.chmod(mode)
    return path
