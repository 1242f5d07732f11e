"""What a random configuration is about: its coins, their timeframes, the span, and where its series lie."""

from dataclasses import dataclass

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from tests.makers import HOUR_MS
from tests.unit.loop.runs import START_MS, SYMBOLS

Random = np.random.Generator

BARS = 250  # decided in one configuration, all coins together, where nothing is missing
CATCH_UP_BARS = 540  # more than a flat asset catches up with
FRAMES = ("15m", "30m", "1h", "2h", "4h")
FINER = {
    "15m": ("15m",),
    "30m": ("15m", "30m"),
    "1h": ("15m", "30m", "1h"),
    "2h": ("1h", "2h"),
    "4h": ("1h", "4h"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What one coin's series must cover: the run is [from_ms, to_ms), in bars of `timeframe`."""

    timeframe: str
    from_ms: int
    to_ms: int

    @property
    def frame_ms(self) -> int:
        """Length of a bar."""
        return TIMEFRAME_MS[self.timeframe]

    def within(self, random: Random) -> int:
        """Return a time inside the run, on an open."""
        frames = max(1, (self.to_ms - self.from_ms) // self.frame_ms)
        return self.from_ms + int(random.integers(0, frames)) * self.frame_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """One coin of a configuration."""

    symbol: str
    span: Span
    stored: str  # timeframe of the stored series; bars are made of it where it is finer
    listed_ms: int | None  # where the contract is listed, or settles, inside the run
    settled_ms: int | None
    ends_ms: int | None  # where its bars end before the run does


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What a configuration is about: its coins, its venue, and whether its bars have minutes."""

    coins: tuple[Coin, ...]
    venue: str
    flat: bool
    detail: bool
    paused: bool  # one coin that misses more than it may catch up with
    from_ms: int
    to_ms: int

    @property
    def is_interrupted(self) -> bool:
        """Say whether a coin's bars stop, for a while or for good, so that a position may be caught."""
        return self.paused or any(coin.ends_ms is not None for coin in self.coins)


def topic(seed: int, part: int) -> Random:
    """Return the random numbers of one part of a configuration: a change of one leaves the others alone."""
    return np.random.default_rng([seed, part])


def plot_of(random: Random) -> Plot:
    """Draw coins, timeframes and the span of about `BARS` bars."""
    detail = bool(random.random() < 0.1)
    paused = bool(random.random() < 0.06)
    count = 1 if paused else int(random.choice([1, 2, 2, 3, 4, 5]))
    symbols = [str(name) for name in random.choice(SYMBOLS, count, replace=False)]
    frames = [str(name) for name in random.choice(FRAMES[:3] if detail else FRAMES, count)]
    if paused:
        frames = ["15m"]
    per_hour = sum(HOUR_MS / TIMEFRAME_MS[frame] for frame in frames)
    hours = int(np.clip(BARS / per_hour, 16, 320)) + (CATCH_UP_BARS // 4 + 10 if paused else 0)
    from_ms = START_MS + int(random.integers(0, 2_000)) * HOUR_MS + int(random.choice([0, 0, 1_800_000, 1]))
    to_ms = from_ms + hours * HOUR_MS
    spans = [
        Span(timeframe=frame, from_ms=-(-from_ms // TIMEFRAME_MS[frame]) * TIMEFRAME_MS[frame], to_ms=to_ms)
        for frame in frames
    ]
    coins = tuple(a_coin(random, *pair) for pair in zip(symbols, spans, strict=True))
    venue = str(random.choice(["bybit", "bybit", "binance", "BINANCE"]))
    flat = bool(random.random() < 0.5)
    return Plot(
        coins=coins, venue=venue, flat=flat, detail=detail, paused=paused, from_ms=from_ms, to_ms=to_ms
    )


def a_coin(random: Random, symbol: str, span: Span) -> Coin:
    """Draw how a coin is stored, and whether it is listed, settled or lost sight of inside the run."""
    listed = settled = ends = None
    minutes = int(random.choice([0, 17])) * 60_000
    lot = random.random()
    if lot < 0.05:
        listed = span.within(random) + minutes
    elif lot < 0.12:
        settled = span.within(random) + 12 * HOUR_MS + minutes
    elif lot < 0.2:  # its bars end too early for the position to be left before the settlement
        ends = span.within(random)
        settled = ends + int(random.integers(25, 40)) * HOUR_MS + minutes
    elif lot < 0.24:
        ends = span.within(random)
    stored = str(random.choice(FINER[span.timeframe]))
    return Coin(symbol=symbol, span=span, stored=stored, listed_ms=listed, settled_ms=settled, ends_ms=ends)
