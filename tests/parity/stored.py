"""Generated bars in a bar store, and rehearsals over them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.rehearse import RehearsalReport, rehearse
from engine_alpha.plans.history import History
from engine_alpha.store.months import write_bars, write_funding
from tests.makers import HOUR_MS, random_bars
from tests.unit.loop.runs import START_MS, SYMBOLS, assert_sound, journal_of

THREE = ("ETHUSDT", "BTCUSDT", "DOGEUSDT")


def series(symbols: tuple[str, ...] = THREE, bars: int = 6_000, before: int = 5_000) -> dict[str, Bars]:
    """Return hours of each symbol from `before` bars ahead of START_MS: enough for 4 h bars to be warm."""
    first = START_MS // HOUR_MS - before
    return {
        symbol: random_bars(bars, seed=50 + SYMBOLS.index(symbol), first_index=first) for symbol in symbols
    }


def store(data: Path, bars: Mapping[str, Bars]) -> Path:
    """Write bars, and funding every eight hours, into a data folder and return it."""
    for symbol, each in bars.items():
        write_bars(data, "bybit", symbol, "1h", each)
        times = np.arange(int(each.open_ms[0]), int(each.open_ms[-1]), 8 * HOUR_MS, dtype=np.int64)
        rates = np.round(np.random.default_rng(len(symbol)).normal(1e-4, 2e-4, len(times)), 8)
        write_funding(data, "bybit", symbol, Funding(settled_ms=times, rate_frac=rates))
    return data


def wanted(data: Path, symbols: tuple[str, ...] = THREE, first: int = 0, hours: int = 60) -> History:
    """Return a rehearsal whose first bar closes `first` hours after START_MS."""
    from_ms = START_MS + (first - 1) * HOUR_MS
    return History(
        data=data, venue="bybit", symbols=symbols, from_ms=from_ms, to_ms=from_ms + hours * HOUR_MS
    )


def rehearsed(home: Home, asked: History) -> RehearsalReport:
    """Play, check the journal, and return the report."""
    report = rehearse(home, asked)
    journal = journal_of(home, report.account)
    assert_sound(journal)
    journal.close()
    return report


def comparable(report: RehearsalReport) -> RehearsalReport:
    """Return what must not depend on where and in how many pieces a rehearsal ran."""
    return replace(report, account="", stepped_bars=0, resumed_at_ms=None)


JOURNAL_NAME = wiring.JOURNAL_NAME
