"""A venue's history into the store: what `chloe data download` and a night of research have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.config.engine import EngineConfig
    from engine_alpha.domain.instrument import Instrument
    from engine_alpha.feeds.ccxt_history import CcxtHistory
    from engine_alpha.home import Home
    from engine_alpha.store.downloading import Wanted

END_OF_TIME_MS = 4_102_444_800_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for of a contract: its bars in [first_ms, end_ms), with funding and mark price or not.

    Without `first_ms` it begins where the stored bars do, else with the listing; without `end_ms` it goes up
    to now.
    """

    timeframe: str
    first_ms: int | None = None
    end_ms: int | None = None
    funding: bool = False
    mark: bool = False


def contracts_at(
    home: Home, engine: EngineConfig, venue: str, symbols: Sequence[str]
) -> tuple[Mapping[str, Instrument], Mapping[str, str]]:
    """Return what the venue says of each symbol, and in words why it says nothing of others."""
    from engine_alpha.config.checking import advice
    from engine_alpha.config.instruments import load_instruments
    from engine_alpha.feeds.ccxt_instruments import fetch_instruments

    known = load_instruments(home.instruments, venue)
    found = asyncio.run(fetch_instruments(venue, symbols, known, engine.venue_urls, with_tiers=False))
    listed = {each.symbol: each for each in found}
    unlisted = {
        symbol: f"{venue} has no perpetual {symbol}; {advice(symbol, known)}"
        for symbol in symbols
        if symbol not in listed
    }
    return listed, unlisted


def series_of(root: Path, listed: Instrument, asked: Asked) -> list[Wanted]:
    """Return the series of a contract that are wanted; raise `ConfigError` for a span that is none."""
    from engine_alpha.feeds.files import MARK_TIMEFRAME
    from engine_alpha.store.downloading import Wanted, stored_from_ms
    from engine_alpha.store.months import FUNDING, MARK

    venue, symbol = listed.venue, listed.symbol
    end_ms = END_OF_TIME_MS if asked.end_ms is None else asked.end_ms
    end_ms = min(end_ms, listed.settled_ms or END_OF_TIME_MS)
    first_ms, beginning = asked.first_ms, "--from"
    if first_ms is None:
        first_ms = stored_from_ms(root, venue, symbol, asked.timeframe) or listed.listed_ms
        beginning = "its beginning"
    if first_ms is None:
        raise ConfigError(f"{venue} does not say since when {symbol} is listed: say --from")
    if first_ms >= end_ms:
        settled = " (that is when it was settled)" if end_ms == listed.settled_ms else ""
        raise ConfigError(f"{symbol}: {beginning} lies at or after the end of what is wanted{settled}")
    wanted = {asked.timeframe: True, MARK + MARK_TIMEFRAME: asked.mark, FUNDING: asked.funding}
    return [
        Wanted(venue=venue, symbol=symbol, series=series, from_ms=first_ms, to_ms=end_ms)
        for series, is_wanted in wanted.items()
        if is_wanted
    ]


@asynccontextmanager
async def venue_history(venue: str, engine: EngineConfig) -> AsyncIterator[CcxtHistory]:
    """Give a venue's past, and let go of the connection afterwards."""
    from engine_alpha.feeds.ccxt_history import CcxtHistory

    history = CcxtHistory(venue, engine.venue_urls.get(venue))
    try:
        yield history
    finally:
        await history.close()
