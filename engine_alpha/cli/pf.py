"""`chloe pf`: what the closed trades earned, and how sure one can be of it."""

from __future__ import annotations

from typing import Any

import click

from engine_alpha.cli.accounts import Account, choose_account, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    exit_codes,
    home_option,
    json_option,
    now_ms,
    now_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json, terminal_width
from engine_alpha.home import Home

DAY_MS = 86_400_000
FEW = 50  # below, the interval is too narrow (kernel.profit_factor)
LAST = 50  # trades of the window "last" where --last says nothing

Trades = list[dict[str, Any]]


@click.command(
    epilog=examples(
        "chloe pf                  every asset, and all of them",
        "chloe pf --windows        side by side: all, the last 50 trades, 7, 30 and 90 days",
        "chloe pf --by card        every strategy card",
        "chloe pf --by regime --symbol ETHUSDT --days 90",
        "chloe pf --last 100 --json",
    )
    + exit_codes("0 shown, also where nothing is known yet")
)
@click.option("--by", type=click.Choice(["asset", "card", "regime"]), default="asset", show_default=True)
@click.option("--symbol", metavar="S", help="Only this asset's trades.")
@click.option(
    "--windows", is_flag=True, help="PF over several windows, a column each; --last sizes the second."
)
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
def pf(
    by: str, symbol: str | None, windows: bool, last: int | None, days: int | None, now: str | None
) -> None:
    """Profit factor (gross profit over gross loss, after fees and funding) with its 95 % interval.

    PF gross is before fees and funding. R is the loss at the first stop, costs included. No trade: unknown.
    """
    if windows and days is not None:
        raise click.UsageError("choose one of --windows and --days")
    home = chosen_home()
    account = choose_account(home)
    trades = _trades(account, symbol)
    names = [] if by != "asset" or account.rehearsal else [symbol] if symbol else _assets(home)
    if windows:
        _tell_windows(account, trades, (by, names), last or LAST, now_ms(now))
        return
    if days is not None:
        since = now_ms(now) - days * DAY_MS
        trades = [trade for trade in trades if trade["exit_ms"] >= since]
    if last is not None:
        trades = trades[-last:]
    if wants_json():
        from engine_alpha.reports.factors import factors_fields

        show_json({**account.fields(), **factors_fields(trades, by, names)})
        return
    from engine_alpha.reports.factors import factors_table

    show(account.first_line(), "", factors_table(trades, by, names, terminal_width()))
    _tell_doubt(trades)


def _tell_windows(
    account: Account, trades: Trades, grouping: tuple[str, list[str]], last: int, at_ms: int
) -> None:
    from engine_alpha.reports.factors import WHOLE, grouped, windows_fields, windows_of, windows_table

    by, names = grouping
    groups = [(name, windows_of(of_group, last, at_ms)) for name, of_group in grouped(trades, by, names)]
    whole = windows_of(trades, last, at_ms)
    if wants_json():
        fields = [{by: name, "windows": windows_fields(found)} for name, found in groups]
        document = {"by": by, "now_ms": at_ms, "groups": fields, "all": {"windows": windows_fields(whole)}}
        show_json({**account.fields(), **document})
        return
    show(account.first_line(), "", windows_table([*groups, (WHOLE, whole)], by, terminal_width()))
    _tell_doubt(trades)


def _tell_doubt(trades: Trades) -> None:
    if not trades:
        show("", "no closed trades here yet: the profit factor is unknown")
    elif len(trades) < FEW:
        show("", f"with fewer than {FEW} trades the true interval is wider than shown")


def _trades(account: Account, symbol: str | None) -> Trades:
    from engine_alpha.cli.records import refuse_unknown, trades_in

    if not account.exists:
        if symbol is not None:
            refuse_unknown(account, None, symbol)
        return []
    with reading(account) as journal:
        if symbol is not None:
            refuse_unknown(account, journal, symbol)
        return trades_in(journal, symbol)


def _assets(home: Home) -> list[str]:
    from engine_alpha.config.assets import read_registry

    return [asset.symbol for asset in read_registry(home.registry).assets if asset.enabled]
