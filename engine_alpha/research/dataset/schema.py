"""What the two tables of a dataset hold, column by column, and what identifies a dataset."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.kernel.codes import OWN_GATES, VOTES
from engine_alpha.kernel.signals import SIGNALS

Columns = dict[str, NDArray[Any]]

SCHEMA: Final = 1
"""Raise it when a column changes its meaning."""
BARS: Final = "bars"
TRADES: Final = "trades"

HORIZONS: Final = (1, 4, 24, 72, 168, 336)
"""Bars from the open after a decision to the open at which its forward return ends."""
REACH_BARS: Final = 1 + HORIZONS[-1]
"""The bar so many after the decided one must have closed before the row is complete, and written."""

BAR_GATES: Final = (
    "data_fresh",
    "data_complete",
    "warm",
    "listed",
    "regime_allowed",
    "outside_neutral_zone",
    "confidence_min",
    "spread",
)
"""Own gates that look at the bar alone, in the order of their bits in `gates`. The others depend on what an
account holds and did before: they are in the trades, not in the bars.
"""
GATE_PLACES: Final = tuple(OWN_GATES.index(name) for name in BAR_GATES)
SIGNAL_NAMES: Final = tuple(spec.name for spec in SIGNALS)
VOTE_NAMES: Final = tuple(f"vote_{name}" for name in VOTES)
FORWARD_NAMES: Final = tuple(f"forward_{bars}" for bars in HORIZONS)

BAR_COLUMNS: Final[dict[str, type]] = {
    "open_ms": np.int64,
    "close_ms": np.int64,
    "close": np.float64,
    "regime": np.int64,  # code of codes.REGIMES; a word in the file
    "direction": np.int64,
    "score": np.float64,
    "confidence": np.float64,
    "coverage": np.float64,
    **dict.fromkeys(VOTE_NAMES, np.float64),
    "gates": np.int64,
    **dict.fromkeys(SIGNAL_NAMES, np.float64),
}
"""A decided bar, before its forward returns are known."""

TRADE_COLUMNS: Final = (
    *("card", "side", "entry_ms", "exit_ms", "closed_ms", "entry_price", "exit_price", "exit_reason"),
    *("gross_r", "fees_r", "funding_r", "slippage_r", "r", "other_r"),
    *("regime", "confidence", "score", "bars_held", "ambiguous"),
)
"""A closed would-be trade. `closed_ms` is the close of the bar it ended in: from then on it may be known.
R is money over the risk at the first stop: r = gross - fees + funding; slippage is inside gross. `confidence`
is as the step had it at entry (calibrated where a calibration is adopted), `score` signed and never so.
`other_r` is r if an ambiguous bar had gone the other way.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes a dataset another one: it is then built anew, whole."""

    schema: int
    engine: str
    code: str
    config: str
    from_ms: int

    def differs(self, other: "Identity") -> str | None:
        """Say in words what is different, None if nothing is."""
        names = {
            "schema": "its tables have another schema",
            "engine": "it is of another engine version",
            "code": "the kernel or what makes the tables has changed",
            "config": "cards, parameters, limits or contract of this coin have changed",
            "from_ms": "it begins elsewhere",
        }
        found = [text for name, text in names.items() if getattr(self, name) != getattr(other, name)]
        return ", ".join(found) or None


def own_sources_key() -> str:
    """Return a hash of the sources that make the tables, beside the kernel's own."""
    digest = hashlib.sha256()
    research = files("engine_alpha.research")
    folder = research.joinpath("dataset")
    sources = [research.joinpath("neutral.py"), *sorted(folder.iterdir(), key=lambda one: one.name)]
    for source in sources:
        if source.name.endswith(".py"):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:20]


def empty_rows() -> Columns:
    """Return no bars."""
    return {name: np.empty(0, kind) for name, kind in BAR_COLUMNS.items()}


def joined(first: Columns, second: Columns) -> Columns:
    """Return the rows of both."""
    return {name: np.concatenate((first[name], second[name])) for name in first}


def picked(rows: Columns, keep: Any) -> Columns:
    """Return the rows of a mask or slice."""
    return {name: column[keep] for name, column in rows.items()}
