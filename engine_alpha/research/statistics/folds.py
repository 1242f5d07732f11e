"""Folds that look only back: walk-forward with an embargo.

López de Prado: Advances in Financial Machine Learning (2018), chapter 7. A choice is made on days before the
end of training alone: of a trade that is open then it sees the marks so far, not the exit (purged). An
embargo, at least the longest look-back, keeps the test's start away from it. Times are ms UTC; ends are not
included.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.errors import BrokenPromise

DAY_MS: Final = 86_400_000
Times = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Fit on [train_from_ms, train_end_ms), judge on [test_from_ms, test_to_ms)."""

    train_from_ms: int
    train_end_ms: int
    test_from_ms: int
    test_to_ms: int
    embargo_ms: int = 0

    def __post_init__(self) -> None:
        if not self.train_from_ms < self.train_end_ms:
            raise BrokenPromise(f"a fold has nothing to train on: {self}")
        if self.embargo_ms < 0 or self.train_end_ms + self.embargo_ms > self.test_from_ms:
            raise BrokenPromise(f"a fold would test on what it trained on: {self}")
        if not self.test_from_ms < self.test_to_ms:
            raise BrokenPromise(f"a fold has nothing to test on: {self}")


def walk_forward(
    from_ms: int, to_ms: int, folds: int, first_train_frac: float, embargo_ms: int
) -> tuple[Fold, ...]:
    """Return folds whose tests follow each other, equally long, up to `to_ms`; each trains on all before.

    The first test begins after `first_train_frac` of the time; tests begin at UTC midnight. Empty where there
    is too little time: less than a day a test, or nothing to train on.
    """
    if folds < 1 or not 0.0 < first_train_frac < 1.0:
        raise BrokenPromise(
            f"{folds} folds after {first_train_frac} of the time: ask for 1 or more, inside 0 to 1"
        )
    first_ms = from_ms + int((to_ms - from_ms) * first_train_frac)
    starts = [first_ms + (to_ms - first_ms) * k // folds for k in range(folds)]
    edges = [*(start - start % DAY_MS for start in starts), to_ms]
    too_short = any(later - earlier < DAY_MS for earlier, later in pairwise(edges))
    if too_short or edges[0] - embargo_ms <= from_ms:
        return ()
    return tuple(
        Fold(
            train_from_ms=from_ms,
            train_end_ms=test_from - embargo_ms,
            test_from_ms=test_from,
            test_to_ms=test_to,
            embargo_ms=embargo_ms,
        )
        for test_from, test_to in pairwise(edges)
    )


def tests_on(fold: Fold, entry_ms: Times) -> Mask:
    """Return which labels are for the test: those entered in it, so each trade is in one test."""
    return (entry_ms >= fold.test_from_ms) & (entry_ms < fold.test_to_ms)


def require_before(fit_end_ms: int, decision_ms: int) -> None:
    """Raise `BrokenPromise` unless what was fitted (on times before its end) precedes the decision."""
    if fit_end_ms > decision_ms:
        raise BrokenPromise(f"a fit that ends at {fit_end_ms} would be used for a decision at {decision_ms}")
