"""One opinion from many signals: five buckets vote, weights by regime, direction and confidence come out.

Entries and exits read the same number. A missing signal takes its vote away; it never counts as 0.
"""

from typing import Any

from engine_alpha.kernel.signals import (
    BOLLINGER_Z,
    CHANNEL_120,
    CHANNEL_240,
    CHANNEL_480,
    DI_SPREAD,
    EMA_SPREAD_20_40,
    FUNDING_PRESSURE,
    MACD_HISTOGRAM,
    MOMENTUM_168,
    MOMENTUM_336,
    MONEY_FLOW_48,
    RSI_CENTRED,
    VWAP_DISTANCE_120,
    clamp,
)
from engine_alpha.kernel.values import Features, Parameters, View, Votes

NOTHING = float("nan")


def view_of(features: Features, parameters: Parameters, regime: int) -> View:
    """Return direction, score in -1..1, confidence and the share of the weights that could vote.

    Confidence is |score|, or what the set's calibration makes of it.
    """
    votes = votes_of(features.row)
    weights = parameters.weights[regime]
    total = 0.0
    present = 0.0
    every = 0.0
    for i in range(5):
        weight = weights[i]
        every += weight
        if votes[i] == votes[i]:
            total += weight * votes[i]
            present += weight
    score = total / present if present > 0.0 else 0.0
    coverage = present / every if every > 0.0 else 0.0
    direction = 1 if score > 0.0 else (-1 if score < 0.0 else 0)
    return View(regime, direction, score, confidence_of(score, parameters), coverage, votes)


def confidence_of(score: float, parameters: Parameters) -> float:
    """Return |score| read off the calibration: straight lines between its rows, flat beyond its ends.

    Rows do not fall, so a stronger score is never less sure; at a row it is the row's own to the bit.
    """
    strength = abs(score)
    rows = parameters.calibration
    count = len(rows)
    if count == 0 or strength != strength:
        return strength
    if strength <= rows[0][0]:
        return float(rows[0][1])
    for i in range(1, count):
        right = rows[i][0]
        if strength < right:
            left, low, high = rows[i - 1][0], rows[i - 1][1], rows[i][1]
            width = right - left
            share = (strength - left) / width if width > 0.0 else 0.0
            return float(min(high, low + (high - low) * share))
    return float(rows[count - 1][1])


def votes_of(row: Any) -> Votes:
    """Return the five votes, each the mean of its squashed signals; NaN where none is known."""
    momentum = mean_of(
        squash(row[EMA_SPREAD_20_40]),
        squash(row[MOMENTUM_168]),
        squash(row[MOMENTUM_336]),
        squash(row[DI_SPREAD] * 4.0),
    )
    reversion = mean_of(
        squash(row[BOLLINGER_Z] * -0.7),
        squash(row[VWAP_DISTANCE_120] * -0.3),
        squash(row[RSI_CENTRED] * -4.0),
        NOTHING,
    )
    flow = mean_of(squash(row[MONEY_FLOW_48] * 10.0), squash(row[MACD_HISTOGRAM] * 4.0), NOTHING, NOTHING)
    positioning = squash(row[FUNDING_PRESSURE] * -1.0)
    breakout = mean_of(clamp(row[CHANNEL_120]), clamp(row[CHANNEL_240]), clamp(row[CHANNEL_480]), NOTHING)
    return Votes(momentum, reversion, flow, positioning, breakout)


def squash(x: float) -> float:
    """Map any number into -1..1, odd and rising; NaN stays NaN."""
    return x / (1.0 + abs(x))


def mean_of(a: float, b: float, c: float, d: float) -> float:
    """Return the mean of those that are not NaN; NaN if none is."""
    total = 0.0
    count = 0.0
    for value in (a, b, c, d):
        if value == value:
            total += value
            count += 1.0
    return total / count if count > 0.0 else NOTHING
