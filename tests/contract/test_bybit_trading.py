"""Bybit's adapter over the real ccxt and HTTP, against the test exchange: signed, paced, never sent twice."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine_alpha.domain import orders
from engine_alpha.domain.orders import BUY, ENTRY, EXIT, SELL, OrderIntent, Protection, client_id
from engine_alpha.errors import OutcomeUnknown, Refused, VenueBusy
from engine_alpha.exchanges.ccxt_line import LOOPBACK, ApiKey
from engine_alpha.exchanges.governor import Governor
from engine_alpha.exchanges.transport import Urgency
from engine_alpha.ports import Venue
from engine_alpha.venues.ccxt_venue import VenueSettings, make_venue
from tests.exchange.accounts import accounts_of
from tests.exchange.candles import HOUR_MS
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running
from tests.unit.venues.binance_account import quoted

KEY, SECRET = "a-key-that-nobody-may-see", "a-secret-that-nobody-may-see"
SYMBOL = "ETHUSDT"
CREATE = "/v5/order/create"


def an_exchange() -> AbstractContextManager[RunningExchange]:
    """Serve both venues on the wall's clock, prices standing at 2,000 for two days round it."""
    first_ms = time.time_ns() // 1_000_000 // HOUR_MS * HOUR_MS - 24 * HOUR_MS
    listings = [quoted(SYMBOL, [2_000.0] * 48, first_ms), quoted("BTCUSDT", [30_000.0] * 48, first_ms)]
    market = Market(listings, ExchangeClock())
    return running(market, accounts_of(market, key=KEY, secret=SECRET))


@pytest.fixture
def served() -> Iterator[RunningExchange]:
    with an_exchange() as exchange:
        yield exchange


@pytest.fixture
def settings(served: RunningExchange) -> VenueSettings:
    return VenueSettings(
        environment=LOOPBACK,
        base_url=served.url,
        api_key=ApiKey(KEY, SECRET),
        recv_window_ms=5_000,
        timeout_ms=2_000,
    )


@pytest.fixture
async def venue(settings: VenueSettings) -> AsyncIterator[Venue]:
    venue = make_venue("bybit", settings)
    yield venue
    await venue.close()


def intent(leg: str = ENTRY, side: str = BUY, attempt: str = "") -> OrderIntent:
    return OrderIntent(
        client_id=client_id(SYMBOL, "1h", HOUR_MS, leg, attempt),
        symbol=SYMBOL,
        leg=leg,
        side=side,
        quantity_base="0.100",
        reduce_only=leg == EXIT,
        bar_ms=HOUR_MS,
        intended_ms=time.time_ns() // 1_000_000,
        stop_price="1900" if leg == ENTRY else "",
    )


def wish(stop: str, target: str = "") -> Protection:
    return Protection(
        symbol=SYMBOL,
        side=SELL,
        quantity_base="0.100",
        stop_price=stop,
        stop_id="",
        target_price=target,
    )


def sent(served: RunningExchange, path: str) -> int:
    return len(served.paths(path))


async def test_a_position_is_opened_protected_and_closed(venue: Venue) -> None:
    since_ms = await venue.server_ms() - 1_000
    await venue.set_up(SYMBOL, "3")
    order = await venue.place(intent())
    assert order.status == orders.WORKING
    held = (await venue.positions())[SYMBOL]
    assert (Decimal(held.quantity_base), Decimal(held.stop_price)) == (Decimal("0.1"), Decimal(1900))
    await venue.protect(wish("1950", "2100"))
    assert await venue.is_protected(wish("1950"))
    assert await venue.open_orders() == []
    await venue.place(intent(EXIT, SELL))
    assert await venue.positions() == {}
    told = await venue.executions(SYMBOL, since_ms)
    assert [(each.side, each.kind) for each in told] == [(BUY, orders.TRADE), (SELL, orders.TRADE)]
    assert Decimal((await venue.wallet()).equity_quote) < 10_000


async def test_account_contract_and_fees_are_told(venue: Venue) -> None:
    facts = await venue.account_facts()
    assert facts.one_way and facts.key.can_trade and not facts.key.can_withdraw
    assert (await venue.symbol_facts(SYMBOL)).lot_base == "0.001"
    assert (await venue.fee_rates(SYMBOL)).taker_frac == "0.00055"


@pytest.mark.parametrize("kind", ["drop_after", "cut", "truncate", "html_after"])
async def test_a_lost_reply_is_looked_up_and_nothing_is_sent_twice(
    venue: Venue, served: RunningExchange, kind: str
) -> None:
    served.market.faults.add(kind=kind, path=CREATE)
    with pytest.raises(OutcomeUnknown):
        await venue.place(intent())
    assert sent(served, CREATE) == 1
    found = await venue.find(intent())
    assert found is not None and found.status == orders.FILLED


async def test_a_late_reply_is_unclear(venue: Venue, served: RunningExchange) -> None:
    served.market.faults.add(kind="delay", path=CREATE, value=4_000)
    with pytest.raises(OutcomeUnknown, match="no answer within 2000 ms"):
        await venue.place(intent())
    assert sent(served, CREATE) == 1


async def test_a_dropped_request_is_unclear_and_found_nowhere(venue: Venue, served: RunningExchange) -> None:
    served.market.faults.add(kind="drop", path=CREATE)
    with pytest.raises(OutcomeUnknown):
        await venue.place(intent())
    assert await venue.find(intent()) is None
    assert sent(served, CREATE) == 1


