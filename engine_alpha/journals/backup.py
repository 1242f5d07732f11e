"""Copy a journal while its writer goes on: whole, as it was at one moment, and proven to be sound."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from engine_alpha.errors import JournalError
from engine_alpha.journals.chain import Head
from engine_alpha.journals.checking import CheckReport, Fold, check
from engine_alpha.journals.connecting import connect, disconnect, sqlite_driver
from engine_alpha.journals.faults import journal_faults
from engine_alpha.journals.opening import look_at_file
from engine_alpha.journals.sqlite import SqliteJournal

Progress = Callable[[int, int], None]
"""Called with how much is done, and how much there is."""

SIDE_FILES = ("-wal", "-shm", "-journal")

_PAGES_AT_ONCE = 2_048
_DISK = (10, 13)  # SQLITE_IOERR, SQLITE_FULL


def copy_journal(path: Path, target: Path, progress: Progress) -> None:
    """Copy the journal at `path` into a new file; what is committed meanwhile is not in the copy.

    The read transaction holds one moment of the file, so that the copy need not begin anew with each commit.
    Raises `JournalError`.
    """
    if not look_at_file(path):
        raise JournalError(f"the journal {path} is empty: run the engine once")
    driver = sqlite_driver()
    with journal_faults(path, driver.Error):
        connection = connect(path, read_only=True)
        try:
            source: Any = connection.connection.driver_connection
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with closing(driver.connect(str(target))) as copy:
                _copy_pages(source, copy, target, progress)
            source.execute("ROLLBACK")
        finally:
            disconnect(connection)


def proven(path: Path, fold: Fold | None, progress: Progress) -> Head:
    """Return the last event of a journal nobody writes; raise `JournalError` unless all of it is sound."""
    journal = SqliteJournal.open(path, read_only=True)
    try:
        report = check(journal, fold, progress)
    finally:
        journal.close()
    for suffix in SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    if not report.sound:
        raise JournalError(_unsound(report))
    return Head(report.events, report.head_hash)


def _copy_pages(source: Any, copy: Any, target: Path, progress: Progress) -> None:
    def moved(_: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    try:
        source.backup(copy, pages=_PAGES_AT_ONCE, progress=moved)
    except sqlite_driver().Error as fault:
        code = getattr(fault, "sqlite_errorcode", None)  # of the source or of the copy, nobody knows
        if code is None or code & 0xFF not in _DISK:
            raise
        raise JournalError(
            f"it can't be copied to {target.parent} ({fault}): free space there (`df {target.parent}`), or "
            "choose another disk; if there is room, look at `dmesg`"
        ) from fault


def _unsound(report: CheckReport) -> str:
    found = [report.broken] if report.broken else []
    found += [*report.wrong_states, *report.file_faults]
    return "; ".join(found[:3])
