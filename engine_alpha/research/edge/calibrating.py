"""Confidence as the chance that a trade ends above 0 after costs, coin by coin: fitted earlier, judged later.

Fitted on trades that were over before a cut, judged on the coin's own trades that were decided after it. A
coin has some 100 trades by the cut, and isotonic regression overfits below some 1,000: so other coins' trades
count too, a quarter each. Then a coin with 120 trades beside eleven such coins has about a quarter of the
say in its own curve, and yet some 450 trades' worth to fit.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from engine_alpha.domain.bars import Floats
from engine_alpha.research.edge.trades import Mask, Pool, cut_of
from engine_alpha.research.statistics.calibration import (
    Bin,
    Curve,
    Skill,
    brier_skill,
    expected_calibration_error,
    isotonic,
    reliability,
)
from engine_alpha.research.statistics.folds import require_before
from engine_alpha.times import minute

FIT_SHARE: Final = 0.6
OTHERS_WEIGHT: Final = 0.25
LEAST_FIT: Final = 200.0  # trades to fit on, other coins' counted by their weight
LEAST_OWN: Final = 30  # own trades to judge on
MOST_BINS: Final = 10
BIN_TRADES: Final = 15  # about so many at least in a bin


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A curve and what it was fitted on: all of it known before `end_ms`, judged on decisions from then on.

    `judged_from_ms` is the first judged decision; a fit that is not over by then is a `BrokenPromise`.
    """

    curve: Curve
    trades_own: int
    trades_others: int
    won_frac: float
    end_ms: int
    judged_from_ms: int

    def __post_init__(self) -> None:
        require_before(self.end_ms, self.judged_from_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the curve was worth on later trades of the coin; `bins` are of about equally many trades."""

    trades: int
    won_frac: float
    skill: Skill
    calibration_error: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A coin's calibration, or in `words` why none is proposed; what was measured of it stands beside."""

    symbol: str
    proposed: bool
    words: str
    cut_ms: int
    fitted: Fitted | None
    judged: Judged | None

    @property
    def rows(self) -> tuple[tuple[float, float], ...]:
        """Return rows of |score| and confidence for a parameter set; none where none is proposed."""
        if not self.proposed or self.fitted is None:
            return ()
        curve = self.fitted.curve
        return tuple(zip(curve.knots, curve.probabilities, strict=True))


def calibration_of(pool: Pool, symbol: str, cut_ms: int | None = None) -> Calibration:
    """Fit and judge a coin's curve; `cut_ms` None takes the first 60 % of the time to fit."""
    cut = cut_of(pool, FIT_SHARE) if cut_ms is None else cut_ms
    usable = np.isfinite(pool.strength) & (pool.strength <= 1.0)
    mine = usable & (pool.asset == pool.symbols.index(symbol))
    earlier = usable & (pool.known_ms < cut)
    later = mine & (pool.decided_ms >= cut)
    own, others = int((earlier & mine).sum()), int((earlier & ~mine).sum())
    enough = own + OTHERS_WEIGHT * others
    if enough < LEAST_FIT:
        return _none(
            symbol,
            cut,
            f"too few trades before {minute(cut)} to fit on: {own} own and {others} of other coins count as "
            f"{enough:.0f}, {LEAST_FIT:.0f} are needed",
        )
    if int(later.sum()) < LEAST_OWN:
        return _none(
            symbol,
            cut,
            f"too few trades of its own since {minute(cut)} to judge by: {int(later.sum())}, "
            f"{LEAST_OWN} are needed",
        )
    fitted = _fitted(pool, mine, earlier, later)
    return _judged(symbol, cut, fitted, (pool.strength[later], pool.r[later] > 0.0))


def _fitted(pool: Pool, mine: Mask, earlier: Mask, later: Mask) -> Fitted:
    strength, won = pool.strength[earlier], (pool.r[earlier] > 0.0).astype(np.float64)
    weights: Floats = np.where(mine[earlier], 1.0, OTHERS_WEIGHT)
    return Fitted(
        curve=isotonic(strength, won, weights),
        trades_own=int((earlier & mine).sum()),
        trades_others=int((earlier & ~mine).sum()),
        won_frac=float((weights * won).sum() / weights.sum()),
        end_ms=int(pool.known_ms[earlier].max()),
        judged_from_ms=int(pool.decided_ms[later].min()),
    )


def _judged(symbol: str, cut: int, fitted: Fitted, trades: tuple[Floats, Mask]) -> Calibration:
    strength, won = trades[0], trades[1].astype(np.float64)
    said = fitted.curve.at(strength)
    bins = max(2, min(MOST_BINS, len(won) // BIN_TRADES))
    skill = brier_skill(said, won, fitted.won_frac)
    judged = Judged(
        trades=len(won),
        won_frac=float(won.mean()),
        skill=skill,
        calibration_error=expected_calibration_error(said, won, bins),
        bins=reliability(said, won, bins),
    )
    least = _least(skill)
    return Calibration(
        symbol=symbol,
        proposed=least is not None and least > 0.0,
        words=_words(judged, least),
        cut_ms=cut,
        fitted=fitted,
        judged=judged,
    )


def _least(skill: Skill) -> float | None:
    """Return the lower of the two skills; None where a base rate was perfect, and nothing can beat it."""
    if skill.against_fit is None or skill.against_test is None:
        return None
    return min(skill.against_fit, skill.against_test)


def _words(judged: Judged, least: float | None) -> str:
    if least is None:
        return (
            f"none: all {judged.trades} later trades ended alike, so no confidence can be told from another"
        )
    if least <= 0.0:
        return (
            f"none: on {judged.trades} later trades it says less than the plain share of trades won "
            f"(Brier skill {least:+.3f})"
        )
    return (
        f"confidence says more than the plain share of trades won: Brier skill {least:+.3f} on "
        f"{judged.trades} later trades"
    )


def _none(symbol: str, cut_ms: int, words: str) -> Calibration:
    return Calibration(
        symbol=symbol, proposed=False, words=f"none: {words}", cut_ms=cut_ms, fitted=None, judged=None
    )


def calibration_fields(found: Calibration) -> dict[str, Any]:
    """Return a calibration for JSON."""
    fitted, judged = found.fitted, found.judged
    return {
        "proposed": found.proposed,
        "words": found.words,
        "cut_ms": found.cut_ms,
        "rows": None if fitted is None else [list(row) for row in _pairs(fitted.curve)],
        "fit": None
        if fitted is None
        else {
            "trades_own": fitted.trades_own,
            "trades_others": fitted.trades_others,
            "others_weight": OTHERS_WEIGHT,
            "won_frac": fitted.won_frac,
            "end_ms": fitted.end_ms,
        },
        "judged": None if judged is None else asdict(judged),
    }


def _pairs(curve: Curve) -> list[tuple[float, float]]:
    return list(zip(curve.knots, curve.probabilities, strict=True))
