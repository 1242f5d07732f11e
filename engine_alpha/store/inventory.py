"""What a data folder holds: every series of both layouts, from manifests and file names."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.domain.bars import Ints
from engine_alpha.errors import DataError
from engine_alpha.store import months
from engine_alpha.store.columns import file_columns
from engine_alpha.store.parquet import BAR_COLUMNS, FUNDING_COLUMNS, TIME
from engine_alpha.store.shelf import OWN_NAMES

MONTHS: Final = "months"
FLAT: Final = "flat"

_FLAT_FILE: Final = re.compile(r"(?P<venue>[A-Za-z]+)_(?P<symbol>[A-Z0-9]+)_(?P<series>\w+)\.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One series as it lies on disk: `rows` bars or settlements, `longest_gap` in bars, `size` in bytes.

    `layout` is "months" (our own) or "flat" (one file). `hidden`: a series of our own stands before it.
    `fault` says why it can't be read; then rows, times and gaps are 0.
    """

    venue: str
    symbol: str
    series: str
    layout: str
    path: Path
    size: int
    rows: int = 0
    first_ms: int = 0
    last_ms: int = 0
    gaps: int = 0
    longest_gap: int = 0
    hidden: bool = False
    fault: str = ""


def inventory(data: Path) -> list[Stored]:
    """Return all series of a data folder by venue, symbol and series; none for a folder that is not there."""
    own = [_of_months(manifest.parent) for manifest in data.glob(f"*/*/*/{months.MANIFEST}")]
    names = {(each.venue, each.symbol, each.series) for each in own}
    flat = [_of_flat(name, path, name in names) for name, path in flat_paths(data).items()]
    return sorted((*own, *flat), key=lambda each: (each.venue, each.symbol, each.series, each.layout))


def flat_paths(data: Path) -> dict[tuple[str, str, str], Path]:
    """Return the flat files of a data folder by (venue, symbol, series), venues as the shelf calls them."""
    venues = OWN_NAMES
    root = data.parent if data.name == "candles" else data
    found: dict[tuple[str, str, str], Path] = {}
    for folder in ("candles", "mark", months.FUNDING):
        for path in sorted((root / folder).glob("*.parquet")):
            name = _FLAT_FILE.fullmatch(path.name)
            if name is not None and _is_series(name["series"]):
                venue = venues.get(name["venue"], name["venue"])
                found[venue, name["symbol"], name["series"]] = path
    return found


def _is_series(name: str) -> bool:
    return name == months.FUNDING or name.removeprefix(months.MARK) in TIMEFRAME_MS


def _of_months(folder: Path) -> Stored:
    size = sum(path.stat().st_size for path in folder.iterdir())
    place = _blank((folder.parent.parent.name, folder.parent.name, folder.name), MONTHS, folder, size)
    try:
        manifest = months.read_manifest(folder)
    except DataError as error:
        return replace(place, fault=error.detail)
    return replace(
        place,
        rows=manifest.rows,
        first_ms=manifest.first_ms,
        last_ms=manifest.last_ms,
        gaps=len(manifest.gaps),
        longest_gap=max((bars for _, bars in manifest.gaps), default=0),
    )


def _of_flat(name: tuple[str, str, str], path: Path, hidden: bool) -> Stored:
    place = replace(_blank(name, FLAT, path, path.stat().st_size), hidden=hidden)
    step = TIMEFRAME_MS.get(place.series.removeprefix(months.MARK), 0)
    try:
        columns = file_columns(path, BAR_COLUMNS if step else FUNDING_COLUMNS)
    except DataError as error:
        return replace(place, fault=error.detail)
    times: Ints = columns[TIME]
    missing = np.diff(times) // step - 1 if step else np.empty(0, np.int64)
    return replace(
        place,
        rows=len(times),
        first_ms=int(times[0]) if len(times) else 0,
        last_ms=int(times[-1]) if len(times) else 0,
        gaps=int(np.count_nonzero(missing > 0)),
        longest_gap=int(missing.max(initial=0)),
    )


def _blank(name: tuple[str, str, str], layout: str, path: Path, size: int) -> Stored:
    venue, symbol, series = name
    return Stored(venue=venue, symbol=symbol, series=series, layout=layout, path=path, size=size)
