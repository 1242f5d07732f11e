"""A cache of decoded columns, memory-mapped: a warm read needs neither Polars nor decoding.

One .npy file per decoded source in `<cache>/columns`, named by the SHA-256 of the source's bytes, the names
of the columns and the format; so a source that changes, or moves, needs no bookkeeping. It holds words of
64 bits: a head (columns, rows, CRC-32 of the rest), then column after column, floats as their bits. A file
that is not what it should be is decoded and written anew. A folder that can't be written is no fault.
"""

import hashlib
import io
import os
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.atomic_files import write_atomically
from engine_alpha.domain.bars import Ints
from engine_alpha.errors import DataError
from engine_alpha.home import cache_folder
from engine_alpha.store.parquet import TIME, UNREADABLE, Columns, read_columns

FORMAT: Final = 1
HEAD_WORDS: Final = 8  # 64 bytes, so that the first column begins on a cache line
HEADER_BYTES: Final = 128  # NumPy's own
WORD_BYTES: Final = 8
UNUSED_DAYS: Final = 90
DAY_S: Final = 86_400.0


def file_columns(path: Path, names: tuple[str, ...]) -> Columns:
    """Return the columns of one Parquet file, read-only; raises `DataError` naming the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(UNREADABLE, f"{path}: {error}") from error
    sha256 = hashlib.sha256(content).hexdigest()
    return cached_columns(names, (sha256,), lambda: read_columns(path, names, content))


def cached_columns(
    names: tuple[str, ...], sources_sha256: Sequence[str], decode: Callable[[], Columns]
) -> Columns:
    """Return the columns made of these sources: from the cache, else by `decode`, kept for the next time.

    `decode` returns int64 under "timestamp" and float64 under the other names, all of one length. All arrays
    are read-only; those of the cache are mapped, and stay so if their file is removed or replaced.
    """
    folder = cache_folder() / "columns"
    path = folder / f"{_key(names, sources_sha256)}.npy"
    found = _opened(path, names)
    if found is not None:
        return found
    columns = decode()
    with suppress(OSError):
        _keep(path, names, columns)
        return _opened(path, names) or _read_only(columns)
    return _read_only(columns)


def _key(names: tuple[str, ...], sources_sha256: Sequence[str]) -> str:
    text = "\n".join((f"format {FORMAT}", ",".join(names), *sources_sha256))
    return hashlib.sha256(text.encode()).hexdigest()


def _opened(path: Path, names: tuple[str, ...]) -> Columns | None:
    """Map a file of the cache; None if it is absent or damaged."""
    try:
        with path.open("rb") as file:
            words = (os.fstat(file.fileno()).st_size - HEADER_BYTES) // WORD_BYTES
            if words < HEAD_WORDS or file.read(HEADER_BYTES) != _npy_header(words):
                return None
        mapped: NDArray[Any] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError):
        return None
    columns, rows, crc32 = mapped[:3].tolist()
    body = mapped[HEAD_WORDS:]
    if columns != len(names) or len(body) != columns * rows or crc32 != _crc32(body):
        return None
    _mark_as_used(path)
    parts = body.reshape(columns, rows)
    return {
        name: part if name == TIME else part.view(np.float64) for name, part in zip(names, parts, strict=True)
    }


def _npy_header(words: int) -> bytes:
    """Return how a file of so many words begins; compared first, as NumPy reads a damaged one too kindly."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<i8", "fortran_order": False, "shape": (words,)})
    return buffer.getvalue()


def _crc32(body: Ints) -> int:
    return zlib.crc32(np.ascontiguousarray(body).data)


def _keep(path: Path, names: tuple[str, ...], columns: Columns) -> None:
    """Write one file of the cache, and forget those that nobody has used for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _forget_unused(path.parent)
    parts = [_words(name, columns[name]) for name in names]
    body = np.concatenate(parts)
    head = np.zeros(HEAD_WORDS, "<i8")
    head[:3] = len(names), len(parts[0]), _crc32(body)
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate((head, body)))
    write_atomically(path, buffer.getvalue())


def _words(name: str, column: NDArray[Any]) -> Ints:
    words: Ints = np.ascontiguousarray(column, "<i8" if name == TIME else "<f8").view("<i8")
    return words


def _read_only(columns: Columns) -> Columns:
    for column in columns.values():
        column.flags.writeable = False
    return columns


def _mark_as_used(path: Path) -> None:
    """Move the file's time forward, at most once a day: it says when the file was used last."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > DAY_S:
            os.utime(path)


def _forget_unused(folder: Path) -> None:
    """Remove what was not used for 90 days, half-written files of a killed writer among it."""
    oldest_s = time.time() - UNUSED_DAYS * DAY_S
    for path in folder.iterdir():
        with suppress(OSError):
            if path.stat().st_mtime < oldest_s:
                path.unlink()
