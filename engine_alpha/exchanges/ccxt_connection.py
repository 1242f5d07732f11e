"""One venue's public market data: answers, or errors that say what to do."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from engine_alpha.errors import VenueBusy
from engine_alpha.exchanges.ccxt_line import MAINNET, CcxtLine, LineSettings
from engine_alpha.exchanges.governor import Governor
from engine_alpha.exchanges.http import Dropped, Late, NotSent
from engine_alpha.exchanges.transport import Endpoint, Urgency

PAUSE_BEFORE_RETRY_S: Final = 0.25


class CcxtConnection:
    """Public endpoints of one venue. Bound to the event loop of its first request; `close` it there.

    `governor` is the venue's one pace, shared with whatever else asks there; by default one of its own.
    Candles of a testnet are its own market's.
    """

    def __init__(
        self,
        venue: str,
        base_url: str | None = None,
        timeout_ms: int = 10_000,
        governor: Governor | None = None,
        environment: str = MAINNET,
    ) -> None:
        self.venue = venue
        settings = LineSettings(environment=environment, base_url=base_url, timeout_ms=timeout_ms)
        self._line = CcxtLine(venue, settings, governor or Governor(venue))

    async def get(self, endpoint: str, params: Mapping[str, str | int]) -> Any:
        """Return the decoded JSON of one GET (an implicit endpoint of ccxt by name).

        A dropped connection is tried once more: reading twice does no harm. Raises `VenueBusy` for a
        sick or busy venue, `Refused` for what it will not serve, `DataError` "bad_reply" for nonsense.
        """
        return await patient_read(self._line, Endpoint("GET", "", endpoint), params, Urgency.CANDLES)

    async def close(self) -> None:
        """Close the sockets. A later request opens new ones."""
        await self._line.close()


async def patient_read(
    line: CcxtLine, endpoint: Endpoint, params: Mapping[str, str | int], urgency: Urgency
) -> Any:
    """Read, and once more after a dropped connection; what is not reached then is busy."""
    try:
        return await line.ask(endpoint, params, urgency)
    except Late as fault:
        raise VenueBusy(f"{line.venue}: {fault}") from None
    except (NotSent, Dropped):
        await asyncio.sleep(PAUSE_BEFORE_RETRY_S)
    try:
        return await line.ask(endpoint, params, urgency)
    except Late as fault:
        raise VenueBusy(f"{line.venue}: {fault}") from None
    except (NotSent, Dropped) as fault:
        text = f"{line.venue}: connection failed ({fault}); not reached in two tries"
        raise VenueBusy(f"{text}, trying again at the next tick") from None
