"""What the exchange quotes: candle series, real ones moved in time or generated, with a forming bar."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

HOUR_MS = 3_600_000
LISTED_MS = 1_584_230_400_000  # where a test does not say
COLUMNS = ("open", "high", "low", "close", "volume")
Row = list[Any]
"""Open time (int), then open, high, low, close, volume as decimal strings."""


@dataclass(frozen=True)
class Series:
    """Candles of one symbol and timeframe, oldest first; `values` has the five columns of COLUMNS."""

    timeframe_ms: int
    open_ms: np.ndarray
    values: np.ndarray
    decimals: int = 8

    def moved(self, by_ms: int) -> "Series":
        return Series(self.timeframe_ms, self.open_ms + by_ms, self.values, self.decimals)

    def coarser(self, timeframe_ms: int) -> "Series":
        groups, starts = np.unique(self.open_ms // timeframe_ms, return_index=True)
        ends = np.append(starts[1:], len(self.open_ms))
        v = self.values
        rows = [
            (v[a, 0], v[a:b, 1].max(), v[a:b, 2].min(), v[b - 1, 3], v[a:b, 4].sum())
            for a, b in zip(starts, ends, strict=True)
        ]
        return Series(timeframe_ms, groups * timeframe_ms, np.array(rows), self.decimals)


@dataclass
class Listing:
    """One symbol: candles per timeframe, funding settlements (ms, rate), what instruments-info says.

    `delist_ms` is an announced end, `settled_ms` one that has come. `mark`: the mark's candles where they
    differ from the trades', with the same open times.
    """

    symbol: str
    series: dict[int, Series]
    funding: list[tuple[int, float]] = field(default_factory=list)
    tick: str = "0.01"
    lot: str = "0.01"
    listed_ms: int = LISTED_MS
    settled_ms: int | None = None
    delist_ms: int | None = None
    mark: dict[int, Series] = field(default_factory=dict)

    @property
    def launched_ms(self) -> int:
        """Return from when on it trades: as listed; where no test said that, its older candles count."""
        first = [int(series.open_ms[0]) for series in self.series.values() if len(series.open_ms)]
        return min(self.listed_ms, *first) if first and self.listed_ms == LISTED_MS else self.listed_ms

    def has_ended(self, now_ms: int) -> bool:
        """Say whether it is settled at that time."""
        return self.settled_ms is not None or (self.delist_ms is not None and self.delist_ms <= now_ms)

    @property
    def marks(self) -> "Listing":
        """Return the symbol with its mark's candles in place of the trades', where they differ."""
        return replace(self, series=self.mark) if self.mark else self

    def rows(self, timeframe_ms: int, first_ms: int, end_ms: int, now_ms: int) -> list[Row]:
        """Return candles opening in [first_ms, end_ms) and by `now_ms`; the last may be unfinished."""
        series = self._at(timeframe_ms)
        if series is None:
            return []
        start = int(np.searchsorted(series.open_ms, first_ms))
        stop = int(np.searchsorted(series.open_ms, min(end_ms, now_ms + 1)))
        return [self._row(series, i, now_ms) for i in range(start, stop)]

    def last_price(self, now_ms: int) -> float:
        """Return the close of the candle forming now, in the finest series."""
        series = self.series[min(self.series)]
        at = max(int(np.searchsorted(series.open_ms, now_ms, side="right")) - 1, 0)
        return float(self._row(series, at, now_ms)[4])

    def _at(self, timeframe_ms: int) -> Series | None:
        if timeframe_ms not in self.series:
            finer = [tf for tf in self.series if timeframe_ms % tf == 0]
            if not finer:
                return None
            self.series[timeframe_ms] = self.series[max(finer)].coarser(timeframe_ms)
        return self.series[timeframe_ms]

    def _row(self, series: Series, at: int, now_ms: int) -> Row:
        open_ms, values = int(series.open_ms[at]), series.values[at].tolist()
        passed = (now_ms - open_ms) / series.timeframe_ms
        if passed < 1.0:
            values = unfinished(values, passed, series.decimals)
        return [open_ms, *(decimal(value) for value in values)]


def unfinished(values: Sequence[float], passed: float, decimals: int) -> list[float]:
    """Return a candle after a part of its time: on a straight way from open to close."""
    opened, _, _, closed, volume = values
    last = round(opened + (closed - opened) * passed, decimals)
    return [opened, max(opened, last), min(opened, last), last, round(volume * passed, 6)]


def decimal(value: float) -> str:
    """Return the shortest decimal text that reads back as `value`, never with an exponent."""
    return format(Decimal(repr(float(value))), "f")


def turnover(row: Row) -> str:
    """Return close × volume; of a row that a dial made unreadable, "0"."""
    try:
        return decimal(round(float(row[4]) * float(row[5]), 4))
    except (ValueError, IndexError):
        return "0"


def generated(seed: int, symbol: str, timeframe_ms: int, end_ms: int, bars: int) -> Series:
    """Return a random walk of `bars` candles whose last one opens at or before `end_ms`."""
    key = hashlib.sha256(f"{seed}/{symbol}/{timeframe_ms}".encode()).digest()
    random = np.random.default_rng(int.from_bytes(key[:8], "little"))
    start = float(10.0 ** random.uniform(-0.5, 4.5))
    decimals = max(0, 5 - len(str(int(start))))
    closes = start * np.exp(np.cumsum(random.normal(0.0, 0.004, bars)))
    opens = np.concatenate(([start], closes[:-1]))
    wick = np.abs(random.normal(0.0, 0.002, (2, bars)))
    highs = np.maximum(opens, closes) * (1.0 + wick[0])
    lows = np.minimum(opens, closes) * (1.0 - wick[1])
    volume = np.round(random.gamma(2.0, 500.0, bars), 3)
    prices = np.round(np.stack((opens, highs, lows, closes)), decimals)
    last_open_ms = end_ms // timeframe_ms * timeframe_ms
    open_ms = last_open_ms - np.arange(bars - 1, -1, -1, dtype=np.int64) * timeframe_ms
    return Series(timeframe_ms, open_ms, np.column_stack((*prices, volume)), decimals)


def generated_funding(seed: int, symbol: str, first_ms: int, end_ms: int) -> list[tuple[int, float]]:
    """Return settlements every eight hours, each rate from (seed, symbol, time) alone."""
    every = 8 * HOUR_MS
    times = range(-(-first_ms // every) * every, end_ms, every)
    digest = [hashlib.sha256(f"{seed}/{symbol}/{at}".encode()).digest()[0] for at in times]
    return [(at, round((byte - 120) * 2e-6, 8)) for at, byte in zip(times, digest, strict=True)]


def generated_listing(seed: int, symbol: str, timeframe_ms: int, end_ms: int, bars: int) -> Listing:
    """Return a symbol with generated candles and funding."""
    series = generated(seed, symbol, timeframe_ms, end_ms, bars)
    funding = generated_funding(seed, symbol, int(series.open_ms[0]), end_ms)
    return Listing(
        symbol, {timeframe_ms: series}, funding, tick=f"{10.0**-series.decimals:.{series.decimals}f}"
    )


def from_parquet(path: Path, timeframe_ms: int) -> Series:
    """Return the candles of one file of ../shared/data/candles."""
    import polars  # only here: the exchange needs it for real candles alone

    frame = polars.read_parquet(path)
    values = frame.select(COLUMNS).to_numpy().astype(np.float64)
    sample = [len(repr(price).partition(".")[2]) for price in values[-300:, 3].tolist()]
    return Series(timeframe_ms, frame["timestamp"].to_numpy().astype(np.int64), values, max(sample))


def funding_from_parquet(path: Path) -> list[tuple[int, float]]:
    """Return the settlements of one file of ../shared/data/funding."""
    import polars

    frame = polars.read_parquet(path)
    return list(zip(frame["timestamp"].to_list(), frame["rate"].to_list(), strict=True))


def real_listing(folder: Path, symbol: str, market: str, forming_at_ms: int | None, ahead: int) -> Listing:
    """Return a symbol with real candles (`market` is BINANCEUM or BYBIT).

    With `forming_at_ms`, each series is moved by whole bars so that the candle `ahead` places before its
    last one is forming at that time; funding moves with the hourly candles.
    """
    series, moved_ms = {}, 0
    for name, timeframe_ms in (("1m", 60_000), ("1h", HOUR_MS)):
        path = folder / "candles" / f"{market}_{symbol}_{name}.parquet"
        if not path.exists():
            continue
        found = from_parquet(path, timeframe_ms)
        if forming_at_ms is not None:
            at = int(found.open_ms[max(0, len(found.open_ms) - 1 - ahead)])
            moved_ms = forming_at_ms // timeframe_ms * timeframe_ms - at
        series[timeframe_ms] = found.moved(moved_ms)
    funding_path = folder / "funding" / f"{market}_{symbol}_funding.parquet"
    funding = funding_from_parquet(funding_path) if funding_path.exists() else []
    decimals = series[HOUR_MS].decimals if HOUR_MS in series else 2
    tick = f"{10.0**-decimals:.{decimals}f}"
    return Listing(symbol, series, [(at + moved_ms, rate) for at, rate in funding], tick=tick)
