"""The embedded feed: simulated prices up to "now" with no network, the same on every machine.

A coin moves with the market factor and by itself; see `embedded_market`. Minutes are the finest bars and
every timeframe aggregates them exactly. Nothing is stored: bars already computed are kept only for speed.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Floats, Funding, Ints, Reading, joined
from engine_alpha.domain.detail import MINUTE_MS, MINUTES
from engine_alpha.errors import DataError
from engine_alpha.feeds.embedded_market import (
    DAY_MINUTES,
    MINUTE_OF_DAY_SIGMA,
    Days,
    Factor,
    Minutes,
    Words,
    growth,
    hashed,
    key_of,
    mixed,
    normal,
    uniform,
)
from engine_alpha.ports import BarRequest

DAY_MS: Final = DAY_MINUTES * MINUTE_MS
FUNDING_MS: Final = 8 * 3_600_000
TREND_DAYS: Final = 3  # of which funding goes by
VOLUME_QUANTUM: Final = 1.0 / 256.0  # a power of two, so that sums are exact in any order
CHUNK_DAYS: Final = 20  # computed at a time: its arrays fit the processor's cache
KEPT_CHUNKS: Final = 8
KEPT_SERIES: Final = 1024  # 25 to 50 KB each
AHEAD_DAYS: Final = 5  # computed at a time as the days go by, where that is no more than AHEAD_BARS
AHEAD_BARS: Final = 128

MARKET: Final = "the market"
MARKET_SIGMA: Final = 0.025
TICKS_IN_PRICE: Final = ((0.05, 400_000), (0.005, 200_000), (0.0005, 15_000), (0.0, 9_000))
GUESSED_TICKS: Final = ("0.1", "0.01", "0.01", "0.001", "0.001", "0.0001", "0.0001", "0.00001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """What makes one symbol itself: its movement (`sigma` is a day's), base price, tick as a fraction."""

    name: str
    own: Factor
    beta: float
    sigma: float
    base_price: float
    tick_top: int
    tick_bottom: int
    turnover_quote: float
    keys: Mapping[str, int]


def coin_of(seed: int, symbol: str, tick: str | None) -> Coin:
    """Return the coin of that name; any name is one. Without a tick, one is guessed from the name."""
    traits = uniform(hashed(key_of(seed, symbol, "traits"), np.arange(5)), 0).tolist()
    text = tick or GUESSED_TICKS[int(traits[0] * len(GUESSED_TICKS))]
    top, bottom = Decimal(text).as_integer_ratio()
    ticks = next(count for least, count in TICKS_IN_PRICE if float(text) >= least)
    beta, own_sigma = 0.75 + 0.5 * traits[2], 0.012 + 0.018 * traits[1]
    return Coin(
        name=symbol,
        own=Factor(seed=seed, name=symbol, sigma=own_sigma),
        beta=beta,
        sigma=math.sqrt((beta * MARKET_SIGMA) ** 2 + own_sigma**2),
        base_price=ticks * (0.6 + 1.4 * traits[3]) * top / bottom,
        tick_top=top,
        tick_bottom=bottom,
        turnover_quote=60_000.0 + 400_000.0 * traits[4] * traits[4],
        keys={stream: key_of(seed, symbol, stream) for stream in ("wick", "volume", "funding")},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Bars and funding of whole days, closed or not yet: only slices up to "now" leave the feed."""

    first_day: int
    end_day: int
    bars: Bars
    funding: Funding


class EmbeddedFeed:
    """A `BarFeed` of simulated prices. `ticks` maps symbols to exact decimal tick strings."""

    def __init__(self, seed: int, ticks: Mapping[str, str], instead_of: str = "") -> None:
        """`instead_of` names the venue these prices are not from, for people."""
        self._seed = seed
        self._ticks = dict(ticks)
        self._describes = f"SIMULATED PRICES, not {instead_of}" if instead_of else "SIMULATED PRICES"
        self._market = Factor(seed=seed, name=MARKET, sigma=MARKET_SIGMA)
        self._market_chunks: OrderedDict[int, Minutes] = OrderedDict()
        self._market_days: tuple[int, int, Days] | None = None  # first day, count
        self._coins: dict[str, Coin] = {}
        self._kept: OrderedDict[tuple[str, str], _Series] = OrderedDict()

    @property
    def describes(self) -> str:
        """Name the source for people."""
        return self._describes

    @property
    def simulated(self) -> bool:
        """True: no market made these prices."""
        return True

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        """Return the closed bars of [first_open_ms, now], their funding and the forming bar's open."""
        asset = request.asset
        found = self.reading(asset.symbol, asset.base_timeframe, request.first_open_ms, now_ms)
        if request.minutes_from_ms is None:
            return found
        closed_ms = now_ms // asset.timeframe_ms * asset.timeframe_ms
        inside = self.reading(asset.symbol, MINUTES, request.minutes_from_ms, closed_ms)
        return replace(found, minutes=inside.bars)

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def reading(self, symbol: str, timeframe: str, first_open_ms: int, now_ms: int) -> Reading:
        """Return the same as `read` without an event loop. Raises `DataError` if the span is empty."""
        step = TIMEFRAME_MS[timeframe]
        if first_open_ms < 0 or first_open_ms + step > now_ms:
            raise DataError("empty", f"no bar of {timeframe} closes between {first_open_ms} and {now_ms}")
        series = self._series(symbol, timeframe, first_open_ms, now_ms)
        forming = (now_ms // step * step - int(series.bars.open_ms[0])) // step
        return Reading(
            bars=series.bars.between(first_open_ms, now_ms),
            funding=series.funding.between(first_open_ms, now_ms),
            source="embedded",
            simulated=True,
            forming_open=float(series.bars.open[forming]),
        )

    def _series(self, symbol: str, timeframe: str, first_open_ms: int, now_ms: int) -> _Series:
        """Return kept bars if they span the request; compute the days that are missing, no other."""
        key, step = (symbol, timeframe), TIMEFRAME_MS[timeframe]
        first_day, today = first_open_ms // DAY_MS, now_ms // DAY_MS
        kept = self._kept.get(key)
        if kept is None or not kept.first_day <= first_day <= kept.end_day:
            kept = self._compute(symbol, step, first_day, today + 1)
        elif kept.end_day <= today:
            ahead = min(AHEAD_DAYS, AHEAD_BARS * step // DAY_MS)
            kept = _extended(kept, self._compute(symbol, step, kept.end_day, today + 1 + ahead), first_day)
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT_SERIES:
            self._kept.popitem(last=False)
        return kept

    def _compute(self, symbol: str, step: int, first_day: int, end_day: int) -> _Series:
        coin = self._coins.get(symbol)
        if coin is None:
            coin = self._coins[symbol] = coin_of(self._seed, symbol, self._ticks.get(symbol))
        before = first_day - TREND_DAYS
        days = coin.own.days(before, end_day - before)
        parts = []
        for index in range(first_day // CHUNK_DAYS, (end_day - 1) // CHUNK_DAYS + 1):
            begin = index * CHUNK_DAYS
            first, end = max(first_day, begin), min(end_day, begin + CHUNK_DAYS)
            market = self._market_chunk(index).between(first - begin, end - begin)
            own = coin.own.minutes(first, days.between(first - before, end - before), market.spread)
            parts.append(bars_of(coin, market, own, first, step))
        return _Series(
            first_day=first_day,
            end_day=end_day,
            bars=joined(parts),
            funding=funding_of(coin, self._days_of_market(before, end_day - before), days, first_day),
        )

    def _days_of_market(self, first_day: int, count: int) -> Days:
        """Return the market's days; those asked for last are kept, as coins are read in turn."""
        kept = self._market_days
        if kept is None or kept[:2] != (first_day, count):
            kept = self._market_days = (first_day, count, self._market.days(first_day, count))
        return kept[2]

    def _market_chunk(self, index: int) -> Minutes:
        """Return the market's minutes of one chunk of days; a few are kept, as coins are read in turn."""
        chunk = self._market_chunks.get(index)
        if chunk is None:
            chunk = self._market_chunks[index] = self._market.minutes(
                index * CHUNK_DAYS, self._market.days(index * CHUNK_DAYS, CHUNK_DAYS)
            )
            if len(self._market_chunks) > KEPT_CHUNKS:
                self._market_chunks.popitem(last=False)
        return chunk


def _extended(kept: _Series, more: _Series, first_day: int) -> _Series:
    """Return a series and the days that follow it in one, without those before `first_day`."""
    first_ms, end_ms = first_day * DAY_MS, more.end_day * DAY_MS
    before = kept.funding.between(first_ms, end_ms)
    return _Series(
        first_day=first_day,
        end_day=more.end_day,
        bars=joined([kept.bars.between(first_ms, end_ms), more.bars]),
        funding=Funding(
            settled_ms=np.concatenate([before.settled_ms, more.funding.settled_ms]),
            rate_frac=np.concatenate([before.rate_frac, more.funding.rate_frac]),
            from_ms=first_ms,
            to_ms=end_ms,
        ),
    )


def bars_of(coin: Coin, market: Minutes, own: Minutes, first_day: int, step_ms: int) -> Bars:
    """Return the coin's bars of the market's and its own days, aggregated to `step_ms` from minutes."""
    level = coin.beta * market.level
    level += own.level
    edges = _ticks_at(coin, level)
    opened, closed = edges[:, :-1].copy(), edges[:, 1:]
    for part, weight in ((market.days, coin.beta), (own.days, 1.0)):
        for at in np.flatnonzero(part.jump):  # a jump is a gap: the minute opens beyond it
            minute = part.jump_minute[at]
            opened[at, minute] = _ticks_at(coin, level[at, minute : minute + 1] + weight * part.jump[at])[0]
    sigma = np.repeat(np.sqrt((coin.beta * market.sigma) ** 2 + own.sigma**2), 60, axis=1)
    wick = mixed(market.spread, coin.keys["wick"])
    above, below = (_wick(sigma, uniform(wick, part)) for part in (0, 1))
    high = np.maximum(opened, closed)
    high *= above
    np.rint(high, out=high)
    low = np.minimum(opened, closed)
    low /= below
    np.maximum(1.0, np.rint(low, out=low), out=low)
    volume = _volume(coin, (high - low) / low, mixed(market.spread, coin.keys["volume"]))
    return _aggregate(coin, first_day * DAY_MS, step_ms, (opened, high, low, closed, volume))


def _wick(sigma: Floats, luck: Floats) -> Floats:
    """Return a wick over its bar: 1 + sigma × (0.06 / (1.1 − luck) − 0.05), in the place of `luck`."""
    np.subtract(1.1, luck, out=luck)
    np.divide(0.06, luck, out=luck)
    luck -= 0.05
    luck *= sigma
    luck += 1.0
    return luck


def _ticks_at(coin: Coin, level: Floats) -> Floats:
    """Return the price at `level`, in whole ticks, at least one."""
    ticks = growth(level)
    ticks *= coin.base_price * coin.tick_bottom / coin.tick_top
    return np.maximum(1.0, np.rint(ticks, out=ticks), out=ticks)


def _volume(coin: Coin, range_frac: Floats, word: Words) -> Floats:
    """Return base units a minute, never zero: more where the range is wide, with a heavy tail."""
    usual = coin.sigma * MINUTE_OF_DAY_SIGMA
    width = range_frac / usual
    # (0.15 + width / (1 + 0.02 width)) × (0.3 + 0.35 / (1.1 − luck)), in place: arrays are made but once
    luck = uniform(word, 0)
    np.subtract(1.1, luck, out=luck)
    np.divide(0.35, luck, out=luck)
    luck += 0.3
    units = width * 0.02
    units += 1.0
    np.divide(width, units, out=units)
    units += 0.15
    units *= luck
    units *= coin.turnover_quote / coin.base_price
    units /= VOLUME_QUANTUM
    np.maximum(1.0, np.rint(units, out=units), out=units)
    units *= VOLUME_QUANTUM
    return units


def _aggregate(coin: Coin, first_ms: int, step_ms: int, minutes: tuple[Floats, ...]) -> Bars:
    """Group minutes into bars and turn ticks into prices, the nearest float64 of the exact decimal."""
    opened, high, low, closed, volume = (column.reshape(-1, step_ms // MINUTE_MS) for column in minutes)

    def price(ticks: Floats) -> Floats:
        quote: Floats = ticks * coin.tick_top / coin.tick_bottom
        return quote

    return Bars(
        timeframe_ms=step_ms,
        open_ms=first_ms + np.arange(len(opened), dtype=np.int64) * step_ms,
        open=price(opened[:, 0]),
        high=price(high.max(axis=1)),
        low=price(low.min(axis=1)),
        close=price(closed[:, -1]),
        volume=volume.sum(axis=1),
    )


def funding_of(coin: Coin, market: Days, own: Days, first_day: int) -> Funding:
    """Return settlements every 8 h: 1 bp, more after three days up, less after three days down, and noise.

    The days of the market and its own begin `TREND_DAYS` before `first_day`.
    """
    count = len(own.sigma) - TREND_DAYS
    level = coin.beta * market.level + own.level
    trend = np.repeat(level[TREND_DAYS:-1] - level[: -1 - TREND_DAYS], 3)
    number = np.arange(first_day * 3, (first_day + count) * 3, dtype=np.int64)
    rate = 0.0001 + 0.0025 * trend + 0.00005 * normal(hashed(coin.keys["funding"], number))
    settled: Ints = number * FUNDING_MS
    return Funding(
        settled_ms=settled,
        rate_frac=np.rint(np.clip(rate, -0.003, 0.003) * 1e8) / 1e8,
        from_ms=first_day * DAY_MS,
        to_ms=(first_day + count) * DAY_MS,
    )
