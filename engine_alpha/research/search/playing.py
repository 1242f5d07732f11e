"""Play all variants of one card on one coin: the unit of work of a night.

A unit is a coin and a card with all its variants over the whole history. Folds need no work of their own:
a card decides by what is before a bar alone, so what a variant did in a fold is a slice of what it did. A
unit depends on nothing but its arguments, so it may run anywhere, and again.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from engine_alpha.backtest.sweeping.road import Evaluation, Swept, history_sha256, prepare
from engine_alpha.config.hashing import hash_config
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.domain.lookback import MIN_BARS
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.plans.deciding import deciding_code
from engine_alpha.plans.history import History
from engine_alpha.plans.setup import Setup
from engine_alpha.research.neutral import RISK_QUOTE
from engine_alpha.research.search.space import CardSpace, variants_of

BPS: Final = 1e-4
SIDES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One coin and one card with its variants, on a history of that coin alone."""

    space: CardSpace
    history: History
    extra_cost_bps: float

    @property
    def symbol(self) -> str:
        """Name the coin."""
        return self.history.symbols[0]

    @property
    def key(self) -> str:
        """Return a hash of all that the result depends on: prices, code, configuration, variants."""
        setup = self.space.setup
        asset = next(asset for asset in setup.enabled if asset.symbol == self.symbol)
        plan = setup.plan(asset)
        parts = {
            "bars": history_sha256(_alone(setup, self.symbol), self.history),
            "span": [self.history.from_ms, self.history.to_ms],
            "code": deciding_code(),
            "plan": [asset, plan.instrument, plan.rules, plan.names],
            "axes": [axis.text for axis in self.space.axes],
            "thresholds": list(self.space.thresholds),
            "extra_cost_bps": self.extra_cost_bps,
        }
        return hash_config(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitResult:
    """What a card's variants did on a coin, in R.

    `daily` and `ranked` are variants × UTC days from `first_day` on, marked at midnight: net R, and the same
    less the extra cost by which turnover is penalised. Trades of variant v stand at `ends[v-1]:ends[v]`, in
    the order of their exits. `traded_from_ms` is the first bar that could be decided on.
    """

    symbol: str
    card: str
    first_day: int
    traded_from_ms: int
    daily: Floats
    ranked: Floats
    ends: Ints
    entry_ms: Ints
    exit_ms: Ints
    r: Floats

    def trades(self, variant: int) -> slice:
        """Return where a variant's trades stand."""
        first = 0 if variant == 0 else int(self.ends[variant - 1])
        return slice(first, int(self.ends[variant]))

    def sha256(self) -> str:
        """Return a hash of all of it."""
        digest = hashlib.sha256(f"{self.symbol} {self.card} {self.first_day} {self.traded_from_ms}".encode())
        for each in (self.daily, self.ranked, self.ends, self.entry_ms, self.exit_ms, self.r):
            digest.update(np.ascontiguousarray(each).tobytes())
        return digest.hexdigest()


def play(unit: Unit) -> UnitResult:
    """Play every variant; raises `ConfigError` or `DataError` where the coin can't be played."""
    space, history = unit.space, unit.history
    evaluation = _prepared(_alone(space.setup, unit.symbol), history)
    first_day, last_day = history.from_ms // DAY_MS, history.to_ms // DAY_MS
    made = variants_of(replace(space, setup=_alone(space.setup, unit.symbol)))
    daily, ranked, trades = [], [], []
    for variant in space.variants:
        setup = made.setup_of(variant.values) if made is not None else _alone(space.setup, unit.symbol)
        swept = evaluation.swept(_asking(setup, unit.symbol, variant.confidence_min))
        marks = _daily_r(swept, evaluation.road.ticks, first_day, last_day)
        daily.append(marks)
        ranked.append(marks - _extra_cost(swept.rows, first_day, last_day, unit.extra_cost_bps))
        trades.append(swept.rows)
    rows = np.concatenate(trades)
    return UnitResult(
        symbol=unit.symbol,
        card=space.card,
        first_day=first_day,
        traded_from_ms=_traded_from_ms(evaluation, history),
        daily=np.array(daily),
        ranked=np.array(ranked),
        ends=np.cumsum([len(each) for each in trades]),
        entry_ms=rows["entry_ms"].copy(),
        exit_ms=rows["exit_ms"].copy(),
        r=rows["r"].copy(),
    )


def _traded_from_ms(evaluation: Evaluation, history: History) -> int:
    """Return when the first bar opened that could be decided on: by then the window is full."""
    opened = evaluation.road.columns.open_ms
    if len(opened) <= MIN_BARS:
        return history.to_ms
    return max(history.from_ms, int(opened[MIN_BARS]))


def _alone(setup: Setup, symbol: str) -> Setup:
    """Return the setup with one coin enabled."""
    assets = tuple(replace(asset, enabled=asset.symbol == symbol) for asset in setup.registry.assets)
    return replace(setup, registry=replace(setup.registry, assets=assets), made={})


_KEPT: dict[tuple[Any, ...], Evaluation] = {}


def _prepared(setup: Setup, history: History) -> Evaluation:
    """Return the history laid out; the one used last is kept: units of one coin come one after the other."""
    asset = setup.enabled[0]
    decisive = {"risk": setup.risk, "parameters": setup.set_of(asset.symbol).parameters, "asset": asset}
    key = (hash_config(decisive), history.from_ms, history.to_ms, history_sha256(setup, history))
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = prepare(setup, history)
    return _KEPT[key]


def _daily_r(swept: Swept, ticks: Ints, first_day: int, last_day: int) -> Floats:
    """Return net R of each whole UTC day, open positions marked at the last close before midnight."""
    midnights = np.arange(first_day, last_day + 1, dtype=np.int64) * DAY_MS
    at = np.searchsorted(ticks[: len(swept.net_quote)], midnights, side="right")
    marks = np.concatenate(([0.0], swept.net_quote))[at]
    found: Floats = np.diff(marks) / RISK_QUOTE
    return found


def _extra_cost(rows: Any, first_day: int, last_day: int, bps: float) -> Floats:
    """Return by day of the exit what so many more basis points a side would have cost, in R."""
    found = np.zeros(last_day - first_day)
    days = rows["exit_ms"] // DAY_MS - first_day
    inside = (days >= 0) & (days < len(found))
    cost = SIDES * bps * BPS * rows["quantity_base"] * rows["entry_price"] / rows["risk_quote"]
    np.add.at(found, days[inside], cost[inside])
    return found


def _asking(setup: Setup, symbol: str, confidence_min: float) -> Setup:
    """Return the setup with another least confidence."""
    own = setup.set_of(symbol)
    asked = replace(own, parameters=own.parameters._replace(confidence_min=confidence_min))
    return replace(setup, sets={symbol: asked}, made={})
