"""The public market data of each venue in its own words: endpoints, parameters, shapes of replies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.exchanges.ccxt_connection import CcxtConnection
from engine_alpha.exchanges.replies import bad_reply, field, rows_of, same_symbol, whole
from engine_alpha.feeds.ccxt_replies import Quote, Row, Settlement, candle, mark_candle, quote, settlement

# Bybit writes minutes, and D for a day.
BYBIT_INTERVAL: Final = {name: str(ms // 60_000) for name, ms in TIMEFRAME_MS.items()} | {"1d": "D"}
CATEGORY: Final = "linear"
Asked = tuple[str, str, int, int]  # symbol, timeframe, first open, end


@dataclass(frozen=True, slots=True)
class Page:
    """Candles of one reply, in the venue's order turned oldest first, and the server's time if it says it."""

    rows: list[Row]
    server_ms: int | None


class Dialect(Protocol):
    """What the feed asks of a venue."""

    page_bars: int
    asks_time: bool
    """True if only an endpoint of its own tells the server's time."""

    async def server_ms(self) -> int:
        """Return the venue's clock."""
        ...

    async def candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Page:
        """Return the candles that open in [first_ms, end_ms): at most `page_bars` of them."""
        ...

    async def mark_candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Page:
        """Return the mark price's candles, like `candles`, without volume."""
        ...

    async def settlements(self, symbol: str, from_ms: int, to_ms: int) -> list[Settlement]:
        """Return every funding settlement in [from_ms, to_ms], oldest first; `bad_reply` if too many."""
        ...

    async def quotes(self) -> Mapping[str, Quote]:
        """Return best bid and ask of every symbol."""
        ...


BYBIT_FUNDING_PAGE: Final = 200
BINANCE_FUNDING_PAGE: Final = 1_000
MOST_PAGES: Final = 15
JITTER_MS: Final = 1_000


class BybitPublic:
    """Bybit v5, linear perpetuals. Every reply carries the server's time."""

    page_bars = 1_000
    asks_time = False

    def __init__(self, connection: CcxtConnection) -> None:
        self._connection = connection

    async def server_ms(self) -> int:
        """Ask /v5/market/time."""
        reply = await self._connection.get("public_get_v5_market_time", {})
        return whole(field(reply, "time", "time reply"), "server time")

    async def candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Page:
        """Ask /v5/market/kline: newest first, the unfinished candle included."""
        asked = (symbol, timeframe, first_ms, end_ms)
        return await self._klines("public_get_v5_market_kline", asked, candle)

    async def mark_candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Page:
        """Ask /v5/market/mark-price-kline: the same without volume."""
        asked = (symbol, timeframe, first_ms, end_ms)
        return await self._klines("public_get_v5_market_mark_price_kline", asked, mark_candle)

    async def _klines(self, endpoint: str, asked: Asked, row_of: Callable[[Any], Row]) -> Page:
        symbol, timeframe, first_ms, end_ms = asked
        reply = await self._connection.get(
            endpoint,
            {
                "category": CATEGORY,
                "symbol": symbol,
                "interval": BYBIT_INTERVAL[timeframe],
                "start": str(first_ms),
                "end": str(end_ms - 1),
                "limit": str(self.page_bars),
            },
        )
        result = field(reply, "result", "kline reply")
        same_symbol(field(result, "symbol", "kline result"), symbol)
        newest_first = rows_of(field(result, "list", "kline result"), "kline list")
        rows = [row_of(cells) for cells in reversed(newest_first)]
        return Page(rows, whole(field(reply, "time", "kline reply"), "server time"))

    async def settlements(self, symbol: str, from_ms: int, to_ms: int) -> list[Settlement]:
        """Ask /v5/market/funding/history backwards: by its end alone it sends the newest 200 up to there."""
        found: list[Settlement] = []
        for _ in range(MOST_PAGES):
            page = await self._settlements_until(symbol, to_ms)
            found = page + found
            if len(page) < BYBIT_FUNDING_PAGE or page[0].at_ms <= from_ms:
                return [each for each in found if each.at_ms >= from_ms]
            to_ms = page[0].at_ms - 1
        raise bad_reply(f"bybit {symbol}: more than {MOST_PAGES} pages of funding")

    async def _settlements_until(self, symbol: str, to_ms: int) -> list[Settlement]:
        reply = await self._connection.get(
            "public_get_v5_market_funding_history",
            {"category": CATEGORY, "symbol": symbol, "endTime": str(to_ms), "limit": str(BYBIT_FUNDING_PAGE)},
        )
        listed = rows_of(field(field(reply, "result", "funding reply"), "list", "funding result"), "list")
        return [settlement(item, symbol, time="fundingRateTimestamp") for item in reversed(listed)]

    async def quotes(self) -> Mapping[str, Quote]:
        """Ask /v5/market/tickers for all symbols at once; one without a book is left out."""
        reply = await self._connection.get("public_get_v5_market_tickers", {"category": CATEGORY})
        listed = rows_of(field(field(reply, "result", "tickers reply"), "list", "tickers result"), "list")
        return dict(quote(item, "bid1Price", "ask1Price") for item in listed)


