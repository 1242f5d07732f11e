"""How a figure is taken, and what it is."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.live import calibration_ms

RUNS = 7
SLOW_RUN_S = 8.0
"""What takes longer is timed once."""


class Figure(NamedTuple):
    """One measured quantity: every run's value, and beside it what belongs to it."""

    name: str
    unit: str
    values: list[float]
    target: str = "-"
    note: str = ""


def calibrated() -> float:
    """Return how long the fixed loop takes now."""
    return statistics.median(calibration_ms() for _ in range(9))


def timed(once: Callable[[], Any], runs: int = RUNS) -> list[float]:
    """Return the seconds of each run."""
    found: list[float] = []
    while len(found) < runs and not (found and found[-1] > SLOW_RUN_S):
        start = time.perf_counter()
        once()
        found.append(time.perf_counter() - start)
    return found
