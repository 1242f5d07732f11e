"""Binance's account: trades, income, positions, money, and settings."""

from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.candles import HOUR_MS
from tests.unit.exchange.binance_caller import ALGO, ORDER, Caller, a_caller, algo_params, order_params
from tests.unit.exchange.books import QUIET, START_MS, SYMBOL, a_listing, after

DAY_MS = 24 * HOUR_MS
LEVERAGE, MARGIN, MODE = "/fapi/v1/leverage", "/fapi/v1/marginType", "/fapi/v1/positionSide/dual"
TRADES, INCOME = "/fapi/v1/userTrades", "/fapi/v1/income"


def trades(caller: Caller, **asked: Any) -> list[Any]:
    return list(caller.yes("GET", TRADES, symbol=SYMBOL, **asked))


def month(caller: Caller) -> list[int]:
    """Trade once every three days for a month; return the trades' numbers."""
    for day in range(0, 30, 3):
        caller.advance(START_MS + day * DAY_MS)
        caller.order(f"o{day}", "BUY" if day % 2 == 0 else "SELL")
    return [fill.number for fill in caller.book.fills]


def a_month() -> Caller:
    return a_caller(*(QUIET,) * 24 * 40)


def test_a_trade_tells_order_price_fee_and_profit() -> None:
    caller = a_caller()
    placed = caller.order()
    caller.order("b", "SELL", "0.5")
    bought, sold = trades(caller)
    assert (bought["orderId"], bought["side"], bought["buyer"]) == (placed["orderId"], "BUY", True)
    assert Decimal(bought["quoteQty"]) == Decimal(bought["price"]) == 100
    assert Decimal(bought["commission"]) > 0
    assert sold["side"] == "SELL"
    assert Decimal(sold["realizedPnl"]) == 0
    assert Decimal(sold["qty"]) == Decimal("0.5")
    assert bought["id"] < sold["id"]


def test_trades_without_times_are_the_last_seven_days() -> None:
    caller = a_month()
    numbers = month(caller)
    assert [each["id"] for each in trades(caller)] == numbers[-3:]


def test_trades_from_a_time_on_reach_seven_days_and_begin_with_the_oldest() -> None:
    caller = a_month()
    numbers = month(caller)
    assert [each["id"] for each in trades(caller, startTime=START_MS)] == numbers[:3]
    assert [each["id"] for each in trades(caller, startTime=START_MS, limit=2)] == numbers[:2]
    assert [each["id"] for each in trades(caller, endTime=START_MS + 6 * DAY_MS)] == numbers[:3]


def test_trades_from_a_number_on_know_no_window() -> None:
    caller = a_month()
    numbers = month(caller)
    assert [each["id"] for each in trades(caller, fromId=numbers[1], limit=4)] == numbers[1:5]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"startTime": START_MS, "endTime": START_MS + 7 * DAY_MS + 1}, -4165),
        ({"startTime": START_MS + 1, "endTime": START_MS}, -1023),
        ({"startTime": START_MS, "fromId": 1}, -1128),
        ({"symbol": ""}, -1102),
        ({"symbol": "NOUSDT"}, -1121),
    ],
)
def test_a_window_of_trades_is_refused_with_the_documented_code(asked: dict[str, Any], code: int) -> None:
    assert a_caller().code("GET", TRADES, **({"symbol": SYMBOL} | asked)) == code


def test_trades_can_be_asked_for_one_order() -> None:
    caller = a_caller()
    caller.book.dials.partial_parts = 3
    placed = caller.order(quantity="3")
    caller.order("b")
    rows = trades(caller, orderId=placed["orderId"])
    assert len(rows) == 3
    assert {row["orderId"] for row in rows} == {placed["orderId"]}


def funded(rate: float) -> Caller:
    listing = a_listing((QUIET,) * 24 * 10, funding=[(after(8 * i), rate) for i in range(1, 25)])
    return a_caller(listing=listing)


@pytest.mark.parametrize(("side", "sign"), [("BUY", -1), ("SELL", 1)])
def test_a_long_pays_positive_funding_and_a_short_receives_it(side: str, sign: int) -> None:
    caller = funded(0.0001)
    caller.order(side=side)
    caller.advance(after(9))
    (row,) = caller.yes("GET", INCOME, incomeType="FUNDING_FEE")
    assert (row["symbol"], row["time"], row["tradeId"]) == (SYMBOL, after(8), "")
    assert Decimal(row["income"]) == sign * Decimal("0.01")


