"""Fills and funding at Binance USD-M: each once, oldest first, exact, and told whose they are."""

from decimal import Decimal
from typing import Any

import pytest

from engine_alpha.domain import orders
from engine_alpha.domain.orders import SELL
from engine_alpha.errors import DataError, VenueBusy
from engine_alpha.exchanges.transport import Endpoint, Params, Urgency
from engine_alpha.venues.binance import BinanceVenue
from tests.exchange.binance_signing import TEST_KEY
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.candles import HOUR_MS
from tests.exchange.in_process import InProcessTransport
from tests.exchange.private import Front
from tests.exchange.trading.rules import DAY_MS
from tests.unit.venues.binance_account import (
    NOW_MS,
    PROOF_MS,
    START_MS,
    SYMBOL,
    Account,
    an_account,
    entry,
    leaving,
    quoted,
    wish,
)

FALLING = [2_000.0] * 7 + [1_850.0] * 33
RISING = [2_000.0] * 7 + [2_150.0] * 33
DEEP = [2_000.0] * 7 + [1_000.0] * 33


async def kinds(account: Account, since_ms: int = 0) -> list[str]:
    told = await account.venue.executions(SYMBOL, since_ms or START_MS - DAY_MS)
    return [each.kind for each in told if each.kind != orders.FUNDING]


async def test_a_fill_is_told_with_the_id_of_its_decision_and_its_fee() -> None:
    account = an_account()
    await account.venue.place(entry())
    [told] = await account.venue.executions(SYMBOL, NOW_MS)
    assert (told.kind, told.client_id, told.side) == (orders.TRADE, entry().client_id, orders.BUY)
    notional = Decimal(told.price) * Decimal(told.quantity_base)
    assert Decimal(told.fee_quote) == pytest.approx(notional * Decimal("0.0005"), rel=Decimal("1e-6"))
    assert told.at_ms >= NOW_MS


async def test_a_restarted_engine_asks_once_whose_order_it_was() -> None:
    account = an_account()
    account.book.dials.set(partial_parts=3)
    await account.venue.place(entry())
    venue, begun = account.restarted(), len(account.transport.sent)
    for _ in range(2):
        told = await venue.executions(SYMBOL, NOW_MS)
        assert [each.client_id for each in told] == [entry().client_id] * 3
    asked = [path for _, path, _ in account.transport.sent[begun:]]
    assert asked.count("/fapi/v1/order") == 1


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_stop_that_fired_is_told_as_the_stop(restarted: bool) -> None:
    account = an_account(FALLING)
    await account.venue.place(entry())
    await account.venue.protect(wish("1900", "2100"))
    account.book.advance(START_MS + 4 * HOUR_MS)
    if restarted:
        account.venue = account.restarted()
    told = [each for each in await account.venue.executions(SYMBOL, NOW_MS) if each.kind != orders.FUNDING]
    assert [each.kind for each in told] == [orders.TRADE, orders.STOPPED]
    assert (told[1].client_id, told[1].side) == (wish("1900").stop_id, SELL)
    assert await account.venue.positions() == {}


async def test_a_stop_that_fired_is_told_as_the_stop_where_its_order_bears_the_stops_id() -> None:
    account = an_account(FALLING, keeps_ids=True)
    await account.venue.place(entry())
    await account.venue.protect(wish("1900"))
    account.book.advance(START_MS + 4 * HOUR_MS)
    assert await kinds(account) == [orders.TRADE, orders.STOPPED]


async def test_a_target_that_was_reached_is_told_as_the_target_and_its_stop_is_left_over() -> None:
    account = an_account(RISING)
    await account.venue.place(entry())
    await account.venue.protect(wish("1900", "2100"))
    account.book.advance(START_MS + 4 * HOUR_MS)
    assert await kinds(account) == [orders.TRADE, orders.TARGETED]
    assert [each.client_id for each in account.stops()] == [wish("1900").stop_id]
    await account.venue.unprotect(SYMBOL)
    assert account.stops() == []


async def test_a_stop_that_was_placed_weeks_ago_is_still_recognised() -> None:
    closes = [2_000.0] * (24 * 20) + [1_850.0] * 48
    account = an_account(closes)
    await account.venue.place(entry())
    await account.venue.protect(wish("1900"))
    end_ms = START_MS + 24 * 20 * HOUR_MS
    account.book.advance(end_ms)
    told = await account.restarted().executions(SYMBOL, end_ms - DAY_MS)
    [stop] = [each for each in told if each.kind != orders.FUNDING]
    assert (stop.kind, stop.client_id) == (orders.STOPPED, wish("1900").stop_id)


