"""Which account a command looks at, and its journal opened for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine_alpha.cli.options import given_account
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.loop.wiring import ACCOUNT_OF_FEED, JOURNAL_NAME, feed_name, source_line

if TYPE_CHECKING:
    from engine_alpha.journals.sqlite import SqliteJournal

FEED_OF_ACCOUNT = {account: feed for feed, account in ACCOUNT_OF_FEED.items()}
REHEARSAL = "rehearse-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account of a home. `others` counts those that were there to choose from besides it."""

    home: Home
    name: str
    others: int = 0

    @property
    def folder(self) -> Path:
        """Where it lives."""
        return self.home.account(self.name)

    @property
    def exists(self) -> bool:
        """Say whether it has a journal yet."""
        return (self.folder / JOURNAL_NAME).exists()

    @property
    def simulated(self) -> bool:
        """Say whether no market made its prices."""
        return self.name == ACCOUNT_OF_FEED["embedded"]

    @property
    def rehearsal(self) -> bool:
        """Say whether it played history."""
        return self.name.startswith(REHEARSAL)

    @property
    def live(self) -> bool:
        """Say whether its orders are real."""
        from engine_alpha.config.engine import ACCOUNT_OF_ENVIRONMENT

        return self.name in ACCOUNT_OF_ENVIRONMENT.values()

    def first_line(self) -> str:
        """Return the line that says which home and account this is, and where its prices came from."""
        if self.name in FEED_OF_ACCOUNT:
            line = source_line(self.home, FEED_OF_ACCOUNT[self.name])
        else:
            folder = "./" if self.home.path == Path.cwd() else str(self.home.path)
            line = f"home {folder} · {self.name}"
        more = "account" if self.others == 1 else "accounts"
        return f"{line} · {self.others} more {more}: --account" if self.others else line

    def fields(self) -> dict[str, Any]:
        """Return what every JSON document begins with."""
        return {"home": str(self.home.path), "account": self.name, "simulated": self.simulated}


def accounts_of(home: Home) -> list[str]:
    """Return the accounts that have a journal, by name; rehearsals last."""
    found = [path.parent.name for path in home.state.glob(f"*/{JOURNAL_NAME}")]
    return sorted(found, key=lambda name: (name.startswith(REHEARSAL), name))


def choose_account(home: Home) -> Account:
    """Return the account --account names, else the only one, else the configured feed's, there or not.

    The beginning of a name will do where one account alone begins so. Raises `ConfigError` for another name.
    """
    there = accounts_of(home)
    wanted = given_account()
    if wanted is not None:
        return named_account(home, wanted, there)
    if len(there) == 1:
        return Account(home=home, name=there[0])
    configured = ACCOUNT_OF_FEED[feed_name(home, None)[0]]
    return Account(home=home, name=configured, others=len([name for name in there if name != configured]))


def named_account(home: Home, wanted: str, there: Sequence[str]) -> Account:
    """Return the account of that name, or the only one whose name begins so; raise `ConfigError`."""
    matching = [name for name in there if name == wanted] or [
        name for name in there if name.startswith(wanted)
    ]
    if len(matching) == 1:
        return Account(home=home, name=matching[0])
    known = ", ".join(there) if there else "none yet: run chloe tick"
    raise ConfigError(f'no account "{wanted}" in {home.state}; there is: {known}')


def trading_accounts(home: Home) -> list[Account]:
    """Return the account that was named, else all that trade; the configured feed's even before its start.

    A live account counts as soon as something was armed in it. A broken engine.json must not keep anybody
    from stopping what is there.
    """
    wanted = given_account()
    if wanted in ACCOUNT_OF_FEED.values():
        return [Account(home=home, name=str(wanted))]
    there = accounts_of(home)
    there += [name for name in live_accounts(home) if name not in there]
    if wanted is not None:
        return [named_account(home, wanted, there)]
    names = [name for name in there if not Account(home=home, name=name).rehearsal]
    try:
        names.append(ACCOUNT_OF_FEED[feed_name(home, None)[0]])
    except ConfigError:
        if not names:
            raise
    return [Account(home=home, name=name) for name in dict.fromkeys(names)]


def live_accounts(home: Home) -> list[str]:
    """Return the live accounts in which something was ever armed."""
    from engine_alpha.config.engine import ACCOUNT_OF_ENVIRONMENT
    from engine_alpha.loop.arming import FILE_NAME

    return [name for name in ACCOUNT_OF_ENVIRONMENT.values() if (home.account(name) / FILE_NAME).exists()]


def live_account(home: Home) -> Account:
    """Return the live account --account names, else the one of the configured environment, there or not."""
    wanted = given_account()
    if wanted is not None:
        there = accounts_of(home)
        return named_account(home, wanted, [*there, *(n for n in live_accounts(home) if n not in there)])
    from engine_alpha.config.engine import read_engine

    return Account(home=home, name=read_engine(home.engine).live.account)


@contextmanager
def reading(account: Account) -> Iterator[SqliteJournal]:
    """Open the account's journal for reading: no lock, also beside a runner. Raises `JournalError`."""
    from engine_alpha.journals.sqlite import SqliteJournal

    if not account.exists:
        raise ConfigError(f"{account.home.path} has no account {account.name} yet: run chloe tick")
    journal = SqliteJournal.open(account.folder / JOURNAL_NAME, read_only=True)
    try:
        yield journal
    finally:
        journal.close()
