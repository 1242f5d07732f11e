"""Files to tables: CSV (plain, zipped, gzipped), JSON lists, Parquet, Feather. Columns mean nothing yet."""

import csv
import gzip
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
import polars as pl

from engine_alpha.domain.bars import Ints
from engine_alpha.errors import DataError
from engine_alpha.store.parquet import UNREADABLE

CHECKSUM: Final = ".CHECKSUM"
CHECKSUM_MISMATCH: Final = "checksum_mismatch"
CUT_OFF: Final = "cut_off"

TEXT_FORMATS: Final = (".csv", ".tsv", ".txt")
HEAD_LINES: Final = 10
"""How far down a CSV file's first row of values may stand: above it a banner and the header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table as it stands in a file: texts from CSV, typed columns from the others.

    `names` are the names it goes by, the nearest first: a zip's member, then the zip. Without a header
    (`headed` False) columns are called "1", "2", …. `lines` says where in the file each row stands, in
    `counted_in`; `banner` is what stood above the header.
    """

    names: tuple[PurePath, ...]
    frame: pl.DataFrame
    headed: bool
    lines: Ints
    counted_in: str = "row"
    banner: str = ""

    @property
    def source(self) -> str:
        """Name the file, and its member if it is a zip."""
        return _source(self.names)

    def place(self, row: int) -> str:
        """Name file and line of a row, for messages."""
        return f"{self.source}, {self.counted_in} {self.lines[row]}"


def _source(names: tuple[PurePath, ...]) -> str:
    return "!".join(str(name) for name in reversed(names))


def read_tables(path: Path) -> list[Table]:
    """Return the tables of a file, more than one for a zip of several; raises `DataError` naming the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(UNREADABLE, f"{path}: {error.strerror}") from error
    if path.suffix.lower() != ".zip":
        return [_table((path,), content)]
    _check_sum(path, content)
    found = [_table((PurePath(name), path), inner) for name, inner in _members(path, content)]
    if not found:
        raise DataError(UNREADABLE, f"{path}: no file with candles in this zip")
    return found


def _check_sum(path: Path, content: bytes) -> None:
    """Compare a zip with the archive's checksum file, if that lies beside it."""
    beside = path.with_name(path.name + CHECKSUM)
    if not beside.exists():
        return
    words = beside.read_text(encoding="utf-8", errors="replace").split()
    if not words or words[0].lower() != hashlib.sha256(content).hexdigest():
        raise DataError(
            CHECKSUM_MISMATCH, f"{path}: its SHA-256 is not the one in {beside.name}; download it again"
        )


def _members(path: Path, content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                hidden = member.filename.startswith("__MACOSX/") or member.filename.endswith(CHECKSUM)
                if not member.is_dir() and not hidden:
                    yield member.filename, archive.read(member)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError) as error:
        raise DataError(
            UNREADABLE, f"{path}: no sound zip file ({error}); download or unpack it again"
        ) from error


def _table(names: tuple[PurePath, ...], content: bytes) -> Table:
    name = names[0]
    suffix = name.suffix.lower()
    if suffix == ".gz":
        try:
            return _table((name.with_suffix(""), *names[1:]), gzip.decompress(content))
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                UNREADABLE, f"{_source(names)}: no sound gzip file ({error}); download it again"
            ) from error
    if suffix in TEXT_FORMATS:
        return _csv_table(names, content)
    if suffix == ".json":
        return _json_table(names, content)
    if suffix in (".parquet", ".pq", ".feather", ".arrow", ".ipc"):
        return _typed_table(names, content, suffix)
    raise DataError(
        UNREADABLE,
        f"{_source(names)}: no known format; readable are CSV (.csv, .tsv, .txt, also in .zip and .gz), "
        ".json, .feather and .parquet",
    )


def _typed_table(names: tuple[PurePath, ...], content: bytes, suffix: str) -> Table:
    read = pl.read_parquet if suffix in (".parquet", ".pq") else pl.read_ipc
    try:
        frame = read(io.BytesIO(content))
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(UNREADABLE, f"{_source(names)}: {str(error).splitlines()[0][:200]}") from error
    return Table(names=names, frame=frame, headed=True, lines=np.arange(1, len(frame) + 1, dtype=np.int64))


