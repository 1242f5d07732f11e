"""Read the candles, settlements and quotes of a venue: decoded JSON in, typed values out, or "bad_reply".

Only the shape is judged here (types, the right symbol, columns). Whether prices can be true is judged in
`domain/bar_checks.py`, so a NaN or a doubled bar passes through untouched.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from engine_alpha.domain.bar_checks import FUTURE_BAR
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import DataError
from engine_alpha.exchanges.replies import bad_reply, field, number, same_symbol, whole

SNAP_MS: Final = 1_000
MINUTE_MS: Final = 60_000


class Row(NamedTuple):
    """One candle as read: open time in ms, prices, volume in base units."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class Settlement(NamedTuple):
    """One funding settlement: when, and the rate of its interval."""

    at_ms: int
    rate_frac: float


class Quote(NamedTuple):
    """Best bid and ask."""

    bid: float
    ask: float

    def spread_bps(self) -> float | None:
        """Return the spread over the middle; None for an empty or crossed book."""
        if not (0.0 < self.bid <= self.ask < math.inf):
            return None
        return (self.ask - self.bid) / ((self.ask + self.bid) / 2.0) * 10_000.0


def candle(cells: Any) -> Row:
    """Return a row from a kline list: open time, open, high, low, close, volume, more."""
    if not isinstance(cells, list) or len(cells) < 6:
        raise bad_reply(f"a candle is {cells!r:.80}, not a list of six or more")
    return Row(
        whole(cells[0], "open time"),
        number(cells[1], "open"),
        number(cells[2], "high"),
        number(cells[3], "low"),
        number(cells[4], "close"),
        number(cells[5], "volume"),
    )


def mark_candle(cells: Any) -> Row:
    """Return a row from a list of mark prices: open time, open, high, low, close; there is no volume."""
    if not isinstance(cells, list) or len(cells) < 5:
        raise bad_reply(f"a mark candle is {cells!r:.80}, not a list of five or more")
    return candle([*cells[:5], "0"])


def refuse_strays(rows: Sequence[Row], symbol: str, first_ms: int, end_ms: int) -> None:
    """Refuse a reply with a bar that was not asked for."""
    for row in rows:
        if row.open_ms >= end_ms:
            raise DataError(FUTURE_BAR, f"{symbol}: bar {row.open_ms} opens after {end_ms - 1}")
        if row.open_ms < first_ms:
            raise bad_reply(f"{symbol}: bar {row.open_ms} opens before {first_ms}, not asked for")


def settlement(item: Any, symbol: str, time: str) -> Settlement:
    """Return a settlement; `time` names its field. Jitter of some ms off the full minute is taken off."""
    same_symbol(field(item, "symbol", "settlement"), symbol)
    at_ms = whole(field(item, time, "settlement"), time)
    rate_frac = number(field(item, "fundingRate", "settlement"), "fundingRate")
    if not math.isfinite(rate_frac):
        raise bad_reply(f"the funding rate of {symbol} at {at_ms} is {rate_frac}")
    minute_ms = (at_ms + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
    return Settlement(minute_ms if abs(at_ms - minute_ms) <= SNAP_MS else at_ms, rate_frac)


def quote(item: Any, bid: str, ask: str) -> tuple[str, Quote]:
    """Return symbol and quote of one ticker; `bid` and `ask` name its fields, "" is an empty side."""
    symbol = str(field(item, "symbol", "ticker"))
    sides = (field(item, bid, symbol), field(item, ask, symbol))
    if "" in sides:
        return symbol, Quote(0.0, 0.0)
    return symbol, Quote(number(sides[0], bid), number(sides[1], ask))


def bars_of(rows: Sequence[Row], timeframe_ms: int) -> Bars:
    """Return rows as columns, in the order given."""
    columns = np.array([row[1:] for row in rows], np.float64).reshape(len(rows), 5)
    return Bars(
        timeframe_ms=timeframe_ms,
        open_ms=np.array([row.open_ms for row in rows], np.int64),
        open=columns[:, 0].copy(),
        high=columns[:, 1].copy(),
        low=columns[:, 2].copy(),
        close=columns[:, 3].copy(),
        volume=columns[:, 4].copy(),
    )
