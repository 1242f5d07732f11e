"""Bytes of one Parquet file to columns and back; the only place that knows Polars' types."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bar_checks import NOT_A_NUMBER, check_order
from engine_alpha.domain.bars import Bars, Funding, Ints
from engine_alpha.errors import ConfigError, DataError

try:
    import polars as pl
except ImportError as error:
    raise ConfigError("reading Parquet needs the backtest extra: pip install 'chloe[backtest]'") from error

Columns = dict[str, NDArray[Any]]  # int64 under "timestamp", float64 under every other name

TIME: Final = "timestamp"
BAR_COLUMNS: Final = (TIME, "open", "high", "low", "close", "volume")
FUNDING_COLUMNS: Final = (TIME, "rate")
MINUTE_MS: Final = 60_000

UNREADABLE: Final = "unreadable_file"


def read_columns(path: Path, columns: tuple[str, ...], content: bytes | None = None) -> Columns:
    """Return int64 times and float64 columns, nulls as NaN; raises `DataError` naming the file."""
    try:
        frame = pl.read_parquet(io.BytesIO(path.read_bytes() if content is None else content))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(UNREADABLE, f"{path}: {error}") from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise DataError(
            UNREADABLE, f"{path}: no column {', '.join(missing)}; it has {', '.join(frame.columns)}"
        )
    return {name: _column(path, frame[name]) for name in columns}


def _column(path: Path, series: pl.Series) -> NDArray[Any]:
    if series.name != TIME:
        return series.cast(pl.Float64).fill_null(float("nan")).to_numpy(writable=True)
    if not series.dtype.is_integer() or series.null_count():
        raise DataError(
            UNREADABLE,
            f"{path}: {TIME} is {series.dtype}, with {series.null_count()} nulls; int64 ms UTC wanted",
        )
    return series.cast(pl.Int64).to_numpy(writable=True)


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


def packed(columns: Columns) -> bytes:
    """Return the columns as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()
