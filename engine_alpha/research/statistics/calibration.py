"""Confidence as the chance that a trade ends above 0 after costs: fitted by isotonic regression, and judged.

Fitted on an earlier fold than the one it is judged on. Isotonic regression: pool adjacent violators (Ayer et
al. 1955; Zadrozny & Elkan 2002), by scipy. It overfits below some 1,000 trades. Brier score: mean (p − y)²
(1950); calibration error: Σ n/N |mean p − share won| over bins (Naeini et al. 2015), too high for few trades.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import isotonic_regression

from engine_alpha.domain.bars import Floats
from engine_alpha.errors import BrokenPromise

MOST_KNOTS: Final = 16
SLOPE: Final = 1e-6  # a curve rises by this much of the confidence even where it is level


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Probability by confidence: straight lines between knots from 0 to 1, both strictly rising."""

    knots: tuple[float, ...]
    probabilities: tuple[float, ...]

    def at(self, confidence: Floats) -> Floats:
        """Return the probability at each confidence."""
        return np.interp(confidence, self.knots, self.probabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Trades of like confidence: how many, mean probability said, share that was won."""

    trades: int
    said_frac: float
    won_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Brier score and its skill, 1 − score / score of a base rate said each time; None where that is perfect.

    `against_fit`: the share won in the fold the curve was fitted on, known beforehand. `against_test`: that
    of the judged fold itself, known only afterwards, so harder to beat.
    """

    brier: float
    against_fit: float | None
    against_test: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    weight: Floats
    centre: Floats
    chance: Floats


def isotonic(confidence: Floats, won: Floats, weights: Floats | None = None) -> Curve:
    """Return the rising curve that fits best; confidence in [0, 1], `won` 1.0 or 0.0, at least one trade.

    Trades of one confidence are one point. The curve is straight between the centres of the pooled blocks and
    level outside, tilted by `SLOPE`; neighbouring blocks that differ least are joined until at most
    `MOST_KNOTS` knots are left.
    """
    weight = np.ones(len(won)) if weights is None else weights
    counts = weight > 0.0
    confidence, won, weight = confidence[counts], won[counts], weight[counts]
    if len(confidence) == 0 or not ((confidence >= 0.0) & (confidence <= 1.0)).all():
        raise BrokenPromise("a curve needs a trade with a weight above 0, and confidences from 0 to 1")
    points, place = np.unique(confidence, return_inverse=True)
    total: Floats = np.asarray(np.bincount(place, weights=weight), dtype=np.float64)
    share = np.bincount(place, weights=weight * won) / total
    blocks = _joined(_blocks(points, share, total))
    knots = np.unique(np.concatenate([[0.0], blocks.centre, [1.0]]))
    chances = (1.0 - SLOPE) * np.interp(knots, blocks.centre, blocks.chance) + SLOPE * knots
    return Curve(knots=tuple(knots.tolist()), probabilities=tuple(chances.tolist()))


def rising(values: Floats, weights: Floats | None = None) -> Floats:
    """Return the nearest values that never fall, in squares: pool adjacent violators."""
    found: Floats = isotonic_regression(values, weights=weights).x
    return found


def _blocks(points: Floats, share: Floats, weight: Floats) -> _Blocks:
    fitted = isotonic_regression(share, weights=weight)
    starts = fitted.blocks[:-1]
    total = np.add.reduceat(weight, starts)
    centre = np.add.reduceat(weight * points, starts) / total
    return _Blocks(weight=total, centre=centre, chance=fitted.x[starts])


def _joined(blocks: _Blocks) -> _Blocks:
    """Join neighbours that differ least (Ward: squares added by the join) until they fit between the ends."""
    while len(blocks.weight) > MOST_KNOTS - 2:
        weight, left, right = blocks.weight, blocks.weight[:-1], blocks.weight[1:]
        cost = left * right / (left + right) * np.diff(blocks.chance) ** 2
        at = int(cost.argmin())
        starts = np.delete(np.arange(len(weight)), at + 1)
        total = np.add.reduceat(weight, starts)
        blocks = _Blocks(
            weight=total,
            centre=np.add.reduceat(weight * blocks.centre, starts) / total,
            chance=np.add.reduceat(weight * blocks.chance, starts) / total,
        )
    return blocks


def brier(probability: Floats, won: Floats) -> float:
    """Return the mean squared distance of what was said from what came; NaN for no trades."""
    return float(np.mean((probability - won) ** 2)) if len(won) else float("nan")


def brier_skill(probability: Floats, won: Floats, fit_rate: float) -> Skill:
    """Return the score and its skill; `fit_rate` is the share won in the fold the curve was fitted on."""
    score = brier(probability, won)
    plain = (brier(np.full(len(won), rate), won) for rate in (fit_rate, won.mean() if len(won) else np.nan))
    against_fit, against_test = (1.0 - score / each if each > 0.0 else None for each in plain)
    return Skill(brier=score, against_fit=against_fit, against_test=against_test)


def reliability(probability: Floats, won: Floats, bins: int | Sequence[float] = 10) -> tuple[Bin, ...]:
    """Return bins of about equally many trades, or between given edges; equal values share a bin.

    Edges include 0 and 1; a value on an edge belongs below it. Empty bins are left out.
    """
    if len(won) == 0:
        return ()
    if isinstance(bins, int):
        last = -(-np.arange(1, bins) * len(won) // bins) - 1  # places of the bins' highest values, in order
        inner = np.unique(np.sort(probability)[last])
    else:
        inner = np.asarray(bins, dtype=np.float64)[1:-1]
    place = np.searchsorted(inner, probability, side="left")
    found = []
    for each in np.unique(place):
        here = place == each
        said, share = float(probability[here].mean()), float(won[here].mean())
        found.append(Bin(trades=int(here.sum()), said_frac=said, won_frac=share))
    return tuple(found)


def expected_calibration_error(probability: Floats, won: Floats, bins: int | Sequence[float] = 10) -> float:
    """Return by how much what was said misses what came, on average over the bins of `reliability`."""
    found = reliability(probability, won, bins)
    misses = sum(each.trades * abs(each.said_frac - each.won_frac) for each in found)
    return misses / len(won) if len(won) else float("nan")
