"""One venue's public market data over ccxt's transport: answers, or errors that say what to do.

ccxt sends the request, keeps the rate limit and reads the reply. What a reply means is judged here, from
status, headers and body: ccxt's exceptions drop `Retry-After` and call a proxy's HTML page an exchange error.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import aiohttp

from engine_alpha.errors import DataError, Refused, VenueBusy
from engine_alpha.feeds.ccxt_loading import Exchange, ccxt_error, load_exchange_class

BAD_REPLY: Final = "bad_reply"

# Venue in the registry -> class of ccxt.
CCXT_CLASS: Final[dict[str, str]] = {"bybit": "bybit", "binance": "binanceusdm"}

# Bybit allows 600 requests in 5 s from one address; ccxt's own figures come to 50, a queue from 25 coins on.
# This makes it 500: ccxt counts 5 for a public request, and 5,000 ms / 2 may be spent in the window.
CCXT_LIMITS: Final[dict[str, dict[str, object]]] = {"bybit": {"rateLimit": 2}, "binance": {}}

PAUSE_BEFORE_RETRY_S: Final = 0.25
BAN_S: Final = 600.0  # Bybit asks for ten minutes of silence after a 403; Binance bans (418) grow from two
BUSY_S: Final = 10.0
LONGEST_WAIT_S: Final = 3_600.0
EXCERPT: Final = 120
BUSY_CODES: Final = frozenset(
    ("10000", "10006", "10016", "10018", "-1000", "-1001", "-1003", "-1006", "-1007", "-1008")
)


class CcxtConnection:
    """Public endpoints of one venue. Bound to the event loop of its first request; `close` it there."""

    def __init__(self, venue: str, base_url: str | None = None, timeout_ms: int = 10_000) -> None:
        self.venue = venue
        self._base_url = base_url
        self._timeout_ms = timeout_ms
        self._exchange: Exchange | None = None
        self._silent_until_s = 0.0  # of the loop's clock

    async def get(self, endpoint: str, params: Mapping[str, str | int]) -> Any:
        """Return the decoded JSON of one GET (an implicit endpoint of ccxt by name).

        A dropped connection is tried once more: reading twice does no harm. Raises `VenueBusy` for a
        sick or busy venue, `Refused` for what it will not serve, `DataError` "bad_reply" for nonsense.
        """
        self._keep_silence()
        try:
            return await self._send(endpoint, params)
        except _Dropped:
            await asyncio.sleep(PAUSE_BEFORE_RETRY_S)
        try:
            return await self._send(endpoint, params)
        except _Dropped as fault:
            raise VenueBusy(f"{fault}; not reached in two tries, trying again at the next tick") from fault

    async def _send(self, endpoint: str, params: Mapping[str, str | int]) -> Any:
        exchange = self._connected()
        try:
            return await getattr(exchange, endpoint)(params)
        except ccxt_error("RequestTimeout") as fault:
            raise VenueBusy(f"{self.venue}: no answer within {self._timeout_ms} ms") from fault
        except ccxt_error("BaseError") as fault:
            cause = fault.__cause__ or fault
            text = f"{type(cause).__name__} {cause}"[:EXCERPT]
            if isinstance(fault, ccxt_error("NetworkError")) or isinstance(cause, aiohttp.ClientError):
                raise _Dropped(f"{self.venue}: connection failed ({text})") from fault
            raise DataError(BAD_REPLY, f"{self.venue}: {text}") from fault

    def _connected(self) -> Exchange:
        if self._exchange is None:
            build = load_exchange_class(CCXT_CLASS[self.venue])
            limits = {"rateLimiterAlgorithm": "rollingWindow", **CCXT_LIMITS[self.venue]}
            exchange = build({"timeout": self._timeout_ms, **limits})
            if self._base_url is not None:
                exchange.urls["api"] = rebased(exchange.urls["api"], self._base_url)
            secure = ssl.create_default_context(cafile=exchange.cafile)
            exchange.ssl_context, exchange.own_session, exchange.timeout_on_exit = secure, False, 0
            exchange.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=secure, happy_eyeballs_delay=0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            exchange.handle_errors = self._judge
            self._exchange = exchange
        return self._exchange

    async def close(self) -> None:
        """Close the sockets. A later request opens new ones."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.session.close()
            await exchange.close()

    def _keep_silence(self) -> None:
        left_s = self._silent_until_s - asyncio.get_running_loop().time()
        if left_s > 0:
            raise VenueBusy(f"{self.venue} asked for patience: {left_s:.0f} s left, nothing sent")

    def _judge(self, status: int, _reason: str, url: str, _method: str, *reply: Any) -> None:
        """Stand in for ccxt's `handle_errors`, which gets (headers, body, json, …) after these."""
        headers, body, answer = reply[0], reply[1], reply[2]
        if status in (403, 418, 429):
            raise self._too_many_requests(status, headers)
        if status >= 500 or status == 408:
            wait_s = _retry_after_s(headers)
            later = "at the next tick" if wait_s is None else f"in {wait_s:.0f} s"
            self._be_silent(wait_s or 0.0)
            raise VenueBusy(f"{self.venue}: HTTP {status}, trying again {later}")
        if answer is None:
            raise DataError(BAD_REPLY, f"{self.venue}: not JSON (HTTP {status}): {body[:EXCERPT]!r}")
        code, text = _verdict(answer)
        if code != "0":
            symbol = parse_qs(urlsplit(url).query).get("symbol", [""])[0]
            raise refusal(self.venue, symbol, code, text)
        if status >= 400:
            raise DataError(BAD_REPLY, f"{self.venue}: HTTP {status} for {urlsplit(url).path}")

    def _too_many_requests(self, status: int, headers: Mapping[str, str]) -> VenueBusy:
        wait_s = _retry_after_s(headers) or (BUSY_S if status == 429 else BAN_S)
        self._be_silent(wait_s)
        why = "too many requests" if status != 403 else "too many requests, or not served in this country"
        return VenueBusy(f"{self.venue}: HTTP {status}, {why}; waiting {wait_s:.0f} s")

    def _be_silent(self, wait_s: float) -> None:
        until_s = asyncio.get_running_loop().time() + wait_s
        self._silent_until_s = max(self._silent_until_s, until_s)


