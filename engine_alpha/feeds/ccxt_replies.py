"""Read what a venue replied: decoded JSON in, typed values out, or `DataError` "bad_reply" naming the flaw.

Only the shape is judged here (types, the right symbol, columns). Whether prices can be true is judged in
`domain/bar_checks.py`, so a NaN or a doubled bar passes through untouched.
"""

import math
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from engine_alpha.domain.bar_checks import FUTURE_BAR
from engine_alpha.domain.bars import Bars
from engine_alpha.errors import DataError
from engine_alpha.feeds.ccxt_connection import BAD_REPLY

WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
LARGEST_WHOLE: Final = 10**18
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


def bad_reply(detail: str) -> DataError:
    """Return the error for a reply that does not have the documented shape."""
    return DataError(BAD_REPLY, detail)


def field(record: Any, name: str, what: str) -> Any:
    """Return `record[name]`; `what` names the record in the error."""
    if not isinstance(record, dict):
        raise bad_reply(f"{what} is {type(record).__name__}, not an object")
    if name not in record:
        raise bad_reply(f"{what} has no {name!r}")
    return record[name]


def rows_of(value: Any, what: str) -> list[Any]:
    """Return a JSON list."""
    if not isinstance(value, list):
        raise bad_reply(f"{what} is {type(value).__name__}, not a list")
    return value


def whole(value: Any, what: str) -> int:
    """Return an integer that fits 64 bits, sent as a number or as digits."""
    if isinstance(value, str) and WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST_WHOLE:
        return value
    raise bad_reply(f"{what} is {value!r:.80}, not a whole number")


def number(value: Any, what: str) -> float:
    """Return a float from a decimal string (venues send prices as text); "NaN" is a number here."""
    if isinstance(value, str) and "_" not in value:
        try:
            return float(value)
        except ValueError:
            pass
    raise bad_reply(f"{what} is {value!r:.80}, not a decimal string")


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


def same_symbol(got: Any, asked: str) -> None:
    """Refuse a reply about another symbol."""
    if got != asked:
        raise bad_reply(f"asked for {asked}, the reply is about {got!r:.80}")


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
