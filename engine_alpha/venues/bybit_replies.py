"""Bybit v5's orders, executions and positions as ours; `DataError` for what is not as documented."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from engine_alpha.domain import orders
from engine_alpha.domain.orders import Execution, OrderIntent, VenueOrder, VenuePosition
from engine_alpha.exchanges.replies import bad_reply, exact, exact_or_none, field, rows_of, text, whole

SIDES: Final = {"Buy": orders.BUY, "Sell": orders.SELL}
SIDE_WORDS: Final = {orders.BUY: "Buy", orders.SELL: "Sell"}

STATUSES: Final[dict[str, str]] = {
    "New": orders.WORKING,
    "Untriggered": orders.WORKING,
    "Triggered": orders.WORKING,  # for an instant, between its trigger and the market
    "PartiallyFilled": orders.PARTIAL,
    "Filled": orders.FILLED,
    "Cancelled": orders.CANCELLED,  # with fills or without
    "PartiallyFilledCanceled": orders.CANCELLED,
    "Deactivated": orders.CANCELLED,
    "Rejected": orders.REJECTED,
}
OPEN: Final = (orders.WORKING, orders.PARTIAL)
NO_STOP_TYPES: Final = ("", "UNKNOWN")
PLAIN_CONDITIONAL: Final = "Stop"  # an order that waits for a trigger and hangs on no position

STOPS: Final = ("StopLoss", "PartialStopLoss", "TrailingStop")
TARGETS: Final = ("TakeProfit", "PartialTakeProfit")
CREATED_AS_STOP: Final = ("CreateByStopLoss", "CreateByPartialStopLoss", "CreateByTrailingStop")
CREATED_AS_TARGET: Final = ("CreateByTakeProfit", "CreateByPartialTakeProfit")
EXECUTION_KINDS: Final[dict[str, str]] = {
    "BustTrade": orders.LIQUIDATION,
    "AdlTrade": orders.ADL,
    "Settle": orders.SETTLEMENT,
    "Delivery": orders.SETTLEMENT,
    "SessionSettlePnL": orders.SETTLEMENT,
    "Funding": orders.FUNDING,
}


def listed(reply: Any, what: str) -> list[Any]:
    """Return `result.list` of a reply."""
    return rows_of(field(field(reply, "result", what), "list", what), what)


def cursor_of(reply: Any, what: str) -> str:
    """Return where the next page begins, "" for no more."""
    cursor = field(field(reply, "result", what), "nextPageCursor", what)
    return "" if cursor is None else text(cursor, f"{what}: nextPageCursor")


def venue_order(item: Any) -> VenueOrder:
    """Return one order of realtime or history."""
    filled = exact(field(item, "cumExecQty", "order"), "cumExecQty")
    status = _word(STATUSES, field(item, "orderStatus", "order"), "orderStatus")
    if status == orders.REJECTED and Decimal(filled):
        status = orders.CANCELLED  # what was filled stays
    return VenueOrder(
        symbol=text(field(item, "symbol", "order"), "symbol"),
        client_id=text(field(item, "orderLinkId", "order"), "orderLinkId"),
        order_id=text(field(item, "orderId", "order"), "orderId"),
        side=_word(SIDES, field(item, "side", "order"), "side"),
        status=status,
        quantity_base=exact(field(item, "qty", "order"), "qty"),
        filled_base=filled,
        reduce_only=_flag(item, "reduceOnly"),
        conditional=_stop_type(item) not in NO_STOP_TYPES,
        trigger_price=exact_or_none(item.get("triggerPrice", ""), "triggerPrice"),
        created_ms=whole(field(item, "createdTime", "order"), "createdTime"),
    )


def hangs_on_position(item: Any) -> bool:
    """Say whether an order is a stop or target that the venue keeps with the position."""
    return _stop_type(item) not in (*NO_STOP_TYPES, PLAIN_CONDITIONAL)


def order_of_executions(intent: OrderIntent, fills: Sequence[tuple[Execution, Decimal]]) -> VenueOrder:
    """Return an order as its executions tell it: each with what was left of the order after it."""
    filled = sum((Decimal(fill.quantity_base) for fill, _ in fills), Decimal(0))
    left = min(left for _, left in fills)
    return VenueOrder(
        symbol=intent.symbol,
        client_id=intent.client_id,
        order_id=fills[0][0].order_id,
        side=fills[0][0].side,
        status=orders.FILLED if not left else orders.PARTIAL,
        quantity_base=format(filled + left, "f"),
        filled_base=format(filled, "f"),
        reduce_only=intent.reduce_only,
        conditional=False,
        created_ms=fills[0][0].at_ms,
    )


def execution(item: Any) -> Execution:
    """Return one execution: a fill, or funding, whose fee is what was paid of it."""
    kind = _kind(item)
    funding = kind == orders.FUNDING
    fee = field(item, "execFee", "execution")
    fee = "0" if fee == "" else exact(fee, "execFee")
    return Execution(
        venue_id=_named(item, "execId"),
        symbol=_named(item, "symbol"),
        kind=kind,
        at_ms=whole(field(item, "execTime", "execution"), "execTime"),
        client_id=text(field(item, "orderLinkId", "execution"), "orderLinkId"),
        order_id=text(field(item, "orderId", "execution"), "orderId"),
        side="" if funding else _word(SIDES, field(item, "side", "execution"), "side"),
        quantity_base="0" if funding else exact(field(item, "execQty", "execution"), "execQty"),
        price=exact(field(item, "execPrice", "execution"), "execPrice"),
        fee_quote="0" if funding else fee,
        received_quote=_negated(fee) if funding else "0",
    )


def left_after(item: Any) -> Decimal:
    """Return what was left of the order after an execution."""
    return Decimal(exact(field(item, "leavesQty", "execution"), "leavesQty"))


def sequence_of(item: Any) -> tuple[int, int]:
    """Return what puts executions in order: their time, then the venue's number."""
    return whole(field(item, "execTime", "execution"), "execTime"), whole(item.get("seq", 0), "seq")


