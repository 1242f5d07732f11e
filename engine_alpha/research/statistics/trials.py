"""How many independent trials a set of trials that trade alike amounts to.

The number that matters for a deflated ratio is the one whose best is as lucky: if none has an edge, the
best of these trials is expected as high as the best of so many independent ones. So the law of the maximum is
simulated with the trials' own correlations (multiplier bootstrap of a maximum: Chernozhukov, Chetverikov,
Kato: Annals of Statistics 41 (2013)) and compared with the exact one of independent values. Counts by
eigenvalues miss it on either side: of 100 trials with a correlation of 1/2 each, the best is as high as that
of 16; Li & Ji (Heredity 95, 2005) say 51, which costs power, the participation ratio 4, which lets luck pass.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr

from engine_alpha.domain.bars import Floats
from engine_alpha.errors import BrokenPromise

DRAWS: Final = 4_000
SEED: Final = 20_130
AT_ONCE: Final = 2_000_000  # values of one batch of draws
STEP: Final = 0.005
GRID: Final = np.arange(-12.0 + STEP / 2.0, 12.0, STEP)  # the middles of the steps
LOG_NORMAL: Final = log_ndtr(GRID)
STILL: Final = 1e-12  # a column whose variance is below this part of its mean square does not move


def effective_trials(returns: Floats) -> float:
    """Return the number of independent trials, in [1, trials]; returns: (observations, trials), finite.

    Columns that never move count nothing. 1.0 where none is left. Seeded: the same returns, the same number.
    """
    moving = standardised(returns)
    trials = moving.shape[1]
    if trials < 2:
        return 1.0
    best = expected_largest(moving)
    if best >= largest_of_independent(trials):
        return float(trials)
    if best <= 0.0:
        return 1.0
    return float(brentq(lambda number: largest_of_independent(number) - best, 1.0, trials, xtol=1e-9))


def standardised(returns: Floats) -> Floats:
    """Return the columns that move, each with mean 0 and unit length."""
    moving = returns[:, moving_columns(returns)]
    away = moving - moving.mean(axis=0) if len(moving) else moving
    found: Floats = away / np.sqrt((away**2).sum(axis=0))
    return found


def moving_columns(returns: Floats) -> NDArray[np.bool_]:
    """Return which trials' returns differ at all; returns: (observations, trials), finite."""
    if returns.ndim != 2 or not np.isfinite(returns).all():
        raise BrokenPromise("returns must be (observations, trials) and finite: fill idle days with 0.0")
    if len(returns) == 0:
        return np.zeros(returns.shape[1], dtype=np.bool_)
    away = returns - returns.mean(axis=0)
    moves: NDArray[np.bool_] = (away**2).sum(axis=0) > STILL * (returns**2).sum(axis=0)
    return moves


def expected_largest(standard: Floats) -> float:
    """Return the expected largest of normal values that correlate as the columns do.

    Each draw counts with its mirror image: of columns all alike the largest is then exactly 0 on average.
    """
    factor: Floats = np.asarray(
        np.linalg.qr(standard, mode="r")
    )  # its columns correlate alike, and are shorter
    random = np.random.default_rng(SEED)
    batch = max(1, AT_ONCE // standard.shape[1])
    total = 0.0
    for start in range(0, DRAWS, batch):
        drawn = random.standard_normal((min(batch, DRAWS - start), factor.shape[0])) @ factor
        total += float((drawn.max(axis=1) - drawn.min(axis=1)).sum()) / 2.0
    return total / DRAWS


def largest_of_independent(trials: float) -> float:
    """Return the expected largest of so many independent normal values: ∫ [x > 0] − Φ(x)^trials dx."""
    over = 1.0 - np.exp(trials * LOG_NORMAL[GRID > 0.0])
    under = np.exp(trials * LOG_NORMAL[GRID < 0.0])
    return float(STEP * (over.sum() - under.sum()))
