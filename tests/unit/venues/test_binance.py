"""Orders and facts at Binance USD-M: sent once, found again after any fault, told as they are."""

import json
from decimal import Decimal

import pytest

from engine_alpha.domain import orders
from engine_alpha.domain.orders import BUY, SELL, Unreadable
from engine_alpha.domain.venue_facts import NOT_LISTED, SETTLED, TRADING
from engine_alpha.errors import DataError, OutcomeUnknown, Refused, VenueBusy
from tests.exchange.binance_money import position_risk_v3
from tests.exchange.candles import HOUR_MS
from tests.exchange.trading.values import LIMIT, NewOrder
from tests.unit.venues.binance_account import (
    NOW_MS,
    START_MS,
    SYMBOL,
    an_account,
    entry,
    leaving,
    wish,
)

ORDER = "/fapi/v1/order"


async def test_a_market_order_answers_with_its_final_state() -> None:
    account = an_account()
    order = await account.venue.place(entry())
    assert (order.status, order.client_id) == (orders.FILLED, entry().client_id)
    assert Decimal(order.filled_base) == Decimal(order.quantity_base) == Decimal("0.1")
    assert not order.reduce_only and not order.conditional
    position = (await account.venue.positions())[SYMBOL]
    assert Decimal(position.quantity_base) == Decimal("0.1") and position.isolated


async def test_an_exit_is_reduce_only() -> None:
    account = an_account()
    await account.venue.place(entry(SELL))
    assert (await account.venue.place(leaving(BUY))).reduce_only
    assert await account.venue.positions() == {}
    with pytest.raises(Refused) as refused:
        await account.venue.place(leaving(BUY, bar_ms=START_MS + HOUR_MS))
    assert refused.value.code == "-2022"


@pytest.mark.parametrize("kind", ["drop_after", "cut", "truncate", "html_after", "body_after"])
async def test_an_order_whose_reply_was_lost_is_found(kind: str) -> None:
    account = an_account()
    account.fails(ORDER, kind, value="{}" if kind == "body_after" else None)
    with pytest.raises(OutcomeUnknown):
        await account.venue.place(entry())
    found = await account.venue.find(entry())
    assert found is not None and (found.status, Decimal(found.filled_base)) == (orders.FILLED, Decimal("0.1"))


async def test_an_order_that_never_arrived_is_found_nowhere() -> None:
    account = an_account()
    account.fails(ORDER, "drop")
    with pytest.raises(OutcomeUnknown):
        await account.venue.place(entry())
    assert await account.venue.find(entry()) is None
    assert [path for _, path, _ in account.transport.sent[1:]] == [
        ORDER,
        "/fapi/v1/allOrders",
        "/fapi/v1/userTrades",
    ]


async def test_an_order_that_the_look_up_misses_is_found_in_the_history() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.fails(ORDER, "refuse", (-2013, "Order does not exist."))
    found = await account.venue.find(entry())
    assert found is not None and found.status == orders.FILLED


async def test_an_order_that_only_its_trade_tells_of_is_found() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.fails(ORDER, "refuse", (-2013, "Order does not exist."))
    account.fails("/fapi/v1/allOrders", "body", "[]")
    found = await account.venue.find(entry())
    assert found is not None and found.client_id == entry().client_id


@pytest.mark.parametrize("path", [ORDER, "/fapi/v1/allOrders", "/fapi/v1/userTrades"])
async def test_a_look_up_that_fails_proves_nothing(path: str) -> None:
    account = an_account()
    account.fails(path, "drop")
    with pytest.raises(VenueBusy):
        await account.venue.find(entry())


async def test_an_id_that_is_open_already_is_an_earlier_attempt() -> None:
    account = an_account()
    resting = NewOrder(
        symbol=SYMBOL,
        client_id=entry().client_id,
        side="buy",
        quantity=Decimal("0.1"),
        type=LIMIT,
        price=Decimal(1_500),
    )
    account.book.place(resting)
    with pytest.raises(OutcomeUnknown, match="an earlier attempt is there"):
        await account.venue.place(entry())
    found = await account.venue.find(entry())
    assert found is not None and found.status == orders.WORKING
    assert [each.status for each in await account.venue.open_orders()] == [orders.WORKING]


async def test_a_partial_fill_is_told_with_what_it_filled() -> None:
    account = an_account()
    account.book.dials.set(partial_share="0.4")
    order = await account.venue.place(entry())
    assert (order.status, Decimal(order.filled_base)) == (orders.CANCELLED, Decimal("0.04"))


async def test_too_little_money_is_refused() -> None:
    account = an_account(wallet_quote=1.0)
    with pytest.raises(Refused) as refused:
        await account.venue.place(entry())
    assert refused.value.code == "-2019"


