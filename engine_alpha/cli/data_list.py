"""`chloe data list`: what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.data import data_folder
from engine_alpha.cli.options import examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json

if TYPE_CHECKING:
    from engine_alpha.reports.table import Table
    from engine_alpha.store.inventory import Stored

SOME_UNREADABLE = 3


@click.command("list", epilog=examples("chloe data list", "chloe data list --data candles/ --json"))
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Another folder than the home's.")
@home_option
@json_option
def list_series(folder: Path | None) -> int:
    """List every stored series: venue, symbol, timeframe, span, gaps in bars, size.

    Venues are bybit and binance for perpetuals, BINANCE for Binance spot. Exit code 3 if one can't be read.
    """
    from engine_alpha.store.inventory import inventory

    folder = data_folder() if folder is None else folder
    found = inventory(folder)
    if wants_json():
        show_json({"data": str(folder), "series": [_fields(each) for each in found]})
    elif not found:
        show(f"nothing is stored in {folder} yet: chloe data import FILE..., or chloe data download")
    else:
        show(f"stored in {folder}", "", _table(found))
    for each in found:
        if each.fault:
            remark(f"unreadable: {each.fault}")
    return SOME_UNREADABLE if any(each.fault for each in found) else 0


def _fields(each: Stored) -> dict[str, Any]:
    return {
        "venue": each.venue,
        "symbol": each.symbol,
        "series": each.series,
        "rows": each.rows,
        "first_ms": each.first_ms,
        "last_ms": each.last_ms,
        "gaps": each.gaps,
        "longest_gap_bars": each.longest_gap,
        "layout": each.layout,
        "path": str(each.path),
        "size_bytes": each.size,
        "hidden": each.hidden,
        "fault": each.fault or None,
    }


def _table(found: list[Stored]) -> Table:
    from engine_alpha.reports.table import Table, columns

    heads = columns("venue", "symbol", "series", ">rows", "first", "last", ">gaps", ">size", "note")
    return Table(columns=heads, rows=tuple(_row(each) for each in found))


def _row(each: Stored) -> tuple[str, ...]:
    from engine_alpha.reports.words import NOTHING, day

    spans = (day(each.first_ms), day(each.last_ms)) if each.rows else (NOTHING, NOTHING)
    gaps = f"{each.gaps:,} (longest {each.longest_gap:,})" if each.gaps else NOTHING
    notes = [
        "unreadable" if each.fault else "",
        "flat file" if each.layout == "flat" else "",
        "not read: the same is stored in months" if each.hidden else "",
    ]
    return (
        *(each.venue, each.symbol, each.series, f"{each.rows:,}", *spans, gaps),
        *(f"{max(round(each.size / 1_024), 1):,} KiB", ", ".join(filter(None, notes))),
    )
