"""What Binance's replies about orders, trades and income hold, field by field, as documented.

Quantities, prices and amounts are texts, numbers of orders and times are numbers: `tests/contract/shapes`
holds each reply against its page.
"""

from decimal import Decimal
from typing import Any

from tests.exchange.binance_told import Told, algo_status, sent_order_id
from tests.exchange.trading.values import (
    FUNDING,
    STOP_MARKET,
    ZERO,
    BookFill,
    BookOrder,
    text,
)

Json = dict[str, Any]
QUOTE = "USDT"


def _order(told: Told) -> Json:
    return {
        "clientOrderId": told.client_id,
        "cumQuote": text(told.filled * told.avg_price),
        "executedQty": text(told.filled),
        "orderId": int(told.order_id),
        "origQty": text(told.quantity),
        "origType": told.type,
        "price": text(told.price),
        "reduceOnly": told.reduce_only,
        "side": told.side,
        "positionSide": "BOTH",
        "status": told.status,
        "stopPrice": "0",
        "closePosition": told.close_position,
        "symbol": told.symbol,
        "timeInForce": told.time_in_force,
        "type": told.type,
        "updateTime": told.updated_ms,
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
    }


def new_order(told: Told) -> Json:
    return _order(told) | {"cumQty": text(told.filled), "avgPrice": text(told.avg_price)}


def accepted(told: Told) -> Json:
    """Return the reply of an ACK: whatever has become of the order since, it is told as new and unfilled."""
    nothing = {"status": "NEW", "executedQty": "0", "cumQty": "0", "cumQuote": "0", "avgPrice": "0.00"}
    return new_order(told) | nothing


def cancelled_order(told: Told) -> Json:
    return _order(told) | {"cumQty": text(told.filled)}


def queried_order(told: Told) -> Json:
    return _order(told) | {"avgPrice": text(told.avg_price), "time": told.created_ms}


def new_algo(order: BookOrder, working_type: str) -> Json:
    return {
        "algoId": int(order.order_id),
        "clientAlgoId": order.client_id,
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET" if order.type == STOP_MARKET else "TAKE_PROFIT_MARKET",
        "symbol": order.symbol,
        "side": order.side.upper(),
        "positionSide": "BOTH",
        "timeInForce": order.request.time_in_force,
        "quantity": text(order.request.quantity),
        "algoStatus": algo_status(order),
        "triggerPrice": text(order.trigger_price or ZERO),
        "price": "0",
        "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": working_type,
        "priceMatch": "NONE",
        "closePosition": order.close_position,
        "priceProtect": False,
        "reduceOnly": order.request.reduces,
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": 0,
    }


def queried_algo(order: BookOrder, working_type: str) -> Json:
    return new_algo(order, working_type) | {
        "actualOrderId": sent_order_id(order),
        "actualPrice": text(order.avg_price) if order.filled else "0.00000",
        "tpTriggerPrice": "0.000",
        "tpPrice": "0.000",
        "slTriggerPrice": "0.000",
        "slPrice": "0.000",
        "tpOrderType": "",
    }


def cancelled_algo(order: BookOrder) -> Json:
    """Return the one reply whose `code` is a text."""
    return {
        "algoId": int(order.order_id),
        "clientAlgoId": order.client_id,
        "code": "200",
        "msg": "success",
    }


def trade(fill: BookFill) -> Json:
    """Return one row of the account's trades: the order's number, never its client id."""
    sent = fill.order.actual_order_id if fill.order is not None and fill.order.conditional else ""
    return {
        "buyer": fill.side == "buy",
        "commission": text(fill.fee),
        "commissionAsset": QUOTE,
        "id": fill.number,
        "maker": False,
        "orderId": int(sent or fill.order_id),
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "quoteQty": text(fill.quantity * fill.price),
        "realizedPnl": text(fill.realised_quote),
        "side": fill.side.upper(),
        "positionSide": "BOTH",
        "symbol": fill.symbol,
        "time": fill.at_ms,
    }


def incomes(fill: BookFill) -> list[Json]:
    """Return what one execution did to the wallet: funding, or profit and commission of a trade."""
    if fill.exec_type == FUNDING:
        return [_income(fill, "FUNDING_FEE", fill.received_quote, "")]
    rows = []
    if fill.closed_quantity:
        rows.append(_income(fill, "REALIZED_PNL", fill.realised_quote, str(fill.number)))
    if fill.fee:
        rows.append(_income(fill, "COMMISSION", -fill.fee, str(fill.number)))
    return rows


def _income(fill: BookFill, kind: str, amount: Decimal, trade_id: str) -> Json:
    return {
        "symbol": fill.symbol,
        "incomeType": kind,
        "income": text(amount),
        "asset": QUOTE,
        "info": kind,
        "time": fill.at_ms,
        "tranId": fill.number,
        "tradeId": trade_id,
    }
