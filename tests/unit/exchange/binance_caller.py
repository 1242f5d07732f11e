"""A client of the test exchange's Binance: it signs as the venue's documentation says."""

from typing import Any
from urllib.parse import urlencode

from tests.exchange.binance_signing import KEY_HEADER, TEST_KEY, BinanceKey, signature
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.private import Auth, Reply
from tests.unit.exchange.books import SYMBOL, a_book

ORDER, ALGO = "/fapi/v1/order", "/fapi/v1/algoOrder"


class Caller:
    """Sends signed requests to one account and keeps the book at hand."""

    def __init__(self, trading: BinanceTrading, key: BinanceKey = TEST_KEY) -> None:
        self.trading, self.key = trading, key
        self.book = trading.book

    def send(self, method: str, path: str, **params: Any) -> Reply:
        """Return the reply to a request signed now; a parameter None is left out."""
        told = {"timestamp": str(self.book.market.clock.now_ms())}
        told |= {name: str(value) for name, value in params.items() if value is not None}
        payload = urlencode(told)
        signed = f"{payload}&signature={signature(payload, self.key.secret)}"
        return self.trading.handle(
            method, path, told, Auth(headers={KEY_HEADER: self.key.key}, payload=signed)
        )

    def yes(self, method: str, path: str, **params: Any) -> Any:
        """Return the body of a request that must succeed."""
        reply = self.send(method, path, **params)
        assert reply.status == 200, reply.body
        return reply.body

    def code(self, method: str, path: str, **params: Any) -> int:
        """Return the code of a request that must be refused."""
        reply = self.send(method, path, **params)
        assert reply.status == 400, reply
        return int(reply.body["code"])

    def order(self, client_id: str = "a", side: str = "BUY", quantity: str = "1", **changes: Any) -> Any:
        """Place an order, by default one at market whose result is told."""
        return self.yes("POST", ORDER, **order_params(client_id, side, quantity, **changes))

    def stop(self, client_id: str = "s", side: str = "SELL", trigger: str = "95", **changes: Any) -> Any:
        """Place a conditional order, by default a reduce-only stop of 1."""
        return self.yes("POST", ALGO, **algo_params(client_id, side, trigger, **changes))

    def advance(self, to_ms: int) -> None:
        self.book.advance(to_ms)


def order_params(client_id: str, side: str = "BUY", quantity: str = "1", **changes: Any) -> dict[str, Any]:
    """Return what a market order sends."""
    named = {"symbol": SYMBOL, "side": side, "type": "MARKET", "quantity": quantity}
    return named | {"newClientOrderId": client_id, "newOrderRespType": "RESULT"} | changes


def algo_params(client_id: str, side: str = "SELL", trigger: str = "95", **changes: Any) -> dict[str, Any]:
    """Return what a reduce-only stop at market sends."""
    named = {"algoType": "CONDITIONAL", "symbol": SYMBOL, "side": side, "type": "STOP_MARKET"}
    stop = {"clientAlgoId": client_id, "triggerPrice": trigger, "quantity": "1", "reduceOnly": "true"}
    return named | stop | changes


def a_caller(*rows: tuple[float, float, float, float], key: BinanceKey = TEST_KEY, **changes: Any) -> Caller:
    """Return a client of a fresh account; `rows` are the candles from its first moment on."""
    keeps = changes.pop("children_keep_ids", False)
    book = a_book(rows, "binance", **changes) if rows else a_book(venue="binance", **changes)
    return Caller(BinanceTrading(book, (key,), keeps), key)


def told_algo(caller: Caller, client_id: str = "s") -> Any:
    return caller.yes("GET", ALGO, clientAlgoId=client_id)


def open_algos(caller: Caller, **asked: Any) -> list[str]:
    return [each["clientAlgoId"] for each in caller.yes("GET", "/fapi/v1/openAlgoOrders", **asked)]


def closing_params(client_id: str, side: str = "SELL", trigger: str = "95", **changes: Any) -> dict[str, Any]:
    named = {"quantity": None, "reduceOnly": None, "closePosition": "true"}
    return algo_params(client_id, side, trigger, **(named | changes))
