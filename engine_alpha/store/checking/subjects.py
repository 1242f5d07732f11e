"""What a path holds that can be checked: files of any format, stored series, whole folders of either.

Files are read as the importer reads them, before it judges; a file it can't read becomes a finding.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import Final

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Floats, Ints
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store import months
from engine_alpha.store.checking.findings import OFFSET_TIMES, ZONELESS_TIMES, Finding
from engine_alpha.store.importing.cells import LOCAL_TIME, TimeWish
from engine_alpha.store.importing.naming import CANDLES, FUNDING, MARK, PERPETUAL, Label, label_of, venue_in
from engine_alpha.store.importing.rows import RATE, VOLUME, Rows, Wishes, read_rows
from engine_alpha.store.importing.tables import TEXT_FORMATS, read_tables
from engine_alpha.store.inventory import inventory
from engine_alpha.store.parquet import BAR_COLUMNS

UNREADABLE_AS_CANDLES: Final = "unreadable_columns"
SUFFIXES: Final = frozenset(
    [".csv", ".tsv", ".txt", ".zip", ".gz", ".json", ".feather", ".arrow", ".ipc", ".parquet", ".pq"]
)

HEAD_BYTES: Final = 4_096

_SIDED: Final = re.compile(r"(?P<name>open|high|low|close|volume)_(?P<side>\w+)", re.IGNORECASE)
_OPEN_OF_SIDE: Final = re.compile(rb"open_\w+", re.IGNORECASE)
_OFFSET: Final = re.compile(r"\d{1,2}:\d{2}.*?(?P<offset>[+-]\d{2}:?\d{2})$")

NO_BARS: Final = Bars(
    timeframe_ms=TIMEFRAME_MS["1h"],
    open_ms=np.empty(0, np.int64),
    **{name: np.empty(0) for name in BAR_COLUMNS[1:]},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Something to be read: a file, or the folder of a stored series; `label` is what its name says.

    `stored`: the engine reads it as it is, no importer stands between.
    """

    path: Path
    label: Label
    stored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One series as it stands in a file or in the store: `bars`, or settlements and their rates.

    `sides` names two accounts of the same bars that one file holds, `bars` and `other`. `written_ms` is when
    the file was written last, None for a stored series. `findings` came up while reading.
    """

    source: str
    label: Label
    stored: bool
    bars: Bars = NO_BARS
    other: Bars | None = None
    sides: tuple[str, str] = ("", "")
    settled_ms: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    rate_frac: Floats = field(default_factory=lambda: np.empty(0))
    written_ms: int | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """Name it shortly: the file, or venue, symbol and series."""
        path = Path(self.source)
        return "/".join(path.parts[-3:]) if self.written_ms is None else path.name

    @property
    def rows(self) -> int:
        """Return how many bars or settlements there are."""
        return len(self.settled_ms) or len(self.bars)


def places_in(path: Path) -> list[Place]:
    """Return what to read at a path; raises `ConfigError` for one that is not there or holds nothing."""
    if not path.exists():
        raise ConfigError(f"{path} is not there: name candles or a folder of them (chloe data download)")
    if path.is_file():
        return [Place(path=path, label=label_of([path]), stored=False)]
    if (path / months.MANIFEST).exists():
        return [Place(path=path, label=_label_of_series(path.parts[-3:]), stored=True)]
    stored = [each for each in inventory(path) if not each.hidden]
    if stored:
        return [
            Place(
                path=each.path,
                label=_label_of_series((each.venue, each.symbol, each.series)),
                stored=True,
            )
            for each in stored
        ]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise ConfigError(f"{path}: no stored series and no candle files in this folder")
    return [Place(path=file, label=label_of([file]), stored=False) for file in files]


def read_place(place: Place, wishes: Wishes) -> list[Subject]:
    """Return what is there; what can't be read becomes a subject without rows and with that finding."""
    try:
        if place.path.is_dir():
            return [_stored_series(place)]
        sided = _sided_columns(place.path)
        if sided:
            return [_two_sided(place, wishes, sided)]
        return [_subject(place, rows, wishes, notes) for rows, notes in _rows(place.path, wishes)]
    except (DataError, ConfigError) as error:
        code = error.reason if isinstance(error, DataError) else UNREADABLE_AS_CANDLES
        saw = error.detail if isinstance(error, DataError) else str(error)
        fault = Finding(code=code, grave=True, count=1, first_ms=None, saw=saw)
        label = wishes.label.over(place.label)
        return [Subject(source=str(place.path), label=label, stored=place.stored, findings=(fault,))]


def _label_of_series(names: Sequence[str]) -> Label:
    venue, symbol, series = names
    exchange = venue_in(venue) or (venue, None)
    market = exchange[1] or PERPETUAL
    kind = FUNDING if series == months.FUNDING else MARK if series.startswith(months.MARK) else CANDLES
    timeframe = None if kind == FUNDING else series.removeprefix(months.MARK)
    return Label(venue=exchange[0], market=market, symbol=symbol, timeframe=timeframe, kind=kind)


