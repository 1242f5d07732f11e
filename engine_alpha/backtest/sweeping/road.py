"""The compiled road for sweeps: bars and features laid out once, then one set of parameters after another.

No records are kept, shadow cards do not run and bars on which nothing can happen are passed over; the trades
are those of the full road, bit for bit. Sets may play side by side in threads: compiled code holds no lock.
"""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine_alpha.backtest.foreseeing import (
    Fires,
    Known,
    Signals,
    Skim,
    fires_of,
    plain_spans,
    signals_for,
    signals_of,
    signals_read,
    skim_of,
)
from engine_alpha.backtest.outputs import Output
from engine_alpha.backtest.request import Gathered, gathered
from engine_alpha.backtest.run import Road, output_of, played_through, road_of, warm_up
from engine_alpha.backtest.skimming import skim_through, watch_of
from engine_alpha.backtest.stepping import ASSET_WORDS, RISK_WORDS, World
from engine_alpha.backtest.sweeping.outcome import Outcome, moments
from engine_alpha.backtest.words import dtype_of
from engine_alpha.backtest.world import Settings, State, readable_bars, settings_of
from engine_alpha.config.parameters import ParameterSet
from engine_alpha.config.risk import RiskConfig
from engine_alpha.domain.bars import Bars, Floats, Funding, Ints
from engine_alpha.domain.detail import detail_of, no_minutes
from engine_alpha.errors import ConfigError
from engine_alpha.feeds.files import FilesFeed
from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.kernel.values import Trade
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.reports.returns import daily_returns, drawdown_curve, sharpe
from engine_alpha.step.plan import AssetPlan
from engine_alpha.store.shelf import open_shelf

NO_BARS: Final = no_minutes()
TRADES_AT_ONCE: Final = 16_384
"""Room for trades between two looks at them."""
FIRES_KEPT: Final = 4
ENTRY_FIELDS: Final = ["status", "regimes", "directions", "own_direction", "entry_first", "entry_end"]
THRESHOLDS: Final = ("regimes_allowed", "neutral_zone", "confidence_min", "calibration")
"""What may vary of parameters: no regime and no score depends on it."""
PARAMETERS: Final = ASSET_WORDS + RISK_WORDS  # where their words begin
UNHASHED: Final = "not hashed"

Rows = NDArray[Any]
"""Trades, one record each, with the fields of `kernel.values.Trade`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What is left of one set: its closed trades as they were booked, and whose each is.

    `net_quote` is the account's profit and loss after each tick, `state` what it stood like at the end.
    """

    plans: tuple[AssetPlan, ...]
    rows: Rows
    owners: Ints
    net_quote: Floats
    state: State


def prepare(setup: Setup, wanted: History) -> "Evaluation":
    """Lay a history out and return what evaluates one configuration after another on it.

    Raises `ConfigError` where a coin can't run: a sweep over the others would answer another question.
    """
    found = gathered(setup, wanted)
    if found.refused:
        raise ConfigError("; ".join(f"{symbol}: {detail}" for symbol, _, detail in found.refused))
    road = road_of(setup, wanted, found)
    road = replace(road, gathered=_plans_only(found), settings=_without_shadows(road.settings))
    spans = plain_spans(road.columns, road.settings, road.due)
    skim = None
    if spans is not None:
        skim = skim_of(World(road.settings, road.columns, road.state(), output_of(road, 0, 1), 0, 0.0), spans)
    evaluation = Evaluation(road, skim)
    evaluation.warm_up()
    return evaluation


