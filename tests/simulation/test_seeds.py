"""Seeds in which everything goes wrong: no invariant breaks, and after a quiet time nothing is left over."""

import pytest

from engine_alpha.domain.orders import TRANSITIONS
from tests.simulation import coverage
from tests.simulation.run import run_seed

BARS, SEEDS_AT_ONCE = 40, 10
QUICK_SEEDS = 10
SLOW_BARS, SLOW_SEEDS_AT_ONCE = 100, 50

COVERING = (80, 73, 5, 7, 51)  # seeds that reach between them what the engine can reach by itself

NEVER_ASKED_AGAIN = ("filled", "cancelled", "rejected", "absent")  # the engine asks no more what is over
RARE = {
    ("intended", "reject"),  # where a venue says no to an order at once
    ("intended", "part"),  # a fill told before its order, by a process that died before the answer
    ("unknown", "ack"),
    ("unknown", "part"),
    ("unknown", "reject"),
    ("unknown", "unclear"),  # sent again on a proof, and unclear again
    ("working", "ack"),  # the exchange shows an accepted order only once it is filled or over
    ("working", "reject"),
    ("working", "unclear"),
    ("working", "missing"),
    ("partial", "ack"),
    ("partial", "unclear"),
    ("partial", "missing"),
}


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, marks=[pytest.mark.slow] if first > QUICK_SEEDS else [])
        for first in range(1, 51, SEEDS_AT_ONCE)
    ],
)
def test_ten_seeds_hold_every_invariant(first: int) -> None:
    broken = violations(range(first, first + SEEDS_AT_ONCE), BARS)
    assert broken == []


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("first", range(1_001, 3_001, SLOW_SEEDS_AT_ONCE))
def test_fifty_long_seeds_hold_every_invariant(first: int) -> None:
    broken = violations(range(first, first + SLOW_SEEDS_AT_ONCE), SLOW_BARS)
    assert broken == []


def violations(seeds: range, bars: int) -> list[str]:
    """Return what broke; `python -m tests.simulation --seed N --bars B --trace` tells its story."""
    return [f"seed {seed}: {broken}" for seed in seeds for broken in run_seed(seed, bars).violations]


@pytest.mark.slow
def test_seeds_reach_the_rows_of_the_order_table() -> None:
    reached: set[tuple[str, str]] = set()
    for seed in COVERING:
        reached |= run_seed(seed, BARS).transitions
    missing = set(coverage.missing(reached)) - RARE
    assert {row for row in missing if row[0] not in NEVER_ASKED_AGAIN} == set()
    assert reached <= set(TRANSITIONS)
