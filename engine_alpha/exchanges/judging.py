"""The one judgement of a reply: over HTTP, in the simulated exchange, for candles and for orders.

What a reply means is judged from status, headers and body: ccxt's exceptions drop `Retry-After`, call a
proxy's HTML page an exchange error, and don't tell a refusal from an unclear outcome.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from engine_alpha.errors import ChloeError, DataError, OutcomeUnknown, Refused, StopPassed, VenueBusy
from engine_alpha.exchanges.codes import NO_KEY_ADVICE, THROUGH, Meaning, Outcome, meaning_of, names_no_symbol
from engine_alpha.exchanges.patience import asked_silence_s, later_words
from engine_alpha.exchanges.replies import BAD_REPLY
from engine_alpha.exchanges.transport import Endpoint

EXCERPT: Final = 120
FINE: Final = frozenset(("0", "200"))

# What a yes to a write must name: (venue, method, path) -> place of the object in the reply, its fields.
TOLD: Final[dict[tuple[str, str, str], tuple[str, ...]]] = {
    ("bybit", "POST", "/v5/order/create"): ("result", "orderId"),
    ("bybit", "POST", "/v5/order/cancel"): ("result", "orderId"),
    ("binance", "POST", "/fapi/v1/order"): ("orderId",),
    ("binance", "DELETE", "/fapi/v1/order"): ("orderId",),
    ("binance", "POST", "/fapi/v1/algoOrder"): ("algoId",),
}

# Texts of Binance's 503 that prove that nothing was carried out; its "Unknown error" proves nothing.
NOT_CARRIED_OUT: Final = "service unavailable"


class ClockRefused(VenueBusy):
    """The venue found our timestamp too old or too new: nothing was carried out; measure the clock."""


def judged(
    venue: str, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str, symbol: str = ""
) -> Any:
    """Return the decoded JSON of a yes, floats in it as exact text; raise for everything else.

    `VenueBusy`: nothing was carried out. `Refused`: never will be; `code` is the venue's. `OutcomeUnknown`:
    a write that may have taken effect. `DataError` "bad_reply": a read whose reply is nonsense.
    """
    answer = _decoded(body)
    code, words = verdict(answer)
    if status in (403, 418, 429):
        raise _too_many(venue, status, headers, words or body)
    if code not in FINE:
        meaning = meaning_of(venue, code, words)
        if status < 500 or meaning.outcome is not Outcome.REFUSED:
            raise _fault_of(venue, endpoint, symbol, (code, words, meaning))
    if status >= 500 or status == 408:
        _server_error(venue, endpoint, status, headers, body)
    if status == 401:
        raise Refused(f"{venue}: HTTP 401: {NO_KEY_ADVICE}", "401")
    if status >= 300:
        _nonsense(venue, endpoint, f"HTTP {status} for {endpoint.path}: {body[:EXCERPT]!r}")
    if answer is None:
        _nonsense(venue, endpoint, f"not JSON (HTTP {status}): {body[:EXCERPT]!r}")
    _refuse_gaps(venue, endpoint, answer)
    return answer


@contextmanager
def read_of_a_write(what: str) -> Iterator[None]:
    """Turn a flaw found later in the reply to a write into `OutcomeUnknown`: it may have taken effect."""
    try:
        yield
    except DataError as flaw:
        raise OutcomeUnknown(f"{what}: {flaw.detail}; look it up") from flaw


def verdict(answer: Any) -> tuple[str, str]:
    """Return the venue's own code and text: Bybit sends both always, Binance only to say no. "0" is a yes."""
    if not isinstance(answer, dict):
        return "0", ""
    code = answer.get("retCode", answer.get("code", 0))
    return str(code), str(answer.get("retMsg", answer.get("msg", "")))


def verdict_of(body: str) -> tuple[str, str]:
    """Return code and text of a reply that is not judged yet."""
    return verdict(_decoded(body))


def _decoded(body: str) -> Any:
    """Return the JSON, None if it is none; NaN and Infinity are none."""
    try:
        return json.loads(body, parse_float=str, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _too_many(venue: str, status: int, headers: Mapping[str, str], words: str) -> VenueBusy:
    why = "too many requests" if status != 403 else "too many requests, or not served in this country"
    wait_s = asked_silence_s(venue, status, headers, "0", "")
    return VenueBusy(f"{venue}: HTTP {status}, {why}; waiting {wait_s or 0.0:.0f} s ({words[:EXCERPT]})")


def _fault_of(venue: str, endpoint: Endpoint, symbol: str, told: tuple[str, str, Meaning]) -> ChloeError:
    code, words, (outcome, advice) = told
    said = f"({code}: {words[:EXCERPT]})"
    if outcome is Outcome.BUSY:
        return VenueBusy(f"{venue} is busy {said}: {advice}")
    if outcome is Outcome.CLOCK:
        return ClockRefused(f"{venue}: {advice} {said}")
    if outcome is Outcome.UNCLEAR and not endpoint.writes:
        return VenueBusy(f"{venue} is busy {said}, trying again at the next tick")
    if outcome is Outcome.UNCLEAR or (outcome is Outcome.DUPLICATE and endpoint.writes):
        return OutcomeUnknown(f"{venue}: {advice} {said}")
    if names_no_symbol(code, words):
        return Refused(f"{venue} has no {symbol or 'such symbol'}: {advice} {said}", code)
    end = f": {advice}" if advice else ""
    kind = StopPassed if advice == THROUGH else Refused
    return kind(f"{venue} says no to {symbol or 'the request'} {said}{end}", code)


def _server_error(
    venue: str, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: str
) -> NoReturn:
    later = later_words(headers)
    if venue == "binance" and status == 503 and NOT_CARRIED_OUT in body.lower():
        raise VenueBusy(f"{venue}: HTTP {status}, not carried out, trying again {later}")
    if endpoint.writes:
        raise OutcomeUnknown(f"{venue}: HTTP {status} for {endpoint.path}: look it up, never send it again")
    raise VenueBusy(f"{venue}: HTTP {status}, trying again {later}")


def _nonsense(venue: str, endpoint: Endpoint, flaw: str) -> NoReturn:
    if endpoint.writes:
        raise OutcomeUnknown(f"{venue}: {flaw}; look it up, never send it again")
    raise DataError(BAD_REPLY, f"{venue}: {flaw}")


def _refuse_gaps(venue: str, endpoint: Endpoint, answer: Any) -> None:
    """Refuse a yes that does not name what it did."""
    if endpoint.writes and not isinstance(answer, dict):
        _nonsense(venue, endpoint, f"the reply is {type(answer).__name__}, not an object")
    if venue == "bybit" and not (isinstance(answer, dict) and "retCode" in answer):
        _nonsense(venue, endpoint, "the reply has no 'retCode'")
    part = answer
    for name in TOLD.get((venue, endpoint.method, endpoint.path), ()):
        if not isinstance(part, dict) or part.get(name) in (None, ""):
            _nonsense(venue, endpoint, f"the reply has no {name!r}")
        part = part[name]
