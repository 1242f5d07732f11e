"""Cells to numbers and to milliseconds UTC, exactly. What can't be read refuses the file by line."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store.importing.tables import Table

NO_NUMBER: Final = "no_number"
NO_TIME: Final = "no_time"
LOCAL_TIME: Final = "local_time"

ISO: Final = "iso"
PER_MS: Final = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
"""Units of epoch times: how many of them make a millisecond."""

_FIRST_S, _LAST_S = 1_230_768_000, 4_102_444_800
"""2009 to 2100: in this span a number tells its own unit, for no two units overlap."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWish:
    """How times are to be read: `unit` of numbers ("iso" for texts), `zone` of texts without an offset."""

    unit: str | None = None
    zone: tzinfo | None = None


class Moments(NamedTuple):
    """Times in ms UTC, and the units they came in: more than one where a vendor changed over."""

    times_ms: Ints
    units: frozenset[str]


def numbers(table: Table, column: str) -> Floats:
    """Return a column as float64, empty cells as NaN; a text that is no number refuses the file."""
    cells = table.frame[column]
    if cells.dtype != pl.String:
        if not cells.dtype.is_numeric():
            raise DataError(NO_NUMBER, f"{table.source}: column {column} holds {cells.dtype}, not numbers")
        return _filled(cells.cast(pl.Float64))
    texts = cells.str.strip_chars().fill_null("")
    found = texts.cast(pl.Float64, strict=False)
    _refuse(table, found.is_null() & (texts != ""), NO_NUMBER, f"{column} is no number", texts)
    return _filled(found)


def _filled(cells: pl.Series) -> Floats:
    return np.asarray(cells.fill_null(float("nan")).to_numpy(), np.float64)


def moments(table: Table, column: str, wish: TimeWish) -> Moments:
    """Return a column as times; what can't be one time for sure refuses the file."""
    cells = table.frame[column]
    _refuse(table, cells.is_null(), NO_TIME, f"{column} is empty", None)
    if isinstance(cells.dtype, pl.Datetime | pl.Date):
        return _typed(table, cells, wish)
    if cells.dtype == pl.String:
        texts = cells.str.strip_chars()
        if not tells_epoch(texts):
            return _texts(table, texts, wish)
        cells = _epochs(table, column, texts)
    if not cells.dtype.is_numeric():
        raise DataError(NO_TIME, f"{table.source}: column {column} holds {cells.dtype}, not times")
    return _numbers(table, cells, wish)


def tells_zone(cells: pl.Series) -> bool:
    """Say whether the first cell of a column is a time that needs no time zone named beside it."""
    if isinstance(cells.dtype, pl.Datetime):
        return cells.dtype.time_zone is not None
    if cells.dtype != pl.String:
        return cells.dtype.is_numeric() and _is_late(cells.head(1).cast(pl.Float64))
    if tells_epoch(cells):
        return _is_late(cells.head(1).str.strip_chars().cast(pl.Float64))
    try:
        return len(cells) > 0 and datetime.fromisoformat(_iso(cells[0] or "")).tzinfo is not None
    except ValueError:
        return False


def _is_late(first: pl.Series) -> bool:
    """Say whether a number can be an epoch time in any unit: a row's number in its table can't."""
    return len(first) == 1 and first[0] is not None and first[0] >= _FIRST_S


def tells_epoch(texts: pl.Series) -> bool:
    """Say whether the first of these texts is a number."""
    first = texts.head(1).str.strip_chars().cast(pl.Float64, strict=False)
    return len(first) == 1 and first.null_count() == 0


def _epochs(table: Table, column: str, texts: pl.Series) -> pl.Series:
    """Return texts as whole numbers, or as floats where one has a point or an exponent."""
    whole = texts.cast(pl.Int64, strict=False)
    if whole.null_count() == 0:
        return whole
    found = texts.cast(pl.Float64, strict=False)
    _refuse(table, found.is_null(), NO_TIME, f"{column} is no epoch time as in the first row", texts)
    return found


