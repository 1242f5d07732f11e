"""Past candles, mark prices and funding of one venue, page by page: what `chloe data download` reads."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.errors import VenueBusy
from engine_alpha.exchanges.ccxt_connection import CcxtConnection
from engine_alpha.feeds.ccxt_dialects import Page, dialect_of
from engine_alpha.feeds.ccxt_replies import bars_of, refuse_strays

TRIES: Final = 8
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0

T = TypeVar("T")


class CcxtHistory:
    """Reads bybit or binance perpetuals. Bound to one event loop; `close` it there.

    ccxt keeps the venue's rate limit. A venue that is busy or not reached is asked again a second later, then
    after two, four and so on, eight times in all; then `VenueBusy` is raised.
    """

    def __init__(self, venue: str, base_url: str | None = None, timeout_ms: int = 20_000) -> None:
        self._connection = CcxtConnection(venue, base_url, timeout_ms)
        self._dialect = dialect_of(venue, self._connection)

    @property
    def page_bars(self) -> int:
        """Return how many bars one request may ask for."""
        return self._dialect.page_bars

    async def now_ms(self) -> int:
        """Return the venue's time."""
        return await self._patiently(self._dialect.server_ms)

    async def candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Bars:
        """Return the candles that open in [first_ms, end_ms), at most `page_bars`; none is no fault."""
        asked = (symbol, timeframe, first_ms, end_ms)
        return _bars(await self._patiently(lambda: self._dialect.candles(*asked)), asked)

    async def mark(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Bars:
        """Return the mark price's candles, like `candles`, with volumes of zero."""
        asked = (symbol, timeframe, first_ms, end_ms)
        return _bars(await self._patiently(lambda: self._dialect.mark_candles(*asked)), asked)

    async def settlements(self, symbol: str, first_ms: int, end_ms: int) -> Funding:
        """Return the funding settled in [first_ms, end_ms)."""
        found = await self._patiently(lambda: self._dialect.settlements(symbol, first_ms, end_ms - 1))
        return Funding(
            settled_ms=np.array([each.at_ms for each in found], np.int64),
            rate_frac=np.array([each.rate_frac for each in found], np.float64),
            from_ms=first_ms,
            to_ms=end_ms - 1,
        )

    async def close(self) -> None:
        """Let go of connections."""
        await self._connection.close()

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        pause_s = FIRST_PAUSE_S
        for _ in range(TRIES - 1):
            try:
                return await ask()
            except VenueBusy:
                await asyncio.sleep(pause_s)
                pause_s = min(2.0 * pause_s, LONGEST_PAUSE_S)
        return await ask()


def _bars(page: Page, asked: tuple[str, str, int, int]) -> Bars:
    symbol, timeframe, first_ms, end_ms = asked
    refuse_strays(page.rows, symbol, first_ms, end_ms)
    return bars_of(page.rows, TIMEFRAME_MS[timeframe])
