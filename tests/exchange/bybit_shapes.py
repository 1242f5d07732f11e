"""Bybit v5's records of orders, executions and positions, with the fields of its documentation."""

from decimal import Decimal
from typing import Any

from tests.exchange.bybit_refusals import CANCEL_TYPES, REJECT_REASONS
from tests.exchange.trading.acceptance import rises
from tests.exchange.trading.values import (
    ADL,
    BUST,
    BUY,
    CANCELLED,
    FUNDING,
    LIMIT,
    REJECTED,
    SETTLE,
    TAKE_PROFIT_MARKET,
    ZERO,
    BookFill,
    BookOrder,
    BookPosition,
    text,
)

SIDES = {"buy": "Buy", "sell": "Sell", "": ""}
CREATE_TYPES = {
    "client": "CreateByUser",
    "manual": "CreateByUser",
    "adl": "CreateByAdl_PassThrough",
    "liquidation": "CreateByTakeOver_PassThrough",
}


def told(value: Decimal | None) -> str:
    """Return a price, "" for none."""
    return "" if value is None else text(value)


def order_record(order: BookOrder) -> dict[str, Any]:
    """Return one order as realtime and history show it."""
    in_force = "PostOnly" if order.request.post_only else order.request.time_in_force
    regular = order.type == LIMIT
    return {
        "orderId": order.order_id,
        "orderLinkId": order.client_id,
        "parentOrderLinkId": order.parent_client_id,
        "blockTradeId": "",
        "symbol": order.symbol,
        "price": told(order.price) or "0",
        "qty": text(order.quantity),
        "side": SIDES[order.side],
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": order.status,
        "createType": _create_type(order),
        "cancelType": CANCEL_TYPES.get(order.reason, "UNKNOWN") if order.status == CANCELLED else "UNKNOWN",
        "rejectReason": _reject_reason(order),
        "avgPrice": text(order.avg_price) if order.filled else "",
        "leavesQty": text(order.left),
        "leavesValue": text(order.left * (order.price or ZERO)),
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.filled * order.avg_price),
        "cumExecFee": text(order.fee),
        "timeInForce": in_force if regular else "IOC",
        "orderType": "Limit" if regular else "Market",
        "stopOrderType": order.stop_order_type if order.is_child else ("Stop" if order.conditional else ""),
        "orderIv": "",
        "triggerPrice": told(order.trigger_price) or ("0.00" if order.conditional else ""),
        "takeProfit": told(order.request.take_profit),
        "stopLoss": told(order.request.stop_loss),
        "tpslMode": "Full" if order.is_child or order.request.stop_loss else "",
        "tpTriggerBy": "LastPrice" if order.request.take_profit else "",
        "slTriggerBy": "LastPrice" if order.request.stop_loss else "",
        "triggerDirection": (1 if rises(order.request) else 2) if order.conditional else 0,
        "triggerBy": "LastPrice" if order.conditional else "",
        "lastPriceOnCreated": "",
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.close_position or order.is_child,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
    }


def _create_type(order: BookOrder) -> str:
    if order.is_child:
        return "CreateByTakeProfit" if order.type == TAKE_PROFIT_MARKET else "CreateByStopLoss"
    return CREATE_TYPES.get(order.origin, "CreateByUser")


def _reject_reason(order: BookOrder) -> str:
    if order.status not in (REJECTED, CANCELLED):
        return "EC_NoError"
    return REJECT_REASONS.get(order.reason, "EC_NoError")


def execution_record(fill: BookFill) -> dict[str, Any]:
    """Return one execution; funding's fee is positive when paid, its price the mark's."""
    order, funding = fill.order, fill.exec_type == FUNDING
    fee = -fill.received_quote if funding else fill.fee
    value = fill.quantity * fill.price
    rate = fill.rate_frac if funding else round(fill.fee / value, 8).normalize()
    regular = order is not None and order.type == LIMIT
    return {
        "symbol": fill.symbol,
        "orderId": fill.order_id,
        "orderLinkId": fill.client_id,
        "side": SIDES[fill.side or fill.held_side],
        "orderPrice": told(order.price if order is not None else None) or "0",
        "orderQty": text(order.quantity) if order is not None else "0",
        "leavesQty": text(fill.left),
        "createType": _create_type(order) if order is not None else "",
        "orderType": "UNKNOWN" if funding else ("Limit" if regular else "Market"),
        "stopOrderType": _stop_type(fill),
        "execFee": text(fee),
        "execId": fill.exec_id,
        "execPrice": text(fill.price),
        "execQty": text(fill.quantity),
        "execType": fill.exec_type,
        "execValue": text(value),
        "execTime": str(fill.at_ms),
        "feeCurrency": "",
        "isMaker": False,
        "feeRate": text(rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": text(fill.price),
        "indexPrice": text(fill.price),
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": text(fill.closed_quantity),
        "seq": fill.number,
    }


def _stop_type(fill: BookFill) -> str:
    if fill.exec_type in (FUNDING, ADL, BUST, SETTLE) or fill.order is None:
        return "UNKNOWN"
    if fill.order.is_child:
        return fill.order.stop_order_type
    return "Stop" if fill.order.conditional else "UNKNOWN"


def position_record(position: BookPosition, mark: Decimal, isolated: bool) -> dict[str, Any]:
    """Return one symbol's position; side "" and size "0" when flat."""
    size = abs(position.quantity)
    held = size > 0
    side = "" if not held else ("Buy" if position.quantity > 0 else "Sell")
    liquidation = Decimal(repr(position.liquidation_price)) if position.liquidation_price > 0.0 else None
    return {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "200000",
        "symbol": position.symbol,
        "side": side,
        "size": text(size),
        "avgPrice": text(position.entry_price) if held else "0",
        "positionValue": text(size * position.entry_price) if held else "",
        "tradeMode": int(isolated),
        "autoAddMargin": 0,
        "positionStatus": "Normal",
        "leverage": text(position.leverage),
        "markPrice": text(mark),
        "liqPrice": told(liquidation) if held else "",
        "bustPrice": "",
        "positionIM": text(position.margin) if held else "0",
        "positionMM": "0",
        "positionBalance": text(position.margin) if held else "0",
        "takeProfit": told(position.target),
        "stopLoss": told(position.stop),
        "trailingStop": "0",
        "sessionAvgPrice": "",
        "unrealisedPnl": text(position.quantity * (mark - position.entry_price)) if held else "0",
        "curRealisedPnl": text(position.realised_quote),
        "cumRealisedPnl": text(position.realised_quote),
        "adlRankIndicator": 2 if held else 0,
        "createdTime": str(position.opened_ms),
        "updatedTime": str(position.updated_ms),
        "seq": position.updated_ms if held else -1,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "tpslMode": "Full",
    }


def side_from(word: str) -> str:
    """Return the book's word for Buy or Sell; anything else raises KeyError."""
    return {"Buy": BUY, "Sell": "sell"}[word]
