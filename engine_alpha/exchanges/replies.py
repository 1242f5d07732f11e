"""Read decoded JSON field by field: typed values out, or `DataError` "bad_reply" naming the flaw.

Only the shape is judged here. What a venue means by it is said where it is read.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeVar

from engine_alpha.domain.orders import Unreadable
from engine_alpha.errors import DataError

Row = TypeVar("Row")

BAD_REPLY: Final = "bad_reply"
WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
EXACT: Final = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
LARGEST_WHOLE: Final = 10**18


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


def exact(value: Any, what: str) -> str:
    """Return a plain finite decimal string as it was sent: no exponent, no NaN."""
    if isinstance(value, str) and EXACT.fullmatch(value):
        return value
    raise bad_reply(f"{what} is {value!r:.80}, not an exact decimal string")


def exact_or_none(value: Any, what: str) -> str:
    """Return an exact decimal string, "" where the venue says "" or zero: there is none."""
    if value == "" or not Decimal(exact(value, what)):
        return ""
    return str(value)


def text(value: Any, what: str) -> str:
    """Return a string as it was sent."""
    if not isinstance(value, str):
        raise bad_reply(f"{what} is {type(value).__name__}, not text")
    return value


def row_or_unreadable(read: Callable[[Any], Row], record: Any) -> Row | Unreadable:
    """Return what `read` makes of a record; one that can't be read is its own symbol's fault alone."""
    try:
        return read(record)
    except DataError as fault:
        symbol = record.get("symbol") if isinstance(record, dict) else None
        if not isinstance(symbol, str):
            raise
        return Unreadable(symbol=symbol, why=fault.detail)


def same_symbol(got: Any, asked: str) -> None:
    """Refuse a reply about another symbol."""
    if got != asked:
        raise bad_reply(f"asked for {asked}, the reply is about {got!r:.80}")
