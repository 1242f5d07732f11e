"""Fill a series of the store from a venue's history: what is missing of a span, stored month by month.

Only missing bars are asked for, so a download that was stopped goes on, and holes are filled. Every page is
judged before it is kept. A month is written when it is complete, and what is at hand when the work stops.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bar_checks import check_history
from engine_alpha.domain.bars import Bars, Funding, Ints, joined
from engine_alpha.errors import ConfigError, DataError, Refused
from engine_alpha.store import months
from engine_alpha.store.inventory import flat_paths

DAY_MS: Final = 86_400_000
FUNDING_PAGE_MS: Final = 60 * DAY_MS
SETTLED_MS: Final = 10_000
"""For so long after its close a bar, or a settlement after its time, may still be changed or missing."""

Progress = Callable[[int, int], None]
Span = tuple[int, int]  # first open time, end; in ms, the end excluded


class History(Protocol):
    """A venue's past; raises `VenueError` and `DataError`."""

    @property
    def page_bars(self) -> int:
        """Return how many bars one request may ask for."""
        ...

    async def now_ms(self) -> int:
        """Return the venue's time."""
        ...

    async def candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Bars:
        """Return the candles that open in [first_ms, end_ms); none is no fault."""
        ...

    async def mark(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Bars:
        """Return the mark price's candles."""
        ...

    async def settlements(self, symbol: str, first_ms: int, end_ms: int) -> Funding:
        """Return the funding settled in [first_ms, end_ms)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A series of the store ("1h", "mark_1h", "funding") and the span it is wanted for, end excluded."""

    venue: str
    symbol: str
    series: str
    from_ms: int
    to_ms: int

    @property
    def timeframe(self) -> str:
        """Return the length of its bars; funding counts by the hour, its shortest interval."""
        return "1h" if self.series == months.FUNDING else self.series.removeprefix(months.MARK)

    @property
    def step_ms(self) -> int:
        """Return the length of its bars in ms."""
        return TIMEFRAME_MS[self.timeframe]

    def __str__(self) -> str:
        return f"{self.venue} {self.symbol} {self.series}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What became of one series: rows that are new, the manifest as it is now, and the fault that ended it.

    `absent_bars` of the span are not there: the venue has none.
    """

    wanted: Wanted
    new_rows: int
    absent_bars: int
    manifest: months.Manifest | None
    fault: str = ""


async def download(
    root: Path, history: History, wanted: Sequence[Wanted], progress: Progress
) -> list[Downloaded]:
    """Fill all series in turn; what can't be had of one is said there, and the next one is begun.

    `progress` gets (bars done, bars missing in all). Raises `VenueBusy` if the venue stays away, and
    `ConfigError` for a series that lies there as a flat file, before anything is asked for.
    """
    _refuse_flat(root, wanted)
    now_ms = await history.now_ms() - SETTLED_MS
    clipped = [_until(each, now_ms) for each in wanted]
    missing = [missing_spans(root, each) for each in clipped]
    count = _Count(progress, sum(map(_bars_in, clipped, missing)))
    return [
        await _fill(root, history, (each, spans), count) for each, spans in zip(clipped, missing, strict=True)
    ]


def missing_spans(root: Path, wanted: Wanted) -> list[Span]:
    """Return what is not stored of the span; funding's own holes can't be told and are not looked for."""
    step = wanted.step_ms
    first, end = -(-wanted.from_ms // step) * step, wanted.to_ms
    if first >= end:
        return []
    stored = _manifest(root, wanted)
    if stored is None or stored.rows == 0:
        return [(first, end)]
    holes = [(at, at + bars * step) for at, bars in stored.gaps]
    after = stored.last_ms + (1 if wanted.series == months.FUNDING else step)
    around = [(first, stored.first_ms), *holes, (after, end)]
    cut = [(max(start, first), min(stop, end)) for start, stop in around]
    return [(start, stop) for start, stop in cut if start < stop]


def stored_from_ms(root: Path, venue: str, symbol: str, series: str) -> int | None:
    """Return the first time of a stored series; None if there is none."""
    folder = root / venue / symbol / series
    return months.read_manifest(folder).first_ms if (folder / months.MANIFEST).exists() else None


class _Count:
    """Counts bars for the progress shown."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, bars: int) -> None:
        self._done = min(self._done + bars, self._total)
        self._progress(self._done, self._total)


async def _fill(root: Path, history: History, part: tuple[Wanted, list[Span]], count: _Count) -> Downloaded:
    wanted, spans = part
    before, fault = _manifest(root, wanted), ""
    try:
        for span in spans:
            if wanted.series == months.FUNDING:
                await _fill_funding(root, history, wanted, span, count)
            else:
                await _fill_bars(root, history, wanted, span, count)
    except (DataError, Refused) as error:
        fault = str(error)
    after = _manifest(root, wanted)
    new_rows = (after.rows if after else 0) - (before.rows if before else 0)
    absent = 0 if wanted.series == months.FUNDING else _bars_in(wanted, missing_spans(root, wanted))
    return Downloaded(wanted=wanted, new_rows=new_rows, absent_bars=absent, manifest=after, fault=fault)


async def _fill_bars(root: Path, history: History, wanted: Wanted, span: Span, count: _Count) -> None:
    """Read a span page by page; store each month when a later one has begun, and the rest at the end."""
    read = history.mark if wanted.series.startswith(months.MARK) else history.candles
    kept: list[Bars] = []
    try:
        for first_ms, end_ms in _pages(span, history.page_bars * wanted.step_ms):
            bars = await read(wanted.symbol, wanted.timeframe, first_ms, end_ms)
            if len(bars):
                check_history(bars, end_ms)
                kept = _store(root, wanted, [*kept, bars], _month_of(int(bars.open_ms[-1])))
            count.add((end_ms - first_ms) // wanted.step_ms)
    finally:
        _store(root, wanted, kept, span[1])


def _store(root: Path, wanted: Wanted, kept: list[Bars], before_ms: int) -> list[Bars]:
    """Write the bars that open before a time, and return the others."""
    if not kept:
        return kept
    whole = joined(kept)
    ready = whole.between(0, before_ms)
    if len(ready):
        months.write_bars(root, wanted.venue, wanted.symbol, wanted.series, ready)
    rest = whole.between(before_ms, int(whole.open_ms[-1]) + whole.timeframe_ms)
    return [rest] if len(rest) else []


async def _fill_funding(root: Path, history: History, wanted: Wanted, span: Span, count: _Count) -> None:
    for first_ms, end_ms in _pages(span, FUNDING_PAGE_MS):
        funding = await history.settlements(wanted.symbol, first_ms, end_ms)
        if len(funding.settled_ms):
            months.write_funding(root, wanted.venue, wanted.symbol, funding)
        count.add((end_ms - first_ms) // wanted.step_ms)


def _pages(span: Span, length_ms: int) -> Iterator[Span]:
    for first_ms in range(span[0], span[1], length_ms):
        yield first_ms, min(first_ms + length_ms, span[1])


def _month_of(at_ms: int) -> int:
    """Return when the month of a time began."""
    month: Ints = np.array([at_ms], "datetime64[ms]").astype("datetime64[M]").astype("datetime64[ms]")
    return int(month.astype(np.int64)[0])


def _until(wanted: Wanted, now_ms: int) -> Wanted:
    """Return what is wanted as far as it has happened: only whole bars."""
    step = 1 if wanted.series == months.FUNDING else wanted.step_ms
    return replace(wanted, to_ms=min(wanted.to_ms, now_ms) // step * step)


def _bars_in(wanted: Wanted, spans: Sequence[Span]) -> int:
    return sum((end - first) // wanted.step_ms for first, end in spans)


def _manifest(root: Path, wanted: Wanted) -> months.Manifest | None:
    folder = root / wanted.venue / wanted.symbol / wanted.series
    return months.read_manifest(folder) if (folder / months.MANIFEST).exists() else None


def _refuse_flat(root: Path, wanted: Sequence[Wanted]) -> None:
    """Refuse to hide a flat file behind a few new months: the own layout is read before it."""
    flat = flat_paths(root)
    for each in wanted:
        path = flat.get((each.venue, each.symbol, each.series))
        if path is not None and _manifest(root, each) is None:
            raise ConfigError(
                f"{each} is stored as {path}, which would no longer be read: take it into the store first "
                f"(chloe data import {path}), then the download goes on from its end"
            )
