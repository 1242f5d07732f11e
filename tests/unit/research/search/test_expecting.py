"""What is expected is about what then comes, for what passes a gate too, and no more than what was found."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_alpha.domain.bars import Floats
from engine_alpha.research.search.expecting import PRIOR_SHARPE, estimates, standing_of

DAYS = 3 * 365


def days(random: np.random.Generator, yearly_sharpe: float, coins: int = 4, n: int = DAYS) -> Floats:
    """Return results of coins that trade once a day, independently, all with one true Sharpe ratio."""
    return random.normal(yearly_sharpe / math.sqrt(365.0) / math.sqrt(coins), 1.0, (coins, n))


def test_what_passes_is_expected_to_make_what_it_then_makes() -> None:
    random = np.random.default_rng(1)
    found, expected, true = [], [], []
    for _ in range(1_500):
        sharpe = random.normal(0.0, PRIOR_SHARPE)
        daily = days(random, sharpe)
        together = daily.sum(axis=0)
        if together.mean() / together.std() * math.sqrt(DAYS) < 1.64:
            continue
        mean = estimates(list(daily), daily)[0].mean_r
        assert mean is not None
        found.append(float(daily.mean()))
        expected.append(mean)
        true.append(sharpe / math.sqrt(365.0) / math.sqrt(len(daily)))
    assert len(found) > 100
    assert np.mean(expected) / np.mean(true) == pytest.approx(1.0, abs=0.15)
    assert np.mean(found) / np.mean(true) > 1.5  # what it was before it was doubted


def test_the_interval_holds_what_is_true() -> None:
    random = np.random.default_rng(2)
    held = []
    for _ in range(400):
        sharpe = random.normal(0.0, PRIOR_SHARPE)
        daily = days(random, sharpe, coins=6)
        told = estimates(list(daily), daily)[0]
        assert told.mean_r_low is not None and told.mean_r_high is not None
        held.append(told.mean_r_low <= sharpe / math.sqrt(365.0 * 6) <= told.mean_r_high)
    assert np.mean(held) > 0.92


def test_coins_that_are_one_are_one_bet() -> None:
    daily = days(np.random.default_rng(3), 1.0, coins=1)
    same = np.repeat(daily, 5, axis=0)
    assert standing_of(same).design_effect == pytest.approx(5.0)
    assert standing_of(same).belief == pytest.approx(standing_of(daily).belief)
    apart = standing_of(days(np.random.default_rng(3), 1.0, coins=5))
    assert apart.design_effect == pytest.approx(1.0, abs=0.15)


def test_belief_grows_with_the_years_and_has_the_closed_form() -> None:
    random = np.random.default_rng(4)
    beliefs = [standing_of(days(random, 0.0, n=years * 365)).belief for years in (1, 2, 4, 16)]
    assert beliefs == sorted(beliefs)
    # of a ratio near 0 the variance is 1 / years: Lo (2002)
    assert beliefs[-1] == pytest.approx(PRIOR_SHARPE**2 / (PRIOR_SHARPE**2 + 1.0 / 16.0), abs=0.03)


def test_nothing_is_believed_of_what_never_moved() -> None:
    still = np.zeros((3, DAYS))
    assert standing_of(still).belief == 0.0
    assert all(each.mean_r is None and each.factor is None for each in estimates([np.empty(0)] * 3, still))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(-2.0, 4.0))
def test_never_more_than_what_was_found(seed: int, coins: int, sharpe: float) -> None:
    daily = days(np.random.default_rng(seed), sharpe, coins, n=400)
    for told, own in zip(estimates(list(daily), daily), daily, strict=True):
        most = max(abs(float(each.mean())) for each in daily)
        assert told.trades == len(own)
        assert told.mean_r is not None and abs(told.mean_r) <= most * (1.0 + 1e-9)
        assert told.mean_r_low is not None and told.mean_r_high is not None
        assert told.mean_r_low <= told.mean_r <= told.mean_r_high
