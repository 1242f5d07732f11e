"""Calibration: the reference's eight trades, scikit-learn, the kernel that reads a curve, and the laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from engine_alpha.errors import BrokenPromise
from engine_alpha.research.statistics.calibration import (
    MOST_KNOTS,
    SLOPE,
    brier,
    brier_skill,
    expected_calibration_error,
    isotonic,
    reliability,
    rising,
)

WON = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0])
SAID = np.array([0.9, 0.2, 0.7, 0.6, 0.4, 0.3, 0.8, 0.6])
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def trades(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return confidences, and results whose chance is between 0.3 and 0.7."""
    random = np.random.default_rng(seed)
    confidence = random.random(count)
    return confidence, (random.random(count) < 0.3 + 0.4 * confidence).astype(float)


def test_the_references_eight_trades() -> None:
    assert brier(SAID, WON) == pytest.approx(0.11875)
    assert expected_calibration_error(SAID, WON, QUARTERS) == pytest.approx(0.1625)


def test_the_references_violators_are_pooled() -> None:
    assert rising(np.array([1, 0, 2, 3, 2.5, 4])).tolist() == [0.5, 0.5, 2.0, 2.75, 2.75, 4.0]


def test_scores_are_scikit_learns() -> None:
    said, won = trades(1, 500)
    assert brier(said, won) == pytest.approx(brier_score_loss(won, said), abs=1e-14)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 9)), min_size=1, max_size=40))
def test_scikit_learn_pools_the_same(rows: list[tuple[float, float]]) -> None:
    values, weights = np.array(rows).T
    theirs = IsotonicRegression().fit_transform(np.arange(len(values)), values, sample_weight=weights)
    assert rising(values, weights) == pytest.approx(theirs, abs=1e-9)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40))
def test_pooling_rises_and_once_is_enough(rows: list[float]) -> None:
    found = rising(np.array(rows))
    assert (np.diff(found) >= 0.0).all()
    assert rising(found) == pytest.approx(found, abs=1e-12)
    assert found.mean() == pytest.approx(np.mean(rows), abs=1e-9)


outcomes = st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.floats(0.0, 5)), min_size=1, max_size=120)


@given(outcomes)
def test_a_curve_always_rises_and_stays_a_probability(rows: list[tuple[float, bool, float]]) -> None:
    confidence, won, weights = np.array(rows, dtype=float).T
    weights[0] = 1.0
    curve = isotonic(confidence, won, weights)
    assert 2 <= len(curve.knots) == len(curve.probabilities) <= MOST_KNOTS
    assert (curve.knots[0], curve.knots[-1]) == (0.0, 1.0)
    assert (np.diff(curve.knots) > 0.0).all()
    steps = np.diff(curve.probabilities) - 0.5 * SLOPE * np.diff(curve.knots)
    assert (steps > -1e-15).all()
    assert curve.probabilities[0] >= 0.0 and curve.probabilities[-1] <= 1.0
    seen = curve.at(np.linspace(0.0, 1.0, 101))
    assert (np.diff(seen) > 0.0).all()


@given(st.integers(0, 1_000), st.integers(2, 400))
def test_a_curve_goes_through_the_blocks_scikit_learn_finds(seed: int, count: int) -> None:
    confidence, won = trades(seed, count)
    fitted = IsotonicRegression().fit_transform(confidence, won)
    levels = np.unique(fitted.round(12))
    curve = isotonic(confidence, won)
    if len(levels) <= MOST_KNOTS - 2:
        centres = np.array([confidence[fitted.round(12) == level].mean() for level in levels])
        assert curve.at(centres) == pytest.approx(levels, abs=2 * SLOPE)


def test_many_blocks_are_joined_where_they_differ_least() -> None:
    confidence, won = trades(3, 20_000)
    assert len(np.unique(IsotonicRegression().fit_transform(confidence, won))) > MOST_KNOTS
    curve = isotonic(confidence, won)
    assert len(curve.knots) == MOST_KNOTS
    middle = np.linspace(0.05, 0.95, 50)
    assert curve.at(middle) == pytest.approx(0.3 + 0.4 * middle, abs=0.05)


