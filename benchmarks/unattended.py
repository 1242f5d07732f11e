"""Months of `chloe run` in minutes: memory, growth of files, missed bars, with outages if wished.

    python -m benchmarks.unattended [--days 30] [--assets 12] [--outages SEED]

The whole service runs as it does under systemd, on simulated prices and a clock for which waiting takes no
time. With --outages every coin's feed fails, comes late or lies at seeded hours, all of them for a day, and
the service is ended at odd moments and begun anew hours later.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.live import home_with
from engine_alpha.domain.bars import Reading
from engine_alpha.errors import DataError
from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop import wiring
from engine_alpha.loop.clocks import JumpingClock
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.last_good import KeptConfiguration
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.health import Health
from engine_alpha.loop.service.service import Service
from engine_alpha.loop.service.stopping import Stop
from engine_alpha.loop.tick import TickReport
from engine_alpha.notices.systemd import Notifier
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.ports import BarRequest
from engine_alpha.step.recording import DECISION, NO_DECISION, Labels
from engine_alpha.times import parse_iso

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
START_MS = parse_iso("2024-03-01T00:00:00+00:00")
SLICE_MS = 900_000


class OutageFeed:
    """The simulated market behind a line that fails: outages per coin, one of all coins, late bars."""

    simulated = True

    def __init__(self, setup: Setup, seed: int | None, days: int) -> None:
        self._inner = wiring.embedded_feed(setup)
        self.describes = self._inner.describes
        self.faults = 0
        self._outages: dict[str, list[tuple[int, int]]] = {}
        self._random = Random(f"{seed}/bars")
        self._bad = 0.0 if seed is None else 0.02
        if seed is None:
            return
        random = Random(f"{seed}/outages")
        whole = START_MS + random.randrange(days) * DAY_MS
        for asset in setup.enabled:
            spans = [(whole, whole + DAY_MS)]
            for _ in range(max(1, days // 6)):
                begin = START_MS + random.randrange(days * 24) * HOUR_MS + random.randrange(HOUR_MS)
                spans.append(
                    (begin, begin + random.choice((600_000, 2 * HOUR_MS, 9 * HOUR_MS, 50 * HOUR_MS)))
                )
            self._outages[asset.symbol] = spans

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        """Return the bars, or fail."""
        symbol = request.asset.symbol
        if any(begin <= now_ms < end for begin, end in self._outages.get(symbol, ())):
            self.faults += 1
            raise DataError("outage", "this feed is out")
        reading = await self._inner.read(request, now_ms)
        if self._random.random() < self._bad:
            self.faults += 1
            bars = reading.bars
            return Reading(
                bars=bars.between(int(bars.open_ms[0]), int(bars.open_ms[-1])),  # the newest is missing
                funding=reading.funding,
                source=reading.source,
                simulated=True,
            )
        return reading

    async def close(self) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Gauge:
    """What is measured on the way."""

    days: int
    end_ms: int = 0  # of the process that runs now
    service: list[Service] = field(default_factory=list)
    ticks: int = 0
    tick_ms: list[int] = field(default_factory=list)
    unhealthy_ms: int = 0
    rss_mib: list[tuple[float, float]] = field(default_factory=list)  # (days since the start, MiB)
    _last_ms: int = START_MS

    def ticked(self, engine: Engine, report: TickReport, took_ms: int) -> None:
        """Count a tick of every asset, with its time."""
        self.ticks += 1
        self.tick_ms.append(took_ms)

    def worked(self, account: Account, now_ms: int) -> None:
        """Do nothing."""

    def passed(self, accounts: Sequence[Account], health: Health, now_ms: int) -> None:
        """Measure memory once a day; stop at the end."""
        if not health.healthy:
            self.unhealthy_ms += now_ms - self._last_ms
        if now_ms // DAY_MS > self._last_ms // DAY_MS:
            self.rss_mib.append(((now_ms - START_MS) / DAY_MS, rss_mib()))
            if sys.stderr.isatty():
                done = len(self.rss_mib)
                print(
                    f"\r{'█' * (30 * done // self.days):·<30} day {done}/{self.days} ",
                    end="",
                    file=sys.stderr,
                )
        self._last_ms = now_ms
        self.service[-1].stop.asked |= now_ms >= self.end_ms

    def close(self) -> None:
        """Do nothing."""


def rss_mib() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope_mib_a_day(points: Sequence[tuple[float, float]]) -> float:
    """Return the least-squares slope of the second half: the first one fills caches."""
    late = points[len(points) // 2 :]
    mean_x, mean_y = (sum(each[i] for each in late) / len(late) for i in (0, 1))
    over = sum((x - mean_x) ** 2 for x, _ in late)
    return sum((x - mean_x) * (y - mean_y) for x, y in late) / over if over else 0.0


def service_of(home: Home, feed: OutageFeed, gauge: Gauge, clock: JumpingClock) -> Service:
    """Return the service on this feed."""

    def accounts_for(setup: Setup) -> list[Account]:
        def opening() -> AbstractContextManager[Engine]:
            labels = Labels(account="simulated", mode="paper", feed="embedded")
            return wiring.opened(setup, labels, feed, clock)

        return [Account(name="simulated", made_from=0, opening=opening)]

    return Service(
        configuration=KeptConfiguration(home),
        accounts_for=accounts_for,
        clock=clock,
        notifier=Notifier({}),
        stop=Stop(),
        watchers=[gauge],
        slice_ms=SLICE_MS,
    )


def lives(seed: int | None, days: int) -> list[int]:
    """Return when a process ends, ms: at the end, and with outages a few times before, at odd moments."""
    random, end_ms = Random(f"{seed}/lives"), START_MS + days * DAY_MS
    ends = [] if seed is None else [START_MS + random.randrange(days * DAY_MS) for _ in range(days // 5)]
    return [*sorted(ends), end_ms]


def missed(home: Home, days: int) -> tuple[int, int, int]:
    """Return decisions, bars with only a typed no-decision, and bars without any record."""
    journal = SqliteJournal.open(home.account("simulated") / wiring.JOURNAL_NAME, read_only=True)
    decided = {(each.event.symbol, each.event.bar_ms) for each in journal.events(DECISION)}
    typed = {(each.event.symbol, each.event.bar_ms) for each in journal.events(NO_DECISION)}
    journal.close()
    symbols = [asset.symbol for asset in read_setup(home).enabled]
    wanted = {(s, START_MS + hour * HOUR_MS) for s in symbols for hour in range(-1, days * 24 - 1)}
    return len(decided & wanted), len((typed - decided) & wanted), len(wanted - decided - typed)


def run(days: int, assets: int, seed: int | None) -> None:
    """Run and print."""
    with tempfile.TemporaryDirectory() as folder:
        home = home_with(Path(folder) / "home", assets)
        gauge, clock = Gauge(days), JumpingClock(START_MS)
        feed = OutageFeed(read_setup(home), seed, days)
        began_s, processes = time.monotonic(), 0
        for end_ms in lives(seed, days):
            gauge.service.append(service_of(home, feed, gauge, clock))
            gauge.end_ms = end_ms
            gauge.service[-1].run()
            processes += 1
            if seed is not None:
                clock.set(clock.now_ms() + Random(f"{seed}/{end_ms}").randrange(6 * HOUR_MS))
        took_s = time.monotonic() - began_s
        decided, typed, silent = missed(home, days)
        size = (home.account("simulated") / wiring.JOURNAL_NAME).stat().st_size / 2**20
        print(f"{days} days x {assets} assets in {took_s:.0f} s, {processes} processes, {gauge.ticks} ticks")
        print(f"bars decided {decided}, with a typed no-decision alone {typed}, without a record {silent}")
        print(f"faults of feeds {feed.faults}; unhealthy for {gauge.unhealthy_ms / 1_000:.0f} s")
        times = sorted(gauge.tick_ms)
        print(f"tick: median {times[len(times) // 2]} ms, slowest {times[-1]} ms, fsynced")
        points = [gauge.rss_mib[len(gauge.rss_mib) * part // 4 - (part > 0)] for part in range(5)]
        told = ", ".join(f"{mib:.1f} on day {day:.0f}" for day, mib in points)
        print(f"RSS MiB {told}; slope of the second half {slope_mib_a_day(gauge.rss_mib):+.3f} a day")
        print(f"journal {size:.1f} MiB, {size / days * 365:.0f} MiB a year")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.unattended", description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--assets", type=int, default=12)
    parser.add_argument("--outages", type=int, metavar="SEED")
    told = parser.parse_args()
    logging.getLogger("chloe").addHandler(logging.NullHandler())
    run(told.days, told.assets, told.outages)


if __name__ == "__main__":
    main()