def _json_table(names: tuple[PurePath, ...], content: bytes) -> Table:
    """Read a list of rows, each a list of values: how freqtrade keeps candles and venues answer."""
    try:
        rows = json.loads(content)
    except ValueError as error:
        raise DataError(UNREADABLE, f"{_source(names)}: no JSON: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise DataError(UNREADABLE, f"{_source(names)}: a list of rows is wanted, [[time, open, high, …], …]")
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        raise DataError(UNREADABLE, f"{_source(names)}: rows of {min(widths)} and of {max(widths)} values")
    columns = [_json_column(_source(names), list(column)) for column in zip(*rows, strict=True)]
    frame = pl.DataFrame({str(at): column for at, column in enumerate(columns, start=1)})
    return Table(names=names, frame=frame, headed=False, lines=np.arange(1, len(rows) + 1, dtype=np.int64))


def _json_column(source: str, values: list[Any]) -> pl.Series:
    """Return one column; whole numbers stay exact, numbers written as texts stay texts."""
    kinds = {type(value) for value in values} - {type(None)}
    if str in kinds:
        texts = [value if value is None or isinstance(value, str) else repr(value) for value in values]
        return pl.Series(texts, dtype=pl.String)
    if kinds <= {int, float}:
        return pl.Series(values, dtype=pl.Float64 if float in kinds else pl.Int64, strict=False)
    raise DataError(UNREADABLE, f"{source}: rows hold something else than numbers and texts")


def _csv_table(names: tuple[PurePath, ...], content: bytes) -> Table:
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        head = [line.decode("utf-8").rstrip("\r") for line in content.split(b"\n", HEAD_LINES)[:HEAD_LINES]]
    except UnicodeDecodeError as error:
        raise DataError(UNREADABLE, f"{_source(names)}: no UTF-8 text; save it as UTF-8") from error
    separator = _separator(head)
    cells = [_cells(line, separator) for line in head]
    first = next((at for at, row in enumerate(cells) if _has_values(row)), None)
    if first is None:
        raise DataError(UNREADABLE, f"{_source(names)}: no row of values in its first {HEAD_LINES} lines")
    headed = first > 0 and len(cells[first - 1]) == len(cells[first])
    columns = cells[first - 1] if headed else [str(at) for at in range(1, len(cells[first]) + 1)]
    frame, lines = _csv_frame(_source(names), content, separator, (first, len(columns)))
    return Table(
        names=names,
        frame=frame.rename(dict(zip(frame.columns, _distinct(columns), strict=True))),
        headed=headed,
        lines=lines,
        counted_in="line",
        banner="\n".join(head[: first - headed]),
    )


def _separator(head: list[str]) -> str:
    """Return what parts the cells; a semicolon before a comma, which may be part of a number."""
    widest = max(head, key=len)
    return next((mark for mark in (";", "\t", "|") if widest.count(mark) >= 2), ",")


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for row in csv.reader([line], delimiter=separator) for cell in row]
    except csv.Error:  # a line break of another system inside, or no end to a cell
        return [line]


def _has_values(cells: list[str]) -> bool:
    """Say whether this is a row of values: a number in at least half of its cells."""
    return len(cells) > 1 and 2 * sum(map(_is_number, cells)) >= len(cells)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _distinct(columns: list[str]) -> list[str]:
    """Return names of columns of which no two are equal: a frame can't have that."""
    return [name if name not in columns[:at] else f"{name} ({at + 1})" for at, name in enumerate(columns)]


def _csv_frame(
    source: str, content: bytes, separator: str, shape: tuple[int, int]
) -> tuple[pl.DataFrame, Ints]:
    """Return the rows below `shape[0]` lines as texts, and the line of each; blank lines are left out."""
    skip, width = shape
    _check_last_line(source, content, separator, width)
    try:
        frame = pl.read_csv(
            io.BytesIO(content),
            has_header=False,
            skip_lines=skip,
            separator=separator,
            schema={str(at): pl.String for at in range(width)},
        )
    except pl.exceptions.PolarsError as error:
        raise _odd_line(source, content, separator, shape) or DataError(
            UNREADABLE, f"{source}: {str(error).splitlines()[0]}"
        ) from error
    blank = pl.all_horizontal(pl.all().is_null())
    kept = frame.select(~blank).to_series().to_numpy()
    return frame.filter(~blank), skip + 1 + np.flatnonzero(kept)


def _check_last_line(source: str, content: bytes, separator: str, width: int) -> None:
    """Refuse a file that stops in the middle of a row: its last number may have lost digits."""
    last = content.rstrip()[-10_000:].rsplit(b"\n", 1)[-1].decode("utf-8", errors="replace")
    if len(_cells(last, separator)) < width:
        raise DataError(
            CUT_OFF, f'{source}: its last line is cut off ("{last[:60]}"); download or export it again'
        )


def _odd_line(source: str, content: bytes, separator: str, shape: tuple[int, int]) -> DataError | None:
    """Name the first line with more cells than the first row has."""
    skip, width = shape
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), start=1):
        if number > skip and len(_cells(line, separator)) > width:
            return DataError(
                UNREADABLE, f"{source}, line {number}: more than the {width} cells of the others"
            )
    return None
