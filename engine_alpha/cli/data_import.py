"""`chloe data import`: candles, mark prices and funding from files of others into the store."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.data import data_folder
from engine_alpha.cli.options import (
    examples,
    given_home,
    home_option,
    json_option,
    now_ms,
    wants_json,
)
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.progress import progress_shown
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.store.importing.run import Import
    from engine_alpha.store.importing.series import Key
    from engine_alpha.store.months import Manifest

INTERRUPTED = 130


@click.command(
    "import",
    epilog=examples(
        "chloe data import BTCUSDT-1h-2024-*.zip --market perpetual       Binance archive",
        "chloe data import BTCUSDT-fundingRate-2024-*.zip                 its funding",
        "chloe data import user_data/data/bybit/futures/*-1h-*.feather    freqtrade",
        "chloe data import Binance_ETHUSDT_1h.csv                         CryptoDataDownload",
        "chloe data import mine.csv --venue bybit --symbol ETHUSDT --timeframe 1h --timezone UTC \\",
        '                  --columns "time=Opened,volume=Size"',
    ),
)
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, path_type=Path)
)
@click.option("--venue", help="bybit or binance (perpetuals), BINANCE (Binance spot).")
@click.option("--symbol", help="Coin and quote currency: ETHUSDT.")
@click.option("--timeframe", metavar="TF", help="Length of the bars: 1m, 1h, 1d.")
@click.option("--kind", type=click.Choice(("candles", "mark", "funding")), help="What the rows are.")
@click.option("--market", type=click.Choice(("perpetual", "spot")), help="Which market of the venue it was.")
@click.option("--columns", metavar="ROLE=NAME,...", help="Names of columns that are not recognised.")
@click.option(
    "--time-unit", type=click.Choice(("s", "ms", "us", "ns", "iso")), help="Unit of the times in the file."
)
@click.option(
    "--timezone", "zone", metavar="UTC|+HH:MM", help="Offset of times that are written without one."
)
@click.option(
    "--replace", is_flag=True, help="Where rows disagree, take the later file's; files before store."
)
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), help="Store in this folder instead."
)
@home_option
@json_option
def import_files(files: tuple[Path, ...], into: Path | None, replace: bool, **given: str | None) -> None:
    """Take candles, mark prices or funding rates from FILEs into the store.

    Readable are the Binance archive's zips and CSV, CryptoDataDownload's CSV, freqtrade's feather and JSON,
    other CSV and Parquet. Venue, symbol, timeframe, columns and units are taken from names and content;
    options say what these don't.

    All files are read, judged and compared, with each other and with the store, before anything is written.
    """
    from engine_alpha.store.importing.run import planned_import, write_import

    if into is not None and given_home() is not None:
        raise click.UsageError("--home and --into name two places: leave out one")
    wishes = _wishes(given)
    folders = [str(path) for path in files if path.is_dir()]
    if folders:
        raise ConfigError(f"{folders[0]} is a folder: name its files, for example {folders[0]}/*.csv")
    root = into if into is not None else data_folder()
    with _saying_what_is_kept():
        with progress_shown("reading", "files") as reading:
            plan = planned_import(root, files, wishes, now_ms=now_ms(), replace=replace, progress=reading)
        with progress_shown("writing", "series") as writing:
            manifests = write_import(plan, writing)
    if wants_json():
        show_json(_fields(plan, manifests))
    else:
        _show(plan, manifests)
        _show_next(into)


def _wishes(given: dict[str, str | None]) -> Any:
    from engine_alpha.store.importing.cells import TimeWish
    from engine_alpha.store.importing.rows import Wishes, parse_columns
    from engine_alpha.store.importing.series import wished_label

    columns, zone = given["columns"], given["zone"]
    return Wishes(
        label=wished_label(
            **{name: given[name] for name in ("venue", "market", "symbol", "timeframe", "kind")}
        ),
        columns=parse_columns(columns) if columns else {},
        time=TimeWish(unit=given["time_unit"], zone=_zone(zone) if zone else None),
    )


def _zone(text: str) -> tzinfo:
    if text.upper() in ("UTC", "Z"):
        return UTC
    found = re.fullmatch(r"([+-])(\d{2}):([0-5]\d)", text)
    if found is None or int(found[2]) > 14:
        raise ConfigError(f'--timezone "{text}": write UTC, or an offset such as +03:00 or -05:30')
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(offset if found[1] == "+" else -offset)


@contextmanager
def _saying_what_is_kept() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        remark("\nstopped; what is stored is whole: the same command goes on from there")
        sys.exit(INTERRUPTED)


def _fields(plan: Import, manifests: dict[Key, Manifest]) -> dict[str, Any]:
    return {
        "data": str(plan.root),
        "series": [
            {
                "venue": each.key.venue,
                "symbol": each.key.symbol,
                "series": each.key.series,
                "new_rows": each.new_rows,
                "replaced_rows": each.replaced_rows,
                "stored_rows": each.stored_rows,
                "shared_rows": each.shared_rows,
                "rows": manifests[each.key].rows,
                "first_ms": manifests[each.key].first_ms,
                "last_ms": manifests[each.key].last_ms,
                "gaps": manifests[each.key].gaps,
            }
            for each in plan.series
        ],
        "files": [
            {
                "file": piece.source,
                "series": str(piece.key),
                "rows": len(piece),
                "repeated_rows": piece.repeated_rows,
                "forming_ms": piece.forming_ms,
            }
            for piece in plan.pieces
        ],
    }


def _show(plan: Import, manifests: dict[Key, Manifest]) -> None:
    from engine_alpha.reports.table import Table, columns
    from engine_alpha.reports.words import count, day
    from engine_alpha.times import minute

    rows = []
    for each in plan.series:
        now = manifests[each.key]
        rows.append(
            (
                *(each.key.venue, each.key.symbol, each.key.series),
                *(f"{amount:,}" for amount in (each.new_rows, each.stored_rows, now.rows)),
                *(day(now.first_ms), day(now.last_ms), str(len(now.gaps))),
            )
        )
    heads = columns("venue", "symbol", "series", ">new", ">known", ">rows", "first", "last", ">gaps")
    show(f"into {plan.root}", "", Table(columns=heads, rows=tuple(rows)))
    for each in plan.series:
        if each.replaced_rows:
            show(f"{each.key}: {count(each.replaced_rows, 'stored row')} replaced")
        if each.shared_rows:
            show(
                f"{each.key}: {count(each.shared_rows, 'row')} stood in more than one file, the same in each"
            )
    for piece in plan.pieces:
        if piece.forming_ms is not None:
            show(f"{piece.source}: the bar of {minute(piece.forming_ms)} was not finished and is left out")
        if piece.repeated_rows:
            show(
                f"{piece.source}: {count(piece.repeated_rows, 'row')} stood there twice, with the same values"
            )


def _show_next(into: Path | None) -> None:
    where = f" --home {given_home()}" if given_home() else ""
    show("", f"next: chloe data check{where if into is None else f' {into}'}")
