"""The journal on disk: one SQLite file, one writer, every commit durable when it returns."""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.exc import IntegrityError

from engine_alpha.errors import JournalError
from engine_alpha.journals import connecting, opening, queries
from engine_alpha.journals.chain import Head, StoredState, link, partly_known, require_whole, seal
from engine_alpha.journals.faults import journal_faults
from engine_alpha.ports import Event, StoredEvent

_FIRST_PAGES = (16, 64)  # who asks for the newest event only should not wait for 256
_PAGE = 256
_MOST_TIMES = 4_096


class SqliteJournal:
    """Implement `ports.Journal` on SQLite; use from one thread at a time, and write under the account's lock.

    A batch of events stands or falls with its first one (the decision of a bar): if that is stored already,
    nothing of the batch is written and `commit` returns 0. After a failure the journal writes nothing more.
    `commit_seconds` are how long the newest commits took.
    """

    def __init__(self, path: Path, opened: opening.Opened, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._connection: Connection = opened.connection
        self._head = opened.head
        self._states = {name: state.payload for name, state in opened.states.items()}
        self._driver_error: type[Exception] = connecting.sqlite_driver().Error
        self._failed = False
        self._closed = False
        self.commit_seconds: deque[float] = deque(maxlen=_MOST_TIMES)

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> "SqliteJournal":
        """Open or create the journal at `path`, after verifying its states and its last events.

        A reader creates nothing, verifies nothing (see `check`) and needs no lock. Raises `JournalError`.
        """
        with journal_faults(path, connecting.sqlite_driver().Error):
            opened = opening.open_reader(path) if read_only else opening.open_writer(path)
        return cls(path, opened, read_only=read_only)

    def state(self, name: str) -> str | None:
        """Return the stored state under `name` as JSON text, None if there is none; free for a writer."""
        if not self.read_only:
            return self._states.get(name)
        with self._transaction() as connection:
            found: str | None = connection.scalar(queries.STATE, {"name": name})
        return found

    def states(self) -> dict[str, str]:
        """Return all states by name, ordered by name."""
        if not self.read_only:
            return dict(sorted(self._states.items()))
        return {name: state.payload for name, state in self.stored_states().items()}

    def stored_states(self) -> dict[str, StoredState]:
        """Return all states as they are on disk, ordered by name."""
        with self._transaction() as connection:
            return queries.read_states(connection)

    def head(self) -> Head:
        """Return number and hash of the last event."""
        if not self.read_only:
            return self._head
        with self._transaction() as connection:
            return queries.read_head(connection)

    def has(self, kind: str, key: str) -> bool:
        """Say whether the event is there."""
        with self._transaction() as connection:
            return bool(connection.scalar(queries.HAS, {"kind": kind, "key": key}))

    def events(
        self, kind: str | None = None, symbol: str | None = None, newest_first: bool = False
    ) -> Iterator[StoredEvent]:
        """Iterate over the events stored by now, page by page: memory stays flat and the writer may go on."""
        return self._pages(queries.page(kind, symbol, newest_first), newest_first, (1, self.head().seq))

    def last_seq(self) -> int:
        """Return the number of the last event, 0 for none; free for a writer."""
        return self.head().seq

    def events_after(self, seq: int, kinds: Sequence[str] = ()) -> Iterator[StoredEvent]:
        """Iterate over the events stored by now that come after number `seq`, of these kinds or of all."""
        return self._pages(queries.page_of_kinds(kinds), False, (seq + 1, self.head().seq))

    def _pages(
        self, query: Select[Any], newest_first: bool, between: tuple[int, int]
    ) -> Iterator[StoredEvent]:
        first, last = between
        for size in chain(_FIRST_PAGES, repeat(_PAGE)):
            with self._transaction() as connection:
                page = queries.read_page(connection, query, first, last, size)
            yield from page
            if len(page) < size:
                return
            if newest_first:
                last = page[-1].seq - 1
            else:
                first = page[-1].seq + 1

    def commit(self, at_ms: int, events: Sequence[Event], states: Mapping[str, str]) -> int:
        """Append events and replace states in one transaction; return how many events were new: all or none.

        Raises `BrokenPromise`, with nothing written, for states without an event, for one event twice in a
        batch, and for a batch whose first event is new while a later one is stored already.
        """
        self._require_writable()
        require_whole(events, states)
        if not events:
            return 0
        linked = link(self._head, at_ms, events)
        sealed = seal(states, linked[-1].seq)
        began_s = time.monotonic()
        with self._transaction() as connection:
            if not self._write(connection, linked, sealed):
                return 0
        self.commit_seconds.append(time.monotonic() - began_s)
        self._head = Head(linked[-1].seq, linked[-1].hash)
        self._states.update(states)
        return len(linked)

    def _write(
        self, connection: Connection, linked: list[StoredEvent], states: dict[str, StoredState]
    ) -> bool:
        first = linked[0].event
        named = {"kind": first.kind, "key": first.key}
        last_seq, known = connection.execute(queries.BEFORE_COMMIT, named).one()
        if (last_seq or 0) != self._head.seq:
            raise JournalError(
                f"another process wrote to the journal {self.path} (its last event is {last_seq}, ours was "
                f"{self._head.seq}), nothing was written: stop both and start one"
            )
        if known:
            return False
        try:
            connection.execute(queries.APPEND, queries.event_rows(linked))
        except IntegrityError as fault:
            raise partly_known([stored.event for stored in linked]) from fault
        if states:
            connection.execute(queries.REPLACE, queries.state_rows(states))
        return True

    def integrity(self) -> tuple[str, ...]:
        """Return what SQLite finds wrong with the file: nothing, if it is sound. Reads all of it."""
        with self._transaction() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        return tuple(str(line) for line in found if line != "ok")

    def close(self) -> None:
        """Let go of the file; the lock is let go by `account_lock`."""
        if self._closed:
            return
        self._closed = True
        if self._failed:
            connecting.abandon(self._connection, self.path)
            return
        with journal_faults(self.path, self._driver_error):
            connecting.disconnect(self._connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        if self._closed:
            raise JournalError(f"the journal {self.path} is closed")
        try:
            with journal_faults(self.path, self._driver_error), self._connection.begin():
                yield self._connection
        except JournalError:
            self._failed = True
            raise

    def _require_writable(self) -> None:
        if self.read_only:
            raise JournalError(f"the journal {self.path} was opened for reading only")
        if self._failed:
            raise JournalError(
                f"the journal {self.path} failed and writes nothing more: stop, then start again"
            )
