"""Orders, stops and facts at Bybit: sent once, found again after any fault, told as they are."""

from contextlib import suppress
from decimal import Decimal

import pytest

from engine_alpha.domain import orders
from engine_alpha.domain.orders import BUY, SELL
from engine_alpha.domain.venue_facts import NOT_LISTED, SETTLED, TRADING
from engine_alpha.errors import OutcomeUnknown, Refused, VenueBusy
from engine_alpha.venues.bybit import BybitVenue
from tests.exchange.candles import HOUR_MS
from tests.exchange.trading.values import LIMIT, STOP_MARKET, NewOrder
from tests.unit.venues.bybit_account import NOW_MS, OTHER, PROOF_MS, SYMBOL, an_account, entry, leaving, wish

CREATE, STOP_PATH = "/v5/order/create", "/v5/position/trading-stop"
DAY_MS = 24 * HOUR_MS


async def test_an_entry_carries_its_stop() -> None:
    account = an_account()
    order = await account.venue.place(entry())
    assert (order.status, order.client_id, order.filled_base) == (orders.WORKING, entry().client_id, "0")
    asked = account.sent(CREATE)[0]
    assert (asked["stopLoss"], asked["tpslMode"], asked["slTriggerBy"]) == ("1900", "Full", "LastPrice")
    assert (asked["positionIdx"], asked["qty"]) == ("0", "0.100")
    held = (await account.venue.positions())[SYMBOL]
    assert (held.quantity_base, Decimal(held.stop_price)) == ("0.1", Decimal(1900))
    assert await account.venue.is_protected(wish())


async def test_what_was_sent_is_found_as_it_ended() -> None:
    account = an_account()
    await account.venue.place(entry())
    found = await account.venue.find(entry())
    assert found is not None
    assert (found.status, Decimal(found.filled_base), found.side) == (orders.FILLED, Decimal("0.1"), BUY)
    assert not found.reduce_only and not found.conditional


async def test_an_exit_closes_and_a_second_one_is_refused() -> None:
    account = an_account()
    await account.venue.place(entry())
    assert (await account.venue.place(leaving())).reduce_only
    assert await account.venue.positions() == {}
    with pytest.raises(Refused) as refused:
        await account.venue.place(leaving(bar_ms=NOW_MS + HOUR_MS))
    assert refused.value.code == "110017"


@pytest.mark.parametrize(
    "kind", ["drop_after", "cut", "truncate", "html_after", "body_after", "status_after"]
)
async def test_an_order_whose_reply_was_lost_is_found(kind: str) -> None:
    account = an_account()
    account.fails(CREATE, kind, {"body_after": "{}", "status_after": 500}.get(kind))
    with pytest.raises(OutcomeUnknown):
        await account.venue.place(entry())
    found = await account.venue.find(entry())
    assert found is not None and found.status == orders.FILLED


@pytest.mark.parametrize("kind", ["drop", "html", "maintenance"])
async def test_an_order_that_never_arrived_is_found_nowhere(kind: str) -> None:
    account = an_account()
    account.fails(CREATE, kind)
    with pytest.raises(OutcomeUnknown):
        await account.venue.place(entry())
    assert await account.venue.find(entry()) is None


async def test_an_id_that_was_used_leads_to_the_earlier_order() -> None:
    account = an_account()
    await account.venue.place(entry())
    with pytest.raises(OutcomeUnknown, match="an earlier attempt is there"):
        await account.venue.place(entry())
    assert Decimal((await account.venue.positions())[SYMBOL].quantity_base) == Decimal("0.1")


async def test_history_knows_an_order_that_the_short_list_has_lost() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.book.advance(NOW_MS + 60_000)
    account.book.restart()
    found = await account.venue.find(entry())
    assert found is not None and found.status == orders.FILLED
    assert len(account.sent("/v5/order/history")) == 1


