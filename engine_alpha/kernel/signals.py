"""Signals from indicators: one row per bar, one number per signal, by plain arithmetic on one bar at a time.

Directional signals change sign when prices are mirrored (p -> 2a - p), the others do not; all but the two
quote columns are free of scale. A value that can't be known is NaN, never 0.
"""

import math
from typing import Any, NamedTuple

from engine_alpha.kernel.values import Indicators

DIRECTIONAL, UNSIGNED, QUOTE = 1, 0, -1
UNKNOWN = float("nan")


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
ROOT_24, ROOT_72, ROOT_168, ROOT_336 = math.sqrt(24), math.sqrt(72), math.sqrt(168), math.sqrt(336)

Row = tuple[float, ...]
NO_ROW = (UNKNOWN,) * len(SIGNALS)


def signals_at(known: Indicators, t: int) -> Row:
    """Return the row of bar t of the window, in the order of SIGNALS; it depends on bars up to t alone.

    The columns are read element by element: arrays where compiled, else memoryviews (`readable`), which
    give Python floats.
    """
    if t < 1:
        return NO_ROW
    atr, close = known.atr_14[t], known.close[t]
    spread = ratio(known.ema_20[t] - known.ema_40[t], atr)
    efficiency = ratio(change(known.close, t, 240), known.path_240[t])
    return (
        ratio(known.ema_12[t] - known.ema_26[t], atr),
        spread,
        ratio(known.macd_histogram[t], atr),
        # CMO is RSI centred on 0 with Wilder's smoothing, and 0 for flat prices: TA-Lib's RSI says 0 of 100
        known.cmo_14[t] / 100.0,
        known.adx_14[t] / 100.0,
        (known.plus_di_14[t] - known.minus_di_14[t]) / 100.0,
        ratio(close - known.mean_20[t], known.deviation_20[t]),
        ratio(4.0 * known.deviation_20[t], atr),
        channel(close, known.top_24[t - 1], known.bottom_24[t - 1]),
        channel(close, known.top_48[t - 1], known.bottom_48[t - 1]),
        channel(close, known.top_120[t - 1], known.bottom_120[t - 1]),
        channel(close, known.top_240[t - 1], known.bottom_240[t - 1]),
        channel(close, known.top_480[t - 1], known.bottom_480[t - 1]),
        ratio(change(known.close, t, 48), known.path_48[t]),
        efficiency,
        vwap_distance(known, t),
        volume_z(known, t),
        ratio(change(known.close, t, 24), known.range_336[t] * ROOT_24),
        ratio(change(known.close, t, 72), known.range_336[t] * ROOT_72),
        ratio(change(known.close, t, 168), known.range_336[t] * ROOT_168),
        ratio(change(known.close, t, 336), known.range_336[t] * ROOT_336),
        ratio(known.located_48[t], known.volume_48[t]) if t >= 48 else UNKNOWN,
        rank_at(known, t),
        ratio(known.range_24[t], known.range_336[t]),
        funding_pressure(known, t),
        trend_of(efficiency, spread),
        atr * known.unit,
        known.range_336[t] * known.unit,
    )


def trend_at(known: Indicators, t: int) -> float:
    """Return the trend score of bar t alone: the regime looks back along it."""
    if t < 1:
        return UNKNOWN
    efficiency = ratio(change(known.close, t, 240), known.path_240[t])
    spread = ratio(known.ema_20[t] - known.ema_40[t], known.atr_14[t])
    return trend_of(efficiency, spread)


def trend_of(efficiency: float, spread: float) -> float:
    """Return the trend score: half efficiency over 240 bars, half the spread of EMA 20 and 40."""
    return (clamp(efficiency * 2.0) + clamp(spread)) * 0.5


def rank_at(known: Indicators, t: int) -> float:
    """Return the volatility rank of bar t alone, 0..1."""
    rank: float = known.range_rank_384[t] / 100.0
    return rank


def readable(known: Indicators) -> Indicators:
    """Return the columns as memoryviews: their elements are Python floats and ints."""
    return Indicators(known.unit, *(memoryview(column) for column in known[1:]))


def channel(close: float, top: float, bottom: float) -> float:
    """Return the place in a channel of the bars before, -1..1; with the bar itself it could not be broken."""
    return ratio(close * 2.0 - top - bottom, top - bottom)


def change(column: Any, t: int, span: int) -> float:
    """Return the change over `span` bars; NaN where there are not so many."""
    return column[t] - column[t - span] if t >= span else UNKNOWN


def vwap_distance(known: Indicators, t: int) -> float:
    """Return close minus the 120-bar VWAP, in ATR."""
    if t < 120:
        return UNKNOWN
    return ratio(known.close[t] - ratio(known.traded_120[t], known.volume_120[t] * 3.0), known.atr_14[t])


def volume_z(known: Indicators, t: int) -> float:
    """Return volume minus its 120-bar mean, in deviations."""
    if t < 120:
        return UNKNOWN
    return ratio(known.volume[t] - known.volume_mean_120[t], known.volume_deviation_120[t])


def funding_pressure(known: Indicators, t: int) -> float:
    """Return the mean of the last 3 rates over the mean size of the last 21; NaN before 21.

    NaN again once the last settlement is older than three of its intervals: a source that went silent.
    """
    last = known.heard[t]
    if last < 1 or known.close_ms[t] > known.fresh_until_ms[last]:
        return UNKNOWN
    return ratio(known.funding_short[last], known.funding_long[last])


def ratio(over: float, under: float) -> float:
    """Divide where the divisor is positive; NaN elsewhere."""
    return over / under if under > 0.0 else UNKNOWN


def clamp(value: float) -> float:
    """Cut to -1..1; NaN stays NaN."""
    if value > 1.0:
        return 1.0
    if value < -1.0:
        return -1.0
    return value
