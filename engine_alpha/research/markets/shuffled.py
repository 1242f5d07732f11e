"""Real candles without their trends: the signs of returns flipped in blocks, bars and all.

In random blocks of one hour to a day, the same for every coin, each candle is either kept or mirrored about
the close before it, by the toss of a coin: volatility, tails, seasons, volumes, joint crashes and what
happens inside a bar stay those of the market, its direction does not. Returns are simple and mirrored about
zero, so each block's sum is as likely up as down and the price stays a martingale from block to block. What
returns say of each other inside a block stays: rules that live on a few hours may still find something.
"""

from pathlib import Path
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Bars, Floats
from engine_alpha.errors import ConfigError
from engine_alpha.research.markets.market import COINS, HOUR_MS, Coin, Market, Wanted
from engine_alpha.store.shelf import Shelf, open_shelf
from engine_alpha.times import parse_iso

SOURCE: Final = "BINANCEUM"
FROM_MS: Final = parse_iso("2020-10-23T08:00:00+00:00")
TO_MS: Final = parse_iso("2024-06-16T12:00:00+00:00")
"""All twelve coins have every hour between the two."""
SHORTEST_BLOCK, LONGEST_BLOCK = 1, 24
"""Hours. Blocks of days would leave moves of days whole, and cards that trade such moves would find them."""
LARGEST_MOVE: Final = 0.9
"""A mirrored price could fall to nothing only beyond this."""
WINDOW, BLOCKS = 3, 4
"""Streams of the generator: which hours and coins, and the blocks with their signs."""


def shuffled(wanted: Wanted, data: Path) -> Market:
    """Return a window of real candles, drawn at random, with signs flipped; coins drawn at random, too.

    Raises `ConfigError` where the data folder has no candles of a coin, or the window is too long for them.
    """
    room = (TO_MS - FROM_MS) // HOUR_MS - wanted.hours
    if room < 1:
        raise ConfigError(
            f"{wanted.hours} hours are more than there are; take fewer than {room + wanted.hours}"
        )
    random = wanted.random(WINDOW)
    first_ms = FROM_MS + HOUR_MS * int(random.integers(1, room + 1))
    places = sorted(random.choice(len(COINS), wanted.coins, replace=False).tolist())
    signs = block_signs(wanted.random(BLOCKS), wanted.hours)
    shelf = open_shelf(data)
    bars = {
        COINS[place].symbol: mirrored(
            _window(shelf, COINS[place], first_ms, wanted.hours), signs, COINS[place].places
        )
        for place in places
    }
    day = str(np.int64(first_ms).astype("datetime64[ms]"))[:10]
    return Market(kind="shuffled", note=f"real candles from {day}, signs flipped in blocks", bars=bars)


def block_signs(random: np.random.Generator, hours: int) -> Floats:
    """Return 1 or -1 for each hour, the same through blocks of random length."""
    lengths = random.integers(SHORTEST_BLOCK, LONGEST_BLOCK + 1, hours // SHORTEST_BLOCK + 1)
    signs = random.choice(np.array([1.0, -1.0]), len(lengths))
    return np.asarray(np.repeat(signs, lengths)[:hours])


def mirrored(bars: Bars, signs: Floats, places: int) -> Bars:
    """Return the bars after the first, each as it was or mirrored about the close before it.

    `signs` has one element less than `bars`. The level is the real one at the beginning; prices are rounded
    to so many decimal places.
    """
    before = bars.close[:-1]
    moves = {name: getattr(bars, name)[1:] / before - 1.0 for name in ("open", "high", "low", "close")}
    moves = {name: np.clip(each, -LARGEST_MOVE, LARGEST_MOVE) for name, each in moves.items()}
    upright = signs > 0.0
    over = {name: 1.0 + signs * moves[name] for name in ("open", "close")}
    over["high"] = 1.0 + np.where(upright, moves["high"], -moves["low"])
    over["low"] = 1.0 + np.where(upright, moves["low"], -moves["high"])
    close = bars.close[0] * np.cumprod(over["close"])
    last = np.concatenate((bars.close[:1], close[:-1]))
    tick = 10.0**-places
    prices = {
        name: np.maximum(np.round(each, places), tick)
        for name, each in {
            "open": last * over["open"],
            "high": last * over["high"],
            "low": last * over["low"],
            "close": close,
        }.items()
    }
    prices["high"] = np.maximum(prices["high"], np.maximum(prices["open"], prices["close"]))
    prices["low"] = np.minimum(prices["low"], np.minimum(prices["open"], prices["close"]))
    return Bars(timeframe_ms=bars.timeframe_ms, open_ms=bars.open_ms[1:], volume=bars.volume[1:], **prices)


def _window(shelf: Shelf, coin: Coin, first_ms: int, hours: int) -> Bars:
    """Return one bar more than `hours`: the first is where the price begins."""
    found = shelf.bars(SOURCE, coin.symbol, "1h")
    if found is None:
        raise ConfigError(f"{shelf.looked_for(SOURCE, coin.symbol, '1h')}: name a folder that has them")
    bars = found.between(first_ms - HOUR_MS, first_ms + hours * HOUR_MS)
    if len(bars) != hours + 1:
        raise ConfigError(f"{coin.symbol} in {shelf.describes} has holes from {first_ms}: take other data")
    return bars
