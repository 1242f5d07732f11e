"""Effective number of trials: the best of them must be as lucky as that of so many independent ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from engine_alpha.errors import BrokenPromise
from engine_alpha.research.statistics.trials import effective_trials, largest_of_independent


def noise(rows: int, columns: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)) * 0.01


def test_the_exact_expected_largest_of_few() -> None:
    # closed forms for 2 and 3; 10 and 100: Tippett's tables (Biometrika 17, 1925)
    assert largest_of_independent(1) == pytest.approx(0.0, abs=1e-9)
    assert largest_of_independent(2) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-9)
    assert largest_of_independent(3) == pytest.approx(1.5 / math.sqrt(math.pi), abs=1e-9)
    assert largest_of_independent(10) == pytest.approx(1.53875, abs=1e-5)
    assert largest_of_independent(100) == pytest.approx(2.50759, abs=1e-5)


@pytest.mark.parametrize("copies", [1, 2, 50])
def test_copies_of_a_trial_are_one_trial(copies: int) -> None:
    scales = np.linspace(0.5, 3.0, copies)
    assert effective_trials(noise(400, 1) * scales) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("columns", [2, 5, 20, 60])
def test_independent_trials_count_whole(columns: int) -> None:
    assert effective_trials(noise(3_000, columns)) == pytest.approx(columns, rel=0.07)


@pytest.mark.parametrize(("blocks", "members"), [(2, 30), (5, 10), (12, 4)])
def test_blocks_of_copies_count_as_blocks(blocks: int, members: int) -> None:
    copied = np.repeat(noise(3_000, blocks), members, axis=1)
    assert effective_trials(copied) == pytest.approx(blocks, rel=0.07)


def test_half_correlated_trials_count_as_their_best_is_lucky() -> None:
    mixed = noise(20_000, 1, seed=1) + noise(20_000, 100, seed=2)
    exact = brentq(
        lambda number: largest_of_independent(number) - largest_of_independent(100) / math.sqrt(2), 1, 100
    )
    assert exact == pytest.approx(16.25, abs=0.01)
    assert effective_trials(mixed) == pytest.approx(exact, rel=0.07)


def test_trials_that_never_move_count_nothing() -> None:
    moving = noise(500, 6)
    still = np.full((500, 20), 0.0)
    still[:, 10:] = 0.01
    assert effective_trials(np.hstack([still, moving])) == effective_trials(moving)
    assert effective_trials(still) == 1.0


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (1, 5), (0, 0)])
def test_nothing_to_tell_apart_is_one_trial(shape: tuple[int, int]) -> None:
    assert effective_trials(np.zeros(shape)) == 1.0


def test_more_trials_than_days_are_counted() -> None:
    assert 15.0 < effective_trials(noise(40, 300)) <= 300.0


def test_returns_with_holes_are_refused() -> None:
    holes = noise(50, 3)
    holes[4, 1] = np.nan
    with pytest.raises(BrokenPromise, match=r"fill idle days with 0\.0"):
        effective_trials(holes)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(0.0, 0.99))
def test_the_number_lies_between_one_and_the_trials_and_repeats(
    seed: int, columns: int, share: float
) -> None:
    returns = noise(300, columns, seed) * math.sqrt(1 - share) + noise(300, 1, seed + 1) * math.sqrt(share)
    found = effective_trials(returns)
    assert 1.0 <= found <= columns
    assert found == effective_trials(returns.copy())
    doubled = effective_trials(np.hstack([returns, returns]))
    assert doubled == pytest.approx(found, rel=0.15, abs=0.2)