async def test_executions_tell_of_an_order_that_no_list_shows() -> None:
    account = an_account()
    await account.venue.place(entry())
    empty = '{"retCode": 0, "retMsg": "OK", "result": {"list": [], "nextPageCursor": ""}, "time": 1}'
    account.fails("/v5/order/realtime", "body", empty)
    account.fails("/v5/order/history", "body", empty)
    found = await account.venue.find(entry())
    assert found is not None
    assert (found.status, Decimal(found.filled_base), found.side) == (orders.FILLED, Decimal("0.1"), BUY)


async def test_a_look_up_that_fails_says_nothing() -> None:
    account = an_account()
    account.fails("/v5/order/history", "status", 502)
    with pytest.raises(VenueBusy):
        await account.venue.find(entry())


async def test_an_answer_about_another_order_is_unclear() -> None:
    account = an_account()
    reply = '{"retCode": 0, "result": {"orderId": "7", "orderLinkId": "chloe-enother"}, "time": 1}'
    account.fails(CREATE, "body", reply)
    with pytest.raises(OutcomeUnknown, match="the reply is about chloe-enother"):
        await account.venue.place(entry())


async def test_a_gone_order_is_cancelled_without_a_fuss() -> None:
    account = an_account()
    order = await account.venue.place(entry())
    await account.venue.cancel(SYMBOL, order.order_id, conditional=False)
    await account.venue.cancel(SYMBOL, "no-such-order", conditional=True)


# stops


async def test_stop_and_target_are_moved_and_seen() -> None:
    account = an_account()
    await account.venue.place(entry())
    await account.venue.protect(wish("1950.00", "2100"))
    held = (await account.venue.positions())[SYMBOL]
    assert (Decimal(held.stop_price), Decimal(held.target_price)) == (Decimal(1950), Decimal(2100))
    assert await account.venue.is_protected(wish("1950"))
    assert not await account.venue.is_protected(wish("1900"))


async def test_a_target_that_is_wanted_no_more_goes() -> None:
    account = an_account()
    await account.venue.place(entry())
    await account.venue.protect(wish("1950", "2100"))
    await account.venue.protect(wish("1950"))
    assert (await account.venue.positions())[SYMBOL].target_price == ""


async def test_protecting_twice_does_no_harm() -> None:
    account = an_account()
    await account.venue.place(entry())
    await account.venue.protect(wish())
    await account.venue.protect(wish())
    assert await account.venue.is_protected(wish())


async def test_a_stop_the_price_is_through_is_refused() -> None:
    account = an_account()
    await account.venue.place(entry())
    with pytest.raises(Refused, match="close the position at market"):
        await account.venue.protect(wish("2500"))


async def test_a_stop_for_nothing_is_refused() -> None:
    with pytest.raises(Refused):
        await an_account().venue.protect(wish())


async def test_a_stop_that_is_not_there_after_a_yes_is_unclear() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.fails(STOP_PATH, "body", '{"retCode": 0, "retMsg": "OK", "result": {}, "time": 1}')
    with pytest.raises(OutcomeUnknown, match="the position is stop 1900"):
        await account.venue.protect(wish("1950"))


@pytest.mark.parametrize("kind", ["drop", "html", "status"])
async def test_a_stop_that_cannot_be_looked_at_is_unclear(kind: str) -> None:
    account = an_account()
    await account.venue.place(entry())
    account.fails("/v5/position/list", kind, 500 if kind == "status" else None)
    with pytest.raises(OutcomeUnknown):
        await account.venue.protect(wish("1950"))


async def test_a_stop_of_the_other_side_protects_nothing() -> None:
    account = an_account()
    await account.venue.place(entry())
    assert not await account.venue.is_protected(wish(side=BUY))


# what the account has and did


async def test_positions_are_signed_and_flat_ones_left_out() -> None:
    account = an_account()
    account.trades_by_hand("sell", "0.2")
    account.trades_by_hand("buy", "0.01", OTHER)
    account.trades_by_hand("sell", "0.01", OTHER)
    held = await account.venue.positions()
    assert list(held) == [SYMBOL] and held[SYMBOL].quantity_base == "-0.2"
    assert held[SYMBOL].stop_price == "" and held[SYMBOL].isolated


