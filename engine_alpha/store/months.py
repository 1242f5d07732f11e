"""The bar store's own layout: venue/SYMBOL/series/YYYY-MM.parquet and a manifest beside them.

A series is a timeframe ("1h"), "mark_1h" or "funding". The manifest holds rows, span, gaps and the SHA-256
of each file; a file that does not match is refused. It is written before the files change (with the hashes to
come) and after, so a crash at any point leaves a series that reads.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine_alpha.atomic_files import write_atomically
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bar_checks import check_history
from engine_alpha.domain.bars import Bars, Funding, Ints
from engine_alpha.errors import DataError
from engine_alpha.store.columns import cached_columns
from engine_alpha.store.parquet import (
    BAR_COLUMNS,
    FUNDING_COLUMNS,
    TIME,
    UNREADABLE,
    Columns,
    bars_from,
    funding_from,
    packed,
    read_columns,
)

MANIFEST: Final = "manifest.json"
FUNDING: Final = "funding"
MARK: Final = "mark_"
HASH_MISMATCH: Final = "hash_mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFile:
    """One month: rows, span, gaps inside it, hash, and the hash to come while it is being replaced."""

    rows: int
    first_ms: int
    last_ms: int
    gaps: tuple[tuple[int, int], ...]
    sha256: str
    next_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a series holds; `gaps` are (first missing open time, bars missing); funding has none."""

    format: int
    rows: int
    first_ms: int
    last_ms: int
    gaps: tuple[tuple[int, int], ...]
    files: dict[str, MonthFile]


def write_bars(root: Path, venue: str, symbol: str, series: str, bars: Bars) -> Manifest:
    """Store closed bars, replacing those of the same times; raises `DataError` for what can't be true.

    `series` is the timeframe, or "mark_" and the timeframe.
    """
    check_history(bars, int(bars.close_ms[-1]) if len(bars) else 0)
    columns: Columns = {TIME: bars.open_ms}
    columns |= {name: getattr(bars, name) for name in BAR_COLUMNS[1:]}
    return _merge(root / venue / symbol / series, columns, bars.timeframe_ms)


def write_funding(root: Path, venue: str, symbol: str, funding: Funding) -> Manifest:
    """Store settlements, replacing those of the same times."""
    columns: Columns = {TIME: funding.settled_ms, "rate": funding.rate_frac}
    return _merge(root / venue / symbol / FUNDING, columns, 0)


def read_bars(root: Path, venue: str, symbol: str, series: str) -> Bars:
    """Return a whole series; raises `DataError` naming a file that is absent, unreadable or not as stored."""
    folder = root / venue / symbol / series
    return bars_from(folder, _read(folder, BAR_COLUMNS), TIMEFRAME_MS[series.removeprefix(MARK)])


def read_funding(root: Path, venue: str, symbol: str) -> Funding:
    """Return all settlements; raises like `read_bars`."""
    folder = root / venue / symbol / FUNDING
    return funding_from(folder, _read(folder, FUNDING_COLUMNS))


def read_manifest(folder: Path) -> Manifest:
    """Return a series' manifest; raises `DataError` if it is absent or unreadable."""
    path = folder / MANIFEST
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files = {
            name: MonthFile(**entry | {"gaps": _pairs(entry["gaps"])})
            for name, entry in found["files"].items()
        }
        return Manifest(**found | {"files": files, "gaps": _pairs(found["gaps"])})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(UNREADABLE, f"{path}: {error}") from error


