"""Funding settlements per symbol, kept between ticks: asked again only when one can have happened."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from engine_alpha.domain.bars import Funding
from engine_alpha.errors import DataError, VenueError
from engine_alpha.feeds.ccxt_dialects import Dialect
from engine_alpha.feeds.ccxt_replies import Settlement

HOUR_MS: Final = 3_600_000
SETTLING_MS: Final = 600_000
"""For so long after its time a settlement may still be missing from the venue's list."""


class FundingHistory:
    """The settlements of one venue's symbols as far as they are known."""

    def __init__(self, dialect: Dialect, deadline_s: float) -> None:
        self._dialect = dialect
        self._deadline_s = deadline_s
        self._known: dict[str, Funding] = {}

    async def read(self, symbol: str, first_ms: int, now_ms: int) -> Funding:
        """Return what is known of [first_ms, now_ms]; never raises for a sick venue.

        After a failure the answer ends where knowledge does (`to_ms`): empty with 0 and 0 if there is none.
        """
        known = self._known.get(symbol)
        try:
            async with asyncio.timeout(self._deadline_s):
                known = await self._up_to_date(symbol, first_ms, now_ms)
        except (DataError, VenueError, TimeoutError):
            return since(known, first_ms) if known is not None else Funding()
        self._known[symbol] = known
        return known

    async def _up_to_date(self, symbol: str, first_ms: int, now_ms: int) -> Funding:
        known = self._known.get(symbol)
        if known is None or first_ms < known.from_ms:
            known = Funding(from_ms=first_ms, to_ms=first_ms - 1)
        elif now_ms // HOUR_MS == known.to_ms // HOUR_MS:  # settlements fall on full hours only
            return replace(since(known, first_ms), to_ms=max(now_ms, known.to_ms))
        news = await self._dialect.settlements(symbol, known.to_ms + 1, now_ms)
        return since(joined(known, news, now_ms), first_ms)


def joined(known: Funding, news: Sequence[Settlement], now_ms: int) -> Funding:
    """Return `known` with `news` (oldest first) appended."""
    settled_ms = np.append(known.settled_ms, np.array([each.at_ms for each in news], np.int64))
    rates = np.append(known.rate_frac, np.array([each.rate_frac for each in news], np.float64))
    return Funding(
        settled_ms=settled_ms,
        rate_frac=rates,
        from_ms=known.from_ms,
        to_ms=known_until_ms(settled_ms.tolist(), now_ms),
    )


def known_until_ms(settled_ms: Sequence[int], now_ms: int) -> int:
    """Return the time up to which a list asked for at `now_ms` is complete.

    Venues list a settlement some seconds late. The next one is due an interval after the last (intervals
    differ by symbol and change); without two, every full hour may be one.
    """
    due_ms = now_ms // HOUR_MS * HOUR_MS
    if settled_ms and settled_ms[-1] >= due_ms:
        return now_ms
    if len(settled_ms) > 1:
        due_ms = 2 * settled_ms[-1] - settled_ms[-2]
    return due_ms - 1 if due_ms <= now_ms < due_ms + SETTLING_MS else now_ms


def since(funding: Funding, first_ms: int) -> Funding:
    """Return the part of `funding` from `first_ms` on."""
    start = int(np.searchsorted(funding.settled_ms, first_ms, side="left"))
    return replace(
        funding,
        settled_ms=funding.settled_ms[start:],
        rate_frac=funding.rate_frac[start:],
        from_ms=max(first_ms, funding.from_ms),
    )
