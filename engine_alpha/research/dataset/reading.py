"""Read a dataset: its two tables, whole or up to an instant before which everything in them was known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.errors import DataError
from engine_alpha.home import Home
from engine_alpha.research.dataset.keeping import FILED_BY, Manifest, dataset_folder, read_manifest, read_part
from engine_alpha.research.dataset.schema import (
    BAR_COLUMNS,
    BARS,
    FORWARD_NAMES,
    REACH_BARS,
    TRADE_COLUMNS,
    TRADES,
)

NO_DATASET: Final = "no_dataset"
WORDS: Final = {"card", "exit_reason", "regime"}
WHOLE: Final = {"side", "entry_ms", "exit_ms", "closed_ms", "bars_held"}


def _kind(name: str) -> Any:
    if name in WORDS:
        return pl.String
    if name == "ambiguous":
        return pl.Boolean
    whole = name in WHOLE or BAR_COLUMNS.get(name) is np.int64
    return pl.Int64 if whole else pl.Float64


NO_BARS: Final = pl.DataFrame(schema={name: _kind(name) for name in (*BAR_COLUMNS, *FORWARD_NAMES)})
NO_TRADES: Final = pl.DataFrame(schema={name: _kind(name) for name in TRADE_COLUMNS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night brought. `rebuilt` is why the dataset was built anew; None: it was not, or it is new."""

    rows_new: int
    trades_new: int
    rebuilt: str | None
    notes: tuple[str, ...]


NO_NIGHT: Final = Night(rows_new=0, trades_new=0, rebuilt=None, notes=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One asset's tables. `manifest` is None where nothing was ever built."""

    folder: Path
    manifest: Manifest | None
    night: Night

    def bars(self, until_ms: int | None = None) -> pl.DataFrame:
        """Return decided bars, oldest first; with `until_ms` those whose longest return was known by then.

        Raises `DataError` where a file is not as it was stored.
        """
        if self.manifest is None:
            return NO_BARS
        reach_ms = (REACH_BARS + 1) * TIMEFRAME_MS[self.manifest.timeframe]
        return self._table(BARS, None if until_ms is None else until_ms - reach_ms, NO_BARS)

    def trades(self, until_ms: int | None = None) -> pl.DataFrame:
        """Return closed would-be trades in the order they closed; with `until_ms` those closed by then."""
        return self._table(TRADES, until_ms, NO_TRADES)

    def _table(self, table: str, last_ms: int | None, empty: pl.DataFrame) -> pl.DataFrame:
        """Return the rows filed at or before an instant."""
        filed = {} if self.manifest is None else self.manifest.tables[table]
        parts = [
            read_part(self.folder, part)
            for _, part in sorted(filed.items())
            if last_ms is None or part.first_ms <= last_ms
        ]
        found = pl.concat(parts) if parts else empty
        return found if last_ms is None else found.filter(pl.col(FILED_BY[table]) <= last_ms)


def read(home: Home, venue: str, symbol: str, timeframe: str) -> Dataset:
    """Return a dataset as the last night left it; raise `DataError` where there is none."""
    folder = dataset_folder(home, venue, symbol, timeframe)
    manifest = read_manifest(folder)
    if manifest is None:
        raise DataError(NO_DATASET, f"no dataset in {folder}: chloe research run builds it")
    return Dataset(folder=folder, manifest=manifest, night=NO_NIGHT)
