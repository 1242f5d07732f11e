"""Sends messages to every target beside the trading: a thread per target at work, a bounded queue for each.

All book-keeping is done by the caller's thread in `tend`, which never waits. A target that fails is tried
again later and later; its messages wait meanwhile, the oldest go when there is no room. A message that was
taken as the process died is sent again: told twice rather than not at all.
"""

import re
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from engine_alpha.notices.messages import BROKE, Message, Sender

ROOM = 50
_WORD = re.compile("[a-z]{1,12}")
PAUSES_MS = (5_000, 30_000, 120_000, 600_000, 900_000)
"""How long after the first, second ... failure in a row a target is tried again."""

SENT, DEAD, BACK, DROPPED = "sent", "dead", "back", "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of messages at one target: taken, begin or end of an outage, dropped for want of room."""

    status: str
    target: str  # its name, which holds nothing secret
    messages: tuple[Message, ...] = ()
    reason: str = ""


def target_names(targets: Iterable[str]) -> dict[str, str]:
    """Return the targets by names that can be shown: kind of service and place in the list.

    What is no word may be a token that slipped to the wrong place.
    """
    kinds = [(target.split(":", 1)[0].lower(), target) for target in targets]
    return {
        f"{kind if _WORD.fullmatch(kind) else 'target'} #{place}": target
        for place, (kind, target) in enumerate(kinds, 1)
    }


class Courier:
    """Carries messages to the targets, by name."""

    def __init__(self, targets: Sequence[str], send: Sender) -> None:
        self._lines = {name: _Line(name, target, send) for name, target in target_names(targets).items()}

    def names(self) -> list[str]:
        """Return the targets' names."""
        return list(self._lines)

    def put(self, message: Message, names: Iterable[str] | None = None) -> None:
        """Queue a message for all targets, or for those of these names that there are."""
        for name in self._lines if names is None else names:
            if name in self._lines:
                self._lines[name].put(message)

    def tend(self, now_ms: int) -> list[Report]:
        """Take up what the threads have done and give them more; return at once."""
        return [report for line in self._lines.values() for report in line.tend(now_ms)]

    def waiting(self) -> dict[str, list[Message]]:
        """Return what each target has not taken yet."""
        return {name: list(line.waiting) for name, line in self._lines.items() if line.waiting}

    def finish(self, timeout_s: float) -> list[Report]:
        """Send what waits, give that so much time, and return what became of it."""
        until_s = monotonic() + timeout_s
        reports = [report for line in self._lines.values() for report in line.hurry()]
        for line in self._lines.values():
            line.wait(until_s)
        return reports + [report for line in self._lines.values() for report in line.collect(0)]


class _Delivery:
    """One thread that sends messages in order until one fails."""

    def __init__(self, send: Sender, target: str, messages: tuple[Message, ...]) -> None:
        self._send, self._target, self.messages = send, target, messages
        self.taken = 0
        self.reason = BROKE
        self.thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        with suppress(Exception):  # of a plug-in: it stays BROKE, a traceback may quote the address
            self._send_all()

    def _send_all(self) -> None:
        for message in self.messages:
            reason = self._send(self._target, message)
            if reason:
                self.reason = reason
                return
            self.taken += 1
        self.reason = ""


class _Line:
    """One target: what waits for it, what is on its way, and how it does."""

    def __init__(self, name: str, target: str, send: Sender) -> None:
        self.waiting: deque[Message] = deque()
        self._name, self._target, self._send = name, target, send
        self._delivery: _Delivery | None = None
        self._dropped: list[Message] = []
        self._failures = 0
        self._retry_ms = 0

    def put(self, message: Message) -> None:
        if len(self.waiting) >= ROOM:
            self._dropped.append(self.waiting.popleft())
        self.waiting.append(message)

    def tend(self, now_ms: int) -> list[Report]:
        reports = self.collect(now_ms)
        if self._delivery is None and self.waiting and now_ms >= self._retry_ms:
            self._delivery = _Delivery(self._send, self._target, tuple(self.waiting))
        return reports

    def collect(self, now_ms: int) -> list[Report]:
        """Return what the delivery under way has come to, if it is over."""
        reports = []
        if self._dropped:
            reports.append(Report(status=DROPPED, target=self._name, messages=tuple(self._dropped)))
            self._dropped = []
        delivery = self._delivery
        if delivery is None or delivery.thread.is_alive():
            return reports
        self._delivery = None
        return [*reports, *self._outcome(delivery, now_ms)]

    def _outcome(self, delivery: _Delivery, now_ms: int) -> list[Report]:
        reports = []
        taken = delivery.messages[: delivery.taken]
        for message in taken:
            if message in self.waiting:  # it may have been dropped meanwhile
                self.waiting.remove(message)
        if taken:
            if self._failures:
                reports.append(Report(status=BACK, target=self._name))
                self._failures = 0
            reports.append(Report(status=SENT, target=self._name, messages=taken))
        if delivery.reason:
            if not self._failures:
                reports.append(Report(status=DEAD, target=self._name, reason=delivery.reason))
            self._retry_ms = now_ms + PAUSES_MS[min(self._failures, len(PAUSES_MS) - 1)]
            self._failures += 1
        return reports

    def hurry(self) -> list[Report]:
        """Start on what waits; a target that is out of order is not waited for."""
        reports = self.collect(0)
        if self._delivery is None and self.waiting and not self._failures:
            self._delivery = _Delivery(self._send, self._target, tuple(self.waiting))
        return reports

    def wait(self, until_s: float) -> None:
        if self._delivery is not None:
            self._delivery.thread.join(max(0.0, until_s - monotonic()))
