"""`run_step_live(symbol, timeframe)`: one asset's step, alone or as part of a tick of all assets."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from engine_alpha.config.instruments import listing_fault
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bars import Bars, Funding, Reading
from engine_alpha.errors import (
    BrokenPromise,
    ConfigError,
    DataError,
    JournalError,
    VenueBusy,
    VenueError,
)
from engine_alpha.home import current_home
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.flatten_file import requested_flattens
from engine_alpha.loop.halting import take_up_halt
from engine_alpha.loop.live_orders import (
    act_on,
    armed_symbols,
    has_ended,
    left_at_venue,
    look_at,
    why_close_only,
)
from engine_alpha.loop.wiring import open_engine_of
from engine_alpha.plans.setup import Setup, read_setup
from engine_alpha.ports import BarRequest
from engine_alpha.step.asset_step import (
    Desk,
    Stepped,
    already_decided,
    expected_open_ms,
    minutes_from_ms,
    step_asset,
    wanted_from_ms,
)
from engine_alpha.step.plan import AssetPlan, kept_plan
from engine_alpha.step.recording import no_decision_event
from engine_alpha.step.state import AssetState
from engine_alpha.step.text import writable

DECIDED, ALREADY, NO_DECISION, REFUSED, FAILED = "decided", "already", "no_decision", "refused", "failed"
GOOD = (DECIDED, ALREADY)
PATIENCE_MS = (500, 1_000, 2_000, 2_000, 2_000, 4_000, 4_000, 4_000)
"""Pauses in which a busy venue is waited for where orders are real: exits may be due in this very tick."""

_log = logging.getLogger("chloe.step")

Answer = Reading | Exception
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """How one asset's step went. `open_ms` is the newest closed bar by the clock, `bars` were advanced."""

    symbol: str
    timeframe: str
    status: str
    open_ms: int
    now_ms: int
    bars: tuple[Stepped, ...] = ()
    reason: str = ""
    detail: str = ""
    account: str = ""
    note: str = ""  # why a real position may not be opened now

    @property
    def is_busy(self) -> bool:
        """Say whether the venue wanted patience, and nothing else was wrong."""
        return self.status == NO_DECISION and self.reason == VenueBusy.__name__

    @property
    def is_settled(self) -> bool:
        """Say whether the bar has its decision."""
        return self.status in GOOD

    @property
    def is_good(self) -> bool:
        """Say whether the bar has its decision and nothing was refused."""
        return self.status in GOOD and not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One instant for all assets: the clock read once, configuration read once, every feed asked already."""

    engine: Engine
    setup: Setup
    now_ms: int
    answers: Mapping[str, Answer]
    flattens: Mapping[str, int]  # when a person last wished to be out of the asset, ms

    def desk(self) -> Desk:
        """Return what each step works with."""
        return Desk(
            journal=self.engine.journal,
            book=self.engine.book,
            order=self.setup.order,
            labels=self.engine.labels,
            now_ms=self.now_ms,
            max_entry_delay_ms=self.setup.engine.max_entry_delay_ms,
            orders=None if self.engine.live is None else self.engine.live.road,
            flattens=self.flattens,
        )


def run_step_live(symbol: str, timeframe: str, tick: Tick | None = None) -> StepReport:
    """Step one asset of the current home by every closed bar it has not seen; return what happened.

    Without a `tick` this opens the account, asks the asset's feed and closes everything again. Raises
    `ConfigError` for a symbol that is not in the registry and for a timeframe other than its own.
    """
    if tick is not None:
        return _step(tick, _asset_named(tick.setup, tick.engine, symbol, timeframe))
    home = current_home()
    with open_engine_of(home, symbol) as engine:
        asset = _asset_named(engine.setup, engine, symbol, timeframe)
        take_up_halt(engine, engine.clock.now_ms())
        return step_patiently(engine, make_tick(engine, [asset]), [asset], _step)[0]


def step_patiently(
    engine: Engine,
    tick: Tick,
    assets: list[AssetConfig],
    step: Callable[[Tick, AssetConfig], StepReport],
) -> list[StepReport]:
    """Step the assets of a tick, and bring their real orders to what was decided.

    Where orders are real, those whose venue wanted patience are tried again after the others are done: an
    exit may be due in this very tick, and nobody healthy waits for it.
    """
    reports: dict[str, StepReport] = {}
    waiting, began_ms = assets, engine.clock.now_ms()
    for pause_ms in (0, *PATIENCE_MS) if engine.live is not None else (0,):
        if pause_ms:
            _awaited(engine, engine.clock.pause(pause_ms))
            tick = make_tick(engine, waiting)
        reports |= {asset.symbol: step(tick, asset) for asset in waiting}
        finish_orders(engine, waiting)
        waiting = [asset for asset in waiting if reports[asset.symbol].is_busy]
        if not waiting or engine.clock.now_ms() - began_ms > sum(PATIENCE_MS):
            break
    return [reports[asset.symbol] for asset in assets]


def _asset_named(setup: Setup, engine: Engine, symbol: str, timeframe: str) -> AssetConfig:
    known = next((one for one in setup.registry.assets if one.symbol == symbol), None)
    mine = known if known is not None and known.enabled and engine.takes(symbol) else None
    asset = _to_step(setup, mine, _left_over(engine, symbol))
    if asset is None:
        if known is None:
            faults = setup.faults_of(symbol)
            raise ConfigError("; ".join(faults) or f"{symbol} is not in {setup.home.registry}: add it")
        asset = known
    if asset.base_timeframe != timeframe:
        raise ConfigError(
            f"{symbol} is traded at {asset.base_timeframe}, not {timeframe}: "
            f"change base_timeframe in {setup.home.registry} or ask for {asset.base_timeframe}"
        )
    return asset


def steppable(setup: Setup, engine: Engine) -> dict[str, AssetConfig]:
    """Return what a tick steps: the enabled assets in order, then those that only have to get flat.

    An asset that was disabled, removed, broken, or given another venue or timeframe while it holds a
    position, or has anything left at a venue, is stepped close-only, on the settings it was last stepped on.
    """
    mine = {asset.symbol: asset for asset in setup.enabled if engine.takes(asset.symbol)}
    held = {symbol: state for symbol in engine.book.assets if (state := _left_over(engine, symbol))}
    rest = [*(symbol for symbol in setup.order if symbol in held), *sorted(held)]
    chosen = {
        symbol: asset
        for symbol in dict.fromkeys((*mine, *rest))
        if (asset := _to_step(setup, mine.get(symbol), held.get(symbol)))
    }
    return dict(sorted(chosen.items(), key=lambda one: not one[1].enabled))


def _left_over(engine: Engine, symbol: str) -> AssetState | None:
    """Return the state of an asset that is not let go before it is flat; None for any other."""
    state = engine.book.assets.get(symbol)
    if state is None or (state.is_flat and not left_at_venue(engine, symbol)):
        return None
    return state


def _to_step(setup: Setup, asset: AssetConfig | None, held: AssetState | None) -> AssetConfig | None:
    """Return what one asset is stepped on: its enabled entry, or close-only what is left of it."""
    if asset is None:
        return None if held is None else replace(held.config, enabled=False)
    old = _on_old_settings(asset, held)
    refuses = held is not None and (setup.faults_of(asset.symbol) or not _has_plan(setup, old))
    return replace(old, enabled=False) if refuses else old


def _has_plan(setup: Setup, asset: AssetConfig) -> bool:
    try:
        setup.plan(asset)
    except ConfigError:
        return False
    return True


def _on_old_settings(asset: AssetConfig, held: AssetState | None) -> AssetConfig:
    if held is None:
        return asset
    old = held.config
    if (old.venue, old.base_timeframe) == (asset.venue, asset.base_timeframe):
        return asset
    return replace(old, enabled=False)


def make_tick(engine: Engine, assets: list[AssetConfig]) -> Tick:
    """Read configuration and clock once and ask every asset's feed at the same time."""
    setup = engine.setup
    now_ms = settled_now(engine, assets)
    answers = _awaited(engine, _answers(engine, setup, assets, now_ms))
    return Tick(
        engine=engine, setup=setup, now_ms=now_ms, answers=answers, flattens=_flattens(engine, assets)
    )


