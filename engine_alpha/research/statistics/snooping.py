"""Is the best of the trials better than the benchmark, all of them considered: Hansen's test (SPA).

Hansen: A Test for Superior Predictive Ability, Journal of Business & Economic Statistics 23 (2005), by
`arch.bootstrap.SPA`: studentised, with the stationary bootstrap of Politis & Romano (1994), blocks as long as
Politis & White (2004; Patton, Politis & White 2009) find for these returns. The only module that knows arch.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from arch.bootstrap import SPA, optimal_block_length

from engine_alpha.domain.bars import Floats
from engine_alpha.research.statistics.trials import moving_columns

FEWEST: Final = 20  # observations, below which no block length can be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Snooping:
    """Chance of a best trial this good if none beats the benchmark; `p_consistent` is the one to read.

    `block` is the mean length of the bootstrap's blocks, in observations.
    """

    p_consistent: float
    p_lower: float
    p_upper: float
    block: int


def superior(returns: Floats, benchmark: float = 0.0, draws: int = 500, seed: int = 0) -> Snooping | None:
    """Return Hansen's p-values; returns: (observations, trials), finite; benchmark: a return per observation.

    Columns that never move are left out. None where no column is left, or for fewer than 20 observations.
    """
    moving = returns[:, moving_columns(returns)]
    if moving.shape[1] == 0 or len(moving) < FEWEST:
        return None
    block = block_of(moving)
    losses = -moving  # the library compares losses
    test = SPA(np.full(len(moving), -benchmark), losses, block_size=block, reps=draws, seed=seed)
    test.compute()
    found = test.pvalues
    return Snooping(
        p_consistent=float(found["consistent"]),
        p_lower=float(found["lower"]),
        p_upper=float(found["upper"]),
        block=block,
    )


def block_of(returns: Floats) -> int:
    """Return the block length that suits the columns on average, at most a third of the observations."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a column that moves on its first days only
        each = np.asarray(optimal_block_length(returns)["stationary"], dtype=np.float64)
    known = each[np.isfinite(each)]
    found = math.ceil(known.mean()) if len(known) else 1
    return min(max(1, found), len(returns) // 3)
