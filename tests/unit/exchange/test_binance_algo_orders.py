"""Conditional orders at Binance: a service and ids of their own, and orders that their triggers send."""

from typing import Any

import pytest

from tests.exchange.candles import HOUR_MS
from tests.unit.exchange.binance_caller import (
    ALGO,
    ORDER,
    a_caller,
    algo_params,
    closing_params,
    open_algos,
    order_params,
    told_algo,
)
from tests.unit.exchange.books import QUIET, START_MS, SYMBOL, after

FALLS = (100.0, 101.0, 94.0, 94.5)
RISES = (100.0, 115.0, 99.0, 110.0)
DAY_MS = 24 * HOUR_MS


def test_a_stop_waits_and_is_not_among_the_open_orders() -> None:
    caller = a_caller()
    caller.order()
    told = caller.stop()
    assert (told["algoStatus"], told["orderType"], told["reduceOnly"]) == ("NEW", "STOP_MARKET", True)
    assert caller.yes("GET", "/fapi/v1/openOrders") == []
    assert open_algos(caller) == open_algos(caller, symbol=SYMBOL) == ["s"]
    assert open_algos(caller, algoId=told["algoId"]) == ["s"]
    assert open_algos(caller, algoId=1) == []


def test_the_regular_look_up_does_not_know_a_waiting_stop() -> None:
    caller = a_caller()
    told = caller.stop()
    assert caller.code("GET", ORDER, symbol=SYMBOL, origClientOrderId="s") == -2013
    assert caller.code("GET", ORDER, symbol=SYMBOL, orderId=told["algoId"]) == -2013
    assert caller.code("DELETE", ORDER, symbol=SYMBOL, orderId=told["algoId"]) == -2011


def test_ids_of_algo_orders_are_a_namespace_of_their_own() -> None:
    caller = a_caller()
    caller.stop("same")
    assert caller.order("same")["status"] == "FILLED"
    assert caller.code("POST", ALGO, **algo_params("same")) == -4116
    assert caller.code("GET", ALGO, clientAlgoId="other") == -2013


def test_one_close_position_stop_and_one_target_fit_a_direction() -> None:
    caller = a_caller()
    caller.order()
    caller.yes("POST", ALGO, **closing_params("stop"))
    caller.yes("POST", ALGO, **closing_params("target", trigger="110", type="TAKE_PROFIT_MARKET"))
    caller.yes("POST", ALGO, **closing_params("other way", "BUY", "110") | {"clientAlgoId": "other"})
    assert caller.code("POST", ALGO, **closing_params("again", trigger="94")) == -4130
    caller.yes("DELETE", ALGO, clientAlgoId="stop")
    assert caller.yes("POST", ALGO, **closing_params("again", trigger="94"))["algoStatus"] == "NEW"


@pytest.mark.parametrize(
    ("side", "kind", "trigger", "code"),
    [
        ("SELL", "STOP_MARKET", "100", -2021),
        ("SELL", "STOP_MARKET", "105", -2021),
        ("BUY", "STOP_MARKET", "95", -2021),
        ("SELL", "TAKE_PROFIT_MARKET", "95", -2021),
        ("BUY", "TAKE_PROFIT_MARKET", "105", -2021),
    ],
)
def test_what_would_trigger_at_once_is_refused(side: str, kind: str, trigger: str, code: int) -> None:
    assert a_caller().code("POST", ALGO, **algo_params("s", side, trigger, type=kind)) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"algoType": ""}, -1102),
        ({"algoType": "VP"}, -1102),
        ({"symbol": "NOUSDT"}, -1121),
        ({"type": "MARKET"}, -1116),
        ({"triggerPrice": None}, -1102),
        ({"triggerPrice": "95.01"}, -4014),
        ({"triggerPrice": "x"}, -1102),
        ({"quantity": None}, -1102),
        ({"quantity": "1.00001"}, -1111),
        ({"side": "HOLD"}, -1117),
        ({"clientAlgoId": "a b"}, -4015),
        ({"closePosition": "true"}, -4137),
        ({"closePosition": "true", "quantity": None}, -1106),
    ],
)
def test_an_algo_order_is_refused_with_the_documented_code(changes: dict[str, Any], code: int) -> None:
    caller = a_caller()
    assert caller.code("POST", ALGO, **(algo_params("s") | changes)) == code
    assert open_algos(caller) == []


