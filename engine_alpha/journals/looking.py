"""Look at a journal from outside: what kind of file it is, how large, how fast it grows."""

from dataclasses import dataclass
from pathlib import Path

from engine_alpha.journals.connecting import connect, disconnect, sqlite_driver
from engine_alpha.journals.faults import journal_faults
from engine_alpha.journals.opening import look_at_file
from engine_alpha.journals.sqlite import SqliteJournal

WAL = "wal"

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLook:
    """What was seen. `day_bytes` is the growth per day of the last `days`; None where it is too young.

    `faults` is what SQLite's quick check found, () where it was not asked for.
    """

    mode: str
    size_bytes: int
    wal_bytes: int
    events: int
    last_ms: int | None
    day_bytes: float | None
    faults: tuple[str, ...]


def sqlite_version() -> str:
    """Return the version of SQLite that writes journals; raise `JournalError` for an old one."""
    return str(sqlite_driver().sqlite_version)


def look(path: Path, thorough: bool, days: int = 7) -> JournalLook:
    """Look at a journal, also beside its writer; raise `JournalError` for one that can't be read.

    `thorough` has SQLite go through the whole file.
    """
    mode, faults = _mode_and_faults(path, thorough)
    journal = SqliteJournal.open(path, read_only=True)
    try:
        last = next(journal.events(newest_first=True), None)
        size = path.stat().st_size
        growth = None if last is None else _day_bytes(journal, last.seq, last.at_ms, size, days)
    finally:
        journal.close()
    wal = path.with_name(f"{path.name}-wal")
    return JournalLook(
        mode=mode,
        size_bytes=size,
        wal_bytes=wal.stat().st_size if wal.exists() else 0,
        events=0 if last is None else last.seq,
        last_ms=None if last is None else last.at_ms,
        day_bytes=growth,
        faults=faults,
    )


def _mode_and_faults(path: Path, thorough: bool) -> tuple[str, tuple[str, ...]]:
    with journal_faults(path, sqlite_driver().Error):
        look_at_file(path)
        connection = connect(path, read_only=True)
        try:
            mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
            found = connection.exec_driver_sql("PRAGMA quick_check").scalars().all() if thorough else ()
        finally:
            disconnect(connection)
    return mode, tuple(str(line) for line in found if line != "ok")


def _day_bytes(journal: SqliteJournal, last_seq: int, last_ms: int, size: int, days: int) -> float | None:
    """Return the growth per day: the share of events that came in the last days, in bytes."""
    from_ms = last_ms - days * _DAY_MS
    below, above = 0, last_seq  # the first event at or after `from_ms` lies in (below, above]
    while above - below > 1:
        middle = (below + above) // 2
        if _at_ms(journal, middle) < from_ms:
            below = middle
        else:
            above = middle
    span_ms = last_ms - _at_ms(journal, above)
    if span_ms < _DAY_MS:
        return None
    return size * ((last_seq - above + 1) / last_seq) / (span_ms / _DAY_MS)


def _at_ms(journal: SqliteJournal, seq: int) -> int:
    return next(journal.events_after(seq - 1)).at_ms
