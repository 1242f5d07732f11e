"""Regular orders at Binance: ids, results, refusals, look-ups, and what the venue's own orders are called."""

from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.candles import HOUR_MS
from tests.unit.exchange.binance_caller import ORDER, Caller, a_caller, order_params
from tests.unit.exchange.books import QUIET, START_MS, SYMBOL, after

DAY_MS = 24 * HOUR_MS
LONG_QUIET = (QUIET,) * 24 * 100


def query(caller: Caller, **named: Any) -> Any:
    return caller.yes("GET", ORDER, symbol=SYMBOL, **named)


def limit(client_id: str = "l", price: str = "90", **changes: Any) -> dict[str, Any]:
    return order_params(client_id, type="LIMIT", price=price, timeInForce="GTC", **changes)


def test_the_result_of_a_market_order_is_its_final_state() -> None:
    told = a_caller().order()
    assert told["status"] == "FILLED"
    assert Decimal(told["executedQty"]) == 1
    assert Decimal(told["avgPrice"]) == 100


def test_the_acknowledgement_tells_nothing_of_the_fill() -> None:
    caller = a_caller()
    told = caller.order(newOrderRespType=None)
    assert (told["status"], told["executedQty"], told["avgPrice"]) == ("NEW", "0", "0.00")
    assert query(caller, origClientOrderId="a")["status"] == "FILLED"


def test_an_order_on_its_way_shows_as_new_until_its_time() -> None:
    caller = a_caller()
    caller.book.dials.ack_delay_ms = 500
    caller.order(newOrderRespType="ACK")
    assert caller.yes("GET", "/fapi/v3/positionRisk") == []
    caller.advance(START_MS + 500)
    assert query(caller, origClientOrderId="a")["status"] == "FILLED"


def test_who_asks_for_the_result_waits_for_it() -> None:
    caller = a_caller()
    caller.book.dials.ack_delay_ms = 500
    assert caller.order()["status"] == "FILLED"
    caller.advance(START_MS + 1_000)
    assert caller.book.position(SYMBOL).quantity == 1


def test_a_part_that_finds_no_match_expires() -> None:
    caller = a_caller()
    caller.book.dials.set(partial_share="0.5")
    told = caller.order()
    assert (told["status"], told["executedQty"], told["origQty"]) == ("EXPIRED", "0.5", "1")


def test_an_id_can_not_be_used_while_its_order_is_open() -> None:
    caller = a_caller()
    caller.yes("POST", ORDER, **limit("x"))
    assert caller.code("POST", ORDER, **limit("x")) == -4116
    assert caller.code("POST", ORDER, **order_params("x")) == -4116


def test_the_id_of_a_filled_order_makes_a_second_order() -> None:
    caller = a_caller()
    first, second = caller.order("x"), caller.order("x")
    assert first["orderId"] != second["orderId"]
    assert caller.book.position(SYMBOL).quantity == 2
    assert query(caller, origClientOrderId="x")["orderId"] == second["orderId"]
    assert query(caller, orderId=first["orderId"])["clientOrderId"] == "x"


def test_the_fix_standards_four_steps_end_differently_here() -> None:
    """Appendix D F.1.b: a duplicate is refused while the first is open only."""
    caller = a_caller()
    caller.yes("POST", ORDER, **limit("X", quantity="0.5"))
    assert caller.code("POST", ORDER, **limit("X", quantity="0.5")) == -4116
    assert caller.code("POST", ORDER, **limit("X", quantity="0.7")) == -4116
    assert query(caller, origClientOrderId="X")["origQty"] == "0.5"
    assert caller.yes("POST", ORDER, **limit("Y", quantity="0.6"))["status"] == "NEW"


def test_the_id_of_a_cancelled_order_is_free_again() -> None:
    caller = a_caller()
    caller.yes("POST", ORDER, **limit("x"))
    caller.yes("DELETE", ORDER, symbol=SYMBOL, origClientOrderId="x")
    assert caller.yes("POST", ORDER, **limit("x"))["status"] == "NEW"


def test_an_order_without_an_id_gets_one() -> None:
    told = a_caller().order(client_id="")
    assert told["clientOrderId"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "NOUSDT"}, -1121),
        ({"symbol": ""}, -1102),
        ({"quantity": "0"}, -4003),
        ({"quantity": None}, -1102),
        ({"quantity": "1.00001"}, -1111),
        ({"quantity": "0.1"}, -4164),
        ({"quantity": "100000"}, -2019),
        ({"side": "HOLD"}, -1117),
        ({"type": "ICEBERG"}, -1116),
        ({"newClientOrderId": "a" * 37}, -4015),
        ({"newClientOrderId": "a b"}, -4015),
        ({"positionSide": "LONG"}, -4061),
        ({"type": "LIMIT", "price": "90"}, -1102),
        ({"type": "LIMIT", "price": "90.05", "timeInForce": "GTC"}, -4014),
        ({"reduceOnly": "true"}, -2022),
    ],
)
def test_an_order_is_refused_with_the_documented_code(changes: dict[str, Any], code: int) -> None:
    caller = a_caller()
    assert caller.code("POST", ORDER, **(order_params("a") | changes)) == code
    assert caller.book.position(SYMBOL).quantity == 0
    assert caller.code("GET", ORDER, symbol=SYMBOL, origClientOrderId="a") == -2013


