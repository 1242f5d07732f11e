"""Folds: nothing trained on touches what is judged; skfolio's and purgedcv's splits."""

from dataclasses import replace
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from purgedcv import CombinatorialPurgedCV, purge

from engine_alpha.errors import BrokenPromise
from engine_alpha.research.statistics.folds import (
    DAY_MS,
    Fold,
    apart_from,
    combinatorial,
    require_before,
    splits_of_groups,
    tests_on,
    trains_on,
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


def test_labels_across_an_end_are_for_nobody() -> None:
    entry = np.array([-5, 0, 50, 99, 95, 105, 110, 199, 200])
    exit_ = np.array([5, 40, 100, 99, 120, 115, 111, 230, 210])
    assert np.flatnonzero(trains_on(a_fold(), entry, exit_)).tolist() == [1, 3]
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
def test_purging_leaves_no_overlap(
    from_ms: int, span_ms: int, folds: int, first: float, embargo_ms: int, seed: int
) -> None:
    found = walk_forward(from_ms, from_ms + span_ms, folds, first, embargo_ms)
    assert len(found) in (0, folds)
    random = np.random.default_rng(seed)
    entry = random.integers(from_ms, from_ms + span_ms + 1, 300)
    exit_ = entry + random.integers(0, 5 * DAY_MS, 300)
    tested = np.zeros(300, dtype=int)
    for fold in found:
        training, judged = trains_on(fold, entry, exit_), tests_on(fold, entry)
        tested += judged
        assert not (training & judged).any()
        assert (exit_[training] + embargo_ms < fold.test_from_ms).all()
        assert apart_from(fold.test_from_ms, fold.test_to_ms, entry, exit_)[training].all()
        assert fold.test_from_ms % DAY_MS == 0
    assert (tested <= 1).all(), "each trade is judged once"
    if found:
        assert found[-1].test_to_ms == from_ms + span_ms
        assert [each.test_to_ms for each in found[:-1]] == [each.test_from_ms for each in found[1:]]


def trained(
    rows: int, groups: int, test_groups: int, purge_rows: int = 0, embargo: int = 0
) -> list[list[int]]:
    return [each.train.tolist() for each in combinatorial(rows, groups, test_groups, purge_rows, embargo)]


def test_the_splits_of_skfolio() -> None:
    # skfolio 1.12.2, CombinatorialPurgedCV(n_folds, n_test_folds, purged_size, embargo_size)
    assert trained(12, 3, 2) == [[8, 9, 10, 11], [4, 5, 6, 7], [0, 1, 2, 3]]
    assert trained(12, 3, 2, purge_rows=1) == [[9, 10, 11], [5, 6], [0, 1, 2]]
    assert trained(12, 3, 2, embargo=1) == [[9, 10, 11], [5, 6, 7], [0, 1, 2, 3]]
    assert trained(20, 4, 2, purge_rows=1, embargo=2) == [
        [13, 14, 15, 16, 17, 18, 19],
        [8, 18, 19],
        [8, 9, 10, 11, 12, 13],
        [0, 1, 2, 3, 18, 19],
        [0, 1, 2, 3, 13],
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
    ]
    assert combinatorial(12, 3, 2)[1].test.tolist() == [0, 1, 2, 3, 8, 9, 10, 11]


def test_the_paths_of_skfolio() -> None:
    assert splits_of_groups(3, 2) == ((0, 1), (0, 2), (1, 2))
    assert splits_of_groups(6, 2) == (
        (0, 1, 2, 3, 4),
        (0, 5, 6, 7, 8),
        (1, 5, 9, 10, 11),
        (2, 6, 9, 12, 13),
        (3, 7, 10, 12, 14),
        (4, 8, 11, 13, 14),
    )


@pytest.mark.parametrize(
    ("groups", "test_groups", "splits", "paths"),
    [(6, 2, 15, 5), (10, 2, 45, 9), (10, 8, 45, 36), (16, 2, 120, 15)],
)
def test_as_many_splits_and_paths_as_there_are(
    groups: int, test_groups: int, splits: int, paths: int
) -> None:
    assert len(combinatorial(160, groups, test_groups)) == splits == comb(groups, test_groups)
    assert {len(each) for each in splits_of_groups(groups, test_groups)} == {paths}


@pytest.mark.parametrize(("rows", "groups", "test_groups"), [(23, 5, 2), (40, 6, 3), (17, 4, 1)])
def test_purgedcv_splits_alike(rows: int, groups: int, test_groups: int) -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=rows, freq="D"))
    theirs = CombinatorialPurgedCV(
        n_splits=groups, n_test_groups=test_groups, prediction_times=days, evaluation_times=days
    )
    ours = combinatorial(rows, groups, test_groups)
    found = list(theirs.split(np.zeros((rows, 1))))
    assert [each.train.tolist() for each in ours] == [train.tolist() for train, _ in found]
    assert [each.test.tolist() for each in ours] == [test.tolist() for _, test in found]


@given(st.integers(0, 1_000), st.integers(5, 60), st.integers(1, 6))
def test_purgedcv_purges_the_same_labels(seed: int, rows: int, longest: int) -> None:
    random = np.random.default_rng(seed)
    entry = np.sort(random.integers(0, 100, rows)) * DAY_MS
    exit_ = entry + random.integers(1, longest + 1, rows) * DAY_MS
    first = int(random.integers(0, rows - 1))
    test = np.arange(first, int(random.integers(first + 1, rows + 1)))
    others = np.setdiff1d(np.arange(rows), test)
    begins, ends = (pd.Series(pd.to_datetime(each, unit="ms")) for each in (entry, exit_))
    theirs = purge(others, test, begins, ends)
    # theirs are half-open; ours close at the exit, which only drops labels that end as the test begins
    kept = apart_from(int(entry[test].min()), int(exit_[test].max()), entry[others], exit_[others] - 1)
    assert set(others[kept]) <= set(theirs)
    one_stretch = (entry[test][1:] <= np.maximum.accumulate(exit_[test])[:-1]).all()
    if one_stretch:
        assert others[kept].tolist() == theirs.tolist()


def test_groups_that_make_no_sense_are_refused() -> None:
    for rows, groups, test_groups in ((10, 3, 3), (10, 3, 0), (2, 3, 1)):
        with pytest.raises(BrokenPromise):
            combinatorial(rows, groups, test_groups)
