"""The truth about an account as JSON values, for tests."""

from typing import Any

from tests.exchange.trading.state import BookState
from tests.exchange.trading.values import ZERO, BookFill, BookOrder, BookPosition, text


def facts_of(state: BookState) -> dict[str, Any]:
    """Return positions, every order and fill, how often each client id was sent, the wallet."""
    positions = {symbol: each for symbol, each in sorted(state.positions.items()) if each.quantity}
    return {
        "now_ms": state.now_ms,
        "wallet": text(state.wallet),
        "positions": {symbol: _position_fact(each) for symbol, each in positions.items()},
        "orders": [_order_fact(each) for each in state.orders.values()],
        "fills": [_fill_fact(each) for each in state.fills],
        "sent": dict(state.sent),
        "accepted": dict(state.accepted),
    }


def _position_fact(each: BookPosition) -> dict[str, str]:
    return {
        "quantity": text(each.quantity),
        "entry_price": text(each.entry_price),
        "stop": text(each.stop or ZERO),
        "target": text(each.target or ZERO),
        "leverage": text(each.leverage),
        "liquidation_price": repr(each.liquidation_price),
    }


def _order_fact(each: BookOrder) -> dict[str, Any]:
    return {
        "order_id": each.order_id,
        "client_id": each.client_id,
        "symbol": each.symbol,
        "side": each.side,
        "type": each.type,
        "status": each.status,
        "quantity": text(each.quantity),
        "filled": text(each.filled),
        "trigger_price": text(each.trigger_price or ZERO),
        "reduce_only": each.request.reduces,
        "stop_order_type": each.stop_order_type,
        "is_child": each.is_child,
        "origin": each.origin,
        "reason": each.reason,
        "created_ms": each.created_ms,
    }


def _fill_fact(each: BookFill) -> dict[str, Any]:
    return {
        "exec_id": each.exec_id,
        "symbol": each.symbol,
        "client_id": each.client_id,
        "exec_type": each.exec_type,
        "stop_order_type": each.stop_order_type,
        "side": each.side,
        "quantity": text(each.quantity),
        "price": text(each.price),
        "fee": text(each.fee),
        "received": text(each.received_quote),
        "at_ms": each.at_ms,
    }
