"""Tables on disk: Parquet by month (trades by year), a manifest of them, and what a night hands to the next.

Every file carries a part of its hash in its name and is never changed; the manifest is replaced last, in one
go. So whatever interrupts a night leaves the dataset of the night before.
"""

import errno
import hashlib
import io
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from engine_alpha.atomic_files import write_atomically
from engine_alpha.errors import DataError
from engine_alpha.home import Home
from engine_alpha.research.dataset.schema import BARS, TRADES, Identity

MANIFEST: Final = "manifest.json"
DAMAGED: Final = "damaged_dataset"
DISK_FULL: Final = "disk_full"
UNWRITABLE: Final = "unwritable"
FILED_BY: Final = {BARS: "open_ms", TRADES: "closed_ms"}
"""The column by which a row is filed ..."""
FILED_IN: Final = {BARS: "M", TRADES: "Y"}
"""... under its month or year."""
NAMED_BY: Final = 12  # characters of the hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A table's rows of one month or year. `first_ms` and `last_ms` are of the column it is filed by;
    `content_sha256` is of the values, whatever the file looks like.
    """

    file: str
    rows: int
    first_ms: int
    last_ms: int
    sha256: str
    content_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a dataset holds and where it comes from. Bars in [identity.from_ms, to_ms) have been played, and
    `bars_sha256` is of all bars and settlements that they could read; `gates` names the bits of that column.
    """

    venue: str
    symbol: str
    timeframe: str
    identity: Identity
    to_ms: int
    bars_sha256: str
    gates: tuple[str, ...]
    horizons: tuple[int, ...]
    cards: Mapping[str, int]  # closed trades of each
    tables: Mapping[str, Mapping[str, Part]]
    carried_file: str
    carried_sha256: str

    @property
    def content_sha256(self) -> str:
        """Return a hash of every value in both tables."""
        digest = hashlib.sha256()
        for table in (BARS, TRADES):
            for span, part in sorted(self.tables[table].items()):
                digest.update(f"{table} {span} {part.content_sha256}\n".encode())
        return digest.hexdigest()

    def rows(self, table: str) -> int:
        """Return how many rows a table has."""
        return sum(part.rows for part in self.tables[table].values())


def dataset_folder(home: Home, venue: str, symbol: str, timeframe: str) -> Path:
    """Return where a coin's dataset is, or would be."""
    return home.state / "research" / "datasets" / venue / symbol / timeframe


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest, None where there is none; raise `DataError` where it can't be read."""
    path = folder / MANIFEST
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        tables = {
            table: {span: Part(**part) for span, part in parts.items()}
            for table, parts in found["tables"].items()
        }
        changed = {
            "identity": Identity(**found["identity"]),
            "tables": {BARS: tables[BARS], TRADES: tables[TRADES]},
            "gates": tuple(found["gates"]),
            "horizons": tuple(found["horizons"]),
        }
        return Manifest(**found | changed)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(DAMAGED, f"{path}: {error}") from error


def read_part(folder: Path, part: Part) -> pl.DataFrame:
    """Return one part; raise `DataError` where it is absent or not as it was stored."""
    try:
        return pl.read_parquet(io.BytesIO(verified(folder / part.file, part.sha256)))
    except pl.exceptions.PolarsError as error:
        raise DataError(DAMAGED, f"{folder / part.file}: {error}") from error


def verified(path: Path, sha256: str) -> bytes:
    """Return a file's bytes; raise `DataError` unless they are those that were stored."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(DAMAGED, f"{path}: {error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(DAMAGED, f"{path}: changed since it was stored; the next night builds it anew")
    return content


def framed(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return columns as a table; an unknown number is null there."""
    made = {
        name: pl.Series(name, column.tolist(), pl.String) if column.dtype == object else column
        for name, column in columns.items()
    }
    return pl.DataFrame(made).with_columns(pl.col(pl.Float64).fill_nan(None))


def content_sha256(frame: pl.DataFrame) -> str:
    """Return a hash of names and values."""
    digest = hashlib.sha256()
    for column in frame.iter_columns():
        digest.update(f"{column.name} {column.dtype} {len(column)}\n".encode())
        if column.dtype == pl.String:
            digest.update("\n".join(column.to_list()).encode())
        else:
            digest.update(np.ascontiguousarray(column.to_numpy()).tobytes())  # a null is the one NaN there is
    return digest.hexdigest()


@dataclass(slots=True, kw_only=True)
class Writing:
    """Files of one night on their way to a folder; the manifest makes them count, or they are taken back."""

    folder: Path
    written: list[Path]

    def appended(self, table: str, parts: Mapping[str, Part], new: pl.DataFrame) -> dict[str, Part]:
        """Return the parts of a table with new rows added."""
        by, found = FILED_BY[table], dict(parts)
        for span, rows in _filed(new, by, FILED_IN[table]):
            if span in found:
                rows = pl.concat((read_part(self.folder, found[span]), rows))
            buffer = io.BytesIO()
            rows.write_parquet(buffer, compression="zstd", statistics=False)
            file, sha256 = self.put(f"{table}-{span}", ".parquet", buffer.getvalue())
            found[span] = Part(
                file=file,
                rows=len(rows),
                first_ms=int(rows[by][0]),
                last_ms=int(rows[by][-1]),
                sha256=sha256,
                content_sha256=content_sha256(rows),
            )
        return found

    def put(self, stem: str, suffix: str, content: bytes) -> tuple[str, str]:
        """Write a file and return its name and SHA-256; raise `DataError` where the disk does not take it.

        A file that is there already with that content stays: last night's manifest may name it.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / f"{stem}.{sha256[:NAMED_BY]}{suffix}"
        if not path.exists() or path.read_bytes() != content:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                write_atomically(path, content)
            except OSError as error:
                self.take_back()
                raise _unwritable(path, error) from error
            self.written.append(path)
        return path.name, sha256

    def finish(self, manifest: Manifest) -> None:
        """Make it count, then remove what no longer does."""
        text = json.dumps(asdict(manifest), indent=1, sort_keys=True)
        path = self.folder / MANIFEST
        try:
            write_atomically(path, text.encode())
        except OSError as error:
            self.take_back()
            raise _unwritable(path, error) from error
        kept = {part.file for parts in manifest.tables.values() for part in parts.values()}
        remove_all_but(self.folder, {*kept, manifest.carried_file, MANIFEST})

    def take_back(self) -> None:
        """Remove what was written: half a night would only fill the disk."""
        for path in self.written:
            with suppress(OSError):
                path.unlink()


def remove_all_but(folder: Path, kept: set[str]) -> None:
    """Remove files that the manifest does not name: of earlier nights, or of an interrupted one."""
    for path in folder.iterdir():
        if path.name not in kept and path.is_file():
            with suppress(OSError):
                path.unlink()


def _unwritable(path: Path, error: OSError) -> DataError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataError(
            DISK_FULL, f"{path}: the disk is full; make room and run it again, last night's dataset stands"
        )
    return DataError(UNWRITABLE, f"{path}: {error.strerror or error}; last night's dataset stands")


def _filed(rows: pl.DataFrame, by: str, unit: str) -> list[tuple[str, pl.DataFrame]]:
    """Return the rows of each month or year, in order."""
    if len(rows) == 0:
        return []
    spans = rows[by].to_numpy().astype("datetime64[ms]").astype(f"datetime64[{unit}]")
    names, first = np.unique(spans, return_index=True)
    ends = [*first[1:].tolist(), len(rows)]
    return [
        (str(name), rows.slice(start, end - start))
        for name, start, end in zip(names, first.tolist(), ends, strict=True)
    ]
