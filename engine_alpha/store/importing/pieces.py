"""Rows judged: in order, each once, closed, possible. What can't be true refuses the file with its line."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.domain.bar_checks import DUPLICATED, EMPTY, FUTURE_BAR, NOT_A_NUMBER, check_history
from engine_alpha.domain.bars import Bars, Ints
from engine_alpha.errors import DataError
from engine_alpha.store.importing.rows import RATE, VOLUME, Rows
from engine_alpha.store.importing.series import Key
from engine_alpha.store.parquet import MINUTE_MS, TIME, Columns, bars_from

IMPOSSIBLE_RATE: Final = "impossible_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Judged rows of one series from one file: `columns` as the store takes them, times ascending.

    `repeated_rows` stood twice with the same values; `forming_ms` is the unfinished bar left out, or None.
    """

    source: str
    key: Key
    columns: Columns
    repeated_rows: int
    forming_ms: int | None

    def __len__(self) -> int:
        return len(self.columns[TIME])


def piece_of(rows: Rows, key: Key, now_ms: int) -> Piece:
    """Return the rows as they may be stored; raises `DataError` naming file and line.

    A newest bar that closes after `now_ms`, or after the file was last written, was still forming: left out.
    """
    columns: Columns = {TIME: rows.times_ms if key.timeframe_ms else _settled(rows.times_ms), **rows.columns}
    if key.is_mark:
        columns[VOLUME] = np.zeros(
            len(rows.times_ms)
        )  # a mark price has none; vendors write 0, NaN or nothing
    order = np.argsort(columns[TIME], kind="stable")
    columns = rows_of(columns, order)
    kept = _once(rows, columns, order)
    columns, order = rows_of(columns, kept), order[kept]
    forming = _forming(rows, key, columns, now_ms)
    if forming is not None:
        columns, order = rows_of(columns, np.s_[:-1]), order[:-1]
    if len(order) == 0:
        raise DataError(EMPTY, f"{rows.source}: no closed bar in it")
    if key.timeframe_ms:
        _check_bars(rows, bars_of(key, columns), order, now_ms)
    else:
        _check_rates(rows, columns, order, now_ms)
    return Piece(
        source=rows.source,
        key=key,
        columns=columns,
        repeated_rows=len(kept) - int(np.count_nonzero(kept)),
        forming_ms=forming,
    )


def bars_of(key: Key, columns: Columns) -> Bars:
    """Return stored columns as bars."""
    return bars_from(Path(str(key)), columns, key.timeframe_ms)


def moment(at_ms: int) -> str:
    """Return a time for messages: 2024-01-31 13:00 UTC."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def rows_of(columns: Columns, rows: NDArray[np.bool_] | Ints | slice) -> Columns:
    """Return some rows of columns."""
    return {name: column[rows] for name, column in columns.items()}


def unlike(some: Columns, others: Columns) -> NDArray[np.bool_]:
    """Say for each row whether any column but the time differs; NaN equals NaN, and 0.0 equals -0.0."""
    differ = [
        (some[name] != others[name]) & ~(np.isnan(some[name]) & np.isnan(others[name]))
        for name in some
        if name != TIME
    ]
    return np.asarray(np.logical_or.reduce(differ), np.bool_)


def _settled(times_ms: Ints) -> Ints:
    """Put settlements on their minute: venues stamp them some milliseconds late."""
    return (times_ms + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS


def _once(rows: Rows, columns: Columns, order: Ints) -> NDArray[np.bool_]:
    """Return which rows to keep: one of those that are equal. Two at one time that differ refuse the file."""
    same_time = np.diff(columns[TIME]) == 0
    clash = same_time & unlike(rows_of(columns, np.s_[1:]), rows_of(columns, np.s_[:-1]))
    if clash.any():
        at = int(np.flatnonzero(clash)[0])
        second, other = rows.table.place(int(order[at + 1])), rows.table.lines[order[at]]
        raise DataError(
            DUPLICATED,
            f"{second}: a second row of {moment(int(columns[TIME][at]))}, unlike that in "
            f"{rows.table.counted_in} {other}; {np.count_nonzero(clash):,} such rows: take out the wrong",
        )
    return np.concatenate([np.ones(min(len(order), 1), np.bool_), ~same_time])


def _forming(rows: Rows, key: Key, columns: Columns, now_ms: int) -> int | None:
    """Return the open time of the newest bar if it was not over when the file was written, or is not yet."""
    if key.timeframe_ms == 0 or len(columns[TIME]) == 0:
        return None
    newest = int(columns[TIME][-1])
    written_ms = rows.path.stat().st_mtime_ns // 1_000_000
    for known_ms in (now_ms, written_ms):
        if newest <= known_ms < newest + key.timeframe_ms:
            return newest
    return None


def _check_bars(rows: Rows, bars: Bars, order: Ints, now_ms: int) -> None:
    """Let `bar_checks` judge; of what it refuses, find the first bar by halving and name its line."""
    try:
        check_history(bars, now_ms)
        return
    except DataError:
        good, bad = 0, len(bars)
    while bad - good > 1:
        middle = (good + bad) // 2
        if _fault(bars, middle, now_ms) is None:
            good = middle
        else:
            bad = middle
    fault = _fault(bars, bad, now_ms)
    assert fault is not None
    raise DataError(fault.reason, f"{rows.table.place(int(order[bad - 1]))}: {fault.detail}")


def _fault(bars: Bars, count: int, now_ms: int) -> DataError | None:
    """Return what is wrong with the first so many bars."""
    try:
        check_history(bars.between(int(bars.open_ms[0]), int(bars.close_ms[count - 1])), now_ms)
    except DataError as error:
        return error
    return None


def _check_rates(rows: Rows, columns: Columns, order: Ints, now_ms: int) -> None:
    rates = columns[RATE]
    tests = (
        (NOT_A_NUMBER, ~np.isfinite(rates), "no number"),
        (IMPOSSIBLE_RATE, ~(np.abs(rates) < 1.0), "no fraction of a position's value"),
        (FUTURE_BAR, columns[TIME] > now_ms, "of a settlement yet to come"),
    )
    for reason, wrong, what in tests:
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            seen = f"rate {rates[at]} of {moment(int(columns[TIME][at]))}"
            raise DataError(reason, f"{rows.table.place(int(order[at]))}: {seen} is {what}")
