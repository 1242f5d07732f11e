"""How long a venue asks for silence: from its status, headers, code and words."""

import re
from collections.abc import Mapping
from typing import Final

BAN_S: Final = 600.0  # Bybit asks for ten minutes of silence after a 403; Binance bans (418) grow from two
BUSY_S: Final = 10.0
TOO_FAST_S: Final = 1.0  # Bybit's limits of one account count by the second
LONGEST_WAIT_S: Final = 3_600.0 * 24 * 3  # Binance's longest ban
LONGEST_RESET_S: Final = 10.0

BANNED_UNTIL: Final = re.compile(r"banned until (\d{13})")
USED_WEIGHT: Final = "x-mbx-used-weight-1m"
LIMIT_RESET: Final = "x-bapi-limit-reset-timestamp"
LIMIT_CODES: Final = {
    "10006": TOO_FAST_S,
    "10429": TOO_FAST_S,
    "10018": BUSY_S,
    "-1003": BUSY_S,
    "-1015": BUSY_S,
}


def asked_silence_s(
    venue: str, status: int, headers: Mapping[str, str], code: str, words: str, now_ms: int = 0
) -> float:
    """Return how long nothing may be sent; 0 for no wish. `now_ms` is the venue's time, for its deadlines."""
    named = lower_case(headers)
    wait_s = retry_after_s(named)
    if status in (403, 418, 429):
        wait_s = max(wait_s, 0.0) or (BUSY_S if status == 429 else BAN_S)
    elif status < 500 and code not in LIMIT_CODES:
        return 0.0
    wait_s = wait_s or LIMIT_CODES.get(code, 0.0)
    until = BANNED_UNTIL.search(words)
    if until is not None and now_ms:
        wait_s = max(wait_s, (int(until[1]) - now_ms) / 1_000)
    if venue == "bybit" and code in LIMIT_CODES and now_ms:
        wait_s = max(wait_s, min(_reset_s(named, now_ms), LONGEST_RESET_S))
    return min(wait_s, LONGEST_WAIT_S)


def used_weight(headers: Mapping[str, str]) -> int | None:
    """Return the weight of the last minute as Binance counts it; None where it says nothing."""
    said = lower_case(headers).get(USED_WEIGHT, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


def retry_after_s(named: Mapping[str, str]) -> float:
    """Return the wait in `Retry-After` (names in lower case); 0 for none, or a date: neither sends one."""
    try:
        wait_s = float(named.get("retry-after", ""))
    except ValueError:
        return 0.0
    return min(wait_s, LONGEST_WAIT_S) if wait_s > 0 else 0.0


def later_words(headers: Mapping[str, str]) -> str:
    """Say when it is tried again."""
    wait_s = retry_after_s(lower_case(headers))
    return f"in {wait_s:.0f} s" if wait_s else "at the next tick"


def lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers by their names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


def _reset_s(named: Mapping[str, str], now_ms: int) -> float:
    said = named.get(LIMIT_RESET, "")
    if not (said.isascii() and said.isdigit() and len(said) == 13):
        return 0.0
    return max((int(said) - now_ms) / 1_000, 0.0)
