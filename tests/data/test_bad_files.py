"""Real bad inputs from ../shared/data/bad, each read through a feed and judged by `bar_checks`.

Most are refused or recorded. Some can't be told from good ones by looking at the bars alone; their tests say
so, and show what does tell them.
"""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.domain.bar_checks import Filled, check, fill_holes, off_tick_frac, window_hash
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.domain.lookback import MIN_BARS, first_open_ms
from engine_alpha.errors import DataError
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.ports import BarRequest
from engine_alpha.store.parquet import funding_from
from engine_alpha.store.shelf import Shelf

HOUR = TIMEFRAME_MS["1h"]
Row = dict[str, str]


class OneSeries:
    """A shelf with one series on it."""

    describes = "a bad file"

    def __init__(self, bars: Bars) -> None:
        self.only = bars

    def bars(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        return self.only if TIMEFRAME_MS[timeframe] == self.only.timeframe_ms else None

    def mark(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        return None

    def funding(self, venue: str, symbol: str) -> Funding | None:
        return None

    def looked_for(self, venue: str, symbol: str, timeframe: str) -> str:
        return "something else"


async def judged(bars: Bars, now_ms: int, rows: int | None = None) -> Filled:
    """Read a window that ends at `now_ms` through a feed; return it checked and filled, or raise."""
    step = bars.timeframe_ms
    newest = now_ms // step * step - step
    first = first_open_ms(newest, step) if rows is None else newest - (rows - 1) * step
    names = {length: name for name, length in TIMEFRAME_MS.items()}
    asset = AssetConfig(
        symbol="BAD",
        base_timeframe=names[step],
        enabled=True,
        venue="bybit",
        risk_bucket="core",
        quote_ccy="USDT",
        max_leverage=1.0,
        min_notional_usd=5.0,
    )
    reading = await FilesFeed(OneSeries(bars)).read(BarRequest(asset=asset, first_open_ms=first), now_ms)
    check(reading.bars, now_ms)
    return fill_holes(reading.bars, first, newest)


def rows_in(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def whole_number(text: str) -> int:
    return int(text)


def bars_in(
    path: Path,
    timeframe: str,
    *,
    time: str = "timestamp",
    suffix: str = "",
    time_of: Callable[[str], int] = whole_number,
) -> Bars:
    """Return a CSV file's rows as they stand, in its order."""
    rows = rows_in(path)

    def column(name: str) -> "np.typing.NDArray[np.float64]":
        return np.array([float(row[name + suffix]) for row in rows])

    return Bars(
        timeframe_ms=TIMEFRAME_MS[timeframe],
        open_ms=np.array([time_of(row[time]) for row in rows], np.int64),
        open=column("open"),
        high=column("high"),
        low=column("low"),
        close=column("close"),
        volume=column("volume"),
    )


def end_of(bars: Bars) -> int:
    return int(bars.close_ms[-1])


async def test_a_day_that_stands_twice_is_refused(shared_data: Path) -> None:
    bars = bars_in(shared_data / "bad/duplicate_day_2023-02-18_BYBIT_SOLUSDT_1d.csv", "1d")
    with pytest.raises(DataError) as caught:
        await judged(bars, end_of(bars), rows=len(bars))
    assert caught.value.reason == "duplicated"
    twice = bars.open_ms[1:][np.diff(bars.open_ms) == 0]
    assert str(twice[0]) in caught.value.detail


def test_a_file_with_a_day_twice_is_refused_on_loading(shared_data: Path, tmp_path: Path) -> None:
    bad = pl.read_csv(shared_data / "bad/duplicate_day_2023-02-18_BYBIT_SOLUSDT_1d.csv")
    (tmp_path / "candles").mkdir()
    bad.write_parquet(tmp_path / "candles/BYBIT_SOLUSDT_1d.parquet")
    with pytest.raises(DataError, match=r"duplicated: .*BYBIT_SOLUSDT_1d"):
        FilesFeed(Shelf(tmp_path)).series("bybit", "SOLUSDT", "1d")


def test_late_funding_stamps_are_put_on_their_minute_and_none_is_lost(shared_data: Path) -> None:
    path = shared_data / "bad/funding_raw_ms_jitter_SOLUSDT.csv"
    raw = np.array([int(row["ms"]) for row in rows_in(path)])
    rates = np.array([float(row["rate"]) for row in rows_in(path)])
    assert (raw % HOUR != 0).any()
    funding = funding_from(path, {"timestamp": raw, "rate": rates})
    assert (funding.settled_ms % HOUR == 0).all()
    assert np.abs(funding.settled_ms - raw).max() < 1_000
    assert funding.rate_frac.tolist() == rates.tolist()


async def test_holes_of_a_thousand_bars_are_counted_or_leave_a_short_window_until_they_are_past(
    shared_data: Path,
) -> None:
    table = pl.read_parquet(shared_data / "bad/hole_1000_bars_BINANCEUM_ETHUSDT_1h.parquet")
    columns = {name: table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    bars = Bars(timeframe_ms=HOUR, open_ms=table["timestamp"].to_numpy(), **columns)
    steps = np.diff(bars.open_ms) // HOUR
    assert steps[steps > 1].tolist() == [501, 501]
    for before in np.flatnonzero(steps > 1).tolist():
        after = int(bars.open_ms[before + 1])
        inside = await judged(bars, after - 200 * HOUR)
        assert inside.newest_missing and inside.recent_gap_bars == 10
        for later in range(1, 400):
            window = await judged(bars, after + later * HOUR)
            assert window.filled_frac > 0.02 or len(window.bars) < MIN_BARS
    past = await judged(bars, int(bars.open_ms[np.flatnonzero(steps > 1)[0] + 1]) + 961 * HOUR)
    assert past.filled_bars == 0 and len(past.bars) >= MIN_BARS


@pytest.mark.parametrize("name", ["AVAXUSDT_spot_1h", "SOLUSDT_1h"])
async def test_candles_captured_too_early_pass_but_their_hash_tells_them_from_the_final_ones(
    shared_data: Path, name: str
) -> None:
    path = shared_data / f"bad/incomplete_candles_never_corrected_{name}.csv"
    captured, final = (bars_in(path, "1h", suffix=suffix) for suffix in ("_captured", "_final"))
    assert captured.open_ms.tolist() == final.open_ms.tolist()
    for at in range(len(final)):
        now = int(final.close_ms[at])
        seen, later = await judged(captured, now, rows=1), await judged(final, now, rows=1)
        assert window_hash(seen.bars) != window_hash(later.bars)


async def test_local_times_read_as_utc_are_three_hours_in_the_future_or_leave_a_hole(
    shared_data: Path,
) -> None:
    path = shared_data / "bad/local_timezone_dst_offsets_BTCUSDT_1h_head.csv"

    def as_if_utc(text: str) -> int:
        return int(datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp() * 1_000)

    def properly(text: str) -> int:
        return int(datetime.fromisoformat(text).timestamp() * 1_000)

    right, wrong = (bars_in(path, "1h", time="open_time", time_of=read) for read in (properly, as_if_utc))
    now = end_of(right)
    check(right, now)
    with pytest.raises(DataError) as caught:  # the clocks went back: one local hour stands twice
        check(wrong, end_of(wrong))
    assert caught.value.reason == "duplicated"
    tail = wrong.between(int(wrong.open_ms[-200]), end_of(wrong))
    with pytest.raises(DataError) as caught:
        check(tail, now)
    assert caught.value.reason == "future_bar"


def test_local_times_are_refused_by_the_store(shared_data: Path, tmp_path: Path) -> None:
    table = pl.read_csv(shared_data / "bad/local_timezone_dst_offsets_BTCUSDT_1h_head.csv")
    (tmp_path / "candles").mkdir()
    table.rename({"open_time": "timestamp"}).write_parquet(tmp_path / "candles/BYBIT_BTCUSDT_1h.parquet")
    with pytest.raises(DataError, match="int64 ms UTC wanted"):
        FilesFeed(Shelf(tmp_path)).series("bybit", "BTCUSDT", "1h")


async def test_volume_that_is_no_number_is_refused(shared_data: Path) -> None:
    table = pl.read_ipc(shared_data / "bad/mark_nan_volume_BYBIT_BTCUSDT_4h.feather")
    columns = {
        name: table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in table.columns[1:]
    }
    times = table["date"].dt.epoch("ms").to_numpy()
    bars = Bars(timeframe_ms=TIMEFRAME_MS["4h"], open_ms=times, **columns)
    with pytest.raises(DataError) as caught:
        await judged(bars, end_of(bars), rows=len(bars))
    assert caught.value.reason == "nan"


async def test_made_up_prices_are_told_by_their_ticks(shared_data: Path) -> None:
    path = shared_data / "bad/synthetic_labelled_real_data_BTCUSDT_1h.csv"

    def utc(text: str) -> int:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)

    bars = bars_in(path, "1h", time_of=utc)
    assert off_tick_frac(bars, 0.1) == 1.0
    assert off_tick_frac(bars, 0.01) == 1.0


async def test_spot_prices_labelled_futures_pass_the_checks_but_not_the_ticks(shared_data: Path) -> None:
    """Spot trades in hundredths, the perpetual in tenths: only the tick grid gives them away."""
    bars = bars_in(shared_data / "bad/spot_prices_labelled_futures_BTCUSDT_1h_tail500.csv", "1h")
    await judged(bars, end_of(bars), rows=len(bars))
    assert off_tick_frac(bars, 0.01) == 0.0
    assert off_tick_frac(bars, 0.1) > 0.95


async def test_testnet_prices_can_not_be_told_by_checks_alone(shared_data: Path) -> None:
    """Testnet bars are possible, in order and on the tick grid: only where they came from tells them.

    That is why a reading names its source. What can be seen is their roughness: a third of the hours open
    more than 10 bps away from the last close; on the real venue two in ten thousand do.
    """
    path = shared_data / "bad/binance_futures_TESTNET_BTCUSDT_1h.csv"
    bars = bars_in(path, "1h", time="open_time")
    await judged(bars, end_of(bars), rows=len(bars))
    assert off_tick_frac(bars, 0.1) == 0.0
    real = Shelf(shared_data).bars("binance", "BTCUSDT", "1h")
    assert real is not None
    rough, smooth = (np.abs(part.open[1:] / part.close[:-1] - 1.0) > 0.001 for part in (bars, real))
    assert rough.mean() > 0.3 and smooth.mean() < 0.001


async def test_a_frozen_vendor_is_recorded_by_its_hash_and_refused_after_twelve_bars(
    shared_data: Path,
) -> None:
    path = shared_data / "bad/vendor_disagreement_2024-10-28_AVAXUSDT_15m.csv"
    rest, vision = (bars_in(path, "15m", suffix=suffix) for suffix in ("_rest", "_vision"))
    assert window_hash(rest) != window_hash(vision)
    still = (vision.high == vision.low) & (vision.volume == 0.0)
    assert still.any() and not ((rest.high == rest.low) & (rest.volume == 0.0)).any()
    row = int(np.flatnonzero(still)[0])
    stuck = {
        name: np.repeat(getattr(vision, name)[row], 12) for name in ("open", "high", "low", "close", "volume")
    }
    times = vision.open_ms[row] + np.arange(12) * vision.timeframe_ms
    frozen = replace(vision, open_ms=times, **stuck)
    with pytest.raises(DataError) as caught:
        await judged(frozen, end_of(frozen), rows=12)
    assert caught.value.reason == "frozen"


@pytest.mark.parametrize(
    ("name", "at", "what"),
    [
        ("BINANCE_LINKUSDT_1h", "2020-03-12 10:00", "low"),
        ("BINANCEUM_ETHUSDT_1h", "2020-03-13 02:00", "high"),
        ("BINANCEUM_DOTUSDT_1h", None, "open"),
    ],
)
async def test_known_wild_ticks_that_did_trade_are_never_refused(
    shared_data: Path, name: str, at: str | None, what: str
) -> None:
    venue, symbol, timeframe = name.split("_")
    bars = Shelf(shared_data).bars(venue, symbol, timeframe)
    assert bars is not None
    when = int(bars.open_ms[0])
    if at is not None:
        when = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1_000)
    row = int(np.flatnonzero(bars.open_ms == when)[0])
    assert what == "open" or abs(np.log(getattr(bars, what)[row] / bars.close[row])) > 0.5
    for later in (1, 2, 3, 500):
        await judged(bars, when + later * HOUR)


async def test_the_real_candles_of_every_coin_pass_on_a_day_of_each_month(
    shared_data: Path,
) -> None:
    shelf = Shelf(shared_data)
    for path in sorted((shared_data / "candles").glob("BINANCEUM_*_1h.parquet")):
        bars = shelf.bars("binance", path.name.split("_")[1], "1h")
        assert bars is not None
        for month in range(960, len(bars), 720):
            for hour in range(24):
                if month + hour < len(bars):
                    filled = await judged(bars, int(bars.close_ms[month + hour]))
                    assert filled.filled_bars == 0
