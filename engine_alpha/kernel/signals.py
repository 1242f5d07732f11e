"""Signals from bars and funding: TA-Lib on the anchored window, one row per bar, one column per signal.

Directional signals change sign when prices are mirrored (p -> 2a - p), the others do not; all but the two
quote columns are free of scale. A value that can't be known is NaN, never 0. Prices and volume are first
divided by a power of two, which is exact, so that TA-Lib's absolute epsilons mean the same for every coin.
"""

import math
from typing import NamedTuple

import numpy as np
import talib

from engine_alpha.domain.bars import Bars, Floats, Funding, Ints

DIRECTIONAL, UNSIGNED, QUOTE = 1, 0, -1
FUNDING_LONG, FUNDING_SHORT = 21, 3  # settlements
STALE_INTERVALS = 3


class SignalSpec(NamedTuple):
    """Name, kind and meaning of one column."""

    name: str
    kind: int
    meaning: str


SIGNALS = (
    SignalSpec("ema_spread_12_26", DIRECTIONAL, "EMA 12 minus EMA 26, in ATR(14)"),
    SignalSpec("ema_spread_20_40", DIRECTIONAL, "EMA 20 minus EMA 40, in ATR(14)"),
    SignalSpec("macd_histogram", DIRECTIONAL, "MACD(12, 26, 9) histogram, in ATR(14)"),
    SignalSpec("rsi_centred", DIRECTIONAL, "(RSI(14) - 50) / 50, in -1..1; 0 when prices stand still"),
    SignalSpec("adx", UNSIGNED, "ADX(14) / 100"),
    SignalSpec("di_spread", DIRECTIONAL, "(+DI(14) minus -DI(14)) / 100"),
    SignalSpec("bollinger_z", DIRECTIONAL, "close minus its 20-bar mean, in population deviations"),
    SignalSpec("bollinger_width", UNSIGNED, "four 20-bar deviations, in ATR(14)"),
    SignalSpec(
        "channel_24", DIRECTIONAL, "place in the high-low channel of the 24 bars before; beyond 1: out"
    ),
    SignalSpec("channel_48", DIRECTIONAL, "the same for 48 bars"),
    SignalSpec("channel_120", DIRECTIONAL, "the same for 120 bars"),
    SignalSpec("channel_240", DIRECTIONAL, "the same for 240 bars"),
    SignalSpec("channel_480", DIRECTIONAL, "the same for 480 bars"),
    SignalSpec("efficiency_48", DIRECTIONAL, "net change over path length, 48 bars (Kaufman), signed"),
    SignalSpec("efficiency_240", DIRECTIONAL, "the same for 240 bars"),
    SignalSpec("vwap_distance_120", DIRECTIONAL, "close minus 120-bar VWAP, in ATR(14)"),
    SignalSpec("volume_z_120", UNSIGNED, "volume minus its 120-bar mean, in population deviations"),
    SignalSpec("momentum_24", DIRECTIONAL, "change over 24 bars, in mean range(336) * sqrt(24)"),
    SignalSpec("momentum_72", DIRECTIONAL, "the same for 72 bars"),
    SignalSpec("momentum_168", DIRECTIONAL, "the same for 168 bars"),
    SignalSpec("momentum_336", DIRECTIONAL, "the same for 336 bars"),
    SignalSpec("money_flow_48", DIRECTIONAL, "volume-weighted close location over 48 bars (Chaikin), -1..1"),
    SignalSpec("volatility_rank_384", UNSIGNED, "rank of the 24-bar mean range among the last 384, 0..1"),
    SignalSpec("volatility_ratio", UNSIGNED, "24-bar mean range over the 336-bar one"),
    SignalSpec("funding_pressure", DIRECTIONAL, "mean of the last 3 funding rates over mean |rate| of 21"),
    SignalSpec("trend_score", DIRECTIONAL, "half efficiency_240, half ema_spread_20_40, each in -1..1"),
    SignalSpec("atr_14", QUOTE, "ATR(14) in quote currency"),
    SignalSpec("range_336", QUOTE, "mean true range of 336 bars in quote currency"),
)
SIGNAL_CODE = {spec.name: code for code, spec in enumerate(SIGNALS)}

