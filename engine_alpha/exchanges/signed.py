"""Signed requests over HTTP: the real `Transport`."""

import asyncio
from typing import Any, Final

from engine_alpha.errors import ConfigError, OutcomeUnknown, VenueBusy
from engine_alpha.exchanges.ccxt_connection import patient_read
from engine_alpha.exchanges.ccxt_line import CcxtLine, LineSettings
from engine_alpha.exchanges.governor import Governor
from engine_alpha.exchanges.http import Dropped, Late, NotSent
from engine_alpha.exchanges.judging import ClockRefused
from engine_alpha.exchanges.replies import field, whole
from engine_alpha.exchanges.transport import Endpoint, Params, Urgency

CLOCK_AGE_S: Final = 600.0
"""After so long the venue's clock is looked at again."""

TIME: Final[dict[str, tuple[Endpoint, str]]] = {
    "bybit": (Endpoint("GET", "/v5/market/time", "public_get_v5_market_time"), "time"),
    "binance": (Endpoint("GET", "/fapi/v1/time", "fapipublic_get_time"), "serverTime"),
}


class CcxtTransport:
    """Implements `Transport` for one account. Reads are tried twice, writes are sent once.

    Every request is stamped with the venue's time, as of the newest answer to "what time is it": behind it by
    the way of that answer, never ahead of it, which the venues forgive least.
    """

    def __init__(self, venue: str, settings: LineSettings, governor: Governor) -> None:
        if settings.api_key is None:
            raise ConfigError(f"{venue}: no API key")
        self.venue = venue
        self._line = CcxtLine(venue, settings, governor)
        self._clock_since_s: float | None = None

    async def call(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        """Return the decoded JSON of a yes; see `Transport`."""
        await self._know_the_time(urgency)
        try:
            if endpoint.writes:
                return await self._write(endpoint, params, urgency)
            return await patient_read(self._line, endpoint, params, urgency)
        except ClockRefused:
            self._clock_since_s = None  # measured again before the next request
            raise

    async def _write(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        try:
            return await self._line.ask(endpoint, params, urgency)
        except NotSent as fault:
            raise VenueBusy(f"{self.venue}: no connection ({fault}), nothing was sent") from None
        except (Dropped, Late) as fault:
            text = f"{self.venue}: {fault} to {endpoint.path}; it may have arrived"
            raise OutcomeUnknown(f"{text}: look it up, never send it again") from None

    async def _know_the_time(self, urgency: Urgency) -> None:
        """Measure the clock if that is long ago. Nobody waits for another's measurement."""
        loop_s = asyncio.get_running_loop().time()
        if self._clock_since_s is not None and loop_s - self._clock_since_s < CLOCK_AGE_S:
            return
        endpoint, name = TIME[self.venue]
        answer = await patient_read(self._line, endpoint, {}, urgency)
        server_ms = whole(field(answer, name, "time reply"), "server time")
        self._line.set_clock(self._line.local_ms() - server_ms)
        self._clock_since_s = loop_s

    async def close(self) -> None:
        """Let go of connections; the clock is measured anew afterwards."""
        self._clock_since_s = None
        await self._line.close()