def test_weights_count_as_copies_do() -> None:
    confidence, won = trades(5, 60)
    copies = np.arange(60) % 3
    weighted = isotonic(confidence, won, copies.astype(float))
    copied = isotonic(np.repeat(confidence, copies), np.repeat(won, copies))
    assert weighted.knots == pytest.approx(copied.knots)
    assert weighted.probabilities == pytest.approx(copied.probabilities)


@pytest.mark.parametrize("result", [0.0, 1.0])
def test_one_trade_says_the_same_everywhere_but_for_the_slope(result: float) -> None:
    curve = isotonic(np.array([0.4]), np.array([result]))
    assert curve.at(np.array([0.0, 0.4, 1.0])) == pytest.approx(np.full(3, result), abs=1.1 * SLOPE)
    at_the_end = isotonic(np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0]))
    assert at_the_end.knots == (0.0, 1.0)
    assert at_the_end.probabilities == pytest.approx((0.0, 0.5), abs=2 * SLOPE)


@pytest.mark.parametrize(
    ("confidence", "weight"), [([], []), ([1.2], [1.0]), ([-0.1], [1.0]), ([np.nan], [1.0]), ([0.5], [0.0])]
)
def test_a_curve_of_nothing_is_refused(confidence: list[float], weight: list[float]) -> None:
    with pytest.raises(BrokenPromise, match="weight above 0"):
        isotonic(np.array(confidence), np.ones(len(confidence)), np.array(weight))


def test_skill_is_against_what_was_known_and_against_hindsight() -> None:
    found = brier_skill(SAID, WON, 0.25)
    assert found.brier == pytest.approx(0.11875)
    assert found.against_test == pytest.approx(1 - 0.11875 / 0.25)
    assert found.against_fit == pytest.approx(1 - 0.11875 / 0.3125)


@given(st.integers(0, 1_000), st.integers(1, 200), st.floats(0.0, 1.0))
def test_hindsight_is_harder_to_beat(seed: int, count: int, fit_rate: float) -> None:
    said, won = trades(seed, count)
    found = brier_skill(said, won, fit_rate)
    if found.against_fit is not None and found.against_test is not None:
        assert found.against_test <= found.against_fit + 1e-9


def test_a_base_rate_that_is_always_right_leaves_no_skill_to_have() -> None:
    found = brier_skill(np.array([0.8, 0.9]), np.ones(2), 1.0)
    assert (found.against_fit, found.against_test) == (None, None)


def test_no_trades_have_no_score() -> None:
    nothing = np.array([])
    assert math.isnan(brier(nothing, nothing))
    assert math.isnan(expected_calibration_error(nothing, nothing))
    assert reliability(nothing, nothing) == ()
    assert brier_skill(nothing, nothing, 0.5).against_test is None


@given(st.integers(0, 1_000), st.integers(1, 300), st.integers(1, 20))
def test_bins_hold_all_trades_in_about_equal_parts(seed: int, count: int, bins: int) -> None:
    said, won = trades(seed, count)
    found = reliability(said, won, bins)
    assert sum(each.trades for each in found) == count
    assert len(found) <= bins
    assert max(each.trades for each in found) - count / bins < 1.0
    assert [each.said_frac for each in found] == sorted(each.said_frac for each in found)
    error = expected_calibration_error(said, won, bins)
    assert abs(said.mean() - won.mean()) - 1e-12 <= error <= 1.0


def test_equal_confidences_share_a_bin() -> None:
    found = reliability(np.array([0.5] * 6 + [0.9]), np.array([1.0, 0, 1, 0, 1, 0, 1]), 4)
    assert [each.trades for each in found] == [6, 1]


def test_calibrating_on_an_earlier_fold_has_skill_on_a_later_one() -> None:
    earlier, later = trades(1, 4_000), trades(2, 4_000)
    curve = isotonic(*earlier)
    calibrated = brier_skill(curve.at(later[0]), later[1], float(earlier[1].mean()))
    raw = brier_skill(later[0], later[1], float(earlier[1].mean()))
    assert calibrated.against_test is not None and raw.against_test is not None
    assert calibrated.against_test > 0.03 > 0.0 > raw.against_test
    assert expected_calibration_error(curve.at(later[0]), later[1]) < 0.03
