"""Which of four markets this is: trend_up, trend_down, high_vol or chop, with hysteresis.

Hysteresis without stored state: the last decisive value within SPAN_BARS counts, so the answer depends on
the window alone and forgets exactly.
"""

from typing import Any

from engine_alpha.kernel.codes import CHOP, HIGH_VOL, TREND_DOWN, TREND_UP
from engine_alpha.kernel.values import Features, Parameters

SPAN_BARS = 96


def regime_of(features: Features, parameters: Parameters) -> int:
    """Return the regime's code; volatility outranks trend, and what can't be known is chop."""
    at = features.at
    if latched(features.volatility, at, 1.0, parameters.volatile_on, parameters.volatile_off) == 1:
        return HIGH_VOL
    if latched(features.trend, at, 1.0, parameters.trend_on, parameters.trend_off) == 1:
        return TREND_UP
    if latched(features.trend, at, -1.0, parameters.trend_on, parameters.trend_off) == 1:
        return TREND_DOWN
    return CHOP


def latched(column: Any, at: int, sign: float, on: float, off: float) -> int:
    """Return 1 if the newest decisive value of sign * column[..at] is at or above `on`, else 0.

    At or below `off` decides for 0, as does NaN; values between are not decisive.
    """
    i = at
    last = at - SPAN_BARS
    while i > last and i >= 0:
        value = sign * column[i]
        if value >= on:
            return 1
        if not value > off:
            return 0
        i -= 1
    return 0
