"""Every way a venue can be sick: the right error, with what to do, and no harm to the other symbols."""

import asyncio
import socket

import pytest

from engine_alpha.domain import bar_checks
from engine_alpha.errors import ConfigError, DataError, Refused, VenueBusy
from engine_alpha.feeds.ccxt_feed import CcxtFeed
from engine_alpha.ports import BarRequest
from tests.contract.conftest import NOW_MS, SYMBOLS
from tests.contract.test_ccxt_feed import FIRST_CLOSED_OUT_MS, WINDOW_MS, asset, both_venues, read
from tests.exchange.candles import HOUR_MS
from tests.exchange.running import RunningExchange


def dial(exchange: RunningExchange, kind: str, **more: object) -> None:
    """Set a dial on the candles of both venues."""
    exchange.market.faults.add(kind=kind, path="kline", **more)
    exchange.market.faults.add(kind=kind, path="klines", **more)


@both_venues
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("html", None),
        ("truncate", None),
        ("body", ""),
        ("body", "null"),
        ("body", "[1, 2]"),
        ("body", "{}"),
        ("body", '{"retCode": 0, "result": {"symbol": "ETHUSDT", "list": {}}, "time": 1}'),
        ("body", '{"retCode": 0, "result": null, "time": 1}'),
        ("word", None),
        ("short_row", None),
        ("stray", None),
    ],
)
async def test_nonsense_is_a_bad_reply(
    feed: CcxtFeed, exchange: RunningExchange, venue: str, kind: str, value: object
) -> None:
    dial(exchange, kind, value=value)
    with pytest.raises(DataError) as caught:
        await read(feed, venue)
    assert caught.value.reason == "bad_reply"


async def test_a_reply_about_another_symbol_is_refused(feed: CcxtFeed, exchange: RunningExchange) -> None:
    dial(exchange, "wrong_symbol", value="BTCUSDT")
    with pytest.raises(DataError, match="asked for ETHUSDT, the reply is about 'BTCUSDT'"):
        await read(feed, "bybit")


@both_venues
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_is_busy(
    feed: CcxtFeed, exchange: RunningExchange, venue: str, status: int
) -> None:
    dial(exchange, "status", value=status)
    with pytest.raises(VenueBusy, match=f"{venue}: HTTP {status}, trying again at the next tick"):
        await read(feed, venue)


@both_venues
@pytest.mark.parametrize("status", [403, 418, 429])
async def test_too_many_requests_brings_silence_for_as_long_as_asked(
    feed: CcxtFeed, exchange: RunningExchange, venue: str, status: int
) -> None:
    dial(exchange, "status", value=status, retry_after="7")
    with pytest.raises(VenueBusy, match="waiting 7 s"):
        await read(feed, venue)
    asked = len(exchange.market.requests)
    with pytest.raises(VenueBusy, match="asked for patience"):
        await read(feed, venue)
    assert len(exchange.market.requests) == asked


@both_venues
async def test_after_the_wait_it_is_read_again(feed: CcxtFeed, exchange: RunningExchange, venue: str) -> None:
    dial(exchange, "status", value=429, retry_after="0.2")
    with pytest.raises(VenueBusy):
        await read(feed, venue)
    exchange.market.faults.clear()
    await asyncio.sleep(0.25)
    assert len((await read(feed, venue)).bars) == 959


