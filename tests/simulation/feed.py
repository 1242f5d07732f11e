"""Bars for the engine as a feed brings them: late, missing, stale, broken, or whole."""

import asyncio
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Bars, Reading
from engine_alpha.errors import DataError, VenueBusy
from engine_alpha.ports import BarRequest
from tests.simulation.network import Note
from tests.simulation.timeline import Timeline
from tests.simulation.universe import CLEAN, bars_of, funding
from tests.unit.loop.runs import without

SPOILS = ("late", "missing", "stale", "broken", "busy")


@dataclass(slots=True)
class SimulatedFeed:
    """Implements `BarFeed` over one market. `chance`: of each kind of spoiling; `ends`: settled contracts."""

    universe: int
    timeline: Timeline
    random: Random
    note: Note
    chance: dict[str, float]
    ends: dict[str, int]
    describes: str = "simulated hours"
    simulated: bool = False

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        """Return what has closed by the true time: the venue decides that, not this machine's clock."""
        symbol = request.asset.symbol
        spoiled = self._spoiled(symbol)
        await asyncio.sleep(11.0 if spoiled == "late" else self.random.randint(5, 80) / 1_000)
        if spoiled == "broken":
            raise DataError("broken", "a simulated fault of the feed")
        if spoiled == "busy":
            raise VenueBusy("a simulated fault of the feed")
        end_ms = min(now_ms, self.timeline.now_ms)
        bars = bars_of(self.universe, symbol).between(request.first_open_ms, end_ms)
        settled_ms = self.ends.get(symbol)
        if settled_ms is not None and settled_ms <= end_ms:
            return Reading(bars=after_the_end(bars, settled_ms), funding=funding(), source="frozen")
        if spoiled == "missing" and len(bars) > 2:
            return Reading(bars=without(bars, int(bars.open_ms[-2])), funding=funding(), source="holed")
        if spoiled == "stale" and len(bars) > 2:
            bars = bars.between(request.first_open_ms, int(bars.open_ms[-1]))
            return Reading(bars=bars, funding=funding(), source="stale")
        return Reading(bars=bars, funding=funding(), source=f"{CLEAN} {self.universe} {symbol}")

    def _spoiled(self, symbol: str) -> str:
        for kind, chance in self.chance.items():
            if chance > 0.0 and self.random.random() < chance:
                self.note(f"feed {kind}", symbol)
                return kind
        return ""

    async def close(self) -> None:
        """Have nothing to close."""


def after_the_end(bars: Bars, settled_ms: int) -> Bars:
    """Return the bars as a settled contract publishes them: the last price, without volume."""
    over = bars.open_ms + bars.timeframe_ms > settled_ms
    if not over.any() or over.all():
        return bars
    last = float(bars.close[~over][-1])
    columns: dict[str, Any] = {
        name: np.where(over, last, getattr(bars, name)) for name in ("open", "high", "low", "close")
    }
    return replace(bars, volume=np.where(over, 0.0, bars.volume), **columns)
