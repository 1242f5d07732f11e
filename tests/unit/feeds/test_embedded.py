"""The simulated market is the same everywhere, whole at every timeframe, and alive enough to trade."""

import hashlib

import numpy as np
import pytest

from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.domain.bar_checks import check, fill_holes, off_tick_frac, window_hash
from engine_alpha.domain.bars import Bars, Floats
from engine_alpha.errors import DataError
from engine_alpha.feeds.embedded import EmbeddedFeed
from engine_alpha.feeds.embedded_market import Factor
from engine_alpha.ports import BarRequest

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 20_400 * DAY + 5 * HOUR + 61_234  # a moment in November 2025
YEARS = 1_400 * DAY
COINS = ("AAA", "BBB", "CCC", "DDD", "EEE")
TICKS = {"AAA": "0.1", "BBB": "0.01", "CCC": "0.00001"}


def feed(seed: int = 7) -> EmbeddedFeed:
    return EmbeddedFeed(seed, TICKS)


def bars_of(symbol: str, timeframe: str, span_ms: int, seed: int = 7) -> Bars:
    return feed(seed).reading(symbol, timeframe, (NOW - span_ms) // DAY * DAY, NOW).bars


def log_returns(bars: Bars) -> Floats:
    returns: Floats = np.diff(np.log(bars.close))
    return returns


def kurtosis(values: Floats) -> float:
    centred = values - values.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2)


@pytest.mark.parametrize(
    ("symbol", "timeframe", "sha"),
    [
        ("AAA", "1h", "461d8ec943470e73e686247a10630739"),
        ("BBB", "1m", "703062b8d7c9882a7ae7003065cc8b6b"),
        ("CCC", "4h", "dbeed24c4fdf6d3b764f1b80fd97ffce"),
        ("EEE", "1d", "142331c340ffc2bd696c7f8038c21a72"),
    ],
)
def test_the_bits_are_pinned(symbol: str, timeframe: str, sha: str) -> None:
    bars = bars_of(symbol, timeframe, 960 * TIMEFRAME_MS[timeframe])
    assert window_hash(bars) == sha


def test_funding_is_pinned() -> None:
    funding = feed().reading("AAA", "1h", NOW - 40 * DAY, NOW).funding
    digest = hashlib.sha256(funding.settled_ms.astype("<i8").tobytes() + funding.rate_frac.tobytes())
    assert digest.hexdigest()[:32] == "e9aa14e423fc48a49e81b8549a962e04"


@pytest.mark.parametrize("timeframe", TIMEFRAME_MS)
@pytest.mark.parametrize("symbol", COINS)
def test_bars_pass_the_checks_at_every_timeframe(symbol: str, timeframe: str) -> None:
    step = TIMEFRAME_MS[timeframe]
    newest_close = NOW // step * step
    first = newest_close - 100 * step
    bars = feed().reading(symbol, timeframe, first, NOW).bars
    check(bars, NOW, newest_close)
    assert fill_holes(bars, first, newest_close - step).filled_bars == 0
    assert len(bars) == 100
    assert (bars.volume > 0.0).all()


@pytest.mark.parametrize("timeframe", [name for name in TIMEFRAME_MS if name != "1m"])
def test_a_coarse_bar_is_its_minutes(timeframe: str) -> None:
    step = TIMEFRAME_MS[timeframe]
    coarse, fine = bars_of("BBB", timeframe, 4 * DAY), bars_of("BBB", "1m", 4 * DAY)
    per_bar = step // 60_000
    rows = len(coarse) * per_bar
    grouped = {
        n: getattr(fine, n)[:rows].reshape(-1, per_bar) for n in ("open", "high", "low", "close", "volume")
    }
    assert coarse.open.tolist() == grouped["open"][:, 0].tolist()
    assert coarse.high.tolist() == grouped["high"].max(axis=1).tolist()
    assert coarse.low.tolist() == grouped["low"].min(axis=1).tolist()
    assert coarse.close.tolist() == grouped["close"][:, -1].tolist()
    assert coarse.volume.tolist() == [sum(row) for row in grouped["volume"].tolist()]


def test_four_hours_are_four_bars_of_one_hour_to_the_bit() -> None:
    coarse, fine = bars_of("CCC", "4h", 90 * DAY), bars_of("CCC", "1h", 90 * DAY)
    grouped = fine.volume[: len(coarse) * 4].reshape(-1, 4)
    backwards = grouped[:, 3] + grouped[:, 2] + grouped[:, 1] + grouped[:, 0]
    assert coarse.volume.tolist() == backwards.tolist()
    assert coarse.high.tolist() == fine.high[: len(coarse) * 4].reshape(-1, 4).max(axis=1).tolist()


def test_prices_lie_on_the_tick_given() -> None:
    for symbol, tick in TICKS.items():
        bars = bars_of(symbol, "1h", 40 * DAY)
        assert off_tick_frac(bars, float(tick)) == 0.0
        decimals = len(tick.partition(".")[2])
        assert bars.close.tolist() == [float(f"{price:.{decimals}f}") for price in bars.close.tolist()]


def test_the_forming_bar_shows_its_open_alone() -> None:
    reading = feed().reading("AAA", "1h", NOW - 10 * HOUR, NOW)
    later = feed().reading("AAA", "1h", NOW - 10 * HOUR, NOW + HOUR)
    assert reading.bars.close_ms[-1] <= NOW < later.bars.close_ms[-1]
    assert reading.forming_open == later.bars.open[-1]