class BinancePublic:
    """Binance USD-M perpetuals. Only its time endpoint tells the server's time."""

    page_bars = 1_500
    asks_time = True

    def __init__(self, connection: CcxtConnection) -> None:
        self._connection = connection

    async def server_ms(self) -> int:
        """Ask /fapi/v1/time."""
        reply = await self._connection.get("fapipublic_get_time", {})
        return whole(field(reply, "serverTime", "time reply"), "server time")

    async def candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Page:
        """Ask /fapi/v1/klines: oldest first, the unfinished candle last. The reply names no symbol.

        A thousand rows cost half of what more do, and hold any decision's window.
        """
        asked = (symbol, timeframe, first_ms, end_ms)
        return await self._klines("fapipublic_get_klines", asked, candle)

    async def mark_candles(self, symbol: str, timeframe: str, first_ms: int, end_ms: int) -> Page:
        """Ask /fapi/v1/markPriceKlines: the same, with zeros for volumes."""
        asked = (symbol, timeframe, first_ms, end_ms)
        return await self._klines("fapipublic_get_markpriceklines", asked, mark_candle)

    async def _klines(self, endpoint: str, asked: Asked, row_of: Callable[[Any], Row]) -> Page:
        symbol, timeframe, first_ms, end_ms = asked
        bars = (end_ms - first_ms) // TIMEFRAME_MS[timeframe] + 1
        reply = await self._connection.get(
            endpoint,
            {
                "symbol": symbol,
                "interval": timeframe,
                "startTime": first_ms,
                "endTime": end_ms - 1,
                "limit": 1_000 if bars <= 1_000 else self.page_bars,  # an int: ccxt compares it
            },
        )
        return Page([row_of(cells) for cells in rows_of(reply, "kline reply")], None)

    async def settlements(self, symbol: str, from_ms: int, to_ms: int) -> list[Settlement]:
        """Ask /fapi/v1/fundingRate forwards: it sends the oldest ones from its start on."""
        found: list[Settlement] = []
        for _ in range(MOST_PAGES):
            asked: dict[str, str | int] = {
                "symbol": symbol,
                "startTime": from_ms,
                "endTime": to_ms,
                "limit": BINANCE_FUNDING_PAGE,
            }
            listed = rows_of(await self._connection.get("fapipublic_get_fundingrate", asked), "funding reply")
            page = [settlement(item, symbol, time="fundingTime") for item in listed]
            found += page
            if len(page) < BINANCE_FUNDING_PAGE:
                return found
            from_ms = page[-1].at_ms + JITTER_MS
        raise bad_reply(f"binance {symbol}: more than {MOST_PAGES} pages of funding")

    async def quotes(self) -> Mapping[str, Quote]:
        """Ask /fapi/v1/ticker/bookTicker for all symbols at once."""
        reply = await self._connection.get("fapipublic_get_ticker_bookticker", {})
        return dict(quote(item, "bidPrice", "askPrice") for item in rows_of(reply, "tickers reply"))


def dialect_of(venue: str, connection: CcxtConnection) -> Dialect:
    """Return the venue's dialect over `connection`."""
    if venue == "bybit":
        return BybitPublic(connection)
    if venue == "binance":
        return BinancePublic(connection)
    raise bad_reply(f"no feed for venue {venue!r}")
