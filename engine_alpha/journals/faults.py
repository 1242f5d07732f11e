"""Turn what SQLite and the disk complain about into a `JournalError` that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from engine_alpha.errors import JournalError

# Primary result codes (https://sqlite.org/rescode.html); an extended code keeps its primary one below 256.
_PERM, _BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 3, 5, 6, 8, 10, 11, 13, 14, 26

_DAMAGED = (
    "is damaged{detail}. Nothing was changed: stop, copy the folder {folder} away, then restore a backup of "
    "it in its place, or save what is readable (chloe journal export)"
)
_REMEDIES = {
    _PERM: "can't be opened{detail}: give this user read and write access to {folder}",
    _CANTOPEN: "can't be opened{detail}: give this user read and write access to {folder} and what is in it",
    _READONLY: "can't be written{detail}: give this user write access to {folder}, or mount it read-write",
    _BUSY: "is being written by another process{detail}: stop the other one, then start again",
    _LOCKED: "is being written by another process{detail}: stop the other one, then start again",
    _IOERR: "can't be read or written, the disk reports an error or is full{detail}: look at `df {folder}` "
    "and `dmesg`, then start again; what was acknowledged before is safe",
    _FULL: "can't grow, the disk is full{detail}: nothing of this write was kept, all before is safe; "
    "free space (`df {folder}`), then start again",
    _CORRUPT: _DAMAGED,
    _NOTADB: _DAMAGED,
}
_UNKNOWN = "failed{detail}: nothing of this write was kept; keep a copy of {folder} and report this"


@contextmanager
def journal_faults(path: Path, driver_error: type[Exception]) -> Iterator[None]:
    """Raise `JournalError` for every database or system error inside."""
    try:
        yield
    except SQLAlchemyError as fault:
        raise explain(path, getattr(fault, "orig", None) or fault) from fault
    except (driver_error, OSError) as fault:
        raise explain(path, fault) from fault


def explain(path: Path, fault: BaseException) -> JournalError:
    """Make the error a person can act on."""
    code = getattr(fault, "sqlite_errorcode", None)
    detail = f" ({type(fault).__name__}: {fault})"
    if isinstance(fault, OSError):
        return JournalError(f"the journal {path} can't be used{detail}: check {path.parent} and the disk")
    if code is None and "decode to UTF-8" in str(
        fault
    ):  # garbage in a text: found by the driver, not by SQLite
        code = _CORRUPT
    remedy = _UNKNOWN if code is None else _REMEDIES.get(code & 0xFF, _UNKNOWN)
    return JournalError(f"the journal {path} " + remedy.format(detail=detail, folder=path.parent))


def damaged(path: Path, what: str) -> JournalError:
    """Make the error for damage that we, not SQLite, found."""
    return JournalError(f"the journal {path} " + _DAMAGED.format(detail=f" ({what})", folder=path.parent))