async def test_open_orders_leave_out_what_hangs_on_positions() -> None:
    account = an_account()
    await account.venue.place(entry())
    resting = NewOrder(
        symbol=SYMBOL,
        client_id="mine",
        side="buy",
        quantity=Decimal("0.1"),
        type=LIMIT,
        price=Decimal(1500),
    )
    waiting = NewOrder(
        symbol=SYMBOL,
        client_id="later",
        side="sell",
        quantity=Decimal("0.1"),
        type=STOP_MARKET,
        trigger_price=Decimal(1700),
    )
    account.book.place(resting)
    account.book.place(waiting)
    found = {order.client_id: order for order in await account.venue.open_orders()}
    assert set(found) == {"mine", "later"}
    assert not found["mine"].conditional and found["later"].conditional
    assert found["later"].trigger_price == "1700"


async def test_more_open_orders_than_a_page_are_all_told() -> None:
    account = an_account()
    for at in range(120):
        account.book.place(
            NewOrder(
                symbol=SYMBOL,
                client_id=f"n{at}",
                side="buy",
                quantity=Decimal("0.01"),
                type=LIMIT,
                price=Decimal(1500),
            )
        )
    assert len({order.client_id for order in await account.venue.open_orders()}) == 120
    assert len(account.sent("/v5/order/realtime")) == 3


async def test_executions_come_oldest_first_with_exact_figures() -> None:
    account = an_account()
    await account.venue.place(entry())
    await account.venue.place(leaving())
    bought, sold = await account.venue.executions(SYMBOL, NOW_MS - HOUR_MS)
    assert (bought.kind, bought.side, bought.client_id) == (orders.TRADE, BUY, entry().client_id)
    assert (sold.side, Decimal(sold.signed_base)) == (SELL, Decimal("-0.1"))
    assert bought.fee_quote == format(account.book.fills[0].fee, "f")


async def test_a_stop_that_was_hit_is_told_as_a_stop() -> None:
    account = an_account([2_000.0] * 6 + [1_880.0] * 30)
    await account.venue.place(entry())
    account.book.advance(NOW_MS + 3 * HOUR_MS)
    told = [each for each in await account.venue.executions(SYMBOL, NOW_MS) if each.side == SELL]
    assert [(each.kind, each.client_id) for each in told] == [(orders.STOPPED, "")]


async def test_a_target_that_was_hit_is_told_as_a_target() -> None:
    account = an_account([2_000.0] * 6 + [2_300.0] * 30)
    await account.venue.place(entry())
    await account.venue.protect(wish("1900", "2100"))
    account.book.advance(NOW_MS + 3 * HOUR_MS)
    told = [each for each in await account.venue.executions(SYMBOL, NOW_MS) if each.side == SELL]
    assert [each.kind for each in told] == [orders.TARGETED]


async def test_funding_that_was_paid_is_negative() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.book.advance(NOW_MS + 9 * HOUR_MS)
    paid = [e for e in await account.venue.executions(SYMBOL, NOW_MS) if e.kind == orders.FUNDING]
    assert len(paid) >= 1 and all(each.side == "" and each.quantity_base == "0" for each in paid)
    assert all(Decimal(each.received_quote) < 0 and each.fee_quote == "0" for each in paid)


async def test_an_adl_is_told_as_such() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.book.adl(SYMBOL)
    assert (await account.venue.executions(SYMBOL, NOW_MS))[-1].kind == orders.ADL


async def test_executions_of_many_weeks_and_pages_are_all_told_once() -> None:
    account = an_account([2_000.0] * (24 * 20))
    for _ in range(130):
        account.trades_by_hand("buy", "0.003")
    account.book.advance(NOW_MS + 15 * DAY_MS)
    await account.venue.place(leaving(quantity="0.390"))
    found = await account.venue.executions(SYMBOL, NOW_MS - 3 * DAY_MS)
    fills = [each for each in found if each.kind == orders.TRADE]
    assert len(fills) == 131 and fills[-1].side == SELL
    assert len({each.venue_id for each in found}) == len(found)
    assert [each.at_ms for each in found] == sorted(each.at_ms for each in found)


