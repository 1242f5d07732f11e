"""Finds and reads series in a data folder, whichever of the two layouts it has.

* ours: `<data>/<venue>/<SYMBOL>/<series>/manifest.json` and months, see `months`;
* flat: `<data>/candles/VENUE_SYMBOL_TF.parquet` with `funding/VENUE_SYMBOL_funding.parquet` and
  `mark/VENUE_SYMBOL_mark_1h.parquet` beside it; `<data>` may also be the candles folder itself.
"""

from pathlib import Path
from typing import Final

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.errors import ConfigError
from engine_alpha.store import months
from engine_alpha.store.columns import file_columns
from engine_alpha.store.parquet import BAR_COLUMNS, FUNDING_COLUMNS, bars_from, funding_from

FLAT_NAMES: Final = {"binance": "BINANCEUM", "bybit": "BYBIT"}
"""How flat files call the perpetuals of a venue of ours; any other name is taken in capitals."""
OWN_NAMES: Final = {flat: venue for venue, flat in FLAT_NAMES.items()}
"""The other way round: by either name both layouts are found."""


class Shelf:
    """The series of one data folder. None for a series that is not there; `DataError` for a broken one."""

    def __init__(self, data: Path) -> None:
        """Raise `ConfigError` if there is no such folder."""
        if not data.is_dir():
            raise ConfigError(
                f"no data folder {data}: create it, or name another (--data, or files.data in engine.json)"
            )
        self._own = data
        self._flat = data.parent if data.name == "candles" else data
        self._candles = data if data.name == "candles" else data / "candles"

    @property
    def describes(self) -> str:
        """Name the folder for people."""
        return str(self._own)

    def bars(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        """Return a whole series of closed bars."""
        return self._read(venue, symbol, timeframe, self._candles / _flat_name(venue, symbol, timeframe))

    def mark(self, venue: str, symbol: str, timeframe: str) -> Bars | None:
        """Return the mark price's bars."""
        series = months.MARK + timeframe
        return self._read(venue, symbol, series, self._flat / "mark" / _flat_name(venue, symbol, series))

    def funding(self, venue: str, symbol: str) -> Funding | None:
        """Return all settlements."""
        own = OWN_NAMES.get(venue, venue)
        if (self._own / own / symbol / months.FUNDING / months.MANIFEST).exists():
            return months.read_funding(self._own, own, symbol)
        path = self._flat / "funding" / _flat_name(venue, symbol, months.FUNDING)
        return funding_from(path, file_columns(path, FUNDING_COLUMNS)) if path.exists() else None

    def looked_for(self, venue: str, symbol: str, timeframe: str) -> str:
        """Say which series was wanted, where it could be, and which ones of that symbol are there."""
        own = self._own / OWN_NAMES.get(venue, venue) / symbol / timeframe / months.MANIFEST
        flat = self._candles / _flat_name(venue, symbol, timeframe)
        found = sorted(path.name for path in self._candles.glob(f"*_{symbol}_*.parquet"))
        found += sorted(
            str(path.parent.relative_to(self._own)) for path in self._own.glob(f"*/{symbol}/*/manifest.json")
        )
        there = ", ".join(found) if found else "nothing"
        wanted = f"no {timeframe} bars of {symbol} at {venue}: neither {flat} nor {own}"
        return f"{wanted}; of {symbol} there is {there}"

    def _read(self, venue: str, symbol: str, series: str, flat: Path) -> Bars | None:
        own = OWN_NAMES.get(venue, venue)
        if (self._own / own / symbol / series / months.MANIFEST).exists():
            return months.read_bars(self._own, own, symbol, series)
        if not flat.exists():
            return None
        timeframe_ms = TIMEFRAME_MS[series.removeprefix(months.MARK)]
        return bars_from(flat, file_columns(flat, BAR_COLUMNS), timeframe_ms)


def _flat_name(venue: str, symbol: str, series: str) -> str:
    return f"{FLAT_NAMES.get(venue, venue.upper())}_{symbol}_{series}.parquet"


def open_shelf(data: Path) -> Shelf:
    """Return the shelf of a data folder; raises `ConfigError` if there is no such folder."""
    return Shelf(data)
