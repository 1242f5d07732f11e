"""Every trading reply of the test exchange's Bybit has the documented fields of the documented types."""

from typing import Any

import pytest

from tests.contract.shapes import bybit
from tests.contract.shapes.shape import Documented, differences
from tests.exchange.bybit_trading import BybitTrading
from tests.exchange.private import Auth
from tests.unit.exchange.books import QUIET, SYMBOL, a_book, a_listing, after

FALLS = (100.0, 101.0, 94.0, 94.5)
LINEAR = {"category": "linear", "symbol": SYMBOL}
MARKET = {"side": "Buy", "orderType": "Market", "qty": "1", "positionIdx": "0"}
LIMIT = MARKET | {"orderType": "Limit", "price": "80", "timeInForce": "GTC", "orderLinkId": "rests"}
STOP = MARKET | {"side": "Sell", "triggerPrice": "75", "triggerDirection": "2", "reduceOnly": "true"}
MODE, MARGIN = "/v5/position/switch-mode", "/v5/account/set-margin-mode"
Page = tuple[str, str, dict[str, str]]

READS: list[tuple[Page, Documented]] = [
    (("GET", "/v5/order/realtime", {}), bybit.ORDERS),
    (("GET", "/v5/order/realtime", {"openOnly": "1"}), bybit.ORDERS),
    (("GET", "/v5/order/history", {}), bybit.ORDERS),
    (("GET", "/v5/execution/list", {}), bybit.EXECUTIONS),
    (("GET", "/v5/position/list", {}), bybit.POSITIONS),
    (("GET", "/v5/account/info", {}), bybit.ACCOUNT_INFO),
    (("GET", "/v5/account/wallet-balance", {"accountType": "UNIFIED"}), bybit.WALLET),
    (("GET", "/v5/account/fee-rate", {}), bybit.FEE_RATE),
    (("GET", "/v5/user/query-api", {}), bybit.KEY),
]
WRITES: list[tuple[Page, Documented]] = [
    (("POST", "/v5/order/create", MARKET | {"orderLinkId": "new"}), bybit.PLACED),
    (("POST", "/v5/order/create", STOP | {"orderLinkId": "new-stop"}), bybit.PLACED),
    (("POST", "/v5/order/cancel", {"orderLinkId": "rests"}), bybit.PLACED),
    (("POST", "/v5/order/amend", {"orderLinkId": "rests", "price": "81"}), bybit.PLACED),
    (
        ("POST", "/v5/position/trading-stop", {"stopLoss": "85", "positionIdx": "0", "tpslMode": "Full"}),
        bybit.NOTHING,
    ),
    (
        ("POST", "/v5/position/set-leverage", {"buyLeverage": "20", "sellLeverage": "20"}),
        bybit.NOTHING,
    ),
]
SETTINGS: list[tuple[Page, Documented]] = [
    (("POST", MODE, {"mode": "3"}), bybit.NOTHING),
    (("POST", MARGIN, {"setMarginMode": "REGULAR_MARGIN"}), bybit.MARGIN_MODE),
]
REFUSED: list[Page] = [
    ("POST", "/v5/order/create", MARKET | {"qty": "0.01"}),
    ("POST", "/v5/order/cancel", {"orderLinkId": "never"}),
    ("POST", "/v5/position/set-leverage", {"buyLeverage": "10", "sellLeverage": "10"}),
]


def told(venue: BybitTrading, page: Page) -> dict[str, Any]:
    method, path, params = page
    reply = venue.handle(method, path, LINEAR | params, Auth(verified=True))
    assert reply.status == 200 and isinstance(reply.body, dict)
    return reply.body


def yes(venue: BybitTrading, page: Page) -> Any:
    """Return the result of a request that must succeed."""
    body = told(venue, page)
    assert body["retCode"] == 0, body
    return body["result"]


@pytest.fixture
def venue() -> BybitTrading:
    """Return an account that has been through a fired stop, funding and a new entry, with orders waiting."""
    listing = a_listing((QUIET, FALLS, QUIET, QUIET, QUIET, QUIET), funding=[(after(4), 0.0001)])
    known = BybitTrading(a_book(listing=listing))
    entry = MARKET | {"stopLoss": "95", "takeProfit": "150", "tpslMode": "Full"}
    yes(known, ("POST", "/v5/order/create", entry | {"orderLinkId": "first"}))
    known.book.advance(after(3))
    yes(known, ("POST", "/v5/order/create", entry | {"orderLinkId": "in", "stopLoss": "70"}))
    yes(known, ("POST", "/v5/order/create", STOP | {"orderLinkId": "waits"}))
    yes(known, ("POST", "/v5/order/create", LIMIT))
    known.book.advance(after(5))
    return known


@pytest.mark.parametrize(("page", "documented"), READS + WRITES)
def test_a_result_has_the_documented_shape(venue: BybitTrading, page: Page, documented: Documented) -> None:
    result = yes(venue, page)
    assert documented is bybit.NOTHING or result, f"nothing to hold against {documented.page!r}"
    assert result.get("list") != [], f"nothing to hold against {documented.page!r}"
    assert differences(documented.kind, result) == [], documented.page


@pytest.mark.parametrize(("page", "documented"), SETTINGS)
def test_a_changed_setting_has_the_documented_shape(page: Page, documented: Documented) -> None:
    fresh = BybitTrading(a_book())
    assert differences(documented.kind, yes(fresh, page)) == [], documented.page


@pytest.mark.parametrize("page", [*REFUSED, *(page for page, _ in READS)])
def test_every_reply_comes_in_the_documented_envelope(venue: BybitTrading, page: Page) -> None:
    body = told(venue, page)
    assert (body["retCode"] != 0) == (page in REFUSED)
    kept = {name: each for name, each in body.items() if name not in ("result", "retExtInfo")}
    assert differences(bybit.ENVELOPE, kept) == []
    assert isinstance(body["result"], dict)
    assert body["retExtInfo"] == {}


def test_every_endpoint_is_held_against_its_page() -> None:
    held = {(method, path) for (method, path, _), _ in READS + WRITES + SETTINGS}
    assert held == set(BybitTrading(a_book()).paths)