async def test_open_orders_tell_of_waiting_stops_too() -> None:
    account = an_account()
    await account.venue.place(entry())
    await account.venue.protect(wish("1900", "2100"))
    account.places_foreign_stop()
    told = {each.client_id: each for each in await account.venue.open_orders()}
    assert set(told) == {wish("1900").stop_id, wish("1900", "2100").target_id, "my-own-stop"}
    stop = told[wish("1900").stop_id]
    assert stop.conditional and stop.reduce_only and Decimal(stop.trigger_price) == 1900


async def test_cancelling_what_is_gone_is_no_error() -> None:
    account = an_account()
    order = await account.venue.place(entry())
    await account.venue.cancel(SYMBOL, order.order_id, conditional=False)
    await account.venue.protect(wish())
    [stop] = account.stops()
    await account.venue.cancel(SYMBOL, stop.order_id, conditional=True)
    await account.venue.cancel(SYMBOL, stop.order_id, conditional=True)
    assert account.stops() == []


async def test_the_wallet_holds_the_open_profit() -> None:
    account = an_account([2_000.0] * 8 + [2_400.0] * 20)
    await account.venue.place(entry())
    before = await account.venue.wallet()
    account.book.advance(START_MS + 5 * HOUR_MS)
    after = await account.venue.wallet()
    assert Decimal(after.equity_quote) - Decimal(before.equity_quote) == pytest.approx(Decimal(40), abs=1)
    assert Decimal(after.available_quote) < Decimal(after.equity_quote)


async def test_the_account_is_one_way_and_the_key_is_told() -> None:
    account = an_account()
    told = await account.venue.account_facts()
    assert told.one_way and told.isolated is None
    assert (told.key.can_trade, told.key.can_withdraw) == (True, False)


async def test_isolated_margin_and_leverage_are_set_and_set_again() -> None:
    account = an_account()
    account.book.set_isolated(False, SYMBOL)
    await account.venue.set_up(SYMBOL, "2.5")
    await account.venue.set_up(SYMBOL, "2.5")
    position = account.book.state.position(SYMBOL)
    assert (position.isolated, position.leverage) == (True, Decimal(2))
    with pytest.raises(Refused):
        await account.venue.set_up(SYMBOL, "126")


async def test_fees_and_time_are_the_venues() -> None:
    account = an_account()
    rates = await account.venue.fee_rates(SYMBOL)
    assert Decimal(rates.taker_frac) == Decimal("0.0005")
    assert await account.venue.server_ms() == NOW_MS


async def test_a_contract_that_trades_one_that_was_settled_and_one_that_is_not_there() -> None:
    account = an_account()
    facts = await account.venue.symbol_facts(SYMBOL)
    assert (facts.status, facts.lot_base, facts.delisted_ms) == (TRADING, "0.001", None)
    account.market.listings[SYMBOL].settled_ms = START_MS
    facts = await account.venue.symbol_facts(SYMBOL)
    assert (facts.status, facts.delisted_ms) == (SETTLED, START_MS)
    assert (await account.venue.symbol_facts("MATICUSDT")).status == NOT_LISTED


async def test_positions_that_make_no_sense_are_not_taken_for_flat() -> None:
    account = an_account()
    account.fails("/fapi/v3/positionRisk", "body", '[{"positionAmt": "x"}]')
    with pytest.raises(DataError):
        await account.venue.positions()


async def test_a_position_that_makes_no_sense_is_its_own_symbols_fault_alone() -> None:
    account = an_account()
    await account.venue.place(entry())
    good = (await account.venue.positions())[SYMBOL]
    flawed = {"symbol": "DOGEUSDT", "positionAmt": "x"}
    sound = position_risk_v3(account.book.position(SYMBOL), Decimal(100))
    account.fails("/fapi/v3/positionRisk", "body", json.dumps([flawed, sound]))
    found = await account.venue.positions()
    assert found[SYMBOL] == good
    assert isinstance(found["DOGEUSDT"], Unreadable) and "positionAmt" in found["DOGEUSDT"].why


async def test_a_reply_about_another_order_is_an_unclear_outcome() -> None:
    account = an_account()
    told = (
        '{"orderId": 7, "clientOrderId": "another", "symbol": "ETHUSDT", "side": "BUY", "status": "FILLED",'
        ' "origQty": "0.1", "executedQty": "0.1", "reduceOnly": false, "updateTime": 1}'
    )
    account.fails(ORDER, "body_after", told)
    with pytest.raises(OutcomeUnknown, match="the reply is about another"):
        await account.venue.place(entry())
