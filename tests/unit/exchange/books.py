"""Books for tests: one symbol, candles given as rows, costs that make the arithmetic plain."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from engine_alpha.kernel.values import Asset, Risk
from tests.exchange.candles import HOUR_MS, Listing, Series
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.rules import Contract
from tests.exchange.trading.values import NewOrder
from tests.makers import a_risk, an_asset

SYMBOL = "BTCUSDT"
START_MS = 400_000 * HOUR_MS
QUIET = (100.0, 101.0, 99.0, 100.0)
FREE = {"slippage_bps": 0.0, "spread_bps": 0.0}
Row = tuple[float, float, float, float]


def a_listing(rows: Sequence[Row], **changes: Any) -> Listing:
    """Return BTCUSDT with hourly candles from START_MS on; `marks` gives the mark's own rows."""
    marks = changes.pop("marks", None)
    listing = Listing(SYMBOL, {HOUR_MS: _series(rows)}, tick="0.1", lot="0.001", **changes)
    if marks is not None:
        listing.mark[HOUR_MS] = _series(marks)
    return listing


def _series(rows: Sequence[Row]) -> Series:
    open_ms = START_MS + np.arange(len(rows), dtype=np.int64) * HOUR_MS
    return Series(HOUR_MS, open_ms, np.array([(*row, 10.0) for row in rows]), 2)


def a_book(
    rows: Sequence[Row] = (QUIET,) * 10,
    venue: str = "bybit",
    *,
    asset: Asset | None = None,
    risk: Risk | None = None,
    listing: Listing | None = None,
    **changes: Any,
) -> TradingBook:
    """Return a book at START_MS with 10,000 in its wallet, by default without slippage."""
    market = Market([listing or a_listing(rows)], ExchangeClock(START_MS))
    contract = Contract(asset=asset or an_asset(), risk=risk or a_risk(**FREE))
    wallet = changes.pop("wallet_quote", 10_000.0)
    return TradingBook(market, venue, wallet, contracts={SYMBOL: contract}, **changes)


def an_order(client_id: str = "a", side: str = "buy", quantity: str = "1", **changes: Any) -> NewOrder:
    """Return a market order; prices may be given as text."""
    for name in ("price", "trigger_price", "stop_loss", "take_profit"):
        if isinstance(changes.get(name), str):
            changes[name] = Decimal(changes[name])
    return NewOrder(symbol=SYMBOL, client_id=client_id, side=side, quantity=Decimal(quantity), **changes)


def after(bars: float) -> int:
    """Return the time so many bars after the start."""
    return START_MS + int(bars * HOUR_MS)
