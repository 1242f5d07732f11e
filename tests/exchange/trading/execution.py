"""Fills: what an order that trades does to itself, the position, the stops that hang on it and the wallet."""

from decimal import ROUND_DOWN, Decimal

from engine_alpha.kernel.fills import market_fill, priced_fill
from engine_alpha.kernel.margin import liquidation_price, tier_of
from engine_alpha.kernel.values import Fill
from tests.exchange.trading.state import BookState
from tests.exchange.trading.values import (
    BUST,
    CANCELLED,
    FILLED,
    FUNDING,
    PARTIALLY_FILLED,
    POSITION_CLOSED,
    REJECTED,
    SETTLE,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    TRADE,
    UNTRIGGERED,
    ZERO,
    BookFill,
    BookOrder,
    BookPosition,
    NewOrder,
    exact,
    side_of,
    sign_of,
)


def met_fill(state: BookState, symbol: str, side: int, quantity: Decimal, raw: float) -> Fill:
    """Return what a market order of that quantity gets at `raw`."""
    contract = state.contracts[symbol]
    return market_fill(contract.asset, contract.risk, side, float(quantity), raw)


def price_fill(state: BookState, symbol: str, side: int, quantity: Decimal, price: float) -> Fill:
    """Return a fill at exactly `price`."""
    return priced_fill(state.contracts[symbol].asset, side, float(quantity), price, price)


def traded(state: BookState, order: BookOrder, fill: Fill, at_ms: int, exec_type: str = TRADE) -> BookFill:
    """Fill `order` by `fill`: execution, wallet, position, the order's own sums."""
    quantity, price, fee = exact(fill.quantity_base), exact(fill.price), exact(fill.fee_quote)
    position = state.position(order.symbol)
    realised, closed = _moved(state, position, sign_of(order.side) * quantity, price, at_ms)
    state.wallet += realised - fee
    order.avg_price = _average(order.filled, order.avg_price, quantity, price)
    order.filled += quantity
    order.fee += fee
    order.status = FILLED if order.filled >= order.quantity else PARTIALLY_FILLED
    number = state.next_number()
    done = BookFill(
        number=number,
        exec_id=f"e-{number}",
        symbol=order.symbol,
        order=None if exec_type == SETTLE else order,
        order_id=order.order_id,
        side=order.side,
        quantity=quantity,
        price=price,
        fee=fee,
        at_ms=at_ms,
        exec_type=exec_type,
        realised_quote=realised,
        closed_quantity=closed,
        left=order.left,
        visible_ms=state.seen_at(),
    )
    state.recorded(done)
    if exec_type != SETTLE:
        state.noted(order)
    request = order.request
    if (request.stop_loss or request.take_profit) and position.side == sign_of(order.side):
        position.stop = request.stop_loss or position.stop
        position.target = request.take_profit or position.target
        position.stop_parent = order.client_id
    hang_stops(state, position)
    state.noted_position(position)
    return done


def _average(held: Decimal, held_price: Decimal, more: Decimal, price: Decimal) -> Decimal:
    if not held or held_price == price:
        return price
    return (held * held_price + more * price) / (held + more)


def _moved(
    state: BookState, position: BookPosition, signed: Decimal, price: Decimal, at_ms: int
) -> tuple[Decimal, Decimal]:
    """Change a position by a signed quantity; return what that realised and the quantity closed."""
    before, realised, closed = position.quantity, ZERO, ZERO
    if before * signed < 0:
        closed = min(abs(before), abs(signed))
        realised = position.side * closed * (price - position.entry_price)
    position.quantity = before + signed
    if before * signed >= 0:
        position.entry_price = _average(abs(before), position.entry_price, abs(signed), price)
    elif position.quantity * before < 0:
        position.entry_price = price
    if position.quantity and before * position.quantity <= 0:
        forming = state.prices[position.symbol].forming(at_ms)
        position.opened_ms, position.entry_bar_ms = at_ms, forming.open_ms if forming else at_ms
        position.stop, position.target, position.stop_parent = None, None, ""
    position.realised_quote += realised
    if not position.quantity:
        position.entry_price = ZERO
    revalued(state, position)
    return realised, closed


def revalued(state: BookState, position: BookPosition) -> None:
    """Say anew where a position would be liquidated."""
    if not position.quantity:
        position.liquidation_price = 0.0
        return
    quantity, entry = float(abs(position.quantity)), float(position.entry_price)
    value = entry * quantity
    tier = tier_of(state.contracts[position.symbol].asset, value)
    margin = value / float(position.leverage)
    position.liquidation_price = liquidation_price(position.side, quantity, entry, margin, tier)


def hang_stops(state: BookState, position: BookPosition) -> None:
    """Make the children of a position what its stop, target and quantity say."""
    if not position.quantity:
        position.stop, position.target, position.stop_parent = None, None, ""
        _expire_with_position(state, position.symbol)
    _hang(state, position, "StopLoss", STOP_MARKET, position.stop)
    _hang(state, position, "TakeProfit", TAKE_PROFIT_MARKET, position.target)


