"""How long a run takes to start, what a tick and a rehearsed bar cost, and how much memory it needs.

    python -m benchmarks.live [--data DIR]

Every figure is the median of several runs on this machine, now. `calibration` is a fixed Python loop: compare
runs only where it is alike.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine_alpha.config.instruments import Snapshot, newest_snapshot, read_snapshot, write_snapshot
from engine_alpha.domain.bars import Reading
from engine_alpha.feeds.embedded import EmbeddedFeed
from engine_alpha.home import Home, init_home
from engine_alpha.loop import wiring
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.loop.rehearse import rehearse
from engine_alpha.loop.tick import tick_all
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import read_setup
from engine_alpha.ports import BarRequest
from engine_alpha.step.recording import Labels
from engine_alpha.times import parse_iso

HOUR_MS = 3_600_000
START_MS = parse_iso("2024-03-01T00:00:00+00:00")


class BarsAtHand:
    """A feed that has every asset's bars in memory already: what is timed is the engine."""

    describes = "bars at hand"
    simulated = True

    def __init__(self, symbols: list[str], series: int) -> None:
        source = EmbeddedFeed(1, {})
        last = START_MS + 750 * HOUR_MS
        made = [source.reading(f"COIN{i}USDT", "1h", START_MS - 1_100 * HOUR_MS, last) for i in range(series)]
        self._readings = {symbol: made[i % series] for i, symbol in enumerate(symbols)}

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        """Return a slice of what is there."""
        reading = self._readings[request.asset.symbol]
        bars = reading.bars.between(request.first_open_ms, now_ms)
        return Reading(bars=bars, funding=reading.funding, source="at hand", simulated=True)

    async def close(self) -> None:
        """Do nothing."""


def home_with(folder: Path, assets: int) -> Home:
    """Write a home with that many enabled assets; beyond the registry's twelve, copies of the first."""
    init_home(folder)
    home = Home(folder)
    setup = read_setup(home)
    entry = {
        "enabled": True, "base_timeframe": "1h", "venue": "bybit", "risk_bucket": "alt", "quote_ccy": "USDT",
        "max_leverage": 2, "min_notional_usd": 5,
    }  # fmt: skip
    symbols = setup.order if assets == len(setup.order) else [f"C{i:04d}USDT" for i in range(assets)]
    home.registry.write_text(json.dumps({symbol: entry for symbol in symbols}))
    risk = json.loads(setup.risk.model_dump_json())
    for bucket in risk["buckets"].values():
        bucket["share_frac"] = 1.0 / assets
    risk["equity_quote"] = 1_000.0 * assets
    home.risk.write_text(json.dumps(risk))
    snapshot = read_snapshot(newest_snapshot(home.instruments, "bybit"))
    rules = snapshot.instruments["ETHUSDT"]
    write_snapshot(
        home.instruments,
        Snapshot(**{**dict(snapshot), "as_of": "2025-09-19", "instruments": dict.fromkeys(symbols, rules)}),
    )
    return home


def tick_ms(folder: Path, assets: int, ticks: int) -> list[float]:
    """Return the duration of ticks of that many assets, fsync included, in ms."""
    setup = read_setup(home_with(folder, assets))
    feed = BarsAtHand(setup.order, min(assets, 12))
    clock = FixedClock(START_MS)
    labels = Labels(account="bench", mode="paper", feed="at hand")
    found = []
    with wiring.opened(setup, labels, feed, clock, frozen=True) as engine:
        for hour in range(ticks + 1):
            clock.set(START_MS + hour * HOUR_MS)
            start = time.perf_counter()
            report = tick_all(engine, announce=False)
            found.append((time.perf_counter() - start) * 1000)
            assert all(len(step.bars) == 1 for step in report.steps)
    return found[1:]


def memory_over_days(folder: Path, days: int) -> tuple[float, float]:
    """Return this process's RSS in MiB after one day and after `days` of hourly ticks of 12 assets."""
    setup = read_setup(home_with(folder, 12))
    clock = FixedClock(START_MS)
    labels = Labels(account="bench", mode="paper", feed="at hand")
    found = []
    with wiring.opened(setup, labels, BarsAtHand(setup.order, 12), clock) as engine:
        for hour in range(days * 24):
            clock.set(START_MS + hour * HOUR_MS)
            tick_all(engine, announce=False)
            if hour in (24, days * 24 - 1):
                found.append(resident_mib())
    return found[0], found[1]


def resident_mib() -> float:
    """Return this process's resident memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def first_line_and_memory(folder: Path) -> tuple[float, float, float]:
    """Return seconds to the first log line and to the end of one tick, and the process's peak RSS in MiB."""
    init_home(folder)
    command = [sys.executable, "-m", "engine_alpha.loop.multi_asset_runner", "--home", str(folder)]
    start = time.perf_counter()
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    run.stderr.readline()
    first = time.perf_counter() - start
    run.stderr.read()
    run.wait()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return first, time.perf_counter() - start, peak


def rehearsed_bars_per_second(folder: Path, data: Path) -> float:
    """Return the rate of a rehearsal of twelve coins over ten days of real candles, journal included."""
    init_home(folder)
    home = Home(folder)
    wanted = History(
        data=data,
        venue="BINANCEUM",
        symbols=tuple(read_setup(home).order),
        from_ms=parse_iso("2023-06-01"),
        to_ms=parse_iso("2023-06-11"),
    )
    start = time.perf_counter()
    report = rehearse(home, wanted)
    return report.stepped_bars / (time.perf_counter() - start)


def calibration_ms() -> float:
    """Return how long a fixed loop takes here and now."""
    start = time.perf_counter()
    total = 0
    for i in range(300_000):
        total += i % 7
    return (time.perf_counter() - start) * 1000


def say(name: str, value: float, unit: str, target: str) -> None:
    """Print one line of the table."""
    print(f"{name:58s} {value:10.1f} {unit:12s} target {target}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    options = parser.parse_args()
    median: Callable[[list[float]], float] = statistics.median
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        root = Path(folder)
        say("calibration", median([calibration_ms() for _ in range(9)]), "ms", "-")
        starts = [first_line_and_memory(root / f"start{i}") for i in range(7)]
        say("runner start to first log line", median([s[0] for s in starts]) * 1000, "ms", "<= 1000")
        say("runner start to end of a tick of one asset", median([s[1] for s in starts]) * 1000, "ms", "-")
        say("peak RSS of that process", max(s[2] for s in starts), "MiB", "<= 150")
        say("tick of 12 assets, bars at hand, fsynced", median(tick_ms(root / "12", 12, 30)), "ms", "<= 150")
        say("tick of 1,000 assets", median(tick_ms(root / "1000", 1000, 3)), "ms", "<= 10000")
        day, month = memory_over_days(root / "month", 30)
        say("RSS after 1 simulated day of 12 assets", day, "MiB", "<= 150")
        say("RSS after 30 simulated days", month, "MiB", "flat")
        if options.data.is_dir():
            rate = rehearsed_bars_per_second(root / "rehearsal", options.data)
            say("rehearsal of 12 coins, journal included", rate, "bars/s", ">= 300")


if __name__ == "__main__":
    main()
