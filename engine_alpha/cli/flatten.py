"""`chloe flatten`: a wish in the account's folder, taken up by the next tick, to be out at market."""

import json

import click

from engine_alpha.cli.accounts import Account, reading, trading_accounts
from engine_alpha.cli.confirming import confirmed
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    now_ms,
    wants_json,
)
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.symbols import require_known
from engine_alpha.errors import ChloeError
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.loop.saying import CONFIG_CODE


@click.command(
    epilog=examples(
        "chloe flatten ETHUSDT                  close this position at market at the next tick",
        "chloe flatten                          every position of every account, after asking",
        "chloe flatten --account paper --yes    this account only, without asking",
    )
)
@click.argument("symbol", required=False)
@click.option("--reason", default="by hand", help="Why; kept in the journal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@account_option
@home_option
@json_option
def flatten(symbol: str | None, reason: str, yes: bool) -> int:
    """Close a position, or all, at market: real ones at the next tick, on paper at the open of the next bar.

    Works beside a running engine and without the journal. It is done once and stops no later entry: for
    that, chloe halt first.
    """
    home = chosen_home()
    accounts = trading_accounts(home)
    holding = {account.name: _holding(account, symbol) for account in accounts}
    if symbol is not None and not any(holding.values()):
        require_known(home, symbol)
    names, what = ", ".join(holding), symbol or "every position"
    if not yes and not confirmed(
        f"{what} in {names} will be closed at market{_open(holding)}.", symbol or "ALL"
    ):
        remark("nothing will be closed: it was not confirmed")
        return CONFIG_CODE
    at_ms = now_ms()
    for account in accounts:
        request_flatten(account.folder, symbol, reason, at_ms)
    if wants_json():
        fields = {"home": str(home.path), "accounts": list(holding), "symbol": symbol, "holding": holding}
        show_json({**fields, "reason": reason, "at_ms": at_ms})
    else:
        show(
            f"out at the next tick: {what} in {names} ({reason})",
            "real positions are closed at market then, paper ones at the open of the next bar",
            "entries go on; to stop them too: chloe halt. If no engine runs: chloe tick",
        )
    return 0


def _holding(account: Account, symbol: str | None) -> list[str]:
    """Return what the account holds or has ordered, as its journal says; a broken one must not hinder."""
    from engine_alpha.reports.live import FLAT, STATE_PREFIX, live_view

    if not account.exists:
        return []
    try:
        with reading(account) as journal:
            states = journal.states()
        live = {
            name.removeprefix(STATE_PREFIX): text
            for name, text in states.items()
            if name.startswith(STATE_PREFIX)
        }
        held = [name for name, text in live.items() if live_view(json.loads(text))["stage"] != FLAT]
        held += [name for name, text in states.items() if name not in held and _is_held(name, text)]
    except ChloeError as fault:
        remark(f"can't see what {account.name} holds: {fault}")
        return []
    return [name for name in held if symbol in (None, name)]


def _is_held(name: str, text: str) -> bool:
    from engine_alpha.step.state import ACCOUNT, state_of

    return name != ACCOUNT and "/" not in name and not state_of(text).is_flat


def _open(holding: dict[str, list[str]]) -> str:
    found = [f"{', '.join(symbols)} in {name}" for name, symbols in holding.items() if symbols]
    return f"; open now: {'; '.join(found)}" if found else "; nothing is open now"
