"""The compiled road for sweeps: bars and features laid out once, then one set of parameters after another.

No records are kept, shadow cards do not run and bars on which nothing can happen are passed over; the trades
are those of the full road, bit for bit.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.backtest.outcome import Played
from engine_alpha.backtest.request import Gathered, gathered
from engine_alpha.backtest.run import Road, played_through, road_of, warm_up
from engine_alpha.backtest.trial_outcome import Outcome, moments
from engine_alpha.backtest.words import dtype_of
from engine_alpha.backtest.world import Columns, Settings, readable_bars, settings_of
from engine_alpha.domain.bars import Bars, Floats, Funding, Ints
from engine_alpha.domain.detail import detail_of, no_minutes
from engine_alpha.errors import ConfigError
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.kernel.values import Trade
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.reports.returns import daily_returns, deepest_drawdown, sharpe
from engine_alpha.step.plan import AssetPlan
from engine_alpha.store.shelf import open_shelf

NO_COLUMNS: Final = Columns(*(None for _ in Columns._fields))
NO_BARS: Final = no_minutes()

Rows = NDArray[Any]
"""Trades, one record each, with the fields of `kernel.values.Trade`."""


def prepare(setup: Setup, wanted: History) -> "Evaluation":
    """Lay a history out and return what evaluates one configuration after another on it.

    Raises `ConfigError` where a coin can't run: a sweep over the others would answer another question.
    """
    found = gathered(setup, wanted)
    if found.refused:
        raise ConfigError("; ".join(f"{symbol}: {detail}" for symbol, _, detail in found.refused))
    road = road_of(setup, wanted, found)
    warm_up(road)
    return Evaluation(replace(road, gathered=_plans_only(found)))


class Evaluation:
    """A history laid out, on which one configuration after another plays."""

    def __init__(self, road: Road, folder: Path | None = None) -> None:
        self._road = road
        self._folder = folder

    def __call__(self, setup: Setup) -> Outcome:
        """Play the history with this configuration."""
        plans = [self._plan(setup, each.plan) for each in self._road.gathered.assets]
        assets = zip(self._road.gathered.assets, plans, strict=True)
        road = replace(
            self._road,
            setup=setup,
            gathered=Gathered(assets=tuple(replace(each, plan=plan) for each, plan in assets), refused=()),
            settings=_without_shadows(settings_of(plans, setup.engine.max_entry_delay_ms)),
        )
        return _outcome(road, plans, played_through(road, records=False))

    def share(self, folder: Path) -> "Evaluation":
        """Return one whose columns are files in `folder`, which other processes map into memory, too."""
        for name, column in self._road.columns._asdict().items():
            np.save(folder / f"{name}.npy", column)
        return Evaluation(replace(self._road, columns=_mapped(folder)), folder)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._folder is None:
            raise TypeError("share it first: its columns are too large to be sent")
        return _mapped_evaluation, (replace(self._road, columns=NO_COLUMNS), self._folder)

    def _plan(self, setup: Setup, before: AssetPlan) -> AssetPlan:
        plan = setup.plan(before.asset)
        if plan.detail != before.detail:
            raise ConfigError("risk:detail can't be varied: it decides which prices are read")
        return plan


def _mapped_evaluation(road: Road, folder: Path) -> Evaluation:
    return Evaluation(replace(road, columns=_mapped(folder)), folder)


def _mapped(folder: Path) -> Columns:
    """Map shared columns; they look like any array, a compiled loop made for those takes them as well."""
    return Columns(*(np.asarray(np.load(folder / f"{name}.npy", mmap_mode="c")) for name in Columns._fields))


def _plans_only(found: Gathered) -> Gathered:
    """Return the assets without bars and features: the columns hold them."""
    return Gathered(
        assets=tuple(
            replace(each, bars=NO_BARS, funding=Funding(), detail=detail_of(NO_BARS, no_minutes()))
            for each in found.assets
        ),
        refused=(),
    )


def _without_shadows(settings: Settings) -> Settings:
    none = np.zeros_like(settings.shadow_first)
    return settings._replace(shadow_first=none, shadow_end=none, shadows=settings.shadows[:0])


def _outcome(road: Road, plans: Sequence[AssetPlan], played: Played) -> Outcome:
    rows, owners = _trades(played)
    wanted, start = road.wanted, road.setup.risk.equity_quote
    times = np.concatenate(([wanted.from_ms], road.ticks))
    equity = start + np.concatenate(([0.0], played.out.tick_net))
    returns = daily_returns(times, equity, wanted.from_ms, wanted.to_ms)
    drawdown = deepest_drawdown(times, equity)
    nets = rows["net_quote"]
    return Outcome(
        factor=profit_factor(nets.tolist()),
        per_coin={
            plan.asset.symbol: profit_factor(nets[owners == place].tolist())
            for place, plan in enumerate(plans)
        },
        sharpe=sharpe(returns),
        max_drawdown_frac=0.0 if drawdown is None else drawdown.frac,
        daily=moments(returns),
        trades_sha256=trades_sha256(rows, owners, plans),
    )


def _trades(played: Played) -> tuple[Rows, Ints]:
    """Return the closed trades in the order they were booked, and whose each is; none of shadow cards."""
    real = [owner[1] < 0 for owner in played.owners]
    rows = np.array(list(compress(played.trades, real)), dtype=dtype_of(Trade))
    owners = np.array([owner[0] for owner in compress(played.owners, real)], dtype=np.int64)
    return rows, owners


def trades_sha256(rows: Rows, owners: Ints, plans: Sequence[AssetPlan]) -> str:
    """Return a hash of trades, all their fields, and whose each is.

    Cards count by their names: their numbers change with the cards beside them.
    """
    named = [
        f"{plans[place].asset.symbol} {plans[place].names[card]}"
        for place, card in zip(owners.tolist(), rows["card"].tolist(), strict=True)
    ]
    unnumbered = rows.copy()
    unnumbered["card"] = 0
    return hashlib.sha256(unnumbered.tobytes() + "\n".join(named).encode()).hexdigest()


def history_sha256(setup: Setup, wanted: History) -> str:
    """Return a hash of all prices and settlements that a run over this history can read.

    Raises `DataError` for a coin without bars.
    """
    digest = hashlib.sha256()
    feed = FilesFeed(open_shelf(wanted.data), wanted.venue)
    for asset in setup.enabled:
        digest.update(asset.symbol.encode())
        series = feed.series(asset.venue, asset.symbol, asset.base_timeframe)
        bars = readable_bars(series.bars, wanted.from_ms, wanted.to_ms)
        for column in _prices(bars):
            _add(digest, column)
        if len(bars) == 0:
            continue
        first_ms, last_ms = int(bars.open_ms[0]), int(bars.close_ms[-1])
        funding = series.funding.between(first_ms, last_ms)
        for column in (funding.settled_ms, funding.rate_frac):
            _add(digest, column)
        if setup.detail(asset) is not None:
            for column in _prices(feed.minutes(asset.venue, asset.symbol).between(first_ms, last_ms)):
                _add(digest, column)
    return digest.hexdigest()


def _prices(bars: Bars) -> tuple[Ints | Floats, ...]:
    prices = (bars.open_ms, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return (*prices, bars.mark_high, bars.mark_low)


def _add(digest: Any, column: Ints | Floats) -> None:
    digest.update(len(column).to_bytes(8, "little") + np.ascontiguousarray(column).tobytes())
