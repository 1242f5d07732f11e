"""How Binance USD-M says no: the code, the text and the HTTP status for each reason."""

from collections.abc import Mapping

from tests.exchange.trading import values as why


class BinanceRefusal(Exception):
    """A documented error: answered as {"code", "msg"}."""

    def __init__(self, code: int, text: str, status: int = 400) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status


UNKNOWN_ORDER_ON_CANCEL = (-2011, "Unknown order sent.")
UNKNOWN_ORDER_ON_QUERY = (-2013, "Order does not exist.")
SWITCHED_TO_ALGO = (
    -4120,
    "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
)
SECOND_CLOSE_POSITION = (
    -4130,
    "An open stop or take profit order with GTE and closePosition in the direction is existing.",
)
GTE_WITHOUT_POSITION = (
    -4509,
    "Time in Force (TIF) GTE can only be used with open positions. "
    "Please ensure that positions are available.",
)
QUANTITY_WITH_CLOSE_POSITION = (-4137, "Quantity must be zero with closePosition equals true")
REDUCE_ONLY_WITH_CLOSE_POSITION = (-1106, "Parameter 'reduceOnly' sent when not required.")
MARGIN_TYPE_UNCHANGED = (-4046, "No need to change margin type.")
MARGIN_TYPE_WITH_ORDERS = (-4047, "Margin type cannot be changed if there exists open orders.")
MARGIN_TYPE_WITH_POSITION = (-4048, "Margin type cannot be changed if there exists position.")
POSITION_SIDE_UNCHANGED = (-4059, "No need to change position side.")
POSITION_SIDE_MISMATCH = (-4061, "Order's position side does not match user's setting.")
POSITION_SIDE_WITH_ORDERS = (-4067, "Position side cannot be changed if there exists open orders.")
POSITION_SIDE_WITH_POSITION = (-4068, "Position side cannot be changed if there exists position.")
ISOLATED_LEVERAGE_CUT = (
    -4161,
    "Leverage reduction is not supported in Isolated Margin Mode with open positions.",
)
INVALID_ORDER_TYPE = (-1116, "Invalid orderType.")
INVALID_SIDE = (-1117, "Invalid side.")
INVALID_INTERVAL = (-4165, "Invalid time interval")
INVALID_COMBINATION = (-1128, "Combination of optional parameters invalid.")
START_AFTER_END = (-1023, "Start time is greater than end time.")
INVALID_SYMBOL = (-1121, "Invalid symbol.")
INVALID_CLIENT_ID = (-4015, "Client order id is not valid.")
INVALID_LEVERAGE = -4028
REDUCE_ONLY_REJECTED = (-2022, "ReduceOnly Order is rejected.")

_REASONS: Mapping[str, tuple[int, str]] = {
    why.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    why.BAD_ID: INVALID_CLIENT_ID,
    why.UNKNOWN_SYMBOL: INVALID_SYMBOL,
    why.NOT_TRADING: (-4140, "Invalid symbol status for opening position."),
    why.DELISTING: (-4140, "Invalid symbol status for opening position."),
    why.BAD_QUANTITY: (-1111, "Precision is over the maximum defined for this asset."),
    why.BELOW_MINIMUM_QUANTITY: (-4004, "Quantity less than min quantity."),
    why.ABOVE_MAXIMUM_QUANTITY: (-4005, "Quantity greater than max quantity."),
    why.BAD_PRICE: (-4014, "Price not increased by tick size."),
    why.TRIGGER_PASSED: (-2021, "Order would immediately trigger."),
    why.INSUFFICIENT_BALANCE: (-2019, "Margin is insufficient."),
    why.REDUCE_ONLY_FLAT: REDUCE_ONLY_REJECTED,
    why.REDUCE_ONLY_EXCESS: REDUCE_ONLY_REJECTED,
    why.NO_POSITION: REDUCE_ONLY_REJECTED,
    why.TOO_MANY_CONDITIONAL: (-4045, "Reach max stop order limit."),
    why.POST_ONLY_WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    why.NOT_OPEN: UNKNOWN_ORDER_ON_CANCEL,
}


def refusal_for(reason: str, min_notional: str) -> BinanceRefusal:
    """Return what the venue says for a reason of the book's."""
    if reason == why.BELOW_MINIMUM_NOTIONAL:
        text = f"Order's notional must be no smaller than {min_notional} (unless you choose reduce only)."
        return BinanceRefusal(-4164, text)
    return BinanceRefusal(*_REASONS.get(reason, (-2010, "NEW_ORDER_REJECTED")))


def missing(name: str) -> BinanceRefusal:
    """Return the refusal of a request that lacks a parameter."""
    text = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    return BinanceRefusal(-1102, text)
