"""Run a backtest: the kernel that live calls, compiled, over whole histories of many coins with one account.

Its decisions and its ledger are bit for bit those of `loop.rehearse` over the same history; parity tests hold
that. Nothing is written anywhere.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine_alpha.backtest.digesting import RunDigests
from engine_alpha.backtest.loop import REASONS, play
from engine_alpha.backtest.outcome import Played, result_of
from engine_alpha.backtest.outputs import TRADE_WORDS, Output, record_words
from engine_alpha.backtest.request import Gathered, Overrides, Progress, backtest_setup, gathered
from engine_alpha.backtest.results import BacktestResult
from engine_alpha.backtest.stepping import World
from engine_alpha.backtest.world import (
    Columns,
    Prepared,
    Settings,
    State,
    columns_of,
    fresh_state,
    settings_of,
)
from engine_alpha.domain.bars import Ints
from engine_alpha.errors import BrokenPromise
from engine_alpha.home import Home
from engine_alpha.kernel.codes import ACCOUNT_GATES, OWN_GATES
from engine_alpha.plans.history import History, due_numbers
from engine_alpha.plans.setup import Setup

CHUNK_BYTES = 24 * 2**20
"""Room for records between two looks at the progress bar and at Ctrl-C."""
QUIET_CHUNKS, QUIET_ROWS = 20, 200_000
CATCH_UP_ROOM = 4_096
NO_OVERRIDES = Overrides()
GATES = (*OWN_GATES, *ACCOUNT_GATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A history laid out for the compiled loop."""

    setup: Setup
    wanted: History
    gathered: Gathered
    columns: Columns
    settings: Settings
    ticks: Ints
    due: Ints

    @property
    def starts(self) -> list[float]:
        """Return the configured equity of each asset's sub-account."""
        return [each.plan.rules.asset.start_quote for each in self.gathered.assets]

    def state(self) -> State:
        """Return the state before the first bar."""
        return fresh_state(self.settings, self.starts, self.setup.risk.equity_quote, self.columns, self.due)


def run(
    home: Home,
    wanted: History,
    overrides: Overrides = NO_OVERRIDES,
    records: bool = True,
    keep_records: bool = False,
    progress: Progress = lambda done, total: None,
) -> BacktestResult:
    """Play `wanted` through the compiled kernel with the home's configuration and return what came out.

    With `records` every decision is made in full and hashed; without, bars on which nothing can happen are
    passed over, which changes no trade and no ledger. `keep_records` keeps them for `result.records(symbol)`,
    some 2 KB a bar. `progress` gets (bars done, bars in all). Raises `ConfigError` for what can't be played.
    """
    setup = backtest_setup(home, wanted, overrides)
    found = gathered(setup, wanted)
    started = time.perf_counter()
    road = road_of(setup, wanted, found, records)
    laid_out = time.perf_counter() - started
    warm_up(road)
    played = played_through(road, records, keep_records, progress)
    return result_of(road.setup, road.wanted, found, played, laid_out)


def measured(home: Home, wanted: History, overrides: Overrides = NO_OVERRIDES) -> tuple[int, float]:
    """Return bars and seconds of one more pass, everything warm: features, layout and loop, no records."""
    setup = backtest_setup(home, wanted, overrides)
    found = gathered(setup, wanted)
    started = time.perf_counter()
    road = road_of(setup, wanted, found, records=False)
    played = played_through(road, records=False)
    return played.bars, time.perf_counter() - started


def road_of(setup: Setup, wanted: History, found: Gathered, records: bool = True) -> Road:
    """Lay a history out; without `records` no signals but those that some rule reads."""
    plans = [each.plan for each in found.assets]
    due = np.array([due_numbers(plan.asset, wanted) for plan in plans], dtype=np.int64)
    return Road(
        setup=setup,
        wanted=wanted,
        gathered=found,
        columns=columns_of(found.assets, records),
        settings=settings_of(plans, setup.engine.max_entry_delay_ms),
        ticks=_ticks(found.assets, due),
        due=due,
    )


