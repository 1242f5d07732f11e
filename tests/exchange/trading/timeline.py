"""The exchange's time: every event between two moments, in order.

At one instant the bar that ends is played first, then funding, then a delisting, then orders in flight.
"""

from collections.abc import Callable
from functools import partial

from tests.exchange.trading.execution import ended, paid_funding, price_fill, system_trade
from tests.exchange.trading.inside import play_bar
from tests.exchange.trading.matching import processed
from tests.exchange.trading.state import BookState, Rank
from tests.exchange.trading.values import CANCELLED, SETTLE, SYMBOL_SETTLED

BAR_ENDS, FUNDING_DUE, DELISTED, ORDER_DUE, ALL_DONE = 0, 1, 2, 3, 9
Event = tuple[Rank, Callable[[], None]]


def play_until(state: BookState, to_ms: int) -> None:
    """Play all that happens up to and including `to_ms`."""
    while True:
        event = _next_event(state)
        if event is None or event[0][0] > to_ms:
            break
        rank, act = event
        state.done, state.now_ms = rank, max(state.now_ms, rank[0])
        act()
    state.now_ms = max(state.now_ms, to_ms)
    state.done = max(state.done, (state.now_ms, ALL_DONE, 0))


def _next_event(state: BookState) -> Event | None:
    candidates = _delistings(state)
    holding = {symbol for symbol, each in state.positions.items() if each.quantity}
    waiting = {order.symbol for order in state.open.values()}
    for place, symbol in enumerate(state.prices):
        if symbol in holding or symbol in waiting:
            candidates += _bar_end(state, symbol, place)
        if symbol in holding:
            candidates += _funding(state, symbol, place)
    for at_ms, order_id in state.due:
        rank = (at_ms, ORDER_DUE, int(order_id))
        candidates.append((rank, partial(_order_due, state, order_id)))
    return min(candidates, key=lambda each: each[0], default=None)


def _bar_end(state: BookState, symbol: str, place: int) -> list[Event]:
    prices = state.prices[symbol]
    including = (state.done[0], BAR_ENDS, place) > state.done
    index = prices.next_close(state.done[0], including)
    if index is None:
        return []
    bar = prices.bar(index)
    return [((bar.close_ms, BAR_ENDS, place), partial(play_bar, state, symbol, bar))]


def _funding(state: BookState, symbol: str, place: int) -> list[Event]:
    """Return the next settlement; two at one instant of one symbol do not occur."""
    prices = state.prices[symbol]
    including = (state.done[0], FUNDING_DUE, place) > state.done
    index = prices.next_funding(state.done[0], including)
    if index is None:
        return []
    at_ms, rate = prices.listing.funding[index]
    price = prices.open_at_or_after(at_ms)
    if price is None:
        return []
    act = partial(paid_funding, state, state.position(symbol), price, rate, at_ms)
    return [((at_ms, FUNDING_DUE, place), act)]


def _delistings(state: BookState) -> list[Event]:
    events: list[Event] = []
    for place, symbol in enumerate(state.prices):
        at_ms = state.market.listings[symbol].delist_ms
        if at_ms is not None and symbol not in state.delisted:
            rank = max((at_ms, DELISTED, place), (state.done[0], state.done[1], state.done[2] + 1))
            events.append((rank, partial(_delist, state, symbol)))
    return events


def _delist(state: BookState, symbol: str) -> None:
    """End a contract: orders are cancelled, the position is settled at the last price, without a fee."""
    state.delisted.add(symbol)
    position = state.position(symbol)
    for order in [o for o in state.open.values() if o.symbol == symbol and not o.is_child]:
        ended(state, order, CANCELLED, SYMBOL_SETTLED)
    if position.quantity:
        quantity = abs(position.quantity)
        fill = price_fill(state, symbol, -position.side, quantity, state.raw_price(symbol))
        system_trade(state, symbol, quantity, fill._replace(fee_quote=0.0, at_ms=state.now_ms), SETTLE)
    listing = state.market.listings[symbol]
    listing.settled_ms = listing.settled_ms or listing.delist_ms


def _order_due(state: BookState, order_id: str) -> None:
    state.due = [each for each in state.due if each[1] != order_id]
    processed(state, state.orders[order_id])
