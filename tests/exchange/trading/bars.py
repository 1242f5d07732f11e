"""What the book needs of a listing's finest candles: the bar at a time, and the next one to close."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from tests.exchange.candles import Listing


@dataclass(frozen=True, slots=True)
class PriceBar:
    """One candle; its mark's extremes are the candle's own unless the listing has a mark series."""

    open_ms: int
    close_ms: int
    open: float
    high: float
    low: float
    close: float
    mark_high: float
    mark_low: float


class PriceBars:
    """The finest series of one listing."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.step_ms = min(listing.series)
        series = listing.series[self.step_ms]
        self.opens: list[int] = series.open_ms.tolist()
        self._values: list[list[float]] = series.values.tolist()
        marks = listing.mark.get(self.step_ms)
        self._marks: list[list[float]] = self._values if marks is None else marks.values.tolist()
        self._funding = [at for at, _rate in listing.funding]

    def bar(self, index: int) -> PriceBar:
        open_ms, marks = self.opens[index], self._marks[index]
        opened, high, low, closed = self._values[index][:4]
        return PriceBar(open_ms, open_ms + self.step_ms, opened, high, low, closed, marks[1], marks[2])

    def forming(self, at_ms: int) -> PriceBar | None:
        """Return the newest bar that opened at or before `at_ms`; None before the first."""
        index = bisect_right(self.opens, at_ms) - 1
        return self.bar(index) if index >= 0 else None

    def market_price(self, at_ms: int) -> float:
        """Return what a market order meets before costs: the open of the bar forming then.

        Where the candles have ended, the last close.
        """
        found = self.forming(at_ms)
        if found is None:
            return self.bar(0).open
        return found.open if at_ms < found.close_ms else found.close

    def next_close(self, after_ms: int, including: bool) -> int | None:
        """Return the index of the first bar that closes after `after_ms`, or at it if `including`."""
        last_open = after_ms - self.step_ms
        find = bisect_left if including else bisect_right
        index = find(self.opens, last_open)
        return index if index < len(self.opens) else None

    def next_funding(self, after_ms: int, including: bool) -> int | None:
        """Return the index of the first settlement after `after_ms`, or at it if `including`."""
        find = bisect_left if including else bisect_right
        index = find(self._funding, after_ms)
        return index if index < len(self._funding) else None

    def open_at_or_after(self, at_ms: int) -> float | None:
        """Return the open of the first bar that opens at `at_ms` or later."""
        index = bisect_left(self.opens, at_ms)
        return self._values[index][0] if index < len(self.opens) else None