def _expire_with_position(state: BookState, symbol: str) -> None:
    """End the orders that stand only as long as there is a position (Binance's GTE_GTC)."""
    for order in [o for o in state.open.values() if o.symbol == symbol]:
        if order.request.time_in_force == "GTE_GTC":
            ended(state, order, CANCELLED, POSITION_CLOSED)


def _hang(state: BookState, position: BookPosition, kind: str, type_: str, trigger: Decimal | None) -> None:
    mine = [o for o in state.open.values() if o.symbol == position.symbol and o.is_child]
    child = next((o for o in mine if o.stop_order_type == kind), None)
    side, quantity = side_of(-position.side), abs(position.quantity)
    if child is not None and (trigger is None or child.side != side):
        ended(state, child, CANCELLED, POSITION_CLOSED)
        child = None
    if trigger is None:
        return
    if child is None:
        request = NewOrder(
            symbol=position.symbol,
            client_id="",
            side=side,
            quantity=quantity,
            type=type_,
            trigger_price=trigger,
            reduce_only=True,
        )
        child = booked(state, request, UNTRIGGERED, "child")
        child.stop_order_type, child.is_child, child.parent_client_id = kind, True, position.stop_parent
        state.noted(child)
    elif (child.trigger_price, child.quantity) != (trigger, quantity):
        child.trigger_price, child.quantity = trigger, quantity
        state.noted(child)


def booked(state: BookState, request: NewOrder, status: str, origin: str) -> BookOrder:
    """Enter an order into the book."""
    kinds = {STOP_MARKET: "Stop", TAKE_PROFIT_MARKET: "TakeProfit"}
    order = BookOrder(
        request=request,
        order_id=str(state.next_number()),
        quantity=request.quantity,
        created_ms=state.now_ms,
        updated_ms=state.now_ms,
        status=status,
        price=request.price,
        trigger_price=request.trigger_price,
        stop_order_type=kinds.get(request.type, ""),
        origin=origin,
    )
    state.added(order)
    return order


def ended(state: BookState, order: BookOrder, status: str, reason: str) -> None:
    """Close an order: cancelled or rejected, and why."""
    order.status, order.reason = status, reason
    state.noted(order)


def system_trade(state: BookState, symbol: str, quantity: Decimal, fill: Fill, exec_type: str) -> BookFill:
    """Close a part of a position by the exchange's own order (ADL, liquidation, settlement), stamped now."""
    origin = {BUST: "liquidation", SETTLE: "settlement"}.get(exec_type, "adl")
    request = NewOrder(
        symbol=symbol, client_id="", side=side_of(fill.side), quantity=quantity, reduce_only=True
    )
    order = booked(state, request, "New", origin)
    done = traded(state, order, fill, fill.at_ms or state.now_ms, exec_type)
    if exec_type == SETTLE:  # a trade that no order tells of
        del state.orders[order.order_id], state.open[order.order_id]
    return done


def paid_funding(
    state: BookState, position: BookPosition, price: float, rate_frac: float, at_ms: int
) -> None:
    """Settle funding: a long pays a positive rate."""
    quantity = float(abs(position.quantity))
    received = exact(-position.side * quantity * price * rate_frac)
    state.wallet += received
    position.realised_quote += received
    number = state.next_number()
    state.recorded(
        BookFill(
            number=number,
            exec_id=f"e-{number}",
            symbol=position.symbol,
            order=None,
            order_id=str(number),
            side="",
            quantity=abs(position.quantity),
            price=exact(price),
            fee=ZERO,
            at_ms=at_ms,
            exec_type=FUNDING,
            received_quote=received,
            rate_frac=exact(rate_frac),
            held_side=side_of(position.side),
            visible_ms=state.seen_at(),
        )
    )
    state.noted_position(position)


def parts_of(state: BookState, order: BookOrder, quantity: Decimal) -> list[Decimal]:
    """Return the quantities a market order is filled in, as the dials of partial fills say."""
    dials = state.dials
    wanted = dials.partial_parts > 1 or dials.partial_share < 1
    meets = not dials.symbols or order.symbol in dials.symbols
    if not wanted or not meets or dials.partial_times == 0:
        return [quantity]
    if dials.partial_chance < 1.0 and state.random.random() >= dials.partial_chance:
        return [quantity]
    if dials.partial_times is not None:
        dials.partial_times -= 1
    lot = Decimal(state.market.listings[order.symbol].lot)
    whole = quantity if dials.partial_share >= 1 else _floored(quantity * dials.partial_share, lot)
    part = _floored(whole / dials.partial_parts, lot)
    parts = [part] * (dials.partial_parts - 1)
    return [each for each in (*parts, whole - sum(parts, ZERO)) if each > 0]


def _floored(value: Decimal, lot: Decimal) -> Decimal:
    return (value / lot).to_integral_value(ROUND_DOWN) * lot


def rejected(state: BookState, order: BookOrder, reason: str) -> None:
    ended(state, order, REJECTED, reason)