class ShortPages(InProcessTransport):
    """Gives conditional orders two at a time, whatever the limit asked for."""

    async def call(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        reply = await super().call(endpoint, params, urgency)
        if endpoint.path != "/fapi/v1/allAlgoOrders":
            return reply
        number = int(params["page"])
        return reply[2 * number - 2 : 2 * number]


async def test_a_stop_is_recognised_among_many_on_short_pages() -> None:
    account = an_account(FALLING)
    await account.venue.place(entry())
    for stop in ("1700", "1720", "1740", "1760", "1900", "1901", "1902"):
        await account.venue.protect(wish(stop))
    account.book.advance(START_MS + 4 * HOUR_MS)
    transport = ShortPages("binance", Front(account.market, BinanceTrading(account.book)), TEST_KEY.key)
    told = await BinanceVenue(transport, PROOF_MS).executions(SYMBOL, NOW_MS)
    assert [each.client_id for each in told if each.kind == orders.STOPPED] == [wish("1902").stop_id]


async def test_a_liquidation_is_told_as_one() -> None:
    account = an_account(DEEP)
    await account.venue.set_up(SYMBOL, "5")
    await account.venue.place(entry())
    account.book.advance(START_MS + 6 * HOUR_MS)
    told = [each for each in await account.venue.executions(SYMBOL, NOW_MS) if each.kind != orders.FUNDING]
    assert [each.kind for each in told] == [orders.TRADE, orders.LIQUIDATION]
    assert told[1].client_id == ""


async def test_adl_is_told_as_such() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.book.adl(SYMBOL, Decimal("0.04"))
    assert await kinds(account) == [orders.TRADE, orders.ADL]


async def test_a_settlement_is_told_as_such() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.book.delist(SYMBOL, START_MS + 3 * HOUR_MS)
    account.book.advance(START_MS + 5 * HOUR_MS)
    assert await kinds(account) == [orders.TRADE, orders.SETTLEMENT]


async def test_a_persons_trade_is_told_under_its_own_id() -> None:
    account = an_account()
    order = account.book.manual(SYMBOL, "sell", Decimal("0.05"))
    [told] = await account.venue.executions(SYMBOL, NOW_MS)
    assert (told.kind, told.client_id) == (orders.TRADE, f"web_{order.order_id}")


async def test_funding_is_told_with_its_sign() -> None:
    account = an_account()
    await account.venue.place(entry())
    account.book.advance(START_MS + 20 * HOUR_MS)
    told = [each for each in await account.venue.executions(SYMBOL, NOW_MS) if each.kind == orders.FUNDING]
    assert told and all(Decimal(each.received_quote) < 0 for each in told)
    assert all((each.side, each.quantity_base) == ("", "0") for each in told)
    assert len({each.venue_id for each in told}) == len(told)


async def test_everything_of_many_weeks_is_told_once_and_oldest_first() -> None:
    account = an_account([2_000.0] * (24 * 30))
    for day in range(0, 24, 3):
        account.book.advance(NOW_MS + day * DAY_MS)
        bar_ms = START_MS + day * DAY_MS
        await account.venue.place(entry(bar_ms=bar_ms))
        account.book.advance(NOW_MS + (day + 1) * DAY_MS)
        await account.venue.place(leaving(bar_ms=bar_ms))
    account.book.advance(NOW_MS + 25 * DAY_MS)
    told = await account.venue.executions(SYMBOL, START_MS)
    times = [each.at_ms for each in told]
    assert times == sorted(times) and len({each.venue_id for each in told}) == len(told)
    assert [each.kind for each in told].count(orders.TRADE) == 16
    assert [each.kind for each in told].count(orders.FUNDING) == 8 * 3
    assert sum((each.signed_base for each in told if each.side), Decimal(0)) == 0


async def test_nothing_is_asked_for_that_the_venue_does_not_keep() -> None:
    account = an_account()
    assert await account.venue.executions(SYMBOL, 0) == []
    asked = [told for _, path, told in account.transport.sent if path.endswith("/userTrades")]
    assert len(asked) == 13 and int(asked[0]["startTime"]) == NOW_MS - 89 * DAY_MS


async def test_more_trades_than_one_page_are_all_told() -> None:
    account = an_account(wallet_quote=1_000_000.0)
    account.book.dials.set(partial_parts=700)
    for number in range(3):
        await account.venue.place(entry(quantity="0.700", bar_ms=START_MS + number))
    told = await account.venue.executions(SYMBOL, NOW_MS)
    assert len(told) == len(account.book.fills) > 2_000
    assert sum((each.signed_base for each in told), Decimal(0)) == Decimal("2.1")


async def test_a_fee_in_another_coin_stops_the_asset_with_its_remedy() -> None:
    account = an_account()
    row = (
        '[{"id": 1, "orderId": 2, "time": 3, "side": "BUY", "qty": "1", "price": "2", "symbol": "ETHUSDT",'
        ' "commission": "0.1", "commissionAsset": "BNB"}]'
    )
    account.fails("/fapi/v1/userTrades", "body", row)
    with pytest.raises(DataError, match="switch off fees in BNB"):
        await account.venue.executions(SYMBOL, NOW_MS)


async def test_executions_that_cannot_be_read_are_not_told_as_none() -> None:
    account = an_account()
    account.fails("/fapi/v1/income", "drop")
    with pytest.raises(VenueBusy):
        await account.venue.executions(SYMBOL, NOW_MS)


def test_prices_of_these_tests_go_straight() -> None:
    assert quoted(SYMBOL, [1.0, 2.0]).last_price(START_MS - 4 * HOUR_MS) == 1.0
