"""`chloe journal`: the account's events, exported and checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, choose_account, reading
from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.loop.saying import FAILED_CODE
from engine_alpha.loop.wiring import JOURNAL_NAME

if TYPE_CHECKING:
    from engine_alpha.journals.chain import Head, StoredState
    from engine_alpha.journals.sqlite import SqliteJournal
    from engine_alpha.ports import Journal, StoredEvent

KINDS = ("decision", "no_decision", "fill", "trade", "funding", "halt", "rollout")
TOLERANCE = 1e-9  # of the amount's size: the accounting identity (DESIGN §4)


@click.group(
    cls=LazyGroup,
    epilog=examples(
        "chloe journal check                                  exit code 4 if it is not sound",
        "chloe journal export --kind trade > trades.jsonl",
        "chloe journal export --kind decision --symbol ETHUSDT | sha256sum",
    ),
)
@home_option
@account_option
def journal() -> None:
    """The account's journal: everything that was decided and booked, append-only, chained by hashes."""


@journal.command(
    epilog=examples(
        "chloe journal export --kind fill", "chloe journal export --account paper --symbol BTCUSDT"
    )
)
@click.option("--symbol", metavar="S", help="Only this asset's events.")
@click.option("--kind", type=click.Choice(KINDS), help="Only events of this kind.")
@account_option
@home_option
@json_option
def export(symbol: str | None, kind: str | None) -> None:
    """Write events as canonical JSON lines, oldest first.

    A decision line is the same in every mode, home and account: it carries no sequence number, hash of the
    chain, wall clock, mode or account. Other events are written as they are stored. --json changes nothing.
    """
    with reading(choose_account(chosen_home())) as opened:
        for line in exported_lines(opened, kind, symbol):
            click.echo(line)


def exported_lines(opened: Journal, kind: str | None, symbol: str | None) -> Iterator[str]:
    """Iterate over the lines of `chloe journal export`."""
    from engine_alpha.journals.export import export as lines_of
    from engine_alpha.step.recording import DECISION, exported_decision

    if kind is not None:
        yield from lines_of(opened, kind, symbol, exported_decision if kind == DECISION else None)
        return

    def either(payload: Any) -> Any:
        return exported_decision(payload) if "record" in payload else payload

    yield from lines_of(opened, None, symbol, either)


@journal.command(epilog=examples("chloe journal check", "chloe journal check --account paper --json"))
@account_option
@home_option
@json_option
def check() -> int:
    """Verify the file, the chain of hashes, that the state rebuilt from events is the stored one, the money.

    Reads everything; a runner may go on working meanwhile. Exit code 4 if anything is wrong.
    """
    account = choose_account(chosen_home())
    with reading(account) as opened:
        found = checked(account, opened)
    if wants_json():
        show_json({**account.fields(), **found})
    else:
        from engine_alpha.reports.checking import check_lines

        show(account.first_line(), *check_lines(found))
    return 0 if found["sound"] else FAILED_CODE


def checked(account: Account, opened: SqliteJournal) -> dict[str, Any]:
    """Return all that a check finds."""
    from engine_alpha.journals.checking import check as check_all

    books = _Books()
    with progress_shown("checking", "events") as progress:
        report = check_all(_Frozen(opened), books.fold, progress)
    money = books.faults() if report.first_broken_seq is None and not report.wrong_states else []
    return {
        "journal": str(account.folder / JOURNAL_NAME),
        "sound": report.sound and not money,
        "events": report.events,
        "states": report.states,
        "head_hash": report.head_hash,
        "first_broken_seq": report.first_broken_seq,
        "broken": report.broken,
        "wrong_states": list(report.wrong_states),
        "file_faults": list(report.file_faults),
        "money_faults": money,
    }


class _Frozen:
    """The journal as it was at one moment, while a runner may go on writing: head and states that fit."""

    def __init__(self, opened: SqliteJournal) -> None:
        self._opened = opened
        self._head: Head | None = None
        self._states: dict[str, StoredState] = {}

    def head(self) -> Head:
        """Return the last event of that moment."""
        while self._head is None:
            before = self._opened.head()
            self._states = self._opened.stored_states()
            if self._opened.head() == before:
                self._head = before
        return self._head

    def stored_states(self) -> dict[str, StoredState]:
        """Return the states of that moment."""
        self.head()
        return self._states

    def events(
        self, kind: str | None = None, symbol: str | None = None, newest_first: bool = False
    ) -> Iterator[StoredEvent]:
        """Iterate over all events up to that moment, oldest first."""
        last = self.head().seq
        return takewhile(lambda stored: stored.seq <= last, self._opened.events(kind, symbol, newest_first))

    def integrity(self) -> tuple[str, ...]:
        """Return what is wrong with the file."""
        return self._opened.integrity()


class _Books:
    """Folds events into states, and adds the money up beside it by other means."""

    def __init__(self) -> None:
        from engine_alpha.step.folding import Audit, fold

        self._audit = Audit()
        self._fold: Callable[[dict[str, str], StoredEvent], dict[str, str]] = fold
        self._states: dict[str, str] = {}
        self._equity: dict[str, float] = {}

    def fold(self, states: dict[str, str], stored: StoredEvent) -> dict[str, str]:
        """Take one event in and return the states after it."""
        self._audit.add(stored)
        self._states = self._fold(states, stored)
        if stored.event.kind == "decision":
            self._equity[stored.event.symbol] = json.loads(stored.event.payload)["record"][4]
        return self._states

    def faults(self) -> list[str]:
        """Return where fills, trades and funding do not add up to the states, or those not to the equity."""
        from engine_alpha.kernel.money import equity_quote
        from engine_alpha.step.state import state_of

        found = self._audit.faults(self._states)
        for symbol, recorded in self._equity.items():
            equity = equity_quote(state_of(self._states[symbol]).sub)
            if abs(equity - recorded) > TOLERANCE * max(1.0, abs(equity), abs(recorded)):
                found.append(
                    f"{symbol}: equity is {recorded} in its last decision, its parts add up to {equity}"
                )
        return found
