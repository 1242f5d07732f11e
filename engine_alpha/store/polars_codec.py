"""Bytes of one Parquet file to columns and back; loaded by `store.parquet` when a file needs it."""

import io
from pathlib import Path
from typing import Any

import polars as pl
from numpy.typing import NDArray

from engine_alpha.errors import DataError
from engine_alpha.store.parquet import TIME, UNREADABLE, Columns


def decoded(path: Path, columns: tuple[str, ...], content: bytes) -> Columns:
    """Return int64 times and float64 columns, nulls as NaN; raises `DataError` naming the file."""
    try:
        frame = pl.read_parquet(io.BytesIO(content))
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


def encoded(columns: Columns) -> bytes:
    """Return the columns as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer, compression="zstd", statistics=False)
    return buffer.getvalue()
