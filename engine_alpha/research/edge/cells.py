"""Edge: net R of would-be trades by card, regime and band of confidence, coin by coin and over all coins.

A coin's mean is drawn towards that of all coins in the same cell as far as it is unsure
(`statistics.pooling`). How unsure comes from one variance of a trade for the whole cell, because a handful of
trades can't tell their own; trades of one day move together across coins, so what is not known of the common
mean is widened by how much more days differ than single trades would (Kish's design effect).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.kernel.codes import REGIMES
from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.research.edge.bands import NAMES, Bands
from engine_alpha.research.edge.trades import Mask, Pool
from engine_alpha.research.statistics.intervals import (
    Drawn,
    Interval,
    daily_sums,
    drawn_intervals,
    mean_interval,
    mean_variance,
)
from engine_alpha.research.statistics.pooling import Pooled, pooled

DRAWS: Final = 1_000
LEAST_DAYS: Final = 5
"""Days with trades below which a bootstrap would only repeat them."""
NOT_DRAWN: Final = Drawn(factor=None, mean=None)
Z_95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which trades: of a card, in a regime, in a band; None stands for any. `symbol` None is all coins."""

    symbol: str | None
    card: str
    regime: str | None
    band: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What the trades of a place came to, net, in R. Without trades nothing is known: all is None.

    Intervals are of 95 %: analytic, the mean's with days as clusters, and `_drawn` by bootstrap of days.
    `shrunk_r` is the mean drawn towards all coins' by 1 - `own_weight`; a coin without trades takes theirs.
    """

    place: Place
    trades: int
    days: int
    mean_r: float | None
    mean: Interval | None
    mean_drawn: Interval | None
    factor: ProfitFactor
    factor_drawn: Interval | None
    shrunk_r: float | None
    shrunk: Interval | None
    own_weight: float | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """All cells, by card, regime, band, then all coins before each; a place nobody traded has one cell."""

    bands: Bands
    symbols: tuple[str, ...]
    cells: tuple[Cell, ...]

    def of(self, symbol: str | None) -> tuple[Cell, ...]:
        """Return the cells of one coin, or with None those over all coins."""
        return tuple(cell for cell in self.cells if cell.place.symbol == symbol)


def edge_of(pool: Pool, cards: Sequence[str], bands: Bands, seed: int = 0) -> Edge:
    """Measure every card's trades whole, by regime, and by regime and band."""
    cells: list[Cell] = []
    for card in cards:
        whole: list[Cell] = []
        for regime, band, mask in _masks(pool, card, bands):
            if whole and int(mask.sum()) == whole[0].trades > 0:  # all of the card's trades: measured already
                same = [replace(each.place, regime=regime, band=band) for each in whole]
                cells.extend(replace(each, place=place) for each, place in zip(whole, same, strict=True))
                continue
            place = Place(symbol=None, card=card, regime=regime, band=band)
            found = _measured(pool, place, mask, seed)
            whole = whole or found
            cells.extend(found)
    return Edge(bands=bands, symbols=pool.symbols, cells=tuple(cells))


def _masks(pool: Pool, card: str, bands: Bands) -> Iterator[tuple[str | None, str | None, Mask]]:
    """Yield the places of a card; a regime without any trade is not cut into bands."""
    mine = pool.card == card
    yield None, None, mine
    band = bands.place(pool.strength)
    for regime in REGIMES:
        here = mine & (pool.regime == regime)
        yield regime, None, here
        if here.any():
            for place, name in enumerate(NAMES):
                yield regime, name, here & (band == place)


def _measured(pool: Pool, place: Place, mask: Mask, seed: int) -> list[Cell]:
    """Return the cell over all coins, then each coin's."""
    r, days, asset = pool.r[mask], pool.days[mask], pool.asset[mask]
    order = np.argsort(days, kind="stable")
    cells = [_cell(place, r[order], days[order], seed)]
    drawn = _drawn_together(r, days, asset, len(pool.symbols))
    for at, symbol in enumerate(pool.symbols):
        mine = asset == at
        own = Place(symbol=symbol, card=place.card, regime=place.regime, band=place.band)
        cells.append(_shrunk(_cell(own, r[mine], days[mine], seed), drawn, at))
    return cells


