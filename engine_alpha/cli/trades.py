"""`chloe trades`: the closed trades."""

from __future__ import annotations

from typing import Any

import click

from engine_alpha.cli.accounts import Account, choose_account, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json, show_json_line

SHOWN = 20


@click.command(
    epilog=examples(
        "chloe trades                       the last 20",
        "chloe trades --symbol ETHUSDT --limit 5",
        "chloe trades --csv > trades.csv    all of them",
        "chloe trades --jsonl | jq .r",
    )
)
@click.option("--symbol", metavar="S", help="Only this asset's.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Only the last N. [default: 20 as table]"
)
@click.option("--csv", "shape", flag_value="csv", help="CSV with a heading line, all digits.")
@click.option("--jsonl", "shape", flag_value="jsonl", help="One JSON document a line.")
@account_option
@home_option
@json_option
def trades(symbol: str | None, limit: int | None, shape: str | None) -> None:
    """Show closed trades, oldest first. Net is after fees and funding, R the result over the first risk."""
    account = choose_account(chosen_home())
    if shape and wants_json():
        raise click.UsageError("choose one of --csv, --jsonl and --json")
    if shape or wants_json():
        _print(account, _read(account, symbol, limit), shape)
        return
    from engine_alpha.reports.trades import trades_table

    most = limit or SHOWN
    found = _read(account, symbol, most + 1)
    show(account.first_line())
    if not found:
        show("no closed trades" + (f" of {symbol}" if symbol else "") + " yet")
        return
    show("", trades_table(found[-most:]))
    if len(found) > most and limit is None:
        show("", f"the last {most}; more with --limit N, all with --csv or --jsonl")


def _read(account: Account, symbol: str | None, limit: int | None) -> list[dict[str, Any]]:
    from engine_alpha.cli.records import newest_trades, trades_in

    if not account.exists:
        return []
    with reading(account) as journal:
        return trades_in(journal, symbol) if limit is None else newest_trades(journal, symbol, limit)


def _print(account: Account, found: list[dict[str, Any]], shape: str | None) -> None:
    if shape == "csv":
        from engine_alpha.reports.trades import trades_csv

        click.echo(trades_csv(found), nl=False)
    elif shape == "jsonl":
        for trade in found:
            show_json_line(trade)
    else:
        show_json({**account.fields(), "trades": found})
