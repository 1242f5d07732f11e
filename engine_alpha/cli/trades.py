"""`chloe trades`: the closed trades."""

from __future__ import annotations

from dataclasses import dataclass
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
    wants_json,
)
from engine_alpha.cli.output import show, show_json, show_json_line, terminal_width
from engine_alpha.kernel.codes import REGIMES

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which trades are asked for; times are of the exit, `until_ms` itself is outside. None: any."""

    symbol: str | None
    since_ms: int | None
    until_ms: int | None
    card: str | None
    regime: str | None

    def has(self, trade: dict[str, Any]) -> bool:
        """Say whether a trade is one of them."""
        return (
            (self.since_ms is None or trade["exit_ms"] >= self.since_ms)
            and (self.until_ms is None or trade["exit_ms"] < self.until_ms)
            and self.card in (None, trade["card"])
            and self.regime in (None, trade["regime"])
        )


def _filters(command: Any) -> Any:
    for option in (
        click.option("--regime", type=click.Choice(REGIMES), help="Only those entered in this regime."),
        click.option("--card", metavar="NAME", help="Only those this card entered."),
        click.option("--until", metavar="ISO", help="Only those closed before then."),
        click.option("--since", metavar="ISO", help="Only those closed at that time or later."),
        click.option("--symbol", metavar="S", help="Only this asset's."),
    ):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "chloe trades                       the last 20, and what all of them came to",
        "chloe trades --symbol ETHUSDT --limit 5",
        "chloe trades --card momentum-long --regime trend_up --since 2025-11-01",
        "chloe trades --csv > trades.csv    all of them",
        "chloe trades --jsonl | jq .r",
    )
    + exit_codes("0 shown, also where there is none")
)
@_filters
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Only the last N. [default: 20 as table]"
)
@click.option("--csv", "shape", flag_value="csv", help="CSV with a heading line, all digits.")
@click.option("--jsonl", "shape", flag_value="jsonl", help="One JSON document a line.")
@account_option
@home_option
@json_option
def trades(limit: int | None, shape: str | None, **filters: str | None) -> None:
    """Show closed trades, oldest first. Net is after fees and funding, R the result over the first risk."""
    account = choose_account(chosen_home())
    if shape and wants_json():
        raise click.UsageError("choose one of --csv, --jsonl and --json")
    wanted = _wanted(filters)
    found = _read(account, wanted)
    if shape or wants_json():
        _print(account, found[-limit:] if limit else found, shape)
        return
    from engine_alpha.reports.status import WIDTH, flowing
    from engine_alpha.reports.trades import totals, trades_table

    show(account.first_line())
    if not found:
        which = " that match" if any(filters.values()) else " yet"
        show(f"no closed trades{which}")
        return
    most = limit or SHOWN
    width = terminal_width()
    show("", trades_table(found[-most:], width), "", *flowing(totals(found), width or WIDTH))
    if len(found) > most and limit is None:
        show(f"the last {most} are shown; more with --limit N, all with --csv or --jsonl")


def _wanted(filters: dict[str, str | None]) -> Wanted:
    from engine_alpha.times import parse_iso

    since, until = filters["since"], filters["until"]
    return Wanted(
        symbol=filters["symbol"],
        since_ms=None if since is None else parse_iso(since),
        until_ms=None if until is None else parse_iso(until),
        card=filters["card"],
        regime=filters["regime"],
    )


def _read(account: Account, wanted: Wanted) -> list[dict[str, Any]]:
    from engine_alpha.cli.records import refuse_unknown, trades_in

    if not account.exists:
        if wanted.symbol is not None:
            refuse_unknown(account, None, wanted.symbol)
        return []
    with reading(account) as journal:
        if wanted.symbol is not None:
            refuse_unknown(account, journal, wanted.symbol)
        return [trade for trade in trades_in(journal, wanted.symbol) if wanted.has(trade)]


def _print(account: Account, found: list[dict[str, Any]], shape: str | None) -> None:
    if shape == "csv":
        from engine_alpha.reports.trades import trades_csv

        click.echo(trades_csv(found), nl=False)
    elif shape == "jsonl":
        from engine_alpha.reports.trades import ordered

        for trade in found:
            show_json_line(ordered(trade))
    else:
        show_json({**account.fields(), "trades": found})
