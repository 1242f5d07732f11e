"""Random walks look like coins, keep the laws of candles, and hold nothing to be earned."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.bar_checks import check_history
from engine_alpha.domain.bars import Bars, Floats
from engine_alpha.errors import ConfigError
from engine_alpha.research.markets.market import COINS, Market, Wanted
from engine_alpha.research.markets.planted import planted
from engine_alpha.research.markets.walk import random_walk

COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")
MARKETS = 12


@cache
def walk(number: int, coins: int = 2) -> Market:
    return random_walk(Wanted(seed=11, number=number, coins=coins))


def returns(bars: Bars) -> Floats:
    """Return simple returns, close to close."""
    return bars.close[1:] / bars.close[:-1] - 1.0


def every_return() -> list[Floats]:
    return [returns(bars) for number in range(MARKETS) for bars in walk(number).bars.values()]


def shifted(values: Floats, lag: int) -> float:
    return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])


def same(one: Bars, other: Bars) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)


def require_sound(bars: Bars, places: int) -> None:
    check_history(bars, int(bars.close_ms[-1]))
    for name in ("open", "high", "low", "close"):
        prices = getattr(bars, name)
        assert np.array_equal(prices, np.round(prices, places)), "every price is on the tick"
    assert np.array_equal(bars.open[1:], bars.close[:-1])
    assert bars.volume.min() > 0.0
    assert (np.diff(bars.open_ms) == bars.timeframe_ms).all()


@given(
    seed=st.integers(0, 2**40),
    number=st.integers(0, 1_000),
    strength=st.sampled_from((0.0, 0.01, 0.05)),
)
def test_every_candle_could_be_true_and_lies_on_the_tick(seed: int, number: int, strength: float) -> None:
    made = planted(Wanted(seed=seed, number=number, coins=2, hours=500), strength)
    for coin, bars in zip(COINS, made.bars.values(), strict=False):
        require_sound(bars, coin.places)


def test_a_market_is_made_the_same_again_and_each_coin_alike_among_fewer() -> None:
    again = random_walk(Wanted(seed=11, number=0, coins=3))
    for symbol, bars in walk(0).bars.items():
        assert same(bars, again.bars[symbol])


def test_a_market_is_the_same_on_every_machine() -> None:
    bars = random_walk(Wanted(seed=1, number=0, coins=1, hours=1_000)).bars["ETHUSDT"]
    assert [float(bars.close[at]) for at in (0, 99, 999)] == [3698.814041, 3989.939779, 3870.237386]


@pytest.mark.parametrize("change", [{"seed": 12}, {"number": 3}])
def test_other_seeds_and_numbers_have_nothing_in_common(change: dict[str, int]) -> None:
    one = returns(walk(0).bars["BTCUSDT"])
    told = {"seed": 11, "number": 0, "coins": 2} | change
    other = returns(random_walk(Wanted(**told)).bars["BTCUSDT"])
    assert abs(shifted_pair(one, other)) < 0.06


def shifted_pair(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(np.clip(one, -0.05, 0.05), np.clip(other, -0.05, 0.05))[0, 1])


def test_coins_move_together_as_real_ones_do() -> None:
    found = [
        np.corrcoef([returns(bars) for bars in walk(number).bars.values()])[0, 1] for number in range(MARKETS)
    ]
    assert np.mean(found) == pytest.approx(0.6, abs=0.05)


def test_tails_clusters_and_ranges_are_those_of_real_candles() -> None:
    # ETH, BTC and SOL, 2020-10 to 2024-06: kurtosis 18 to 32; autocorrelation of |r| 0.28 to 0.32 after an
    # hour, 0.19 to 0.22 after a day, 0.11 to 0.17 after a week; log of weekly mean |r| 0.45 to 0.50.
    sizes = [np.abs(each) for each in every_return()]
    kurtosis = [float(np.mean(each**4) / np.mean(each**2) ** 2) for each in every_return()]
    weekly = [np.log(each[:17_472].reshape(-1, 168).mean(axis=1)).std() for each in sizes]
    assert 12 < np.median(kurtosis) < 40
    assert 0.2 < np.mean([shifted(each, 1) for each in sizes]) < 0.35
    assert 0.12 < np.mean([shifted(each, 24) for each in sizes]) < 0.25
    assert 0.06 < np.mean([shifted(each, 168) for each in sizes]) < 0.2
    assert 0.35 < np.mean(weekly) < 0.6


def test_the_size_of_moves_is_the_coins_own_and_has_a_season() -> None:
    deviations = [returns(walk(number).bars["ETHUSDT"]).std() for number in range(MARKETS)]
    assert np.median(deviations) == pytest.approx(COINS[0].hourly_frac, rel=0.25)
    sizes = np.mean([np.abs(each) for each in every_return()], axis=0)
    hour = (np.arange(len(sizes)) + 1) % 24
    assert sizes[hour == 14].mean() > 1.3 * sizes[hour == 4].mean()


def test_volume_moves_with_volatility() -> None:
    bars = walk(0).bars["ETHUSDT"]
    size = np.log(np.abs(returns(bars)) + 1e-5)
    assert 0.3 < np.corrcoef(np.log(bars.volume[1:]), size)[0, 1] < 0.6


@pytest.mark.parametrize("lag", [2, 24, 168, 336])
def test_no_return_tells_of_a_later_one(lag: int) -> None:
    # Lo and MacKinlay (1988): the variance of sums over that of the parts is 1 for a martingale.
    ratios = []
    for each in every_return():
        scaled = each / np.sqrt(np.convolve(each**2, np.full(168, 1 / 168), "same"))
        sums = np.add.reduceat(scaled, np.arange(0, len(scaled) - lag, lag))[:-1]
        ratios.append(sums.var() / lag / scaled.var())
    error = np.std(ratios) / len(ratios) ** 0.5
    assert abs(np.mean(ratios) - 1.0) < 4.0 * error + 0.01


def test_a_price_is_expected_to_be_what_it_is() -> None:
    found = [each.mean() / (each.std() / len(each) ** 0.5) for each in every_return()]
    # two coins of a market move together: their mean has a variance of 0.8
    assert abs(np.mean(found)) < 3.5 * (0.8 / MARKETS) ** 0.5


def test_what_no_market_can_be_is_refused() -> None:
    for bad in ({"coins": 0}, {"coins": 13}, {"hours": 0}, {"seed": -1}):
        with pytest.raises(ConfigError):
            Wanted(**({"seed": 1, "number": 0} | bad))
