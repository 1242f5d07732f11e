"""A line to one venue: ccxt addresses and signs, we keep the pace, send, and judge the reply.

Of ccxt only the names of endpoints, the addresses and the signatures are used: its own sending drops
`Retry-After`, retries, and can't tell what was never written from what was.
"""

import re
import ssl
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from engine_alpha.errors import ConfigError, Refused, VenueBusy
from engine_alpha.exchanges.ccxt_loading import Exchange, ccxt_error, load_exchange_class
from engine_alpha.exchanges.governor import Governor
from engine_alpha.exchanges.http import EXCERPT, HttpSession
from engine_alpha.exchanges.judging import judged, verdict_of
from engine_alpha.exchanges.pace import cost_of
from engine_alpha.exchanges.transport import Endpoint, Params, Urgency

# Venue in the registry -> class of ccxt.
CCXT_CLASS: Final[dict[str, str]] = {"bybit": "bybit", "binance": "binanceusdm"}

MAINNET, TESTNET, DEMO, LOOPBACK = "mainnet", "testnet", "demo", "loopback"
ENVIRONMENTS: Final = (MAINNET, TESTNET, DEMO, LOOPBACK)
THIS_MACHINE: Final = "127.0.0.1"

SYMBOL: Final = re.compile(r'\bsymbol(?:=|"\s*:\s*")([A-Za-z0-9_-]+)')
MASK: Final = "***"
BROKER: Final = "Referer"  # ccxt's own, named to Bybit with each order; left out
LONGEST_NO: Final = 2_000  # characters; a longer reply is no refusal


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A venue's key and secret; shown nowhere."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"ApiKey({MASK})"

    def masked(self, text: str) -> str:
        """Return text without key and secret."""
        for part in (self.key, self.secret):
            if part:
                text = text.replace(part, MASK)
        return text


class LineSettings(NamedTuple):
    """Where a line leads and how long it waits; `base_url` replaces the environment's own addresses."""

    environment: str = MAINNET
    base_url: str | None = None
    timeout_ms: int = 10_000
    api_key: ApiKey | None = None
    recv_window_ms: int | None = None


class CcxtLine:
    """Bound to the event loop of its first request; `close` it there, and it may be used in another."""

    def __init__(self, venue: str, settings: LineSettings, governor: Governor) -> None:
        _check_environment(venue, settings)
        self.venue = venue
        self.settings = settings
        self._governor = governor
        self._exchange: Exchange | None = None
        self._http: HttpSession | None = None

    async def ask(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        """Send one request when its turn comes; return the decoded JSON of a yes.

        Raises what `judged` raises, `VenueBusy` in silence, and `NotSent`, `Dropped`, `Late` as they are:
        what they mean depends on who asks.
        """
        exchange = self._connected()
        call = getattr(exchange, endpoint.ccxt_name)
        try:
            async with self._governor.turn(urgency, cost_of(self.venue, endpoint.ccxt_name, params)):
                return await call(dict(params))
        except ccxt_error("BaseError") as fault:  # while signing: nothing was sent
            words = self._masked(str(fault))[:EXCERPT]
            raise Refused(f"{self.venue}: {type(fault).__name__} {words}") from None

    def now_ms(self) -> int:
        """Return the venue's time as far as it was measured."""
        exchange = self._connected()
        return exchange.milliseconds() - int(exchange.options.get("timeDifference") or 0)

    def local_ms(self) -> int:
        """Return this machine's time, which the signatures start from."""
        return self._connected().milliseconds()

    def set_clock(self, ahead_ms: int) -> None:
        """Say how far this machine's clock is ahead of the venue's."""
        self._connected().options["timeDifference"] = ahead_ms

    def _connected(self) -> Exchange:
        if self._exchange is None:
            self._exchange = _built(self.venue, self.settings)
            self._exchange.fetch = self._fetch
            secure = ssl.create_default_context(cafile=self._exchange.cafile)
            self._http = HttpSession(secure, self.settings.timeout_ms)
        return self._exchange

    async def _fetch(
        self, url: str, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None
    ) -> Any:
        """Stand in for ccxt's `fetch`."""
        if self._http is None:
            raise VenueBusy(f"{self.venue}: the connection was closed, nothing sent")
        sent = {name: value for name, value in (headers or {}).items() if name != BROKER}
        status, told, text = await self._http.send(url, method, sent, body)
        text = self._masked(text)
        code, words = verdict_of(text) if status >= 400 or len(text) < LONGEST_NO else ("0", "")
        self._governor.learn(status, told, code, words, self.now_ms())
        symbol = SYMBOL.search(f"{urlsplit(url).query} {body or ''}")
        endpoint = Endpoint(method, urlsplit(url).path, "")
        return judged(self.venue, endpoint, status, told, text, symbol[1] if symbol else "")

    def _masked(self, text: str) -> str:
        return text if self.settings.api_key is None else self.settings.api_key.masked(text)

    async def close(self) -> None:
        """Close the sockets. A later request opens new ones."""
        exchange, http = self._exchange, self._http
        self._exchange = self._http = None
        if http is not None:
            await http.close()
        if exchange is not None:
            await exchange.close()


def _check_environment(venue: str, settings: LineSettings) -> None:
    if venue not in CCXT_CLASS:
        raise ConfigError(f"venue {venue!r} is not known; known are {', '.join(CCXT_CLASS)}")
    if settings.environment not in ENVIRONMENTS:
        raise ConfigError(f"environment {settings.environment!r}: it is one of {', '.join(ENVIRONMENTS)}")
    if settings.environment == LOOPBACK and urlsplit(settings.base_url or "").hostname != THIS_MACHINE:
        raise ConfigError(f"environment {LOOPBACK} needs an address of this machine, http://{THIS_MACHINE}:…")


def _built(venue: str, settings: LineSettings) -> Exchange:
    """Build ccxt's object: the one place. Its own rate limit is off, the governor keeps the pace."""
    config: dict[str, object] = {"enableRateLimit": False}
    options: dict[str, object] = {"timeDifference": 0, "disableFuturesSandboxWarning": True}
    if settings.recv_window_ms is not None:
        options["recvWindow"] = settings.recv_window_ms
    if settings.api_key is not None:
        config |= {"apiKey": settings.api_key.key, "secret": settings.api_key.secret}
    exchange = load_exchange_class(CCXT_CLASS[venue])({**config, "options": options})
    if settings.environment == TESTNET:
        exchange.set_sandbox_mode(True)
    if settings.environment == DEMO:
        exchange.enable_demo_trading(True)
    if settings.base_url is not None:  # after sandbox and demo: those swap the addresses
        exchange.urls["api"] = rebased(exchange.urls["api"], settings.base_url)
    return exchange


def rebased(urls: Any, base: str) -> Any:
    """Return ccxt's (nested) address table with scheme and host of every address replaced by `base`."""
    if isinstance(urls, dict):
        return {name: rebased(part, base) for name, part in urls.items()}
    path = str(urls).partition("://")[2].partition("/")[2]
    return f"{base.rstrip('/')}/{path}" if path else base.rstrip("/")