@both_venues
async def test_a_dropped_connection_is_tried_once_more(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    dial(exchange, "cut", times=1)
    assert len((await read(feed, venue)).bars) == 959


@both_venues
@pytest.mark.parametrize("kind", ["drop", "cut"])
async def test_connections_that_keep_dropping_are_busy(
    feed: CcxtFeed, exchange: RunningExchange, venue: str, kind: str
) -> None:
    dial(exchange, kind)
    with pytest.raises(VenueBusy, match="connection failed"):
        await read(feed, venue)


@both_venues
async def test_a_refused_connection_is_busy(venue: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        feed = CcxtFeed({venue: f"http://127.0.0.1:{reserved.getsockname()[1]}"}, deadline_ms=2_000)
        with pytest.raises(VenueBusy, match="connection failed"):
            await read(feed, venue)
        await feed.close()


@both_venues
async def test_a_slow_answer_is_busy_at_the_deadline(exchange: RunningExchange, venue: str) -> None:
    dial(exchange, "delay", value=1_000)
    feed = CcxtFeed({venue: exchange.url}, deadline_ms=300)
    started_s = asyncio.get_running_loop().time()
    with pytest.raises(VenueBusy, match="no answer within 300 ms"):
        await read(feed, venue)
    assert asyncio.get_running_loop().time() - started_s < 0.95
    await feed.close()


@both_venues
async def test_an_unknown_symbol_is_refused_by_name(feed: CcxtFeed, venue: str) -> None:
    with pytest.raises(Refused, match=f"{venue} has no MATICUSDT: settled, renamed or never listed"):
        await read(feed, venue, "MATICUSDT")


@pytest.mark.parametrize(
    ("venue", "code", "text", "error"),
    [
        ("bybit", 10006, "Too many visits!", VenueBusy),
        ("bybit", 10016, "Server error.", VenueBusy),
        ("bybit", 10001, "Illegal category", Refused),
        ("binance", -1003, "Way too many requests", VenueBusy),
        ("binance", -1120, "Invalid interval.", Refused),
    ],
)
async def test_the_venues_own_codes(
    feed: CcxtFeed, exchange: RunningExchange, venue: str, code: int, text: str, error: type[Exception]
) -> None:
    dial(exchange, "refuse", value=(code, text))
    with pytest.raises(error, match=text):
        await read(feed, venue)


@both_venues
@pytest.mark.parametrize("kind", ["empty", "stale"])
async def test_no_bars_is_empty(feed: CcxtFeed, exchange: RunningExchange, venue: str, kind: str) -> None:
    dial(exchange, kind, value=960)
    with pytest.raises(DataError) as caught:
        await read(feed, venue)
    assert caught.value.reason == bar_checks.EMPTY


@both_venues
async def test_a_bar_from_the_future_is_refused(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    dial(exchange, "future")
    with pytest.raises(DataError) as caught:
        await read(feed, venue)
    assert caught.value.reason == bar_checks.FUTURE_BAR


@both_venues
@pytest.mark.parametrize("off_ms", [-HOUR_MS, HOUR_MS])
async def test_a_clock_an_hour_off_is_named(
    feed: CcxtFeed, exchange: RunningExchange, venue: str, off_ms: int
) -> None:
    exchange.market.faults.add(kind="wrong_clock", value=off_ms)
    with pytest.raises(DataError, match=r"clock is 3[56].{4,5} s (behind|ahead of)") as caught:
        await read(feed, venue)
    assert caught.value.reason == "clock_skew"


@both_venues
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("stale", bar_checks.STALE),
        ("missing_newest", bar_checks.STALE),
        ("frozen", bar_checks.FROZEN),
        ("nan", bar_checks.NOT_A_NUMBER),
        ("zero", bar_checks.NOT_POSITIVE),
        ("negative", bar_checks.NOT_POSITIVE),
        ("duplicate", bar_checks.DUPLICATED),
        ("out_of_order", bar_checks.OUT_OF_ORDER),
        ("high_below_low", bar_checks.IMPOSSIBLE_BAR),
    ],
)
async def test_impossible_bars_pass_untouched_to_where_bars_are_judged(
    feed: CcxtFeed, exchange: RunningExchange, venue: str, kind: str, reason: str
) -> None:
    dial(exchange, kind)
    bars = (await read(feed, venue)).bars
    with pytest.raises(DataError) as caught:
        bar_checks.check(bars, NOW_MS, FIRST_CLOSED_OUT_MS)
    assert caught.value.reason == reason


@both_venues
async def test_a_hole_passes_and_is_counted_later(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    dial(exchange, "hole", value=(400, 3))
    bars = (await read(feed, venue)).bars
    first_ms = FIRST_CLOSED_OUT_MS - WINDOW_MS
    filled = bar_checks.fill_holes(bars, first_ms, FIRST_CLOSED_OUT_MS - HOUR_MS)
    assert (len(bars), filled.filled_bars) == (956, 3)


@both_venues
async def test_a_forming_bar_without_a_price_gives_no_open(
    feed: CcxtFeed, exchange: RunningExchange, venue: str
) -> None:
    listing = exchange.market.listings["ETHUSDT"]
    series = listing.series[HOUR_MS]
    series.values[series.open_ms == FIRST_CLOSED_OUT_MS, 0] = float("nan")
    assert (await read(feed, venue)).forming_open is None


@both_venues
@pytest.mark.parametrize("kind", ["delay", "drop", "html", "empty", "status"])
async def test_one_sick_symbol_leaves_the_others_alone(
    exchange: RunningExchange, venue: str, kind: str
) -> None:
    value = {"delay": 5_000, "status": 500}.get(kind)
    exchange.market.faults.add(kind=kind, symbol="SOLUSDT", value=value)
    feed = CcxtFeed({venue: exchange.url}, deadline_ms=2_000)
    started_s = asyncio.get_running_loop().time()
    ended_s: dict[str, float] = {}

    async def timed(symbol: str) -> object:
        try:
            return await read(feed, venue, symbol)
        finally:
            ended_s[symbol] = asyncio.get_running_loop().time() - started_s

    found = await asyncio.gather(*(timed(symbol) for symbol in SYMBOLS), return_exceptions=True)
    sick = dict(zip(SYMBOLS, found, strict=True)).pop("SOLUSDT")
    assert isinstance(sick, VenueBusy | DataError)
    assert not any(isinstance(each, Exception) for each in found if each is not sick)
    assert all(seconds < 1.8 for symbol, seconds in ended_s.items() if symbol != "SOLUSDT")
    assert ended_s["SOLUSDT"] < 3.0
    await feed.close()


async def test_a_venue_without_a_feed_is_a_matter_of_configuration(feed: CcxtFeed) -> None:
    request = BarRequest(asset=asset("kraken"), first_open_ms=FIRST_CLOSED_OUT_MS - WINDOW_MS)
    with pytest.raises(ConfigError, match="venue 'kraken' has no feed; known are bybit, binance"):
        await feed.read(request, NOW_MS)
