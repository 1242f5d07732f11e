"""Indicators: TA-Lib's batch functions on one anchored window, columns as long as the window.

Prices and volume are first divided by a power of two, which is exact, so that TA-Lib's absolute epsilons mean
the same for every coin. This module alone is not compiled: `signals` turns its columns into signals.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import talib

from engine_alpha.domain.bars import Bars, Floats, Funding, Ints
from engine_alpha.kernel.values import Indicators

FUNDING_LONG, FUNDING_SHORT = 21, 3  # settlements
STALE_INTERVALS = 3


class Wanted(NamedTuple):
    """Columns that no vote and no regime reads: 1 where a card's conditions or a record do."""

    adx: int
    channel_24: int
    channel_48: int
    path_48: int
    volume_z: int


EVERYTHING = Wanted(1, 1, 1, 1, 1)


def _bare(function: Any) -> Any:
    """Return TA-Lib's own function, without the look for pandas and Polars in its arguments: 3 us a call."""
    try:
        return function.__wrapped__
    except AttributeError:  # neither is installed, nothing is wrapped
        return function


_adx = _bare(talib.ADX)
_atr = _bare(talib.ATR)
_cmo = _bare(talib.CMO)
_ema = _bare(talib.EMA)
_macd = _bare(talib.MACD)
_max = _bare(talib.MAX)
_min = _bare(talib.MIN)
_minus_di = _bare(talib.MINUS_DI)
_percentrank = _bare(talib.PERCENTRANK)
_plus_di = _bare(talib.PLUS_DI)
_mean = _bare(talib.SMA)
_stddev = _bare(talib.STDDEV)
_sum = _bare(talib.SUM)
_trange = _bare(talib.TRANGE)


def indicators_of(bars: Bars, funding: Funding, wanted: Wanted = EVERYTHING) -> Indicators:
    """Return the indicators of an anchored window without holes; `funding` is cut to it.

    What is not `wanted` is NaN: a long backtest without records leaves out what nothing reads.
    """
    unit = power_of_two(float(bars.close[0]))
    high, low, close = bars.high / unit, bars.low / unit, bars.close / unit
    true_range = np.asarray(_trange(high, low, close))
    short_range = _sma(true_range, 24)
    path = np.zeros(len(close))
    np.abs(close[1:] - close[:-1], out=path[1:])
    top_240, bottom_240 = _max(high, 240), _min(low, 240)
    unread = np.full(len(close), np.nan)
    return Indicators(
        unit,
        close,
        _atr(high, low, close, 14),
        _ema(close, 12),
        _ema(close, 20),
        _ema(close, 26),
        _ema(close, 40),
        _macd(close, 12, 26, 9)[2],
        _cmo(close, 14),
        _adx(high, low, close, 14) if wanted.adx else unread,
        _plus_di(high, low, close, 14),
        _minus_di(high, low, close, 14),
        _mean(close, 20),
        _stddev(close, 20, 1.0),
        _max(high, 24) if wanted.channel_24 else unread,
        _min(low, 24) if wanted.channel_24 else unread,
        _max(high, 48) if wanted.channel_48 else unread,
        _min(low, 48) if wanted.channel_48 else unread,
        _max(high, 120),
        _min(low, 120),
        top_240,
        bottom_240,
        _joined(np.maximum, top_240, 240),
        _joined(np.minimum, bottom_240, 240),
        _sum(path, 48) if wanted.path_48 else unread,
        _sum(path, 240),
        short_range,
        _sma(true_range, 336),
        _rank(short_range),
        *_volume_columns(bars.volume, high, low, close, wanted.volume_z),
        *_funding_columns(bars.close_ms, funding),
    )


def _joined(extreme: Any, column: Floats, span: int) -> Floats:
    """Return the extreme of twice the span: of the column and of itself that long ago; exact, and quicker."""
    out = np.full(len(column), np.nan)
    if len(column) > span:
        extreme(column[span:], column[:-span], out=out[span:])
    return out


def power_of_two(value: float) -> float:
    """Return the power of two that brings `value` into [1, 2) as its divisor; 1.0 for no value."""
    if not value > 0.0 or math.isinf(value):
        return 1.0
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


def _rank(short_range: Floats) -> Floats:
    """Rank the 24-bar mean range among the last 384, 0..100.

    24 + 384 bars and the regime's 96 fit into the warm-up: its hysteresis sees as far at a block's edge.
    """
    out = np.full(len(short_range), np.nan)
    if len(short_range) > 24 + 384:
        out[24:] = _percentrank(short_range[24:], 384)
    return out


def _volume_columns(
    raw: Floats, high: Floats, low: Floats, close: Floats, volume_z: int
) -> tuple[Floats, ...]:
    first = int(np.argmax(raw > 0.0))
    volume = raw / power_of_two(float(raw[first]))
    span = high - low
    place = np.zeros(len(close))
    np.divide(close * 2.0 - high - low, span, out=place, where=high > low)
    return (
        volume,
        _sum(volume, 48),
        _sum(volume, 120),
        _sum((high + low + close) * volume, 120),
        _mean(volume, 120) if volume_z else place,
        _stddev(volume, 120, 1.0) if volume_z else np.full(len(close), np.nan),
        _sum(place * volume, 48),
    )


def _funding_columns(close_ms: Ints, funding: Funding) -> tuple[Any, ...]:
    """Return close times, the settlement heard last at each, and by settlement the mean of the last 3 rates,
    the mean size of the last 21, and until when it counts: three of its intervals.
    """
    rates, times = funding.rate_frac, funding.settled_ms
    if len(times) == 0:
        nothing = np.empty(0)
        return close_ms, np.full(len(close_ms), -1), nothing, nothing, np.empty(0, np.int64)
    edges = np.zeros(len(times) + 2, np.int64)
    edges[1:-1] = close_ms.searchsorted(times)
    edges[-1] = len(close_ms)
    heard = np.arange(-1, len(times)).repeat(edges[1:] - edges[:-1])
    if len(rates) < FUNDING_LONG:
        unknown = np.full(len(rates), np.nan)
        return close_ms, heard, unknown, unknown, np.zeros(len(rates), np.int64)
    scaled = rates / power_of_two(float(np.max(np.abs(rates[:FUNDING_LONG]))))
    fresh_until = np.zeros(len(times), np.int64)
    fresh_until[1:] = times[1:] + STALE_INTERVALS * (times[1:] - times[:-1])
    return (
        close_ms,
        heard,
        _mean(scaled, FUNDING_SHORT),
        _mean(np.abs(scaled), FUNDING_LONG),
        fresh_until,
    )


def _sma(values: Floats, span: int) -> Floats:
    """Mean of the last `span` values, where leading NaN of the input stay NaN."""
    if len(values) <= span:
        return np.full(len(values), np.nan)
    out = np.empty(len(values))
    out[0] = np.nan
    out[1:] = _mean(values[1:], span)
    return out
