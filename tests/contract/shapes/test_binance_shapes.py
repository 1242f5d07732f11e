"""Every trading reply of the test exchange's Binance has the documented fields of the documented types."""

from typing import Any

import pytest

from tests.contract.shapes import binance
from tests.contract.shapes.shape import Documented, differences
from tests.unit.exchange.binance_caller import ALGO, ORDER, Caller, a_caller, algo_params, order_params
from tests.unit.exchange.books import QUIET, SYMBOL, a_listing, after

FALLS = (100.0, 101.0, 94.0, 94.5)
DUAL, MARGIN = "/fapi/v1/positionSide/dual", "/fapi/v1/marginType"
LIMIT = order_params("rests", type="LIMIT", price="80", timeInForce="GTC")
Page = tuple[str, str, dict[str, Any]]

READS: list[tuple[Page, Documented]] = [
    (("GET", ORDER, {"symbol": SYMBOL, "origClientOrderId": "in"}), binance.QUERY_ORDER),
    (("GET", "/fapi/v1/openOrders", {}), binance.OPEN_ORDERS),
    (("GET", "/fapi/v1/allOrders", {"symbol": SYMBOL}), binance.ALL_ORDERS),
    (("GET", ALGO, {"clientAlgoId": "fired"}), binance.QUERY_ALGO_ORDER),
    (("GET", ALGO, {"clientAlgoId": "waits"}), binance.QUERY_ALGO_ORDER),
    (("GET", "/fapi/v1/openAlgoOrders", {}), binance.OPEN_ALGO_ORDERS),
    (("GET", "/fapi/v1/allAlgoOrders", {"symbol": SYMBOL}), binance.ALL_ALGO_ORDERS),
    (("GET", "/fapi/v1/userTrades", {"symbol": SYMBOL}), binance.USER_TRADES),
    (("GET", "/fapi/v1/income", {}), binance.INCOME),
    (("GET", "/fapi/v2/positionRisk", {}), binance.POSITION_RISK_V2),
    (("GET", "/fapi/v3/positionRisk", {}), binance.POSITION_RISK_V3),
    (("GET", "/fapi/v2/account", {}), binance.ACCOUNT_V2),
    (("GET", "/fapi/v3/account", {}), binance.ACCOUNT_V3),
    (("GET", "/fapi/v2/balance", {}), binance.BALANCE_V2),
    (("GET", "/fapi/v3/balance", {}), binance.BALANCE_V3),
    (("GET", "/fapi/v1/commissionRate", {"symbol": SYMBOL}), binance.COMMISSION_RATE),
    (("GET", DUAL, {}), binance.POSITION_MODE),
    (("GET", "/sapi/v1/account/apiRestrictions", {}), binance.API_RESTRICTIONS),
]
WRITES: list[tuple[Page, Documented]] = [
    (("POST", ORDER, order_params("new")), binance.NEW_ORDER),
    (("POST", ORDER, order_params("new", newOrderRespType="ACK")), binance.NEW_ORDER),
    (("POST", ORDER, LIMIT | {"newClientOrderId": "new"}), binance.NEW_ORDER),
    (("DELETE", ORDER, {"symbol": SYMBOL, "origClientOrderId": "rests"}), binance.CANCEL_ORDER),
    (("POST", ALGO, algo_params("new", trigger="70")), binance.NEW_ALGO_ORDER),
    (("DELETE", ALGO, {"clientAlgoId": "waits"}), binance.CANCEL_ALGO_ORDER),
    (("POST", "/fapi/v1/leverage", {"symbol": SYMBOL, "leverage": "20"}), binance.LEVERAGE),
]
REFUSED: list[Page] = [
    ("POST", ORDER, order_params("new", quantity="0.1")),
    ("GET", ORDER, {"symbol": SYMBOL, "origClientOrderId": "never"}),
    ("DELETE", ALGO, {"clientAlgoId": "never"}),
    ("POST", MARGIN, {"symbol": SYMBOL, "marginType": "ISOLATED"}),
    ("GET", "/fapi/v1/userTrades", {"symbol": "NOUSDT"}),
]


@pytest.fixture
def caller() -> Caller:
    """Return an account that has been through a fired stop, funding and a new entry, with orders waiting."""
    listing = a_listing((QUIET, FALLS, QUIET, QUIET, QUIET, QUIET), funding=[(after(4), 0.0001)])
    known = a_caller(listing=listing)
    known.order("first")
    known.stop("fired")
    known.advance(after(3))
    known.order("in")
    known.stop("waits", trigger="75")
    known.yes("POST", ORDER, **LIMIT)
    known.advance(after(5))
    return known


@pytest.mark.parametrize(("page", "documented"), READS + WRITES)
def test_a_reply_has_the_documented_shape(caller: Caller, page: Page, documented: Documented) -> None:
    method, path, params = page
    told = caller.yes(method, path, **params)
    assert told, f"nothing to hold against {documented.page!r}"
    assert differences(documented.kind, told) == [], documented.page


@pytest.mark.parametrize("page", REFUSED)
def test_a_refusal_has_the_documented_shape(caller: Caller, page: Page) -> None:
    method, path, params = page
    reply = caller.send(method, path, **params)
    assert reply.status == 400
    assert differences(binance.REFUSAL.kind, reply.body) == []


@pytest.mark.parametrize(
    "page",
    [
        ("POST", DUAL, {"dualSidePosition": "true"}),
        ("POST", MARGIN, {"symbol": SYMBOL, "marginType": "CROSSED"}),
    ],
)
def test_a_changed_setting_has_the_documented_shape(page: Page) -> None:
    method, path, params = page
    assert differences(binance.CHANGED.kind, a_caller().yes(method, path, **params)) == []


def test_every_endpoint_is_held_against_its_page() -> None:
    held = {(method, path) for (method, path, _), _ in READS + WRITES} | {("POST", DUAL), ("POST", MARGIN)}
    assert held == set(a_caller().trading.routes)
