"""Random walks that look like coins and on which nothing can be earned: a price is a martingale.

Returns inside the hour are simple and symmetric about zero, so the expected price is the price. Their size
clusters (GARCH(1,1) on top of a slow level), has Student-t tails and a season of the day; one common factor
joins the coins. Sources: Bollerslev, Journal of Econometrics 31 (1986); Engle and Lee (1999) for the slow
level beside the quick one. Coefficients were set so that kurtosis, autocorrelation of absolute returns and
the spread of weekly volatility are those of the real candles: see the tests.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Floats
from engine_alpha.research.markets.market import COINS, Coin, Market, Wanted, candles, hours_of

STEPS: Final = 60
"""Moves inside an hour. A stop fills at its own price though the walk steps over it: with 12 moves a card
without an edge gains some 0.01 R a trade.
"""
CORRELATION: Final = 0.6
ALPHA, BETA = 0.12, 0.83
TAIL: Final = 3.5
"""Degrees of freedom of the hour's own size."""
LARGEST_SIZE, LARGEST_VARIANCE, LARGEST_MOVE = 30.0, 40.0, 0.3
SLOW_DEVIATION: Final = 0.45
SLOW_DAY: Final = 0.965
"""What is left of the logarithm of the slow level a day later: half in 19 days."""
SEASON: Final = (
    1.20, 1.06, 0.92, 0.88, 0.77, 0.82, 0.84, 0.90, 0.99, 0.89, 0.90, 0.91,
    1.06, 1.13, 1.27, 1.21, 1.12, 1.04, 1.02, 1.03, 1.07, 1.01, 0.99, 0.97,
)  # fmt: skip
"""Mean absolute return by UTC hour over that of the day: ETH, BTC and SOL, 2020-10 to 2024-06."""
VOLUME_NOISE: Final = 0.35
FACTOR, LEVEL, COIN = 1, 2, 100
"""Streams of the generator: the factor's, the slow level's, and from the third on one for each coin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all coins of a market share: the slow level of volatility, (hours,), and moves (hours, STEPS)."""

    level: Floats
    factor: NDArray[np.float64]


def random_walk(wanted: Wanted) -> Market:
    """Return a market of random walks."""
    common = common_of(wanted)
    bars = {
        coin.symbol: candles(coin, hours_of(moves), volume)
        for coin, moves, volume in (moves_of(wanted, place, common) for place in range(wanted.coins))
    }
    return Market(kind="walk", note="random walks: fat tails, clustered volatility, no edge", bars=bars)


def common_of(wanted: Wanted) -> Common:
    """Return what the market's coins share."""
    level = _slow(wanted.random(LEVEL), wanted.hours)
    return Common(level=level, factor=_shocks(wanted.random(FACTOR), level))


def moves_of(wanted: Wanted, place: int, common: Common) -> tuple[Coin, NDArray[np.float64], Floats]:
    """Return a coin, its moves inside the hours, (hours, STEPS), and its volumes."""
    random, coin = wanted.random(COIN + place), COINS[place]
    own = _shocks(random, common.level)
    scale = coin.hourly_frac / STEPS**0.5
    moves = scale * (CORRELATION**0.5 * common.factor + (1.0 - CORRELATION) ** 0.5 * own)
    moves = np.clip(moves, -LARGEST_MOVE, LARGEST_MOVE)
    return coin, moves, _volume(random, coin, moves)


def _shocks(random: np.random.Generator, level: Floats) -> NDArray[np.float64]:
    """Return moves (hours, STEPS) whose sum over an hour has mean 0 and, over long, variance 1."""
    hours = len(level)
    normal = random.standard_normal((hours, STEPS))
    size = (TAIL - 2.0) / random.chisquare(TAIL, hours)
    size = np.minimum(size, LARGEST_SIZE)
    hourly = normal * np.sqrt(size)[:, None]
    variance = _clustered(hourly.sum(axis=1) / STEPS**0.5)
    season = np.resize(np.array(SEASON), hours) / float(np.mean(np.square(SEASON))) ** 0.5
    return np.asarray(hourly * (np.sqrt(variance) * level * season)[:, None])


def _clustered(innovations: Floats) -> Floats:
    """Return the variance of each hour, 1 in the mean: h = (1 - a - b) + a e^2 h + b h of the hour before."""
    found, last = np.empty(len(innovations)), 1.0
    floor = 1.0 - ALPHA - BETA
    for at, shock in enumerate(np.square(innovations).tolist()):
        found[at] = last
        last = min(floor + (ALPHA * shock + BETA) * last, LARGEST_VARIANCE)
    return found


def _slow(random: np.random.Generator, hours: int) -> Floats:
    """Return the slow level of volatility, its square 1 in the mean: a knot a day, lines between."""
    days = -(-hours // 24) + 1
    noise = random.standard_normal(days)
    knots, last = np.empty(days), SLOW_DEVIATION * noise[0]
    step = SLOW_DEVIATION * (1.0 - SLOW_DAY**2) ** 0.5
    for day in range(days):
        knots[day] = last
        last = SLOW_DAY * last + step * noise[(day + 1) % days]
    line = np.interp(np.arange(hours) / 24.0, np.arange(days), knots)
    return np.asarray(np.exp(line - SLOW_DEVIATION**2))


def _volume(random: np.random.Generator, coin: Coin, moves: NDArray[np.float64]) -> Floats:
    """Return volumes that move with the length of the hour's path."""
    path = np.abs(moves).sum(axis=1) / (coin.hourly_frac * STEPS**0.5)
    noise = np.exp(VOLUME_NOISE * random.standard_normal(len(path)))
    return np.asarray(np.round(coin.volume_base * path * noise, 3))
