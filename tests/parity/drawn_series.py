"""Seeded random series: candles with holes, jumps, standstills and errors; funding; marks.

All of a coin's series come from one fine walk: coarse bars, marks and minutes agree where they should.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Floats, Funding, Ints
from engine_alpha.domain.resampling import resample
from engine_alpha.store.months import write_bars, write_funding
from engine_alpha.store.parquet import TIME, packed, read_columns
from engine_alpha.store.shelf import FLAT_NAMES
from tests.makers import HOUR_MS
from tests.parity.plots import Random, Span

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """Where a coin's series go: months and manifests, or one flat file a series that nobody has checked."""

    data: Path
    venue: str
    symbol: str
    flat: bool

    def put(self, series: str, bars: Bars) -> None:
        """Store bars; only the flat layout takes what can't be true."""
        if not self.flat:
            write_bars(self.data, self.venue, self.symbol, series, bars)
            return
        folder = "mark" if series.startswith("mark_") else "candles"
        columns = {TIME: bars.open_ms, **{name: getattr(bars, name) for name in (*PRICES, "volume")}}
        self._file(folder, series).write_bytes(packed(columns))

    def put_funding(self, funding: Funding) -> None:
        """Store settlements."""
        if not self.flat:
            write_funding(self.data, self.venue, self.symbol, funding)
            return
        columns = {TIME: funding.settled_ms, "rate": funding.rate_frac}
        self._file("funding", "funding").write_bytes(packed(columns))

    def damage(self, random: Random, series: str) -> None:
        """Spoil a stored file as a whole: cut it short, double a row, mix up its rows, or empty it."""
        path = self._file("candles" if series in TIMEFRAME_MS else series, series)
        kind = int(random.integers(0, 4))
        if kind == 0:
            path.write_bytes(path.read_bytes()[:-20])
            return
        columns = read_columns(path, (TIME, "rate") if series == "funding" else (TIME, *PRICES, "volume"))
        order = np.arange(len(columns[TIME]))
        order = {1: np.append(order, order[-1]), 2: order[::-1], 3: order[:0]}[kind]
        path.write_bytes(packed({name: column[order] for name, column in columns.items()}))

    def _file(self, folder: str, series: str) -> Path:
        name = FLAT_NAMES.get(self.venue, self.venue.upper())
        path = self.data / folder / f"{name}_{self.symbol}_{series}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def without_column_cache(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the folder of caches be a file, so that thousands of generated columns fill nobody's."""
    blocked = folder / "no-cache"
    blocked.write_bytes(b"")
    patch.setenv("XDG_CACHE_HOME", str(blocked))