def _numbers(table: Table, cells: pl.Series, wish: TimeWish) -> Moments:
    values = cells.to_numpy()
    if wish.unit == ISO:
        raise DataError(
            NO_TIME, f"{table.source}: times are numbers, not ISO texts; leave out --time-unit iso"
        )
    _refuse_idle_zone(table, wish, "are epoch numbers, which are UTC")
    times = np.zeros(len(values), np.int64)
    unread = np.ones(len(values), np.bool_)
    units = set()
    for unit in (wish.unit,) if wish.unit else PER_MS:
        span = PER_MS[unit] * 1e3
        mine = unread & (values >= _FIRST_S * span) & (values < _LAST_S * span)
        if mine.any():
            units.add(unit)
            times[mine] = _milliseconds(values[mine], PER_MS[unit])
            unread &= ~mine
    what = f"is no time in {wish.unit}" if wish.unit else "is no time in s, ms, us or ns"
    _refuse(table, pl.Series(unread), NO_TIME, f"{cells.name} {what} between 2009 and 2100", cells)
    return Moments(times, frozenset(units))


def _milliseconds(values: np.ndarray, per_ms: float) -> np.ndarray:
    if not np.issubdtype(values.dtype, np.integer):
        return np.rint(values / per_ms).astype(np.int64)
    return values.astype(np.int64) * 1_000 if per_ms < 1.0 else values.astype(np.int64) // int(per_ms)


def _typed(table: Table, cells: pl.Series, wish: TimeWish) -> Moments:
    """Read a column of dates: with a time zone they are exact, without one they are local."""
    zoned = isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None
    if zoned:
        _refuse_idle_zone(table, wish, "carry their time zone")
    elif wish.zone is None:
        raise _local(table.source, f"{cells.name} ({cells.dtype})")
    times = np.asarray(cells.cast(pl.Datetime("ms", None if not zoned else "UTC")).dt.epoch("ms").to_numpy())
    if not zoned and wish.zone is not None:
        offset = wish.zone.utcoffset(None)
        assert offset is not None
        times = times - offset // _MILLISECOND
    return Moments(times.astype(np.int64), frozenset((ISO,)))


def _texts(table: Table, texts: pl.Series, wish: TimeWish) -> Moments:
    if wish.unit not in (None, ISO):
        raise DataError(
            NO_TIME, f'{table.place(0)}: "{texts[0]}" is no number in {wish.unit}; leave out --time-unit'
        )
    times = np.empty(len(texts), np.int64)
    applied = False
    for row, text in enumerate(texts.to_list()):
        try:
            moment = datetime.fromisoformat(_iso(text))
        except ValueError:
            raise DataError(
                NO_TIME,
                f'{table.place(row)}: {texts.name} is "{text}", no ISO time (2024-01-31 13:00:00+00:00)',
            ) from None
        if moment.tzinfo is None:
            if wish.zone is None:
                raise _local(table.place(row), f'{texts.name} "{text}"')
            moment, applied = moment.replace(tzinfo=wish.zone), True
        times[row] = (moment - _EPOCH) // _MILLISECOND
    if not applied:
        _refuse_idle_zone(table, wish, "carry their offsets")
    return Moments(times, frozenset((ISO,)))


def _iso(text: str) -> str:
    return text.strip().removesuffix("UTC").rstrip() + ("+00:00" if text.strip().endswith("UTC") else "")


def _local(place: str, what: str) -> DataError:
    return DataError(
        LOCAL_TIME,
        f"{place}: {what} has no offset from UTC. If these times are UTC, say --timezone UTC; if a clock "
        "showed them that is always so many hours off, say for example --timezone +03:00",
    )


def _refuse_idle_zone(table: Table, wish: TimeWish, why: str) -> None:
    if wish.zone is not None and wish.zone.utcoffset(None) != timedelta(0):
        raise ConfigError(f"{table.source}: its times {why}: leave out --timezone")


def _refuse(table: Table, wrong: pl.Series, reason: str, what: str, cells: pl.Series | None) -> None:
    """Refuse the file for the first row that is wrong, if there is one, and say how many are."""
    rows = np.flatnonzero(wrong.fill_null(True).to_numpy())
    if len(rows) == 0:
        return
    seen = "" if cells is None else f': "{cells[int(rows[0])]}"'
    more = f", and {len(rows) - 1:,} more rows" if len(rows) > 1 else ""
    raise DataError(reason, f"{table.place(int(rows[0]))}: {what}{seen}{more}")
