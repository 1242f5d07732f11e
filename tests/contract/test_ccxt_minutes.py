"""Minutes over the real ccxt: those inside the closed bars, only when wanted; no bar is lost for them."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine_alpha.domain.bars import Bars, Reading
from engine_alpha.domain.detail import MINUTE_MS, detail_of
from engine_alpha.feeds.ccxt_feed import CcxtFeed
from engine_alpha.ports import BarRequest
from tests.contract.conftest import NOW_MS
from tests.contract.test_ccxt_feed import FIRST_CLOSED_OUT_MS, asset, both_venues
from tests.exchange.candles import HOUR_MS, Listing, Row, Series, generated_listing
from tests.exchange.running import RunningExchange

HOURS = 70
INTERVALS = {"bybit": {"60": "1h", "1": "1m"}, "binance": {"1h": "1h", "1m": "1m"}}


@pytest.fixture(autouse=True)
def listing(exchange: RunningExchange) -> Listing:
    """Let the exchange quote ETH by the minute; its hours are made of these."""
    made = generated_listing(11, "ETHUSDT", MINUTE_MS, NOW_MS + 2 * HOUR_MS, HOURS * 60)
    exchange.market.listings["ETHUSDT"] = made
    return made


def request(venue: str, hours: int | None, bars: int = 60) -> BarRequest:
    minutes_from_ms = None if hours is None else FIRST_CLOSED_OUT_MS - hours * HOUR_MS
    first_open_ms = FIRST_CLOSED_OUT_MS - bars * HOUR_MS
    return BarRequest(asset=asset(venue), first_open_ms=first_open_ms, minutes_from_ms=minutes_from_ms)


def asked_for(exchange: RunningExchange, venue: str) -> list[str]:
    """Return the timeframes of the candle requests, in order."""
    sent = [each for each in exchange.market.requests if each["path"].endswith(("/kline", "/klines"))]
    return [INTERVALS[venue][each["query"]["interval"]] for each in sent]


def fitting(reading: Reading) -> list[int]:
    assert reading.minutes is not None
    return detail_of(reading.bars, reading.minutes).minute_count.tolist()


def assert_same_minutes(minutes: Bars, series: Series, first_ms: int, end_ms: int) -> None:
    inside = (series.open_ms >= first_ms) & (series.open_ms < end_ms)
    assert minutes.open_ms.tolist() == series.open_ms[inside].tolist()
    for at, column in enumerate((minutes.open, minutes.high, minutes.low, minutes.close, minutes.volume)):
        assert column.tobytes() == np.ascontiguousarray(series.values[inside][:, at]).tobytes()


@both_venues
async def test_minutes_inside_the_closed_bars_arrive_bit_for_bit(
    feed: CcxtFeed, exchange: RunningExchange, listing: Listing, venue: str
) -> None:
    reading = await feed.read(request(venue, hours=2), NOW_MS)
    assert reading.minutes is not None
    first_ms = FIRST_CLOSED_OUT_MS - 2 * HOUR_MS
    assert_same_minutes(reading.minutes, listing.series[MINUTE_MS], first_ms, FIRST_CLOSED_OUT_MS)
    assert fitting(reading) == [0] * 58 + [60, 60]
    assert asked_for(exchange, venue) == ["1h", "1m"]


@both_venues
async def test_no_minute_is_asked_for_unless_wanted(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    reading = await feed.read(request(venue, hours=None), NOW_MS)
    assert reading.minutes is None
    assert asked_for(exchange, venue) == ["1h"]


@both_venues
async def test_with_minutes_the_bars_are_the_same(feed: CcxtFeed, venue: str) -> None:
    bare, rich = [await feed.read(request(venue, hours), NOW_MS) for hours in (None, 2)]
    assert rich.bars.open_ms.tolist() == bare.bars.open_ms.tolist()
    assert rich.bars.close.tobytes() == bare.bars.close.tobytes()
    assert rich.forming_open == bare.forming_open


@both_venues
async def test_a_longer_catch_up_is_read_page_by_page(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    reading = await feed.read(request(venue, hours=50), NOW_MS)
    assert fitting(reading) == [0] * 10 + [60] * 50
    assert asked_for(exchange, venue) == ["1h", *["1m"] * {"bybit": 3, "binance": 2}[venue]]


@both_venues
async def test_minutes_of_a_bar_that_is_not_closed_for_the_server_stay_out(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    """We are two seconds into the next hour already, the exchange is one second before it."""
    boundary_ms = FIRST_CLOSED_OUT_MS + HOUR_MS
    exchange.market.clock.set(boundary_ms - 1_000)
    reading = await feed.read(request(venue, hours=1), boundary_ms + 2_000)
    assert reading.minutes is not None
    assert int(reading.minutes.close_ms[-1]) == int(reading.bars.close_ms[-1]) == FIRST_CLOSED_OUT_MS
    assert fitting(reading)[-1] == 60


@both_venues
async def test_a_revised_minute_and_a_missing_one_cost_their_own_bar_its_minutes(
    feed: CcxtFeed, listing: Listing, venue: str
) -> None:
    minutes = listing.series[MINUTE_MS]
    listing.series[HOUR_MS] = minutes.coarser(HOUR_MS)
    revised = int(np.searchsorted(minutes.open_ms, FIRST_CLOSED_OUT_MS - 3 * HOUR_MS))
    lost = int(np.searchsorted(minutes.open_ms, FIRST_CLOSED_OUT_MS - HOUR_MS)) + 7
    values = minutes.values.copy()
    values[revised, 0:2] += 1.0  # open and high of the first minute
    kept = np.delete(np.arange(len(values)), lost)
    listing.series[MINUTE_MS] = replace(minutes, open_ms=minutes.open_ms[kept], values=values[kept])
    assert fitting(await feed.read(request(venue, hours=4), NOW_MS))[-4:] == [60, 0, 60, 0]


class Minutes(Listing):
    """A listing that does something of its own where it is asked for minutes."""

    def __init__(self, listing: Listing, instead: Callable[[list[Row]], list[Row]]) -> None:
        hours = listing.series[MINUTE_MS].coarser(HOUR_MS)
        super().__init__(listing.symbol, {**listing.series, HOUR_MS: hours})
        self.instead = instead

    def rows(self, timeframe_ms: int, first_ms: int, end_ms: int, now_ms: int) -> list[Row]:
        rows = super().rows(timeframe_ms, first_ms, end_ms, now_ms)
        return self.instead(rows) if timeframe_ms == MINUTE_MS else rows


def too_slow(rows: list[Row]) -> list[Row]:
    time.sleep(2.6)
    return rows


def strays(rows: list[Row]) -> list[Row]:
    return [[rows[0][0] - 10 * MINUTE_MS, *rows[0][1:]], *rows]


def nonsense(rows: list[Row]) -> list[Row]:
    return [[row[0], "n/a", *row[2:]] for row in rows]


@both_venues
@pytest.mark.parametrize("instead", [too_slow, strays, nonsense])
async def test_minutes_that_are_late_or_wrong_cost_no_bars(
    exchange: RunningExchange,
    listing: Listing,
    venue: str,
    instead: Callable[[list[Row]], list[Row]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    exchange.market.listings["ETHUSDT"] = Minutes(listing, instead)
    hasty = CcxtFeed({venue: exchange.url}, deadline_ms=3_000)
    await hasty.read(request(venue, hours=None), NOW_MS)  # loads ccxt
    with caplog.at_level(logging.WARNING, "chloe.feed"):
        reading = await hasty.read(request(venue, hours=2), NOW_MS)
    await hasty.close()
    assert len(reading.bars) == 60 and fitting(reading) == [0] * 60
    assert "ETHUSDT: minutes are missing" in caplog.text


@both_venues
async def test_without_any_minutes_there_are_bars_all_the_same(
    feed: CcxtFeed, exchange: RunningExchange, listing: Listing, venue: str
) -> None:
    exchange.market.listings["ETHUSDT"] = Minutes(listing, lambda rows: [])
    reading = await feed.read(request(venue, hours=2), NOW_MS)
    assert len(reading.bars) == 60 and fitting(reading) == [0] * 60


@both_venues
async def test_the_pages_that_came_in_time_serve_their_bars(
    exchange: RunningExchange, listing: Listing, venue: str
) -> None:
    pages: list[int] = []

    def slower_and_slower(rows: list[Row]) -> list[Row]:
        pages.append(len(rows))
        return rows if len(pages) == 1 else too_slow(rows)

    exchange.market.listings["ETHUSDT"] = Minutes(listing, slower_and_slower)
    hasty = CcxtFeed({venue: exchange.url}, deadline_ms=3_000)
    await hasty.read(request(venue, hours=None), NOW_MS)  # loads ccxt
    counts = fitting(await hasty.read(request(venue, hours=50), NOW_MS))
    await hasty.close()
    whole = {"bybit": 16, "binance": 25}[venue]  # hours in a page of 1,000 or 1,500 minutes
    assert counts == [0] * 10 + [60] * whole + [0] * (50 - whole)