def _ticks(assets: Sequence[Prepared], due: Ints) -> Ints:
    """Return every instant at which a bar of some asset closes, ascending."""
    spans = {(each.bars.timeframe_ms, *pair) for each, pair in zip(assets, due.tolist(), strict=True)}
    closes = [np.arange(first + 1, end + 1, dtype=np.int64) * frame for frame, first, end in sorted(spans)]
    return np.unique(np.concatenate(closes)) if len(closes) > 1 else closes[0]


def warm_up(road: Road) -> None:
    """Compile the loop, or read it from the cache, before anything is timed."""
    equity = road.setup.risk.equity_quote
    world = World(road.settings, road.columns, road.state(), output_of(road, 0, 1), 0, equity)
    play(world, road.ticks, road.due, np.array([0, 0]))


def played_through(
    road: Road, records: bool, keep: bool = False, progress: Progress = lambda done, total: None
) -> Played:
    """Play every tick, in chunks, and return what is left."""
    count = len(road.gathered.assets)
    shadows = int((road.settings.shadow_end - road.settings.shadow_first).max(initial=0))
    room = max(CHUNK_BYTES // (8 * record_words(shadows)), 8 * count + 8) if records else 0
    quiet = min(-(-len(road.ticks) // QUIET_CHUNKS), QUIET_ROWS // count)
    ticks_at_once = max(1, room // count if records else quiet)
    closing = (ticks_at_once * count + CATCH_UP_ROOM) * (1 + shadows)  # one trade a bar and account at most
    out, state = output_of(road, room, closing), road.state()
    played = Played(out=out, state=state, settings=road.settings, columns=road.columns, ticks=road.ticks)
    equity = road.setup.risk.equity_quote
    world = World(road.settings, road.columns, state, out, 1 if records else 0, equity)
    digests = RunDigests(road.settings) if records else None
    started, hashing, at = time.perf_counter(), 0.0, 0
    while at < len(road.ticks):
        span = np.array([at, min(len(road.ticks), at + ticks_at_once)])
        at = play(world, road.ticks, road.due, span)
        pause = time.perf_counter()
        if out.counts[1] > closing:
            raise BrokenPromise(f"{out.counts[1]} trades closed where there is room for {closing}")
        if digests is not None:
            digests.add(out)
        played.take(out, keep)
        progress(at, len(road.ticks))
        hashing += time.perf_counter() - pause
    played.seconds = time.perf_counter() - started - hashing
    played.hexes = (None, None) if digests is None else digests.hexes()
    return played


def output_of(road: Road, records: int, trades: int) -> Output:
    """Return empty columns for what a run hands out."""
    count, bars = len(road.gathered.assets), len(road.columns.open_ms)
    shadows = int((road.settings.shadow_end - road.settings.shadow_first).max(initial=0))
    rows = np.zeros((records, record_words(shadows)), np.int64)
    closed = np.zeros((trades, TRADE_WORDS), np.int64)
    return Output(
        counts=np.zeros(2, np.int64),
        record_ints=rows,
        record_floats=rows.view(np.float64),
        record_bar=np.zeros(records, np.int64),
        record_asset=np.zeros(records, np.int64),
        trade_ints=closed,
        trade_floats=closed.view(np.float64),
        trade_owner=np.zeros((trades, 3), np.int64),
        regime=np.full(bars, -1, np.int8),
        side=np.zeros(bars, np.int8),
        equity=np.full(bars, np.nan),
        refused=np.zeros((count, len(REASONS)), np.int64),
        failed=np.zeros((count, len(GATES)), np.int64),
        blocked=np.zeros((count, len(GATES)), np.int64),
        fired=np.zeros(count, np.int64),
        tick_net=np.zeros(len(road.ticks)),
        tick_notional=np.zeros(len(road.ticks)),
        steps=np.zeros(count, np.int64),
    )
