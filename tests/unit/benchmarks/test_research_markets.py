"""What `benchmarks.null` and `benchmarks.power` say of what the procedure answered."""

import math

import numpy as np
import pytest

from benchmarks.null import gates_of, summed
from benchmarks.power import row_of
from benchmarks.research_markets import (
    PLANTED,
    WALK,
    Claim,
    Found,
    Gate,
    Job,
    investigated,
    median_with_interval,
    share_with_interval,
    side_by_side,
)
from engine_alpha.research.markets.market import Wanted
from engine_alpha.research.markets.planted import CARD, STRENGTHS

STRENGTH = STRENGTHS[1.3].strength


def found(number: int, *claims: Claim, gates: tuple[Gate, ...] = (), fault: str = "") -> Found:
    job = Job(kind=PLANTED, wanted=Wanted(seed=1, number=number), strength=STRENGTH)
    return Found(
        job=job, note="", seconds=1.0, claims=claims, gates=gates, factors=((CARD, 1.1, 40),), fault=fault
    )


def claim(symbol: str, expected: float, card: str = CARD) -> Claim:
    return Claim(symbol, card, expected, None, None)


def test_the_interval_of_a_share_is_exact() -> None:
    assert share_with_interval(10, 100) == pytest.approx((0.1, 0.0490, 0.1762), abs=1e-4)  # Clopper, Pearson
    assert share_with_interval(0, 200) == pytest.approx((0.0, 0.0, 1.0 - 0.025 ** (1 / 200)))
    assert share_with_interval(0, 0) == (0.0, 0.0, 1.0)


def test_the_interval_of_a_median_holds_it_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(2_000):
        _, low, high = median_with_interval(random.standard_exponential(31))
        held += low <= math.log(2.0) <= high
    assert 0.955 < held / 2_000 < 0.985  # exactly 0.9706
    assert median_with_interval(np.array([3.0, 1.0])) == (2.0, 1.0, 3.0)
    assert math.isnan(median_with_interval(np.array([]))[0])


def test_a_market_that_was_not_judged_counts_neither_way() -> None:
    told = summed([found(0, claim("ETHUSDT", 1.4)), found(1), found(2, fault="no bars")])
    assert (told["fired"], told["judged"], told["faults"], told["share"]) == (1, 2, 1, 0.5)


def test_gates_are_counted_and_so_is_which_one_alone_stopped_a_card() -> None:
    gates = tuple(
        Gate(symbol, CARD, name, passed)
        for symbol, verdicts in (("ETHUSDT", (True, False)), ("BTCUSDT", (False, False)))
        for name, passed in zip(("psr", "dsr"), verdicts, strict=True)
    )
    told = gates_of([found(0, gates=gates)])
    assert told["psr"] == {"asked": 2, "passed_frac": 0.5, "markets": 1, "alone": 0}
    assert told["dsr"] == {"asked": 2, "passed_frac": 0.0, "markets": 0, "alone": 1}


def test_power_counts_only_the_card_that_has_the_edge() -> None:
    told = STRENGTHS[1.3]
    row = row_of(
        1.3,
        told,
        [
            found(0, claim("ETHUSDT", 2.0 * told.value), claim("BTCUSDT", told.value / 2.0)),
            found(1, claim("ETHUSDT", 9.0, card="range-dip")),
            found(2),
        ],
    )
    assert row["found"][0] == pytest.approx(1 / 3)
    assert (row["any_card"], row["coins_found"], row["coins"]) == (2, 2, 9)
    assert row["claimed_over_planted"][0] == pytest.approx(1.0)
    assert row["walked_over_planted"][0] == pytest.approx(1.1 / told.value)


@pytest.mark.slow
def test_a_market_goes_through_the_whole_procedure_in_another_process() -> None:
    moved: list[int] = []
    jobs = [Job(kind=WALK, wanted=Wanted(seed=1, number=number, coins=2)) for number in range(2)]
    came = list(side_by_side(investigated, jobs, 1, lambda done, total: moved.append(done)))
    assert moved == [1, 2] and not any(each.fault for each in came)
    assert {each.job.wanted.number for each in came} == {0, 1}
    assert all({card for card, _, _ in each.factors} >= {CARD} for each in came)
    again = investigated(jobs[0])
    first = next(each for each in came if each.job == jobs[0])
    assert (again.gates, again.claims, again.factors) == (first.gates, first.claims, first.factors)
