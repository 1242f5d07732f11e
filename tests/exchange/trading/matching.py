"""The matching engine: what becomes of an accepted order when its turn comes."""

from decimal import Decimal

from tests.exchange.trading.acceptance import is_affordable
from tests.exchange.trading.execution import ended, met_fill, parts_of, price_fill, rejected, traded
from tests.exchange.trading.state import BookState
from tests.exchange.trading.values import (
    CANCELLED,
    INSUFFICIENT_BALANCE,
    LIMIT,
    NOT_TRADING,
    NOTHING_TO_MATCH,
    POST_ONLY_WOULD_TAKE,
    REDUCE_ONLY_EXCESS,
    REDUCE_ONLY_FLAT,
    BookOrder,
    exact,
    sign_of,
)

AT_ONCE = ("IOC", "FOK")


def processed(state: BookState, order: BookOrder) -> None:
    """Play an accepted order: it waits for its trigger, rests, trades, or is rejected after all."""
    if not order.is_open:
        return
    if state.market.listings[order.symbol].settled_ms is not None:
        rejected(state, order, NOT_TRADING)
    elif order.conditional:
        state.noted(order)
    elif order.type == LIMIT:
        _limit(state, order)
    else:
        take(state, order, state.raw_price(order.symbol), state.now_ms)


def reducible(state: BookState, order: BookOrder) -> Decimal:
    """Return how much of an order may trade: a reduce-only one never more than the position."""
    quantity = state.position(order.symbol).quantity
    held = abs(quantity) if quantity * sign_of(order.side) < 0 else Decimal(0)
    if order.close_position:
        return held
    left = order.quantity - order.filled
    return min(left, held) if order.reduce_only else left


def take(state: BookState, order: BookOrder, raw: float, at_ms: int) -> None:
    """Trade an order at the market's `raw` price; what can't be filled is cancelled."""
    may = reducible(state, order)
    if may <= 0:
        rejected(state, order, REDUCE_ONLY_FLAT)
        return
    if order.close_position:
        order.quantity = may
    elif not order.reduce_only and not is_affordable(state, order.request, may):
        rejected(state, order, INSUFFICIENT_BALANCE)
        return
    excess = order.quantity - order.filled > may
    parts = parts_of(state, order, may) if order.origin == "client" and not order.conditional else [may]
    for part in parts:
        side = sign_of(order.side)
        traded(state, order, met_fill(state, order.symbol, side, part, raw), at_ms)
    if order.is_open:
        ended(state, order, CANCELLED, REDUCE_ONLY_EXCESS if excess else NOTHING_TO_MATCH)


def _limit(state: BookState, order: BookOrder) -> None:
    side, raw = sign_of(order.side), state.raw_price(order.symbol)
    assert order.price is not None
    price = exact(met_fill(state, order.symbol, side, order.quantity, raw).price)
    crosses = side * (order.price - price) >= 0
    if crosses and order.request.post_only:
        ended(state, order, CANCELLED, POST_ONLY_WOULD_TAKE)
    elif crosses:
        take(state, order, raw, state.now_ms)
    elif order.request.time_in_force in AT_ONCE:
        ended(state, order, CANCELLED, NOTHING_TO_MATCH)
    else:
        state.noted(order)


def filled_at(state: BookState, order: BookOrder, price: float, at_ms: int) -> None:
    """Fill an order at exactly its price (a target, or a limit order that rested)."""
    may = reducible(state, order)
    if may <= 0:
        ended(state, order, CANCELLED, REDUCE_ONLY_FLAT)
        return
    if order.close_position:
        order.quantity = may
    traded(state, order, price_fill(state, order.symbol, sign_of(order.side), may, price), at_ms)
    if order.is_open:
        ended(state, order, CANCELLED, REDUCE_ONLY_EXCESS)
