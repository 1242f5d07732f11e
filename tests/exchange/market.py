"""Everything the exchange knows: listings, clock, dials, and the requests it saw."""

from collections.abc import Iterable
from typing import Any

from tests.exchange.candles import Listing, Row
from tests.exchange.clock import ExchangeClock
from tests.exchange.faults import FaultPlan
from tests.exchange.limits import RateLimits


class Market:
    """The state that both venues' handlers share; accounts stand in `trading`."""

    def __init__(self, listings: Iterable[Listing], clock: ExchangeClock) -> None:
        self.listings = {listing.symbol: listing for listing in listings}
        self.clock = clock
        self.faults = FaultPlan()
        self.limits = RateLimits()
        self.requests: list[dict[str, Any]] = []

    def now_ms(self, path: str, symbol: str = "") -> int:
        """Return the exchange's time as told on this path (the dial "wrong_clock" adds its ms)."""
        wrong = self.faults.take(("wrong_clock",), path, symbol)
        return self.clock.now_ms() + sum(int(fault.value) for fault in wrong)

    def told_symbol(self, path: str, symbol: str) -> str:
        """Return the symbol that the reply names (the dial "wrong_symbol" names another)."""
        wrong = self.faults.take(("wrong_symbol",), path, symbol)
        return str(wrong[0].value or "XXXUSDT") if wrong else symbol

    def candles(self, path: str, symbol: str, timeframe_ms: int, first_ms: int, end_ms: int) -> list[Row]:
        """Return candles opening in [first_ms, end_ms), the unfinished one included, spoiled by the dials."""
        rows = self.listings[symbol].rows(timeframe_ms, first_ms, end_ms, self.clock.now_ms())
        return self.faults.spoil(rows, timeframe_ms, path, symbol)

    def marks(self, path: str, symbol: str, timeframe_ms: int, first_ms: int, end_ms: int) -> list[Row]:
        """Return the mark's candles as `candles` does the trades'."""
        rows = self.listings[symbol].marks.rows(timeframe_ms, first_ms, end_ms, self.clock.now_ms())
        return self.faults.spoil(rows, timeframe_ms, path, symbol)

    def funding(self, symbol: str, first_ms: int, end_ms: int) -> list[tuple[int, float]]:
        """Return settlements in [first_ms, end_ms] that have happened, oldest first."""
        until = min(end_ms, self.clock.now_ms())
        return [each for each in self.listings[symbol].funding if first_ms <= each[0] <= until]
