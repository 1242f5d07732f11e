"""Which bars differ between what decisions saw and what is stored now.

A decision records only a hash of its window, so a revised bar is found by comparing windows: the first
decision whose hash no longer fits, right after one whose hash does, saw exactly one new bar.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from engine_alpha.backtest.verifying.findings import (
    BAR_LATE,
    BAR_MISSING_NOW,
    BAR_MISSING_THEN,
    BAR_REVISED,
    Finding,
    runs_of,
)
from engine_alpha.backtest.verifying.replay import Decided
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bar_checks import RECENT_BARS, fill_holes, window_hash
from engine_alpha.domain.bars import Bars, Reading
from engine_alpha.domain.lookback import first_bar, first_open_ms
from engine_alpha.ports import StoredEvent

MANY = 5  # revised bars that are told as a stretch rather than one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One decision's window, in absolute bar numbers: `first` to `last`, as it was then.

    `gone` are bars that were there then and are not stored now; `closed_elsewhere` says that the stored close
    of the newest bar is another; `different` whether the decision comes out differently now.
    """

    first: int
    last: int
    fits: bool
    different: bool | None = None
    gone: tuple[int, ...] = ()
    closed_elsewhere: bool = False


@dataclass(slots=True)
class Track:
    """All windows of one asset and timeframe, and the bars that came only after decisions."""

    symbol: str
    frame_ms: int
    windows: list[Seen] = field(default_factory=list)
    undecided: set[int] = field(default_factory=set)  # bars of which the journal says that they had none
    late: dict[int, list[bool]] = field(default_factory=dict)  # per bar: did a decision without it differ?

    def add_late(self, numbers: Iterable[int], different: bool) -> None:
        """Take in that a decision was made without these bars."""
        for number in numbers:
            self.late.setdefault(number, []).append(different)

    def findings(self) -> Iterator[Finding]:
        """Name every bar that differs; a stretch of bars where nothing tells which of them it is."""
        unfit = [one for one in self.windows if not one.fits]
        gone = sorted({number for one in unfit for number in one.gone})
        revised = sorted(one.last for one in unfit if one.closed_elsewhere)
        for first, last in runs_of(self.late):
            yield self._late(first, last)
        for first, last in runs_of(gone):
            yield self._touching(BAR_MISSING_NOW, (first, last), unfit)
        rest = [one for one in unfit if not _meets(one, gone) and not _meets(one, revised)]
        suspects = list(_suspects(rest, _merged(one for one in self.windows if one.fits)))
        exact = [only[0] for only in suspects if len(only) == 1]
        for first, last, certain in stretches_of({*revised, *exact}):
            found = self._touching(BAR_REVISED, (first, last), unfit)
            bars = last - first + 1
            yield (
                found if certain == bars else replace(found, detail=f"{certain} or more of these {bars} bars")
            )
        for several in suspects:
            if len(several) > 1:
                yield self._one_of(several, unfit)

    def _late(self, first: int, last: int) -> Finding:
        differs = [different for number in range(first, last + 1) for different in self.late[number]]
        return self._finding(BAR_LATE, (first, last), len(differs), sum(differs))

    def _touching(self, cause: str, bars: tuple[int, int], unfit: list[Seen]) -> Finding:
        touched = [one for one in unfit if one.first <= bars[1] and bars[0] <= one.last]
        return self._finding(cause, bars, len(touched), sum(bool(one.different) for one in touched))

    def _one_of(self, several: list[int], unfit: list[Seen]) -> Finding:
        found = self._touching(BAR_REVISED, (several[0], several[-1]), unfit)
        return replace(found, detail=f"1 or more of these {len(several)} bars; no decision tells which")

    def _finding(self, cause: str, bars: tuple[int, int], decisions: int, different: int) -> Finding:
        return Finding(
            cause=cause,
            symbols=(self.symbol,),
            first_ms=bars[0] * self.frame_ms,
            last_ms=bars[1] * self.frame_ms,
            decisions=decisions,
            different=different,
        )