def test_funding_is_no_trade() -> None:
    caller = funded(0.0001)
    caller.order()
    caller.advance(after(9))
    assert len(trades(caller)) == 1


def test_income_is_numbered_without_a_repeat_inside_its_type() -> None:
    caller = funded(0.0001)
    caller.order()
    caller.advance(after(100))
    rows = caller.yes("GET", INCOME, incomeType="FUNDING_FEE")
    assert len(rows) == len({row["tranId"] for row in rows}) == 12
    assert [row["time"] for row in rows] == [after(8 * i) for i in range(1, 13)]


def test_income_has_windows_pages_and_limits() -> None:
    caller = funded(0.0001)
    caller.order()
    caller.advance(after(190))

    def hours(**asked: Any) -> list[int]:
        rows = caller.yes("GET", INCOME, incomeType="FUNDING_FEE", **asked)
        return [(row["time"] - START_MS) // HOUR_MS for row in rows]

    assert hours() == list(range(24, 190, 8))  # seven days back from hour 190
    assert hours(startTime=START_MS, endTime=after(16)) == [8, 16]
    assert hours(startTime=START_MS, limit=2) == [8, 16]
    assert hours(startTime=START_MS, limit=2, page=2) == [24, 32]
    assert caller.code("GET", INCOME, startTime=after(2), endTime=after(1)) == -1023


def test_income_of_every_type_adds_up_to_the_wallet() -> None:
    caller = funded(0.0002)
    caller.order(quantity="2")
    caller.advance(after(20))
    caller.order("b", "SELL", "2")
    rows = caller.yes("GET", INCOME, symbol=SYMBOL)
    assert {row["incomeType"] for row in rows} == {"COMMISSION", "REALIZED_PNL", "FUNDING_FEE"}
    assert 10_000 + sum(Decimal(row["income"]) for row in rows) == caller.book.wallet


def test_the_new_position_query_tells_only_what_is_held_or_ordered() -> None:
    caller = a_caller()
    assert caller.yes("GET", "/fapi/v3/positionRisk") == []
    assert caller.yes("GET", "/fapi/v3/positionRisk", symbol=SYMBOL) == []
    caller.order(side="SELL", quantity="2")
    (row,) = caller.yes("GET", "/fapi/v3/positionRisk")
    assert Decimal(row["positionAmt"]) == -2
    assert Decimal(row["entryPrice"]) == 100
    assert "leverage" not in row
    assert "marginType" not in row


def test_an_order_that_rests_makes_the_symbol_show_flat() -> None:
    caller = a_caller()
    caller.yes("POST", ORDER, **order_params("l", type="LIMIT", price="90", timeInForce="GTC"))
    (row,) = caller.yes("GET", "/fapi/v3/positionRisk")
    assert Decimal(row["positionAmt"]) == 0


def test_the_old_position_query_tells_every_symbol_its_leverage_and_margin_type() -> None:
    caller = a_caller()
    caller.yes("POST", LEVERAGE, symbol=SYMBOL, leverage=3)
    (row,) = caller.yes("GET", "/fapi/v2/positionRisk", symbol=SYMBOL)
    assert (row["leverage"], row["marginType"], row["positionAmt"]) == ("3", "isolated", "0")
    assert row["liquidationPrice"] == "0"
    caller.order()
    (row,) = caller.yes("GET", "/fapi/v2/positionRisk")
    assert 0 < Decimal(row["liquidationPrice"]) < 100
    assert Decimal(row["isolatedMargin"]) == pytest.approx(Decimal(100) / 3)


def test_money_is_told_alike_by_balance_and_account() -> None:
    caller = a_caller()
    caller.yes("POST", LEVERAGE, symbol=SYMBOL, leverage=10)
    caller.order(quantity="10")
    (row,) = caller.yes("GET", "/fapi/v2/balance")
    assert caller.yes("GET", "/fapi/v3/balance") == [row]
    assert Decimal(row["balance"]) == caller.book.wallet
    assert Decimal(row["availableBalance"]) == caller.book.wallet - 100
    for path in ("/fapi/v2/account", "/fapi/v3/account"):
        told = caller.yes("GET", path)
        assert told["totalWalletBalance"] == row["balance"]
        assert told["availableBalance"] == row["availableBalance"]
        assert told["assets"][0]["walletBalance"] == row["balance"]
        assert Decimal(told["positions"][0]["positionAmt"]) == 10


def test_the_margin_balance_holds_the_profit_that_is_not_taken_yet() -> None:
    caller = a_caller(QUIET, (110.0, 111.0, 109.0, 110.0), QUIET)
    caller.order()
    caller.advance(after(1))
    told = caller.yes("GET", "/fapi/v3/account")
    assert Decimal(told["totalUnrealizedProfit"]) == 10
    assert Decimal(told["totalMarginBalance"]) == caller.book.equity()


def test_only_the_old_account_query_says_whether_it_may_trade() -> None:
    caller = a_caller()
    assert caller.yes("GET", "/fapi/v2/account")["canTrade"] is True
    assert "canTrade" not in caller.yes("GET", "/fapi/v3/account")


def test_fees_are_told_per_symbol() -> None:
    caller = a_caller()
    told = caller.yes("GET", "/fapi/v1/commissionRate", symbol=SYMBOL)
    rate = Decimal(told["takerCommissionRate"])
    caller.order()
    assert Decimal(trades(caller)[0]["commission"]) == rate * 100
    assert caller.code("GET", "/fapi/v1/commissionRate") == -1102


def test_the_position_mode_is_told_and_changed() -> None:
    caller = a_caller()
    assert caller.yes("GET", MODE) == {"dualSidePosition": False}
    assert caller.code("POST", MODE, dualSidePosition="false") == -4059
    assert caller.yes("POST", MODE, dualSidePosition="true") == {"code": 200, "msg": "success"}
    assert caller.yes("GET", MODE) == {"dualSidePosition": True}
    assert caller.code("POST", ORDER, **order_params("a")) == -4061


def test_the_position_mode_stays_while_anything_is_held_or_ordered() -> None:
    caller = a_caller()
    caller.stop()
    assert caller.code("POST", MODE, dualSidePosition="true") == -4067
    caller.order()
    assert caller.code("POST", MODE, dualSidePosition="true") == -4068


def test_the_margin_type_is_changed_per_symbol() -> None:
    caller = a_caller()
    assert caller.code("POST", MARGIN, symbol=SYMBOL, marginType="ISOLATED") == -4046
    assert caller.yes("POST", MARGIN, symbol=SYMBOL, marginType="CROSSED") == {"code": 200, "msg": "success"}
    (row,) = caller.yes("GET", "/fapi/v2/positionRisk")
    assert row["marginType"] == "cross"
    assert caller.code("POST", MARGIN, symbol=SYMBOL, marginType="PORTFOLIO") == -1102


def test_the_margin_type_stays_while_a_position_or_an_order_is_there() -> None:
    caller = a_caller()
    caller.yes("POST", ORDER, **order_params("l", type="LIMIT", price="90", timeInForce="GTC"))
    assert caller.code("POST", MARGIN, symbol=SYMBOL, marginType="CROSSED") == -4047
    caller.order()
    assert caller.code("POST", MARGIN, symbol=SYMBOL, marginType="CROSSED") == -4048


def test_the_same_leverage_again_is_a_yes() -> None:
    caller = a_caller()
    first = caller.yes("POST", LEVERAGE, symbol=SYMBOL, leverage=5)
    assert first["leverage"] == 5
    assert caller.yes("POST", LEVERAGE, symbol=SYMBOL, leverage=5) == first


@pytest.mark.parametrize("leverage", ["0", "126", "1.5", "x"])
def test_a_leverage_the_contract_does_not_take_is_refused(leverage: str) -> None:
    assert a_caller().code("POST", LEVERAGE, symbol=SYMBOL, leverage=leverage) == -4028


def test_the_leverage_of_an_isolated_position_can_only_rise() -> None:
    caller = a_caller()
    caller.yes("POST", LEVERAGE, symbol=SYMBOL, leverage=5)
    caller.order()
    assert caller.code("POST", LEVERAGE, symbol=SYMBOL, leverage=4) == -4161
    assert caller.yes("POST", LEVERAGE, symbol=SYMBOL, leverage=6)["leverage"] == 6


def test_a_stop_that_waits_holds_no_margin() -> None:
    caller = a_caller()
    caller.yes("POST", ALGO, **algo_params("s", "BUY", "110", quantity="50", reduceOnly=None))
    (row,) = caller.yes("GET", "/fapi/v3/balance")
    assert row["availableBalance"] == row["balance"]
