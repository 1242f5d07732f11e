"""`chloe halt` and `chloe resume`: a wish in the account's folder, taken up by the next tick."""

import click

from engine_alpha.cli.accounts import Account, accounts_of, choose_account
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    given_account,
    home_option,
    json_option,
    now_ms,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.loop.halt_file import request_halt
from engine_alpha.loop.wiring import ACCOUNT_OF_FEED, feed_name


@click.command(
    epilog=examples(
        "chloe halt                              no entries in any account of this home",
        'chloe halt --reason "exchange is sick"  the reason shows in status',
        "chloe halt --account paper              this account only",
    )
)
@click.option("--reason", default="by hand", help="Why; kept in the journal.")
@account_option
@home_option
@json_option
def halt(reason: str) -> None:
    """Stop entries from the next tick on; exits and stops go on working.

    Works beside a running engine and without the journal.
    """
    _wish(True, reason)


@click.command(epilog=examples("chloe resume", "chloe resume --account paper"))
@click.option("--reason", default="by hand", help="Why; kept in the journal.")
@account_option
@home_option
@json_option
def resume(reason: str) -> None:
    """Let entries through again from the next tick on.

    This lifts the account's drawdown halt too: drawdown then counts from the equity of that moment.
    """
    _wish(False, reason)


def _wish(halted: bool, reason: str) -> None:
    home = chosen_home()
    accounts = _accounts(home)
    at_ms = now_ms()
    for account in accounts:
        request_halt(account.folder, halted, reason, at_ms)
    names = [account.name for account in accounts]
    if wants_json():
        show_json(
            {
                "home": str(home.path),
                "accounts": names,
                "halted": halted,
                "reason": reason,
                "at_ms": at_ms,
            }
        )
    elif halted:
        show(
            f"halted from the next tick on: {', '.join(names)} ({reason})",
            "exits and stops go on; entries again with: chloe resume",
        )
    else:
        show(f"entries go through again from the next tick on: {', '.join(names)} ({reason})")


def _accounts(home: Home) -> list[Account]:
    """Return the account that was named, else all that trade; the configured feed's even before its start.

    A broken engine.json must not keep anybody from halting what is there.
    """
    if given_account() in ACCOUNT_OF_FEED.values():
        return [Account(home=home, name=str(given_account()))]
    if given_account() is not None:
        return [choose_account(home)]
    names = [name for name in accounts_of(home) if not Account(home=home, name=name).rehearsal]
    try:
        names.append(ACCOUNT_OF_FEED[feed_name(home, None)[0]])
    except ConfigError:
        if not names:
            raise
    return [Account(home=home, name=name) for name in dict.fromkeys(names)]
