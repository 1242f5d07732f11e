"""Bars a second of the whole road, and what a whole run does besides."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.road.homes import MINUTES, REAL, SEEDED, hours_of, kept
from benchmarks.road.timing import RUNS, Figure, timed
from engine_alpha.backtest.features import features_of
from engine_alpha.backtest.outcome import result_of
from engine_alpha.backtest.request import Overrides, backtest_setup, gathered
from engine_alpha.backtest.run import measured, played_through, road_of, run, warm_up
from engine_alpha.reports.backtest import summary_tables
from engine_alpha.reports.statistics import statistics_of

STAGES = (
    "configuration",
    "bars mapped and checked",
    "Numba started, code of the features loaded",
    "features and layout",
    "code of the loop loaded",
    "loop",
    "result",
    "statistics and tables",
)


def road_rates(folder: Path) -> list[Figure]:
    """Measure the road of DESIGN §8, row one: twelve coins, three years of hours, one card."""
    return rates(f"12 coins x {hours_of(folder / SEEDED)} h, one card", folder / SEEDED, ">= 1,300,000")


def real_rates(folder: Path) -> list[Figure]:
    """Measure a fresh home's five cards, one of them a shadow, on real candles with funding and marks."""
    return rates("12 coins of real hours, five default cards", folder / REAL)


def minute_rates(folder: Path) -> list[Figure]:
    """Measure the same cards on 1-minute bars of all coins that have them."""
    _, wanted = kept(folder / MINUTES)
    days = (wanted.to_ms - wanted.from_ms) / 86_400_000
    return rates(f"{len(wanted.symbols)} coins x {days:.1f} days x 1 m, five default cards", folder / MINUTES)


def rates(what: str, path: Path, target: str = "-") -> list[Figure]:
    """Measure bars a second: without records, with every record, and with their digests."""
    home, wanted = kept(path)
    result = run(home, wanted, records=False)
    quiet = [measured(home, wanted) for _ in range(RUNS)]
    bars = quiet[0][0]
    setup = backtest_setup(home, wanted, Overrides())
    found = gathered(setup, wanted)
    recorded, hashed = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        road = road_of(setup, wanted, found)
        before = time.perf_counter() - start
        played = played_through(road, records=True)
        hashed.append(time.perf_counter() - start)
        recorded.append(before + played.seconds)
    features = timed(lambda: road_of(setup, wanted, found))
    note = f"{bars:,} bars, {len(result.trades):,} trades, {len(result.shadow_trades):,} of shadow cards"
    return [
        Figure(what, "bars/s", [bars / seconds for _, seconds in quiet], target, note),
        Figure("  the same in seconds", "s", [seconds for _, seconds in quiet]),
        Figure("  of it features and layout", "s", features),
        Figure("  with every record", "bars/s", [bars / seconds for seconds in recorded]),
        Figure("  with every record, hashed", "bars/s", [bars / seconds for seconds in hashed]),
    ]


def stages(folder: Path) -> list[Figure]:
    """Measure, each once, what a whole backtest does after its imports."""
    home, wanted = kept(folder / SEEDED)
    marks = [time.perf_counter()]

    def after(value: Any) -> Any:
        marks.append(time.perf_counter())
        return value

    setup = after(backtest_setup(home, wanted, Overrides()))
    found = after(gathered(setup, wanted))
    one = found.assets[0]
    after(features_of(one.bars.between(0, int(one.bars.close_ms[one.first])), one.funding, one.first))
    road = after(road_of(setup, wanted, found))
    warm_up(road)
    marks.append(time.perf_counter())
    played = after(played_through(road, records=False))
    result = after(result_of(setup, wanted, found, played, 0.0))
    after(summary_tables(statistics_of(result.as_run())))
    seconds = np.diff(marks).tolist()
    return [Figure(f"  {name}", "ms", [each * 1e3]) for name, each in zip(STAGES, seconds, strict=True)]
