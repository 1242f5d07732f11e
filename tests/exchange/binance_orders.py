"""Binance's orders: regular ones on /fapi/v1/order, conditional ones on /fapi/v1/algoOrder."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from tests.exchange import binance_refusals as no
from tests.exchange import binance_replies as replies
from tests.exchange.binance_params import FAR_MS, Params, flag, limit, needed, number, week, whole
from tests.exchange.binance_refusals import BinanceRefusal, missing, refusal_for
from tests.exchange.binance_told import BinanceRecords, Told
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.matching import processed
from tests.exchange.trading.values import (
    BUY,
    LIMIT,
    MARKET,
    REJECTED,
    SELL,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    ZERO,
    BookOrder,
    NewOrder,
    OrderRefused,
    sign_of,
    text,
)

MOVED_TO_ALGO = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
REGULAR = {"MARKET": MARKET, "LIMIT": LIMIT}
ALGO = {"STOP_MARKET": STOP_MARKET, "TAKE_PROFIT_MARKET": TAKE_PROFIT_MARKET}
"""The conditional types that are simulated; the other three are refused as unknown types."""
GTE = "GTE_GTC"
T = TypeVar("T")
AT_ONCE = ("IOC", "FOK")


class BinanceOrders:
    """Places, finds and cancels on one book."""

    def __init__(self, book: TradingBook, children_keep_ids: bool = False) -> None:
        self.book = book
        self.records = BinanceRecords(book, children_keep_ids)
        self._working: dict[str, str] = {}  # algo id -> working type, where it is not the default

    # regular orders

    def place(self, params: Params) -> Any:
        """POST /fapi/v1/order."""
        kind = needed(params, "type")
        if kind in MOVED_TO_ALGO:
            raise BinanceRefusal(*no.SWITCHED_TO_ALGO)
        if kind not in REGULAR:
            raise BinanceRefusal(*no.INVALID_ORDER_TYPE)
        in_force = params.get("timeInForce", "GTC") if kind == "MARKET" else needed(params, "timeInForce")
        request = NewOrder(
            symbol=self._symbol(params),
            client_id=params.get("newClientOrderId") or self._generated("order"),
            side=self._side(params),
            quantity=self._quantity(params),
            type=REGULAR[kind],
            price=number(params, "price"),
            reduce_only=flag(params, "reduceOnly"),
            time_in_force=in_force,
            post_only=in_force == "GTX",
        )
        self._refuse_excess(request)
        order = self._entered(request)
        told = self.records.told(order)
        if params.get("newOrderRespType", "ACK") != "RESULT":
            return replies.accepted(told)
        if kind == "MARKET" or in_force in AT_ONCE:
            self._finish(order)
            told = self.records.told(order)
        return replies.new_order(told)

    def query(self, params: Params) -> Any:
        """GET /fapi/v1/order."""
        found = self._found(params)
        if found is None:
            raise BinanceRefusal(*no.UNKNOWN_ORDER_ON_QUERY)
        return replies.queried_order(found)

    def cancel(self, params: Params) -> Any:
        """DELETE /fapi/v1/order."""
        found = self._found(params)
        live = None if found is None else self.book.state.orders.get(found.order_id)
        if live is None or live.conditional or not live.is_open:
            raise BinanceRefusal(*no.UNKNOWN_ORDER_ON_CANCEL)
        return replies.cancelled_order(self.records.told(self.book.cancel(live)))

    def open(self, params: Params) -> Any:
        """GET /fapi/v1/openOrders."""
        return [replies.queried_order(told) for told in self.records.open(self._symbol_or_all(params))]

    def all(self, params: Params) -> Any:
        """GET /fapi/v1/allOrders."""
        start_ms, end_ms = week(params, self.book.now_ms)
        first = whole(params, "orderId", -1)
        if first >= 0:
            start_ms, end_ms = 0, FAR_MS
        shown = [t for t in self.records.regular(self._symbol(params)) if start_ms <= t.created_ms <= end_ms]
        page = _page(shown, lambda told: int(told.order_id), first, params, 500)
        return [replies.queried_order(told) for told in page]

    # algo orders

    def place_algo(self, params: Params) -> Any:
        """POST /fapi/v1/algoOrder: neither margin nor position is looked at before the trigger."""
        if needed(params, "algoType") != "CONDITIONAL":
            raise BinanceRefusal(-1102, "Mandatory parameter 'algoType' was malformed.")
        kind, in_force = needed(params, "type"), params.get("timeInForce", "GTC")
        if kind not in ALGO:
            raise BinanceRefusal(*no.INVALID_ORDER_TYPE)
        closes = flag(params, "closePosition")
        request = NewOrder(
            symbol=self._symbol(params),
            client_id=params.get("clientAlgoId") or self._generated("algo"),
            side=self._side(params),
            quantity=ZERO if closes else self._quantity(params),
            type=ALGO[kind],
            trigger_price=self._trigger(params),
            reduce_only=flag(params, "reduceOnly"),
            time_in_force=in_force,
            close_position=closes,
        )
        if closes:
            self._refuse_closing(params, request)
        if in_force == GTE and not self.book.state.position(request.symbol).quantity:
            raise BinanceRefusal(*no.GTE_WITHOUT_POSITION)
        order = self._entered(request)
        working = params.get("workingType", "CONTRACT_PRICE")
        self._working[order.order_id] = working
        return replies.new_algo(order, working)

    def query_algo(self, params: Params) -> Any:
        """GET /fapi/v1/algoOrder."""
        found = self._found_algo(params)
        if found is None:
            raise BinanceRefusal(*no.UNKNOWN_ORDER_ON_QUERY)
        return self._algo(found)

    def cancel_algo(self, params: Params) -> Any:
        """DELETE /fapi/v1/algoOrder."""
        found = self._found_algo(params)
        live = None if found is None else self.book.state.orders.get(found.order_id)
        if live is None or not live.is_open:
            raise BinanceRefusal(*no.UNKNOWN_ORDER_ON_CANCEL)
        return replies.cancelled_algo(self.book.cancel(live))

    def open_algos(self, params: Params) -> Any:
        """GET /fapi/v1/openAlgoOrders."""
        shown = self.records.open_algos(self._symbol_or_all(params))
        wanted = params.get("algoId", "")
        return [self._algo(order) for order in shown if wanted in ("", order.order_id)]

    def all_algos(self, params: Params) -> Any:
        """GET /fapi/v1/allAlgoOrders."""
        start_ms, end_ms = week(params, self.book.now_ms)
        first = whole(params, "algoId", -1)
        if first >= 0:
            start_ms, end_ms = 0, FAR_MS
        shown = [o for o in self.records.algos(self._symbol(params)) if start_ms <= o.created_ms <= end_ms]
        page = _page(shown, lambda order: int(order.order_id), first, params, 500)
        return [self._algo(order) for order in page]

    # what both share

    def _entered(self, request: NewOrder) -> BookOrder:
        minimum = text(self.book.state.rules.min_notional_quote)
        try:
            order = self.book.place(request)
        except OrderRefused as refused:
            raise refusal_for(refused.reason, minimum) from refused
        if order.status == REJECTED:
            raise refusal_for(order.reason, minimum)
        return order

    def _finish(self, order: BookOrder) -> None:
        """Process an order that is still on its way: who asks for the result waits for it."""
        state = self.book.state
        if any(order_id == order.order_id for _at, order_id in state.due):
            state.due = [each for each in state.due if each[1] != order.order_id]
            processed(state, order)

    def _refuse_excess(self, request: NewOrder) -> None:
        """Refuse a reduce-only order above what is held: the flat case is the book's."""
        held = -sign_of(request.side) * self.book.state.position(request.symbol).quantity
        if request.reduce_only and 0 < held < request.quantity:
            raise BinanceRefusal(*no.REDUCE_ONLY_REJECTED)

    def _refuse_closing(self, params: Params, request: NewOrder) -> None:
        if params.get("quantity"):
            raise BinanceRefusal(*no.QUANTITY_WITH_CLOSE_POSITION)
        if params.get("reduceOnly"):
            raise BinanceRefusal(*no.REDUCE_ONLY_WITH_CLOSE_POSITION)
        for other in self.book.state.open.values():
            same = (other.symbol, other.side, other.type) == (request.symbol, request.side, request.type)
            if same and other.close_position:
                raise BinanceRefusal(*no.SECOND_CLOSE_POSITION)

    def _found(self, params: Params) -> Told | None:
        symbol = self._symbol(params)
        if params.get("orderId"):
            return self.records.by_order_id(symbol, str(whole(params, "orderId", 0)))
        if params.get("origClientOrderId"):
            return self.records.by_client_id(symbol, params["origClientOrderId"])
        raise missing("origClientOrderId")

    def _found_algo(self, params: Params) -> BookOrder | None:
        if not params.get("algoId") and not params.get("clientAlgoId"):
            raise missing("algoId")
        return self.records.algo(params.get("algoId", ""), params.get("clientAlgoId", ""))

    def _algo(self, order: BookOrder) -> Any:
        return replies.queried_algo(order, self._working.get(order.order_id, "CONTRACT_PRICE"))

    def _symbol(self, params: Params) -> str:
        symbol = needed(params, "symbol")
        if not self._knows(symbol):
            raise BinanceRefusal(*no.INVALID_SYMBOL)
        return symbol

    def _symbol_or_all(self, params: Params) -> str | None:
        return self._symbol(params) if params.get("symbol") else None

    def _knows(self, symbol: str) -> bool:
        return symbol in self.book.state.contracts

    def _side(self, params: Params) -> str:
        side = needed(params, "side")
        if side not in ("BUY", "SELL"):
            raise BinanceRefusal(*no.INVALID_SIDE)
        hedged = not self.book.state.one_way
        if hedged == (params.get("positionSide", "BOTH") == "BOTH"):
            raise BinanceRefusal(*no.POSITION_SIDE_MISMATCH)
        return BUY if side == "BUY" else SELL

    def _quantity(self, params: Params) -> Decimal:
        quantity = number(params, "quantity")
        if quantity is None:
            raise missing("quantity")
        if quantity <= 0:
            raise BinanceRefusal(-4003, "Quantity less than or equal to zero.")
        return quantity

    def _trigger(self, params: Params) -> Decimal:
        trigger = number(params, "triggerPrice")
        if trigger is None:
            raise missing("triggerPrice")
        return trigger

    def _generated(self, kind: str) -> str:
        """Return the id that the venue gives an order without one."""
        return f"auto_{kind}_{self.book.state.next_number()}"


def _page(shown: list[T], number_of: Callable[[T], int], first: int, params: Params, default: int) -> list[T]:
    """Return from number `first` on, else the newest rows; oldest first either way."""
    most = limit(params, default, 1_000)
    if first >= 0:
        return [each for each in shown if number_of(each) >= first][:most]
    return shown[-most:]
