"""Halt and resume by a person: a small file that the next tick takes up, so that it works without the lock.

Halting stops entries and lets exits through. Resuming also lifts the account's drawdown latch and counts
drawdown anew from the equity of that moment.
"""

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine_alpha.errors import JournalError
from engine_alpha.kernel.money import net_quote
from engine_alpha.loop.engine import Engine
from engine_alpha.ports import Event
from engine_alpha.step.recording import HALT
from engine_alpha.step.state import ACCOUNT, AccountState, account_parts, account_text
from engine_alpha.step.text import to_text

FILE_NAME = "halt.json"


def request_halt(folder: Path, halted: bool, reason: str, at_ms: int) -> None:
    """Leave the wish in the account's folder; raise `JournalError` if it can't be written."""
    wish = {"halted": halted, "reason": reason, "at_ms": at_ms}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=FILE_NAME)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(wish, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, folder / FILE_NAME)
    except OSError as fault:
        raise JournalError(
            f"{folder / FILE_NAME} can't be written ({fault}): entries are NOT halted"
        ) from fault


def requested_halt(folder: Path) -> dict[str, Any] | None:
    """Return the last wish, None if there never was one. What can't be read counts as a halt."""
    path = folder / FILE_NAME
    try:
        wish = json.loads(path.read_text(encoding="utf-8"))
        return {"halted": bool(wish["halted"]), "reason": str(wish["reason"]), "at_ms": int(wish["at_ms"])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        return {"halted": True, "reason": f"{path} can't be read ({fault})", "at_ms": -1}


def take_up_halt(engine: Engine, now_ms: int) -> None:
    """Journal a wish that is not yet the account's state, and act on it."""
    account = engine.book.account
    wish = requested_halt(engine.setup.home.account(engine.labels.account))
    if wish is None or (wish["halted"], wish["at_ms"]) == (account.halted, account.halt_at_ms):
        return
    changed = replace(account, halted=wish["halted"], halt_reason=wish["reason"], halt_at_ms=wish["at_ms"])
    if not wish["halted"]:
        changed = replace(changed, marks=_lifted(engine, account))
    event = Event(HALT, "", f"{wish['at_ms']}/{int(wish['halted'])}", now_ms, to_text(account_parts(changed)))
    if engine.journal.commit(now_ms, [event], {ACCOUNT: account_text(changed)}):
        engine.book.account = changed


def _lifted(engine: Engine, account: AccountState) -> Any:
    if account.marks.drawdown_halted == 0:
        return account.marks
    equity = engine.setup.risk.equity_quote + sum(
        net_quote(state.sub) for state in engine.book.assets.values()
    )
    return account.marks._replace(drawdown_halted=0, peak_quote=equity)
