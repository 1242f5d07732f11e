"""What happens inside a bar that has closed, pessimistic as the kernel's settling is.

Liquidation on the mark comes first, a stop before a target, a gap fills at the open, a target at its price.
"""

from dataclasses import dataclass

from tests.exchange.trading.acceptance import rises
from tests.exchange.trading.bars import PriceBar
from tests.exchange.trading.execution import ended, price_fill, system_trade
from tests.exchange.trading.matching import filled_at, take
from tests.exchange.trading.state import BookState
from tests.exchange.trading.values import (
    BUST,
    CANCELLED,
    LIMIT,
    REDUCE_ONLY_FLAT,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    UNTRIGGERED,
    BookOrder,
    BookPosition,
    sign_of,
)


@dataclass(frozen=True, slots=True)
class Hit:
    """An order that a bar reaches: at which price, and if as a gap at the open."""

    order: BookOrder
    raw: float
    gapped: bool


def play_bar(state: BookState, symbol: str, bar: PriceBar) -> None:
    """Play liquidation, then the exits that hang on the position, then what would open one."""
    position = state.position(symbol)
    if position.quantity and _is_liquidated(position, bar):
        _liquidate(state, position, bar)
    while position.quantity:
        hit = _exit_hit(state, position, bar)
        if hit is None:
            break
        _fire(state, hit, bar)
    for order in _standing(state, symbol):
        if order.is_open and not _protects(order, position):
            _play_other(state, order, bar)


def _is_liquidated(position: BookPosition, bar: PriceBar) -> bool:
    mark = bar.mark_low if position.side > 0 else bar.mark_high
    at = position.liquidation_price
    return at > 0.0 and position.side * (mark - at) <= 0.0


def _liquidate(state: BookState, position: BookPosition, bar: PriceBar) -> None:
    """Take the position over at the bankruptcy price: the whole isolated margin is gone."""
    asset = state.contracts[position.symbol].asset
    side, quantity = position.side, abs(position.quantity)
    bankrupt = max(
        float(position.entry_price) * (1.0 - side / float(position.leverage)),
        asset.tick_quote,
    )
    fill = price_fill(state, position.symbol, -side, quantity, bankrupt)
    system_trade(state, position.symbol, quantity, fill._replace(at_ms=bar.close_ms - 1), BUST)


def _standing(state: BookState, symbol: str) -> list[BookOrder]:
    """Return the orders that wait in the book, in the order they came; accepted ones in flight do not."""
    flying = {order_id for _at, order_id in state.due}
    return [o for o in state.open.values() if o.symbol == symbol and o.order_id not in flying]


def _protects(order: BookOrder, position: BookPosition) -> bool:
    reduces = order.request.reduces and order.conditional
    return reduces and bool(position.quantity) and sign_of(order.side) == -position.side


def _exit_hit(state: BookState, position: BookPosition, bar: PriceBar) -> Hit | None:
    """Return the exit that comes first by the pessimistic rule, or None."""
    side = position.side
    waiting = [o for o in _standing(state, position.symbol) if _protects(o, position)]
    stops = [o for o in waiting if o.type == STOP_MARKET]
    targets = [o for o in waiting if o.type == TAKE_PROFIT_MARKET]
    stop = max(stops, key=lambda o: side * _trigger(o), default=None)
    target = min(targets, key=lambda o: side * _trigger(o), default=None)
    worst, best = (bar.low, bar.high) if side > 0 else (bar.high, bar.low)
    may_take = bar.open_ms > position.entry_bar_ms
    reached = target if target and may_take and side * (best - _trigger(target)) >= 0.0 else None
    if stop is None:
        return Hit(reached, _trigger(reached), False) if reached else None
    passed = reached is not None and side * (_trigger(stop) - _trigger(reached)) >= 0.0
    if reached and passed and side * (bar.open - _trigger(reached)) >= 0.0:  # trailed beyond the target
        return Hit(reached, _trigger(reached), False)
    if side * (worst - _trigger(stop)) <= 0.0:
        gapped = side * (bar.open - _trigger(stop)) <= 0.0
        return Hit(stop, bar.open if gapped else _trigger(stop), gapped)
    return Hit(reached, _trigger(reached), False) if reached else None


def _trigger(order: BookOrder) -> float:
    assert order.trigger_price is not None
    return float(order.trigger_price)


def _fire(state: BookState, hit: Hit, bar: PriceBar) -> None:
    order = hit.order
    at_ms = max(bar.open_ms, order.created_ms) if hit.gapped else bar.close_ms - 1
    if order.conditional:
        order.triggered_ms = at_ms
        order.actual_order_id = str(state.next_number())
    if order.type == STOP_MARKET:
        take(state, order, hit.raw, at_ms)
    else:
        filled_at(state, order, hit.raw, at_ms)


def _play_other(state: BookState, order: BookOrder, bar: PriceBar) -> None:
    """Play an order that does not leave the position: limits that rest, entries on a trigger, leftovers."""
    if order.type == LIMIT:
        assert order.price is not None
        price = float(order.price)
        if (bar.low <= price) if sign_of(order.side) > 0 else (bar.high >= price):
            _fire(state, Hit(order, price, False), bar)
        return
    if order.status != UNTRIGGERED:
        return
    trigger, up = _trigger(order), rises(order.request)
    if not (bar.high >= trigger if up else bar.low <= trigger):
        return
    position = state.position(order.symbol)
    if order.request.reduces and position.quantity * sign_of(order.side) >= 0:
        order.triggered_ms = bar.close_ms - 1
        ended(state, order, CANCELLED, REDUCE_ONLY_FLAT)
        return
    gapped = bar.open >= trigger if up else bar.open <= trigger
    _fire(state, Hit(order, bar.open if gapped else trigger, gapped), bar)
