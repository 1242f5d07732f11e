"""Decide a journal again from stored bars, and name the cause of every difference.

Each decision is taken again by the very step that took it (`step.asset_step.step_bar`), from the state that
the events before it add up to, on the bars as they are stored now and on the settings it was made on. What it
writes must be what was written, byte for byte. Beside that the settings are compared with those of now.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

import engine_alpha
from engine_alpha.backtest.verifying.bars import Seen, Track, as_seen, hash_at, missing_then, seen_by, unfit
from engine_alpha.backtest.verifying.causes import about, cause_of, comes_out_differently
from engine_alpha.backtest.verifying.changes import changes_since
from engine_alpha.backtest.verifying.config import Settings
from engine_alpha.backtest.verifying.findings import CONFIG_CHANGED, Change, Finding, Findings
from engine_alpha.backtest.verifying.prices import Priced, Pricing, Sources, place_of
from engine_alpha.backtest.verifying.replay import (
    DATA_FRESH,
    Again,
    Decided,
    Past,
    decide_again,
    decided_in,
)
from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.domain.bar_checks import check
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.ports import Journal, StoredEvent
from engine_alpha.step.plan import AssetPlan
from engine_alpha.step.recording import DECISION, HALT, NO_DECISION, bar_key

__all__ = ["Change", "Finding", "Sources", "Span", "Verification", "verify"]

REFUSED = "config"  # the reason of a bar that was refused, whatever its price

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which decisions: those on bars that open in [from_ms, to_ms)."""

    from_ms: int = 0
    to_ms: int = 2**63 - 1

    def holds(self, open_ms: int) -> bool:
        """Say whether a bar lies inside."""
        return self.from_ms <= open_ms < self.to_ms


@dataclass(slots=True)
class Tally:
    """How many decisions were looked at, and what became of them; see `Verification`."""

    decisions: int = 0
    exact: int = 0
    unpriced: int = 0
    unsettled: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came out. `decisions` were looked at, `unpriced` of them have no stored bar to decide on again.

    `unsettled` were made on settings that can't be put together any more: only their bars were compared.
    `exact` came out byte for byte on the settings they were made on. `undecided` counts bars that the journal
    says had no decision. `from_ms` and `to_ms` are the first bar's open and the last one's close. `by_symbol`
    has the first four for every asset.
    """

    decisions: int
    exact: int
    unpriced: int
    unsettled: int
    undecided: int
    symbols: tuple[str, ...]
    from_ms: int
    to_ms: int
    findings: tuple[Finding, ...]
    by_symbol: Mapping[str, Tally] = field(default_factory=dict)


def verify(
    journal: Journal,
    sources: Sources,
    span: Span | None = None,
    progress: Progress = lambda done, total: None,
) -> Verification:
    """Decide again what `journal` holds; `progress` gets (events done, events in all).

    Raises `ConfigError` where the files can't be read at all.
    """
    newest = next(journal.events(newest_first=True), None)
    total = 0 if newest is None else newest.seq
    with asyncio.Runner() as loop:
        verifier = _Verifier(journal, sources, span or Span(), loop.get_loop())
        for found in decided_in(_counted(journal, progress, total)):
            verifier.take(found)
        return verifier.finish()


def _counted(journal: Journal, progress: Progress, total: int) -> Iterator[StoredEvent]:
    for stored in journal.events():
        yield stored
        progress(stored.seq, total)


@dataclass(slots=True)
class _Counts:
    whole: Tally = field(default_factory=Tally)
    symbols: dict[str, Tally] = field(default_factory=dict)
    from_ms: int = 0
    to_ms: int = 0

    def add(self, decided: Decided) -> None:
        self.from_ms = min(self.from_ms, decided.open_ms) if self.symbols else decided.open_ms
        self.to_ms = max(self.to_ms, decided.close_ms)
        for tally in self.of(decided):
            tally.decisions += 1

    def of(self, decided: Decided) -> tuple[Tally, Tally]:
        """Return the tallies of all and of the decision's asset."""
        return self.whole, self.symbols.setdefault(decided.symbol, Tally())

    def exact(self, decided: Decided) -> None:
        for tally in self.of(decided):
            tally.exact += 1

    def unpriced(self, decided: Decided) -> None:
        for tally in self.of(decided):
            tally.unpriced += 1

    def unsettled(self, decided: Decided) -> None:
        for tally in self.of(decided):
            tally.unsettled += 1


