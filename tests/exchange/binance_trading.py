"""Binance USD-M's private endpoints over a book: who asks, what goes wrong, and who answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.exchange.binance_account import BinanceAccount
from tests.exchange.binance_money import api_restrictions
from tests.exchange.binance_orders import BinanceOrders
from tests.exchange.binance_params import Params, flag
from tests.exchange.binance_refusals import BinanceRefusal
from tests.exchange.binance_signing import KEY_HEADER, TEST_KEY, BinanceKey, check_signed
from tests.exchange.private import Auth, Reply
from tests.exchange.trading.book import TradingBook

UNKNOWN_ERROR = "Unknown error, please check your request or try again later."
UNAVAILABLE = "Service Unavailable."
OVERLOADED = (
    "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. "
    "Please try again."
)
Answer = Callable[[Params], Any]
NEEDS_FUTURES = "/fapi/"


class BinanceTrading:
    """One account's private protocol; `keys` are those it accepts.

    `children_keep_ids`: see `BinanceRecords`. The dials "unknown_done" and "unknown_lost" answer the 503
    that tells nothing, with and without the effect; "overloaded" is -1008, which spares what reduces and
    what cancels.
    """

    def __init__(
        self, book: TradingBook, keys: Sequence[BinanceKey] = (TEST_KEY,), children_keep_ids: bool = False
    ) -> None:
        self.book = book
        self.keys = {each.key: each for each in keys}
        self.orders = BinanceOrders(book, children_keep_ids)
        self.account = BinanceAccount(book)
        self._routes = self._table()

    def _table(self) -> dict[tuple[str, str], Answer]:
        orders, account = self.orders, self.account
        return {
            ("POST", "/fapi/v1/order"): orders.place,
            ("GET", "/fapi/v1/order"): orders.query,
            ("DELETE", "/fapi/v1/order"): orders.cancel,
            ("GET", "/fapi/v1/openOrders"): orders.open,
            ("GET", "/fapi/v1/allOrders"): orders.all,
            ("POST", "/fapi/v1/algoOrder"): orders.place_algo,
            ("GET", "/fapi/v1/algoOrder"): orders.query_algo,
            ("DELETE", "/fapi/v1/algoOrder"): orders.cancel_algo,
            ("GET", "/fapi/v1/openAlgoOrders"): orders.open_algos,
            ("GET", "/fapi/v1/allAlgoOrders"): orders.all_algos,
            ("GET", "/fapi/v1/userTrades"): account.trades,
            ("GET", "/fapi/v1/income"): account.income,
            ("GET", "/fapi/v2/positionRisk"): account.positions_v2,
            ("GET", "/fapi/v3/positionRisk"): account.positions_v3,
            ("GET", "/fapi/v2/account"): account.account_v2,
            ("GET", "/fapi/v3/account"): account.account_v3,
            ("GET", "/fapi/v2/balance"): account.balance,
            ("GET", "/fapi/v3/balance"): account.balance,
            ("GET", "/fapi/v1/commissionRate"): account.commission,
            ("GET", "/fapi/v1/positionSide/dual"): account.mode,
            ("POST", "/fapi/v1/positionSide/dual"): account.set_mode,
            ("POST", "/fapi/v1/marginType"): account.set_margin_type,
            ("POST", "/fapi/v1/leverage"): account.set_leverage,
        }

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Return every (method, path) that is answered, the key's own permissions among them."""
        return [*self._routes, ("GET", "/sapi/v1/account/apiRestrictions")]

    def serves(self, method: str, path: str) -> bool:
        """Say whether this is a private path of the venue's."""
        return (method, path) in self.routes

    def handle(self, method: str, path: str, params: Mapping[str, str], auth: Auth) -> Reply:
        """Answer one request at the clock's time."""
        self.book.advance(self.book.market.clock.now_ms())
        try:
            key = self._caller(path, params, auth)
            if path.startswith("/sapi/"):
                return Reply(200, api_restrictions(key))
            return self._answered(method, path, params)
        except BinanceRefusal as refusal:
            return Reply(refusal.status, {"code": refusal.code, "msg": refusal.text})

    def _answered(self, method: str, path: str, params: Params) -> Reply:
        answer = self._routes.get((method, path))
        if answer is None:
            return Reply(404, {"code": -5000, "msg": f"Path {path}, Method {method} is invalid"})
        faults, symbol = self.book.market.faults, params.get("symbol", "")
        if faults.take(("unknown_lost",), path, symbol):
            return Reply(503, {"code": 0, "msg": UNKNOWN_ERROR})
        if not _is_spared(method, params) and faults.take(("overloaded",), path, symbol):
            return Reply(503, {"code": -1008, "msg": OVERLOADED})
        body = answer(params)
        if faults.take(("unknown_done",), path, symbol):
            return Reply(503, {"code": 0, "msg": UNKNOWN_ERROR})
        return Reply(200, body)

    def _caller(self, path: str, params: Params, auth: Auth) -> BinanceKey:
        if auth.verified:
            key = self.keys.get(auth.key) or next(iter(self.keys.values()))
        else:
            now_ms = self.book.market.now_ms(path, params.get("symbol", ""))
            key = check_signed(self.keys, auth.header(KEY_HEADER), auth.payload, params, now_ms)
        if path.startswith(NEEDS_FUTURES) and not key.futures:
            raise BinanceRefusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return key

    def refusal(self, code: int, text: str) -> Reply:
        """Return a "no" in the venue's shape, for the dials."""
        return Reply(400, {"code": code, "msg": text})

    def maintenance(self) -> Reply:
        """Return the 503 that says that nothing was carried out."""
        return Reply(503, {"code": 0, "msg": UNAVAILABLE})


def _is_spared(method: str, params: Params) -> bool:
    """Say whether the overload protection lets a request through: only new risk is turned away."""
    return method != "POST" or flag(params, "reduceOnly") or flag(params, "closePosition")
