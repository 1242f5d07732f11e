"""Fewer points for long runs: what a screen can't show need not be in the page."""

from dataclasses import replace
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.reports.run import RunCoin

MOST_BARS: Final = 400_000  # in a page; some 2 MB
MOST_POINTS: Final = 20_000
FACTORS: Final = (1, 2, 3, 5, 6, 12, 15, 30, 60, 120, 240, 480, 720, 1_440)


def kept_points(equity_quote: Floats, most: int = MOST_POINTS) -> Ints:
    """Return which points of a curve to keep: of each stretch the lowest, the highest and the last."""
    points = len(equity_quote)
    if points <= most:
        return np.arange(points)
    size = -(-3 * points // most)
    kept = {points - 1}
    for start in range(0, points, size):
        stretch = equity_quote[start : start + size]
        kept |= {start + int(stretch.argmin()), start + int(stretch.argmax()), start + len(stretch) - 1}
    return np.array(sorted(kept))


def coarse_coins(coins: tuple[RunCoin, ...], most: int = MOST_BARS) -> tuple[RunCoin, ...]:
    """Return the coins with their bars joined so that all of them together are no more than `most`."""
    for factor in FACTORS:
        if sum(-(-len(coin.open_ms) // factor) for coin in coins) <= most:
            break
    return tuple(joined_bars(coin, factor) for coin in coins)


def joined_bars(coin: RunCoin, factor: int) -> RunCoin:
    """Return a coin with `factor` bars in one, on the grid of the longer timeframe; holes stay holes.

    A joined bar has the regime, side and equity of its last one.
    """
    if factor == 1 or len(coin.open_ms) == 0:
        return coin
    frame_ms = coin.timeframe_ms * factor
    groups = coin.open_ms // frame_ms
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    last = np.append(first[1:], len(groups)) - 1
    return replace(
        coin,
        timeframe_ms=frame_ms,
        open_ms=groups[first] * frame_ms,
        open=coin.open[first],
        high=np.fmax.reduceat(coin.high, first),
        low=np.fmin.reduceat(coin.low, first),
        close=coin.close[last],
        regime=coin.regime[last],
        side=coin.side[last],
        equity_quote=coin.equity_quote[last],
    )
