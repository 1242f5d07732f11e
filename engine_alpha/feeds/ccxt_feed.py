"""The `venue` feed: closed candles of bybit and binance perpetuals from their public REST endpoints."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Generic, TypeVar

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bar_checks import EMPTY
from engine_alpha.domain.bars import Bars, Reading
from engine_alpha.domain.detail import MINUTE_MS, MINUTES, no_minutes
from engine_alpha.errors import ConfigError, DataError, VenueBusy, VenueError
from engine_alpha.exchanges.ccxt_connection import CcxtConnection
from engine_alpha.exchanges.ccxt_line import CCXT_CLASS
from engine_alpha.exchanges.replies import bad_reply
from engine_alpha.feeds.ccxt_dialects import Dialect, dialect_of
from engine_alpha.feeds.ccxt_funding import FundingHistory
from engine_alpha.feeds.ccxt_replies import Quote, Row, bars_of, refuse_strays
from engine_alpha.ports import BarRequest

CLOCK_SKEW: Final = "clock_skew"
SIDE_SHARE: Final = 0.7
"""Funding, spread and minutes must be there by this part of a read's deadline; else the bars go without."""

T = TypeVar("T")
_log = logging.getLogger("chloe.feed")


class CcxtFeed:
    """Implements `BarFeed` for assets on bybit and binance.

    `urls` maps a venue to another base address (a proxy, the test exchange); absent venues are reached at
    their own. A venue's part of ccxt is loaded at its first read. Between the first read and `close` it is
    bound to one event loop; after `close` it may be read again, in another, and still knows its funding.
    `max_skew_ms` is the difference between our clock and a venue's from which reads are refused. `connect`
    makes a venue's connection where it shares its pace with orders, or leads to a testnet.
    """

    def __init__(
        self,
        urls: Mapping[str, str] | None = None,
        deadline_ms: int = 10_000,
        max_skew_ms: int = 30_000,
        with_spread: bool = True,
        connect: Callable[[str], CcxtConnection] | None = None,
    ) -> None:
        self._urls = dict(urls or {})
        self._deadline_ms = deadline_ms
        self._max_skew_ms = max_skew_ms
        self._with_spread = with_spread
        self._connect = connect or self._connected
        self._venues: dict[str, _VenueReader] = {}

    @property
    def describes(self) -> str:
        """Name the venues, and the addresses that are not theirs."""
        moved = ", ".join(f"{venue} through {base}" for venue, base in sorted(self._urls.items()))
        return f"{', '.join(CCXT_CLASS)} public candles" + (f" ({moved})" if moved else "")

    @property
    def simulated(self) -> bool:
        """A market made these prices."""
        return False

    @property
    def clock_offset_ms(self) -> dict[str, int]:
        """Return, per venue read so far, how far its clock was ahead of ours at the last read."""
        return {name: venue.offset_ms for name, venue in self._venues.items()}

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        """Return the closed bars of one asset within the deadline."""
        asset = request.asset
        try:
            async with asyncio.timeout(self._deadline_ms / 1_000):
                return await self._venue(asset.venue).read(request, now_ms)
        except TimeoutError as fault:
            text = (
                f"{asset.venue} {asset.symbol}: no answer within {self._deadline_ms} ms, next try next tick"
            )
            raise VenueBusy(text) from fault

    def _venue(self, name: str) -> "_VenueReader":
        if name not in CCXT_CLASS:
            raise ConfigError(f"venue {name!r} has no feed; known are {', '.join(CCXT_CLASS)}")
        if name not in self._venues:
            connection = self._connect(name)
            limits = _Limits(self._deadline_ms, self._max_skew_ms, self._with_spread)
            self._venues[name] = _VenueReader(connection, dialect_of(name, connection), limits)
        return self._venues[name]

    def _connected(self, name: str) -> CcxtConnection:
        return CcxtConnection(name, self._urls.get(name), self._deadline_ms)

    async def close(self) -> None:
        """Close every connection."""
        for venue in self._venues.values():
            await venue.close()


class _Limits:
    def __init__(self, deadline_ms: int, max_skew_ms: int, with_spread: bool) -> None:
        self.side_deadline_s = deadline_ms / 1_000 * SIDE_SHARE
        self.max_skew_ms = max_skew_ms
        self.with_spread = with_spread


