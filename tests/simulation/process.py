"""A process that can die at any numbered point, and the disk that outlives it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine_alpha.errors import JournalError
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.ports import Event, StoredEvent


class Crash(BaseException):  # not Exception: nothing may catch it
    """The process is gone."""


@dataclass(slots=True)
class Process:
    """One life of the engine. `dies_in`: how many points are left to it, None for no end.

    Once dead, everything that it asks of the world ends in `Crash`: its other tasks are dead, too.
    """

    note: Callable[[str, str], None]
    dies_in: int | None = None
    dead: bool = False

    def point(self, name: str) -> None:
        """Pass a point at which the process may die."""
        if self.dead:
            raise Crash
        if self.dies_in is None:
            return
        self.dies_in -= 1
        if self.dies_in <= 0:
            self.dead = True
            self.note("crash", name)
            raise Crash(name)


Commit = tuple[int, tuple[Event, ...], dict[str, str]]


@dataclass(slots=True)
class Disk:
    """What is kept. `loses`: how many of the last commits a crash takes away, none for an honest disk."""

    stored: MemoryJournal = field(default_factory=MemoryJournal)
    commits: list[Commit] = field(default_factory=list)
    loses: int = 0
    full: bool = False

    def crashed(self, commits_of_this_life: int) -> None:
        """Forget what was never flushed."""
        lost = min(self.loses, commits_of_this_life)
        if not lost:
            return
        del self.commits[-lost:]
        self.stored = MemoryJournal()
        for at_ms, events, states in self.commits:
            self.stored.commit(at_ms, events, states)


class SimulatedJournal:
    """Implements `ports.Journal` for one process over the disk."""

    def __init__(self, disk: Disk, process: Process, note: Callable[[str, str], None]) -> None:
        self._disk, self._process, self._note = disk, process, note
        self.commits = 0
        self.failed = False  # as a real one: after its first failure it writes nothing more

    def state(self, name: str) -> str | None:
        """Return a stored state."""
        return self._disk.stored.state(name)

    def states(self) -> dict[str, str]:
        """Return all stored states."""
        return self._disk.stored.states()

    def has(self, kind: str, key: str) -> bool:
        """Say whether the event is there."""
        return self._disk.stored.has(kind, key)

    def events(
        self, kind: str | None = None, symbol: str | None = None, newest_first: bool = False
    ) -> Iterator[StoredEvent]:
        """Iterate over stored events."""
        return self._disk.stored.events(kind, symbol, newest_first)

    def last_seq(self) -> int:
        """Return the number of the last event."""
        return self._disk.stored.last_seq()

    def events_after(self, seq: int, kinds: Sequence[str] = ()) -> Iterator[StoredEvent]:
        """Iterate over the stored events after that number."""
        return self._disk.stored.events_after(seq, kinds)

    def commit(self, at_ms: int, events: Sequence[Event], states: Mapping[str, str]) -> int:
        """Write a transaction: whole or, if the process dies before or while it is written, not at all."""
        what = events[0].kind if events else "nothing"
        self._process.point(f"before commit {what}")
        self._process.point(f"torn commit {what}")
        if self.failed or self._disk.full:
            self.failed = True
            self._note("ENOSPC", what)
            raise JournalError("no space left on the simulated disk")
        new = self._disk.stored.commit(at_ms, events, states)
        if new:
            self.commits += 1
            self._disk.commits.append((at_ms, tuple(events), dict(states)))
        self._process.point(f"after commit {what}")
        return new

    def close(self) -> None:
        """Let go of nothing: the disk stays."""
