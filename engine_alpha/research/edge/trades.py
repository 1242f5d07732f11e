"""Would-be trades of all assets in arrays: what edge and calibration measure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine_alpha.domain.bars import Floats, Ints

DAY_MS: Final = 86_400_000
Mask = NDArray[np.bool_]
Words = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Trades of many assets one after another, each asset's in the order they closed.

    `asset` is a place in `symbols`; `strength` is |score| at entry, the confidence before any calibration, so
    that coins with and without one can be compared. `decided_ms` is when an entry was decided, `known_ms` the
    close of the bar in which the trade ended.
    """

    symbols: tuple[str, ...]
    asset: Ints
    card: Words
    regime: Words
    strength: Floats
    r: Floats
    decided_ms: Ints
    known_ms: Ints

    @property
    def days(self) -> Ints:
        """Return the UTC day on which each trade's result was known."""
        found: Ints = self.known_ms // DAY_MS
        return found

    def __len__(self) -> int:
        return len(self.r)


def pool_of(trades: Mapping[str, pl.DataFrame]) -> Pool:
    """Return the trades of datasets by symbol; those whose R is unknown have no place in it.

    An entry is decided at the close of a bar, which is the open at which it is filled.
    """
    symbols = tuple(trades)
    tables = [table.filter(pl.col("r").is_not_null()) for table in trades.values()]
    counts = [len(table) for table in tables]

    def column(name: str) -> Any:
        parts = [table[name].to_numpy() for table in tables]
        return np.concatenate(parts) if parts else np.empty(0)

    def words(name: str) -> Words:
        return np.array([word for table in tables for word in table[name].to_list()], dtype=object)

    return Pool(
        symbols=symbols,
        asset=np.repeat(np.arange(len(symbols)), counts),
        card=words("card"),
        regime=words("regime"),
        strength=np.abs(column("score").astype(np.float64)),
        r=column("r").astype(np.float64),
        decided_ms=column("entry_ms").astype(np.int64),
        known_ms=column("closed_ms").astype(np.int64),
    )


def cut_of(pool: Pool, share: float) -> int:
    """Return the UTC midnight at which the later part of the time begins; a share of it lies before.

    The time runs from the first decision to the last result; 0 without trades.
    """
    if len(pool) == 0:
        return 0
    first, last = int(pool.decided_ms.min()), int(pool.known_ms.max())
    cut = first + int((last - first) * share)
    return cut - cut % DAY_MS
