"""Read one field of what Binance USD-M answered: `DataError` "bad_reply" for what is not as documented.

Prices and quantities come as strings; a JSON float would have lost digits on the way and is refused.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from engine_alpha.domain import orders
from engine_alpha.exchanges import replies

QUOTE: Final = "USDT"
SIDES: Final = {"BUY": orders.BUY, "SELL": orders.SELL}
DIGITS: Final = re.compile(r"-?[0-9]{1,19}")


def field(record: Any, name: str) -> Any:
    """Return one field of a JSON object."""
    return replies.field(record, name, "binance's reply")


def rows(reply: Any) -> list[Any]:
    """Return a JSON list."""
    return replies.rows_of(reply, "binance's reply")


def word(record: Any, name: str) -> str:
    """Return a field as text: a string, or an integer's digits (order ids fill 64 bits); "" for null."""
    value = field(record, name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise replies.bad_reply(f"binance: {name} is {value!r:.40}")
    return str(value)


def exact(record: Any, name: str) -> str:
    """Return a decimal string as it was sent."""
    return replies.exact(word(record, name), f"binance: {name}")


def whole(record: Any, name: str) -> int:
    """Return an integer: an id or a time in ms."""
    value = word(record, name)
    if DIGITS.fullmatch(value) is None:
        raise replies.bad_reply(f"binance: {name} is {value!r:.40}, not a whole number")
    return int(value)


def truth(record: Any, name: str) -> bool:
    """Return a boolean, sent as such or as a word."""
    value = str(field(record, name)).lower()
    if value not in ("true", "false"):
        raise replies.bad_reply(f"binance: {name} is {value!r:.40}, not true or false")
    return value == "true"


def known(words: Mapping[str, str], record: Any, name: str) -> str:
    """Return our word for the venue's; one that is not documented is refused."""
    value = word(record, name)
    if value not in words:
        raise replies.bad_reply(f"binance: {name} is {value!r:.40}, which is not documented")
    return words[value]


def side_of(record: Any) -> str:
    """Return the side of an order or a trade."""
    return known(SIDES, record, "side")
