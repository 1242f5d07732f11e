"""Import files into a store in two steps: all of them read, judged and compared; then all written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store import months
from engine_alpha.store.importing.naming import Label
from engine_alpha.store.importing.pieces import Piece, bars_of, piece_of
from engine_alpha.store.importing.rows import Rows, Wishes, read_rows
from engine_alpha.store.importing.series import Key, key_of
from engine_alpha.store.importing.tables import CHECKSUM
from engine_alpha.store.importing.uniting import United, united
from engine_alpha.store.inventory import flat_paths
from engine_alpha.store.parquet import TIME, funding_from

REFUSED: Final = "refused"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import will write into the store at `root`: each file's part as judged, and each series."""

    root: Path
    pieces: tuple[Piece, ...]
    series: tuple[United, ...]


def _unheard(done: int, total: int) -> None:
    """Progress that nobody asked for."""


def planned_import(
    root: Path,
    paths: Sequence[Path],
    wishes: Wishes,
    *,
    now_ms: int,
    replace: bool = False,
    progress: Progress = _unheard,
) -> Import:
    """Read and judge files of candles, mark prices or funding, compare them, and write nothing.

    Raises `DataError` or `ConfigError` that lists all that is wrong, unless every file is sound and all agree
    with each other and with the store. `progress` gets (files done, files in all).
    """
    files = [path for path in dict.fromkeys(paths) if not path.name.endswith(CHECKSUM)]
    if not files:
        raise ConfigError("only checksum files were named; name the zips beside them")
    pieces = _judged(files, wishes, now_ms, progress)
    by_key: dict[Key, list[Piece]] = {}
    for piece in pieces:
        by_key.setdefault(piece.key, []).append(piece)
    _check_flat(root, by_key, files)
    series = tuple(united(root, by_key[key], replace) for key in sorted(by_key))
    return Import(root=root, pieces=tuple(pieces), series=series)


def write_import(plan: Import, progress: Progress = _unheard) -> dict[Key, months.Manifest]:
    """Write what was planned, series by series, and return what each of them is now.

    Killed half-way every series is as before or as planned, month by month; the same import completes it.
    """
    manifests: dict[Key, months.Manifest] = {}
    for each in plan.series:
        manifests[each.key] = _written(plan.root, each)
        progress(len(manifests), len(plan.series))
    return manifests


def _judged(files: Sequence[Path], wishes: Wishes, now_ms: int, progress: Progress) -> list[Piece]:
    """Return all files' pieces, or raise one error for all files that are refused."""
    pieces: list[Piece] = []
    faults: list[DataError | ConfigError] = []
    told: list[Label] = []
    for done, path in enumerate(files, start=1):
        try:
            for rows in read_rows(path, wishes):
                told.append(rows.told)
                pieces.append(_piece(rows, wishes, now_ms))
        except (DataError, ConfigError) as fault:
            faults.append(fault)
        progress(done, len(files))
    if faults:
        raise _all_of(faults, len(files))
    _check_overridden(wishes.label, told)
    return pieces


def _piece(rows: Rows, wishes: Wishes, now_ms: int) -> Piece:
    return piece_of(rows, key_of(rows, wishes), now_ms)


def _all_of(faults: list[DataError | ConfigError], files: int) -> DataError | ConfigError:
    """Return one error for several: a file that is wrong weighs more than an option that is missing."""
    if len(faults) == 1 and files == 1:
        return faults[0]
    lines = "".join(f"\n  {fault}" for fault in faults)
    text = f"{len(faults)} of {files} files can't be imported, so nothing was written:{lines}"
    broken = any(isinstance(fault, DataError) for fault in faults)
    return DataError(REFUSED, text) if broken else ConfigError(text)


def _check_overridden(wished: Label, told: Sequence[Label]) -> None:
    """Refuse one symbol, or venue, for files that name different ones: that would splice them."""
    for name in ("symbol", "venue"):
        named = sorted({getattr(label, name) for label in told if getattr(label, name)})
        if getattr(wished, name) and len(named) > 1:
            raise ConfigError(
                f"--{name} {getattr(wished, name)} would make one series of files that say "
                f"{', '.join(named)}: import them one by one, or leave out --{name}"
            )


def _check_flat(root: Path, keys: dict[Key, list[Piece]], files: Sequence[Path]) -> None:
    """Refuse to hide a flat file behind a few new months: the own layout is read before it."""
    named = {path.resolve() for path in files}
    flat = flat_paths(root)
    for key in sorted(keys):
        path = flat.get((key.venue, key.symbol, key.series))
        own = root / key.venue / key.symbol / key.series / months.MANIFEST
        if path is not None and path.resolve() not in named and not own.exists():
            raise ConfigError(
                f"{key} is stored as {path}, which would no longer be read: import that file too, or first"
            )


def _written(root: Path, each: United) -> months.Manifest:
    """Write what is new of one series and return its manifest."""
    key = each.key
    folder = root / key.venue / key.symbol / key.series
    if len(each.columns[TIME]) == 0:
        return months.read_manifest(folder)
    try:
        if key.timeframe_ms == 0:
            return months.write_funding(root, key.venue, key.symbol, funding_from(folder, each.columns))
        return months.write_bars(root, key.venue, key.symbol, key.series, bars_of(key, each.columns))
    except OSError as error:
        raise ConfigError(
            f"{folder}: can't be written ({error.strerror}); series before it are stored; repeat the command"
        ) from error