def _pairs(gaps: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((int(at), int(count)) for at, count in gaps)


def _read(folder: Path, names: tuple[str, ...]) -> Columns:
    """Return a series' columns, read-only, from the cache if these very files were decoded before."""
    files = read_manifest(folder).files
    found = {folder / name: _verified(folder / name, files[name]) for name in sorted(files)}

    def decode() -> Columns:
        months = [_month_columns(path, content, names) for path, (content, _) in found.items()]
        return {name: np.concatenate([month[name] for month in months]) for name in names}

    return cached_columns(names, [sha256 for _, sha256 in found.values()], decode)


def _read_month(path: Path, entry: MonthFile, names: tuple[str, ...]) -> Columns:
    content, _ = _verified(path, entry)
    return _month_columns(path, content, names)


def _verified(path: Path, entry: MonthFile) -> tuple[bytes, str]:
    """Return a month's bytes and their SHA-256; refuse what was not stored so. Still to be written: none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if entry.sha256:
            raise DataError(UNREADABLE, f"{path}: the manifest lists it, it is not there") from None
        return b"", ""
    except OSError as error:
        raise DataError(UNREADABLE, f"{path}: {error}") from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 not in (entry.sha256, entry.next_sha256):
        raise DataError(HASH_MISMATCH, f"{path}: changed since it was stored; import it again")
    return content, sha256


def _month_columns(path: Path, content: bytes, names: tuple[str, ...]) -> Columns:
    if content:
        return read_columns(path, names, content)
    return {name: np.empty(0, np.int64 if name == TIME else np.float64) for name in names}


def _merge(folder: Path, columns: Columns, step_ms: int) -> Manifest:
    """Write the months that change: the manifest with the hashes to come, the files, the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    files = _settled(folder, tuple(columns), step_ms) if (folder / MANIFEST).exists() else {}
    coming, contents = dict(files), {}
    for name, part in _by_month(columns).items():
        before = files[name].sha256 if name in files else ""
        if before:
            part = _replaced(_read_month(folder / name, files[name], tuple(columns)), part)
        contents[name] = packed(part)
        files[name] = _entry(part, contents[name], step_ms)
        coming[name] = replace(files[name], sha256=before, next_sha256=files[name].sha256)
    _write_manifest(folder, coming, step_ms)
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return _write_manifest(folder, files, step_ms)


def _settled(folder: Path, names: tuple[str, ...], step_ms: int) -> dict[str, MonthFile]:
    """Return the entries as the files are now: an earlier write may have stopped half way."""
    files: dict[str, MonthFile] = {}
    for name, entry in read_manifest(folder).files.items():
        if not entry.next_sha256:
            files[name] = entry
        elif (folder / name).exists():
            part = _read_month(folder / name, entry, names)
            files[name] = _entry(part, (folder / name).read_bytes(), step_ms)
    return files


def _by_month(columns: Columns) -> dict[str, Columns]:
    times = np.asarray(columns[TIME], np.int64)
    months = times.astype("datetime64[ms]").astype("datetime64[M]")
    return {
        f"{month}.parquet": {name: column[months == month] for name, column in columns.items()}
        for month in np.unique(months)
    }


def _replaced(old: Columns, new: Columns) -> Columns:
    """Return old and new rows in order of time, the new ones where both have a time."""
    kept = ~np.isin(old[TIME], new[TIME])
    order = np.argsort(np.concatenate([old[TIME][kept], new[TIME]]), kind="stable")
    return {name: np.concatenate([old[name][kept], new[name]])[order] for name in new}


def _entry(columns: Columns, content: bytes, step_ms: int) -> MonthFile:
    times = np.asarray(columns[TIME], np.int64)
    return MonthFile(
        rows=len(times),
        first_ms=int(times[0]),
        last_ms=int(times[-1]),
        gaps=_gaps(times, step_ms),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _gaps(times: Ints, step_ms: int) -> tuple[tuple[int, int], ...]:
    if step_ms == 0:
        return ()
    before = np.flatnonzero(np.diff(times) > step_ms)
    return tuple(
        (int(times[at]) + step_ms, int(times[at + 1] - times[at]) // step_ms - 1) for at in before.tolist()
    )


def _write_manifest(folder: Path, files: dict[str, MonthFile], step_ms: int) -> Manifest:
    spans = [files[name] for name in sorted(files)]
    seams = [_gaps(np.array([a.last_ms, b.first_ms]), step_ms) for a, b in pairwise(spans)]
    manifest = Manifest(
        format=1,
        rows=sum(span.rows for span in spans),
        first_ms=spans[0].first_ms if spans else 0,
        last_ms=spans[-1].last_ms if spans else 0,
        gaps=tuple(sorted(chain(*(span.gaps for span in spans), *seams))),
        files=files,
    )
    write_atomically(folder / MANIFEST, json.dumps(asdict(manifest), indent=1, sort_keys=True).encode())
    return manifest
