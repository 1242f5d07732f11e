"""The wish to halt or to resume, left as a small file in the account's folder: no lock, no journal needed."""

import json
from pathlib import Path
from typing import Any

from engine_alpha.atomic_files import write_atomically
from engine_alpha.errors import JournalError

FILE_NAME = "halt.json"


def request_halt(folder: Path, halted: bool, reason: str, at_ms: int) -> None:
    """Leave the wish in the account's folder; raise `JournalError` if it can't be written."""
    wish = {"halted": halted, "reason": reason, "at_ms": at_ms}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / FILE_NAME, json.dumps(wish).encode())
    except OSError as fault:
        raise JournalError(
            f"{folder / FILE_NAME} can't be written ({fault}): entries are NOT halted"
        ) from fault


def requested_halt(folder: Path) -> dict[str, Any] | None:
    """Return the last wish, None if there never was one. What can't be read counts as a halt."""
    path = folder / FILE_NAME
    try:
        wish = json.loads(path.read_text(encoding="utf-8"))
        reason = str(wish["reason"]).encode("utf-8", "replace").decode()  # half a letter can't be journalled
        return {"halted": bool(wish["halted"]), "reason": reason, "at_ms": int(wish["at_ms"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as fault:
        return {"halted": True, "reason": f"{path} can't be read ({fault})", "at_ms": -1}
