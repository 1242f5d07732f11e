"""Replace a file in one go: a crash, a power cut or Ctrl-C leaves the old content or the new."""

import os
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that a crash leaves either the old or the new one; mode and owner stay."""
    target = path.resolve()
    before = target.stat() if target.exists() else None
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode) if before else 0o644)
            if before and (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
    sync_folder(target.parent)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all; raise `FileExistsError` where it is."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Let a power cut forget nothing of what was renamed, linked or removed in a folder."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until what is being written is written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # it does not reach this one
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt
