"""Private requests without HTTP: what comes in, what goes out, and what faults and limits make of it.

The HTTP wrapper and the simulator send every private request through one `Front`, so that a dial hits the
same request at the same place in both.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.exchange.faults import Decision, Fault
from tests.exchange.market import Market
from tests.exchange.trading.book import TradingBook

HTML = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


@dataclass(frozen=True, slots=True)
class Auth:
    """How a request is signed: its headers, and the raw query string or body that was signed.

    `verified`: the caller is in this process and need not sign; `key` is whose it is then.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    payload: str = ""
    key: str = ""
    verified: bool = False

    def header(self, name: str) -> str:
        """Return a header whatever its case, "" for none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply: `body` is JSON to be (dict, list) or text that is no JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class PrivateVenue(Protocol):
    """One venue's private protocol over a book."""

    book: TradingBook

    def serves(self, method: str, path: str) -> bool:
        """Say whether this is a private path of the venue's."""
        ...

    def handle(self, method: str, path: str, params: Mapping[str, str], auth: Auth) -> Reply:
        """Answer one request. `params`: query or decoded body, every value as text (true, false, 1)."""
        ...

    def refusal(self, code: int, text: str) -> Reply:
        """Return a "no" in the venue's shape, for the dials."""
        ...

    def maintenance(self) -> Reply:
        """Return what the venue answers while its service is down: nothing happened."""
        ...


LOST, HALF, WHOLE = "lost", "half", "whole"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets after `delay_ms`: the reply whole, cut in half as valid HTTP ("half"), or nothing.

    "lost": the connection breaks; `sent_half` says if half of the body came before that.
    """

    reply: Reply | None
    delay_ms: int = 0
    delivery: str = WHOLE
    sent_half: bool = False


class Front:
    """The door to one venue: pace, then faults before the effect, the effect, faults after it."""

    def __init__(self, market: Market, venue: PrivateVenue) -> None:
        self.market, self.venue = market, venue

    def late_ms(self, path: str, params: Mapping[str, str]) -> int:
        """Return how long a request is under way before it arrives (the dial "late")."""
        hit = self.market.faults.take(("late",), path, params.get("symbol", ""))
        return sum(int(fault.value) for fault in hit)

    def answer(self, method: str, path: str, params: Mapping[str, str], auth: Auth) -> Answer:
        """Answer one request as pace and dials say."""
        now_ms = self.market.clock.now_ms()
        self.venue.book.advance(now_ms)
        refused = self.market.limits.refused(path, now_ms)
        if refused is not None:
            return Answer(Reply(*refused))
        symbol = params.get("symbol", "")
        decision = self.market.faults.decide(path, symbol)
        for fault in self.market.faults.take(("refuse",), path, symbol):
            return Answer(self.venue.refusal(*fault.value), decision.delay_ms)
        if decision.before is not None:
            return before_effect(decision.before, decision.delay_ms, self.venue.maintenance)
        reply = self.venue.handle(method, path, params, auth)
        if decision.twice:
            reply = self.venue.handle(method, path, params, auth)
        headers = {**reply.headers, **self.market.limits.headers(path, now_ms)}
        return after_effect(decision, Reply(reply.status, reply.body, headers))


def before_effect(fault: Fault, delay_ms: int, maintenance: Callable[[], Reply]) -> Answer:
    """Return what a fault answers in place of the venue: nothing has happened there."""
    if fault.kind == "drop":
        return Answer(None, delay_ms, LOST)
    if fault.kind == "maintenance":
        return Answer(maintenance(), delay_ms)
    return Answer(spoiled(fault), delay_ms)


def spoiled(fault: Fault) -> Reply:
    """Return the reply of a fault that answers by itself."""
    kind = fault.kind.removesuffix("_after")
    if kind == "status":
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return Reply(int(fault.value), "slow down", headers)
    return Reply(200, HTML if kind == "html" else str(fault.value))


def after_effect(decision: Decision, reply: Reply) -> Answer:
    """Return what a fault leaves of a true reply: the effect has taken place."""
    fault, delay_ms = decision.after, decision.delay_ms
    if fault is None:
        return Answer(reply, delay_ms)
    if fault.kind == "drop_after":
        return Answer(None, delay_ms, LOST)
    if fault.kind == "cut":
        return Answer(reply, delay_ms, LOST, sent_half=True)
    if fault.kind == "truncate":
        return Answer(reply, delay_ms, HALF)
    return Answer(spoiled(fault), delay_ms)
