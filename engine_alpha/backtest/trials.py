"""The trial ledger: every set of parameters that was ever evaluated, append-only, counted once.

The best of many trials looks good without any edge, so whoever judges a result must know how many there were.
A trial is written down before it is evaluated: one that fails or is interrupted counts, too. The ledger is a
journal (a chain of hashes, durable) in the home's state; `witness` notices when it is reset.
"""

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from engine_alpha.atomic_files import uninterrupted
from engine_alpha.backtest.sweeping.ledger_records import (
    RESET,
    STUDY,
    TRIAL,
    LedgerSummary,
    Study,
    event_of,
    fold,
    result_event,
    sha256_of,
    summary_of,
)
from engine_alpha.backtest.sweeping.ledger_witness import Witness, read_witnesses, write_witnesses
from engine_alpha.backtest.sweeping.outcome import Outcome
from engine_alpha.errors import JournalError, LockHeld
from engine_alpha.home import Home
from engine_alpha.journals.chain import EMPTY, Head
from engine_alpha.journals.checking import CheckReport, check
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.ports import Event, StoredEvent

ACCOUNT: Final = "research"
FILE: Final = "trials.sqlite"  # not named like an account's journal: no command takes it for an account
LONGEST_WAIT_S: Final = 30.0


class TrialLedger:
    """The ledger of a home. It is opened for each batch only, so that several sweeps may write in turn."""

    def __init__(self, home: Home, clock_ms: Callable[[], int] | None = None) -> None:
        """Touch nothing yet; `clock_ms` dates the entries, by default the machine's clock."""
        self._home = home
        self._folder = home.account(ACCOUNT)
        self._clock_ms = clock_ms or (lambda: time.time_ns() // 1_000_000)
        self._studies: set[str] = set()  # written down by now
        self._fresh: set[str] = set()  # trials of which there can't be a result yet

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._folder / FILE

    def begin(self, study: Study, trials: Mapping[str, Mapping[str, Any]]) -> int:
        """Write down trials (key: values by name) that are about to be evaluated; return how many are new."""
        return self.record(study, trials, {})

    def finish(self, study: Study, results: Mapping[str, Outcome | str]) -> None:
        """Write down what trials came to, by key: an outcome, or in words why there is none."""
        self.record(study, {}, results)

    def record(
        self,
        study: Study,
        begun: Mapping[str, Mapping[str, Any]],
        finished: Mapping[str, Outcome | str],
    ) -> int:
        """Finish some trials and begin the next ones in one go; return how many of these are new."""
        with self._opened() as writing:
            writing.add(self._finished(study, finished, writing.journal))
            events = self._begun(study, begun, writing.journal)
            if study.key not in self._studies and not writing.journal.has(STUDY, study.key):
                events = [event_of(STUDY, study.key, {**asdict(study), "group": study.group}), *events]
            writing.add(events)
        self._studies.add(study.key)
        new = {event.key for event in events if event.kind == TRIAL}
        self._fresh |= new
        return len(new)

    def _begun(
        self, study: Study, trials: Mapping[str, Mapping[str, Any]], journal: SqliteJournal
    ) -> list[Event]:
        about = {"study": study.key, "group": study.group}
        return [
            event_of(TRIAL, key, {**about, "values": values})
            for key, values in trials.items()
            if not journal.has(TRIAL, key)
        ]

    def _finished(
        self, study: Study, results: Mapping[str, Outcome | str], journal: SqliteJournal
    ) -> list[Event]:
        events = [result_event(study, key, found) for key, found in results.items()]
        fresh, self._fresh = self._fresh, self._fresh - results.keys()
        return [event for event in events if event.key in fresh or not journal.has(event.kind, event.key)]

    def summary(self) -> LedgerSummary:
        """Return what is known; a reset that nobody has noticed yet is written down."""
        if not self.path.exists() and not read_witnesses(self._home):
            return summary_of({})
        with self._opened() as writing:
            return summary_of(writing.journal.states())

    def check(self, progress: Callable[[int, int], None] | None = None) -> CheckReport | None:
        """Verify every hash and count; None where there is no ledger."""
        if not self.path.exists():
            return None
        with _locked(self._folder):
            journal = SqliteJournal.open(self.path, read_only=True)
            try:
                return check(journal, fold, progress)
            finally:
                journal.close()

    @contextmanager
    def _opened(self) -> Iterator["_Writing"]:
        with _locked(self._folder), uninterrupted():
            witnesses = read_witnesses(self._home)
            journal = SqliteJournal.open(self.path)
            try:
                writing = _Writing(journal, self._clock_ms())
                writing.note_reset(witnesses)
                yield writing
                head, known = journal.head(), summary_of(journal.states()).known
                if head != EMPTY:
                    written = Witness(seq=head.seq, head_hash=head.hash, trials=known)
                    write_witnesses(self._home, written)
            finally:
                journal.close()


class _Writing:
    """The ledger while its lock is held."""

    def __init__(self, journal: SqliteJournal, at_ms: int) -> None:
        self.journal = journal
        self._at_ms = at_ms

    def add(self, events: Sequence[Event]) -> int:
        """Append events, none of them known, with the counts after them."""
        if not events:
            return 0
        before = self.journal.states()
        after = dict(before)
        for event in events:
            after = fold(after, StoredEvent(0, self._at_ms, event, "", ""))
        changed = {name: text for name, text in after.items() if before.get(name) != text}
        return self.journal.commit(self._at_ms, events, changed)

    def note_reset(self, witnesses: Sequence[Witness]) -> None:
        """Write down that the ledger is not the one that was known, if so: its trials stay counted."""
        gone = [witness for witness in witnesses if not self._leads_to(witness)]
        if not gone:
            return
        known, found = max(witness.trials for witness in gone), summary_of(self.journal.states()).known
        key = sha256_of([sorted(witness.head_hash for witness in gone), self.journal.head().hash])
        self.add([event_of(RESET, key, {"known": known, "found": found, "lost": max(0, known - found)})])

    def _leads_to(self, witness: Witness) -> bool:
        head = self.journal.head()
        if head.seq <= witness.seq:
            return head == Head(witness.seq, witness.head_hash)
        newest = self.journal.events(newest_first=True)
        found = next((stored for stored in newest if stored.seq == witness.seq), None)
        return found is not None and found.hash == witness.head_hash


def trials_known(home: Home, documents: Collection[str] = (), symbols: Collection[str] = ()) -> int:
    """Return how many trials were ever run in a home that varied any of these cards on any of these coins.

    "risk" stands for risk.json; without names all count. Trials of a ledger that is gone count, too.
    Raises `JournalError`.
    """
    return TrialLedger(home).summary().matching(documents, symbols)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Wait for one's turn at the ledger; others hold it for a batch's writing only."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / "trials.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise JournalError(
            f"the trial ledger's folder {folder} can't be used ({fault}): give this user write access to it"
        ) from fault
    try:
        _wait_for(file, folder)
        yield
    finally:
        os.close(file)


def _wait_for(file: int, folder: Path) -> None:
    last = time.monotonic() + LONGEST_WAIT_S
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > last:
                raise LockHeld(f"another sweep does not let go of {folder}: stop it first") from None
            time.sleep(0.01)
