"""`chloe data check`: every judge over every series, and series of one market over each other."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Bars
from engine_alpha.errors import ConfigError
from engine_alpha.store.checking.candles import judge_cut_short, judge_rows, judge_stillness, judge_wicks
from engine_alpha.store.checking.comparing import (
    judge_clocks,
    judge_other_market,
    judge_same_market,
    judge_timeframes,
    paired,
)
from engine_alpha.store.checking.findings import (
    NEWEST_FIRST,
    NO_OVERLAP,
    OFFSET_TIMES,
    WRITTEN_EARLY,
    ZONELESS_TIMES,
    Finding,
)
from engine_alpha.store.checking.likeness import judge_likeness, judge_ticks
from engine_alpha.store.checking.settlements import judge_settlements
from engine_alpha.store.checking.subjects import Place, Subject, read_place
from engine_alpha.store.checking.times import judge_times, rows_in_order
from engine_alpha.store.importing.naming import MARK, SPOT, Label
from engine_alpha.store.importing.rows import Wishes

Progress = Callable[[int, int], None]
Market = tuple[str | None, ...]

LEFT_TO_THE_IMPORTER: Final = (NEWEST_FIRST, OFFSET_TIMES, ZONELESS_TIMES, WRITTEN_EARLY)
"""Harmless in a file still to be imported, grave in one that the engine reads as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticks:
    """A venue's ticks by symbol, true from `as_of_ms` on."""

    as_of_ms: int
    tick_quote: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in one series; times are None where there are no rows."""

    source: str
    label: Label
    rows: int
    first_ms: int | None
    last_ms: int | None
    findings: tuple[Finding, ...]

    @property
    def grave(self) -> bool:
        """Say whether any finding should stop you."""
        return any(finding.grave for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """How to check: what the caller says of the files, the time, ticks by venue, what to compare with."""

    wishes: Wishes
    now_ms: int
    ticks: Mapping[str, Ticks]
    against: tuple[Place, ...] = ()


def checked(places: Sequence[Place], how: Checking, progress: Progress) -> list[Report]:
    """Return a report per series, in the order of the places; `progress` gets (places done, of how many)."""
    others = _others(places, how)
    counted = Counter(_market(place.label) for place in places)
    seen: dict[Market, list[Subject]] = {}
    reports: list[Report] = []
    for done, place in enumerate(places, start=1):
        siblings = seen.setdefault(_market(place.label), [])
        for subject in read_place(place, how.wishes):
            judged = list(_judged(subject, how))
            judged += [each for sibling in siblings for each in _between_timeframes(subject, sibling)]
            judged += _compared(subject, others) if how.against else ()
            reports.append(_report(subject, judged))
            if place.stored and counted[_market(place.label)] > 1:
                siblings.append(subject)
        progress(done, len(places))
    return reports


def _judged(subject: Subject, how: Checking) -> Iterator[Finding]:
    yield from subject.findings
    yield from judge_settlements(subject.settled_ms, subject.rate_frac)
    bars = subject.bars
    if len(bars) == 0:
        return
    has_volume = subject.label.kind != MARK
    if subject.other is not None:
        other = rows_in_order(subject.other)
        yield from judge_same_market(paired(rows_in_order(bars), other, subject.sides[1]))
        return
    yield from judge_times(bars, how.now_ms)
    yield from _written_early(subject, bars)
    yield from judge_rows(bars, has_volume)
    ordered = rows_in_order(bars)
    yield from judge_stillness(ordered, has_volume)
    yield from judge_wicks(ordered)
    if has_volume and np.isfinite(ordered.volume).all() and (ordered.volume > 0.0).any():
        yield from judge_cut_short(ordered)
        yield from judge_likeness(ordered)
        yield from _judged_by_ticks(subject, ordered, how.ticks)


def _written_early(subject: Subject, bars: Bars) -> Iterator[Finding]:
    """Find the bar that was still forming when the file was written."""
    if subject.written_ms is None or len(bars) == 0:
        return
    newest = int(bars.open_ms.max())
    if newest <= subject.written_ms < newest + bars.timeframe_ms:
        saw = "the newest bar closed after the file was written"
        yield Finding(code=WRITTEN_EARLY, grave=False, count=1, first_ms=newest, saw=saw)


def _judged_by_ticks(subject: Subject, bars: Bars, ticks: Mapping[str, Ticks]) -> Iterator[Finding]:
    """Judge by the perpetuals' ticks: of the venue that is named, else of all that have the symbol."""
    label = subject.label
    if label.market == SPOT or label.symbol is None:
        return
    venues = {
        venue: known
        for venue, known in ticks.items()
        if label.venue in (None, venue) and label.symbol in known.tick_quote
    }
    if venues:
        known_from_ms = max(known.as_of_ms for known in venues.values())
        grid = {venue: known.tick_quote[label.symbol] for venue, known in venues.items()}
        yield from judge_ticks(bars, grid, known_from_ms)


