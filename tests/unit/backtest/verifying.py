"""Rehearsed journals to verify, changed bars to verify them against, and journals rewritten by hand."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine_alpha.backtest.verify import Finding, Sources, Span, Verification, verify
from engine_alpha.domain.bars import Bars
from engine_alpha.home import Home
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.loop import wiring
from engine_alpha.loop.live_step import reading_at_settlement
from engine_alpha.plans.history import History, history_setup
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.ports import BarFeed, Event, Journal, StoredEvent
from tests.parity.stored import rehearsed, series, store, wanted
from tests.unit.loop.runs import a_home, close_ms, journal_of

PAIR = ("ETHUSDT", "BTCUSDT")
HOURS = 45


@dataclass(frozen=True, kw_only=True)
class Played:
    """A home with one rehearsed account, and the bars it was rehearsed on."""

    home: Home
    bars: Mapping[str, Bars]
    asked: History
    account: str
    folder: Path

    def verified(
        self,
        bars: Mapping[str, Bars] | None = None,
        span: Span | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Verification:
        """Verify the account against its own bars, or against others."""
        asked = self.asked
        if bars is not None:
            name = f"other-{len(list(self.folder.iterdir()))}"
            asked = replace(asked, data=store(self.folder / name, {**self.bars, **bars}))
        journal = journal_of(self.home, self.account)
        try:
            return verify(journal, sources(history_setup(self.home, asked), files(asked)), span, progress)
        finally:
            journal.close()

    def events(self) -> list[StoredEvent]:
        """Return all its events."""
        journal = journal_of(self.home, self.account)
        found = list(journal.events())
        journal.close()
        return found

    def rewritten(self, change: Callable[[Event], Event]) -> Verification:
        """Verify a journal with changed events, its chain in order."""
        journal = chained(self.events(), change)
        return verified(journal, history_setup(self.home, self.asked), files(self.asked))


def played(
    folder: Path,
    symbols: tuple[str, ...] = PAIR,
    hours: int = HOURS,
    bars: Mapping[str, Bars] | None = None,
    **home: Any,
) -> Played:
    """Rehearse some hours of generated bars in a home of its own."""
    bars = bars or series(symbols, bars=1_700, before=1_450)
    made = a_home(folder / "home", enabled=symbols, **home)
    asked = wanted(store(folder / "data", bars), symbols, hours=hours)
    return replayed(made, bars, asked, folder)


def replayed(home: Home, bars: Mapping[str, Bars], asked: History, folder: Path) -> Played:
    return Played(home=home, bars=bars, asked=asked, account=rehearsed(home, asked).account, folder=folder)


def files(asked: History) -> BarFeed:
    return wiring.files_feed(asked.data, asked.venue)


def sources(setup: Setup, feed: BarFeed) -> Sources:
    return Sources(setup=setup, feed=feed, at_settlement=reading_at_settlement)


def verified(journal: Journal, setup: Setup, feed: BarFeed) -> Verification:
    """Verify a journal against these bars and this configuration."""
    return verify(journal, sources(setup, feed))


def as_is(home: Home, journal: Journal, feed: BarFeed) -> Verification:
    """Verify a paper journal against its home as it is."""
    return verified(journal, read_setup(home), feed)


def chained(events: Iterable[StoredEvent], change: Callable[[Event], Event]) -> MemoryJournal:
    """Return a journal of these events, each changed, in the batches they came in."""
    journal = MemoryJournal()
    for stored in events:
        journal.commit(stored.at_ms, [change(stored.event)], {})
    return journal


def with_payload(event: Event, change: Callable[[Any], Any]) -> Event:
    """Return an event with its content changed in place."""
    content = json.loads(event.payload)
    change(content)
    return replace(event, payload=json.dumps(content, sort_keys=True, separators=(",", ":")))


def changed_bar(bars: Bars, open_ms: int, column: str, factor: float = 1.001) -> Bars:
    """Return bars of which one has another open, high, low, close or volume and is still possible."""
    at = int(np.searchsorted(bars.open_ms, open_ms))
    assert int(bars.open_ms[at]) == open_ms
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    if column == "low":
        factor = 2.0 - factor
    columns[column][at] *= factor
    columns["high"][at] = max(columns[name][at] for name in ("open", "high", "close"))
    columns["low"][at] = min(columns[name][at] for name in ("open", "low", "close"))
    return replace(bars, **columns)


def only(found: Verification) -> Finding:
    """Return the one finding there is."""
    assert len(found.findings) == 1, found.findings
    return found.findings[0]


def bar(hour: int) -> int:
    """Return when the bar opened that closed so many hours after the start."""
    return close_ms(hour) - 3_600_000
