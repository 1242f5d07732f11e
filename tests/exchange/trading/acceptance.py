"""What is refused at the door: every check that an order passes before the exchange accepts it."""

import re
from decimal import Decimal

from tests.exchange.trading.rules import ALWAYS_UNIQUE
from tests.exchange.trading.state import BookState
from tests.exchange.trading.values import (
    ABOVE_MAXIMUM_QUANTITY,
    BAD_ID,
    BAD_PRICE,
    BAD_QUANTITY,
    BELOW_MINIMUM_NOTIONAL,
    BELOW_MINIMUM_QUANTITY,
    BUY,
    DELISTING,
    DUPLICATE_ID,
    INSUFFICIENT_BALANCE,
    LIMIT,
    MARKET,
    NOT_TRADING,
    REDUCE_ONLY_FLAT,
    REDUCE_ONLY_WITH_STOPS,
    STOP_MARKET,
    STOP_WRONG_SIDE,
    TOO_MANY_CONDITIONAL,
    TRIGGER_PASSED,
    UNKNOWN_SYMBOL,
    NewOrder,
    OrderRefused,
    exact,
    sign_of,
)

CLIENT_ID = re.compile(r"[A-Za-z0-9_.:/-]{1,36}")


def check(state: BookState, order: NewOrder) -> None:
    """Raise `OrderRefused` for an order that no venue would accept."""
    _check_symbol(state, order)
    _check_id(state, order)
    _check_quantity(state, order)
    _check_prices(state, order)
    _check_stops(state, order)
    _check_reducing(state, order)
    _check_conditional(state, order)
    if not order.conditional and not order.reduces and not is_affordable(state, order, order.quantity):
        raise OrderRefused(INSUFFICIENT_BALANCE)


def _check_symbol(state: BookState, order: NewOrder) -> None:
    if order.symbol not in state.contracts:
        raise OrderRefused(UNKNOWN_SYMBOL, order.symbol)
    listing = state.market.listings[order.symbol]
    if listing.settled_ms is not None or listing.launched_ms > state.now_ms:
        raise OrderRefused(NOT_TRADING, order.symbol)
    if listing.delist_ms is not None and not order.reduces:
        raise OrderRefused(DELISTING, order.symbol)


def _check_id(state: BookState, order: NewOrder) -> None:
    if not order.client_id:
        return
    if CLIENT_ID.fullmatch(order.client_id) is None:
        raise OrderRefused(BAD_ID, order.client_id)
    known = state.with_client_id(order.symbol, order.client_id, order.conditional)
    if state.rules.ids != ALWAYS_UNIQUE:
        known = [each for each in known if each.is_open]
    if known:
        raise OrderRefused(DUPLICATE_ID, order.client_id)


def _check_quantity(state: BookState, order: NewOrder) -> None:
    if order.close_position:
        return
    lot = Decimal(state.market.listings[order.symbol].lot)
    contract = state.contracts[order.symbol]
    if order.quantity <= 0 or order.quantity % lot:
        raise OrderRefused(BAD_QUANTITY, str(order.quantity))
    if order.quantity < exact(contract.asset.min_quantity_base):
        raise OrderRefused(BELOW_MINIMUM_QUANTITY, str(order.quantity))
    most = contract.max_market_quantity
    if most is not None and order.type != LIMIT and order.quantity > most:
        raise OrderRefused(ABOVE_MAXIMUM_QUANTITY, str(order.quantity))
    price = order.price or order.trigger_price or exact(state.raw_price(order.symbol))
    if not order.reduces and order.quantity * price < state.rules.min_notional_quote:
        raise OrderRefused(BELOW_MINIMUM_NOTIONAL, str(order.quantity * price))


def _check_prices(state: BookState, order: NewOrder) -> None:
    needed = [order.price] if order.type == LIMIT else [order.trigger_price] if order.conditional else []
    given = [each for each in (order.stop_loss, order.take_profit) if each is not None]
    tick = Decimal(state.market.listings[order.symbol].tick)
    for price in (*needed, *given):
        if price is None or price <= 0 or price % tick:
            raise OrderRefused(BAD_PRICE, str(price))


def _check_stops(state: BookState, order: NewOrder) -> None:
    if order.stop_loss is None and order.take_profit is None:
        return
    if order.reduces:
        raise OrderRefused(REDUCE_ONLY_WITH_STOPS)
    check_stops(state, order.symbol, sign_of(order.side), order.stop_loss, order.take_profit)


def check_stops(
    state: BookState, symbol: str, side: int, stop: Decimal | None, target: Decimal | None
) -> None:
    """Refuse a stop or target that the price is through already."""
    tick, price = Decimal(state.market.listings[symbol].tick), exact(state.raw_price(symbol))
    for told in (stop, target):
        if told is not None and (told < 0 or told % tick):
            raise OrderRefused(BAD_PRICE, str(told))
    if stop and side * (price - stop) <= 0:
        raise OrderRefused(STOP_WRONG_SIDE, f"stop {stop} at {price}")
    if target and side * (target - price) <= 0:
        raise OrderRefused(STOP_WRONG_SIDE, f"target {target} at {price}")


def _check_reducing(state: BookState, order: NewOrder) -> None:
    if order.reduces and not order.conditional:
        quantity = state.position(order.symbol).quantity
        if quantity * sign_of(order.side) >= 0:
            raise OrderRefused(REDUCE_ONLY_FLAT)


def rises(order: NewOrder) -> bool:
    """Say whether a conditional order waits for the price to rise."""
    return (order.side == BUY) == (order.type == STOP_MARKET)


def _check_conditional(state: BookState, order: NewOrder) -> None:
    if not order.conditional:
        return
    assert order.trigger_price is not None
    price = exact(state.raw_price(order.symbol))
    passed = price >= order.trigger_price if rises(order) else price <= order.trigger_price
    if passed:
        raise OrderRefused(TRIGGER_PASSED, f"rising {rises(order)}: {order.trigger_price} at {price}")
    waiting = [o for o in state.open.values() if o.conditional and not o.is_child]
    here = [o for o in waiting if o.symbol == order.symbol]
    limits = state.rules
    over_symbol = limits.conditional_per_symbol is not None and len(here) >= limits.conditional_per_symbol
    over_all = limits.conditional_per_account is not None and len(waiting) >= limits.conditional_per_account
    if over_symbol or over_all:
        raise OrderRefused(TOO_MANY_CONDITIONAL)


def is_affordable(state: BookState, order: NewOrder, quantity: Decimal) -> bool:
    """Say whether the free money covers margin and both fees of what the order would open."""
    position = state.position(order.symbol)
    signed = sign_of(order.side) * quantity
    closes = position.quantity * signed < 0
    opens = max(quantity - abs(position.quantity), Decimal(0)) if closes else quantity
    price = order.price if order.type != MARKET and order.price else exact(state.raw_price(order.symbol))
    fee = exact(state.contracts[order.symbol].asset.taker_fee_frac) * 2
    return opens * price * (1 / position.leverage + fee) <= state.available()