def _between_timeframes(subject: Subject, sibling: Subject) -> Iterator[Finding]:
    """Judge the coarser of two series of one market by the finer one."""
    finer, coarser = sorted((subject, sibling), key=lambda each: each.bars.timeframe_ms)
    parts, rest = divmod(coarser.bars.timeframe_ms, finer.bars.timeframe_ms)
    if parts > 1 and rest == 0:
        name = f"{finer.label.timeframe} bars"
        yield from judge_timeframes(rows_in_order(finer.bars), rows_in_order(coarser.bars), name)


def _others(places: Sequence[Place], how: Checking) -> list[Subject]:
    """Read what to compare with, as far as it may be of a symbol that is checked."""
    symbols = {how.wishes.label.symbol or place.label.symbol for place in places}
    meant = [place for place in how.against if None in symbols or place.label.symbol in (None, *symbols)]
    others = [subject for place in meant for subject in read_place(place, Wishes()) if len(subject.bars)]
    if how.against and not others:
        known = ", ".join(sorted({place.label.symbol or "unknown" for place in how.against}))
        raise ConfigError(f"--against: no candles of the same symbol to compare with, only of {known}")
    return others


def _nearest(subject: Subject, others: Sequence[Subject]) -> Subject | None:
    """Return the symbol's other series that is nearest in market, then in timeframe."""
    step_ms = subject.bars.timeframe_ms

    def distance(other: Subject) -> tuple[bool, int]:
        return _market(other.label) != _market(subject.label), abs(other.bars.timeframe_ms - step_ms)

    fitting = [
        other
        for other in others
        if Path(other.source).resolve() != Path(subject.source).resolve()
        and _agree(other.label.symbol, subject.label.symbol)
        and (other.label.kind == MARK) == (subject.label.kind == MARK)
        and max(step_ms, other.bars.timeframe_ms) % min(step_ms, other.bars.timeframe_ms) == 0
    ]
    return min(fitting, key=distance, default=None)


def _compared(subject: Subject, others: Sequence[Subject]) -> Iterator[Finding]:
    other = _nearest(subject, others)
    if len(subject.bars) == 0 or other is None:
        saw = "nothing of this symbol and kind to compare with"
        yield Finding(code=NO_OVERLAP, grave=False, count=0, first_ms=None, saw=saw)
        return
    mine, theirs = rows_in_order(subject.bars), rows_in_order(other.bars)
    clocks = list(judge_clocks(mine, theirs, other.name))
    if clocks:
        yield from clocks
        return
    pair = paired(mine, theirs, other.name)
    equal_frac = float(np.mean(pair.bars.close == pair.other.close)) if len(pair.bars) else 0.0
    if _same_market(subject.label, other.label, equal_frac):
        yield from judge_same_market(pair)
    else:
        yield from judge_other_market(pair)


def _same_market(one: Label, two: Label, equal_frac: float) -> bool:
    """Say whether two labels mean one market; where they say too little, equal prices tell it."""
    if not (_agree(one.venue, two.venue) and _agree(one.market, two.market)):
        return False
    if None in (one.venue, two.venue, one.market, two.market):
        return equal_frac > 0.5
    return True


def _agree(one: str | None, two: str | None) -> bool:
    return one is None or two is None or one == two


def _market(label: Label) -> Market:
    return (label.venue, label.market, label.symbol, label.kind)


def _report(subject: Subject, judged: Sequence[Finding]) -> Report:
    escalated = [
        replace(finding, grave=True) if subject.stored and finding.code in LEFT_TO_THE_IMPORTER else finding
        for finding in judged
    ]
    times = subject.bars.open_ms if len(subject.bars) else subject.settled_ms
    return Report(
        source=subject.source,
        label=subject.label,
        rows=subject.rows,
        first_ms=int(times.min()) if len(times) else None,
        last_ms=int(times.max()) if len(times) else None,
        findings=tuple(sorted(escalated, key=lambda finding: (not finding.grave, finding.code))),
    )
