"""What the triggers of conditional orders at Binance send, and what stays when a position is gone."""

from decimal import Decimal

import pytest

from tests.exchange.candles import HOUR_MS
from tests.unit.exchange.binance_caller import (
    ALGO,
    ORDER,
    a_caller,
    algo_params,
    closing_params,
    open_algos,
    told_algo,
)
from tests.unit.exchange.books import QUIET, SYMBOL, after

FALLS = (100.0, 101.0, 94.0, 94.5)
RISES = (100.0, 115.0, 99.0, 110.0)
DAY_MS = 24 * HOUR_MS


def test_a_trigger_sends_an_order_with_a_number_of_its_own() -> None:
    caller = a_caller(QUIET, FALLS, QUIET, QUIET)
    caller.order()
    placed = caller.stop()
    assert told_algo(caller)["actualOrderId"] == ""
    caller.advance(after(2))
    told = told_algo(caller)
    assert told["algoStatus"] == "FINISHED"
    assert told["actualOrderId"] not in ("", str(placed["algoId"]))
    assert told["triggerTime"] > placed["createTime"]
    last = caller.yes("GET", "/fapi/v1/userTrades", symbol=SYMBOL)[-1]
    assert str(last["orderId"]) == told["actualOrderId"]
    sent = caller.yes("GET", ORDER, symbol=SYMBOL, orderId=told["actualOrderId"])
    assert (sent["status"], sent["type"], sent["side"]) == ("FILLED", "MARKET", "SELL")
    assert Decimal(told["actualPrice"]) == Decimal(sent["avgPrice"]) == 95
    assert open_algos(caller) == []
    assert caller.book.position(SYMBOL).quantity == 0


@pytest.mark.parametrize("keeps", [False, True])
def test_what_the_sent_order_is_called_may_be_turned(keeps: bool) -> None:
    caller = a_caller(QUIET, FALLS, QUIET, children_keep_ids=keeps)
    caller.order()
    caller.stop("mine")
    caller.advance(after(2))
    sent = caller.yes("GET", ORDER, symbol=SYMBOL, orderId=told_algo(caller, "mine")["actualOrderId"])
    assert (sent["clientOrderId"] == "mine") == keeps
    assert sent["clientOrderId"]


def test_a_trade_never_names_a_client_id() -> None:
    caller = a_caller(QUIET, FALLS, QUIET)
    caller.order()
    caller.stop()
    caller.advance(after(2))
    rows = caller.yes("GET", "/fapi/v1/userTrades", symbol=SYMBOL)
    assert len(rows) == 2
    assert not any("lient" in name for row in rows for name in row)


def test_the_other_leg_stays_when_one_has_closed_the_position() -> None:
    caller = a_caller(QUIET, FALLS, QUIET)
    caller.order()
    caller.stop("stop")
    caller.stop("target", trigger="120", type="TAKE_PROFIT_MARKET")
    caller.advance(after(2))
    assert caller.book.position(SYMBOL).quantity == 0
    assert open_algos(caller) == ["target"]


def test_stops_stay_when_the_position_is_closed_by_another_order() -> None:
    caller = a_caller()
    caller.order()
    caller.stop("reduces")
    caller.yes("POST", ALGO, **closing_params("closes", trigger="94"))
    caller.order("b", "SELL", reduceOnly="true")
    assert open_algos(caller) == ["reduces", "closes"]


def test_a_stop_that_stands_with_the_position_expires_with_it() -> None:
    caller = a_caller()
    caller.order()
    caller.yes("POST", ALGO, **closing_params("stands", timeInForce="GTE_GTC"))
    caller.order("b", "SELL", reduceOnly="true")
    assert open_algos(caller) == []
    assert told_algo(caller, "stands")["algoStatus"] == "EXPIRED"


def test_a_stop_that_stands_with_the_position_needs_one() -> None:
    assert a_caller().code("POST", ALGO, **closing_params("s", timeInForce="GTE_GTC")) == -4509


def test_a_leftover_stop_that_triggers_opens_nothing() -> None:
    caller = a_caller(QUIET, FALLS, QUIET)
    caller.stop()
    caller.advance(after(2))
    told = told_algo(caller)
    assert (told["algoStatus"], told["actualOrderId"]) == ("REJECTED", "")
    assert caller.book.position(SYMBOL).quantity == 0
    assert caller.yes("GET", "/fapi/v1/userTrades", symbol=SYMBOL) == []


def test_a_leftover_stop_closes_the_next_position_of_that_direction() -> None:
    """Why leftovers must be cancelled: the stop of an old trade ends a new one."""
    caller = a_caller(QUIET, QUIET, FALLS, QUIET)
    caller.order("first")
    caller.stop("old", trigger="98")
    caller.order("out", "SELL", reduceOnly="true")
    caller.advance(after(2))
    caller.order("second")
    caller.advance(after(3))
    assert told_algo(caller, "old")["algoStatus"] == "FINISHED"
    assert caller.book.position(SYMBOL).quantity == 0


def test_close_position_closes_whatever_is_held_then() -> None:
    caller = a_caller(QUIET, FALLS, QUIET)
    caller.order()
    told = caller.yes("POST", ALGO, **closing_params("c"))
    assert (told["closePosition"], told["quantity"]) == (True, "0")
    caller.order("more", quantity="2")
    caller.advance(after(2))
    assert caller.book.position(SYMBOL).quantity == 0
    assert Decimal(caller.yes("GET", "/fapi/v1/userTrades", symbol=SYMBOL)[-1]["qty"]) == 3


def test_a_trigger_that_the_money_does_not_cover_is_rejected() -> None:
    caller = a_caller(QUIET, RISES, QUIET)
    caller.yes("POST", ALGO, **algo_params("s", "BUY", "110", quantity="100000", reduceOnly=None))
    caller.advance(after(2))
    told = told_algo(caller)
    assert (told["algoStatus"], told["actualOrderId"]) == ("REJECTED", "")
    assert caller.book.position(SYMBOL).quantity == 0


def test_the_regular_cancel_does_not_reach_the_order_that_a_trigger_sent() -> None:
    caller = a_caller(QUIET, FALLS, QUIET)
    caller.order()
    caller.stop()
    caller.advance(after(2))
    sent = told_algo(caller)["actualOrderId"]
    assert caller.code("DELETE", ORDER, symbol=SYMBOL, orderId=sent) == -2011


def test_stops_of_a_settled_contract_expire() -> None:
    caller = a_caller()
    caller.order()
    caller.stop()
    caller.book.delist(SYMBOL, after(5))
    caller.advance(after(6))
    assert told_algo(caller)["algoStatus"] == "EXPIRED"


def test_an_entry_on_a_trigger_opens_a_position() -> None:
    caller = a_caller(QUIET, RISES, QUIET)
    caller.yes("POST", ALGO, **algo_params("in", "BUY", "110", reduceOnly=None))
    caller.advance(after(2))
    assert caller.book.position(SYMBOL).quantity == 1
    assert told_algo(caller, "in")["algoStatus"] == "FINISHED"