def _cell(place: Place, r: Floats, days: Ints, seed: int) -> Cell:
    """Measure trades in order of their days."""
    count, clusters = len(r), len(np.unique(days))
    enough = clusters >= LEAST_DAYS
    drawn = drawn_intervals(daily_sums(r, days), DRAWS, seed) if enough else NOT_DRAWN
    return Cell(
        place=place,
        trades=count,
        days=clusters,
        mean_r=float(r.mean()) if count else None,
        mean=mean_interval(r, days) if count else None,
        mean_drawn=drawn.mean,
        factor=profit_factor(r.tolist()),
        factor_drawn=drawn.factor,
        shrunk_r=None,
        shrunk=None,
        own_weight=None,
        words=_words(count, clusters, r),
    )


def _words(count: int, days: int, r: Floats) -> str:
    if count == 0:
        return "no trades: nothing is known"
    if days < LEAST_DAYS:
        return f"{count} trades on {days} days: too few for an interval by bootstrap"
    if not (r <= 0.0).any():
        return f"no losses in {count} trades"
    return f"{count} trades"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    pooled: Pooled
    widening: float  # variance to add for the common mean per (1 - weight)²


def _drawn_together(r: Floats, days: Ints, asset: Ints, assets: int) -> _Drawn | None:
    """Return the coins' means drawn together; None where not even all trades tell a variance."""
    if len(r) < 3 or not np.var(r) > 0.0:
        return None
    counts = np.bincount(asset, minlength=assets)
    traded = counts > 0
    sums = np.bincount(asset, weights=r, minlength=assets)
    means = np.divide(sums, counts, out=np.full(assets, np.nan), where=traded)
    freedom = len(r) - int(traded.sum())
    inside = float(((r - means[asset]) ** 2).sum()) / freedom if freedom > 0 else float(np.var(r, ddof=1))
    if not inside > 0.0:
        return None
    variances = np.divide(inside, counts, out=np.full(assets, np.nan), where=traded)
    found = pooled(means, variances)
    clustered = mean_variance(r, days)
    alone = float(np.var(r, ddof=1)) / len(r)
    excess = max(0.0, (clustered or alone) / alone - 1.0)
    return _Drawn(pooled=found, widening=excess * found.variance)


def _shrunk(cell: Cell, drawn: _Drawn | None, at: int) -> Cell:
    """Return a coin's cell with its mean drawn towards that of all coins."""
    if drawn is None:
        return cell
    weight, value = float(drawn.pooled.weights[at]), float(drawn.pooled.values[at])
    variance = float(drawn.pooled.value_variances[at]) + (1.0 - weight) ** 2 * drawn.widening
    half = Z_95 * math.sqrt(variance)
    return replace(
        cell,
        shrunk_r=value,
        shrunk=Interval(low=value - half, high=value + half),
        own_weight=weight,
        words=cell.words if cell.trades else f"{cell.words}; all coins' mean stands in",
    )


def edge_rows(edge: Edge, symbol: str | None) -> tuple[dict[str, Any], ...]:
    """Return a coin's cells, or with None those over all coins, for JSON: an infinite number is null."""
    return tuple(_row(cell) for cell in edge.of(symbol))


def _row(cell: Cell) -> dict[str, Any]:
    factor = cell.factor
    endless = factor.value is not None and math.isinf(factor.value)
    return {
        **asdict(cell.place),
        "trades": cell.trades,
        "days": cell.days,
        "mean_r": cell.mean_r,
        "mean_low": _bound(cell.mean, "low"),
        "mean_high": _bound(cell.mean, "high"),
        "mean_drawn_low": _bound(cell.mean_drawn, "low"),
        "mean_drawn_high": _bound(cell.mean_drawn, "high"),
        "factor": None if endless else factor.value,
        "no_losses": endless,
        "factor_low": factor.low,
        "factor_high": factor.high,
        "factor_drawn_low": _bound(cell.factor_drawn, "low"),
        "factor_drawn_high": _bound(cell.factor_drawn, "high"),
        "win_frac": factor.win_frac,
        "shrunk_r": cell.shrunk_r,
        "shrunk_low": _bound(cell.shrunk, "low"),
        "shrunk_high": _bound(cell.shrunk, "high"),
        "own_weight": cell.own_weight,
        "words": cell.words,
    }


def _bound(interval: Interval | None, name: str) -> float | None:
    value = None if interval is None else float(getattr(interval, name))
    return value if value is not None and math.isfinite(value) else None