@pytest.mark.parametrize("beside_ms", [-1, 0, 1, 2])
async def test_what_happened_where_two_weeks_meet_is_told_once(beside_ms: int) -> None:
    account = an_account([2_000.0] * (24 * 20))
    meet_ms = NOW_MS + 7 * DAY_MS
    account.book.advance(meet_ms + beside_ms)
    account.trades_by_hand("buy", "0.1")
    account.book.advance(NOW_MS + 8 * DAY_MS)
    told = await account.venue.executions(SYMBOL, NOW_MS)
    assert [each.at_ms for each in told if each.kind == orders.TRADE] == [meet_ms + beside_ms]


# facts and settings


async def test_the_wallet_tells_what_no_margin_holds() -> None:
    account = an_account()
    before = await account.venue.wallet()
    assert (Decimal(before.equity_quote), Decimal(before.available_quote)) == (
        Decimal(10_000),
        Decimal(10_000),
    )
    await account.venue.place(entry())
    after = await account.venue.wallet()
    assert Decimal(after.available_quote) < Decimal(before.available_quote)


async def test_account_and_key_are_told() -> None:
    account = an_account()
    facts = await account.venue.account_facts()
    assert (facts.one_way, facts.isolated) == (True, account.book.isolated)
    assert (facts.key.can_trade, facts.key.can_withdraw, facts.key.read_only) == (True, False, False)


async def test_the_demo_tells_nothing_of_keys() -> None:
    account = an_account()
    demo = BybitVenue(account.transport, PROOF_MS, key_api=False)
    assert (await demo.account_facts()).key.can_withdraw is None
    assert account.sent("/v5/user/query-api") == []


async def test_a_contract_is_told_as_it_stands() -> None:
    account = an_account()
    facts = await account.venue.symbol_facts(SYMBOL)
    assert (facts.status, facts.lot_base, facts.delisted_ms) == (TRADING, "0.001", None)
    account.market.listings[OTHER].settled_ms = NOW_MS - DAY_MS
    facts = await account.venue.symbol_facts(OTHER)
    assert (facts.status, facts.delisted_ms) == (SETTLED, NOW_MS - DAY_MS)
    assert (await account.venue.symbol_facts("MATICUSDT")).status == NOT_LISTED


async def test_fees_are_the_accounts_own() -> None:
    fees = await an_account().venue.fee_rates(SYMBOL)
    assert (fees.maker_frac, Decimal(fees.taker_frac)) == ("0.0002", Decimal("0.00055"))


async def test_leverage_that_is_so_already_is_fine() -> None:
    account = an_account()
    await account.venue.set_up(SYMBOL, "3")
    await account.venue.set_up(SYMBOL, "3")
    with pytest.raises(Refused, match="lower max_leverage"):
        await account.venue.set_up(SYMBOL, "500")


async def test_dust_is_closed_whole() -> None:
    account = an_account()
    account.trades_by_hand("buy", "0.100")
    account.market.listings[SYMBOL].lot = "0.200"
    await account.venue.place(leaving())
    asked = account.sent(CREATE)[-1]
    assert (asked["qty"], asked["reduceOnly"], asked["closeOnTrigger"]) == ("0", "true", "true")
    assert await account.venue.positions() == {}


async def test_a_part_of_a_position_is_never_sent_as_all_of_it() -> None:
    account = an_account()
    account.trades_by_hand("buy", "0.300")
    account.market.listings[SYMBOL].lot = "0.200"
    await account.venue.symbol_facts(SYMBOL)
    with suppress(Refused):
        await account.venue.place(leaving())
    assert account.sent(CREATE)[-1]["qty"] == "0.100"


async def test_an_exit_does_not_wait_for_what_it_can_do_without() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.fails("/v5/market/instruments-info", "refuse", (10016, "Server error."))
    await account.venue.place(leaving())
    assert await account.venue.positions() == {}


async def test_the_venue_tells_its_time() -> None:
    assert await an_account().venue.server_ms() == NOW_MS