class _Dropped(VenueBusy):
    """The connection failed before there was an answer."""


def _verdict(answer: Any) -> tuple[str, str]:
    """Return the venue's own code and text: Bybit sends both always, Binance only to say no."""
    if not isinstance(answer, dict):
        return "0", ""
    code = answer.get("retCode", answer.get("code", 0))
    return str(code), str(answer.get("retMsg", answer.get("msg", "")))


def refusal(venue: str, symbol: str, code: str, text: str) -> Exception:
    """Return the error for a venue's own error code: busy where it says so, else refused."""
    if code in BUSY_CODES:
        return VenueBusy(f"{venue} is busy ({code}: {text}), trying again at the next tick")
    if code == "-1121" or (code == "10001" and "symbol" in text.lower()):
        return Refused(f"{venue} has no {symbol}: settled, renamed or never listed ({code}: {text})")
    return Refused(f"{venue} says no to {symbol or 'the request'} ({code}: {text})")


def rebased(urls: Any, base: str) -> Any:
    """Return ccxt's (nested) address table with scheme and host of every address replaced by `base`."""
    if isinstance(urls, dict):
        return {name: rebased(part, base) for name, part in urls.items()}
    path = str(urls).partition("://")[2].partition("/")[2]
    return f"{base.rstrip('/')}/{path}" if path else base.rstrip("/")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait that the venue asks for; None if it names none (or a date, as neither does)."""
    named = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    try:
        wait_s = float(named)
    except ValueError:
        return None
    return min(wait_s, LONGEST_WAIT_S) if wait_s > 0 else None