def test_neither_margin_nor_position_is_looked_at_before_the_trigger() -> None:
    caller = a_caller()
    asked = algo_params("s", "BUY", "110", quantity="100000", reduceOnly=None)
    assert caller.yes("POST", ALGO, **asked)["algoStatus"] == "NEW"


def test_two_hundred_may_wait_in_the_whole_account() -> None:
    caller = a_caller()
    for number in range(200):
        caller.stop(f"s{number}")
    assert caller.code("POST", ALGO, **algo_params("one more")) == -4015
    assert caller.code("POST", ALGO, **algo_params("one-more")) == -4045
    caller.yes("DELETE", ALGO, clientAlgoId="s0")
    assert caller.stop("one-more")["algoStatus"] == "NEW"


def test_a_waiting_order_can_be_cancelled_once() -> None:
    caller = a_caller()
    placed = caller.stop()
    told = caller.yes("DELETE", ALGO, algoId=placed["algoId"])
    assert told == {"algoId": placed["algoId"], "clientAlgoId": "s", "code": "200", "msg": "success"}
    assert told_algo(caller)["algoStatus"] == "CANCELED"
    assert caller.code("DELETE", ALGO, algoId=placed["algoId"]) == -2011
    assert caller.code("DELETE", ALGO, clientAlgoId="never") == -2011
    assert caller.code("DELETE", ALGO) == -1102


def test_the_id_of_a_cancelled_algo_order_is_free_and_the_newest_is_told() -> None:
    caller = a_caller()
    first = caller.stop()
    caller.yes("DELETE", ALGO, clientAlgoId="s")
    second = caller.stop(trigger="94")
    assert told_algo(caller)["algoId"] == second["algoId"]
    assert caller.yes("GET", ALGO, algoId=first["algoId"])["algoStatus"] == "CANCELED"


def test_a_cancelled_algo_order_is_forgotten_three_days_after_it_was_made() -> None:
    caller = a_caller(*(QUIET,) * 24 * 5)
    caller.stop()
    caller.advance(START_MS + 3 * DAY_MS)
    caller.yes("DELETE", ALGO, clientAlgoId="s")
    assert told_algo(caller)["algoStatus"] == "CANCELED"
    caller.advance(START_MS + 3 * DAY_MS + 1)
    assert caller.code("GET", ALGO, clientAlgoId="s") == -2013
    assert caller.yes("GET", "/fapi/v1/allAlgoOrders", symbol=SYMBOL) == []


def test_all_algo_orders_tell_ended_ones_too() -> None:
    caller = a_caller(QUIET, FALLS, QUIET)
    caller.order()
    first = caller.stop("one")
    caller.stop("two", trigger="80")
    caller.advance(after(2))

    def told(**asked: Any) -> list[tuple[str, str]]:
        rows = caller.yes("GET", "/fapi/v1/allAlgoOrders", symbol=SYMBOL, **asked)
        return [(each["clientAlgoId"], each["algoStatus"]) for each in rows]

    assert told() == [("one", "FINISHED"), ("two", "NEW")]
    assert told(algoId=first["algoId"] + 1) == [("two", "NEW")]
    assert told(limit=1) == [("two", "NEW")]
    assert caller.code("GET", "/fapi/v1/allAlgoOrders") == -1102


def test_the_price_that_triggers_is_echoed() -> None:
    caller = a_caller()
    assert caller.stop()["workingType"] == "CONTRACT_PRICE"
    assert caller.stop("m", workingType="MARK_PRICE")["workingType"] == "MARK_PRICE"
    assert told_algo(caller, "m")["workingType"] == "MARK_PRICE"


def test_an_unknown_error_may_hide_a_stop_that_stands() -> None:
    caller = a_caller()
    caller.order()
    caller.book.market.faults.add(kind="unknown_done", path="algoOrder", times=1)
    assert caller.send("POST", ALGO, **algo_params("s")).status == 503
    assert told_algo(caller)["algoStatus"] == "NEW"


def test_overload_lets_a_protective_stop_through() -> None:
    caller = a_caller()
    caller.order()
    caller.book.market.faults.add(kind="overloaded")
    assert caller.send("POST", ORDER, **order_params("b")).status == 503
    assert caller.stop()["algoStatus"] == "NEW"
