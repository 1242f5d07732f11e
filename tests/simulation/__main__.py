"""python -m tests.simulation --seeds 1-200 [--bars 100] [--assets 3] [--jobs 2]; story: --seed N --trace."""

import argparse
import sys
import time

from tests.simulation.report import lines_of, outcomes, summed
from tests.simulation.run import run_seed


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", default="1-200", help="first-last")
    parser.add_argument("--seed", type=int, help="run this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: print its story")
    parser.add_argument("--bars", type=int, default=100, help="hours per seed")
    parser.add_argument("--assets", type=int, default=3, help="assets per seed, at most 6")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    return parser.parse_args()


def main() -> int:
    """Run the seeds; return 1 on a violation."""
    told = arguments()
    if told.seed is not None:
        return one_seed(told)
    first, _, last = told.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    began = time.monotonic()
    found = summed(outcomes(seeds, told.bars, told.assets, told.jobs), len(seeds))
    print("\n".join(lines_of(found, time.monotonic() - began)))
    return 1 if found.violated else 0


def one_seed(told: argparse.Namespace) -> int:
    """Run one seed; print its story where it is wished for."""
    outcome = run_seed(told.seed, told.bars, told.assets, trace=told.trace)
    print("\n".join(outcome.story))
    for violation in outcome.violations:
        print(f"seed {told.seed}: {violation}")
    print(f"seed {told.seed}: {outcome.digest}, {len(outcome.violations)} violations")
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
