"""The wish to be out of a position, left as a small file in the account's folder: no lock, no journal needed.

The next tick takes it up once: it closes at market what is open then, and journals that it did.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_alpha.atomic_files import write_atomically
from engine_alpha.errors import JournalError

FILE_NAME = "flatten.json"
ALL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenWish:
    """One wish; `symbol` None means every position of the account."""

    symbol: str | None
    reason: str
    at_ms: int

    @property
    def key(self) -> str:
        """Name this wish: what was done under this key is not done again."""
        return f"{self.symbol or ALL}/{self.at_ms}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flattens:
    """The newest wish for each symbol and for all; `fault` says why a file could not be read."""

    wishes: tuple[FlattenWish, ...] = ()
    fault: str = ""

    def of(self, symbol: str) -> FlattenWish | None:
        """Return the newest wish that reaches a symbol, done already or not; None without any."""
        reaching = [wish for wish in self.wishes if wish.symbol in (None, symbol)]
        return max(reaching, key=lambda wish: wish.at_ms, default=None)


def request_flatten(folder: Path, symbol: str | None, reason: str, at_ms: int) -> None:
    """Leave the wish in the account's folder; raise `JournalError` if it can't be written.

    Wishes for other symbols stay. A file that can't be read is replaced.
    """
    wish = {"reason": reason, "at_ms": at_ms}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            known = {each.symbol or ALL: each for each in requested_flattens(folder).wishes}
            entries: dict[str, Any] = {
                name: {"reason": each.reason, "at_ms": each.at_ms} for name, each in known.items()
            }
            entries[symbol or ALL] = wish
            write_atomically(folder / FILE_NAME, json.dumps(entries, indent=2).encode() + b"\n")
    except OSError as fault:
        raise JournalError(
            f"{folder / FILE_NAME} can't be written ({fault}): positions will NOT be closed"
        ) from fault


def requested_flattens(folder: Path) -> Flattens:
    """Return all wishes, done or not. What can't be read is no wish: nobody named what it would close."""
    path = folder / FILE_NAME
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return Flattens(wishes=tuple(_wish(name, entry) for name, entry in entries.items()))
    except FileNotFoundError:
        return Flattens()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        return Flattens(
            fault=f"{path} can't be read ({type(fault).__name__}: {fault}): ask again with chloe flatten"
        )


def _wish(name: str, entry: Any) -> FlattenWish:
    if type(entry["at_ms"]) is not int:
        raise TypeError(f"the wish for {name} is not as chloe writes it")
    reason = str(entry["reason"]).encode("utf-8", "replace").decode()  # half a letter can't be journalled
    return FlattenWish(symbol=None if name == ALL else name, reason=reason, at_ms=entry["at_ms"])


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder against another command that writes the same file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
