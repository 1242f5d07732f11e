"""Read what a request to Binance sends, or refuse it as the venue refuses what is missing or malformed."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from tests.exchange.binance_refusals import INVALID_INTERVAL, START_AFTER_END, BinanceRefusal, missing

Params = Mapping[str, str]
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
FAR_MS = 1 << 53


def needed(params: Params, name: str) -> str:
    """Return a mandatory parameter."""
    if not params.get(name):
        raise missing(name)
    return params[name]


def whole(params: Params, name: str, default: int) -> int:
    """Return a whole number; an absent one is `default`."""
    told = params.get(name) or str(default)
    if not told.removeprefix("-").isdigit():
        raise missing(name)
    return int(told)


def number(params: Params, name: str) -> Decimal | None:
    """Return a decimal; None for an absent one."""
    told = params.get(name)
    if not told:
        return None
    try:
        return Decimal(told)
    except InvalidOperation:
        raise BinanceRefusal(-1102, f"Mandatory parameter '{name}' was not sent or malformed.") from None


def flag(params: Params, name: str) -> bool:
    """Return whether a parameter says true, in any case of letters."""
    return params.get(name, "false").lower() == "true"


def limit(params: Params, default: int, most: int) -> int:
    return max(1, min(whole(params, "limit", default), most))


def week(params: Params, now_ms: int) -> tuple[int, int]:
    """Return [start, end] of a query that may span seven days; the last seven by default."""
    start_ms, end_ms = whole(params, "startTime", -1), whole(params, "endTime", -1)
    if start_ms < 0:
        end_ms = now_ms if end_ms < 0 else end_ms
        return end_ms - WEEK_MS, end_ms
    end_ms = start_ms + WEEK_MS if end_ms < 0 else end_ms
    if start_ms > end_ms:
        raise BinanceRefusal(*START_AFTER_END)
    if end_ms - start_ms > WEEK_MS:
        raise BinanceRefusal(*INVALID_INTERVAL)
    return start_ms, end_ms
