"""How the road's cost grows: with bars, assets and cards, and not with the trades of the past."""

import gc
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from benchmarks.road.homes import REPEATING, SEEDED, hours_of, kept, write_busy_card, write_cards
from benchmarks.road.timing import RUNS, Figure
from engine_alpha.backtest.outcome import Played
from engine_alpha.backtest.request import Overrides, backtest_setup, gathered
from engine_alpha.backtest.run import Road, measured, played_through, road_of, warm_up
from engine_alpha.home import Home
from engine_alpha.plans.history import History

PARTS = (0.25, 0.5, 0.75, 1.0)
ASSETS = (1, 2, 4, 8, 12)
CARDS = (1, 2, 4, 8)
SHADOWS = (0, 1, 2, 4)


def laid_out(home: Home, wanted: History, overrides: Overrides) -> Road:
    """Return the road over a history, its machine code loaded."""
    setup = backtest_setup(home, wanted, overrides)
    road = road_of(setup, wanted, gathered(setup, wanted))
    warm_up(road)
    return road


class Point(NamedTuple):
    """One place on a line of cost: how much of what, and what to play for it."""

    amount: float
    wanted: History
    overrides: Overrides = Overrides()


def costs(folder: Path) -> list[Figure]:
    """Measure cost against bars, assets, cards and shadow cards."""
    home, whole = kept(folder / SEEDED)
    hours = hours_of(folder / SEEDED)
    parts = [
        Point(
            part * hours * len(whole.symbols),
            replace(whole, to_ms=whole.from_ms + int(part * hours) * 3_600_000),
        )
        for part in PARTS
    ]
    assets = [Point(count, replace(whole, symbols=whole.symbols[:count])) for count in ASSETS]
    with TemporaryDirectory(dir=folder) as scratch:
        cards = [
            Point(count, whole, Overrides(cards=write_cards(Path(scratch) / f"c{count}", count)))
            for count in CARDS
        ]
        shadows = [
            Point(count, whole, Overrides(cards=write_cards(Path(scratch) / f"s{count}", 1, count)))
            for count in SHADOWS
        ]
        return [
            *line("bars", "ns/bar", 1e9, home, parts),
            *line("assets", "ms/asset", 1e3, home, assets),
            *line("cards", "ms/card", 1e3, home, cards),
            *line("shadow cards", "ms/card", 1e3, home, shadows),
        ]


def line(what: str, unit: str, scale: float, home: Home, points: Sequence[Point]) -> list[Figure]:
    """Time all points in turn, over and over, and fit a line through their medians."""
    runs: list[list[float]] = [[] for _ in points]
    for _ in range(RUNS):
        for found, point in zip(runs, points, strict=True):
            found.append(measured(home, point.wanted, point.overrides)[1])
    amounts = [point.amount for point in points]
    medians = [statistics.median(found) for found in runs]
    slope, start = np.polyfit(amounts, medians, 1).tolist()
    explained = float(np.corrcoef(amounts, medians)[0, 1]) ** 2
    note = ", ".join(
        f"{amount:,.0f}: {seconds * 1e3:.1f} ms" for amount, seconds in zip(amounts, medians, strict=True)
    )
    return [
        Figure(f"cost against {what}", unit, [slope * scale], "linear", note),
        Figure("  at none", "ms", [start * 1e3]),
        Figure("  R²", "", [explained], "near 1"),
    ]


def past_trades(folder: Path) -> list[Figure]:
    """Measure a bar early and late in a run with many trades, over bars that repeat.

    Python's garbage collector is off for these two: a full collection falls into one part or another by
    chance. What it adds to the run as a whole stands beside them.
    """
    home, wanted = kept(folder / REPEATING)
    with TemporaryDirectory(dir=folder) as scratch:
        road = laid_out(home, wanted, Overrides(cards=write_busy_card(Path(scratch) / "busy")))
    early, late, collected, trades, bars = [], [], [], 0, 0
    for _ in range(2 * RUNS):
        with collector_off():
            played, seconds = parts_of(road)
        trades, bars = len(played.closed()[0]), played.bars
        early.append(seconds.early / bars * 1e10)
        late.append(seconds.late / bars * 1e10)
        collected.append(parts_of(road)[1].whole / seconds.whole)
    note = f"{trades:,} trades in {bars:,} bars; the same bars come ten times"
    return [
        Figure("a bar early in a run with many trades (5 to 15 %), loop", "ns", early, "-", note),
        Figure("  in the last tenth", "ns", late, "the same"),
        Figure("  Python's collector on, against off", "times", collected),
    ]


@contextmanager
def collector_off() -> Iterator[None]:
    """Collect now, and then not for a while."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Parts(NamedTuple):
    """Seconds of an early tenth of a run, past the first allocations, of the last tenth, and of all of it."""

    early: float
    late: float
    whole: float


def parts_of(road: Road) -> tuple[Played, Parts]:
    """Play, and time the parts."""
    done, at = [0], [time.perf_counter()]

    def note(ticks: int, _: int) -> None:
        done.append(ticks)
        at.append(time.perf_counter())

    played = played_through(road, records=False, progress=note)
    moments = np.interp(np.array([0.05, 0.15, 0.9, 1.0]) * len(road.ticks), done, at).tolist()
    return played, Parts(moments[1] - moments[0], moments[3] - moments[2], at[-1] - at[0])
