"""The test exchange in a thread, and a feed that reads it through the real ccxt."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
import yarl

from engine_alpha.feeds.ccxt_feed import CcxtFeed
from tests.exchange.candles import HOUR_MS, generated_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running

NOW_MS = 1_700_000_000_000 // HOUR_MS * HOUR_MS + 20 * 60_000
"""Twenty minutes into an hour."""

SYMBOLS = ("ETHUSDT", "BTCUSDT", "SOLUSDT", "DOGEUSDT")


@pytest.fixture(autouse=True)
def only_loopback_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise at any request to another machine, before a name is looked up."""
    request = aiohttp.ClientSession._request

    def guarded(self: aiohttp.ClientSession, method: str, url: Any, **more: Any) -> Any:
        if yarl.URL(url).host != "127.0.0.1":
            raise AssertionError(f"a test asked for {url}")
        return request(self, method, url, **more)

    monkeypatch.setattr(aiohttp.ClientSession, "_request", guarded)


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    """Serve generated candles; the exchange's clock stands at NOW_MS, five hours before their end."""
    listings = [generated_listing(7, symbol, HOUR_MS, NOW_MS + 5 * HOUR_MS, 2_600) for symbol in SYMBOLS]
    with running(Market(listings, ExchangeClock(NOW_MS))) as exchange:
        yield exchange


@pytest.fixture
async def feed(exchange: RunningExchange) -> AsyncIterator[CcxtFeed]:
    """Read the test exchange for both venues."""
    feed = CcxtFeed({"bybit": exchange.url, "binance": exchange.url}, deadline_ms=10_000)
    yield feed
    await feed.close()
