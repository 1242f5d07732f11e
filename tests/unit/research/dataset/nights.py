"""A coin's made-up history with everything that befalls one, stored as far as a night knows it."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.home import Home
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import read_setup
from engine_alpha.research.dataset.extending import extend
from engine_alpha.research.dataset.reading import Dataset
from engine_alpha.store.months import write_bars, write_funding
from tests.makers import HOUR_MS, random_bars
from tests.unit.loop.runs import FIRST_NUMBER, QUICK, a_home

SYMBOL = "ETHUSDT"
SLOW = {
    **QUICK,
    "name": "slow",
    "scope": {"follows": "entry"},
    "entry": [{"signal": "channel_120", "at_least": 0.8}],
    "exits": {"stop": {"range": 6.0}, "trailing": {"range": 8.0}, "max_hold_bars": 400},
    "risk": {"size_factor": 0.5, "trades_per_day": 1},
    "activation": {"min_trades": 3, "min_pf": 9.0},
}
NEVER = {**QUICK, "name": "never", "entry": [{"signal": "momentum_24", "at_least": 1e6}]}


def a_research_home(path: Path) -> Home:
    """Return a home with a quick, a slow and a silent card."""
    return a_home(path, enabled=(), cards=(QUICK, SLOW, NEVER))


def eventful(count: int = 2_600, seed: int = 7) -> Bars:
    """Return a walk with holes, a jump that is refused for some bars, and a standstill without volume."""
    bars = random_bars(count, seed=seed, first_index=FIRST_NUMBER)
    random = np.random.default_rng(seed)
    at = sorted(random.integers(700, count - 100, 4).tolist())
    columns = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    for name in ("open", "high", "low", "close"):
        columns[name][at[0] :] *= 6.0
    for name in ("open", "high", "low", "close"):
        columns[name][at[1] : at[1] + 30] = columns["close"][at[1] - 1]
    columns["volume"][at[1] : at[1] + 30] = 0.0
    gone = np.zeros(count, np.bool_)
    gone[at[2] : at[2] + 3] = True
    gone[at[3] : at[3] + 40] = True
    gone[random.integers(0, count, 5)] = True
    changed = replace(bars, **columns)
    return kept(changed, ~gone)


def kept(bars: Bars, keep: np.ndarray) -> Bars:
    """Return the bars of a mask."""
    names = ("open_ms", "open", "high", "low", "close", "volume")
    return replace(bars, **{name: getattr(bars, name)[keep] for name in names})


def settlements(bars: Bars) -> Funding:
    """Return funding every eight hours."""
    times = np.arange(int(bars.open_ms[0]) // HOUR_MS // 8 * 8 * HOUR_MS, int(bars.close_ms[-1]), 8 * HOUR_MS)
    rates = np.round(np.random.default_rng(3).normal(1e-4, 2e-4, len(times)), 8)
    return Funding(settled_ms=times, rate_frac=rates)


def stored(data: Path, bars: Bars, until_ms: int | None = None) -> Path:
    """Store what is known of the bars at an instant, settlements included."""
    known = bars if until_ms is None else kept(bars, bars.close_ms <= until_ms)
    funding = settlements(bars)
    heard = funding.settled_ms <= int(known.close_ms[-1])
    write_bars(data, "bybit", SYMBOL, "1h", known)
    settled = Funding(settled_ms=funding.settled_ms[heard], rate_frac=funding.rate_frac[heard])
    write_funding(data, "bybit", SYMBOL, settled)
    return data


def night(home: Home, data: Path, to_ms: int = 2**50, symbol: str = SYMBOL) -> Dataset:
    """Extend the dataset by all that is stored."""
    history = History(data=data, venue="bybit", symbols=(symbol,), from_ms=0, to_ms=to_ms)
    return extend(home, read_setup(home), history)


def minutes_of(bars: Bars) -> Bars:
    """Return a walk by minutes over the same time."""
    count = len(bars) * 60
    fine = random_bars(count, seed=21)
    first_ms = int(bars.open_ms[0])
    flat = 1.0 + (fine.close / fine.close.mean() - 1.0) * 0.2
    opened = np.concatenate((flat[:1], flat[:-1])) * 100.0
    close = flat * 100.0
    return replace(
        fine,
        timeframe_ms=60_000,
        open_ms=first_ms + np.arange(count, dtype=np.int64) * 60_000,
        open=opened,
        high=np.maximum(opened, close) * 1.001,
        low=np.minimum(opened, close) * 0.999,
        close=close,
    )
