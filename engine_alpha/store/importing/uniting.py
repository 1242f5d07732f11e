"""Pieces of one series, and what is stored of it, must agree where they overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.errors import DataError
from engine_alpha.store import months
from engine_alpha.store.importing.pieces import Piece, moment, rows_of, unlike
from engine_alpha.store.importing.rows import RATE
from engine_alpha.store.importing.series import Key
from engine_alpha.store.parquet import BAR_COLUMNS, FUNDING_COLUMNS, TIME, Columns

DISAGREE: Final = "disagree"


@dataclass(frozen=True, slots=True, kw_only=True)
class United:
    """The rows of one series that must be written: new ones, and ones that replace what is stored.

    `stored_rows` are stored already with the same values, `shared_rows` stood in more than one file.
    """

    key: Key
    columns: Columns
    sources: tuple[str, ...]
    new_rows: int
    replaced_rows: int
    stored_rows: int
    shared_rows: int


def united(root: Path, pieces: Sequence[Piece], replace: bool) -> United:
    """Return what to write of the pieces of one series, in their order; with `replace` the later one counts.

    Raises `DataError` for the first row on which two files, or a file and the store, disagree.
    """
    key = pieces[0].key
    stored = _stored(root, key)
    parts = [stored, *(piece.columns for piece in pieces)]
    origin = np.repeat(np.arange(len(parts)), [len(part[TIME]) for part in parts])
    columns = {name: np.concatenate([part[name] for part in parts]) for name in stored}
    order = np.argsort(columns[TIME], kind="stable")
    columns, origin = rows_of(columns, order), origin[order]
    again = np.diff(columns[TIME]) == 0
    clash = again & unlike(rows_of(columns, np.s_[:-1]), rows_of(columns, np.s_[1:]))
    if clash.any() and not replace:
        sources = [f"what is stored in {root}", *(piece.source for piece in pieces)]
        raise _disagreement(key, columns, [sources[number] for number in origin], (again, clash))
    columns = rows_of(columns, np.append(~again, True))  # the last of several: the latest file's
    there = columns[TIME].searchsorted(stored[TIME])
    changed = unlike(stored, rows_of(columns, there))
    wanted = np.ones(len(columns[TIME]), np.bool_)
    wanted[there[~changed]] = False
    given = len(np.unique(np.concatenate([piece.columns[TIME] for piece in pieces])))
    new, replaced = len(wanted) - len(there), int(np.count_nonzero(changed))
    return United(
        key=key,
        columns=rows_of(columns, wanted),
        sources=tuple(piece.source for piece in pieces),
        new_rows=new,
        replaced_rows=replaced,
        stored_rows=given - new - replaced,
        shared_rows=sum(map(len, pieces)) - given,
    )


def columns_of(stored: Bars | Funding) -> Columns:
    """Return bars or settlements as columns."""
    if isinstance(stored, Funding):
        return {TIME: stored.settled_ms, RATE: stored.rate_frac}
    return {TIME: stored.open_ms} | {name: getattr(stored, name) for name in BAR_COLUMNS[1:]}


def _stored(root: Path, key: Key) -> Columns:
    """Return the stored rows of a series, none if there is no such series."""
    folder = root / key.venue / key.symbol / key.series
    if not (folder / months.MANIFEST).exists():
        names = BAR_COLUMNS if key.timeframe_ms else FUNDING_COLUMNS
        return {name: np.empty(0, np.int64 if name == TIME else np.float64) for name in names}
    try:
        if key.timeframe_ms == 0:
            return columns_of(months.read_funding(root, key.venue, key.symbol))
        return columns_of(months.read_bars(root, key.venue, key.symbol, key.series))
    except DataError as error:
        raise DataError(
            error.reason, f"{error.detail}. Move {folder} away and import all of its files again"
        ) from error


def _disagreement(
    key: Key, columns: Columns, sources: Sequence[str], found: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> DataError:
    """Say which row differs first, where and in what, and how many of how many do."""
    again, clash = found
    at = int(np.flatnonzero(clash)[0])
    when = moment(int(columns[TIME][at]))
    names = [name for name in columns if name != TIME and columns[name][at] != columns[name][at + 1]]
    seen = ", ".join(f"{name} {columns[name][at]} and {columns[name][at + 1]}" for name in names)
    return DataError(
        DISAGREE,
        f"{sources[at]} and {sources[at + 1]} disagree on {key} at {when}: {seen}; of "
        f"{np.count_nonzero(again):,} rows that are in more than one place {np.count_nonzero(clash):,} "
        "differ. Find out which are right; --replace takes the later file's, and a file's before the store's",
    )
