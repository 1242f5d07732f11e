"""`chloe reconcile`: our books beside the venue's, as the last tick found them."""

from __future__ import annotations

from typing import Any

import click

from engine_alpha.cli.accounts import Account, live_account, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.errors import ConfigError

SOME_NEED_EYES = 3


@click.command(
    epilog=examples(
        "chloe reconcile                      every coin with real orders",
        "chloe reconcile --explain ETHUSDT    what each word means, and what to do",
        "chloe reconcile --json | jq '.assets[] | select(.verdict != \"agrees\")'",
    )
)
@click.argument("symbol", required=False)
@click.option("--explain", is_flag=True, help="Say what it means and what to do.")
@account_option
@home_option
@json_option
def reconcile(symbol: str | None, explain: bool) -> int:
    """Show per coin what our books and the venue say, open orders, the stop, and what froze it.

    Reads the journal only, nothing is asked of a venue: every tick compares. Exit code 3 if a coin needs a
    person.
    """
    from engine_alpha.reports.live import is_well

    home = chosen_home()
    account = live_account(home)
    views = _views(account, symbol)
    well = all(is_well(view) for view in views)
    if wants_json():
        show_json({**account.fields(), "well": well, "assets": views})
    else:
        _show(account, views, explain)
    return 0 if well else SOME_NEED_EYES


def _views(account: Account, symbol: str | None) -> list[dict[str, Any]]:
    """Return what stands of each asset, by symbol; none before the first tick."""
    from engine_alpha.cli.records import live_views

    if not account.exists:
        return []
    with reading(account) as journal:
        found = live_views(journal.states())
    if symbol is not None and symbol not in found:
        known = ", ".join(sorted(found)) or "none"
        raise ConfigError(f"{account.name} has no real orders of {symbol}; of: {known}")
    return [view for each, view in sorted(found.items()) if symbol in (None, each)]


def _show(account: Account, views: list[dict[str, Any]], explain: bool) -> None:
    from engine_alpha.reports.live import explained_lines, order_lines, standings_table, trouble_lines

    show(account.first_line())
    if not views:
        show("no coin has sent a real order here yet; next: chloe live arm SYMBOL, then chloe tick")
        return
    show("", standings_table(views))
    lines = [line for view in views for line in order_lines(view)]
    lines += [line for view in views for line in (explained_lines if explain else trouble_lines)(view)]
    show(*([""] if lines else []), *lines)