def test_at_the_instant_of_a_close_the_bar_is_there_and_the_next_has_begun() -> None:
    close = NOW // HOUR * HOUR
    before, at = (feed().reading("AAA", "1h", close - 5 * HOUR, now) for now in (close - 1, close))
    assert (int(before.bars.close_ms[-1]), int(at.bars.close_ms[-1])) == (close - HOUR, close)
    assert before.forming_open == at.bars.open[-1]


def test_the_reading_says_that_it_is_simulated() -> None:
    reading = feed().reading("AAA", "1h", NOW - 10 * HOUR, NOW)
    assert reading.simulated and reading.source == "embedded" and feed().simulated
    assert EmbeddedFeed(1, {}, instead_of="bybit").describes == "SIMULATED PRICES, not bybit"


async def test_reading_through_the_port_is_the_same() -> None:
    asset = AssetConfig(
        symbol="AAA",
        base_timeframe="4h",
        enabled=True,
        venue="bybit",
        risk_bucket="core",
        quote_ccy="USDT",
        max_leverage=1.0,
        min_notional_usd=5.0,
    )
    source = feed()
    reading = await source.read(BarRequest(asset=asset, first_open_ms=NOW - 40 * DAY), NOW)
    await source.close()
    assert window_hash(reading.bars) == window_hash(feed().reading("AAA", "4h", NOW - 40 * DAY, NOW).bars)


def test_a_span_without_a_closed_bar_is_refused() -> None:
    with pytest.raises(DataError, match="empty"):
        feed().reading("AAA", "1h", NOW - 60_000, NOW)


def test_funding_settles_every_eight_hours_and_only_what_is_settled_is_known() -> None:
    funding = feed().reading("AAA", "1h", NOW - 60 * DAY, NOW).funding
    assert (funding.settled_ms % (8 * HOUR) == 0).all()
    assert (np.diff(funding.settled_ms) == 8 * HOUR).all()
    assert NOW - 8 * HOUR < funding.settled_ms[-1] <= NOW == funding.to_ms
    assert (np.abs(funding.rate_frac) <= 0.003).all()


def test_funding_follows_the_trend() -> None:
    reading = feed().reading("AAA", "1h", (NOW - YEARS) // DAY * DAY, NOW)
    closes = reading.bars.close[23::24]
    trend = np.log(closes[3:] / closes[:-3])
    rate = reading.funding.rate_frac[12::3][: len(trend)]
    rows = min(len(rate), len(trend))
    assert np.corrcoef(trend[:rows], rate[:rows])[0, 1] > 0.5
    assert (rate < 0).any() and np.median(rate) > 0


def test_returns_have_fat_tails_and_no_memory_of_their_sign() -> None:
    for symbol in COINS:
        returns = log_returns(bars_of(symbol, "1h", YEARS))
        assert 6.0 < kurtosis(returns) < 120.0
        assert kurtosis(log_returns(bars_of(symbol, "1d", YEARS))) > 3.3
        assert abs(np.corrcoef(returns[1:], returns[:-1])[0, 1]) < 0.05
        assert 0.004 < returns.std() < 0.02


def test_volatility_clusters_and_volume_follows_it() -> None:
    bars = bars_of("BBB", "1h", YEARS)
    ranges = bars.high / bars.low - 1.0
    assert np.corrcoef(ranges[24:], ranges[:-24])[0, 1] > 0.15
    assert np.corrcoef(ranges, bars.volume)[0, 1] > 0.3


def test_coins_move_together_but_not_as_one() -> None:
    table = np.corrcoef(np.array([log_returns(bars_of(symbol, "1h", YEARS)) for symbol in COINS]))
    pairs = table[np.triu_indices(len(COINS), 1)]
    assert pairs.min() > 0.3 and pairs.max() < 0.9


def test_there_are_weeks_of_trend_and_weeks_of_chop() -> None:
    bars = bars_of("AAA", "1d", YEARS)
    rows = len(bars) // 10 * 10
    steps = np.diff(np.log(np.append(bars.open[0], bars.close[:rows]))).reshape(-1, 10)
    efficiency = np.abs(steps.sum(axis=1)) / np.abs(steps).sum(axis=1)
    assert (efficiency > 0.6).mean() > 0.08
    assert (efficiency < 0.2).mean() > 0.15


def test_ten_day_channels_break_both_ways_every_year() -> None:
    closes = bars_of("AAA", "1h", YEARS).close
    for year in range(3):
        window = closes[year * 8_760 : (year + 1) * 8_760]
        rows = np.lib.stride_tricks.sliding_window_view(window, 241)
        assert (rows[:, -1] > rows[:, :-1].max(axis=1)).sum() > 20
        assert (rows[:, -1] < rows[:, :-1].min(axis=1)).sum() > 20


def test_levels_stay_in_reach_of_their_base_for_a_century() -> None:
    for seed in range(20):
        level = Factor(seed=seed, name="AAA", sigma=0.03).days(5_000, 36_525).level
        assert np.abs(level).max() < 2.3  # a factor of ten either way
        assert np.abs(np.diff(level)).max() < 0.6


def test_no_two_seeds_and_no_two_names_are_alike() -> None:
    first = log_returns(bars_of("AAA", "1h", 40 * DAY))
    assert abs(np.corrcoef(first, log_returns(bars_of("AAA", "1h", 40 * DAY, seed=8)))[0, 1]) < 0.15
    assert window_hash(bars_of("DDD", "1h", 40 * DAY)) != window_hash(bars_of("EEE", "1h", 40 * DAY))
