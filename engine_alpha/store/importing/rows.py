"""Tables to rows: which column is what, times in ms UTC, numbers in float64. Nothing is judged or sorted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from engine_alpha.domain.bar_checks import EMPTY
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.errors import ConfigError, DataError
from engine_alpha.store.importing.cells import Moments, TimeWish, moments, numbers, tells_zone
from engine_alpha.store.importing.naming import (
    CANDLES,
    FUNDING,
    MARK,
    PERPETUAL,
    SPOT,
    Label,
    label_of,
    symbol_in,
)
from engine_alpha.store.importing.tables import Table, read_tables
from engine_alpha.store.parquet import BAR_COLUMNS

NO_COLUMN: Final = "no_column"
SEVERAL_SYMBOLS: Final = "several_symbols"

TIME: Final = "time"
RATE: Final = "rate"
PRICES: Final = BAR_COLUMNS[1:5]
VOLUME: Final = BAR_COLUMNS[5]
ROLES: Final = (TIME, *PRICES, VOLUME, RATE)

ARCHIVE_COLUMNS: Final = (
    *("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count"),
    *("taker_buy_volume", "taker_buy_quote_volume", "ignore"),
)
"""The Binance archive's: files of perpetuals have had this header since 2022, files of spot have none."""

_NAMES: Final = {
    TIME: (
        *("opentime", "timestamp", "unix", "unixtimestamp", "time", "datetime", "date", "start", "starttime"),
        *("calctime", "fundingtime", "fundingratetimestamp", "ts", "t", "ms", "index", "indexlevel0", ""),
    ),
    "open": ("open", "openprice", "o"),
    "high": ("high", "highprice", "h"),
    "low": ("low", "lowprice", "l"),
    "close": ("close", "closeprice", "c"),
    VOLUME: ("volumebaseasset", "basevolume", "baseassetvolume", "volume", "vol", "v"),
    RATE: ("lastfundingrate", "fundingrate", "rate"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller says about the files, over what is recognised: None leaves it to that.

    `label` holds venue (with its market), symbol, timeframe, kind; `columns` maps roles to column names.
    """

    label: Label = field(default_factory=Label)
    columns: Mapping[str, str] = field(default_factory=dict)
    time: TimeWish = field(default_factory=TimeWish)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one table, in its order: `columns` has the bars' names without the time, or "rate" alone.

    `told` is what names, folders, header and a symbol column say; `path` is the file to look at on disk.
    """

    table: Table
    path: Path
    told: Label
    times_ms: Ints
    columns: dict[str, Floats]

    @property
    def source(self) -> str:
        """Name the file, and its member if it is a zip."""
        return self.table.source


def read_rows(path: Path, wishes: Wishes) -> list[Rows]:
    """Return what a file holds; raises `DataError` with its line for what can't be read."""
    return [_rows(path, table, wishes) for table in read_tables(path)]


def parse_columns(text: str) -> dict[str, str]:
    """Return roles and column names of "time=Open time,open=Open"; raise `ConfigError` for a wrong one."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        role, _, name = (part.strip() for part in pair.partition("="))
        if role not in ROLES or not name or role in found:
            raise ConfigError(
                f'--columns: "{pair.strip()}" is none of {", ".join(ROLES)} with = and the name of a column, '
                'once each; for example --columns "time=Open time,volume=Volume base"'
            )
        found[role] = name
    return found


def _rows(path: Path, table: Table, wishes: Wishes) -> Rows:
    if len(table.lines) == 0:
        raise DataError(EMPTY, f"{table.source}: no rows")
    table = table if wishes.columns else _with_known_header(table)
    told = label_of(table.names).over(Label(symbol=_symbol_told(table)))
    told = told.over(Label(market=_market_told(table, told)))
    kind = wishes.label.kind or told.kind
    wanted = _places(table, wishes, kind, wishes.label.symbol or told.symbol)
    read = moments(table, wanted.pop(TIME), wishes.time)
    if RATE in wanted:
        told = replace(told, kind=FUNDING)
    return Rows(
        table=table,
        path=path,
        told=told.over(Label(market=_market_of_units(told, read))),
        times_ms=read.times_ms,
        columns={role: numbers(table, name) for role, name in wanted.items()},
    )


def _with_known_header(table: Table) -> Table:
    """Name the columns of a file without a header: the archive's, or time, prices, volume as all have it."""
    columns = table.frame.columns
    if table.headed or len(columns) < len(BAR_COLUMNS):
        return table
    names = ARCHIVE_COLUMNS if len(columns) == len(ARCHIVE_COLUMNS) else (TIME, *BAR_COLUMNS[1:])
    return replace(table, frame=table.frame.rename(dict(zip(columns, names, strict=False))))


def _market_told(table: Table, told: Label) -> str | None:
    """Return the market that header or banner tell."""
    if table.headed and told.archive and tuple(table.frame.columns) == ARCHIVE_COLUMNS:
        return PERPETUAL
    return SPOT if "cryptodatadownload" in table.banner.casefold() and told.venue == "binance" else None


def _market_of_units(told: Label, read: Moments) -> str | None:
    """Return spot for the archive's microseconds: its spot files have had them since 2025, no others do."""
    return SPOT if told.archive and "us" in read.units else None


def _symbol_told(table: Table) -> str | None:
    """Return the symbol that a column of that name holds; several refuse the file."""
    column = next((name for name in table.frame.columns if name.casefold() == "symbol"), None)
    if column is None:
        return None
    found = table.frame[column].drop_nulls().cast(str).unique(maintain_order=True).to_list()
    if len(found) > 1:
        raise DataError(
            SEVERAL_SYMBOLS, f"{table.source}: rows of {', '.join(found[:4])}; one file for each, please"
        )
    return symbol_in(found[0]) if found else None


def _places(table: Table, wishes: Wishes, kind: str | None, symbol: str | None) -> dict[str, str]:
    """Return which column has which role: those of bars, or time and rate."""
    found = _recognised(table, symbol) | _named(table, wishes)
    if kind == FUNDING and RATE not in found and "open" in found:
        found[RATE] = found["open"]  # freqtrade keeps rates in a candle's open
    if kind == FUNDING or (kind is None and RATE in found and "open" not in found):
        roles: tuple[str, ...] = (TIME, RATE)
    else:
        roles = (TIME, *PRICES) if kind == MARK and VOLUME not in found else (TIME, *PRICES, VOLUME)
    missing = [role for role in roles if role not in found]
    if missing == [VOLUME] and kind != CANDLES:
        raise ConfigError(
            f"{table.source}: no column with volumes: say --kind mark if these are mark prices, else name it "
            f"--columns volume=…; there are {', '.join(table.frame.columns)}"
        )
    if missing:
        example = ",".join(f"{role}=…" for role in missing)
        raise ConfigError(
            f"{table.source}: can't tell which column is {', '.join(missing)}; say --columns {example}; "
            f"there are {', '.join(table.frame.columns)}"
        )
    return {role: found[role] for role in roles}


def _named(table: Table, wishes: Wishes) -> dict[str, str]:
    absent = [name for name in wishes.columns.values() if name not in table.frame.columns]
    if absent:
        raise ConfigError(
            f"{table.source}: --columns names {', '.join(absent)}; there are {', '.join(table.frame.columns)}"
        )
    return dict(wishes.columns)


def _recognised(table: Table, symbol: str | None) -> dict[str, str]:
    """Return the columns whose names say what they are; of several times, one that is sure of its zone."""
    plain = {name: "".join(filter(str.isalnum, name)).casefold() for name in table.frame.columns}
    if not set("ohlc") <= set(plain.values()):  # one of these letters without the others means nothing
        plain = {name: short for name, short in plain.items() if short not in set("ohlcv")}
    found: dict[str, str] = {}
    for role, known in _NAMES.items():
        fitting = [name for word in known for name, short in plain.items() if short == word]
        if role == TIME:
            fitting.sort(key=lambda name: not tells_zone(table.frame[name]))
        if fitting:
            found[role] = fitting[0]
    if VOLUME not in found and symbol is not None:
        base = [
            name
            for name, short in plain.items()
            if short.startswith("volume") and symbol.casefold().startswith(short.removeprefix("volume"))
        ]
        if len(base) == 1:
            found[VOLUME] = base[0]
    return found