class _Verifier:
    """Walks once over a journal; see `verify`."""

    def __init__(
        self, journal: Journal, sources: Sources, span: Span, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._span = span
        self._delay_ms = sources.setup.engine.max_entry_delay_ms
        self._order_now = sources.setup.order
        self._pricing = Pricing(sources, loop)
        self._settings = Settings(sources.setup, lambda: _decisions(journal))
        self._past = Past()
        self._findings = Findings()
        self._tracks: dict[tuple[str, int], Track] = {}
        self._undecided: dict[str, StoredEvent] = {}
        self._configs: dict[str, AssetConfig] = {}
        self._counts = _Counts()

    def take(self, found: Decided | StoredEvent) -> None:
        """Take in what stands next in the journal."""
        if isinstance(found, Decided):
            self._decision(found)
        elif found.event.kind == HALT:
            self._past.halt(found)
        elif found.event.kind == NO_DECISION:
            self._no_decision(found)

    def _no_decision(self, stored: StoredEvent) -> None:
        timeframe = json.loads(stored.event.payload)["timeframe"]
        frame_ms = TIMEFRAME_MS.get(timeframe)
        if frame_ms is not None:
            self._undecided[bar_key(stored.event.symbol, timeframe, stored.event.bar_ms)] = stored
            self._track(stored.event.symbol, frame_ms).undecided.add(stored.event.bar_ms // frame_ms)

    def _track(self, symbol: str, frame_ms: int) -> Track:
        return self._tracks.setdefault((symbol, frame_ms), Track(symbol=symbol, frame_ms=frame_ms))

    def _decision(self, decided: Decided) -> None:
        asset = self._past.config(decided)
        self._configs[decided.symbol] = asset
        self._undecided.pop(decided.events[0].key, None)
        self._track(decided.symbol, decided.frame_ms).undecided.discard(decided.number)
        again = self._again(decided, asset) if self._span.holds(decided.open_ms) else None
        self._past.take(decided, again.book if again is not None else None)

    def _again(self, decided: Decided, asset: AssetConfig) -> Again | None:
        """Compare one decision; return its repetition if that is the same to the byte."""
        self._counts.add(decided)
        before = self._past.state(decided.symbol)
        try:
            priced = self._pricing.priced(decided, asset, before)
        except DataError:
            priced = None
        self._compare_settings(decided, asset, priced)
        if priced is None:
            self._counts.unpriced(decided)
            number = decided.number
            gone = Seen(first=number, last=number, fits=False, gone=(number,))
            self._track(decided.symbol, decided.frame_ms).windows.append(gone)
            return None
        self._compare_lateness(decided)
        plan = self._settings.then(decided, asset, before)
        if plan is None:
            self._counts.unsettled(decided)
            self._on_other_settings(decided, asset, priced)
            return None
        return self._on_own_settings(decided, plan, priced)

    def _step(self, decided: Decided, plan: AssetPlan, priced: Priced) -> Again:
        order = self._past.order(decided.payload["place"], decided.symbol)
        return decide_again(decided, self._past, plan, priced, order)

    def _on_own_settings(self, decided: Decided, plan: AssetPlan, priced: Priced) -> Again | None:
        """Take the step again as it was taken then; find out what differs where it comes out differently."""
        again = self._step(decided, plan, priced)
        track = self._track(decided.symbol, decided.frame_ms)
        if again.payload["bars_hash"] == decided.payload["bars_hash"]:
            track.windows.append(seen_by(decided, fits=True))
            return self._on_equal_bars(decided, plan, priced, again)
        different = comes_out_differently(decided.payload, again.payload)
        found = as_seen(priced[0], decided, track)
        if found is None:
            track.windows.append(unfit(decided, priced, track, different))
            return None
        seen, numbers = found
        track.add_late(numbers, different)
        track.windows.append(seen_by(decided, fits=True))
        priced = (seen, place_of(seen, decided.open_ms))
        return self._on_equal_bars(decided, plan, priced, self._step(decided, plan, priced))

    def _on_equal_bars(self, decided: Decided, plan: AssetPlan, priced: Priced, again: Again) -> Again | None:
        if again.events != decided.events:
            # the order of coins with no decision since the registry changed is not in the journal
            other = decide_again(decided, self._past, plan, priced, self._order_now)
            again = other if other.events == decided.events else again
        if again.events == decided.events:
            self._counts.exact(decided)
            return again
        cause = cause_of(decided, again, engine_alpha.__version__)
        if cause is None:
            self._counts.exact(decided)
        else:
            self._findings.add(cause)
        return None

    def _on_other_settings(self, decided: Decided, asset: AssetConfig, priced: Priced) -> None:
        """Compare the bars alone: the settings of then are not known."""
        track = self._track(decided.symbol, decided.frame_ms)
        if hash_at(priced[0].bars, decided.open_ms) == decided.payload["bars_hash"]:
            track.windows.append(seen_by(decided, fits=True))
            return
        different = bool(self._differs_now(decided, asset, priced))
        found = as_seen(priced[0], decided, track)
        if found is None:
            track.windows.append(unfit(decided, priced, track, different))
        else:
            track.add_late(found[1], different)
            track.windows.append(seen_by(decided, fits=True))

    def _compare_settings(self, decided: Decided, asset: AssetConfig, priced: Priced | None) -> None:
        changes = changes_since(self._settings, decided, asset)
        if not changes:
            return
        different = self._differs_now(decided, asset, priced)
        for change in changes:
            finding = about(decided, change.cause, change.subject, change.detail, change.changes)
            self._findings.add(replace(finding, different=different), apart=False)

    def _differs_now(self, decided: Decided, asset: AssetConfig, priced: Priced | None) -> int | None:
        """Return 1 if the settings of now make another decision of it, None where they can't be compared."""
        try:
            plan = self._settings.now(asset)
        except ConfigError:
            return None
        if priced is None or plan.asset.timeframe_ms != asset.timeframe_ms:
            return None
        again = self._step(decided, plan, priced)
        return int(comes_out_differently(decided.payload, again.payload))

    def _compare_lateness(self, decided: Decided) -> None:
        """Compare with the entry delay of engine.json: it is no part of an asset's settings."""
        late_ms = max(0, decided.at_ms - decided.close_ms)
        seen, now = int(decided.seen(DATA_FRESH)), late_ms // self._delay_ms
        if seen != now:
            detail = f"first: {late_ms} ms after the close were {seen} such delays, and are {now} now"
            change = Change(key="max_entry_delay_ms", then=None, now=self._delay_ms)
            finding = about(decided, CONFIG_CHANGED, "engine.json", detail, (change,))
            different = int((seen == 0) != (now == 0))
            self._findings.add(replace(finding, different=different), apart=False)

    def finish(self) -> Verification:
        """Add up what only the whole journal tells."""
        undecided = [one for one in self._undecided.values() if self._span.holds(one.event.bar_ms)]
        for finding in missing_then([one for one in undecided if self._could_be_decided(one)]):
            self._findings.add_bars(finding)
        for track in self._tracks.values():
            for finding in track.findings():
                self._findings.add_bars(finding)
        counts = self._counts
        return Verification(
            **asdict(counts.whole),
            undecided=len(undecided),
            symbols=tuple(counts.symbols),
            from_ms=counts.from_ms,
            to_ms=counts.to_ms,
            findings=self._findings.sorted(),
            by_symbol=counts.symbols,
        )

    def _could_be_decided(self, stored: StoredEvent) -> bool:
        """Say whether a bar without a decision is stored now, and no later decision calls it late."""
        told, open_ms = json.loads(stored.event.payload), stored.event.bar_ms
        asset = self._configs.get(stored.event.symbol)
        if told["reason"] == REFUSED or asset is None or asset.base_timeframe != told["timeframe"]:
            return False
        if open_ms // asset.timeframe_ms in self._track(asset.symbol, asset.timeframe_ms).late:
            return False
        try:
            reading = self._pricing.reading(asset, open_ms, stored.at_ms)
            check(reading.bars, stored.at_ms)
            place_of(reading, open_ms)
        except DataError:
            return False
        return True


def _decisions(journal: Journal) -> Iterator[Decided]:
    return (found for found in decided_in(journal.events(DECISION)) if isinstance(found, Decided))
