"""Probability that choosing the best trial overfits: PBO by combinatorially symmetric cross-validation.

Bailey, Borwein, López de Prado, Zhu: The Probability of Backtest Overfitting, Journal of Computational
Finance 20 (2017). Rows are cut into an even number of blocks; each half of the blocks once chooses the best
trial, the other half ranks it: ω = rank / (trials + 1), λ = ln(ω / (1 − ω)), PBO = share of λ <= 0.

Ties: the first of equally good trials is chosen; among equals in the other half it takes the middle rank, so
a choice among trials all alike counts as overfitted. A trial that does not move in a half has a Sharpe ratio
of 0 there, as good as not trading. PBO says nothing about whether all trials are good, or none: of trials
that all have the same edge one is as good as another, the best of one half is anywhere in the other, and PBO
is one half though nobody is fooled. `costly` counts only those splits in which the choice also lost.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Floats
from engine_alpha.errors import BrokenPromise

Measure = Literal["sharpe", "mean"]

BLOCKS: Final = 16
FEWEST_BLOCKS: Final = 4
AT_ONCE: Final = 500_000  # values of one batch of splits
STILL: Final = 1e-12  # variance below this part of the mean square: does not move


@dataclass(frozen=True, slots=True, kw_only=True)
class Overfitting:
    """`pbo` in [0, 1]: below 1/2 choosing the best is better than chance.

    `slope` is how much of the chosen trial's measure in one half is found again in the other, least squares
    over the splits: 1 all, 0 none, negative the reverse; None where the measure of the choice never differs.
    `loss_frac` is the share of splits in which the choice lost in the other half, `costly` of those in which
    it lost and was below the median: at most the smaller of both.
    """

    pbo: float
    splits: int
    blocks: int
    trials: int
    median_logit: float
    slope: float | None
    loss_frac: float
    costly: float
    chosen_measure: float  # mean over the splits, in the half that chose
    unseen_measure: float  # mean over the splits, in the other


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """Per block and trial: sums of returns and of their squares; rows per block."""

    rows: Floats
    returns: Floats
    squares: Floats


def pbo(returns: Floats, blocks: int = BLOCKS, measure: Measure = "sharpe") -> Overfitting | None:
    """Return how often the best in one half is below the middle in the other; (observations, trials), finite.

    Blocks are neighbouring rows, the first ones a row longer where rows do not divide. Fewer rows than
    blocks: as many blocks as rows, an even number. None for fewer than 2 trials or 4 rows.
    """
    if returns.ndim != 2 or not np.isfinite(returns).all():
        raise BrokenPromise("returns must be (observations, trials) and finite: fill idle days with 0.0")
    if blocks < FEWEST_BLOCKS or blocks % 2:
        raise BrokenPromise(f"{blocks} blocks: choose an even number from {FEWEST_BLOCKS} on")
    rows, trials = returns.shape
    used = min(blocks, rows - rows % 2)
    if trials < 2 or used < FEWEST_BLOCKS:
        return None
    sums = _sums(returns, used)
    halves = _halves(used)
    batch = max(1, AT_ONCE // trials)
    parts = [_judged(sums, halves[at : at + batch], measure) for at in range(0, len(halves), batch)]
    ranks, chosen, unseen = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return _summary(ranks, chosen, unseen, (used, trials))


def _sums(returns: Floats, blocks: int) -> _Sums:
    size, longer = divmod(len(returns), blocks)
    rows = np.full(blocks, size)
    rows[:longer] += 1
    starts = np.concatenate([[0], np.cumsum(rows)[:-1]])
    return _Sums(
        rows=rows.astype(np.float64),
        returns=np.add.reduceat(returns, starts, axis=0),
        squares=np.add.reduceat(returns**2, starts, axis=0),
    )


def _halves(blocks: int) -> Floats:
    """Return all ways to take half of the blocks: (splits, blocks), 1.0 where a block is taken."""
    taken = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(taken), blocks))
    np.put_along_axis(halves, taken, 1.0, axis=1)
    return halves


def _judged(sums: _Sums, halves: Floats, measure: Measure) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return per split: twice the rank of the choice in the unseen half, its measure here, and there."""
    seen, other = _measured(sums, halves, measure), _measured(sums, 1.0 - halves, measure)
    best = seen.argmax(axis=1)[:, None]
    chosen, unseen = np.take_along_axis(seen, best, axis=1), np.take_along_axis(other, best, axis=1)
    worse, alike = (other < unseen).sum(axis=1), (other == unseen).sum(axis=1)
    return 2 * worse + alike + 1, chosen[:, 0], unseen[:, 0]


def _measured(sums: _Sums, halves: Floats, measure: Measure) -> Floats:
    """Return the measure of each trial in each half: (splits, trials)."""
    rows = (halves @ sums.rows)[:, None]
    total = halves @ sums.returns
    mean: Floats = total / rows
    if measure == "mean":
        return mean
    squares = halves @ sums.squares
    away = squares - total * mean
    moves = away > STILL * squares
    deviation = np.sqrt(np.where(moves, away, 1.0) / (rows - 1.0))
    return np.where(moves, mean / deviation, 0.0)


def _summary(ranks: NDArray[np.int64], chosen: Floats, unseen: Floats, shape: tuple[int, int]) -> Overfitting:
    blocks, trials = shape
    share = ranks / (2.0 * (trials + 1))
    spread = float(np.var(chosen))
    slope = float(np.mean((chosen - chosen.mean()) * (unseen - unseen.mean()))) / spread if spread else None
    return Overfitting(
        pbo=float(np.mean(ranks <= trials + 1)),
        splits=len(ranks),
        blocks=blocks,
        trials=trials,
        median_logit=float(np.median(np.log(share / (1.0 - share)))),
        slope=slope,
        loss_frac=float(np.mean(unseen < 0.0)),
        costly=float(np.mean((unseen < 0.0) & (ranks <= trials + 1))),
        chosen_measure=float(chosen.mean()),
        unseen_measure=float(unseen.mean()),
    )
