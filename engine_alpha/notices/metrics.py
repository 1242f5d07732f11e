"""The engine's figures for Prometheus, and the page that shows them. Names follow Prometheus' conventions.

Written by the engine's thread, shown by the page's. Money is in the account's quote currency.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine_alpha.notices.exposition import COUNTER, GAUGE, Family, Histogram

_TICK_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_FEED_BOUNDS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COMMIT_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFigures:
    """One asset. `decided_ms` is when its last decided bar closed, 0 for none; the factor None if unknown."""

    symbol: str
    decided_ms: int
    trades: int
    profit_factor: float | None
    faults: int  # in a row
    resting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigures:
    """One account at a moment."""

    account: str
    equity_quote: float
    exposure_quote: float
    positions: int
    unknown_outcomes: int
    halted: bool
    assets: Sequence[AssetFigures]


class Metrics:
    """All figures. `now_s` tells the time for ages, which grow while nothing happens."""

    def __init__(self, version: str, now_s: Callable[[], float] = time.time) -> None:
        self._now_s, self._began_s = now_s, now_s()
        self._passed_s: float | None = None
        self._decided: dict[str, dict[str, float]] = {}
        own, asset = ("account",), ("account", "asset")
        self._build = Family(GAUGE, "chloe_build_info", "1; the label names the version.", ("version",))
        self._build.set((version,), 1.0)
        self._ticks = Family(COUNTER, "chloe_ticks_total", "Ticks since the start.", own)
        self._tick_s = Histogram("chloe_tick_seconds", "How long a tick took.", own, _TICK_BOUNDS_S)
        self._steps = Family(
            COUNTER, "chloe_steps_total", "Assets stepped, by outcome.", ("account", "status")
        )
        self._blocked = Family(
            COUNTER,
            "chloe_gate_blocked_total",
            "Decided bars on which a gate let no entry through.",
            ("account", "asset", "gate"),
        )
        self._orders = Family(
            COUNTER,
            "chloe_orders_total",
            "Times an order came to a status.",
            ("account", "venue", "leg", "status"),
        )
        self._feed_s = Histogram(
            "chloe_feed_seconds",
            "How long an asset's bars took to come.",
            ("account", "venue"),
            _FEED_BOUNDS_S,
        )
        self._commit_s = Histogram(
            "chloe_commit_seconds", "How long a commit of the journal took.", own, _COMMIT_BOUNDS_S
        )
        self._equity = Family(GAUGE, "chloe_equity_quote", "Equity at the last closes.", own)
        self._exposure = Family(
            GAUGE, "chloe_exposure_quote", "Notional of positions and pending entries.", own
        )
        self._positions = Family(GAUGE, "chloe_positions", "Open positions and pending entries.", own)
        self._unknown = Family(
            GAUGE, "chloe_unknown_outcomes", "Orders of which it is not known what became of them.", own
        )
        self._halted = Family(GAUGE, "chloe_halted", "1 while a person or the drawdown halts entries.", own)
        self._factor = Family(GAUGE, "chloe_profit_factor", "Profit factor; none while unknown.", asset)
        self._trades = Family(GAUGE, "chloe_closed_trades", "Closed trades of the account's life.", asset)
        self._faults = Family(GAUGE, "chloe_asset_faults", "Faults in a row.", asset)
        self._resting = Family(GAUGE, "chloe_asset_resting", "1 while the asset rests after faults.", asset)
        self._healthy = Family(
            GAUGE, "chloe_watchdog_healthy", "1 while the engine trades: see the watchdog."
        )

    def ticked(
        self, account: str, took_ms: int, statuses: Iterable[str], blocked: Iterable[tuple[str, str]]
    ) -> None:
        """Take in a tick: each step's outcome, and which asset's new bars were blocked by which gate."""
        self._ticks.add((account,))
        self._tick_s.observe((account,), took_ms / 1_000)
        for status in statuses:
            self._steps.add((account, status))
        for symbol, gate in blocked:
            self._blocked.add((account, symbol, gate))

    def fed(self, account: str, venue: str, seconds: float) -> None:
        """Take in how long an asset's bars took."""
        self._feed_s.observe((account, venue), seconds)

    def committed(self, account: str, seconds: float) -> None:
        """Take in how long a commit took."""
        self._commit_s.observe((account,), seconds)

    def ordered(self, account: str, venue: str, leg: str, status: str) -> None:
        """Take in that an order came to a status."""
        self._orders.add((account, venue, leg, status))

    def stands(self, found: AccountFigures) -> None:
        """Take in how an account stands; what it has no longer goes."""
        name = found.account
        for family, value in (
            (self._equity, found.equity_quote),
            (self._exposure, found.exposure_quote),
            (self._positions, float(found.positions)),
            (self._unknown, float(found.unknown_outcomes)),
            (self._halted, float(found.halted)),
        ):
            family.set((name,), value)
        each = [((name, asset.symbol), asset) for asset in found.assets]
        known = [(key, asset.profit_factor) for key, asset in each]
        self._factor.replace(name, [(key, value) for key, value in known if value is not None])
        self._trades.replace(name, [(key, float(asset.trades)) for key, asset in each])
        self._faults.replace(name, [(key, float(asset.faults)) for key, asset in each])
        self._resting.replace(name, [(key, float(asset.resting)) for key, asset in each])
        decided = {asset.symbol: asset.decided_ms / 1_000 for asset in found.assets if asset.decided_ms}
        self._decided = {**self._decided, name: decided}

    def passed(self, healthy: bool) -> None:
        """Take in that the loop has come round, and whether the watchdog is fed."""
        self._passed_s = self._now_s()
        self._healthy.set((), float(healthy))

    def gone(self, account: str) -> None:
        """Forget how an account stood that is no longer worked on; what was counted stays."""
        for family in (
            *(self._equity, self._exposure, self._positions, self._unknown, self._halted),
            *(self._factor, self._trades, self._faults, self._resting),
        ):
            family.replace(account, ())
        self._decided = {name: each for name, each in self._decided.items() if name != account}

    def page(self) -> str:
        """Return all figures as Prometheus reads them; from any thread."""
        counted: tuple[Family | Histogram, ...] = (
            self._ticks,
            self._tick_s,
            self._steps,
            self._blocked,
            self._orders,
        )
        timed: tuple[Family | Histogram, ...] = (
            self._feed_s,
            self._commit_s,
            self._unknown,
            self._factor,
            self._trades,
        )
        standing = (self._equity, self._exposure, self._positions, self._halted, self._healthy)
        rest = (self._faults, self._resting, *self._ages(), *_process(self._began_s))
        return "".join(family.text() for family in (self._build, *counted, *timed, *standing, *rest))

    def _ages(self) -> list[Family]:
        now_s = self._now_s()
        decision = Family(
            GAUGE,
            "chloe_decision_age_seconds",
            "Time since the close of the last decided bar; grows to twice the timeframe when all is well.",
            ("account", "asset"),
        )
        for account, symbols in self._decided.items():
            for symbol, decided_s in symbols.items():
                decision.set((account, symbol), now_s - decided_s)
        loop = Family(GAUGE, "chloe_loop_age_seconds", "Time since the loop last came round.")
        if self._passed_s is not None:
            loop.set((), now_s - self._passed_s)
        return [decision, loop]


def _process(began_s: float) -> list[Family]:
    """Return what Prometheus' own libraries say of every process, as far as it is wanted here."""
    memory = Family(GAUGE, "process_resident_memory_bytes", "Resident memory size in bytes.")
    start = Family(GAUGE, "process_start_time_seconds", "Start time since the Unix epoch in seconds.")
    start.set((), began_s)
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            memory.set((), float(file.read().split()[1]) * _PAGE_BYTES)
    except OSError:
        return [start]
    return [memory, start]