def walk(random: Random, span: Span, price: float, tick: float) -> Bars:
    """Return a walk with drifts, fat tails, gaps and wicks; mostly on the tick grid, as venues quote."""
    frame_ms, count = span.frame_ms, max(1, (span.to_ms - span.from_ms) // span.frame_ms)
    scale = (frame_ms / HOUR_MS) ** 0.5
    drift = np.repeat(random.normal(0, 0.0015, count // 100 + 1), 100)[:count]
    steps = np.clip((drift + 0.008 * random.standard_t(4, count)) * scale, -0.2, 0.2)
    steps -= np.mean(steps)  # a long fine walk must not end at nothing
    close = price * np.cumprod(1.0 + steps)
    opened = np.concatenate(([price], close[:-1])) * (1.0 + random.normal(0, 0.0005, count))
    reach = np.abs(random.normal(0, 0.003 * scale, (2, count)))
    columns = [
        opened,
        np.maximum(opened, close) * (1.0 + reach[0]),
        np.minimum(opened, close) * (1.0 - reach[1]),
        close,
    ]
    if random.random() < 0.85:
        columns = [np.maximum(np.rint(column / tick), 1.0) * tick for column in columns]
    volume = np.round(random.gamma(2.0, 50.0, count), 3)
    open_ms = span.from_ms + np.arange(count, dtype=np.int64) * frame_ms
    return Bars(
        timeframe_ms=frame_ms, open_ms=open_ms, volume=volume, **dict(zip(PRICES, columns, strict=True))
    )


# ------------------------------------------------------------------ what is wrong with bars


def changed(bars: Bars, chosen: Ints, change: Callable[[Floats], Floats]) -> Bars:
    """Return the bars with the prices at these places changed."""
    columns = {name: getattr(bars, name).copy() for name in PRICES}
    for column in columns.values():
        column[chosen] = change(column[chosen])
    return replace(bars, **columns)


def kept(bars: Bars, keep: np.ndarray) -> Bars:
    """Return the bars of the mask."""
    columns = {name: getattr(bars, name)[keep] for name in ("open_ms", *PRICES, "volume")}
    return replace(bars, **columns)


def with_holes(random: Random, bars: Bars, span: Span) -> Bars:
    """Take single bars, runs of them, and now and then more than a whole window."""
    frame_ms = span.frame_ms
    gone = np.zeros(len(bars), np.bool_)
    runs = [1] * int(random.integers(0, 7)) + [int(random.integers(2, 9)) for _ in range(2)]
    for length in runs:
        start = span.within(random) - int(random.integers(0, 500)) * frame_ms * int(random.random() < 0.5)
        gone |= (bars.open_ms >= start) & (bars.open_ms < start + length * frame_ms)
    if random.random() < 0.15:
        start = span.within(random) - int(random.integers(300, 560)) * frame_ms
        gone |= (bars.open_ms >= start) & (bars.open_ms < start + int(random.integers(513, 580)) * frame_ms)
    return kept(bars, ~gone)


def with_jump(random: Random, bars: Bars, span: Span) -> Bars:
    """Let prices jump by six, one way for good or for a few bars."""
    factor = 6.0 if random.random() < 0.5 else 1.0 / 6.0
    start = span.within(random)
    end = start + int(random.integers(1, 9)) * span.frame_ms if random.random() < 0.5 else 2**62
    inside = np.flatnonzero((bars.open_ms >= start) & (bars.open_ms < end))
    return changed(bars, inside, lambda prices: prices * factor)


def with_standstill(random: Random, bars: Bars, span: Span, length: int | None = None) -> Bars:
    """Let prices stand still without volume for twelve bars and more, or for `length`."""
    start = span.within(random)
    length = length or int(random.integers(12, 30))
    inside = np.flatnonzero((bars.open_ms >= start) & (bars.open_ms < start + length * span.frame_ms))
    if len(inside) == 0:
        return bars
    price = float(bars.open[inside[0]])
    volume = bars.volume.copy()
    volume[inside] = 0.0
    return replace(changed(bars, inside, lambda prices: np.full(len(prices), price)), volume=volume)


def with_error(random: Random, bars: Bars, span: Span) -> Bars:
    """Put one bar in that can't be true, inside the run or some way before it."""
    at_ms = span.within(random) - int(random.integers(0, 300)) * span.frame_ms * int(random.random() < 0.5)
    at = int(np.searchsorted(bars.open_ms, at_ms))
    if at >= len(bars):
        return bars
    columns = {name: getattr(bars, name).copy() for name in ("open_ms", *PRICES, "volume")}
    kind = int(random.integers(0, 6))
    if kind == 0:
        columns["open_ms"][at] += 1
    elif kind == 1:
        columns["close"][at] = np.nan
    elif kind == 2:
        columns["low"][at] = -1.0
    elif kind == 3:
        columns["volume"][at] = np.inf if random.random() < 0.5 else -1.0
    elif kind == 4:
        columns["high"][at] = columns["open"][at] * 0.5
    else:
        columns["open"][at] = 0.0
    return replace(bars, **columns)


# ------------------------------------------------------------------ funding and marks


def funding_of(random: Random, bars: Bars, span: Span) -> Funding | None:
    """Return settlements at an interval that may change, with holes, late or early ends, or none at all."""
    if random.random() < 0.15 or len(bars) == 0:
        return None
    first = int(bars.open_ms[0]) // HOUR_MS * HOUR_MS
    first = first if random.random() < 0.8 else span.from_ms + 5 * span.frame_ms
    last = span.to_ms + 24 * HOUR_MS if random.random() < 0.7 else span.within(random)
    hours = [int(random.choice([1, 4, 8])), int(random.choice([1, 2, 8]))]
    change = span.within(random) if random.random() < 0.4 else 2**62
    times = [t for t in range(first, min(last, change), hours[0] * HOUR_MS)]
    times += [t for t in range(change, last, hours[1] * HOUR_MS)]
    late = random.integers(0, 40, len(times)) + (HOUR_MS // 2 if random.random() < 0.15 else 0)
    settled = np.array(times, np.int64) + late
    rates = np.round(random.normal(1e-4, 3e-4, len(times)), 8)
    rates[random.random(len(times)) < 0.02] *= 50.0
    keep = random.random(len(times)) > (0.2 if random.random() < 0.2 else 0.0)
    return Funding(settled_ms=settled[keep], rate_frac=rates[keep])


def marks_of(random: Random, fine: Bars, flat: bool) -> Bars | None:
    """Return hourly marks near the last price, with holes and now and then a liquidating wick."""
    if random.random() < 0.55 or HOUR_MS % fine.timeframe_ms:
        return None
    hourly = resample(fine, HOUR_MS)
    if len(hourly) == 0:
        return None
    near = 1.0 + random.normal(0.0, 0.0005, len(hourly))
    columns = {name: getattr(hourly, name) * near for name in PRICES}
    wild = random.random(len(hourly)) < 0.02
    columns["low"] = np.where(wild, columns["low"] * random.uniform(0.4, 0.95), columns["low"])
    columns["high"] = np.where(wild, columns["high"] * random.uniform(1.05, 2.0), columns["high"])
    if flat and random.random() < 0.15:
        columns["high"][int(random.integers(0, len(hourly)))] = 1e-9  # a mark that can't be true
    return kept(replace(hourly, **columns), random.random(len(hourly)) > 0.02)