def test_a_refusal_names_the_smallest_notional() -> None:
    reply = a_caller().send("POST", ORDER, **order_params("a", quantity="0.1"))
    assert reply.body["msg"] == "Order's notional must be no smaller than 20 (unless you choose reduce only)."


def test_what_reduces_may_be_below_the_smallest_notional() -> None:
    caller = a_caller()
    caller.order()
    assert caller.order("b", "SELL", "0.1", reduceOnly="true")["status"] == "FILLED"


@pytest.mark.parametrize(("side", "quantity"), [("BUY", "1"), ("SELL", "1.5")])
def test_reduce_only_can_neither_add_nor_exceed(side: str, quantity: str) -> None:
    caller = a_caller()
    caller.order()
    asked = order_params("b", side, quantity, reduceOnly="true")
    assert caller.code("POST", ORDER, **asked) == -2022


@pytest.mark.parametrize(
    "kind", ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"]
)
def test_conditional_orders_have_moved_to_the_algo_service(kind: str) -> None:
    asked = order_params("a", type=kind, stopPrice="95")
    assert a_caller().code("POST", ORDER, **asked) == -4120


def test_open_orders_are_told_until_they_are_gone() -> None:
    caller = a_caller()
    placed = caller.yes("POST", ORDER, **limit("x"))
    assert [each["clientOrderId"] for each in caller.yes("GET", "/fapi/v1/openOrders")] == ["x"]
    told = caller.yes("DELETE", ORDER, symbol=SYMBOL, orderId=placed["orderId"])
    assert told["status"] == "CANCELED"
    assert caller.yes("GET", "/fapi/v1/openOrders", symbol=SYMBOL) == []


def test_what_is_gone_can_not_be_cancelled() -> None:
    caller = a_caller()
    placed = caller.order()
    assert caller.code("DELETE", ORDER, symbol=SYMBOL, orderId=placed["orderId"]) == -2011
    assert caller.code("DELETE", ORDER, symbol=SYMBOL, origClientOrderId="never") == -2011
    assert caller.code("GET", ORDER, symbol=SYMBOL, origClientOrderId="never") == -2013
    assert caller.code("GET", ORDER, symbol=SYMBOL) == -1102


@pytest.mark.parametrize(("days", "found"), [(3, True), (3.1, False)])
def test_a_cancelled_order_without_a_fill_is_forgotten_after_three_days(days: float, found: bool) -> None:
    caller = a_caller(*LONG_QUIET)
    caller.yes("POST", ORDER, **limit("x"))
    caller.yes("DELETE", ORDER, symbol=SYMBOL, origClientOrderId="x")
    caller.advance(START_MS + int(days * DAY_MS))
    reply = caller.send("GET", ORDER, symbol=SYMBOL, origClientOrderId="x")
    assert (reply.status == 200) == found


def test_the_three_days_begin_when_the_order_was_made_not_when_it_was_cancelled() -> None:
    caller = a_caller(*LONG_QUIET)
    caller.yes("POST", ORDER, **limit("x"))
    caller.advance(START_MS + 5 * DAY_MS)
    caller.yes("DELETE", ORDER, symbol=SYMBOL, origClientOrderId="x")
    assert caller.code("GET", ORDER, symbol=SYMBOL, origClientOrderId="x") == -2013


@pytest.mark.parametrize(("days", "found"), [(89, True), (91, False)])
def test_a_filled_order_is_remembered_for_ninety_days(days: int, found: bool) -> None:
    caller = a_caller(*LONG_QUIET)
    caller.order("x")
    caller.advance(START_MS + days * DAY_MS)
    reply = caller.send("GET", ORDER, symbol=SYMBOL, origClientOrderId="x")
    assert (reply.status == 200) == found