async def test_a_dropped_read_is_tried_once_more(venue: Venue, served: RunningExchange) -> None:
    served.market.faults.add(kind="drop", path="/v5/position/list", times=1)
    assert await venue.positions() == {}
    assert sent(served, "/v5/position/list") == 2


async def test_without_a_connection_nothing_was_sent(settings: VenueSettings) -> None:
    unreachable = make_venue("bybit", replace(settings, base_url="http://127.0.0.1:9"))
    with pytest.raises(VenueBusy, match="connection failed"):
        await unreachable.positions()
    await unreachable.close()


async def test_a_write_that_found_no_connection_was_not_sent(settings: VenueSettings) -> None:
    with an_exchange() as gone:
        venue = make_venue("bybit", replace(settings, base_url=gone.url))
        await venue.positions()
    with pytest.raises(VenueBusy, match="nothing was sent"):
        await venue.place(intent())
    await venue.close()


async def test_a_wrong_clock_is_measured_again(venue: Venue, served: RunningExchange) -> None:
    await venue.positions()
    before = sent(served, "/v5/market/time")
    served.market.faults.add(kind="wrong_clock", value=60_000)
    with pytest.raises(VenueBusy, match="clock"):
        await venue.place(intent())
    assert (await venue.place(intent())).client_id == intent().client_id
    assert sent(served, "/v5/market/time") == before + 1


async def test_a_wrong_secret_is_refused(settings: VenueSettings) -> None:
    stranger = make_venue("bybit", replace(settings, api_key=ApiKey(KEY, "not the secret")))
    with pytest.raises(Refused, match="signature") as refused:
        await stranger.positions()
    assert refused.value.code == "10004"
    await stranger.close()


async def test_asked_for_silence_it_is_silent_and_exits_come_first(
    settings: VenueSettings, served: RunningExchange
) -> None:
    governor = Governor("bybit")
    venue = make_venue("bybit", replace(settings, governor=governor))
    await venue.place(intent())
    served.market.faults.add(kind="status", path="/v5/position/list", value=429, retry_after="1", times=1)
    with pytest.raises(VenueBusy, match="waiting 1 s"):
        await venue.positions()
    seen = len(served.market.requests)
    with pytest.raises(VenueBusy, match="asked for patience"):
        await venue.positions()
    leaving = asyncio.ensure_future(venue.place(intent(EXIT, SELL)))
    await asyncio.sleep(0.3)
    assert len(served.market.requests) == seen
    assert (await leaving).reduce_only
    assert governor.silence_left_s() == 0.0
    await venue.close()


async def test_a_storm_of_requests_meets_no_limit(settings: VenueSettings, served: RunningExchange) -> None:
    served.market.limits.add(path="/v5/position/list", requests=50, window_ms=1_000)
    venue = make_venue("bybit", settings)
    await asyncio.gather(*(venue.positions() for _ in range(120)))
    assert served.market.limits.refusals == 0
    await venue.close()


async def test_a_slow_coin_holds_up_no_exit(venue: Venue, served: RunningExchange) -> None:
    await venue.place(intent())
    served.market.faults.add(kind="delay", path="/v5/execution/list", symbol="BTCUSDT", value=1_500)
    sick = [asyncio.ensure_future(venue.executions("BTCUSDT", 0)) for _ in range(30)]
    await asyncio.sleep(0.05)
    started_s = asyncio.get_running_loop().time()
    await venue.place(intent(EXIT, SELL))
    assert asyncio.get_running_loop().time() - started_s < 1.0
    for each in sick:
        each.cancel()
    await asyncio.gather(*sick, return_exceptions=True)


async def test_no_broker_is_named_and_the_answer_names_no_key(
    venue: Venue, served: RunningExchange, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = [repr(venue), repr(vars(venue))]
    served.market.faults.add(kind="truncate", path="/v5/user/query-api", times=1)
    served.market.faults.add(kind="body", path=CREATE, value=f"<html>{KEY} {SECRET}</html>", times=1)
    for attempt in (venue.account_facts(), venue.place(intent()), venue.set_up(SYMBOL, "500")):
        with pytest.raises(Exception) as caught:
            await attempt
        fault: BaseException | None = caught.value
        while fault is not None:
            said.append(f"{fault!r} {fault} {vars(fault)}")
            fault = fault.__cause__ or fault.__context__
    said += [record.getMessage() for record in caplog.records]
    for text in said:
        assert KEY not in text and SECRET not in text, text
    assert len(said) >= 5


async def test_what_is_shown_of_settings_has_no_key(settings: VenueSettings) -> None:
    assert KEY not in repr(settings) and SECRET not in repr(settings) and "***" in repr(settings)


async def test_an_urgency_reaches_the_pace(settings: VenueSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Urgency] = []

    class Noting(Governor):
        async def admit(self, urgency: Urgency, cost: Any = None) -> Any:
            seen.append(urgency)
            return await super().admit(urgency, cost)

    venue = make_venue("bybit", replace(settings, governor=Noting("bybit")))
    await venue.place(intent())
    await venue.place(intent(EXIT, SELL))
    await venue.positions()
    assert seen[-1] is Urgency.RECONCILE and Urgency.EXIT in seen and Urgency.ENTRY in seen
    await venue.close()
