"""PBO: the hand oracle, seeded values of an independent implementation, purgedcv, and the laws."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from purgedcv import probability_of_backtest_overfitting

from engine_alpha.errors import BrokenPromise
from engine_alpha.research.statistics.overfitting import Overfitting, pbo


def known(found: Overfitting | None) -> Overfitting:
    assert found is not None
    return found


def noise(rows: int, columns: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)) * 0.01


def test_the_hand_oracle() -> None:
    rows = [(0.021, -0.010, 0.012), (0.013, 0.004, -0.011), (-0.022, 0.020, 0.017), (-0.009, 0.011, 0.003)]
    found = known(pbo(np.array(rows), 4, "mean"))
    assert (found.pbo, found.splits, found.blocks, found.trials) == (1.0, 6, 4, 3)
    assert found.median_logit == pytest.approx(-1.0986, abs=5e-5)
    assert found.loss_frac == 0.5


@pytest.mark.parametrize(
    ("blocks", "splits", "expected"), [(4, 6, 0.3333333), (8, 70, 0.6142857), (16, 12_870, 0.5871795)]
)
def test_the_seeded_values_of_pypbo(blocks: int, splits: int, expected: float) -> None:
    returns = np.random.RandomState(7).randn(160, 10) * 0.01
    returns[:, 3] += 0.002
    found = known(pbo(returns, blocks, "mean"))
    assert found.splits == splits
    assert found.pbo == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize(("rows", "columns", "blocks"), [(160, 10, 8), (163, 5, 6), (90, 4, 10), (47, 3, 8)])
def test_the_sharpe_measure_is_purgedcvs(rows: int, columns: int, blocks: int) -> None:
    returns = noise(rows, columns, rows)
    returns[:, 0] += 0.001
    ours = known(pbo(returns, blocks))
    theirs = probability_of_backtest_overfitting(returns.T, blocks)  # (configurations, observations)
    assert ours.pbo == float(np.mean(theirs.logits <= 0.0))
    assert ours.median_logit == pytest.approx(float(np.median(theirs.logits)), abs=1e-12)
    assert ours.slope == pytest.approx(theirs.slope, abs=1e-12)
    assert ours.chosen_measure == pytest.approx(theirs.is_oos_performance[:, 0].mean(), abs=1e-12)
    assert ours.unseen_measure == pytest.approx(theirs.is_oos_performance[:, 1].mean(), abs=1e-12)


def test_one_edge_that_all_trials_share_is_no_costly_choice() -> None:
    shared = noise(1_000, 1, 5) + 0.005
    found = known(pbo(shared + 0.01 * noise(1_000, 20, 6), 8))
    assert found.pbo > 0.3  # the best is anywhere
    assert found.costly == found.loss_frac == 0.0  # and it earns anywhere


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 12), st.floats(-0.002, 0.002))
def test_costly_splits_are_splits_of_both_kinds(seed: int, columns: int, edge: float) -> None:
    found = known(pbo(noise(120, columns, seed) + edge, 6))
    assert found.pbo + found.loss_frac - 1.0 - 1e-12 <= found.costly <= min(found.pbo, found.loss_frac)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 12), st.sampled_from([4, 6, 8]))
def test_trials_that_all_earn_the_same_in_the_end_always_overfit(
    seed: int, columns: int, blocks: int
) -> None:
    returns = noise(blocks * 9, columns, seed)
    assert known(pbo(returns - returns.mean(axis=0), blocks, "mean")).pbo == 1.0


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 12), st.sampled_from([4, 6, 8]), st.integers(0, 7))
def test_a_trial_best_in_every_row_never_overfits(seed: int, columns: int, blocks: int, spare: int) -> None:
    returns = noise(blocks * 9 + spare, columns, seed)
    returns[:, seed % columns] = returns.max(axis=1) + 0.001
    found = known(pbo(returns, blocks, "mean"))
    assert found.pbo == 0.0
    assert found.median_logit == pytest.approx(np.log(columns))


def test_noise_overfits_half_of_the_time() -> None:
    seen = [known(pbo(noise(96, 10, seed), 8, "mean")).pbo for seed in range(200)]
    assert np.mean(seen) == pytest.approx(0.5, abs=0.04)


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.floats(0.1, 10.0))
def test_order_and_scale_of_trials_do_not_matter(seed: int, scale: float) -> None:
    returns = noise(80, 6, seed)
    mixed = np.random.default_rng(seed).permutation(6)
    one, other = known(pbo(returns, 8)), known(pbo(returns[:, mixed] * scale, 8))
    assert other.pbo == one.pbo
    assert other.unseen_measure == pytest.approx(one.unseen_measure)


def test_trials_all_alike_count_as_overfitted() -> None:
    found = known(pbo(np.repeat(noise(64, 1, 1), 4, axis=1), 8))
    assert (found.pbo, found.median_logit) == (1.0, 0.0)


def test_trials_that_never_move_are_as_good_as_not_trading() -> None:
    losing = noise(160, 3, 2) - 0.02
    with_idle = np.hstack([losing, np.zeros((160, 1)), np.full((160, 1), 0.01)])
    found = known(pbo(with_idle, 8))
    assert (found.pbo, found.unseen_measure, found.loss_frac) == (0.0, 0.0, 0.0)
    assert found.slope is None
    still = known(pbo(np.zeros((40, 3)), 8))
    assert (still.pbo, still.slope, still.unseen_measure) == (1.0, None, 0.0)


def test_a_trial_still_in_one_half_only_is_judged() -> None:
    late = noise(80, 3, 4)
    late[:40, 1] = 0.0
    assert np.isfinite(known(pbo(late, 4)).unseen_measure)


@pytest.mark.parametrize(("rows", "blocks"), [(16, 16), (15, 14), (9, 8), (5, 4), (4, 4)])
def test_fewer_rows_than_blocks_make_fewer_blocks(rows: int, blocks: int) -> None:
    assert known(pbo(noise(rows, 4, 1))).blocks == blocks


@pytest.mark.parametrize("shape", [(3, 5), (0, 5), (100, 1), (100, 0)])
def test_too_little_says_nothing(shape: tuple[int, int]) -> None:
    assert pbo(np.zeros(shape)) is None


def test_bad_questions_are_refused() -> None:
    with pytest.raises(BrokenPromise, match="even number"):
        pbo(noise(50, 3, 1), 7)
    with pytest.raises(BrokenPromise, match="finite"):
        pbo(np.full((50, 3), np.nan))


def test_sixty_trials_in_sixteen_blocks_take_little_time() -> None:
    returns = noise(900, 60, 1)
    pbo(returns)
    began = time.process_time()
    assert known(pbo(returns)).splits == 12_870
    assert time.process_time() - began < 2.0  # 0.15 s on an idle core
