"""`chloe logs`: what the engine says, from systemd's journal or from the accounts' own."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING

import click

from engine_alpha.cli.accounts import Account, accounts_of, choose_account, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    exit_codes,
    given_account,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import remark, show, show_json_line
from engine_alpha.cli.symbols import require_known
from engine_alpha.deploy.installing import installed_unit
from engine_alpha.deploy.machine import Machine, this_machine
from engine_alpha.deploy.units import ONCE, SERVICE
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home

if TYPE_CHECKING:
    from engine_alpha.cli.log_lines import LogLine
    from engine_alpha.journals.sqlite import SqliteJournal
    from engine_alpha.ports import StoredEvent

LOOK_EVERY_S = 1.0
USUAL_LINES = 50


@click.command(
    epilog=examples(
        "chloe logs                  the last 50 lines",
        "chloe logs -f               and what comes after them, until Ctrl-C",
        "chloe logs -n 200 BTCUSDT   of one coin",
        "chloe logs --events         from the accounts' journals, though a service keeps a log",
    )
    + exit_codes("0 shown")
)
@click.argument("symbol", required=False)
@click.option("-n", "--lines", type=click.IntRange(min=0), default=USUAL_LINES, show_default=True)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("--events", is_flag=True, help="Read the accounts' journals, not the service's log.")
@account_option
@home_option
@json_option
def logs(symbol: str | None, lines: int, follow: bool, events: bool) -> None:
    """Show what the engine said: the log of this home's service.

    Where no service of this home is installed, an engine logs to the terminal it runs in. Then the events of
    its journals are shown as the lines they were logged with, of all accounts that trade or of --account.
    """
    home = chosen_home()
    if symbol is not None:
        require_known(home, symbol)
    if not events and given_account() is None:
        command = service_log(home, symbol, lines, follow, wants_json())
        if command is not None:
            remark(f"$ {' '.join(command)}")
            sys.stdout.flush()
            os.execvp(command[0], command)
        remark("no service of this home is installed, its engine logs where it runs; from its journals:")
    _show_events(home, symbol, lines, follow)


def service_log(
    home: Home, symbol: str | None, lines: int, follow: bool, as_json: bool
) -> tuple[str, ...] | None:
    """Return the command that shows the log of this home's service; None where there is no such log."""
    if shutil.which("journalctl") is None:
        return None
    for own in (False, True):
        units = units_of(home, this_machine(own))
        if units:
            return journalctl(units, own, symbol, lines, follow, as_json)
    return None


def units_of(home: Home, machine: Machine) -> list[str]:
    """Return the installed units that run this home's engine."""
    if machine.reachable:
        return []
    place = re.escape(str(home.path.resolve()).replace("%", "%%"))  # as a unit has it
    ours = re.compile(rf"""(?<![^\s"=]){place}(?=[\s"]|$)""", re.MULTILINE)
    return [name for name in (SERVICE, ONCE) if ours.search(installed_unit(name, machine.units) or "")]


def journalctl(
    units: Sequence[str], own: bool, symbol: str | None, lines: int, follow: bool, as_json: bool
) -> tuple[str, ...]:
    """Return the command for these units, each argument apart: no shell sees it."""
    command = ["journalctl", *(["--user"] if own else []), "--no-hostname", f"--lines={lines}"]
    command += [f"--unit={name}" for name in units]
    command += ["--output=json"] if as_json else []
    command += [rf"--grep=\b{symbol}\b", "--case-sensitive=true"] if symbol else []
    return (*command, *(["--follow"] if follow else []))


def _show_events(home: Home, symbol: str | None, lines: int, follow: bool) -> None:
    from engine_alpha.cli.log_lines import Teller

    accounts = _accounts(home)
    with ExitStack() as stack:
        opened = [
            (stack.enter_context(reading(account)), Teller(account.name, _mark(account)))
            for account in accounts
        ]
        seen = [journal.last_seq() for journal, _ in opened]
        told: list[LogLine] = []
        for journal, teller in opened:
            newest = _newest(journal, symbol, lines)
            told += [line for stored in newest for line in teller.lines(stored)]
        told.sort(key=lambda line: (line.at_ms, line.account, line.seq))
        _print(told[-lines:] if lines else [])
        while follow:
            time.sleep(LOOK_EVERY_S)
            fresh: list[LogLine] = []
            for place, (journal, teller) in enumerate(opened):
                for stored in journal.events_after(seen[place]):
                    seen[place] = stored.seq
                    if symbol in (None, stored.event.symbol):
                        fresh += teller.lines(stored)
            _print(sorted(fresh, key=lambda line: line.at_ms))


def _accounts(home: Home) -> list[Account]:
    """Return the account that was named, else all that trade; raise `ConfigError` if there is none yet."""
    if given_account() is not None:
        return [choose_account(home)]
    found = [Account(home=home, name=name) for name in accounts_of(home)]
    found = [account for account in found if not account.rehearsal]
    if not found:
        raise ConfigError(f"nothing has run in {home.path} yet: chloe run, or chloe tick")
    return found


def _newest(journal: SqliteJournal, symbol: str | None, lines: int) -> Iterator[StoredEvent]:
    """Return the last events, oldest first; every second one of real orders only carries state."""
    found = list(islice(journal.events(None, symbol, newest_first=True), 2 * lines))
    return reversed(found)


def _mark(account: Account) -> str:
    if account.live:
        return f"[{account.name}] "
    return "[SIM] " if account.simulated else ""


def _print(lines: Sequence[LogLine]) -> None:
    for line in lines:
        if wants_json():
            show_json_line({**asdict(line), "level": line.level.lower()})
        else:
            show(line.text())
    sys.stdout.flush()