EMA_SPREAD_12_26, EMA_SPREAD_20_40, MACD_HISTOGRAM, RSI_CENTRED = 0, 1, 2, 3
ADX, DI_SPREAD, BOLLINGER_Z, BOLLINGER_WIDTH = 4, 5, 6, 7
CHANNEL_24, CHANNEL_48, CHANNEL_120, CHANNEL_240, CHANNEL_480 = 8, 9, 10, 11, 12
EFFICIENCY_48, EFFICIENCY_240, VWAP_DISTANCE_120, VOLUME_Z_120 = 13, 14, 15, 16
MOMENTUM_24, MOMENTUM_72, MOMENTUM_168, MOMENTUM_336 = 17, 18, 19, 20
MONEY_FLOW_48, VOLATILITY_RANK_384, VOLATILITY_RATIO = 21, 22, 23
FUNDING_PRESSURE, TREND_SCORE, ATR_14, RANGE_336 = 24, 25, 26, 27


def signal_table(bars: Bars, funding: Funding) -> Floats:
    """Return one row of signals per bar of an anchored window, shape (bars, len(SIGNALS)).

    `bars` start at the anchor and have no holes; `funding` is cut to the window. Row t depends on bars up to
    t alone. The first 512 rows are warm-up: those not yet defined are NaN.
    """
    table = np.full((len(bars), len(SIGNALS)), np.nan)
    if len(bars) < 2:
        return table
    unit = power_of_two(float(bars.close[0]))
    high, low, close = bars.high / unit, bars.low / unit, bars.close / unit
    atr = np.asarray(talib.ATR(high, low, close, 14))
    true_range = np.asarray(talib.TRANGE(high, low, close))
    wide_range = _sma(true_range, 336)
    _trend_columns(table, high, low, close, atr)
    _channel_columns(table, high, low, close)
    _horizon_columns(table, close, wide_range)
    _volume_columns(table, bars, high, low, close, atr)
    _volatility_columns(table, true_range, wide_range)
    table[:, FUNDING_PRESSURE] = funding_pressure(bars.close_ms, funding)
    half_trend = _unit(table[:, EFFICIENCY_240] * 2.0)
    table[:, TREND_SCORE] = (half_trend + _unit(table[:, EMA_SPREAD_20_40])) * 0.5
    table[:, ATR_14] = atr * unit
    table[:, RANGE_336] = wide_range * unit
    return table


def power_of_two(value: float) -> float:
    """Return the power of two that brings `value` into [1, 2) as its divisor; 1.0 for no value."""
    if not value > 0.0 or math.isinf(value):
        return 1.0
    return math.ldexp(1.0, math.frexp(value)[1] - 1)


def _trend_columns(table: Floats, high: Floats, low: Floats, close: Floats, atr: Floats) -> None:
    table[:, EMA_SPREAD_12_26] = _ratio(talib.EMA(close, 12) - talib.EMA(close, 26), atr)
    table[:, EMA_SPREAD_20_40] = _ratio(talib.EMA(close, 20) - talib.EMA(close, 40), atr)
    table[:, MACD_HISTOGRAM] = _ratio(talib.MACD(close, 12, 26, 9)[2], atr)
    # CMO is RSI centred on 0 with Wilder's smoothing, and 0 for flat prices where TA-Lib's RSI says 0 of 100
    table[:, RSI_CENTRED] = talib.CMO(close, 14) / 100.0
    table[:, ADX] = talib.ADX(high, low, close, 14) / 100.0
    table[:, DI_SPREAD] = (talib.PLUS_DI(high, low, close, 14) - talib.MINUS_DI(high, low, close, 14)) / 100.0
    deviation = talib.STDDEV(close, 20, 1.0)
    table[:, BOLLINGER_Z] = _ratio(close - talib.SMA(close, 20), deviation)
    table[:, BOLLINGER_WIDTH] = _ratio(4.0 * deviation, atr)


