"""Bybit's codes for what the book refuses, and its words for why an order ended."""

from tests.exchange.trading import values as why
from tests.exchange.trading.values import OrderRefused

CODES: dict[str, tuple[int, str]] = {
    why.DUPLICATE_ID: (110072, "OrderLinkedID is duplicate"),
    why.BAD_ID: (10001, "params error: orderLinkId is invalid"),
    why.UNKNOWN_SYMBOL: (10001, "params error: Symbol Is Invalid"),
    why.NOT_TRADING: (110074, "This contract is not live"),
    why.DELISTING: (30228, "No new positions during delisting."),
    why.BAD_QUANTITY: (10001, "Qty invalid"),
    why.BELOW_MINIMUM_QUANTITY: (10001, "The number of contracts is below minimum limit"),
    why.ABOVE_MAXIMUM_QUANTITY: (10001, "The number of contracts exceeds maximum limit allowed"),
    why.BELOW_MINIMUM_NOTIONAL: (110094, "Order notional value below the lower limit"),
    why.BAD_PRICE: (10001, "params error: price invalid"),
    why.STOP_WRONG_SIDE: (10001, "StopLoss or TakeProfit set on the wrong side of base_price"),
    why.INSUFFICIENT_BALANCE: (110007, "ab not enough for new order"),
    why.REDUCE_ONLY_FLAT: (110017, "orderQty will be truncated to zero."),
    why.REDUCE_ONLY_WITH_STOPS: (10001, "reduce-only order can not set TP/SL"),
    why.TOO_MANY_CONDITIONAL: (110009, "The number of stop orders exceeds the maximum allowable limit"),
    why.NOT_OPEN: (110001, "order not exists or too late to cancel"),
    why.NO_POSITION: (10001, "can not set tp/sl/ts for zero position"),
    why.NOT_MODIFIED: (34040, "not modified"),
    why.LEVERAGE_OVER_MAXIMUM: (110013, "cannot set leverage gt maxLeverage by risk limit"),
    why.HOLDS_POSITION: (110024, "You have an existing position, so position mode cannot be switched"),
    why.HOLDS_ORDERS: (110028, "You have existing open orders, so position mode cannot be switched"),
}
RISING = (110092, "expect Rising, but trigger_price <= current")
FALLING = (110093, "expect Falling, but trigger_price >= current")

REJECT_REASONS = {
    why.POST_ONLY_WOULD_TAKE: "EC_PostOnlyWillTakeLiquidity",
    why.NOTHING_TO_MATCH: "EC_NoImmediateQtyToFill",
    why.INSUFFICIENT_BALANCE: "EC_NoEnoughQtyToFill",
    why.REDUCE_ONLY_FLAT: "EC_QtyCannotBeZero",
    why.NOT_TRADING: "EC_InvalidSymbolStatus",
    why.BY_USER: "EC_PerCancelRequest",
}
CANCEL_TYPES = {
    why.BY_USER: "CancelByUser",
    why.REDUCE_ONLY_EXCESS: "CancelByReduceOnly",
    why.REDUCE_ONLY_FLAT: "CancelByReduceOnly",
    why.POSITION_CLOSED: "CancelByTpSlTsClear",
    why.SYMBOL_SETTLED: "CancelBySettle",
}


def code_of(refused: OrderRefused) -> tuple[int, str]:
    """Return retCode and retMsg for a refusal of the book."""
    if refused.reason == why.TRIGGER_PASSED:
        return RISING if "rising True" in refused.text else FALLING
    code, message = CODES[refused.reason]
    return code, f"{message} [{refused.text}]" if refused.text else message
