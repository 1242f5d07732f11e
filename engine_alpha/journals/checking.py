"""Check a journal: its file, its chain, and that its states are what its events add up to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from engine_alpha.errors import JournalError
from engine_alpha.journals.chain import EMPTY, Head, StoredState, broken_link, broken_state
from engine_alpha.ports import StoredEvent

Fold = Callable[[dict[str, str], StoredEvent], dict[str, str]]
"""Return the states after one more event; may change and return the very dict it was given."""

Progress = Callable[[int, int], None]
"""Called with how many events are done, and how many there are."""

_STRIDE = 1_000


class Checkable(Protocol):
    """What a check needs of a journal: both journals have it."""

    def head(self) -> Head:
        """Return number and hash of the last event."""
        ...

    def stored_states(self) -> dict[str, StoredState]:
        """Return all states as they are stored."""
        ...

    def events(
        self, kind: str | None = None, symbol: str | None = None, newest_first: bool = False
    ) -> Iterator[StoredEvent]:
        """Iterate over the stored events."""
        ...

    def integrity(self) -> tuple[str, ...]:
        """Return what is wrong with the storage itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What a check found. `events` counts the sound ones before the first broken one."""

    events: int
    states: int
    head_hash: str
    first_broken_seq: int | None
    broken: str | None
    wrong_states: tuple[str, ...]
    file_faults: tuple[str, ...]
    states_rebuilt: bool

    @property
    def sound(self) -> bool:
        """Say whether nothing at all was found."""
        return self.first_broken_seq is None and not self.wrong_states and not self.file_faults


class _Rebuilding:
    """Fold events into states and compare those with the stored ones, each where it was written."""

    def __init__(self, stored: dict[str, StoredState], fold: Fold | None) -> None:
        self.stored = stored
        self.fold = fold
        self.rebuilt: dict[str, str] = {}
        self.wrong: dict[str, str] = {}
        self.due: dict[int, list[str]] = {}
        for name, state in stored.items():
            self.due.setdefault(state.last_seq, []).append(name)
            if broken_state(name, state):
                self.wrong[name] = "is not what was written"

    def add(self, event: StoredEvent) -> None:
        if self.fold is not None:
            self.rebuilt = self.fold(self.rebuilt, event)
        for name in self.due.pop(event.seq, ()):
            self._compare(name, f"is not what the events up to {event.seq} add up to")

    def finish(self) -> tuple[str, ...]:
        for last_seq, names in self.due.items():
            for name in names:
                self.wrong.setdefault(name, f"was written with event {last_seq}, which is missing")
        for name in self.stored:
            self._compare(name, "was changed by an event after the one it was written with")
        if self.fold is not None:
            for name in self.rebuilt.keys() - self.stored.keys():
                self.wrong[name] = "is missing"
        return tuple(f"state {name} {what}" for name, what in sorted(self.wrong.items()))

    def _compare(self, name: str, otherwise: str) -> None:
        if self.fold is not None and self.rebuilt.get(name) != self.stored[name].payload:
            self.wrong.setdefault(name, otherwise)


def check(journal: Checkable, fold: Fold | None = None, progress: Progress | None = None) -> CheckReport:
    """Verify every hash and number, and with `fold` that the states can be rebuilt to the same bytes.

    Behind a broken event no state is rebuilt: what it should be is unknown then. Damage is reported, never
    raised; a `fold` that raises is a fault of its own and does raise.
    """
    file_faults = _file_faults(journal)
    total, stored, unreadable = _contents(journal)
    rebuilding = _Rebuilding(stored, fold)
    head, broken = EMPTY, unreadable
    events = _readable(journal)
    while broken is None:
        following = next(events, None)
        if following is None:
            break
        broken = following if isinstance(following, str) else broken_link(head, following)
        if broken is None and isinstance(following, StoredEvent):
            rebuilding.add(following)
            head = Head(following.seq, following.hash)
            if progress is not None and (head.seq % _STRIDE == 0 or head.seq == total):
                progress(head.seq, total)
    return CheckReport(
        events=head.seq,
        states=len(stored),
        head_hash=head.hash,
        first_broken_seq=None if broken is None else head.seq + 1,
        broken=broken,
        wrong_states=rebuilding.finish() if broken is None else (),
        file_faults=file_faults,
        states_rebuilt=fold is not None and broken is None,
    )


def _file_faults(journal: Checkable) -> tuple[str, ...]:
    try:
        return journal.integrity()
    except JournalError as fault:
        return (str(fault),)


def _contents(journal: Checkable) -> tuple[int, dict[str, StoredState], str | None]:
    try:
        return journal.head().seq, journal.stored_states(), None
    except JournalError as fault:
        return 0, {}, str(fault)


def _readable(journal: Checkable) -> Iterator[StoredEvent | str]:
    """Iterate over the events, and give the reason as text where they end in damage."""
    try:
        yield from journal.events()
    except JournalError as fault:
        yield str(fault)
