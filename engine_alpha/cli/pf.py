"""`chloe pf`: what the closed trades earned, and how sure one can be of it."""

from __future__ import annotations

from typing import Any

import click

from engine_alpha.cli.accounts import choose_account, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    now_ms,
    now_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.home import Home

DAY_MS = 86_400_000
FEW = 50  # below, the interval is too narrow (kernel.profit_factor)


@click.command(
    epilog=examples(
        "chloe pf                  every asset, and all of them",
        "chloe pf --by card        every strategy card",
        "chloe pf --by regime --days 90",
        "chloe pf --last 100 --json",
    )
)
@click.option("--by", type=click.Choice(["asset", "card", "regime"]), default="asset", show_default=True)
@click.option(
    "--last", type=click.IntRange(min=1), metavar="N", help="Only the account's last N closed trades."
)
@click.option(
    "--days", type=click.IntRange(min=1), metavar="N", help="Only trades closed in the last N days."
)
@now_option
@account_option
@home_option
@json_option
def pf(by: str, last: int | None, days: int | None, now: str | None) -> None:
    """Profit factor (gross profit over gross loss, after fees and funding) with its 95 % interval.

    PF gross is before fees and funding. R is the loss at the first stop, costs included.
    """
    from engine_alpha.cli.records import trades_in

    home = chosen_home()
    account = choose_account(home)
    trades: list[dict[str, Any]] = []
    if account.exists:
        with reading(account) as journal:
            trades = trades_in(journal)
    if days is not None:
        since = now_ms(now) - days * DAY_MS
        trades = [trade for trade in trades if trade["exit_ms"] >= since]
    if last is not None:
        trades = trades[-last:]
    names = _assets(home) if by == "asset" and not account.rehearsal else []
    if wants_json():
        from engine_alpha.reports.factors import factors_fields

        show_json({**account.fields(), **factors_fields(trades, by, names)})
        return
    from engine_alpha.reports.factors import factors_table

    show(account.first_line(), "", factors_table(trades, by, names))
    if not trades:
        show("", "no closed trades here yet: the profit factor is unknown")
    elif len(trades) < FEW:
        show("", f"with fewer than {FEW} trades the true interval is wider than shown")


def _assets(home: Home) -> list[str]:
    from engine_alpha.config.assets import read_registry

    return [asset.symbol for asset in read_registry(home.registry).assets if asset.enabled]
