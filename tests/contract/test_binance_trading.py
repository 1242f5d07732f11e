"""The adapter for Binance over real ccxt and HTTP: signed requests, true outcomes, nothing sent twice."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from aiohttp.test_utils import TestServer

from engine_alpha.domain import orders
from engine_alpha.errors import OutcomeUnknown, Refused, VenueBusy
from engine_alpha.exchanges.ccxt_line import LOOPBACK, ApiKey
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.ports import Venue
from engine_alpha.venues.ccxt_venue import VenueSettings, make_venue
from engine_alpha.venues.setup_checks import SetupNeeds, setup_findings
from tests.exchange.app import build
from tests.exchange.binance_signing import BinanceKey
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.candles import HOUR_MS
from tests.unit.venues.binance_account import (
    NOW_MS,
    START_MS,
    SYMBOL,
    Account,
    an_account,
    entry,
    leaving,
    wish,
)
from tests.unit.venues.test_binance_setup import ETH, INSTRUMENT

ORDER, ALGO = "/fapi/v1/order", "/fapi/v1/algoOrder"
FALLING = [2_000.0] * 7 + [1_850.0] * 33
SECRET = "s" * 32


@dataclass
class Wired:
    """An account behind a server, and the venue that reaches it over HTTP."""

    account: Account
    url: str
    venue: Venue

    def writes(self) -> list[str]:
        told = [f"{each.get('method')} {each['path']}" for each in self.account.market.requests]
        return [each for each in told if not each.startswith(("GET", "None"))]


def settings(url: str, secret: str = SECRET, timeout_ms: int = 2_000) -> VenueSettings:
    return VenueSettings(
        environment=LOOPBACK,
        api_key=ApiKey("key", secret),
        recv_window_ms=5_000,
        timeout_ms=timeout_ms,
        base_url=url,
    )


@pytest.fixture
async def wired() -> AsyncIterator[Wired]:
    """Serve an account that falls from 2,000 to 1,850 two hours from now."""
    account = an_account(FALLING)
    trading = BinanceTrading(account.book, keys=[BinanceKey(key="key", secret=SECRET)])
    async with TestServer(build(account.market, [trading]), host="127.0.0.1") as server:
        url = f"http://127.0.0.1:{server.port}"
        venue = make_venue("binance", settings(url))
        yield Wired(account, url, venue)
        await venue.close()


async def test_an_entry_its_stop_and_what_came_of_them(wired: Wired) -> None:
    venue = wired.venue
    assert venue.name == "binance" and not venue.stop_rides_entry
    assert (await venue.place(entry())).status == orders.FILLED
    await venue.protect(wish("1900", "2100"))
    assert await venue.is_protected(wish("1900", "2100"))
    told = await venue.open_orders()
    assert {each.client_id for each in told} == {wish("1900").stop_id, wish("1900", "2100").target_id}
    assert Decimal((await venue.positions())[SYMBOL].quantity_base) == Decimal("0.1")
    wired.account.book.advance(START_MS + 4 * HOUR_MS)
    with pytest.raises(
        VenueBusy
    ):  # four hours in a moment: our timestamps are off, the clock is measured anew
        await venue.positions()
    fills = [each for each in await venue.executions(SYMBOL, NOW_MS) if each.kind != orders.FUNDING]
    assert [(each.kind, each.client_id) for each in fills] == [
        (orders.TRADE, entry().client_id),
        (orders.STOPPED, wish("1900").stop_id),
    ]
    assert await venue.positions() == {}
    await venue.unprotect(SYMBOL)
    assert await venue.open_orders() == []


@pytest.mark.parametrize("kind", ["drop_after", "cut", "truncate", "html_after", "unknown_done"])
async def test_an_order_whose_reply_was_lost_is_sent_once_and_found(wired: Wired, kind: str) -> None:
    wired.account.fails(ORDER, kind)
    with pytest.raises(OutcomeUnknown):
        await wired.venue.place(entry())
    found = await wired.venue.find(entry())
    assert found is not None and found.status == orders.FILLED
    assert wired.writes() == [f"POST {ORDER}"]


@pytest.mark.parametrize("kind", ["drop", "unknown_lost"])
async def test_an_order_that_was_lost_is_found_nowhere(wired: Wired, kind: str) -> None:
    wired.account.fails(ORDER, kind)
    with pytest.raises(OutcomeUnknown):
        await wired.venue.place(entry())
    assert await wired.venue.find(entry()) is None


@pytest.mark.parametrize("kind", ["maintenance", "overloaded"])
async def test_a_venue_that_says_that_nothing_happened_is_believed(wired: Wired, kind: str) -> None:
    wired.account.fails(ORDER, kind)
    with pytest.raises(VenueBusy):
        await wired.venue.place(entry())
    assert wired.account.book.fills == []


async def test_an_answer_that_comes_too_late_is_unclear(wired: Wired) -> None:
    venue = make_venue("binance", settings(wired.url, timeout_ms=300))
    await venue.server_ms()
    wired.account.fails(ORDER, "delay", 900)
    with pytest.raises(OutcomeUnknown):
        await venue.place(entry())
    await venue.close()
    found = await wired.venue.find(entry())
    assert found is not None and found.status == orders.FILLED


async def test_a_no_is_told_with_the_venues_code(wired: Wired) -> None:
    with pytest.raises(Refused) as refused:
        await wired.venue.place(leaving())
    assert refused.value.code == "-2022"


@pytest.mark.parametrize("kind", ["drop_after", "truncate"])
async def test_a_stop_whose_reply_was_lost_stands_once(wired: Wired, kind: str) -> None:
    await wired.venue.place(entry())
    wired.account.fails(ALGO, kind)
    await wired.venue.protect(wish("1900"))
    assert [each.client_id for each in wired.account.stops()] == [wish("1900").stop_id]
    assert wired.writes() == [f"POST {ORDER}", f"POST {ALGO}"]


async def test_a_wrong_secret_is_refused_and_never_shown(wired: Wired) -> None:
    wrong = make_venue("binance", settings(wired.url, secret="w" * 32))
    with pytest.raises(Refused) as refused:
        await wrong.positions()
    assert refused.value.code == "-1022" and "w" * 32 not in str(refused.value)
    await wrong.close()


async def test_the_set_up_checks_pass_on_an_account_that_is_set_right(wired: Wired) -> None:
    needs = SetupNeeds(clock=FixedClock(NOW_MS), equity_quote=1_000.0, price_quote=2_000.0)
    found = await setup_findings(wired.venue, ETH, INSTRUMENT, needs)
    assert (found.faults, found.warnings) == ([], [])
    assert wired.account.book.state.position(SYMBOL).leverage == 3
    assert Decimal((await wired.venue.wallet()).equity_quote) == 10_000
    assert Decimal((await wired.venue.fee_rates(SYMBOL)).taker_frac) == Decimal("0.0005")


async def test_cancelling_goes_by_the_venues_id(wired: Wired) -> None:
    await wired.venue.place(entry())
    await wired.venue.protect(wish("1900"))
    [stop] = await wired.venue.open_orders()
    await wired.venue.cancel(SYMBOL, stop.order_id, stop.conditional)
    await wired.venue.cancel(SYMBOL, stop.order_id, stop.conditional)
    assert await wired.venue.open_orders() == []