def _flattens(engine: Engine, assets: list[AssetConfig]) -> dict[str, int]:
    """Return when a person last wished to be out of each asset; real orders have their own way out."""
    if engine.live is not None:
        return {}
    wishes = requested_flattens(engine.setup.home.account(engine.labels.account))
    if wishes.fault:
        _log.error("%s", wishes.fault)
    found = {asset.symbol: wishes.of(asset.symbol) for asset in assets}
    return {symbol: wish.at_ms for symbol, wish in found.items() if wish is not None}


def finish_orders(engine: Engine, assets: list[AssetConfig]) -> None:
    """Bring real orders to what the steps decided; nothing on paper."""
    if engine.live is not None:
        _awaited(engine, act_on(engine, assets))


def _awaited(engine: Engine, answers: Coroutine[Any, Any, T]) -> T:
    """Run the reads to their end; what Ctrl-C cuts short is told once, not per read.

    Not by Runner.run: Python 3.11 formats the last answers, arrays and all, as that sets its signal handler.
    """
    loop = engine.loop.get_loop()
    try:
        return loop.run_until_complete(answers)
    except KeyboardInterrupt:
        loop.set_exception_handler(lambda _loop, _context: None)
        raise


def settled_now(engine: Engine, assets: list[AssetConfig]) -> int:
    """Return the time, once every newest close is its venue's settle delay past: the bar may change so long.

    Those that have to wait belong in a tick of their own: the service sees to that.
    """
    if engine.feed.simulated or not assets:
        return engine.clock.now_ms()
    now_ms, settle_ms = engine.clock.now_ms(), engine.setup.engine.settle_delay_ms.by_venue
    engine.clock.wait_until(
        max(now_ms // asset.timeframe_ms * asset.timeframe_ms + settle_ms[asset.venue] for asset in assets)
    )
    return engine.clock.now_ms()


def refreshed(engine: Engine) -> Setup:
    """Read configuration anew, unless this engine's is frozen."""
    if not engine.frozen:
        kept = engine.configuration
        engine.setup = read_setup(engine.setup.home) if kept is None else kept.read()
        engine.armed = armed_symbols(engine.setup)
    return engine.setup


async def _answers(engine: Engine, setup: Setup, assets: list[AssetConfig], now_ms: int) -> dict[str, Answer]:
    deadline_s = setup.engine.feed_deadline_ms / 1000

    async def ask(asset: AssetConfig) -> Answer:
        try:
            state = engine.book.assets.get(asset.symbol)
            if already_decided(asset, state, now_ms):
                return DataError("already", "nothing to ask")
            with_minutes = setup.detail(asset) is not None
            request = BarRequest(
                asset=asset,
                first_open_ms=wanted_from_ms(asset, state, now_ms),
                minutes_from_ms=minutes_from_ms(asset, state, now_ms) if with_minutes else None,
            )
            began_s = time.monotonic()
            try:
                async with asyncio.timeout(deadline_s):
                    return await engine.feed.read(request, now_ms)
            finally:
                engine.feed_times.append((asset.venue, time.monotonic() - began_s))
        except TimeoutError:
            return DataError("slow", f"the feed gave no bars within {deadline_s:g} s")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return DataError("cancelled", "the feed gave up this answer")

    # whatever one feed raises is its asset's fault alone: it is raised in that asset's step
    looks = asyncio.ensure_future(look_at(engine, assets))
    replies = await asyncio.gather(*(ask(asset) for asset in assets), return_exceptions=True)
    await looks
    return {asset.symbol: _answer(reply) for asset, reply in zip(assets, replies, strict=True)}


def _answer(reply: Answer | BaseException) -> Answer:
    """Return what a feed gave, its fault, or whatever it gave by mistake: that is its asset's fault alone.

    What is no fault, such as the end of the process, is raised here.
    """
    if isinstance(reply, Exception) or not isinstance(reply, BaseException):
        return reply
    raise reply


def _step(tick: Tick, asset: AssetConfig) -> StepReport:
    """Step one asset and turn whatever goes wrong into a report and a journal record."""
    open_ms = expected_open_ms(asset, tick.now_ms)
    report = StepReport(
        symbol=asset.symbol,
        timeframe=asset.base_timeframe,
        status=FAILED,
        open_ms=open_ms,
        now_ms=tick.now_ms,
        account=tick.engine.labels.account,
    )
    try:
        return _stepped(tick, asset, report)
    except (JournalError, BrokenPromise):
        raise
    except DataError as fault:
        failed = replace(report, status=NO_DECISION, reason=fault.reason, detail=fault.detail)
    except VenueError as fault:
        failed = replace(report, status=NO_DECISION, reason=type(fault).__name__, detail=str(fault))
    except ConfigError as fault:
        failed = replace(report, status=REFUSED, reason="config", detail=str(fault))
    except Exception as fault:  # one asset's fault must not reach the others
        _log.debug("%s failed", asset.symbol, exc_info=fault)
        failed = replace(report, status=FAILED, reason=type(fault).__name__, detail=str(fault))
    return _recorded(tick, asset, failed)


def _recorded(tick: Tick, asset: AssetConfig, report: StepReport) -> StepReport:
    """Write down that the bar has no decision, once per reason; it stays open for a later attempt."""
    report = replace(report, detail=writable(report.detail))
    event = no_decision_event(
        asset.symbol, asset.base_timeframe, report.open_ms, report.reason, report.detail
    )
    tick.engine.journal.commit(tick.now_ms, [event], {})
    return report


def _stepped(tick: Tick, asset: AssetConfig, report: StepReport) -> StepReport:
    state = tick.engine.book.assets.get(asset.symbol)
    plan, refusal = _plan(tick.setup, asset, state, tick.now_ms)
    if refusal:
        report = replace(report, reason="config", detail=refusal)
    if already_decided(plan.asset, state, tick.now_ms):
        return replace(report, status=ALREADY)
    plan, report = _with_real_orders(tick, asset, plan, report)
    bars, missing = step_asset(tick.desk(), plan, _reading(tick, asset, plan, state))
    if missing is not None:
        failed = replace(report, status=NO_DECISION, reason=missing.reason, detail=missing.detail)
        return _recorded(tick, asset, replace(failed, bars=tuple(bars)))
    return replace(report, status=DECIDED if bars else ALREADY, bars=tuple(bars))


def _with_real_orders(
    tick: Tick, asset: AssetConfig, plan: AssetPlan, report: StepReport
) -> tuple[AssetPlan, StepReport]:
    """Return the plan at the size it is armed with, without entries where orders or position are not clear.

    Raise what kept the venue from telling them: a bar is not settled on fills that may be missing.
    """
    live = tick.engine.live
    if live is None:
        return plan, report
    fault = live.book.faults.get(asset.symbol)
    if fault is not None:
        raise fault
    own = tick.engine.armed.get(asset.symbol)
    plan = replace(plan, size_factor=own.size_factor if own is not None else 1.0)
    why = why_close_only(tick.engine, asset)
    if not why:
        return plan, report
    close_only = replace(plan, asset=replace(plan.asset, enabled=False), close_only=why)
    return close_only, replace(report, note=why)


def _plan(setup: Setup, asset: AssetConfig, state: AssetState | None, now_ms: int) -> tuple[AssetPlan, str]:
    """Return what to step on, and why entries are refused if they are.

    Raise `ConfigError` for an asset that must not be stepped. One that holds a position is stepped all the
    same, close-only, if need be on the settings kept with it.
    """
    holds = state is not None and not state.is_flat
    faults = setup.faults_of(asset.symbol)
    if faults and not holds:
        raise ConfigError("; ".join(faults))
    if faults:
        asset = replace(asset, enabled=False)
    try:
        plan = setup.plan(asset)
    except ConfigError as fault:
        if state is None or state.held is None:
            raise
        return kept_plan(asset, state.held), str(fault)
    unlisted = listing_fault(plan.instrument, now_ms)
    if unlisted is not None and not holds:
        raise ConfigError(unlisted)
    return plan, "; ".join(faults)


def _reading(tick: Tick, asset: AssetConfig, plan: AssetPlan, state: AssetState | None) -> Reading:
    answer = tick.answers[asset.symbol]
    settled = plan.instrument.settled_ms
    over = (settled is not None and tick.now_ms >= settled) or has_ended(tick.engine, asset.symbol)
    if over and state is not None and not state.is_flat:
        return reading_at_settlement(state, tick.now_ms)
    if isinstance(answer, Exception):
        raise answer
    return answer


def reading_at_settlement(state: AssetState, now_ms: int) -> Reading:
    """Return flat bars at the last known close up to now, for a contract that settled under a position.

    Nobody quotes it any more: the position is left at its last mark, with costs.
    """
    frame_ms = state.config.timeframe_ms
    newest = now_ms // frame_ms - 1
    numbers = np.arange(max(state.sub.last_index + 1, newest - 2), newest + 1, dtype=np.int64)
    price = np.full(len(numbers), state.sub.mark_price)
    bars = Bars(
        timeframe_ms=frame_ms,
        open_ms=numbers * frame_ms,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=np.zeros(len(numbers)),
    )
    return Reading(bars=bars, funding=Funding(), source="settlement")
