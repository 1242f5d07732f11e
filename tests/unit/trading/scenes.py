"""Live states and orders for tests, sensible by default."""

from dataclasses import replace
from typing import Any

from engine_alpha.domain.orders import (
    BUY,
    ENTRY,
    EXIT,
    INTENDED,
    SELL,
    TRADE,
    WORKING,
    Execution,
    OrderIntent,
    Protection,
    client_id,
)
from engine_alpha.trading.duties import Moment
from engine_alpha.trading.state import LiveOrder, LiveState

SYMBOL, BAR_MS, HOUR_MS = "ETHUSDT", 1_699_999_200_000, 3_600_000
NOW_MS = BAR_MS + HOUR_MS + 5_000
ENTRY_ID = client_id(SYMBOL, "1h", BAR_MS, ENTRY)
EXIT_ID = client_id(SYMBOL, "1h", BAR_MS, EXIT, "0")


def an_order(leg: str = ENTRY, status: str = WORKING, **changes: Any) -> LiveOrder:
    """Return an order of 2 ETH: a buy that enters, a sell that leaves."""
    intent = OrderIntent(
        client_id=ENTRY_ID if leg == ENTRY else EXIT_ID,
        symbol=SYMBOL,
        leg=leg,
        side=BUY if leg == ENTRY else SELL,
        quantity_base="2",
        reduce_only=leg == EXIT,
        bar_ms=BAR_MS,
        intended_ms=NOW_MS - 4_000,
        reason="" if leg == ENTRY else "time",
    )
    return replace(LiveOrder(intent=intent, status=status, sent_ms=NOW_MS - 4_000), **changes)


def a_state(*orders: LiveOrder, **changes: Any) -> LiveState:
    return replace(LiveState(symbol=SYMBOL, venue="bybit", orders=tuple(orders)), **changes)


def held(*orders: LiveOrder, **changes: Any) -> LiveState:
    """Return a state that is long 2 ETH, as the venue says too."""
    return a_state(*orders, **{"ours_base": "2", "venue_base": "2", **changes})


def an_execution(venue_id: str = "1", **changes: Any) -> Execution:
    """Return a buy of 2 at 100 by the entry."""
    base = Execution(
        venue_id=venue_id, symbol=SYMBOL, kind=TRADE, at_ms=NOW_MS - 2_000, client_id=ENTRY_ID, side=BUY,
        quantity_base="2", price="100", fee_quote="0.11",
    )  # fmt: skip
    return replace(base, **changes)


def a_protection(stop: str = "95", **changes: Any) -> Protection:
    base = Protection(symbol=SYMBOL, side=SELL, quantity_base="2", stop_price=stop, stop_id="s")
    return replace(base, **changes)


def a_moment(**changes: Any) -> Moment:
    base = Moment(
        now_ms=NOW_MS, started_ms=NOW_MS - 60_000, naked_limit_ms=10_000,
        max_entry_delay_ms=300_000, timeframe_ms=HOUR_MS, may_enter=True,
    )  # fmt: skip
    return replace(base, **changes)


def unsent(order: LiveOrder) -> LiveOrder:
    return replace(order, status=INTENDED)