def _channel_columns(table: Floats, high: Floats, low: Floats, close: Floats) -> None:
    for column, span in (
        (CHANNEL_24, 24),
        (CHANNEL_48, 48),
        (CHANNEL_120, 120),
        (CHANNEL_240, 240),
        (CHANNEL_480, 480),
    ):
        if len(close) <= span:
            continue
        top = talib.MAX(high, span)[:-1]  # of the bars before: a channel with the bar itself can't be broken
        bottom = talib.MIN(low, span)[:-1]
        table[1:, column] = _ratio(close[1:] * 2.0 - top - bottom, top - bottom)


def _horizon_columns(table: Floats, close: Floats, wide_range: Floats) -> None:
    path = np.abs(np.diff(close, prepend=close[0]))
    for column, span in ((EFFICIENCY_48, 48), (EFFICIENCY_240, 240)):
        if len(close) > span:
            table[:, column] = _ratio(_change(close, span), talib.SUM(path, span))
    for column, span in ((MOMENTUM_24, 24), (MOMENTUM_72, 72), (MOMENTUM_168, 168), (MOMENTUM_336, 336)):
        table[:, column] = _ratio(_change(close, span), wide_range * math.sqrt(span))


def _volume_columns(table: Floats, bars: Bars, high: Floats, low: Floats, close: Floats, atr: Floats) -> None:
    traded = bars.volume[bars.volume > 0.0]
    volume = bars.volume / power_of_two(float(traded[0]) if len(traded) else 1.0)
    if len(volume) > 120:
        total = talib.SUM(volume, 120)
        vwap = _ratio(talib.SUM((high + low + close) * volume, 120), total * 3.0)
        table[:, VWAP_DISTANCE_120] = _ratio(close - vwap, atr)
        deviation = talib.STDDEV(volume, 120, 1.0)
        table[:, VOLUME_Z_120] = _ratio(volume - talib.SMA(volume, 120), deviation)
    if len(volume) > 48:
        location = np.zeros(len(close))
        np.divide(close * 2.0 - high - low, high - low, out=location, where=high > low)
        table[:, MONEY_FLOW_48] = _ratio(talib.SUM(location * volume, 48), talib.SUM(volume, 48))


def _volatility_columns(table: Floats, true_range: Floats, wide_range: Floats) -> None:
    short_range = _sma(true_range, 24)
    table[:, VOLATILITY_RATIO] = _ratio(short_range, wide_range)
    # 24 + 384 bars and the regime's 96 fit into the warm-up: its hysteresis sees as far at a block's edge
    if len(short_range) > 24 + 384:
        table[24:, VOLATILITY_RANK_384] = talib.PERCENTRANK(short_range[24:], 384) / 100.0


def funding_pressure(close_ms: Ints, funding: Funding) -> Floats:
    """Return, per bar, the mean of the last 3 rates over the mean size of the last 21; NaN before 21.

    NaN again once the last settlement is older than three of its intervals: a source that went silent.
    """
    rates = funding.rate_frac
    out = np.full(len(close_ms), np.nan)
    if len(rates) < FUNDING_LONG:
        return out
    unit = power_of_two(float(np.max(np.abs(rates[:FUNDING_LONG]))))
    pressure = _ratio(talib.SMA(rates / unit, FUNDING_SHORT), talib.SMA(np.abs(rates) / unit, FUNDING_LONG))
    times = funding.settled_ms
    last = np.searchsorted(times, close_ms, side="right") - 1
    heard = last >= 1
    last = last[heard]
    fresh = close_ms[heard] - times[last] <= STALE_INTERVALS * (times[last] - times[last - 1])
    out[heard] = np.where(fresh, pressure[last], np.nan)
    return out


def _sma(values: Floats, span: int) -> Floats:
    """Mean of the last `span` values, where leading NaN of the input stay NaN."""
    out = np.full(len(values), np.nan)
    if len(values) > span:
        out[1:] = talib.SMA(values[1:], span)
    return out


def _change(close: Floats, span: int) -> Floats:
    out = np.full(len(close), np.nan)
    out[span:] = close[span:] - close[:-span]
    return out


def _ratio(over: Floats, under: Floats) -> Floats:
    """Divide where the divisor is positive; NaN elsewhere."""
    out = np.full(len(over), np.nan)
    np.divide(over, under, out=out, where=under > 0.0)
    return out


def _unit(values: Floats) -> Floats:
    return np.asarray(np.clip(values, -1.0, 1.0))
