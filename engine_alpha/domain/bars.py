"""Closed candles as columns, and the settlements of funding that go with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _no_ints() -> Ints:
    return np.empty(0, np.int64)


def _no_floats() -> Floats:
    return np.empty(0, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """Funding settlements: times (ms, ascending) and rates per interval; a long pays a positive rate.

    `from_ms` and `to_ms` bound what the source knows; outside of them funding is unknown, not zero.
    """

    settled_ms: Ints = field(default_factory=_no_ints)
    rate_frac: Floats = field(default_factory=_no_floats)
    from_ms: int = 0
    to_ms: int = 0

    def between(self, first_ms: int, last_ms: int) -> "Funding":
        """Return the settlements of [first_ms, last_ms], and how much of that span is known."""
        start = int(np.searchsorted(self.settled_ms, first_ms, side="left"))
        stop = int(np.searchsorted(self.settled_ms, last_ms, side="right"))
        return Funding(
            settled_ms=self.settled_ms[start:stop],
            rate_frac=self.rate_frac[start:stop],
            from_ms=max(first_ms, self.from_ms),
            to_ms=min(last_ms, self.to_ms),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Candles of one symbol and timeframe, oldest first, all columns of one length.

    `open_ms` are multiples of `timeframe_ms`; prices in quote currency, volume in base units. Only closed
    bars: what a feed returns has `open_ms + timeframe_ms <= now`. `mark_high`/`mark_low` are the mark price's
    extremes where the feed has them, else empty.
    """

    timeframe_ms: int
    open_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    mark_high: Floats = field(default_factory=_no_floats)
    mark_low: Floats = field(default_factory=_no_floats)

    def __len__(self) -> int:
        return len(self.open_ms)

    @property
    def close_ms(self) -> Ints:
        """Close times in ms: the instant from which each bar may be known."""
        return self.open_ms + self.timeframe_ms

    def between(self, first_open_ms: int, end_ms: int) -> "Bars":
        """Return the bars that open at or after `first_open_ms` and close at or before `end_ms`."""
        start = int(np.searchsorted(self.open_ms, first_open_ms, side="left"))
        stop = int(np.searchsorted(self.open_ms, end_ms - self.timeframe_ms, side="right"))
        stop = max(start, stop)
        has_mark = len(self.mark_high) == len(self.open_ms)
        return Bars(
            timeframe_ms=self.timeframe_ms,
            open_ms=self.open_ms[start:stop],
            open=self.open[start:stop],
            high=self.high[start:stop],
            low=self.low[start:stop],
            close=self.close[start:stop],
            volume=self.volume[start:stop],
            mark_high=self.mark_high[start:stop] if has_mark else _no_floats(),
            mark_low=self.mark_low[start:stop] if has_mark else _no_floats(),
        )


def joined(parts: Sequence[Bars]) -> Bars:
    """Return consecutive bars of one length in one, copied; their marks are dropped."""
    names = ("open_ms", "open", "high", "low", "close", "volume")
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Bars(timeframe_ms=parts[0].timeframe_ms, **columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a feed answers for one asset: closed bars, funding, and the forming bar's open if it has begun.

    `simulated` is True for prices that no market made; `source` names the feed and venue for the record.
    `spread_bps` is None where the feed has no quote. `minutes` are closed 1-minute bars inside the newest of
    the bars: None where none were asked for, empty or with holes where the feed has no more.
    """

    bars: Bars
    funding: Funding
    source: str
    simulated: bool = False
    forming_open: float | None = None
    spread_bps: float | None = None
    minutes: Bars | None = None
