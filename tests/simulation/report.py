"""Many seeds, one report."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from engine_alpha.domain.orders import TRANSITIONS
from tests.simulation import coverage
from tests.simulation.run import Outcome, run_seed

WIDTH = 30


@dataclass(slots=True)
class Sum:
    """What all seeds came to."""

    seeds: int = 0
    asset_bars: int = 0
    fills: Counter[str] = field(default_factory=Counter)
    naked_ms: int = 0
    naked_alive_ms: int = 0
    longest_naked_alive_ms: int = 0
    longest_naked_seed: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    transitions: set[tuple[str, str]] = field(default_factory=set)
    violated: list[Outcome] = field(default_factory=list)

    def add(self, one: Outcome) -> None:
        """Take one seed in."""
        self.seeds += 1
        self.asset_bars += one.asset_bars
        self.fills += one.fills
        self.naked_ms += one.naked_ms
        self.naked_alive_ms += one.naked_alive_ms
        if one.longest_naked_alive_ms > self.longest_naked_alive_ms:
            self.longest_naked_alive_ms, self.longest_naked_seed = one.longest_naked_alive_ms, one.seed
        self.faults += one.faults
        self.crashes += one.crashes
        self.transitions |= one.transitions
        if one.violations:
            self.violated.append(one)


def outcomes(seeds: range, bars: int, assets: int, jobs: int) -> Iterator[Outcome]:
    """Run seeds, in order where one process does it."""
    if jobs <= 1:
        for seed in seeds:
            yield run_seed(seed, bars, assets)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(run_seed, seeds, [bars] * len(seeds), [assets] * len(seeds), chunksize=4)


def summed(told: Iterable[Outcome], total: int) -> Sum:
    """Add outcomes up, with a bar on a terminal."""
    found, began = Sum(), time.monotonic()
    for one in told:
        found.add(one)
        if sys.stderr.isatty():
            _show(found, total, time.monotonic() - began)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return found


def _show(found: Sum, total: int, passed_s: float) -> None:
    full = WIDTH * found.seeds // max(1, total)
    left_s = passed_s / found.seeds * (total - found.seeds)
    bar = "█" * full + "·" * (WIDTH - full)
    text = f"\r{bar} {found.seeds}/{total} seeds, {len(found.violated)} violated, {left_s:.0f} s left "
    print(text, end="", file=sys.stderr, flush=True)


def lines_of(found: Sum, passed_s: float) -> list[str]:
    """Return the report."""
    missing = coverage.missing(found.transitions)
    reached = len(TRANSITIONS) - len(missing)
    pace = found.asset_bars / passed_s if passed_s else 0.0
    return [
        f"seeds {found.seeds}, asset-bars {found.asset_bars}",
        f"executions {found.fills.total()}: {_counted(found.fills)}",
        f"wall time {passed_s:.1f} s, {pace:.0f} asset-bars/s",
        f"faults injected {found.faults.total()}: {_counted(found.faults)}",
        f"crashes {found.crashes.total()}: {_counted(found.crashes)}",
        f"time without a stop {found.naked_ms / 1_000:.0f} s, {found.naked_alive_ms / 1_000:.0f} s of it "
        f"while a tick ran, the longest {found.longest_naked_alive_ms / 1_000:.1f} s "
        f"(seed {found.longest_naked_seed})",
        f"order table: {reached} of {len(TRANSITIONS)} rows reached"
        + (f"; not: {', '.join(f'{a}+{b}' for a, b in missing)}" if missing else ""),
        f"violations {len(found.violated)}",
        *(f"  seed {one.seed}: {one.violations[0]}" for one in found.violated),
    ]


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {times}" for name, times in sorted(counter.items(), key=lambda one: -one[1]))
