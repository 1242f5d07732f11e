"""Partial pooling: a textbook's trials, statsmodels, a simulation, and the laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from engine_alpha.research.statistics.pooling import pooled

VACCINATED = np.array([[4, 119], [6, 300], [3, 228], [62, 13_536], [33, 5_036], [180, 1_361], [8, 2_537]])
OTHERS = np.array([[11, 128], [29, 274], [11, 209], [248, 12_619], [47, 5_761], [372, 1_079], [10, 619]])
VACCINATED_LATER = np.array(
    [[505, 87_886], [29, 7_470], [17, 1_699], [186, 50_448], [5, 2_493], [27, 16_886]]
)
OTHERS_LATER = np.array([[499, 87_892], [45, 7_232], [65, 1_600], [141, 27_197], [3, 2_338], [29, 17_825]])


def tuberculosis_trials() -> tuple[np.ndarray, np.ndarray]:
    """Return log relative risks and variances of 13 trials of a vaccine (Colditz et al., JAMA 271 (1994))."""
    ill = np.vstack([VACCINATED, VACCINATED_LATER])
    other = np.vstack([OTHERS, OTHERS_LATER])
    all_ill, all_other = ill.sum(axis=1), other.sum(axis=1)
    risks = np.log(ill[:, 0] / all_ill / (other[:, 0] / all_other))
    return risks, 1 / ill[:, 0] - 1 / all_ill + 1 / other[:, 0] - 1 / all_other


def test_the_vaccine_trials_of_the_textbook() -> None:
    found = pooled(*tuberculosis_trials())
    # statsmodels 0.15 and R's metafor (method "PM") agree
    assert found.between_variance == pytest.approx(0.3181, abs=5e-5)
    assert found.mean == pytest.approx(-0.7150, abs=5e-5)
    assert found.variance**0.5 == pytest.approx(0.1809, abs=5e-5)


@pytest.mark.parametrize("seed", range(5))
def test_statsmodels_finds_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    variances = random.uniform(0.01, 0.2, 12)
    means = random.normal(0.1, 0.3, 12) + random.standard_normal(12) * np.sqrt(variances)
    ours = pooled(means, variances)
    theirs = combine_effects(means, variances, method_re="iterated", atol=1e-8)
    assert ours.between_variance == pytest.approx(theirs.tau2, abs=1e-8)
    assert ours.mean == pytest.approx(theirs.mean_effect_re, abs=1e-8)
    assert ours.variance == pytest.approx(theirs.sd_eff_w_re**2, abs=1e-8)


def test_means_that_differ_no_more_than_they_are_unsure_are_one() -> None:
    means = np.array([0.1, 0.12, 0.09])
    found = pooled(means, [1.0, 2.0, 0.5])
    assert found.between_variance == 0.0
    assert found.values == pytest.approx(np.full(3, found.mean))
    assert found.value_variances == pytest.approx(
        found.variance + 2 * (found.mean - np.array([0.1, 0.12, 0.09])) ** 2
    )
    assert not found.weights.any()


def test_one_asset_is_itself() -> None:
    found = pooled([0.3], [0.04])
    assert (found.mean, found.variance, found.values[0], found.value_variances[0]) == (0.3, 0.04, 0.3, 0.04)


@pytest.mark.parametrize(
    ("mean", "variance"), [(np.nan, 0.1), (0.2, np.nan), (0.2, 0.0), (0.2, np.inf), (np.inf, 1.0)]
)
def test_an_asset_that_knows_nothing_takes_the_pooled_value(mean: float, variance: float) -> None:
    found = pooled([0.5, mean, -0.4], [0.01, variance, 0.02])
    alone = pooled([0.5, -0.4], [0.01, 0.02])
    assert (found.mean, found.between_variance) == (alone.mean, alone.between_variance)
    assert (found.values[1], found.weights[1]) == (found.mean, 0.0)
    assert found.value_variances[1] == pytest.approx(found.between_variance + found.variance)
    assert found.values[[0, 2]] == pytest.approx(alone.values)


def test_nobody_knowing_anything_is_unknown() -> None:
    for found in (pooled([np.nan, np.nan], [1.0, 1.0]), pooled([], [])):
        assert np.isnan(found.mean) and np.isnan(found.values).all() and not found.weights.any()


assets = st.lists(st.tuples(st.floats(-5.0, 5.0), st.floats(1e-4, 10.0)), min_size=1, max_size=15)


@given(assets)
def test_a_value_lies_between_its_own_and_the_pooled_mean(rows: list[tuple[float, float]]) -> None:
    means, variances = np.array(rows).T
    found = pooled(means, variances)
    assert found.between_variance >= 0.0
    assert ((found.weights >= 0.0) & (found.weights <= 1.0)).all()
    low, high = np.minimum(means, found.mean), np.maximum(means, found.mean)
    assert ((found.values >= low - 1e-9) & (found.values <= high + 1e-9)).all()
    assert (found.value_variances > 0.0).all()
    assert means.min() - 1e-9 <= found.mean <= means.max() + 1e-9


@given(assets, st.floats(-3.0, 3.0), st.floats(0.1, 10.0))
def test_shift_and_scale_of_the_means_carry_over(
    rows: list[tuple[float, float]], shift: float, scale: float
) -> None:
    means, variances = np.array(rows).T
    one, other = pooled(means, variances), pooled(means * scale + shift, variances * scale**2)
    tolerance = 1e-6 * (1.0 + np.abs(means).max()) * max(1.0, scale) ** 2
    assert other.mean == pytest.approx(one.mean * scale + shift, abs=tolerance)
    assert other.values == pytest.approx(one.values * scale + shift, abs=tolerance)
    assert other.between_variance == pytest.approx(one.between_variance * scale**2, abs=tolerance)


def test_pooled_values_miss_the_truth_by_less_and_by_as_much_as_they_say() -> None:
    random = np.random.default_rng(6)
    own_miss, pooled_miss, inside = [], [], []
    for _ in range(400):
        truth = random.normal(0.05, 0.1, 12)
        variances = random.uniform(0.005, 0.05, 12)
        means = truth + random.standard_normal(12) * np.sqrt(variances)
        found = pooled(means, variances)
        own_miss.append(np.mean((means - truth) ** 2))
        pooled_miss.append(np.mean((found.values - truth) ** 2))
        inside.append(np.mean(np.abs(found.values - truth) < 1.96 * np.sqrt(found.value_variances)))
    assert np.mean(pooled_miss) < 0.5 * np.mean(own_miss)
    assert 0.90 < np.mean(inside) < 0.97
