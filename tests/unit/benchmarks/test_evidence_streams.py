"""The trades that `benchmarks.evidence` draws have the edge that its tables name, and its walks have none."""

import numpy as np
import pytest

from benchmarks.evidence.engine import walks
from benchmarks.evidence.measuring import BEYOND, SHAPES, count_of_rows, jobs
from benchmarks.evidence.streams import EARLY, TWO_POINT, Shape, drawn, with_gaps
from engine_alpha.kernel.evidence import EvidenceTerms

EVERY = pytest.mark.parametrize("shape", [*SHAPES, BEYOND], ids=lambda shape: shape.name)


@EVERY
@pytest.mark.parametrize("pf", [0.9, 1.0, 1.5])
def test_a_planted_profit_factor_is_what_is_drawn(shape: Shape, pf: float) -> None:
    rs = drawn((1, 2), shape, shape.win_frac_for_pf(pf), 400, 2_000)
    assert rs[rs > 0.0].sum() / -rs[rs < 0.0].sum() == pytest.approx(pf, rel=0.02)
    assert rs.mean() == pytest.approx(shape.mean_r(shape.win_frac_for_pf(pf)), abs=0.01)


@EVERY
def test_a_planted_mean_is_what_is_drawn(shape: Shape) -> None:
    rs = drawn((3,), shape, shape.win_frac_for_mean(0.17), 400, 2_000)
    assert rs.mean() == pytest.approx(0.17, abs=0.01)


def test_gap_losses_lie_between_three_and_six() -> None:
    rs = drawn((4,), with_gaps(EARLY), 0.4, 50, 1_000)
    gaps = -rs[rs < -1.5]
    assert gaps.min() >= 3.0 and gaps.max() <= 6.0
    assert len(gaps) / (rs < 0.0).sum() == pytest.approx(0.04, abs=0.005)


def test_a_seed_draws_the_same_again_and_another_does_not() -> None:
    one, again, other = (drawn((seed, 0), TWO_POINT, 0.5, 5, 50) for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_the_progress_bar_knows_how_many_lines_come() -> None:
    terms = EvidenceTerms(0.05, 0.17, 200.0, 500.0, 25.0, 6.0)
    assert len(jobs(1, 10, terms)) == count_of_rows()


def test_a_coins_walk_hangs_on_its_number_alone_and_makes_sound_bars() -> None:
    alone, among = walks(5, 1, 1, 2_000), walks(5, 0, 2, 2_000)
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(getattr(alone, name)[0], getattr(among, name)[1])
    assert (among.low <= np.minimum(among.open, among.close)).all()
    assert (among.high >= np.maximum(among.open, among.close)).all()