def position(item: Any) -> VenuePosition | None:
    """Return one position, None for a flat one: its size has no sign, the side is "" then."""
    size = exact(field(item, "size", "position"), "size")
    if not Decimal(size):
        return None
    sign = "-" if _word(SIDES, field(item, "side", "position"), "side") == orders.SELL else ""
    return VenuePosition(
        symbol=_named(item, "symbol"),
        quantity_base=f"{sign}{size}",
        entry_price=exact_or_none(field(item, "avgPrice", "position"), "avgPrice"),
        stop_price=exact_or_none(field(item, "stopLoss", "position"), "stopLoss"),
        target_price=exact_or_none(field(item, "takeProfit", "position"), "takeProfit"),
        liquidation_price=exact_or_none(field(item, "liqPrice", "position"), "liqPrice"),
        leverage=exact_or_none(field(item, "leverage", "position"), "leverage"),
        isolated=whole(item.get("tradeMode", 1), "tradeMode") == 1,
    )


def in_one_way_mode(item: Any) -> bool:
    """Say whether a position record is of the one-way mode."""
    return whole(field(item, "positionIdx", "position"), "positionIdx") == 0


def _kind(item: Any) -> str:
    found = EXECUTION_KINDS.get(text(field(item, "execType", "execution"), "execType"))
    if found is not None:
        return found
    stop_type, created = _stop_type(item), item.get("createType", "")
    if stop_type in STOPS or created in CREATED_AS_STOP:
        return orders.STOPPED
    if stop_type in TARGETS or created in CREATED_AS_TARGET:
        return orders.TARGETED
    return orders.TRADE


def _stop_type(item: Any) -> str:
    return text(field(item, "stopOrderType", "order"), "stopOrderType")


def _flag(item: Any, name: str) -> bool:
    value = field(item, name, "order")
    if not isinstance(value, bool):
        raise bad_reply(f"{name} is {value!r:.40}, not true or false")
    return value


def _word(words: dict[str, str], value: Any, name: str) -> str:
    if not isinstance(value, str) or value not in words:
        raise bad_reply(f"{name} is {value!r:.40}, which is not documented")
    return words[value]


def _named(item: Any, name: str) -> str:
    value = text(field(item, name, "record"), name)
    if not value:
        raise bad_reply(f"a record without {name}")
    return value


def _negated(amount: str) -> str:
    if not Decimal(amount):
        return "0"
    return amount[1:] if amount.startswith("-") else f"-{amount}"