def stretches_of(numbers: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Yield runs as (first, last, how many numbers); runs of many with little between them become one.

    Only closes are recorded: in a series from elsewhere, bars with the same close seem to be as before.
    """
    first = last = held = 0
    for begin, end in runs_of(numbers):
        more = end - begin + 1
        if held and held + more >= MANY and 2 * (held + more) > end - first:
            last, held = end, held + more
            continue
        if held:
            yield first, last, held
        first, last, held = begin, end, more
    if held:
        yield first, last, held


def missing_then(undecided: Iterable[StoredEvent]) -> Iterator[Finding]:
    """Name the bars that have a record of no decision and could be decided on now, stretch by stretch."""
    groups: dict[tuple[str, str, int], dict[int, str]] = {}
    for stored in undecided:
        told = json.loads(stored.event.payload)
        frame_ms = TIMEFRAME_MS[told["timeframe"]]
        bars = groups.setdefault((stored.event.symbol, told["reason"], frame_ms), {})
        bars[stored.event.bar_ms // frame_ms] = told["detail"]
    for (symbol, reason, frame_ms), bars in groups.items():
        for first, last in runs_of(bars):
            yield Finding(
                cause=BAR_MISSING_THEN,
                symbols=(symbol,),
                first_ms=first * frame_ms,
                last_ms=last * frame_ms,
                decisions=0,
                subject=reason,
                detail=bars[first],
            )


def _meets(one: Seen, numbers: list[int]) -> bool:
    at = bisect_left(numbers, one.first)
    return at < len(numbers) and numbers[at] <= one.last


def _merged(windows: Iterable[Seen]) -> list[tuple[int, int]]:
    """Return the stretches of bars that are known to be as they were."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((one.first, one.last) for one in windows):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _suspects(unfit: list[Seen], known: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield the fewest bars that explain all windows: each time those that most windows share."""
    left = sorted((_unknown(one, known) for one in unfit), key=len)
    while left:
        core = left[0]
        rest = []
        for numbers in left[1:]:
            if core & numbers:
                core = core & numbers
            else:
                rest.append(numbers)
        yield sorted(core)
        left = rest


def _unknown(one: Seen, known: list[tuple[int, int]]) -> set[int]:
    numbers = set(range(one.first, one.last + 1))
    for first, last in known:
        if first <= one.last and one.first <= last:
            numbers.difference_update(range(first, last + 1))
    return numbers or {one.last}


def hash_at(bars: Bars, open_ms: int) -> str:
    """Return the hash of the window that the decision on the bar opening then sees."""
    first_ms = first_open_ms(open_ms, bars.timeframe_ms)
    window = bars.between(first_ms, open_ms + bars.timeframe_ms)
    return window_hash(fill_holes(window, first_ms, open_ms).bars)


def numbers_in(bars: Bars, decided: Decided) -> set[int]:
    """Return the numbers of the stored bars in a decision's window as it is laid out now."""
    first_ms = first_open_ms(decided.open_ms, bars.timeframe_ms)
    window = bars.between(first_ms, decided.close_ms)
    return set((window.open_ms // bars.timeframe_ms).tolist())


def gone_bars(bars: Bars, decided: Decided, missing_then: Iterable[int]) -> tuple[int, ...]:
    """Return the bars that a decision's window held and that are not stored now, as far as counts tell."""
    there, frame_ms = numbers_in(bars, decided), bars.timeframe_ms
    first = decided.number - decided.window_bars + 1
    holes = [number for number in range(first, decided.number + 1) if number not in there]
    filled = decided.filled_bars
    if filled is not None and len(holes) <= filled:
        return ()
    unknown = set(missing_then)
    first_now = min(there, default=first_bar(decided.open_ms // frame_ms))
    return tuple(number for number in holes if number not in unknown or number < first_now)


def seen_by(decided: Decided, fits: bool) -> Seen:
    """Return the window of a decision."""
    return Seen(first=decided.number - decided.window_bars + 1, last=decided.number, fits=fits)


def unfit(decided: Decided, priced: tuple[Reading, int], track: Track, different: bool) -> Seen:
    """Return the window of a decision whose bars can't be had any more as they were."""
    reading, at = priced
    return replace(
        seen_by(decided, fits=False),
        gone=gone_bars(reading.bars, decided, track.undecided),
        different=different,
        closed_elsewhere=float(reading.bars.close[at]) != decided.payload["close"],
    )


def without(bars: Bars, numbers: Iterable[int]) -> Bars:
    """Return the bars without those of these numbers."""
    kept = ~np.isin(bars.open_ms // bars.timeframe_ms, list(numbers))
    has_mark = len(bars.mark_high) > 0
    return Bars(
        timeframe_ms=bars.timeframe_ms,
        open_ms=bars.open_ms[kept],
        open=bars.open[kept],
        high=bars.high[kept],
        low=bars.low[kept],
        close=bars.close[kept],
        volume=bars.volume[kept],
        mark_high=bars.mark_high[kept] if has_mark else bars.mark_high,
        mark_low=bars.mark_low[kept] if has_mark else bars.mark_low,
    )


def as_seen(reading: Reading, decided: Decided, track: Track) -> tuple[Reading, tuple[int, ...]] | None:
    """Return the reading without the bars that had not come yet, and their numbers; None if that fits no one.

    Which ones is found by trying: the hash of the window says when it is right.
    """
    there = numbers_in(reading.bars, decided) - {decided.number}
    wanted = decided.payload["bars_hash"]
    for numbers in _absences(there, decided, track):
        bars = without(reading.bars, numbers)
        if hash_at(bars, decided.open_ms) == wanted:
            return replace(reading, bars=bars), numbers
    return None


def _absences(there: set[int], decided: Decided, track: Track) -> Iterator[tuple[int, ...]]:
    """Yield sets of bars that may have been missing then, likely ones first."""
    told = sorted((track.undecided | track.late.keys()) & there)
    yield from (tuple(told[place:]) for place in range(len(told)))
    yield from ((number,) for number in told[:-1])
    filled, last = decided.filled_bars, decided.number
    if filled is None:  # two or more in a row among the newest
        recent = range(last - RECENT_BARS + 1, last)
        for length in range(2, RECENT_BARS):
            for first in recent:
                run = tuple(range(first, first + length))
                if there.issuperset(run):
                    yield run
        return
    holes_now = decided.window_bars - len(there) - 1
    if filled - holes_now == 1:
        yield from ((number,) for number in sorted(there, reverse=True) if number not in told)
