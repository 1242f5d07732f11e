"""What does not depend on the seed: generated markets, homes, and windows worked out once for all seeds."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Bars, Funding, Reading
from engine_alpha.home import Home
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.step import asset_step
from engine_alpha.step.windows import Window, window_of
from tests.live.worlds import on_venue
from tests.makers import HOUR_MS, random_bars
from tests.unit.loop.runs import FIRST_NUMBER, QUICK, ROOMY, a_home

SYMBOLS = ("ETHUSDT", "BTCUSDT", "SOLUSDT", "AVAXUSDT", "LINKUSDT", "ATOMUSDT")
VENUES = ("bybit", "binance")
UNIVERSES = 3
BEFORE_BARS = 1_100  # what the look-back of the first decision needs
BARS = 1_700
FIRST_MS = (FIRST_NUMBER + BEFORE_BARS) * HOUR_MS
CLEAN = "simulated hours"

TRAILED = {
    **QUICK,
    "name": "trailed",
    "exits": {"stop": {"atr": 1.2}, "target": {"atr": 3.0}, "trailing": {"atr": 1.0}, "max_hold_bars": 9},
}
TIGHT = {**ROOMY, "max_positions": 2, "exposure_cap_frac": 0.5, "heat_cap_frac": 0.05}
STYLES: dict[str, Any] = {
    "quick": (QUICK, ROOMY),
    "trailed": (TRAILED, ROOMY),
    "tight": (TRAILED, TIGHT),
}


@lru_cache(maxsize=64)
def bars_of(universe: int, symbol: str) -> Bars:
    """Return one symbol's hours in one of the markets."""
    seed = 1_000 * (universe + 1) + SYMBOLS.index(symbol)
    return random_bars(BARS, seed=seed, first_index=FIRST_NUMBER)


@cache
def funding() -> Funding:
    """Return settlements every eight hours, some of them received."""
    first_ms = -(-FIRST_NUMBER // 8) * 8 * HOUR_MS
    end_ms = (FIRST_NUMBER + BARS) * HOUR_MS
    settled_ms = np.arange(first_ms, end_ms, 8 * HOUR_MS, dtype=np.int64)
    rates = np.where(np.arange(len(settled_ms)) % 3 == 0, -0.00013, 0.0001)
    return Funding(settled_ms=settled_ms, rate_frac=rates, from_ms=FIRST_NUMBER * HOUR_MS, to_ms=end_ms)


@cache
def homes() -> Path:
    """Return the folder of this process's homes; it goes with the process, also with one of a pool."""
    folder = Path(tempfile.mkdtemp(prefix="chloe-simulation-"))
    Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=10)
    return folder


@cache
def setup_of(venue: str, style: str, assets: int) -> Setup:
    """Return a home's configuration, read once."""
    card, risk = STYLES[style]
    path = homes() / f"{venue}-{style}-{assets}"
    home: Home = a_home(path, SYMBOLS[:assets], cards=(card,), risk=risk)
    on_venue(home, venue)
    return read_setup(home)


_windows: dict[tuple[str, int], Window] = {}


def remembered_window(reading: Reading, at: int) -> Window:
    """Return `window_of`, worked out once per market, symbol and bar where the reading is whole."""
    if not reading.source.startswith(CLEAN) or at == 0:
        return window_of(reading, at)
    key = (reading.source, int(reading.bars.open_ms[at]))
    found = _windows.get(key)
    if found is None:
        found = _windows[key] = window_of(reading, at)
    return found


@contextmanager
def remembered_windows() -> Iterator[None]:
    """Let the engine's steps look windows up here."""
    vars(asset_step).update(window_of=remembered_window)
    try:
        yield
    finally:
        vars(asset_step).update(window_of=window_of)
