"""Bybit v5's private protocol of linear perpetuals over a book: pure, no HTTP, the documented fields."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.exchange.bybit_account import BybitAccount, check_stop_mode
from tests.exchange.bybit_queries import BybitQueries
from tests.exchange.bybit_refusals import code_of
from tests.exchange.bybit_shapes import side_from
from tests.exchange.bybit_signing import BybitKey, BybitRefusal, check_signed
from tests.exchange.private import Auth, Reply
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.values import (
    LIMIT,
    MARKET,
    NOT_OPEN,
    STOP_MARKET,
    TAKE_PROFIT_MARKET,
    BookOrder,
    NewOrder,
    OrderRefused,
)

Params = Mapping[str, str]
Result = dict[str, Any]
TEST_KEY = BybitKey(key="bybit-test-key", secret="bybit-test-secret")


class BybitTrading:
    """Private endpoints under /v5 for one account; `keys` are those it accepts."""

    def __init__(self, book: TradingBook, keys: Sequence[BybitKey] = (TEST_KEY,)) -> None:
        self.book = book
        self.keys = {each.key: each for each in keys}
        self.queries = queries = BybitQueries(book)
        account = BybitAccount(book)
        self._routes: dict[tuple[str, str], Callable[[Params, BybitKey], Result]] = {
            ("POST", "/v5/order/create"): self._create,
            ("POST", "/v5/order/cancel"): self._cancel,
            ("POST", "/v5/order/amend"): self._amend,
            ("GET", "/v5/order/realtime"): queries.realtime,
            ("GET", "/v5/order/history"): queries.history,
            ("GET", "/v5/execution/list"): queries.executions,
            ("GET", "/v5/position/list"): queries.positions,
            ("POST", "/v5/position/trading-stop"): account.trading_stop,
            ("POST", "/v5/position/set-leverage"): account.set_leverage,
            ("POST", "/v5/position/switch-mode"): account.switch_mode,
            ("POST", "/v5/account/set-margin-mode"): account.set_margin_mode,
            ("GET", "/v5/account/info"): account.info,
            ("GET", "/v5/account/wallet-balance"): account.wallet_balance,
            ("GET", "/v5/account/fee-rate"): account.fee_rate,
            ("GET", "/v5/user/query-api"): account.query_api,
        }

    def serves(self, method: str, path: str) -> bool:
        return (method, path) in self._routes

    @property
    def paths(self) -> list[tuple[str, str]]:
        return list(self._routes)

    def handle(self, method: str, path: str, params: Params, auth: Auth) -> Reply:
        """Answer one request: HTTP 200 with a retCode, or 404 for a path that is none."""
        self.book.advance(self.book.market.clock.now_ms())
        route = self._routes.get((method, path))
        if route is None:
            return Reply(404, "404 page not found")
        try:
            key = check_signed(self.keys, auth, self._told_ms(path, params))
            if method == "POST" and (key.read_only or not key.trade):
                raise BybitRefusal(10005, "Permission denied, please check your API key permissions.")
            result = route(params, key)
        except BybitRefusal as no:
            return self.refusal(no.code, no.text)
        except OrderRefused as no:
            return self.refusal(*code_of(no))
        except (KeyError, InvalidOperation, ValueError) as fault:
            return self.refusal(10001, f"params error: {fault}")
        return self._envelope(0, "OK", result)

    def _told_ms(self, path: str, params: Params) -> int:
        """Return the venue's time for judging timestamps; the dial "wrong_clock" moves it."""
        return self.book.market.now_ms(path, params.get("symbol", ""))

    def _envelope(self, code: int, message: str, result: Result) -> Reply:
        told = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}}
        return Reply(200, {**told, "time": self.book.now_ms})

    def refusal(self, code: int, text: str) -> Reply:
        """Return a "no" in Bybit's envelope."""
        return self._envelope(code, text, {})

    def maintenance(self) -> Reply:
        """Return what Bybit answers while its service restarts."""
        return self.refusal(10016, "Internal system error, service is restarting.")

    def _create(self, params: Params, _key: BybitKey) -> Result:
        _linear(params)
        if params.get("positionIdx", "0") != ("0" if self.book.one_way else "1"):
            raise BybitRefusal(10001, "position idx not match position mode")
        check_stop_mode(params)
        order = self.book.place(_order_of(params))
        return {"orderId": order.order_id, "orderLinkId": order.client_id}

    def _cancel(self, params: Params, _key: BybitKey) -> Result:
        _linear(params)
        order = self.book.cancel(self._wanted(params))
        return {"orderId": order.order_id, "orderLinkId": order.client_id}

    def _amend(self, params: Params, _key: BybitKey) -> Result:
        _linear(params)
        changes = {
            name: Decimal(params[key])
            for name, key in (("quantity", "qty"), ("price", "price"), ("trigger_price", "triggerPrice"))
            if params.get(key)
        }
        order = self.book.amend(self._wanted(params), **changes)
        return {"orderId": order.order_id, "orderLinkId": order.client_id}

    def _wanted(self, params: Params) -> BookOrder:
        """Return the order that is named by its id or client id."""
        if params.get("orderId"):
            found = self.book.order_by_id(params["orderId"])
        else:
            found = self.book.order_by_client_id(params["symbol"], params["orderLinkId"])
        if found is None:
            raise OrderRefused(NOT_OPEN)
        return found


def _linear(params: Params) -> None:
    if params.get("category") != "linear":
        raise BybitRefusal(10001, "Illegal category")


def _order_of(params: Params) -> NewOrder:
    """Return the order that a create request asks for; qty 0 with reduceOnly closes the whole position."""
    quantity, reduces = Decimal(params["qty"]), params.get("reduceOnly", "false") == "true"
    closes = quantity == 0 and reduces and params.get("closeOnTrigger", "false") == "true"
    in_force = params.get("timeInForce") or "GTC"
    return NewOrder(
        symbol=params["symbol"],
        client_id=params.get("orderLinkId", ""),
        side=side_from(params["side"]),
        quantity=quantity,
        type=_type_of(params),
        price=_price(params, "price") if params["orderType"] == "Limit" else None,
        trigger_price=_price(params, "triggerPrice"),
        reduce_only=reduces,
        time_in_force="GTC" if in_force == "PostOnly" else in_force,
        post_only=in_force == "PostOnly",
        close_position=closes,
        stop_loss=_price(params, "stopLoss"),
        take_profit=_price(params, "takeProfit"),
    )


def _price(params: Params, name: str) -> Decimal | None:
    told = params.get(name, "")
    return Decimal(told) if told not in ("", "0") else None


def _type_of(params: Params) -> str:
    """Return the book's type: a trigger in the order's own direction is a stop, against it a target."""
    if params["orderType"] not in ("Market", "Limit"):
        raise BybitRefusal(10001, "OrderType invalid")
    if not params.get("triggerPrice"):
        return MARKET if params["orderType"] == "Market" else LIMIT
    if params["orderType"] == "Limit" or params.get("triggerDirection") not in ("1", "2"):
        raise BybitRefusal(10001, "TriggerDirection invalid")
    rising = params["triggerDirection"] == "1"
    return STOP_MARKET if rising == (params["side"] == "Buy") else TAKE_PROFIT_MARKET
