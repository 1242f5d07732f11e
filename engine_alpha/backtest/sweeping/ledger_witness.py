"""What is known of the trial ledger outside of it: how many trials there were, and where its chain stood.

Two files say it: one among the home's reports, which moves with the home, and one in the user's state folder
($XDG_STATE_HOME/chloe, else ~/.local/state/chloe), which outlives the home. A ledger that is deleted, cut off
or put back from a copy no longer leads to the event that they name.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from engine_alpha.atomic_files import write_atomically
from engine_alpha.errors import JournalError
from engine_alpha.home import Home

STATE_VARIABLE: Final = "XDG_STATE_HOME"
FILE: Final = "trials.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The last event of the ledger when it was written, and how many trials were known then."""

    seq: int
    head_hash: str
    trials: int


def read_witnesses(home: Home) -> list[Witness]:
    """Return what the files say, those that are there; raise `JournalError` for one that can't be read."""
    return [_read(path) for path in _places(home) if path.exists()]


def write_witnesses(home: Home, witness: Witness) -> None:
    """Write all files; the user's state folder may be out of reach, the home may not (`JournalError`)."""
    content = json.dumps({"home": str(home.path), **asdict(witness)}, indent=2).encode() + b"\n"
    at_home, of_user = _places(home)
    try:
        _write(at_home, content)
    except OSError as fault:
        raise JournalError(
            f"{at_home} can't be written ({fault.strerror}): give this user write access to the home"
        ) from fault
    with suppress(OSError):
        _write(of_user, content)


def _places(home: Home) -> tuple[Path, Path]:
    key = hashlib.sha256(str(home.path.resolve()).encode()).hexdigest()[:16]
    return home.reports / FILE, _state_folder() / "trials" / f"{key}.json"


def _state_folder() -> Path:
    named = os.environ.get(STATE_VARIABLE, "")
    if os.path.isabs(named):  # a relative one is to be ignored, says the XDG specification
        return Path(named) / "chloe"
    user = os.path.expanduser("~")  # left as it is where this user has no home folder
    return Path(user if os.path.isabs(user) else "/") / ".local" / "state" / "chloe"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)


def _read(path: Path) -> Witness:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return Witness(seq=int(found["seq"]), head_hash=str(found["head_hash"]), trials=int(found["trials"]))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise JournalError(
            f"{path} can't be read ({fault}): it says how many trials were run; put it back, or delete it "
            "if you accept that the count rests on the ledger alone"
        ) from fault
