"""The bars all engines are given: seeded random walks, with or without opening gaps, or real candles."""

from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.peers.runners.contract import PeerBars

SYMBOLS = 12
BARS = 3 * 365 * 24
HOUR_MS = 3_600_000
START_MS = 1_609_459_200_000  # 2021-01-01
STEPS = 12  # moves inside a bar
TICK = 0.0001
START_PRICE = 100.0
REGIME_BARS = 168


def seeded_bars(seed: int, gaps: bool, symbols: int = SYMBOLS, bars: int = BARS) -> PeerBars:
    """Return random walks whose volatility and drift change weekly; equal for equal arguments.

    Without `gaps` each bar opens at the close before it. With them every third bar or so opens away from it,
    one in a hundred by several percent, and one bar in a hundred is so wild that it may hold stop and target.
    """
    paths = np.stack([_path(np.random.default_rng([seed, i, gaps]), gaps, bars) for i in range(symbols)])
    quiet = np.random.default_rng([seed, symbols, gaps])
    return PeerBars(
        symbols=[f"C{i:02d}USDT" for i in range(symbols)],
        tick=np.full(symbols, TICK),
        open_ms=START_MS + HOUR_MS * np.arange(bars, dtype=np.int64),
        open=paths[:, :, 0],
        high=paths.max(axis=2),
        low=paths.min(axis=2),
        close=paths[:, :, -1],
        volume=np.round(quiet.uniform(500.0, 5_000.0, (symbols, bars)), 3),
    )


def _path(rng: np.random.Generator, gaps: bool, bars: int) -> np.ndarray:
    """Return (bars, 1 + STEPS) prices on the tick: each bar's open, then where each move took it."""
    weeks = bars // REGIME_BARS + 1
    hourly = np.repeat(rng.uniform(0.003, 0.012, weeks), REGIME_BARS)[:bars]
    drift = np.repeat(rng.normal(0.0, 0.0006, weeks), REGIME_BARS)[:bars]
    moves = rng.standard_normal((bars, 1 + STEPS)) * (hourly / STEPS**0.5)[:, None] + (drift / STEPS)[:, None]
    if gaps:
        moves[rng.random(bars) < 0.01] *= 8.0
    moves[:, 0] = _jumps(rng, bars) if gaps else 0.0
    moves[0, 0] = 0.0
    prices: np.ndarray = START_PRICE * np.cumprod(1.0 + moves.ravel()).reshape(bars, 1 + STEPS)
    return np.maximum(np.round(prices, 4), TICK)


def _jumps(rng: np.random.Generator, bars: int) -> np.ndarray:
    chance = rng.random(bars)
    small = rng.normal(0.0, 0.002, bars)
    large = rng.normal(0.0, 0.025, bars)
    return np.where(chance < 0.01, large, np.where(chance < 0.34, small, 0.0))


def real_bars(folder: Path, bars: int = BARS) -> PeerBars:
    """Return the first `bars` hours that all BINANCEUM perpetuals in `folder` share, without holes."""
    files = sorted((folder / "candles").glob("BINANCEUM_*_1h.parquet"))
    if not files:
        raise SystemExit(f"{folder}: no candles/BINANCEUM_*_1h.parquet there")
    frames = [pl.read_parquet(file).sort("timestamp") for file in files]
    first = max(int(frame["timestamp"][0]) for frame in frames)
    frames = [frame.filter(pl.col("timestamp") >= first).head(bars) for frame in frames]
    times = np.arange(first, first + bars * HOUR_MS, HOUR_MS, dtype=np.int64)
    for file, frame in zip(files, frames, strict=True):
        if not np.array_equal(frame["timestamp"].to_numpy(), times):
            raise SystemExit(f"{file}: not {bars} hours without a hole")
    columns = {
        name: np.stack([frame[name].to_numpy() for frame in frames])
        for name in ("open", "high", "low", "close", "volume")
    }
    ticks = [_tick(columns["close"][i], columns["open"][i]) for i in range(len(files))]
    return PeerBars(
        symbols=[file.name.split("_")[1] for file in files], tick=np.array(ticks), open_ms=times, **columns
    )


def _tick(*prices: np.ndarray) -> float:
    """Return the coarsest power of ten that all prices are multiples of."""
    every = np.concatenate(prices)
    for places in range(9):
        if np.abs(np.round(every, places) - every).max() < 1e-9 * every.max():
            return float(f"1e-{places}")
    raise SystemExit("prices with more than eight decimals")