def _stored_series(place: Place) -> Subject:
    root, (venue, symbol, series) = place.path.parents[2], place.path.parts[-3:]
    subject = Subject(source=str(place.path), label=place.label, stored=True)
    if place.label.kind == FUNDING:
        funding = months.read_funding(root, venue, symbol)
        return replace(subject, settled_ms=funding.settled_ms, rate_frac=funding.rate_frac)
    return replace(subject, bars=months.read_bars(root, venue, symbol, series))


def _rows(path: Path, wishes: Wishes) -> Iterator[tuple[Rows, tuple[Finding, ...]]]:
    """Yield a file's tables as rows; times without an offset are read as UTC, and that is said."""
    try:
        for rows in read_rows(path, wishes):
            yield rows, tuple(_offsets(rows))
    except DataError as error:
        if error.reason != LOCAL_TIME or wishes.time.zone is not None:
            raise
        as_utc = replace(wishes, time=TimeWish(unit=wishes.time.unit, zone=UTC))
        for rows in read_rows(path, as_utc):
            saw = "times have no offset from UTC; judged as if they were UTC"
            first_ms = int(rows.times_ms[0]) if len(rows.times_ms) else None
            note = Finding(
                code=ZONELESS_TIMES, grave=False, count=len(rows.times_ms), first_ms=first_ms, saw=saw
            )
            yield rows, (note,)


def _offsets(rows: Rows) -> Iterator[Finding]:
    """Say so if the times are a local clock's, with its offsets beside them."""
    for name in rows.table.frame.columns:
        column = rows.table.frame[name]
        if str(column.dtype) != "String" or len(column) == 0 or not _OFFSET.search(column[0] or ""):
            continue
        found = [_OFFSET.search(text or "") for text in column.to_list()]
        offsets = [match["offset"] if match else "" for match in found]
        known = sorted(set(offsets) - {"", "+00:00", "+0000"})
        if known:
            local = np.array([offset in known for offset in offsets])
            change = " and ".join(known) + (": clocks were changed" if len(known) > 1 else "")
            saw = f"{name} is a local time, with its offset from UTC ({change})"
            first_ms = int(rows.times_ms[int(np.flatnonzero(local)[0])])
            yield Finding(code=OFFSET_TIMES, grave=False, count=int(local.sum()), first_ms=first_ms, saw=saw)
            return


def _subject(place: Place, rows: Rows, wishes: Wishes, notes: tuple[Finding, ...]) -> Subject:
    label = wishes.label.over(rows.told).over(place.label)
    subject = Subject(
        source=rows.source,
        label=replace(label, kind=label.kind or (FUNDING if RATE in rows.columns else CANDLES)),
        stored=place.stored,
        written_ms=rows.path.stat().st_mtime_ns // 1_000_000,
        findings=notes,
    )
    if RATE in rows.columns:
        return replace(subject, settled_ms=rows.times_ms, rate_frac=rows.columns[RATE])
    return replace(subject, bars=_bars(rows, label))


def _bars(rows: Rows, label: Label) -> Bars:
    """Return the rows as they stand; of an unknown timeframe the most frequent distance counts."""
    step_ms = TIMEFRAME_MS.get(label.timeframe or "", 0)
    if step_ms == 0:
        steps, counts = np.unique(np.diff(np.unique(rows.times_ms)), return_counts=True)
        step_ms = int(steps[np.argmax(counts)]) if len(steps) else TIMEFRAME_MS["1h"]
    columns = {name: rows.columns.get(name, np.zeros(len(rows.times_ms))) for name in BAR_COLUMNS[1:]}
    return Bars(timeframe_ms=step_ms, open_ms=rows.times_ms, **columns)


def _sided_columns(path: Path) -> tuple[dict[str, str], ...]:
    """Return the columns of two accounts of the same bars, as open_captured and open_final; else nothing."""
    if path.suffix.lower() not in TEXT_FORMATS:
        return ()
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return ()  # reading the rows says why
    if len(set(_OPEN_OF_SIDE.findall(head))) < 2:
        return ()
    tables = read_tables(path)
    names = tables[0].frame.columns if len(tables) == 1 else []
    sides: dict[str, dict[str, str]] = {}
    for name in names:
        if found := _SIDED.fullmatch(name):
            sides.setdefault(found["side"], {})[found["name"].lower()] = name
    whole = [side for side in sides.values() if len(side) == len(BAR_COLUMNS) - 1]
    return tuple(whole) if len(whole) == 2 else ()


def _two_sided(place: Place, wishes: Wishes, sided: tuple[dict[str, str], ...]) -> Subject:
    one, two = (
        _subject(place, rows, wishes, notes)
        for columns in sided
        for rows, notes in _rows(place.path, replace(wishes, columns={**wishes.columns, **columns}))
    )
    names = tuple(columns[VOLUME].split("_", 1)[1] for columns in sided)
    return replace(one, other=two.bars, sides=(names[0], names[1]))
