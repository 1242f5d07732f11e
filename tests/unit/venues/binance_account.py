"""One account at the test exchange's Binance, spoken to by the adapter in this process."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from engine_alpha.domain.orders import (
    BUY,
    ENTRY,
    EXIT,
    SELL,
    STOP,
    TARGET,
    OrderIntent,
    Protection,
    client_id,
)
from engine_alpha.venues.binance import BinanceVenue
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.candles import HOUR_MS, Listing, Series
from tests.exchange.clock import ExchangeClock
from tests.exchange.in_process import InProcessTransport
from tests.exchange.market import Market
from tests.exchange.private import Front
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.values import STOP_MARKET, BookOrder, NewOrder

START_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS
NOW_MS = START_MS + 20 * 60_000
SYMBOL, OTHER = "ETHUSDT", "BTCUSDT"
PROOF_MS = 60_000


def quoted(symbol: str, closes: list[float], first_ms: int = START_MS - 5 * HOUR_MS) -> Listing:
    """Return hourly candles with these closes, each a straight way from the close before, wicks of 1."""
    close = np.array(closes, np.float64)
    opened = np.concatenate((close[:1], close[:-1]))
    values = np.column_stack(
        (
            opened,
            np.maximum(opened, close) + 1,
            np.minimum(opened, close) - 1,
            close,
            np.full(len(close), 9.0),
        )
    )
    open_ms = first_ms + np.arange(len(close), dtype=np.int64) * HOUR_MS
    every = range(-(-first_ms // (8 * HOUR_MS)) * 8 * HOUR_MS, int(open_ms[-1]), 8 * HOUR_MS)
    return Listing(
        symbol,
        {HOUR_MS: Series(HOUR_MS, open_ms, values)},
        [(at_ms, 0.0001) for at_ms in every],
        lot="0.001",
    )


@dataclass
class Account:
    """The market, the account's book, the way there, and the venue over it."""

    market: Market
    book: TradingBook
    transport: InProcessTransport
    venue: BinanceVenue

    def restarted(self) -> BinanceVenue:
        """Return a venue that remembers nothing."""
        return BinanceVenue(self.transport, PROOF_MS)

    def fails(self, path: str, kind: str, value: Any = None, times: int | None = 1) -> None:
        self.market.faults.add(kind=kind, path=path, value=value, times=times)

    def stops(self, symbol: str = SYMBOL) -> list[BookOrder]:
        """Return the conditional orders that wait."""
        return [each for each in self.book.open_orders(symbol) if each.conditional]

    def places_foreign_stop(self, client_id: str = "my-own-stop", trigger: str = "1500") -> BookOrder:
        return self.book.place(
            NewOrder(
                symbol=SYMBOL,
                client_id=client_id,
                side="sell",
                quantity=Decimal("0.010"),
                type=STOP_MARKET,
                trigger_price=Decimal(trigger),
                reduce_only=True,
            )
        )

    def writes(self) -> list[str]:
        """Return method and path of every write so far."""
        return [f"{method} {path}" for method, path, _ in self.transport.sent if method != "GET"]


def an_account(
    closes: list[float] | None = None, wallet_quote: float = 10_000.0, keeps_ids: bool = False
) -> Account:
    """Return an account at NOW_MS, twenty minutes into a bar; prices stand at 2,000 unless told otherwise."""
    prices = closes if closes is not None else [2_000.0] * 40
    listings = [quoted(SYMBOL, prices), quoted(OTHER, [30_000.0] * len(prices))]
    market = Market(listings, ExchangeClock(NOW_MS))
    book = TradingBook(market, "binance", wallet_quote)
    transport = InProcessTransport(
        "binance", Front(market, BinanceTrading(book, children_keep_ids=keeps_ids))
    )
    return Account(market, book, transport, BinanceVenue(transport, PROOF_MS))


def entry(side: str = BUY, quantity: str = "0.100", bar_ms: int = START_MS - HOUR_MS) -> OrderIntent:
    return OrderIntent(
        client_id=client_id(SYMBOL, "1h", bar_ms, ENTRY),
        symbol=SYMBOL,
        leg=ENTRY,
        side=side,
        quantity_base=quantity,
        reduce_only=False,
        bar_ms=bar_ms,
        intended_ms=NOW_MS,
    )


def leaving(side: str = SELL, quantity: str = "0.100", bar_ms: int = START_MS) -> OrderIntent:
    return OrderIntent(
        client_id=client_id(SYMBOL, "1h", bar_ms, EXIT),
        symbol=SYMBOL,
        leg=EXIT,
        side=side,
        quantity_base=quantity,
        reduce_only=True,
        bar_ms=bar_ms,
        intended_ms=NOW_MS,
    )


def wish(stop: str = "1900", target: str = "", quantity: str = "0.100", side: str = SELL) -> Protection:
    return Protection(
        symbol=SYMBOL,
        side=side,
        quantity_base=quantity,
        stop_price=stop,
        stop_id=client_id(SYMBOL, "1h", START_MS, STOP, detail=stop),
        target_price=target,
        target_id=client_id(SYMBOL, "1h", START_MS, TARGET, detail=target) if target else "",
    )
