"""One account at the test exchange's Bybit, spoken to by the adapter in this process."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine_alpha.domain.orders import BUY, ENTRY, EXIT, SELL, OrderIntent, Protection, client_id
from engine_alpha.venues.bybit import BybitVenue
from tests.exchange.bybit_trading import BybitTrading
from tests.exchange.candles import HOUR_MS
from tests.exchange.clock import ExchangeClock
from tests.exchange.in_process import InProcessTransport
from tests.exchange.market import Market
from tests.exchange.private import Front
from tests.exchange.trading.book import TradingBook
from tests.unit.venues.binance_account import NOW_MS, OTHER, PROOF_MS, START_MS, SYMBOL, quoted

__all__ = ["NOW_MS", "OTHER", "PROOF_MS", "SYMBOL", "an_account", "entry", "leaving", "wish"]


@dataclass
class Account:
    """The market, the account's book, the way there, and the venue over it."""

    market: Market
    book: TradingBook
    transport: InProcessTransport
    venue: BybitVenue

    def fails(self, path: str, kind: str, value: Any = None, times: int | None = 1) -> None:
        self.market.faults.add(kind=kind, path=path, value=value, times=times)

    def refuses(self, path: str, code: int, words: str, times: int | None = 1) -> None:
        self.fails(path, "refuse", (code, words), times)

    def sent(self, path: str) -> list[dict[str, str]]:
        """Return the parameters of the requests to a path that ends so."""
        return [params for _, asked, params in self.transport.sent if asked.endswith(path)]

    def trades_by_hand(self, side: str, quantity: str, symbol: str = SYMBOL) -> None:
        self.book.manual(symbol, side, Decimal(quantity))


def an_account(closes: list[float] | None = None, wallet_quote: float = 10_000.0) -> Account:
    """Return an account at NOW_MS, twenty minutes into a bar; prices stand at 2,000 unless told otherwise."""
    prices = closes if closes is not None else [2_000.0] * 40
    listings = [quoted(SYMBOL, prices), quoted(OTHER, [30_000.0] * len(prices))]
    market = Market(listings, ExchangeClock(NOW_MS))
    book = TradingBook(market, "bybit", wallet_quote)
    transport = InProcessTransport("bybit", Front(market, BybitTrading(book)))
    return Account(market, book, transport, BybitVenue(transport, PROOF_MS))


def entry(side: str = BUY, quantity: str = "0.100", stop: str = "1900") -> OrderIntent:
    bar_ms = START_MS - HOUR_MS
    return OrderIntent(
        client_id=client_id(SYMBOL, "1h", bar_ms, ENTRY),
        symbol=SYMBOL,
        leg=ENTRY,
        side=side,
        quantity_base=quantity,
        reduce_only=False,
        bar_ms=bar_ms,
        intended_ms=NOW_MS,
        stop_price=stop,
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
        stop_id="",
        target_price=target,
    )
