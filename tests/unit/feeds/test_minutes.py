"""Minutes come with the bars when asked for: those inside the closed bars, and no bar is lost for them."""

from dataclasses import replace

import numpy as np
import pytest

from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.domain.detail import MINUTE_MS, detail_of
from engine_alpha.domain.resampling import resample
from engine_alpha.errors import DataError
from engine_alpha.feeds.embedded import EmbeddedFeed
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.ports import BarRequest
from tests.makers import HOUR_MS, random_bars

FIRST_MS = 470_000 * HOUR_MS
NOW_MS = FIRST_MS + 20 * HOUR_MS + 1_234_567  # twenty minutes into an hour


def asset_of(timeframe: str = "1h") -> AssetConfig:
    return AssetConfig(
        symbol="AAA",
        base_timeframe=timeframe,
        enabled=True,
        venue="bybit",
        risk_bucket="core",
        quote_ccy="USDT",
        max_leverage=1.0,
        min_notional_usd=5.0,
    )


def asked(minutes_from_ms: int | None, timeframe: str = "1h", first_ms: int = FIRST_MS) -> BarRequest:
    return BarRequest(asset=asset_of(timeframe), first_open_ms=first_ms, minutes_from_ms=minutes_from_ms)


def a_day_of_minutes() -> Bars:
    walk = random_bars(24 * 60, seed=4, first_index=0)
    times = FIRST_MS + np.arange(len(walk), dtype=np.int64) * MINUTE_MS
    return replace(walk, timeframe_ms=MINUTE_MS, open_ms=times)


class Shelf:
    """Series in memory by timeframe, and which ones were asked for."""

    describes = "memory"

    def __init__(self, **series: Bars) -> None:
        self.series = {name.removeprefix("_"): bars for name, bars in series.items()}
        self.asked: list[str] = []

    def bars(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        self.asked.append(timeframe)
        return self.series.get(timeframe)

    def mark(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        return None

    def funding(self, venue: str, symbol: str) -> Funding | None:
        return None

    def looked_for(self, venue: str, symbol: str, timeframe: str) -> str:
        return f"no {timeframe}"


def stored() -> Shelf:
    minutes = a_day_of_minutes()
    return Shelf(_1m=minutes, _1h=resample(minutes, HOUR_MS))


async def test_the_files_feed_reads_no_minutes_unless_asked() -> None:
    shelf = stored()
    reading = await FilesFeed(shelf).read(asked(None), NOW_MS)
    assert reading.minutes is None and shelf.asked == ["1h"]


async def test_the_files_feed_gives_the_minutes_inside_the_closed_bars() -> None:
    reading = await FilesFeed(stored()).read(asked(FIRST_MS + 17 * HOUR_MS), NOW_MS)
    assert reading.minutes is not None
    inside = reading.minutes.open_ms.tolist()
    assert inside == list(range(FIRST_MS + 17 * HOUR_MS, FIRST_MS + 20 * HOUR_MS, MINUTE_MS))
    assert detail_of(reading.bars, reading.minutes).minute_count.tolist() == [0] * 17 + [60] * 3


async def test_with_minutes_the_rest_of_the_reading_is_the_same() -> None:
    bare = await FilesFeed(stored()).read(asked(None), NOW_MS)
    rich = await FilesFeed(stored()).read(asked(FIRST_MS), NOW_MS)
    assert np.array_equal(rich.bars.close, bare.bars.close) and rich.forming_open == bare.forming_open
    assert rich.source == bare.source


async def test_without_stored_minutes_there_are_bars_all_the_same() -> None:
    shelf = Shelf(_1h=stored().series["1h"])
    feed = FilesFeed(shelf)
    for _ in range(2):
        reading = await feed.read(asked(FIRST_MS), NOW_MS)
        assert len(reading.bars) == 20
        assert reading.minutes is not None and len(reading.minutes) == 0
    assert len(feed.minutes("bybit", "AAA")) == 0


async def test_stored_minutes_that_cannot_be_read_are_told_as_bars_are() -> None:
    class Broken(Shelf):
        def bars(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
            if timeframe == "1m":
                raise DataError("corrupt", "months do not match their manifest")
            return super().bars(venue, symbol, timeframe)

    with pytest.raises(DataError, match="corrupt"):
        await FilesFeed(Broken(_1h=stored().series["1h"])).read(asked(FIRST_MS), NOW_MS)


async def test_stored_minutes_are_loaded_once() -> None:
    shelf = stored()
    feed = FilesFeed(shelf)
    for hour in range(3):
        await feed.read(asked(FIRST_MS + hour * HOUR_MS), NOW_MS)
    assert shelf.asked == ["1h", "1m"]


@pytest.mark.parametrize("timeframe", [name for name in TIMEFRAME_MS if name != "1m"])
async def test_the_embedded_market_makes_every_bar_of_its_minutes(timeframe: str) -> None:
    step = TIMEFRAME_MS[timeframe]
    newest_ms = NOW_MS // step * step
    from_ms, bars_from_ms = newest_ms - 3 * step, newest_ms - 30 * step
    reading = await EmbeddedFeed(7, {}).read(asked(from_ms, timeframe, bars_from_ms), NOW_MS)
    assert reading.minutes is not None
    assert reading.minutes.open_ms.tolist() == list(range(from_ms, newest_ms, MINUTE_MS))
    parts = step // MINUTE_MS
    assert detail_of(reading.bars, reading.minutes).minute_count.tolist() == [0] * 27 + [parts] * 3


async def test_the_embedded_feed_gives_no_minutes_unless_asked() -> None:
    assert (await EmbeddedFeed(7, {}).read(asked(None), NOW_MS)).minutes is None
