"""Bars as they are stored now, read as the step read them then."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine_alpha.backtest.verifying.replay import Decided
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bars import Reading
from engine_alpha.domain.lookback import first_open_ms
from engine_alpha.errors import DataError
from engine_alpha.plans.setup import Setup
from engine_alpha.ports import BarFeed, BarRequest
from engine_alpha.step.state import AssetState

SETTLEMENT = "settlement"  # the source of a reading made up for a contract that settled

Priced = tuple[Reading, int]
"""A reading, and the place of a decision's bar in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What decisions are compared with: configuration and bars as they are now.

    `at_settlement` makes the reading of a contract that settled under a position, from the state before it.
    """

    setup: Setup
    feed: BarFeed
    at_settlement: Callable[[AssetState, int], Reading]


class Pricing:
    """Reads stored bars as the step would have read them."""

    def __init__(self, sources: Sources, loop: asyncio.AbstractEventLoop) -> None:
        self._sources = sources
        self._loop = loop
        self._settled: dict[tuple[str, int], Reading] = {}

    def reading(self, asset: AssetConfig, open_ms: int, at_ms: int, with_minutes: bool = False) -> Reading:
        """Return the bars that the decision on the bar opening then can see; raises `DataError`."""
        request = BarRequest(
            asset=asset,
            first_open_ms=first_open_ms(open_ms, asset.timeframe_ms),
            minutes_from_ms=open_ms if with_minutes else None,
        )
        return self._loop.run_until_complete(self._sources.feed.read(request, at_ms))

    def priced(self, decided: Decided, asset: AssetConfig, before: AssetState | None) -> Priced:
        """Return the reading for a decision; raises `DataError` if its bar is not in it."""
        if decided.payload["source"] == SETTLEMENT and before is not None:
            key = (decided.symbol, decided.at_ms)  # one reading served all bars of that tick
            if key not in self._settled:
                self._settled[key] = self._sources.at_settlement(before, decided.at_ms)
            reading = self._settled[key]
        else:
            with_minutes = "minutes_hash" in decided.payload
            reading = self.reading(asset, decided.open_ms, decided.at_ms, with_minutes)
        if decided.quoted:  # a venue's candles come without its mark price
            none = np.empty(0)
            reading = replace(reading, bars=replace(reading.bars, mark_high=none, mark_low=none))
        return reading, place_of(reading, decided.open_ms)


def place_of(reading: Reading, open_ms: int) -> int:
    """Return the place of the bar that opens then; raises `DataError` if it is not there."""
    at = int(np.searchsorted(reading.bars.open_ms, open_ms))
    if at == len(reading.bars) or int(reading.bars.open_ms[at]) != open_ms:
        raise DataError("missing", f"no bar opens at {open_ms}")
    return at
