"""Hansen's test: planted and idle trials, what the library says itself, and what it can't take."""

import warnings

import numpy as np
import pytest
from arch.bootstrap import SPA, StepM

from engine_alpha.errors import BrokenPromise
from engine_alpha.research.statistics.snooping import superior


def losses_with_one_better() -> np.ndarray:
    random = np.random.RandomState(23_456)
    losses = random.chisquare(5, (500, 20)) / 5
    losses[:, 0] -= 0.3
    return losses


def test_one_trial_that_is_better_is_found() -> None:
    losses = losses_with_one_better()
    benchmark = np.random.RandomState(1).chisquare(5, 500) / 5
    found = superior(benchmark[:, None] - losses, draws=1_000, seed=23_456)
    assert found is not None
    assert found.p_lower <= found.p_consistent <= found.p_upper <= 0.01
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        steps = StepM(benchmark, losses, block_size=10, reps=1_000, seed=23_456)
        steps.compute()
    assert 0 in steps.superior_models, "the library's stepwise test names the trial too"


def test_the_p_values_are_the_librarys() -> None:
    returns = np.random.default_rng(4).standard_normal((300, 8)) * 0.01 + 0.0005
    found = superior(returns, draws=400, seed=9)
    assert found is not None
    test = SPA(np.zeros(300), -returns, block_size=found.block, reps=400, seed=9)
    test.compute()
    assert list(test.pvalues) == [found.p_lower, found.p_consistent, found.p_upper]
    assert superior(returns, draws=400, seed=9) == found


def test_idle_trials_are_not_superior_but_beat_a_lower_benchmark() -> None:
    returns = np.random.default_rng(4).standard_normal((300, 8)) * 0.01
    idle, easy = superior(returns - 0.0005), superior(returns, benchmark=-0.005)
    assert idle is not None and idle.p_consistent > 0.1
    assert easy is not None and easy.p_consistent < 0.01


def test_trials_that_never_move_are_left_out() -> None:
    returns = np.random.default_rng(4).standard_normal((300, 4)) * 0.01
    still = np.hstack([np.zeros((300, 2)), returns, np.full((300, 1), 0.01)])
    assert superior(still) == superior(returns)


@pytest.mark.parametrize("shape", [(100, 0), (0, 3), (19, 3), (100, 3)])
def test_nothing_to_test_says_nothing(shape: tuple[int, int]) -> None:
    assert superior(np.zeros(shape)) is None


@pytest.mark.parametrize("rows", [20, 21, 40])
def test_a_short_record_is_tested_without_complaint(rows: int) -> None:
    found = superior(np.random.default_rng(1).standard_normal((rows, 3)))
    assert found is not None and 0.0 <= found.p_consistent <= 1.0
    assert 1 <= found.block <= rows // 3


def test_trials_that_traded_on_the_first_days_only_are_tested_without_complaint() -> None:
    early = np.zeros((100, 2))
    early[0], early[1, 0], early[2, 1] = 1.0, -1.0, -1.0
    found = superior(early)
    assert found is not None and found.p_consistent > 0.05


def test_returns_with_holes_are_refused() -> None:
    with pytest.raises(BrokenPromise, match="finite"):
        superior(np.full((50, 2), np.nan))


@pytest.mark.slow
def test_idle_trials_are_called_superior_as_rarely_as_promised() -> None:
    random = np.random.default_rng(2)
    found = [superior(random.standard_t(4, (250, 10)) * 0.01, draws=200, seed=n) for n in range(200)]
    share = np.mean([each is not None and each.p_consistent <= 0.05 for each in found])
    assert share <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)
