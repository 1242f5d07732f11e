"""The venue feed over the real ccxt: what both venues send arrives bit for bit, and nothing unfinished."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.domain import bar_checks
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bars import Bars, Reading
from engine_alpha.feeds.ccxt_feed import CcxtFeed
from engine_alpha.ports import BarRequest
from tests.contract.conftest import NOW_MS, SYMBOLS
from tests.exchange.candles import HOUR_MS, Series, real_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import ExchangeProcess, RunningExchange, running

FIRST_CLOSED_OUT_MS = NOW_MS // HOUR_MS * HOUR_MS
WINDOW_MS = 959 * HOUR_MS

both_venues = pytest.mark.parametrize("venue", ["bybit", "binance"])


def asset(venue: str, symbol: str = "ETHUSDT", timeframe: str = "1h") -> AssetConfig:
    return AssetConfig(
        symbol=symbol,
        base_timeframe=timeframe,
        enabled=True,
        venue=venue,
        risk_bucket="core",
        quote_ccy="USDT",
        max_leverage=3.0,
        min_notional_usd=10.0,
    )


async def read(feed: CcxtFeed, venue: str, symbol: str = "ETHUSDT", bars: int = 959) -> Reading:
    first_open_ms = FIRST_CLOSED_OUT_MS - bars * HOUR_MS
    return await feed.read(BarRequest(asset=asset(venue, symbol), first_open_ms=first_open_ms), NOW_MS)


def source(exchange: RunningExchange, symbol: str = "ETHUSDT") -> Series:
    return exchange.market.listings[symbol].series[HOUR_MS]


def assert_same_bits(bars: Bars, series: Series, first_ms: int, end_ms: int) -> None:
    inside = (series.open_ms >= first_ms) & (series.open_ms < end_ms)
    expected = series.values[inside]
    assert bars.open_ms.tobytes() == series.open_ms[inside].astype(np.int64).tobytes()
    for at, column in enumerate((bars.open, bars.high, bars.low, bars.close, bars.volume)):
        assert column.tobytes() == np.ascontiguousarray(expected[:, at]).tobytes()


@both_venues
async def test_closed_bars_arrive_bit_for_bit(feed: CcxtFeed, exchange: RunningExchange, venue: str) -> None:
    reading = await read(feed, venue)
    assert len(reading.bars) == 959
    assert_same_bits(reading.bars, source(exchange), FIRST_CLOSED_OUT_MS - WINDOW_MS, FIRST_CLOSED_OUT_MS)
    bar_checks.check(reading.bars, NOW_MS, FIRST_CLOSED_OUT_MS)
    assert not reading.simulated and venue in reading.source


@both_venues
async def test_a_window_costs_one_kline_request(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    await read(feed, venue, bars=960)
    assert len(exchange.paths("kline") + exchange.paths("klines")) == 1


@both_venues
async def test_the_forming_bar_gives_only_its_open(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    reading = await read(feed, venue)
    assert int(reading.bars.open_ms[-1]) == FIRST_CLOSED_OUT_MS - HOUR_MS
    series = source(exchange)
    forming = series.values[series.open_ms == FIRST_CLOSED_OUT_MS][0]
    assert reading.forming_open == forming[0]
    assert forming[3] not in reading.bars.close


@both_venues
async def test_a_long_history_is_read_page_by_page(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    reading = await read(feed, venue, bars=2_500)
    assert_same_bits(
        reading.bars, source(exchange), FIRST_CLOSED_OUT_MS - 2_500 * HOUR_MS, FIRST_CLOSED_OUT_MS
    )
    assert len(exchange.paths("kline") + exchange.paths("klines")) == {"bybit": 3, "binance": 2}[venue]


@both_venues
async def test_a_young_listing_gives_what_there_is(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    series = source(exchange)
    young = Series(HOUR_MS, series.open_ms[-105:], series.values[-105:], series.decimals)
    exchange.market.listings["ETHUSDT"].series[HOUR_MS] = young
    assert len((await read(feed, venue)).bars) == 99


@both_venues
async def test_our_clock_bounds_what_is_closed(feed: CcxtFeed, exchange: RunningExchange, venue: str) -> None:
    """The exchange is two seconds into the next hour already, we are one second before it."""
    boundary_ms = FIRST_CLOSED_OUT_MS + HOUR_MS
    exchange.market.clock.set(boundary_ms + 2_000)
    request = BarRequest(asset=asset(venue), first_open_ms=FIRST_CLOSED_OUT_MS - WINDOW_MS)
    reading = await feed.read(request, boundary_ms - 1_000)
    assert int(reading.bars.open_ms[-1]) == FIRST_CLOSED_OUT_MS - HOUR_MS


@both_venues
async def test_the_servers_clock_bounds_what_is_closed(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    """We are two seconds into the next hour already, the exchange is one second before it."""
    boundary_ms = FIRST_CLOSED_OUT_MS + HOUR_MS
    exchange.market.clock.set(boundary_ms - 1_000)
    request = BarRequest(asset=asset(venue), first_open_ms=FIRST_CLOSED_OUT_MS - WINDOW_MS)
    reading = await feed.read(request, boundary_ms + 2_000)
    assert int(reading.bars.open_ms[-1]) == FIRST_CLOSED_OUT_MS - HOUR_MS
    assert reading.forming_open is not None
    assert -6_000 < feed.clock_offset_ms[venue] <= -3_000  # -3,000 less what the read took


@both_venues
async def test_funding_of_the_window_comes_along_and_is_asked_once_an_hour(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    reading = await read(feed, venue)
    first_ms = FIRST_CLOSED_OUT_MS - WINDOW_MS
    expected = [each for each in exchange.market.listings["ETHUSDT"].funding if first_ms <= each[0] <= NOW_MS]
    assert list(zip(reading.funding.settled_ms, reading.funding.rate_frac, strict=True)) == expected
    assert (reading.funding.from_ms, reading.funding.to_ms) == (first_ms, NOW_MS)
    again = await read(feed, venue)
    assert again.funding.settled_ms.tobytes() == reading.funding.settled_ms.tobytes()
    assert len(exchange.paths("funding/history") + exchange.paths("fundingRate")) == 1


@both_venues
async def test_hourly_funding_of_a_whole_window_is_read_page_by_page(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    first_ms = FIRST_CLOSED_OUT_MS - 1_500 * HOUR_MS
    hourly = [(at, (at // HOUR_MS % 97) * 1e-6) for at in range(first_ms, FIRST_CLOSED_OUT_MS + 1, HOUR_MS)]
    exchange.market.listings["ETHUSDT"].funding = [(at, round(rate, 8)) for at, rate in hourly]
    funding = (await read(feed, venue, bars=1_500)).funding
    got = list(zip(funding.settled_ms, funding.rate_frac, strict=True))
    assert got == exchange.market.listings["ETHUSDT"].funding
    assert (len(got), funding.to_ms) == (1_501, NOW_MS)


@both_venues
async def test_without_funding_the_bars_come_and_funding_is_unknown(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    exchange.market.faults.add(kind="status", value=500, path="funding/history")
    exchange.market.faults.add(kind="status", value=500, path="fundingRate")
    reading = await read(feed, venue)
    assert len(reading.bars) == 959
    assert (len(reading.funding.settled_ms), reading.funding.from_ms, reading.funding.to_ms) == (0, 0, 0)


@both_venues
async def test_hanging_funding_ends_before_the_deadline(exchange: RunningExchange, venue: str) -> None:
    exchange.market.faults.add(kind="delay", value=4_000, path="funding/history")
    exchange.market.faults.add(kind="delay", value=4_000, path="fundingRate")
    feed = CcxtFeed({venue: exchange.url}, deadline_ms=3_000)
    reading = await read(feed, venue)
    assert len(reading.bars) == 959 and reading.funding.to_ms == 0
    await feed.close()


@both_venues
async def test_the_spread_is_asked_once_for_all(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    readings = await asyncio.gather(*(read(feed, venue, symbol) for symbol in SYMBOLS))
    assert all(reading.spread_bps is not None and reading.spread_bps > 0.0 for reading in readings)
    assert len(exchange.paths("tickers") + exchange.paths("bookTicker")) == 1
    assert len(exchange.paths("fapi/v1/time")) == (1 if venue == "binance" else 0)


@both_venues
async def test_without_quotes_the_spread_is_unknown(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    exchange.market.faults.add(kind="html", path="tickers")
    exchange.market.faults.add(kind="html", path="bookTicker")
    assert (await read(feed, venue)).spread_bps is None


@both_venues
async def test_twelve_reads_at_once_are_not_queued(exchange: RunningExchange, venue: str) -> None:
    """ccxt's default limiter would space twelve Bybit klines over 1.2 s, its rolling one stop at fifty."""
    feed = CcxtFeed({venue: exchange.url})
    await read(feed, venue)
    started_s = asyncio.get_running_loop().time()
    for _ in range(5):
        await asyncio.gather(*(read(feed, venue, SYMBOLS[at % 4]) for at in range(12)))
    assert asyncio.get_running_loop().time() - started_s < 4.5
    await feed.close()