class _VenueReader:
    """Reads one venue; what all its symbols share is asked once a tick."""

    def __init__(self, connection: CcxtConnection, dialect: Dialect, limits: _Limits) -> None:
        self.offset_ms = 0
        self._connection = connection
        self._dialect = dialect
        self._limits = limits
        self._funding = FundingHistory(dialect, limits.side_deadline_s)
        self._server_ms = _OncePerTick(dialect.server_ms)
        self._quotes = _OncePerTick(dialect.quotes)

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        asset = request.asset
        side_end_s = asyncio.get_running_loop().time() + self._limits.side_deadline_s
        funding = asyncio.ensure_future(self._funding.read(asset.symbol, request.first_open_ms, now_ms))
        spread = asyncio.ensure_future(self._spread_bps(asset.symbol, now_ms))
        try:
            bars, forming_open = await self._candles(request, now_ms)
            minutes = await self._minutes(request, bars, side_end_s)
            return Reading(
                bars=bars,
                funding=await funding,
                source=f"venue {asset.venue}",
                forming_open=forming_open,
                spread_bps=await spread,
                minutes=minutes,
            )
        finally:
            funding.cancel()
            spread.cancel()

    async def _candles(self, request: BarRequest, now_ms: int) -> tuple[Bars, float | None]:
        """Return closed bars and the forming bar's open.

        What counts as closed is bounded by our clock and by the server's, the latter taken before the
        candles (or from the same reply): a bar may close while its unfinished form is under way to us.
        """
        asset, clock = request.asset, asyncio.get_running_loop()
        started_s = clock.time()
        server_ms = await self._server_ms.get(now_ms) if self._dialect.asks_time else None
        told_s = clock.time()
        rows, first_ms = [], request.first_open_ms
        end_ms = now_ms // asset.timeframe_ms * asset.timeframe_ms + asset.timeframe_ms
        while first_ms < end_ms:
            page_end_ms = min(end_ms, first_ms + self._dialect.page_bars * asset.timeframe_ms)
            page = await self._dialect.candles(asset.symbol, asset.base_timeframe, first_ms, page_end_ms)
            refuse_strays(page.rows, asset.symbol, first_ms, page_end_ms)
            rows += page.rows
            if server_ms is None:
                server_ms, told_s = page.server_ms, clock.time()
            first_ms = page_end_ms
        if server_ms is None:
            raise bad_reply(f"nothing to read: {asset.symbol} from {request.first_open_ms}, now {now_ms}")
        self._judge_clock(server_ms - now_ms - round((told_s - started_s) * 1_000))
        return split(rows, asset, min(now_ms, server_ms))

    async def _minutes(self, request: BarRequest, bars: Bars, end_s: float) -> Bars | None:
        """Return the minutes inside the bars that were asked for, page by page; those that came in time.

        Asked after the bars: what lies inside a bar that both clocks call closed is final.
        """
        if request.minutes_from_ms is None:
            return None
        asset, first_ms, rows = request.asset, request.minutes_from_ms, []
        closed_ms = int(bars.close_ms[-1])
        try:
            async with asyncio.timeout_at(end_s):
                while first_ms < closed_ms:
                    page_end_ms = min(closed_ms, first_ms + self._dialect.page_bars * MINUTE_MS)
                    page = await self._dialect.candles(asset.symbol, MINUTES, first_ms, page_end_ms)
                    refuse_strays(page.rows, asset.symbol, first_ms, page_end_ms)
                    rows += page.rows
                    first_ms = page_end_ms
        except (DataError, VenueError, TimeoutError) as fault:
            _log.warning("%s %s: minutes are missing: %r", asset.venue, asset.symbol, fault)
        return bars_of(rows, MINUTE_MS) if rows else no_minutes()

    def _judge_clock(self, offset_ms: int) -> None:
        self.offset_ms = offset_ms
        if abs(offset_ms) > self._limits.max_skew_ms:
            side = "behind" if offset_ms > 0 else "ahead of"
            text = f"this machine's clock is {abs(offset_ms) / 1_000:.1f} s {side} {self._connection.venue}'s"
            raise DataError(CLOCK_SKEW, f"{text}; set it (timedatectl set-ntp true)")

    async def _spread_bps(self, symbol: str, now_ms: int) -> float | None:
        if not self._limits.with_spread:
            return None
        try:
            async with asyncio.timeout(self._limits.side_deadline_s):
                quotes: Mapping[str, Quote] = await self._quotes.get(now_ms)
        except (DataError, VenueError, TimeoutError):
            return None
        return quotes[symbol].spread_bps() if symbol in quotes else None

    async def close(self) -> None:
        await self._server_ms.close()
        await self._quotes.close()
        await self._connection.close()


def split(rows: list[Row], asset: AssetConfig, now_ms: int) -> tuple[Bars, float | None]:
    """Return the bars closed by `now_ms` as columns, and the open of the one forming then, if it is there."""
    where = f"{asset.venue} sent no"
    if not rows:
        raise DataError(EMPTY, f"{where} candles of {asset.symbol} {asset.base_timeframe}: not listed there?")
    step = asset.timeframe_ms
    closed = [row for row in rows if row.open_ms + step <= now_ms]
    if not closed:
        raise DataError(EMPTY, f"{where} closed candle of {asset.symbol} {asset.base_timeframe}")
    forming_ms = now_ms // step * step
    opens = [row.open for row in rows if row.open_ms == forming_ms]
    known = bool(opens) and math.isfinite(opens[0]) and opens[0] > 0.0
    return bars_of(closed, step), opens[0] if known else None


class _OncePerTick(Generic[T]):
    """Ask once per tick (told apart by its time) and share the answer, or the fault, among all readers."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._tick_ms: int | None = None
        self._answers: list[asyncio.Task[T | DataError | VenueError]] = []

    async def get(self, tick_ms: int) -> T:
        if self._tick_ms != tick_ms:
            self._tick_ms = tick_ms
            self._answers = [task for task in self._answers if not task.done()]
            self._answers.append(asyncio.ensure_future(self._answer()))
        answer = await asyncio.shield(self._answers[-1])  # one reader's deadline must not end it for others
        if isinstance(answer, DataError | VenueError):
            raise answer
        return answer

    async def _answer(self) -> T | DataError | VenueError:
        try:
            return await self._ask()
        except (DataError, VenueError) as fault:
            return fault

    async def close(self) -> None:
        answers, self._answers, self._tick_ms = self._answers, [], None
        for task in answers:
            task.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