def test_all_orders_are_told_by_week_or_from_a_number_on() -> None:
    caller = a_caller(*LONG_QUIET)
    first = caller.order("a")["orderId"]
    caller.advance(START_MS + 8 * DAY_MS)
    caller.order("b", "SELL")

    def told(**asked: Any) -> list[str]:
        rows = caller.yes("GET", "/fapi/v1/allOrders", symbol=SYMBOL, **asked)
        return [each["clientOrderId"] for each in rows]

    assert told() == ["b"]
    assert told(startTime=START_MS, endTime=START_MS + 1) == ["a"]
    assert told(orderId=first) == ["a", "b"]
    assert told(orderId=first, limit=1) == ["a"]
    too_long = {"startTime": START_MS, "endTime": START_MS + 7 * DAY_MS + 1}
    assert caller.code("GET", "/fapi/v1/allOrders", symbol=SYMBOL, **too_long) == -4165


def test_a_contract_that_will_end_takes_what_reduces_only() -> None:
    caller = a_caller()
    caller.order()
    caller.book.delist(SYMBOL, after(5))
    assert caller.code("POST", ORDER, **order_params("b")) == -4140
    assert caller.order("c", "SELL", "0.5", reduceOnly="true")["status"] == "FILLED"


def test_a_settlement_is_an_order_of_the_venues_own() -> None:
    caller = a_caller()
    caller.order()
    caller.book.delist(SYMBOL, after(5))
    caller.advance(after(6))
    last = caller.yes("GET", "/fapi/v1/userTrades", symbol=SYMBOL)[-1]
    told = query(caller, orderId=last["orderId"])
    assert told["clientOrderId"].startswith("settlement_autoclose-")
    assert (told["status"], told["side"]) == ("FILLED", "SELL")
    assert query(caller, origClientOrderId=told["clientOrderId"]) == told
    assert caller.code("POST", ORDER, **order_params("b")) == -4140


def test_a_deleveraged_part_is_an_order_of_the_venues_own() -> None:
    caller = a_caller()
    caller.order()
    caller.book.adl(SYMBOL, Decimal("0.4"))
    last = caller.yes("GET", "/fapi/v1/userTrades", symbol=SYMBOL)[-1]
    assert query(caller, orderId=last["orderId"])["clientOrderId"] == "adl_autoclose"


def test_a_liquidation_is_an_order_of_the_venues_own() -> None:
    caller = a_caller(QUIET, (100.0, 101.0, 50.0, 60.0), QUIET)
    caller.order()
    caller.advance(after(2))
    last = caller.yes("GET", "/fapi/v1/userTrades", symbol=SYMBOL)[-1]
    assert query(caller, orderId=last["orderId"])["clientOrderId"].startswith("autoclose-")


def test_an_order_by_hand_bears_an_id_that_is_not_ours() -> None:
    caller = a_caller()
    caller.book.manual(SYMBOL, "buy", Decimal(1))
    told = caller.yes("GET", "/fapi/v1/allOrders", symbol=SYMBOL)[0]
    assert told["clientOrderId"].startswith("web_")
    assert query(caller, origClientOrderId=told["clientOrderId"]) == told


def test_an_unknown_error_may_hide_an_order_that_was_placed() -> None:
    caller = a_caller()
    caller.book.market.faults.add(kind="unknown_done", path="order", times=1)
    reply = caller.send("POST", ORDER, **order_params("a"))
    assert reply.status == 503
    assert reply.body["msg"] == "Unknown error, please check your request or try again later."
    assert query(caller, origClientOrderId="a")["status"] == "FILLED"


def test_an_unknown_error_may_hide_that_nothing_happened() -> None:
    caller = a_caller()
    caller.book.market.faults.add(kind="unknown_lost", path="order", times=1)
    seen = caller.send("POST", ORDER, **order_params("a"))
    assert (seen.status, seen.body["msg"][:13]) == (503, "Unknown error")
    assert caller.code("GET", ORDER, symbol=SYMBOL, origClientOrderId="a") == -2013


def test_service_unavailable_says_that_nothing_happened() -> None:
    reply = a_caller().trading.maintenance()
    assert (reply.status, reply.body["msg"]) == (503, "Service Unavailable.")


def test_overload_turns_away_new_risk_only() -> None:
    caller = a_caller()
    caller.order()
    caller.yes("POST", ORDER, **limit("l"))
    caller.book.market.faults.add(kind="overloaded")
    reply = caller.send("POST", ORDER, **order_params("b"))
    assert (reply.status, reply.body["code"]) == (503, -1008)
    assert caller.order("c", "SELL", reduceOnly="true")["status"] == "FILLED"
    assert caller.yes("DELETE", ORDER, symbol=SYMBOL, origClientOrderId="l")["status"] == "CANCELED"


def test_queries_lag_behind_by_the_propagation() -> None:
    caller = a_caller()
    caller.book.dials.propagation_ms = 300
    caller.order()
    assert caller.code("GET", ORDER, symbol=SYMBOL, origClientOrderId="a") == -2013
    caller.advance(START_MS + 300)
    assert query(caller, origClientOrderId="a")["status"] == "FILLED"
