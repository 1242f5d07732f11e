"""Folds: nothing trained on touches what is judged."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.errors import BrokenPromise
from engine_alpha.research.statistics.folds import (
    DAY_MS,
    Fold,
    require_before,
    tests_on,
    walk_forward,
)

tests_on.__test__ = False  # ours, not pytest's
START_MS = 1_672_531_200_000  # 2023-01-01


def a_fold(**changes: int) -> Fold:
    fold = Fold(train_from_ms=0, train_end_ms=100, test_from_ms=110, test_to_ms=200, embargo_ms=10)
    return replace(fold, **changes)


def test_a_fold_that_trains_up_to_its_embargo_stands() -> None:
    assert a_fold().train_end_ms + 10 == a_fold().test_from_ms


@pytest.mark.parametrize(
    "changes",
    [
        {"train_end_ms": 101},
        {"train_end_ms": 150},
        {"embargo_ms": 11},
        {"embargo_ms": -1},
        {"test_to_ms": 110},
        {"train_from_ms": 100},
    ],
)
def test_a_fold_that_would_see_its_test_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(BrokenPromise):
        a_fold(**changes)


def test_a_fit_must_end_before_its_first_decision() -> None:
    require_before(100, 100)  # an end is not included
    with pytest.raises(BrokenPromise, match="101"):
        require_before(101, 100)


def test_a_trade_is_judged_in_the_fold_that_it_was_entered_in() -> None:
    entry = np.array([-5, 0, 50, 99, 95, 105, 110, 199, 200])
    assert np.flatnonzero(tests_on(a_fold(), entry)).tolist() == [6, 7]


def test_four_folds_of_a_hundred_days() -> None:
    folds = walk_forward(START_MS, START_MS + 100 * DAY_MS, 4, 0.4, 2 * DAY_MS)
    days = [
        ((each.test_from_ms - START_MS) // DAY_MS, (each.test_to_ms - START_MS) // DAY_MS) for each in folds
    ]
    assert days == [(40, 55), (55, 70), (70, 85), (85, 100)]
    assert {each.train_from_ms for each in folds} == {START_MS}
    assert {each.test_from_ms - each.train_end_ms for each in folds} == {2 * DAY_MS}


@pytest.mark.parametrize(
    ("days", "folds", "embargo_days"), [(3, 4, 0), (0, 1, 0), (10, 2, 4), (10, 2, 40), (1, 1, 0)]
)
def test_too_little_history_has_no_folds(days: int, folds: int, embargo_days: int) -> None:
    assert walk_forward(START_MS, START_MS + days * DAY_MS, folds, 0.4, embargo_days * DAY_MS) == ()


@pytest.mark.parametrize(("folds", "first"), [(0, 0.5), (3, 0.0), (3, 1.0), (3, -0.1)])
def test_folds_that_make_no_sense_are_refused(folds: int, first: float) -> None:
    with pytest.raises(BrokenPromise):
        walk_forward(START_MS, START_MS + 100 * DAY_MS, folds, first, 0)


@given(
    st.integers(0, 10 * DAY_MS),
    st.integers(0, 900 * DAY_MS),
    st.integers(1, 8),
    st.floats(0.1, 0.9),
    st.integers(0, 20 * DAY_MS),
    st.integers(0, 1_000),
)
def test_what_is_judged_begins_after_training_and_embargo(
    from_ms: int, span_ms: int, folds: int, first: float, embargo_ms: int, seed: int
) -> None:
    found = walk_forward(from_ms, from_ms + span_ms, folds, first, embargo_ms)
    assert len(found) in (0, folds)
    random = np.random.default_rng(seed)
    entry = random.integers(from_ms, from_ms + span_ms + 1, 300)
    tested = np.zeros(300, dtype=int)
    for fold in found:
        judged = tests_on(fold, entry)
        tested += judged
        assert (entry[judged] >= fold.train_end_ms + embargo_ms).all()
        assert fold.test_from_ms % DAY_MS == 0
    assert (tested <= 1).all(), "each trade is judged once"
    if found:
        assert found[-1].test_to_ms == from_ms + span_ms
        assert [each.test_to_ms for each in found[:-1]] == [each.test_from_ms for each in found[1:]]
