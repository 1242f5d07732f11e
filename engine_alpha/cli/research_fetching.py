"""The newest candles and funding, fetched before a night of research; what can't be had stays as stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine_alpha.cli.fetching import Asked, contracts_at, series_of, venue_history
from engine_alpha.cli.output import remark
from engine_alpha.errors import ConfigError, DataError, VenueBusy, VenueError

if TYPE_CHECKING:
    from engine_alpha.config.engine import EngineConfig
    from engine_alpha.feeds.ccxt_history import CcxtHistory
    from engine_alpha.home import Home
    from engine_alpha.research.coins import LookedAt
    from engine_alpha.research.night import NightRequest
    from engine_alpha.store.downloading import Downloaded, Wanted

Progress = Callable[[str, int, int], None]

MOST_SILENT = 2
"""So many coins in a row that the venue was too busy for: it is away, the others are not asked for."""


@dataclass(slots=True, kw_only=True)
class Fetched:
    """What came of it: new bars and settlements by symbol, in words what could not be had of others.

    `away` says why the venue was not asked, or not any more.
    """

    venue: str
    bars: dict[str, int] = field(default_factory=dict)
    settlements: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    away: str | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return in words what was not fetched."""
        told = [f"{symbol}: {fault}; going on with what is stored" for symbol, fault in self.faults.items()]
        if self.away is not None:
            told.append(f"{self.venue} gives no candles ({self.away}); going on with what is stored")
        return tuple(told)

    def fields(self) -> dict[str, Any]:
        """Return it for the run log."""
        return {
            "venue": self.venue,
            "bars": self.bars,
            "settlements": self.settlements,
            "faults": self.faults,
            "away": self.away,
        }

    def add(self, symbol: str, timeframe: str, done: Sequence[Downloaded]) -> None:
        """Note what became of a coin's series."""
        rows = {each.wanted.series: each.new_rows for each in done}
        self.bars[symbol] = rows.pop(timeframe)
        self.settlements[symbol] = sum(rows.values())
        faults = {each.wanted.series: each.fault for each in done if each.fault}
        if all(each.manifest is None for each in done):
            faults.setdefault(timeframe, f"{self.venue} has none of that time")
        if faults:
            self.faults[symbol] = "; ".join(f"{series}: {fault}" for series, fault in faults.items())


def fetch_newest(home: Home, wanted: NightRequest, progress: Progress) -> Fetched | None:
    """Fetch what is missing of the coins' bars and funding up to the midnight that the night's day begins at.

    Up to there and no further: what an interrupted night has finished is good for the same bars alone. None
    where nothing is to be fetched: given candles, another feed than `venue`, spot prices. Raises
    `ConfigError` as the night would.
    """
    from engine_alpha.config.instruments import is_spot_data, venue_of_data
    from engine_alpha.plans.setup import read_setup
    from engine_alpha.research.coins import looked_at
    from engine_alpha.times import parse_iso

    setup = read_setup(home)
    if wanted.history is not None or setup.engine.feed != "venue":
        return None
    coins = looked_at(setup, wanted.venue, wanted.symbols)
    if is_spot_data(coins.venue):
        return None
    fetched = Fetched(venue=venue_of_data(coins.venue))
    series = _series(home, setup.engine, coins, parse_iso(wanted.night), fetched)
    if series:
        _fetch(setup.engine, coins, series, fetched, progress)
    for words in fetched.warnings:
        remark(words)
    return fetched


def _series(
    home: Home, engine: EngineConfig, coins: LookedAt, end_ms: int, fetched: Fetched
) -> dict[str, list[Wanted]]:
    """Return the series to fill by symbol, without those of coins that the venue has not."""
    symbols = [asset.symbol for asset in coins.assets]
    try:
        listed, unlisted = contracts_at(home, engine, fetched.venue, symbols)
    except (VenueError, DataError) as fault:
        fetched.away = str(fault)
        return {}
    fetched.faults |= unlisted
    found: dict[str, list[Wanted]] = {}
    for asset in coins.assets:
        if asset.symbol not in listed:
            continue
        asked = Asked(timeframe=asset.base_timeframe, end_ms=end_ms, funding=True)
        try:
            found[asset.symbol] = series_of(coins.data, listed[asset.symbol], asked)
        except (ConfigError, DataError) as fault:
            fetched.faults[asset.symbol] = str(fault)
    return found


def _fetch(
    engine: EngineConfig,
    coins: LookedAt,
    series: Mapping[str, Sequence[Wanted]],
    fetched: Fetched,
    progress: Progress,
) -> None:
    """Fill the series of each coin in turn; a coin's fault is noted and the next one is begun."""
    frames = {asset.symbol: asset.base_timeframe for asset in coins.assets}

    async def run() -> None:
        silent = 0
        async with venue_history(fetched.venue, engine) as history:
            for done, (symbol, wanted) in enumerate(series.items(), start=1):
                try:
                    fetched.add(symbol, frames[symbol], await _filled(coins.data, history, wanted))
                    silent = 0
                except VenueBusy as fault:
                    fetched.faults[symbol], silent = str(fault), silent + 1
                    if silent == MOST_SILENT:
                        fetched.away = str(fault)
                        return
                except (ConfigError, DataError, VenueError) as fault:
                    fetched.faults[symbol] = str(fault)
                except OSError as fault:
                    fetched.faults[symbol] = f"{coins.data} can't be written ({fault.strerror})"
                progress(f"fetching candles from {fetched.venue}", done, len(series))

    asyncio.run(run())


async def _filled(root: Path, history: CcxtHistory, wanted: Sequence[Wanted]) -> list[Downloaded]:
    from engine_alpha.store.downloading import download

    return await download(root, history, wanted, lambda done, total: None)
