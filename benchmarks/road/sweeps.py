"""What a sweep of 100 sets costs once the history is laid out, in one thread and in two."""

import time
from pathlib import Path

from benchmarks.peers.runners.chloe import CARD
from benchmarks.peers.runners.contract import sweep_levels
from benchmarks.road.homes import SEEDED, hours_of, kept, varied_texts
from benchmarks.road.timing import Figure, timed
from engine_alpha.backtest.request import Overrides, backtest_setup
from engine_alpha.backtest.sweeping.road import Evaluation, prepare
from engine_alpha.backtest.sweeping.threads import side_by_side
from engine_alpha.backtest.sweeping.variants import Variants, make_variants

THREADS = 2
RUNS_OF_SWEEPS = 3


def sweep(folder: Path) -> list[Figure]:
    """Measure 100 sets of parameters on the seeded bars, in one thread and in two."""
    home, wanted = kept(folder / SEEDED)
    setup = backtest_setup(home, wanted, Overrides())
    variants = make_variants(setup, varied_texts(), CARD)
    levels = sweep_levels()
    prepare(variants.setup, wanted)(variants.setup_of(levels[0]))  # machine code is loaded now
    start = time.perf_counter()
    evaluate = prepare(variants.setup, wanted)
    prepared = time.perf_counter() - start
    trades: list[int] = []

    def every() -> None:
        trades[:] = [evaluate(variants.setup_of(values)).factor.trades for values in levels]

    one = timed(every, RUNS_OF_SWEEPS)
    two = in_threads(evaluate, variants)
    bars = hours_of(folder / SEEDED) * len(wanted.symbols)
    note = f"{bars:,} bars x {len(levels)} sets, {sum(trades):,} trades"
    return [
        Figure("sweep, layout once", "s", [prepared]),
        Figure("sweep, 100 sets, one thread, laid out", "s", one, "-", note),
        Figure("  a bar and set", "ns", [seconds / bars / len(levels) * 1e9 for seconds in one]),
        Figure(f"sweep, 100 sets, {THREADS} threads, laid out", "s", two),
    ]


def in_threads(evaluate: Evaluation, variants: Variants) -> list[float]:
    """Return the seconds of the sweep in several threads."""
    with side_by_side(THREADS) as mapped:

        def every() -> None:
            list(mapped(lambda values: evaluate(variants.setup_of(values)), sweep_levels()))

        every()
        return timed(every, RUNS_OF_SWEEPS)