class Evaluation:
    """A history laid out, on which one configuration after another plays, in any number of threads."""

    def __init__(self, road: Road, skim: Skim | None) -> None:
        """Without a skim every bar is looked at: see `plain_spans`."""
        self.road = road
        self.skim = skim
        self._own = threading.local()  # each thread's own output, used again and again
        self._signals: tuple[tuple[int, ...], Signals] | None = None
        self._fires: dict[bytes, Fires] = {}

    def __call__(self, setup: Setup) -> Outcome:
        """Play the history with this configuration and sum it up."""
        return _outcome(self.swept(setup), self.road, setup.risk.equity_quote)

    def swept(self, setup: Setup) -> Swept:
        """Play the history with this configuration."""
        assets = self.road.gathered.assets
        sets = [self.road.setup.set_of(each.plan.asset.symbol) for each in assets]
        plans = [_plan(setup, each.plan, own) for each, own in zip(assets, sets, strict=True)]
        named = zip(assets, plans, strict=True)
        road = replace(
            self.road,
            setup=setup,
            gathered=Gathered(assets=tuple(replace(each, plan=plan) for each, plan in named), refused=()),
            settings=_without_shadows(settings_of(plans, setup.engine.max_entry_delay_ms)),
        )
        if self.skim is None:
            return _played(road)
        return self._skimmed(road, self.skim, len(road.ticks))

    def warm_up(self) -> None:
        """Compile the loop, or read it from the cache, before threads need it at the same time."""
        if self.skim is None:
            warm_up(self.road)
        else:
            self._skimmed(self.road, self.skim, 0)

    def _skimmed(self, road: Road, skim: Skim, ticks: int) -> Swept:
        """Play so many ticks."""
        out, state = self._output(), road.state()
        world = World(road.settings, road.columns, state, out, 0, road.setup.risk.equity_quote)
        known = self._known(world, skim, road.setup.risk)
        watch = watch_of(world, known)
        rows: list[Rows] = []
        owners: list[Ints] = []
        at = 0
        while at < ticks or not rows:
            out.counts[:] = 0
            at = skim_through(world, known, watch, road.ticks[:ticks], at)
            count = int(out.counts[1])
            rows.append(out.trade_ints[:count].view(dtype_of(Trade))[:, 0].copy())
            owners.append(out.trade_owner[:count, 0].copy())
        return Swept(
            plans=tuple(each.plan for each in road.gathered.assets),
            rows=_joined(rows),
            owners=_joined(owners),
            net_quote=out.tick_net[:at].copy(),
            state=state,
        )

    def _output(self) -> Output:
        if not hasattr(self._own, "output"):
            room = max(TRADES_AT_ONCE, 2 * len(self.road.gathered.assets))
            self._own.output = output_of(self.road, 0, room)
        output: Output = self._own.output
        return output

    def _known(self, world: World, skim: Skim, limits: RiskConfig) -> Known:
        """Return where cards may fire: sets that differ in exits, sizes and most limits share it."""
        settings = world.settings
        read = signals_read(settings)
        shared = self._signals  # read once: another thread may put others there
        if shared is None or shared[0] != read:
            shared = self._signals = read, signals_of(world.bars, settings, read)
        signals = signals_for(shared[1], settings, read)
        spreads = np.array([limits.spread_bps, limits.max_spread_bps])
        parts = [spreads, settings.conditions, *(settings.cards[name] for name in ENTRY_FIELDS)]
        parts += [settings.ints[:, PARAMETERS:], settings.calibrations, settings.calibrated]
        key = b"".join(part.tobytes() for part in parts)
        fires = self._fires.get(key)
        if fires is None:
            fires = fires_of(world, skim, signals)
            kept = list(self._fires.items())[1 - FIRES_KEPT :]
            self._fires = dict([*kept, (key, fires)])
        return Known(skim, signals, fires)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _plan(setup: Setup, before: AssetPlan, prepared: ParameterSet) -> AssetPlan:
    """Return an asset's plan with this configuration; contract, weights and regimes' limits do not vary.

    `prepared` is the parameter set that the history was laid out with; one of `setup.sets` stands in for it.
    """
    if setup.detail(before.asset) != before.detail:
        raise ConfigError("risk:detail can't be varied: it decides which prices are read")
    own = setup.sets.get(before.asset.symbol, prepared)
    here, there = own.parameters._asdict(), prepared.parameters._asdict()
    apart = [name for name in here if name not in THRESHOLDS and here[name] != there[name]]
    if apart:
        raise ConfigError(
            f"{before.asset.symbol}: parameters {own.version} differ from {prepared.version} in "
            f"{', '.join(apart)}: scores and regimes depend on that, so prepare the history for them anew"
        )
    rules, names = setup.rules_of(before.asset, before.instrument, own)
    return replace(before, rules=rules, names=names, parameters_version=own.version, config_hash=UNHASHED)


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


def _played(road: Road) -> Swept:
    """Play a history that can't be skimmed."""
    played = played_through(road, records=False)
    rows, owners = played.closed()
    return Swept(
        plans=tuple(each.plan for each in road.gathered.assets),
        rows=rows,
        owners=owners[:, 0],
        net_quote=played.out.tick_net,
        state=played.state,
    )


def _outcome(swept: Swept, road: Road, start_quote: float) -> Outcome:
    wanted, plans = road.wanted, swept.plans
    times = np.concatenate(([wanted.from_ms], road.ticks))
    equity = start_quote + np.concatenate(([0.0], swept.net_quote))
    returns = daily_returns(times, equity, wanted.from_ms, wanted.to_ms)
    nets = swept.rows["net_quote"]
    return Outcome(
        factor=profit_factor(nets.tolist()),
        per_coin={
            plan.asset.symbol: profit_factor(nets[swept.owners == place].tolist())
            for place, plan in enumerate(plans)
        },
        sharpe=sharpe(returns),
        max_drawdown_frac=float(drawdown_curve(equity).max()),
        daily=moments(returns),
        trades_sha256=trades_sha256(swept.rows, swept.owners, plans),
    )


def trades_sha256(rows: Rows, owners: Ints, plans: Sequence[AssetPlan]) -> str:
    """Return a hash of trades, all their fields, and whose each is.

    Cards count by their names: their numbers change with the cards beside them.
    """
    names = np.zeros((len(plans), max(1, *(len(plan.names) for plan in plans))), np.uint64)
    for place, plan in enumerate(plans):
        for card, name in enumerate(plan.names):
            digest = hashlib.sha256(f"{plan.asset.symbol} {name}".encode()).digest()
            names[place, card] = int.from_bytes(digest[:8], "little")
    unnumbered = rows.copy()
    unnumbered["card"] = 0
    return hashlib.sha256(unnumbered.tobytes() + names[owners, rows["card"]].tobytes()).hexdigest()


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
