"""A backtest's result as a folder of files, there as a whole or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, get_type_hints

import polars as pl

from engine_alpha.backtest.results import BacktestResult
from engine_alpha.errors import ConfigError
from engine_alpha.reports.run import TradeRow

RESULT: Final = "result.json"
TRADES: Final = ("trades.parquet", "trades.csv")
EQUITY: Final = ("equity.parquet", "equity.csv")
REPORT: Final = "report.html"
NAMES: Final = (RESULT, *TRADES, *EQUITY, REPORT)
KIND: Final = {"kind": "backtest", "format": 1}
"""How result.json says that Chloe wrote its folder, so that a later result may replace it."""
COLUMN_TYPES: Final = {int: pl.Int64, float: pl.Float64, str: pl.String}


def check_folder(folder: Path) -> None:
    """Raise `ConfigError` if a result can't go there: whatever no backtest wrote is left alone."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise ConfigError(f"--out {folder} is no folder; name another one")
    found = sorted(entry.name for entry in folder.iterdir())
    if not found:
        return
    others = [name for name in found if name not in NAMES]
    if others or not _is_result(folder / RESULT):
        held = f"it holds {others[0]}" if others else f"{RESULT} in it is none of chloe backtest"
        raise ConfigError(
            f"--out {folder} is there already and is no earlier result ({held}): name another folder"
        )


def _is_result(path: Path) -> bool:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and all(document.get(key) == value for key, value in KIND.items())


def write_result(folder: Path, fields: Mapping[str, Any], result: BacktestResult, page: str | None) -> None:
    """Write `fields` (plain JSON values), trades, equity and the page; an earlier result is replaced.

    All files are complete beside the folder before it is renamed into place. Raises `ConfigError`.
    """
    check_folder(folder)
    # named before it is made, so that an interrupt at any moment finds it
    made = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        made.mkdir(parents=True)
        _fill(made, fields, result, page)
        _put_in_place(made, folder)
    except OSError as fault:
        raise ConfigError(
            f"--out {folder} can't be written ({fault.strerror}): name another folder"
        ) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _fill(made: Path, fields: Mapping[str, Any], result: BacktestResult, page: str | None) -> None:
    text = json.dumps({**KIND, **fields}, indent=1, ensure_ascii=False, allow_nan=False)
    (made / RESULT).write_text(text + "\n", encoding="utf-8")
    for frame, (parquet, csv) in ((trades_frame(result), TRADES), (equity_frame(result), EQUITY)):
        frame.write_parquet(made / parquet)
        frame.write_csv(made / csv)
    if page is not None:
        (made / REPORT).write_text(page, encoding="utf-8")
    for path in made.iterdir():
        _sync(path)
    _sync(made)


def _put_in_place(made: Path, folder: Path) -> None:
    """Rename the new folder to its name; what stood there comes back if that fails."""
    before = made.with_name(f"{made.name}.before")
    try:
        if folder.is_dir() and any(folder.iterdir()):
            os.rename(folder, before)
        os.rename(made, folder)
        _sync(folder.parent)
    finally:
        if before.is_dir() and not folder.exists():
            os.rename(before, folder)
        shutil.rmtree(before, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems can't sync a folder
            os.fsync(handle)
    finally:
        os.close(handle)


def trades_frame(result: BacktestResult) -> pl.DataFrame:
    """Return closed trades and forced exits, one column per field of `TradeRow`, typed even without any."""
    types = {name: COLUMN_TYPES[hint] for name, hint in get_type_hints(TradeRow).items()}
    rows = [asdict(trade) for trade in result.as_run().trades]
    return pl.DataFrame(rows, schema=types)


def equity_frame(result: BacktestResult) -> pl.DataFrame:
    """Return the account after each instant at which a bar closed: time_ms, equity_quote, notional_quote."""
    return pl.DataFrame(
        {
            "time_ms": result.times_ms,
            "equity_quote": result.account_quote,
            "notional_quote": result.notional_quote,
        }
    )
