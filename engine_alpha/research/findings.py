"""Each coin's dataset brought up to tonight, and what it says: edge by cell, calibration, notes."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from engine_alpha.home import Home
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.research.dataset.extending import extend
from engine_alpha.research.dataset.reading import Dataset
from engine_alpha.research.documents import AssetFindings, Document, plain
from engine_alpha.research.edge.bands import bands_of
from engine_alpha.research.edge.calibrating import FIT_SHARE, calibration_fields, calibration_of
from engine_alpha.research.edge.cells import edge_of, edge_rows
from engine_alpha.research.edge.trades import Pool, cut_of, pool_of

Progress = Callable[[str, int, int], None]


def findings_of(
    home: Home, setup: Setup, history: History, progress: Progress
) -> tuple[dict[str, AssetFindings], tuple[Document, ...]]:
    """Return what the datasets say coin by coin, and the edge of all coins together, row by row.

    A coin whose dataset can't be extended says so in its notes. Raises `DataError` where the disk takes no
    more.
    """
    datasets: dict[str, Dataset] = {}
    for done, symbol in enumerate(history.symbols, start=1):
        datasets[symbol] = extend(home, setup, replace(history, symbols=(symbol,)))
        progress("extending datasets", done, len(history.symbols))
    pool = pool_of({symbol: each.trades(history.to_ms) for symbol, each in datasets.items()})
    cut_ms = cut_of(pool, FIT_SHARE)
    edge = edge_of(pool, [card.name for card in setup.cards.cards], bands_of(pool, cut_ms))
    found = {}
    for done, symbol in enumerate(history.symbols, start=1):
        rows = tuple(plain(row) for row in edge_rows(edge, symbol))
        inside = [
            card for card in setup.cards.cards if not card.scope.symbols or symbol in card.scope.symbols
        ]
        found[symbol] = replace(
            _findings(datasets, pool, symbol, rows),
            active=tuple(card.name for card in inside if card.status == "active"),
            inside=tuple(card.name for card in inside),
        )
        progress("measuring edges", done, len(history.symbols))
    return found, tuple(plain(row) for row in edge_rows(edge, None))


def _findings(
    datasets: Mapping[str, Dataset], pool: Pool, symbol: str, rows: tuple[Document, ...]
) -> AssetFindings:
    night = datasets[symbol].night
    calibration = calibration_of(pool, symbol)
    told = [f"{night.rows_new} bars and {night.trades_new} would-be trades more than last night"]
    if night.rebuilt is not None:
        told.append(f"the dataset was built anew: {night.rebuilt}")
    return AssetFindings(
        notes=(*told, *night.notes),
        edge=rows,
        calibration=plain(calibration_fields(calibration)),
        calibration_rows=calibration.rows,
    )
