"""Stored series are served as they were known then: nothing after "now" except the begun bar's open."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.domain.bars import Bars, Funding, Reading
from engine_alpha.errors import DataError
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.ports import BarRequest

HOUR = 3_600_000
FIRST = 470_000 * HOUR  # not a multiple of four hours: 470,000 is one of 16 h


def bars_of(timeframe: str, rows: int, level: float = 100.0) -> Bars:
    step = TIMEFRAME_MS[timeframe]
    close = level + np.arange(rows)
    return Bars(
        timeframe_ms=step,
        open_ms=FIRST // step * step + np.arange(rows, dtype=np.int64) * step,
        open=close - 1.0,
        high=close + 1.0,
        low=close - 2.0,
        close=close,
        volume=np.full(rows, 5.0),
    )


class FakeShelf:
    """Series in memory, and a count of how often they were asked for."""

    describes = "a fake shelf"

    def __init__(self, marked: int = 0) -> None:
        times = FIRST // (8 * HOUR) * 8 * HOUR + np.arange(10, dtype=np.int64) * 8 * HOUR
        self.series = {
            ("binance", "AAA", "1h"): bars_of("1h", 60),
            ("bybit", "AAA", "15m"): bars_of("15m", 90),
        }
        self.settled = Funding(
            settled_ms=times, rate_frac=np.arange(10) * 1e-5, from_ms=int(times[0]), to_ms=int(times[-1])
        )
        self.marks = bars_of("1h", marked, level=101.0) if marked else None
        self.asked = 0

    def bars(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        self.asked += 1
        return self.series.get((venue, symbol, timeframe))

    def mark(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        return self.marks

    def funding(self, venue: str, symbol: str) -> Funding | None:
        return self.settled if venue == "binance" else None

    def looked_for(self, venue: str, symbol: str, timeframe: str) -> str:
        return f"no {timeframe} of {symbol} at {venue}"


def asset_of(timeframe: str = "1h", symbol: str = "AAA", venue: str = "binance") -> AssetConfig:
    return AssetConfig(
        symbol=symbol,
        base_timeframe=timeframe,
        enabled=True,
        venue=venue,
        risk_bucket="core",
        quote_ccy="USDT",
        max_leverage=1.0,
        min_notional_usd=5.0,
    )


async def read(
    now_ms: int, asset: AssetConfig | None = None, feed: FilesFeed | None = None, first_open_ms: int = FIRST
) -> Reading:
    source = feed or FilesFeed(FakeShelf())
    return await source.read(BarRequest(asset=asset or asset_of(), first_open_ms=first_open_ms), now_ms)


async def test_only_closed_bars_from_the_first_asked_for() -> None:
    reading = await read(FIRST + 5 * HOUR + 1, first_open_ms=FIRST + 2 * HOUR)
    assert reading.bars.close.tolist() == [102.0, 103.0, 104.0]
    assert (reading.source, reading.simulated, reading.spread_bps) == ("files/binance", False, None)


async def test_a_bar_is_known_from_the_instant_it_closes() -> None:
    assert len((await read(FIRST + 5 * HOUR - 1)).bars) == 4
    assert len((await read(FIRST + 5 * HOUR)).bars) == 5


async def test_the_bar_in_progress_shows_its_open_alone() -> None:
    assert (await read(FIRST + 5 * HOUR)).forming_open == 104.0
    assert (await read(FIRST + 6 * HOUR - 1)).forming_open == 104.0


async def test_past_the_end_of_the_file_nothing_is_forming() -> None:
    reading = await read(FIRST + 60 * HOUR)
    assert len(reading.bars) == 60 and reading.forming_open is None


async def test_before_the_beginning_there_is_nothing() -> None:
    reading = await read(FIRST - HOUR, first_open_ms=0)
    assert len(reading.bars) == 0 and reading.forming_open is None


async def test_funding_is_what_was_settled_and_knows_its_bounds() -> None:
    settled = FakeShelf().settled
    now = int(settled.settled_ms[4]) + 1
    funding = (await read(now, first_open_ms=int(settled.settled_ms[2]))).funding
    assert funding.settled_ms.tolist() == settled.settled_ms[2:5].tolist()
    assert (funding.from_ms, funding.to_ms) == (settled.settled_ms[2], now)
    late = (await read(now + 1_000 * HOUR)).funding
    assert late.to_ms == settled.settled_ms[-1]


async def test_without_a_funding_file_funding_is_unknown() -> None:
    funding = (await read(FIRST + 8 * HOUR, asset_of("15m", venue="bybit"))).funding
    assert len(funding.settled_ms) == 0 and funding.to_ms < funding.from_ms


async def test_a_coarser_series_is_made_of_whole_groups_of_a_finer_one() -> None:
    bars = (await read(FIRST + 60 * HOUR, asset_of("4h"))).bars
    assert (bars.open_ms % (4 * HOUR) == 0).all() and len(bars) == 15
    assert bars.close[0] == 103.0 and bars.volume[0] == 20.0
    hourly = (await read(FIRST + 60 * HOUR, asset_of("1h", venue="bybit"))).bars
    assert len(hourly) == 22  # 90 quarters of an hour


async def test_a_finer_series_is_never_made_up() -> None:
    with pytest.raises(DataError, match="missing_series: no 5m of AAA at binance"):
        await read(FIRST + 60 * HOUR, asset_of("5m"))


async def test_a_series_is_loaded_once_and_so_is_its_absence() -> None:
    shelf = FakeShelf()
    feed = FilesFeed(shelf)
    for _ in range(3):
        await read(FIRST + 9 * HOUR, feed=feed)
    assert shelf.asked == 1
    for _ in range(3):
        with pytest.raises(DataError):
            await read(FIRST + 9 * HOUR, asset_of(symbol="BBB"), feed)
    asked = shelf.asked
    with pytest.raises(DataError):
        await read(FIRST + 9 * HOUR, asset_of(symbol="BBB"), feed)
    assert shelf.asked == asked
    await feed.close()


async def test_one_venue_may_serve_assets_of_another() -> None:
    feed = FilesFeed(FakeShelf(), "binance")
    reading = await read(FIRST + 9 * HOUR, asset_of(venue="bybit"), feed)
    assert reading.source == "files/binance"
    assert feed.describes == "stored prices of binance from a fake shelf" and not feed.simulated


async def test_mark_prices_stand_beside_their_bars_and_are_nan_where_absent() -> None:
    feed = FilesFeed(FakeShelf(marked=3))
    bars = (await read(FIRST + 5 * HOUR, feed=feed)).bars
    assert bars.mark_high[:3].tolist() == [102.0, 103.0, 104.0]
    assert bars.mark_low[:3].tolist() == [99.0, 100.0, 101.0]
    assert np.isnan(bars.mark_high[3:]).all() and np.isnan(bars.mark_low[3:]).all()


async def test_coarser_bars_have_the_extremes_of_their_marks_and_finer_ones_have_none() -> None:
    shelf = FakeShelf(marked=8)
    shelf.series["binance", "AAA", "15m"] = bars_of("15m", 90)
    feed = FilesFeed(shelf)
    coarse = (await read(FIRST + 12 * HOUR, asset_of("4h"), feed)).bars
    assert coarse.mark_high[:2].tolist() == [105.0, 109.0] and np.isnan(coarse.mark_high[2])
    assert len((await read(FIRST + 12 * HOUR, asset_of("15m"), feed)).bars.mark_high) == 0


@given(st.integers(-3 * HOUR, 70 * HOUR), st.integers(-5, 70))
def test_nothing_after_now_leaves_the_feed(elapsed_ms: int, first: int) -> None:
    feed = FilesFeed(FakeShelf())
    series = feed.series("binance", "AAA", "1h")
    now = FIRST + elapsed_ms
    reading = feed.reading(series, FIRST + first * HOUR, now)
    assert (reading.bars.close_ms <= now).all() and (reading.bars.open_ms >= FIRST + first * HOUR).all()
    assert (reading.funding.settled_ms <= now).all()
    if reading.forming_open is not None:
        assert reading.forming_open == series.bars.open[elapsed_ms // HOUR]
