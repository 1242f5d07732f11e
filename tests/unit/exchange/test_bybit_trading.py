"""Bybit's private protocol in process: records, codes, look-ups and their windows, signatures."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.bybit_signing import BybitKey, signature, signed_headers
from tests.exchange.bybit_trading import TEST_KEY, BybitTrading
from tests.exchange.private import Auth
from tests.exchange.trading.rules import DAY_MS
from tests.unit.exchange.books import QUIET, START_MS, SYMBOL, a_book, a_listing, after

TRUSTED = Auth(verified=True)
LINEAR = {"category": "linear", "symbol": SYMBOL}


class Caller:
    """Calls one account without signing; `told` is the whole envelope."""

    def __init__(self, venue: BybitTrading) -> None:
        self.venue, self.book = venue, venue.book

    def told(self, method: str, path: str, **params: str) -> dict[str, Any]:
        reply = self.venue.handle(method, f"/v5/{path}", {**LINEAR, **params}, TRUSTED)
        assert reply.status == 200 and isinstance(reply.body, dict)
        return reply.body

    def get(self, path: str, **params: str) -> Any:
        told = self.told("GET", path, **params)
        assert told["retCode"] == 0, told
        return told["result"]

    def post(self, path: str, **params: str) -> Any:
        told = self.told("POST", path, **params)
        assert told["retCode"] == 0, told
        return told["result"]

    def code(self, path: str, **params: str) -> int:
        return int(self.told("POST", path, **params)["retCode"])

    def buy(self, link: str = "a", **changes: str) -> Any:
        return self.post("order/create", **market(link, **changes))


def market(link: str = "a", **changes: str) -> dict[str, str]:
    asked = {"side": "Buy", "orderType": "Market", "qty": "1", "orderLinkId": link, "positionIdx": "0"}
    return {**asked, **changes}


@pytest.fixture
def bybit() -> Caller:
    return Caller(BybitTrading(a_book()))


def test_an_accepted_order_is_named_by_both_ids_and_filled_in_realtime(bybit: Caller) -> None:
    made = bybit.buy(stopLoss="95", takeProfit="110")
    assert made["orderLinkId"] == "a"
    (order,) = bybit.get("order/realtime", orderLinkId="a")["list"]
    assert (order["orderId"], order["orderStatus"]) == (made["orderId"], "Filled")
    assert (order["cumExecQty"], order["avgPrice"], order["leavesQty"]) == ("1", "100", "0")


def test_stops_that_ride_in_an_entry_become_children_without_a_client_id(bybit: Caller) -> None:
    bybit.buy(stopLoss="95", takeProfit="110")
    children = bybit.get("order/realtime")["list"]
    assert [(c["stopOrderType"], c["orderLinkId"], c["parentOrderLinkId"]) for c in children] == [
        ("TakeProfit", "", "a"),
        ("StopLoss", "", "a"),
    ]
    assert {(c["orderStatus"], c["reduceOnly"], c["qty"]) for c in children} == {("Untriggered", True, "1")}
    (position,) = bybit.get("position/list")["list"]
    assert (position["side"], position["size"], position["stopLoss"]) == ("Buy", "1", "95")


def test_children_resize_with_the_position_and_vanish_when_it_is_flat(bybit: Caller) -> None:
    bybit.buy(stopLoss="95")
    bybit.buy("b", side="Sell", qty="0.4", reduceOnly="true")
    (child,) = bybit.get("order/realtime")["list"]
    assert child["qty"] == "0.6"
    bybit.buy("c", side="Sell", qty="0.6", reduceOnly="true")
    assert bybit.get("order/realtime")["list"] == []
    gone = [o for o in bybit.get("order/history")["list"] if o["stopOrderType"] == "StopLoss"]
    assert [(o["orderStatus"], o["cancelType"]) for o in gone] == [("Cancelled", "CancelByTpSlTsClear")]


def test_moving_a_stop_to_where_it_is_says_not_modified(bybit: Caller) -> None:
    bybit.buy(stopLoss="95")
    assert bybit.code("position/trading-stop", stopLoss="96", tpslMode="Full", positionIdx="0") == 0
    assert bybit.code("position/trading-stop", stopLoss="96", tpslMode="Full", positionIdx="0") == 34040
    assert bybit.code("position/trading-stop", stopLoss="0", tpslMode="Full", positionIdx="0") == 0
    assert bybit.get("order/realtime")["list"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"qty": "0.0005"}, 10001),
        ({"qty": "0.04"}, 110094),
        ({"qty": "100000"}, 110007),
        ({"side": "Sell", "reduceOnly": "true"}, 110017),
        ({"triggerPrice": "99", "triggerDirection": "1"}, 110092),
        ({"triggerPrice": "101", "triggerDirection": "2"}, 110093),
        ({"stopLoss": "100.5"}, 10001),
        ({"symbol": "NOPEUSDT"}, 10001),
        ({"category": "spot"}, 10001),
        ({"side": "Up"}, 10001),
        ({"qty": "many"}, 10001),
        ({"positionIdx": "1"}, 10001),
        ({"stopLoss": "95", "tpslMode": "Partial"}, 10001),
    ],
)
def test_what_bybit_refuses_has_its_code(bybit: Caller, changes: dict[str, str], code: int) -> None:
    assert bybit.code("order/create", **market(**changes)) == code


def test_a_repeated_client_id_and_a_lost_order_have_their_codes(bybit: Caller) -> None:
    bybit.buy()
    assert bybit.code("order/create", **market()) == 110072
    assert bybit.code("order/cancel", orderLinkId="a") == 110001
    assert bybit.code("order/cancel", orderLinkId="never") == 110001


def test_settings_that_are_so_already_say_so(bybit: Caller) -> None:
    assert bybit.code("position/set-leverage", buyLeverage="3", sellLeverage="3") == 0
    assert bybit.code("position/set-leverage", buyLeverage="3", sellLeverage="3") == 110043
    assert bybit.code("position/set-leverage", buyLeverage="500", sellLeverage="500") == 110013
    assert bybit.code("position/switch-mode", mode="0") == 110025
    bybit.buy()
    assert bybit.code("position/switch-mode", mode="3") == 110024
    assert bybit.get("account/info")["marginMode"] == "ISOLATED_MARGIN"
    bybit.post("account/set-margin-mode", setMarginMode="REGULAR_MARGIN")
    assert bybit.get("account/info")["marginMode"] == "REGULAR_MARGIN"


def test_an_eleventh_conditional_order_of_a_symbol_is_refused(bybit: Caller) -> None:
    waiting = {"triggerPrice": "90", "triggerDirection": "2", "side": "Sell"}
    for number in range(10):
        bybit.buy(f"s{number}", **waiting)
    assert bybit.code("order/create", **market("s10", **waiting)) == 110009


def test_a_delisting_contract_takes_exits_only_and_a_settled_one_nothing(bybit: Caller) -> None:
    bybit.buy()
    bybit.book.delist(SYMBOL, after(2))
    assert bybit.code("order/create", **market("b")) == 30228
    bybit.buy("c", side="Sell", qty="0.5", reduceOnly="true")
    bybit.book.advance(after(3))
    assert bybit.code("order/create", **market("d", side="Sell", reduceOnly="true")) == 110074
    newest = bybit.get("execution/list")["list"][0]
    assert (newest["execType"], newest["execQty"], newest["orderLinkId"]) == ("Settle", "0.5", "")
    assert all(order["orderId"] != newest["orderId"] for order in bybit.get("order/history")["list"])
    assert bybit.get("position/list", symbol="", settleCoin="USDT")["list"] == []


def test_realtime_forgets_closed_orders_at_a_restart_and_history_keeps_them(bybit: Caller) -> None:
    bybit.buy()
    bybit.book.restart()
    assert bybit.get("order/realtime", orderLinkId="a")["list"] == []
    assert [o["orderLinkId"] for o in bybit.get("order/history", orderLinkId="a")["list"]] == ["a"]


def test_an_id_may_find_only_open_orders_in_realtime(bybit: Caller) -> None:
    bybit.buy(stopLoss="95")
    bybit.venue.queries.id_finds_closed = False
    assert bybit.get("order/realtime", orderLinkId="a")["list"] == []
    assert len(bybit.get("order/realtime", orderLinkId="a", openOnly="1")["list"]) == 1
    assert bybit.get("order/realtime", orderFilter="Order")["list"] == []
    assert len(bybit.get("order/realtime", orderFilter="StopOrder")["list"]) == 1


def test_history_keeps_an_order_without_fills_for_a_day_and_a_filled_one_longer() -> None:
    bybit = Caller(BybitTrading(a_book((QUIET,) * 60)))
    bybit.buy("kept")
    bybit.buy("gone", orderType="Limit", price="90")
    bybit.post("order/cancel", orderLinkId="gone")
    bybit.book.advance(START_MS + DAY_MS)
    assert len(bybit.get("order/history")["list"]) == 2
    bybit.book.advance(START_MS + DAY_MS + 1)
    assert [o["orderLinkId"] for o in bybit.get("order/history")["list"]] == ["kept"]


def test_realtime_shows_the_last_five_hundred_closed_orders() -> None:
    bybit = Caller(BybitTrading(a_book(wallet_quote=1e9)))
    for number in range(502):
        bybit.buy(f"o{number}", qty="0.1")
    assert bybit.get("order/realtime", orderLinkId="o1")["list"] == []
    assert len(bybit.get("order/realtime", orderLinkId="o2")["list"]) == 1


def test_executions_come_newest_first_in_pages_that_a_cursor_joins(bybit: Caller) -> None:
    for number in range(7):
        bybit.buy(f"o{number}")
    seen: list[str] = []
    cursor = ""
    while True:
        page = bybit.get("execution/list", limit="3", cursor=cursor)
        seen += [each["orderLinkId"] for each in page["list"]]
        cursor = page["nextPageCursor"]
        if not cursor:
            break
    assert seen == [f"o{number}" for number in reversed(range(7))]


def test_an_execution_says_its_fee_and_what_is_left_of_the_order(bybit: Caller) -> None:
    bybit.book.dials.set(partial_parts=2)
    bybit.buy()
    newer, older = bybit.get("execution/list", orderLinkId="a")["list"]
    assert (older["leavesQty"], newer["leavesQty"]) == ("0.5", "0")
    assert float(newer["execFee"]) == 0.5 * 100.0 * 0.00055
    assert (newer["feeRate"], newer["execType"], newer["stopOrderType"]) == ("0.00055", "Trade", "UNKNOWN")


def test_funding_stands_among_the_executions_positive_when_paid() -> None:
    listing = a_listing((QUIET,) * 10, funding=[(after(1), 0.0001)])
    bybit = Caller(BybitTrading(a_book(listing=listing)))
    bybit.buy()
    bybit.book.advance(after(1.5))
    funding = bybit.get("execution/list", execType="Funding")["list"][0]
    assert (funding["execFee"], funding["feeRate"], funding["orderLinkId"]) == ("0.01", "0.0001", "")
    assert funding["execTime"] == str(after(1))


def test_a_window_over_a_week_is_refused(bybit: Caller) -> None:
    window = {"startTime": str(START_MS - 8 * DAY_MS), "endTime": str(START_MS)}
    assert bybit.told("GET", "execution/list", **window)["retCode"] == 10001


def test_a_closed_position_in_isolated_mode_leaves_the_available_balance_empty(bybit: Caller) -> None:
    account = bybit.get("account/wallet-balance", accountType="UNIFIED")["list"][0]
    assert account["totalAvailableBalance"] == ""
    assert account["coin"][0]["walletBalance"] == "10000"


def test_fee_rate_and_key_facts_are_told() -> None:
    key = BybitKey(key="k", secret="s", withdraw=True)
    bybit = Caller(BybitTrading(a_book(), [key]))
    assert bybit.get("account/fee-rate")["list"][0]["takerFeeRate"] == "0.00055"
    facts = bybit.get("user/query-api")
    assert facts["readOnly"] == 0 and "Withdraw" in facts["permissions"]["Wallet"]


def test_signatures_are_verified_and_the_window_kept() -> None:
    venue = BybitTrading(a_book())
    query = "category=linear&settleCoin=USDT"
    params: Mapping[str, str] = {"category": "linear", "settleCoin": "USDT"}

    def code(key: BybitKey, at_ms: int, payload: str = query) -> int:
        auth = Auth(signed_headers(key, at_ms, payload), query)
        return int(venue.handle("GET", "/v5/position/list", params, auth).body["retCode"])

    assert code(TEST_KEY, START_MS) == 0
    assert code(TEST_KEY, START_MS - 5_000) == 0
    assert code(TEST_KEY, START_MS - 5_001) == 10002
    assert code(TEST_KEY, START_MS + 999) == 0
    assert code(TEST_KEY, START_MS + 1_000) == 10002
    assert code(TEST_KEY, START_MS, query + "&limit=1") == 10004
    assert code(BybitKey(key="stranger", secret="x"), START_MS) == 10003


def test_a_read_only_key_reads_and_does_not_trade() -> None:
    key = BybitKey(key="k", secret="s", read_only=True)
    bybit = Caller(BybitTrading(a_book(), [key]))
    bybit.get("position/list")
    assert bybit.code("order/create", **market()) == 10005


def test_the_signature_is_that_of_timestamp_key_window_and_payload() -> None:
    # by openssl, over the documented concatenation
    assert signature("secret", "1658384314791", "KEY", "5000", "a=1") == (
        "9e5e86f06a3e7fc454634f383a507d2f3c925fd086f43f68c6cbe0dfcca686da"
    )


def test_quantities_and_prices_leave_without_exponents(bybit: Caller) -> None:
    bybit.buy(qty="0.123")
    (position,) = bybit.get("position/list")["list"]
    assert Decimal(position["size"]) == Decimal("0.123") and "E" not in position["liqPrice"]
