"""Tells people what happens: reads the journal on, makes messages, has them sent, never in trading's way."""

import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine_alpha.notices.courier import BACK, DEAD, DROPPED, SENT, Courier, Report
from engine_alpha.notices.faults import due_faults, mended, take_fault
from engine_alpha.notices.memory import Bar, Memory, Orders, Tally, load_memory, save_memory
from engine_alpha.notices.messages import (
    FAULTS,
    SUMMARY,
    AlertsSettings,
    Message,
    Note,
    Sender,
    line_of,
    notes_to_messages,
)
from engine_alpha.notices.summary import (
    count_fault,
    count_trade,
    forget_old_days,
    last_day,
    summary_due,
)
from engine_alpha.notices.wording import KINDS, NO_DECISION, RESTING, drawdown_notes, notes_of, unprotected
from engine_alpha.ports import Event, Journal, StoredEvent

ALERT = "alert"
ACCOUNT = "account"
STANDING_AGAIN_MS = 6 * 3_600_000
OLDEST_TOLD_MS = 24 * 3_600_000
"""What happened longer ago is not told any more, only counted: nobody looked for so long."""

_MENDING_ASKED_MS = 60_000
_LIVE_PREFIX = "live/"

_log = logging.getLogger("chloe.alerts")


class Alerter:
    """The alerts of one account; use from one thread. Without targets or kinds it does nothing at all."""

    def __init__(
        self, folder: Path, account: str, config: AlertsSettings, targets: Sequence[str], send: Sender
    ) -> None:
        self.config = config
        self._folder, self._account = folder, account
        self._courier = Courier(targets, send)
        self._memory: Memory | None = None
        self._saved: object = None
        self._asked_ms = 0
        self._trouble = ""
        self._standing: dict[str, str] = {}
        self._events: list[Event] = []

    def observe(self, journal: Journal, now_ms: int) -> list[Event]:
        """Tell what is new in the journal; return events of kind "alert" for the caller to commit.

        Returns at once, whatever the targets do. Raises `JournalError`.
        """
        if not self._courier.names():
            return []
        memory = self._remembered(journal, now_ms)
        self._take_reports(self._courier.tend(now_ms), now_ms)
        notes = self._news(memory, journal, now_ms)
        notes += unprotected(memory, now_ms)
        notes += drawdown_notes(memory, journal.state(ACCOUNT))
        notes += due_faults(memory, lambda symbol, bar: _decided(journal, symbol, bar), now_ms)
        notes += self._mended(memory, journal, now_ms)
        notes += self._due_standing(memory, now_ms)
        notes += self._summary(memory, journal, now_ms)
        self._tell(memory, notes, now_ms)
        self._take_reports(self._courier.tend(now_ms), now_ms)
        self._save(now_ms)
        events, self._events = self._events, []
        return events

    def attend(self, now_ms: int) -> None:
        """Tell what stands wrong and send on what waits, where there is no journal to observe.

        What becomes of it is in the events of the next `observe`. Nothing before the first of those.
        """
        memory = self._memory
        if memory is None or not self._courier.names():
            return
        self._take_reports(self._courier.tend(now_ms), now_ms)
        self._tell(memory, self._due_standing(memory, now_ms), now_ms)
        self._take_reports(self._courier.tend(now_ms), now_ms)
        self._save(now_ms)

    def standing(self, name: str, words: str) -> None:
        """Say what stands wrong with the engine itself, "" for nothing: told once, and once it is over.

        For what is in no journal: configuration that can't be read, an account that stands still, a watchdog
        that is not fed. `observe` tells it.
        """
        self._standing[name] = words

    def close(self, timeout_s: float) -> None:
        """Give what waits so much time to be sent; what is not is sent after the next start."""
        if self._memory is None:
            return
        self._take_reports(self._courier.finish(timeout_s), 0)
        self._save(0)

    def _remembered(self, journal: Journal, now_ms: int) -> Memory:
        """Return what is remembered; at the very first start all that is, so that no history is told."""
        memory = self._memory
        if memory is None:
            memory = self._memory = self._loaded(journal, now_ms)
        if memory.seq > journal.last_seq():  # an older copy of the journal was put in its place
            _log.warning("%s: the journal is shorter than it was; alerts go on from its end", self._account)
            memory.seq = journal.last_seq()
        return memory

    def _loaded(self, journal: Journal, now_ms: int) -> Memory:
        try:
            memory = load_memory(self._folder)
        except ValueError as fault:
            _log.error(
                "%s/alerts.json can't be read (%s): alerts begin anew from now on", self._folder, fault
            )
            memory = None
        if memory is None:
            return _first(journal, last_day(now_ms, self.config.summary_at))
        messages = {message.number: message for message in memory.messages}
        for name, numbers in memory.waiting.items():
            for message in (messages[number] for number in numbers if number in messages):
                self._courier.put(message, [name])
        return memory

    def _news(self, memory: Memory, journal: Journal, now_ms: int) -> list[Note]:
        last = journal.last_seq()
        notes: list[Note] = []
        if last > memory.seq:
            for stored in journal.events_after(memory.seq, KINDS):
                found = self._read(memory, stored, now_ms)
                notes += found if now_ms - stored.at_ms < OLDEST_TOLD_MS else []
        memory.seq = max(memory.seq, last)
        return notes

    def _read(self, memory: Memory, stored: StoredEvent, now_ms: int) -> list[Note]:
        event = stored.event
        if event.kind != NO_DECISION:
            if event.kind == "trade":
                trade = json.loads(event.payload)
                count_trade(memory, event.symbol, trade["exit_ms"], trade["net_quote"])
            return notes_of(memory, stored)
        payload = json.loads(event.payload)
        count_fault(memory, event.symbol, stored.at_ms)
        bar = Bar(event.key.rsplit("/", 1)[0], line_of(payload["detail"]), stored.at_ms)
        if payload["reason"] != RESTING:
            take_fault(memory, event.symbol, payload["reason"], bar, now_ms)
        return []

    def _mended(self, memory: Memory, journal: Journal, now_ms: int) -> list[Note]:
        if not memory.faulty or now_ms - self._asked_ms < _MENDING_ASKED_MS:
            return []
        self._asked_ms = now_ms
        return mended(memory, lambda symbol, bar: _decided(journal, symbol, bar))

    def _due_standing(self, memory: Memory, now_ms: int) -> list[Note]:
        notes = []
        for name, words in self._standing.items():
            told_ms = memory.standing.get(name)
            if words and (told_ms is None or now_ms - told_ms >= STANDING_AGAIN_MS):
                memory.standing[name] = now_ms
                notes.append(Note(kind=FAULTS, topic=name, line=words))
            elif not words and told_ms is not None:
                del memory.standing[name]
                notes.append(Note(kind=FAULTS, topic=f"{name}: over", line="all is well again"))
        return notes

    def _summary(self, memory: Memory, journal: Journal, now_ms: int) -> list[Note]:
        forget_old_days(memory, now_ms)
        due = last_day(now_ms, self.config.summary_at)
        if SUMMARY not in self.config.kinds or due <= memory.summed_day:
            return []
        return summary_due(memory, journal.states(), due)

    def _tell(self, memory: Memory, notes: Iterable[Note], now_ms: int) -> None:
        """Queue what people want to be told; it is remembered before it can be sent."""
        wanted = [note for note in notes if note.kind in self.config.kinds]
        messages = notes_to_messages(self._account, wanted, now_ms, memory.number)
        memory.number += len(messages)
        for message in messages:
            self._courier.put(message)
        if messages:
            self._save(now_ms)

    def _take_reports(self, reports: Iterable[Report], now_ms: int) -> None:
        sent: dict[int, tuple[Message, list[str]]] = {}
        for report in reports:
            for message in report.messages if report.status == SENT else ():
                sent.setdefault(message.number, (message, []))[1].append(report.target)
            if report.status == DEAD:
                _log.error("%s: %s; then: chloe alerts test", report.target, report.reason)
                self._note(DEAD, now_ms, target=report.target, reason=report.reason)
            elif report.status == BACK:
                _log.info("%s takes alerts again", report.target)
                self._note(BACK, now_ms, target=report.target)
            elif report.status == DROPPED:
                titles = [message.title for message in report.messages]
                _log.error("%s: no room for more, dropped: %s", report.target, "; ".join(titles))
                self._note(DROPPED, now_ms, target=report.target, titles=titles)
        for message, names in sent.values():
            _log.info("told %s: %s", ", ".join(names), message.title)
            self._note(SENT, now_ms, targets=names, about=message.kind, title=message.title)

    def _note(self, status: str, now_ms: int, **fields: object) -> None:
        """Keep an event for the caller to commit; each has a key of its own: none can meet an older one."""
        if self._memory is None:
            return
        self._memory.number += 1
        payload = json.dumps(
            {"status": status, **fields}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        self._events.append(Event(ALERT, "", f"{now_ms}/{self._memory.number}", now_ms, payload))

    def _save(self, now_ms: int) -> None:
        """Write down what is remembered, if it changed; where that fails alerts go on, and it is told."""
        memory = self._memory
        if memory is None:
            return
        waiting = self._courier.waiting()
        unsent = {message.number: message for messages in waiting.values() for message in messages}
        memory.messages = [unsent[number] for number in sorted(unsent)]
        memory.waiting = {name: [message.number for message in each] for name, each in waiting.items()}
        if memory.mark() == self._saved:
            return
        try:
            save_memory(self._folder, memory.text())
        except OSError as fault:
            if not self._trouble:
                self._trouble = f"{self._folder}/alerts.json can't be written ({fault.strerror})"
                _log.error("%s: after a restart alerts may be told twice", self._trouble)
                self._note(DEAD, now_ms, target="alerts.json", reason=self._trouble)
        else:
            self._saved, self._trouble = memory.mark(), ""


def _first(journal: Journal, summed_day: str) -> Memory:
    """Return what is so far, without a word of it to be told."""
    memory = Memory(seq=journal.last_seq(), number=0, summed_day=summed_day)
    for stored in journal.events("trade"):
        tally = memory.books.setdefault(stored.event.symbol, Tally())
        tally.add(json.loads(stored.event.payload)["net_quote"])
    for name, text in journal.states().items():
        if name.startswith(_LIVE_PREFIX):
            state = json.loads(text)
            naked_ms = state["naked_since_ms"]
            known = Orders(state["frozen"], state["leave"], naked_ms)
            if known != Orders():
                memory.orders[name.removeprefix(_LIVE_PREFIX)] = known
    drawdown_notes(memory, journal.state(ACCOUNT))
    return memory


def _decided(journal: Journal, symbol: str, bar: Bar) -> bool:
    """Say whether a bar has its decision by now; where its timeframe was unknown, whether any came since."""
    if "//" not in bar.key:
        return journal.has("decision", bar.key)
    newest = next(iter(journal.events("decision", symbol, newest_first=True)), None)
    return newest is not None and newest.at_ms > bar.at_ms
