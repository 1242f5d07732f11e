"""Made-up candles for the tests of `chloe data check`: like a market's, and as a naive program draws them."""

from dataclasses import replace
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Bars, Floats

HOUR = 3_600_000
FIRST = 1_700_000_000_000 // (24 * HOUR) * 24 * HOUR
TICK = 0.1
COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")


def like_a_market(rows: int = 2_000, seed: int = 1, step_ms: int = HOUR) -> Bars:
    """Return candles whose ranges cluster, whose volume goes with the range, whose opens join the closes."""
    random = np.random.default_rng(seed)
    calm = np.zeros(rows)
    for at in range(1, rows):
        calm[at] = 0.97 * calm[at - 1] + random.normal(0.0, 0.2)
    sigma = 0.004 * np.exp(calm)
    closes = 30_000.0 * np.exp(np.cumsum(sigma * random.standard_t(4, rows) / 1.4))
    volume = 400.0 * np.exp(1.5 * calm + random.normal(0.0, 0.3, rows))
    return _candles(closes, sigma, volume, random, step_ms)


def walk(rows: int = 2_000, seed: int = 1) -> Bars:
    """Return a Gaussian walk on the tick with volumes of their own: what generators of demos make."""
    random = np.random.default_rng(seed)
    closes = 30_000.0 * np.exp(np.cumsum(random.normal(0.0, 0.004, rows)))
    return _candles(closes, np.full(rows, 0.004), random.gamma(2.0, 500.0, rows), random, HOUR)


def _candles(
    closes: Floats, sigma: Floats, volume: Floats, random: np.random.Generator, step_ms: int
) -> Bars:
    opens = np.concatenate(([30_000.0], closes[:-1]))
    wicks = np.abs(random.normal(0.0, 0.5, (2, len(closes)))) * sigma
    prices = (
        opens,
        np.maximum(opens, closes) * (1.0 + wicks[0]),
        np.minimum(opens, closes) * (1.0 - wicks[1]),
        closes,
    )
    o, h, low, c = (np.round(np.rint(each / TICK) * TICK, 1) for each in prices)
    times = FIRST + np.arange(len(closes), dtype=np.int64) * step_ms
    return Bars(
        timeframe_ms=step_ms, open_ms=times, open=o, high=h, low=low, close=c, volume=np.round(volume, 3)
    )


def rows_at(bars: Bars, at: Any) -> Bars:
    """Return these rows, in this order."""
    return replace(bars, **{name: getattr(bars, name)[at] for name in COLUMNS})


def joined(*parts: Bars) -> Bars:
    """Return the rows of all parts, one behind the other."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return replace(parts[0], **columns)


def with_values(bars: Bars, at: Any, **values: Any) -> Bars:
    """Return the bars with other values in some rows."""
    changed = {name: getattr(bars, name).copy() for name in values}
    for name, value in values.items():
        changed[name][at] = value
    return replace(bars, **changed)
