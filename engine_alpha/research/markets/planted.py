"""Random walks with an edge of a known size: after a clear change over 14 days the price drifts on.

While the change over 336 bars, in the mean range of these bars times the root of 336 (what the signal
`momentum_336` measures), is beyond a threshold either way, the next hour gets a drift that way: `strength`
times the coin's hourly deviation. Both ways, so that holding earns nothing. The state is that of the made
price itself, of closed bars alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Floats
from engine_alpha.research.markets.market import Coin, Hours, Market, Wanted, hours_of, rounded
from engine_alpha.research.markets.walk import common_of, moves_of

CARD: Final = "momentum-long"
SPAN_BARS: Final = 336
THRESHOLD: Final = 0.5
"""The card enters at it, where the drift begins, and keeps the part before its exit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A profit factor in R over markets: its 95 % interval takes markets as independent, not trades."""

    strength: float
    value: float
    low: float
    high: float
    mean_r: float
    trades: int
    markets: int


STRENGTHS: Final[Mapping[float, Factor]] = {
    pf: Factor(strength=strength, value=value, low=low, high=high, mean_r=mean_r, trades=trades, markets=150)
    for pf, strength, value, low, high, mean_r, trades in (
        (1.2, 0.0042, 1.193, 1.089, 1.307, 0.1006, 10_353),
        (1.3, 0.0059, 1.310, 1.195, 1.436, 0.1591, 10_181),
        (1.5, 0.009, 1.507, 1.380, 1.646, 0.2550, 9_798),
    )
}
"""By planted profit factor: the strength, and what the card made of such markets with it.

Measured by `python -m benchmarks.power --solve --seed 7 --markets 150 --strength 0.0042 0.0059 0.009`, over
900 coin-years. Without an edge the same markets gave 0.981, 95 % 0.891 to 1.081, in 10,749 trades.
"""


def planted(wanted: Wanted, strength: float) -> Market:
    """Return random walks with the edge; with strength 0 they are those of `random_walk`, bit for bit."""
    common = common_of(wanted)
    bars = {}
    for place in range(wanted.coins):
        coin, moves, volume = moves_of(wanted, place, common)
        drift = np.full(wanted.hours, strength * coin.hourly_frac)
        ways = {0: hours_of(moves), 1: hours_of(moves, drift), -1: hours_of(moves, -drift)}
        way, close = _drifted(coin, ways)
        bars[coin.symbol] = rounded(coin, close, _chosen(ways, way), volume)
    note = f"random walks that drift on by {strength:g} deviations an hour after a clear change over 14 days"
    return Market(kind="planted", note=note, bars=bars)


def _chosen(ways: dict[int, Hours], way: Floats) -> Hours:
    columns = {
        name: np.select(
            [way > 0, way < 0], [getattr(ways[1], name), getattr(ways[-1], name)], getattr(ways[0], name)
        )
        for name in ("high", "low", "close")
    }
    return Hours(**columns)


def _drifted(coin: Coin, ways: dict[int, Hours]) -> tuple[Floats, Floats]:
    """Return which way each hour drifts, and the unrounded closes: hour by hour, each from those before."""
    highs, lows, closes = (
        {way: getattr(hours, name).tolist() for way, hours in ways.items()}
        for name in ("high", "low", "close")
    )
    count, root = len(closes[0]), SPAN_BARS**0.5
    prices, ranges, chosen = [coin.price_quote], [0.0] * count, [0] * count
    last, spread, way = coin.price_quote, 0.0, 0
    for at in range(count):
        chosen[at] = way
        ranges[at] = last * (highs[way][at] - lows[way][at])
        last *= closes[way][at]
        prices.append(last)
        spread += ranges[at]
        if at + 1 > SPAN_BARS:
            spread -= ranges[at - SPAN_BARS]
            reach = THRESHOLD * spread / SPAN_BARS * root
            change = last - prices[at + 1 - SPAN_BARS]
            way = (change >= reach) - (change <= -reach)
    return np.array(chosen, np.float64), np.array(prices[1:])
