"""Parquet files as columns, bars and settlements; Polars itself stays behind `store.polars_codec`."""

import importlib
import importlib.util
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bar_checks import NOT_A_NUMBER, check_order
from engine_alpha.domain.bars import Bars, Funding, Ints
from engine_alpha.errors import ConfigError, DataError

if importlib.util.find_spec("polars") is None:
    raise ConfigError("reading Parquet needs the backtest extra: pip install 'chloe[backtest]'")

Columns = dict[str, NDArray[Any]]  # int64 under "timestamp", float64 under every other name

TIME: Final = "timestamp"
BAR_COLUMNS: Final = (TIME, "open", "high", "low", "close", "volume")
FUNDING_COLUMNS: Final = (TIME, "rate")
MINUTE_MS: Final = 60_000

UNREADABLE: Final = "unreadable_file"


def read_columns(path: Path, columns: tuple[str, ...], content: bytes | None = None) -> Columns:
    """Return int64 times and float64 columns, nulls as NaN; raises `DataError` naming the file."""
    try:
        found: Columns = _codec().decoded(path, columns, path.read_bytes() if content is None else content)
    except OSError as error:
        raise DataError(UNREADABLE, f"{path}: {error}") from error
    return found


def packed(columns: Columns) -> bytes:
    """Return the columns as the bytes of a Parquet file."""
    content: bytes = _codec().encoded(columns)
    return content


def _codec() -> Any:
    """Load the part that needs Polars when a file must be decoded or written, and not before.

    Its import takes longer than reading twelve coins whose columns are in the cache, where it is not needed.
    """
    return importlib.import_module("engine_alpha.store.polars_codec")


def bars_from(path: Path, columns: Columns, timeframe_ms: int) -> Bars:
    """Return the bars of a file; out-of-order or doubled times raise `DataError` naming it."""
    times = np.asarray(columns[TIME], np.int64)
    _check_order(path, times)
    return Bars(
        timeframe_ms=timeframe_ms,
        open_ms=times,
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        close=columns["close"],
        volume=columns["volume"],
    )


def funding_from(path: Path, columns: Columns) -> Funding:
    """Return settlements at their nominal minute: venues stamp them some milliseconds late."""
    raw = np.asarray(columns[TIME], np.int64)
    times = (raw + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
    rates = np.asarray(columns["rate"], np.float64)
    _check_order(path, times)
    if not np.isfinite(rates).all():
        raise DataError(NOT_A_NUMBER, f"{path}: a funding rate is no number")
    if len(times) == 0:
        return Funding()
    return Funding(settled_ms=times, rate_frac=rates, from_ms=int(times[0]), to_ms=int(times[-1]))


def _check_order(path: Path, times: Ints) -> None:
    try:
        check_order(times)
    except DataError as error:
        raise DataError(error.reason, f"{path}: {error.detail}") from error