@both_venues
@pytest.mark.parametrize("timeframe", ["4h", "1d"])
async def test_other_timeframes_are_asked_in_the_venues_words(
    feed: CcxtFeed, venue: str, timeframe: str
) -> None:
    of_day = asset(venue, timeframe=timeframe)
    first_ms = (NOW_MS // of_day.timeframe_ms - 20) * of_day.timeframe_ms
    reading = await feed.read(BarRequest(asset=of_day, first_open_ms=first_ms), NOW_MS)
    assert len(reading.bars) == 20
    assert set(np.diff(reading.bars.open_ms)) == {of_day.timeframe_ms}


async def test_it_says_where_prices_come_from(exchange: RunningExchange) -> None:
    assert CcxtFeed().describes == "bybit, binance public candles"
    assert exchange.url in CcxtFeed({"bybit": exchange.url}).describes
    assert CcxtFeed().simulated is False


@both_venues
def test_a_closed_feed_can_be_read_again_in_another_loop(exchange: RunningExchange, venue: str) -> None:
    feed = CcxtFeed({venue: exchange.url}, deadline_ms=10_000)

    async def read_and_close() -> Reading:
        try:
            return await read(feed, venue)
        finally:
            await feed.close()

    first, second = asyncio.run(read_and_close()), asyncio.run(read_and_close())
    assert bar_checks.window_hash(first.bars) == bar_checks.window_hash(second.bars)
    assert second.spread_bps is not None
    assert len(exchange.paths("funding/history") + exchange.paths("fundingRate")) == 1


async def test_without_an_address_a_venue_is_reached_at_its_own() -> None:
    feed = CcxtFeed()
    with pytest.raises(AssertionError, match=r"a test asked for https://api\.bybit\.com/v5/market/kline"):
        await read(feed, "bybit")
    with pytest.raises(AssertionError, match=r"a test asked for https://fapi\.binance\.com/fapi/v1/time"):
        await read(feed, "binance")
    await feed.close()


async def test_the_exchange_runs_as_a_process_of_its_own() -> None:
    server = ExchangeProcess("--symbols", "ETHUSDT", "--now", str(NOW_MS), "--ahead", "5")
    try:
        feed = CcxtFeed({"bybit": server.url})
        assert len((await read(feed, "bybit")).bars) == 959
        state = server.control(now_ms=NOW_MS + HOUR_MS, fault={"kind": "empty", "symbol": "ETHUSDT"})
        assert state["now_ms"] == NOW_MS + HOUR_MS and len(state["faults"]) == 1
        await feed.close()
    finally:
        server.stop()


@both_venues
@pytest.mark.parametrize("symbol", ["ETHUSDT", "DOGEUSDT"])
async def test_real_candles_arrive_bit_for_bit(shared_data: Path, venue: str, symbol: str) -> None:
    end_ms = 1_718_539_200_000
    listing = real_listing(shared_data, symbol, "BINANCEUM", None, 0)
    with running(Market([listing], ExchangeClock(end_ms + 1_000))) as exchange:
        feed = CcxtFeed({venue: exchange.url}, deadline_ms=10_000)
        request = BarRequest(asset=asset(venue, symbol), first_open_ms=end_ms - 5_000 * HOUR_MS)
        reading = await feed.read(request, end_ms + 1_000)
        await feed.close()
    assert_same_bits(reading.bars, listing.series[HOUR_MS], end_ms - 5_000 * HOUR_MS, end_ms)
    assert len(reading.bars) == 5_000
