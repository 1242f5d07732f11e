"""What a made-up market is, and how prices inside its hours become candles on the tick."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Bars, Floats
from engine_alpha.errors import ConfigError
from engine_alpha.times import parse_iso

HOUR_MS: Final = 3_600_000
YEAR_HOURS: Final = 8_760
START_MS: Final = parse_iso("2022-01-01T00:00:00+00:00")
VENUE: Final = "binance"
"""Whose contracts the coins have: all twelve were listed there when the real windows begin."""


FINER: Final = 4
"""So many decimals more: a martingale as volatile as a coin often falls to a hundredth in two years, and on
the venue's own tick its bars would then jump by percents.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """A coin of the registry: what its made-up candles look like.

    `hourly_frac` is the deviation of its hourly returns, `volume_base` its median hour; both measured on the
    BINANCEUM candles of 2020-10-23 to 2024-06-16, the price on 2022-01-01. `places` are
    the decimals of its prices, `FINER` more than the venue's tick has.
    """

    symbol: str
    hourly_frac: float
    price_quote: float
    volume_base: float
    places: int


def _coins() -> tuple[Coin, ...]:
    text = files(__package__).joinpath("coins.json").read_text(encoding="utf-8")
    found = [Coin(**fields) for fields in json.loads(text)]
    return tuple(replace(coin, places=coin.places + FINER) for coin in found)


COINS: Final = _coins()
"""In the order of the registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which market to make: `number` tells markets of one seed apart; its first so many coins and hours.

    A coin's candles are the same however many coins are wanted; other hours make another market.
    """

    seed: int
    number: int
    coins: int = 3
    hours: int = 2 * YEAR_HOURS

    def __post_init__(self) -> None:
        """Raise `ConfigError` for what no market can be."""
        if not 1 <= self.coins <= len(COINS):
            raise ConfigError(f"{self.coins} coins: take 1 to {len(COINS)}")
        if self.hours < 1 or self.seed < 0 or self.number < 0:
            raise ConfigError("seed and number count from 0, hours from 1")

    def random(self, stream: int) -> np.random.Generator:
        """Return the generator of one stream: no two markets and no two streams share a number."""
        return np.random.default_rng([self.seed, self.number, stream])


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A made-up market: its kind in one word, what it was made from, and each coin's candles."""

    kind: str
    note: str
    bars: Mapping[str, Bars]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What the price did in each hour, over its open: highest, lowest, last. One element an hour."""

    high: Floats
    low: Floats
    close: Floats


def hours_of(moves: NDArray[np.float64], drift: Floats | None = None) -> Hours:
    """Return what moves inside the hours, simple returns (hours, steps), come to.

    `drift` is a simple return an hour that comes on top, in equal parts.
    """
    path = np.cumprod(1.0 + moves, axis=1)
    if drift is not None:
        steps = moves.shape[1]
        path *= 1.0 + drift[:, None] * (np.arange(1, steps + 1) / steps)
    return Hours(
        high=np.maximum(path.max(axis=1), 1.0),
        low=np.minimum(path.min(axis=1), 1.0),
        close=np.array(path[:, -1], np.float64),
    )


def candles(coin: Coin, hours: Hours, volume: Floats) -> Bars:
    """Return the coin's candles: each opens where the one before closed, all on the tick.

    The path itself is not rounded, so that it stays a martingale; rounding keeps the order of prices.
    """
    close = np.asarray(coin.price_quote * np.cumprod(hours.close), np.float64)
    return rounded(coin, close, hours, volume)


def rounded(coin: Coin, close: Floats, hours: Hours, volume: Floats) -> Bars:
    """Return candles of unrounded closes; raise `ConfigError` where a price fell to nothing."""
    opened = np.concatenate(([coin.price_quote], close[:-1]))
    columns: dict[str, Any] = {
        name: np.round(prices, coin.places)
        for name, prices in (
            ("open", opened),
            ("high", opened * hours.high),
            ("low", opened * hours.low),
            ("close", close),
        )
    }
    columns["high"] = np.maximum(columns["high"], np.maximum(columns["open"], columns["close"]))
    columns["low"] = np.minimum(columns["low"], np.minimum(columns["open"], columns["close"]))
    if not columns["low"].min() > 0.0:
        raise ConfigError(f"{coin.symbol} fell below its tick: take fewer hours")
    return Bars(
        timeframe_ms=HOUR_MS,
        open_ms=START_MS + HOUR_MS * np.arange(len(close), dtype=np.int64),
        volume=volume,
        **columns,
    )
