"""Write the pages of a night beside its documents: index.html and one a coin."""

from pathlib import Path
from typing import Final

from engine_alpha.atomic_files import write_atomically
from engine_alpha.research.pages.asset import asset_page
from engine_alpha.research.pages.drift import drift_of
from engine_alpha.research.pages.nights import KeptNight
from engine_alpha.research.pages.overview import overview_page

INDEX: Final = "index.html"


def write_pages(night: KeptNight, before: KeptNight | None) -> tuple[Path, ...]:
    """Draw a night into its own folder and return the files, index.html first.

    A coin whose document can't be read has no page; the overview says so.
    """
    drift = None if before is None else drift_of(before, night)
    by_symbol = {} if drift is None else {coin.symbol: coin for coin in drift.coins}
    written = [_written(night.folder / INDEX, overview_page(night, drift))]
    for symbol in night.assets:
        text = asset_page(night, symbol, by_symbol.get(symbol))
        written.append(_written(night.folder / f"{symbol}.html", text))
    return tuple(written)


def _written(path: Path, text: str) -> Path:
    write_atomically(path, text.encode())
    return path
