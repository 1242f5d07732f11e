"""The files feed: stored series served as if "now" were then. Knows no file format; see `store.shelf`."""

from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Floats, Funding, Reading
from engine_alpha.domain.detail import MINUTES, no_minutes
from engine_alpha.domain.resampling import resample
from engine_alpha.errors import DataError
from engine_alpha.ports import BarRequest

MISSING_SERIES: Final = "missing_series"
MARK_TIMEFRAME: Final = "1h"


class Shelf(Protocol):
    """Where whole series come from; None for one that is not there."""

    @property
    def describes(self) -> str:
        """Name the place for people."""
        ...

    def bars(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        """Return a whole series, times ascending."""
        ...

    def mark(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        """Return the mark price's bars."""
        ...

    def funding(self, venue: str, symbol: str) -> Funding | None:
        """Return all settlements."""
        ...

    def looked_for(self, venue: str, symbol: str, timeframe: str) -> str:
        """Say which series was wanted and which ones are there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One symbol's bars and funding in memory, whole: only slices up to "now" leave the feed."""

    bars: Bars
    funding: Funding
    source: str


class FilesFeed:
    """A `BarFeed` over stored series, loaded once each.

    `venue` says whose files serve every asset; None takes each asset's own. A read is a slice and nothing is
    judged here: `bar_checks` does that to every window.
    """

    def __init__(self, shelf: Shelf, venue: str | None = None) -> None:
        self._shelf = shelf
        self._venue = venue
        self._loaded: dict[tuple[str, str, str], Series | DataError] = {}
        self._minutes: dict[tuple[str, str], Bars] = {}

    @property
    def describes(self) -> str:
        """Name the source for people."""
        return f"stored prices of {self._venue or 'each venue'} from {self._shelf.describes}"

    @property
    def simulated(self) -> bool:
        """False: a market made these prices once."""
        return False

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        """Return the stored bars of [first_open_ms, now]; `DataError` where there is no series."""
        asset = request.asset
        found = self.reading(
            self.series(asset.venue, asset.symbol, asset.base_timeframe), request.first_open_ms, now_ms
        )
        if request.minutes_from_ms is None:
            return found
        closed_ms = now_ms // asset.timeframe_ms * asset.timeframe_ms
        inside = self.minutes(asset.venue, asset.symbol).between(request.minutes_from_ms, closed_ms)
        return replace(found, minutes=inside)

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def series(self, venue: str, symbol: str, timeframe: str) -> Series:
        """Return a whole series, from memory if it was asked for before; a failure is remembered too."""
        key = (self._venue or venue, symbol, timeframe)
        found = self._loaded.get(key)
        if found is None:
            try:
                found = self._load(*key)
            except DataError as error:
                found = error
            self._loaded[key] = found
        if isinstance(found, DataError):
            raise DataError(found.reason, found.detail)
        return found

    def minutes(self, venue: str, symbol: str) -> Bars:
        """Return the whole series of minutes, empty if there is none; `DataError` if it can't be read."""
        key = (self._venue or venue, symbol)
        if key not in self._minutes:
            self._minutes[key] = self._shelf.bars(*key, MINUTES) or no_minutes()
        return self._minutes[key]

    @staticmethod
    def reading(series: Series, first_open_ms: int, now_ms: int) -> Reading:
        """Return what was known at `now_ms`: closed bars, settlements, the open of the bar in progress."""
        bars = series.bars
        step = bars.timeframe_ms
        forming = int(bars.open_ms.searchsorted(now_ms // step * step, side="left"))
        begun = forming < len(bars) and int(bars.open_ms[forming]) <= now_ms
        return Reading(
            bars=bars.between(first_open_ms, now_ms),
            funding=series.funding.between(first_open_ms, now_ms),
            source=series.source,
            forming_open=float(bars.open[forming]) if begun else None,
        )

    def _load(self, venue: str, symbol: str, timeframe: str) -> Series:
        bars = _stored_or_resampled(self._shelf, venue, symbol, timeframe)
        if bars is None:
            raise DataError(MISSING_SERIES, self._shelf.looked_for(venue, symbol, timeframe))
        mark = self._shelf.mark(venue, symbol, MARK_TIMEFRAME)
        return Series(
            bars=with_mark(bars, mark) if mark is not None else bars,
            funding=self._shelf.funding(venue, symbol) or Funding(),
            source=f"files/{venue}",
        )


def _stored_or_resampled(shelf: Shelf, venue: str, symbol: str, timeframe: str) -> Bars | None:
    """Return the series itself, else the coarsest finer one that it can be made of."""
    wanted_ms = TIMEFRAME_MS[timeframe]
    finer = [name for name, step in TIMEFRAME_MS.items() if step < wanted_ms and wanted_ms % step == 0]
    for name in (timeframe, *sorted(finer, key=TIMEFRAME_MS.__getitem__, reverse=True)):
        bars = shelf.bars(venue, symbol, name)
        if bars is not None:
            return resample(bars, wanted_ms)
    return None


def with_mark(bars: Bars, mark: Bars) -> Bars:
    """Return bars with the mark price's extremes, NaN where absent; finer bars than the mark's get none."""
    if bars.timeframe_ms % mark.timeframe_ms:
        return bars
    coarse = resample(mark, bars.timeframe_ms)
    if len(coarse) == 0:
        return bars
    at = np.minimum(coarse.open_ms.searchsorted(bars.open_ms), len(coarse) - 1)
    there = coarse.open_ms[at] == bars.open_ms
    high: Floats = np.where(there, coarse.high[at], np.nan)
    low: Floats = np.where(there, coarse.low[at], np.nan)
    return replace(bars, mark_high=high, mark_low=low)
