"""One runner per account: a lock the operating system lets go of when the runner dies, however it dies."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from engine_alpha.errors import JournalError, LockHeld

LOCK_NAME = "runner.lock"


@contextmanager
def account_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the account in `folder` (made if absent); raise `LockHeld` if another runner has it.

    The file stays when the lock is let go: deleting it would let two runners lock two files of one name.
    What only reads needs no lock. Raises `JournalError` if the folder can't be used.
    """
    path = folder / LOCK_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise JournalError(
            f"the account's folder {folder} can't be used ({fault}): give this user write access to it, "
            "or choose another home with --home"
        ) from fault
    try:
        _lock(file, path)
        yield
    finally:
        os.close(file)


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockHeld(f"{_holder(file)} works on {path.parent}: wait for it, or stop it first") from None
    except OSError as fault:
        raise JournalError(f"{path} can't be locked ({fault}): use a home on a local disk") from fault
    note = {"pid": os.getpid(), "started": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(note).encode(), 0)
    except OSError as fault:
        raise JournalError(f"{path} can't be written ({fault}): look at `df {path.parent}`") from fault


def _holder(file: int) -> str:
    """Name who holds the lock; it may have just started and not have written its name yet."""
    try:
        note = json.loads(os.pread(file, 1_000, 0))
        return f"another runner (pid {note['pid']}, since {note['started']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another runner"
