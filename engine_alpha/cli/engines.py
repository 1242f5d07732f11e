"""Who works on an account, seen from outside: nothing is locked, so no engine is ever kept from starting."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_alpha.loop.lock import LOCK_NAME

LOCKS = Path("/proc/locks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """The process that holds an account's lock; `started` is an ISO time, "" where it has not said so yet."""

    pid: int
    started: str


def runner_of(folder: Path, locks: Path = LOCKS) -> Runner | None:
    """Return who holds the lock of the account in `folder`, None if nobody does.

    Asked of the kernel's list of locks; where there is none (no Linux), the process that wrote its number
    into the file and is still alive is believed.
    """
    path = folder / LOCK_NAME
    note = _note(path)
    try:
        holders = locks.read_text(encoding="ascii", errors="replace").splitlines()
        status = os.stat(path)
    except FileNotFoundError:
        return note if note is not None and path.exists() and _is_alive(note.pid) else None
    except OSError:
        return None
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    for line in holders:
        words = line.split()
        if len(words) < 6 or words[1] != "FLOCK" or not words[4].isdigit():
            continue
        place, _, inode = words[5].rpartition(":")
        pid = int(words[4])
        ours = note is not None and note.pid == pid
        if inode == str(status.st_ino) and (place == device or ours):  # some file systems hide the device
            return note if ours else Runner(pid=pid, started="")
    return None


def _note(path: Path) -> Runner | None:
    """Return what the last holder wrote about itself."""
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
        return Runner(pid=int(told["pid"]), started=str(told["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
