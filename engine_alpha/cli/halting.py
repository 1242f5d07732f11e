"""`chloe halt` and `chloe resume`: a wish in the account's folder, taken up by the next tick."""

import click

from engine_alpha.cli.accounts import trading_accounts
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    now_ms,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.loop.halt_file import request_halt


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
    """Stop entries from the next tick on, with real orders too; exits and stops go on working.

    Works beside a running engine and without the journal. It stays so until `chloe resume`.
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
    accounts = trading_accounts(home)
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
            "exits and stops go on; entries again with: chloe resume; out of positions with: chloe flatten",
        )
    else:
        show(f"entries go through again from the next tick on: {', '.join(names)} ({reason})")
