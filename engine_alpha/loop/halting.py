"""Halt and resume by a person: a small file that the next tick takes up, so that it works without the lock.

Halting stops entries and lets exits through. Resuming also lifts the account's drawdown latch and counts
drawdown anew from the equity of that moment.
"""

from dataclasses import replace
from typing import Any

from engine_alpha.kernel.money import net_quote
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.halt_file import FILE_NAME, request_halt, requested_halt
from engine_alpha.ports import Event
from engine_alpha.step.recording import HALT
from engine_alpha.step.state import ACCOUNT, AccountState, account_parts, account_text, rebased_account
from engine_alpha.step.text import to_text

__all__ = ["FILE_NAME", "request_halt", "requested_halt", "take_up_halt"]


def take_up_halt(engine: Engine, now_ms: int) -> None:
    """Journal a wish that is not yet the account's state, and act on it."""
    account = rebased_account(engine.book.account, engine.setup.risk.equity_quote)
    wish = requested_halt(engine.setup.home.account(engine.labels.account))
    if wish is None or (wish["halted"], wish["at_ms"]) == (account.halted, account.halt_at_ms):
        return
    changed = replace(account, halted=wish["halted"], halt_reason=wish["reason"], halt_at_ms=wish["at_ms"])
    if not wish["halted"]:
        changed = replace(changed, marks=_lifted(engine, account))
    # the switch before it and the time are in the key: the same wish may come again after another one
    key = f"{account.halt_at_ms}/{wish['at_ms']}/{int(wish['halted'])}/{now_ms}"
    event = Event(HALT, "", key, now_ms, to_text(account_parts(changed)))
    if engine.journal.commit(now_ms, [event], {ACCOUNT: account_text(changed)}):
        engine.book.account = changed


def _lifted(engine: Engine, account: AccountState) -> Any:
    if account.marks.drawdown_halted == 0:
        return account.marks
    equity = engine.setup.risk.equity_quote + sum(
        net_quote(state.sub) for _, state in sorted(engine.book.assets.items())
    )
    return account.marks._replace(drawdown_halted=0, peak_quote=equity)
