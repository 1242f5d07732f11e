"""Real orders inside a tick: look before the steps, act after them, and what keeps an asset from entering.

Start-up after a crash is the same path as any tick: look, then step, then act (see `trading`).
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine_alpha.config.risk import start_quote
from engine_alpha.domain.asset import AssetConfig
from engine_alpha.errors import ConfigError, DataError, VenueError
from engine_alpha.kernel.money import equity_quote
from engine_alpha.kernel.reconcile import AGREES, UNEXPLAINED, VERDICTS
from engine_alpha.loop.arming import Armed, armed, counting
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.flatten_file import FlattenWish, requested_flattens
from engine_alpha.loop.halting import take_up_halt
from engine_alpha.loop.trade_watch import Watches
from engine_alpha.plans.setup import Setup
from engine_alpha.ports import Event, Venue
from engine_alpha.step.plan import AssetPlan, kept_plan
from engine_alpha.step.state import rebased
from engine_alpha.step.text import to_text
from engine_alpha.trading.acting import Client, act
from engine_alpha.trading.duties import Wish
from engine_alpha.trading.ingest import adjusted
from engine_alpha.trading.live_book import LiveBook
from engine_alpha.trading.looking import look, seen_or_fault
from engine_alpha.trading.road import LiveRoad
from engine_alpha.trading.state import LiveState
from engine_alpha.trading.wishing import LOST_ENTRY, Brief, wish_of
from engine_alpha.venues.lifecycle import ENDED, Lifecycle, lifecycle_of
from engine_alpha.venues.setup_checks import (
    Findings,
    SetupNeeds,
    VenueReading,
    read_venue,
    setup_findings,
)

_log = logging.getLogger("chloe.step")

FLATTEN = "flatten"
ASKED_AGAIN_MS = 3_600_000  # a contract's end may be announced any hour


@dataclass(slots=True, kw_only=True)
class LiveDesk:
    """What one live account's ticks work with. `environment` names it for people.

    `faults_of_setup` are the sentences for which an asset may not enter, `set_up` the assets of which margin
    and leverage are set by this process; `lifecycles` where each contract stands, and when that was asked;
    `watches` what the armed assets' trades say.
    """

    environment: str
    book: LiveBook
    road: LiveRoad
    faults_of_setup: dict[str, list[str]] = field(default_factory=dict)
    set_up: set[str] = field(default_factory=set)
    lifecycles: dict[str, tuple[int, Lifecycle]] = field(default_factory=dict)
    watches: Watches = field(default_factory=Watches)


def armed_symbols(setup: Setup) -> Armed:
    """Return the assets whose orders are real: armed for this environment and for their present venue."""
    live = setup.engine.live
    venues = {asset.symbol: asset.venue for asset in setup.registry.assets}
    return counting(armed(setup.home.account(live.account)), live.environment, venues)


async def look_at(engine: Engine, assets: Sequence[AssetConfig]) -> None:
    """Bring what is known of these assets' orders up to date, and what keeps them from entering."""
    desk = engine.live
    if desk is None:
        return
    await look(desk.book, [brief_of(engine, asset) for asset in assets])
    symbols, venues = [asset.symbol for asset in assets], sorted({asset.venue for asset in assets})
    await _each(symbols, (_ask_lifecycle(engine, desk, asset) for asset in assets))
    await _each(venues, (_check_setups(engine, desk, name, assets) for name in venues))


async def _each(names: Sequence[str], answers: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Wait for all answers; one that fails leaves its asset or venue as it was known: exits go on."""
    for name, done in zip(names, await asyncio.gather(*answers, return_exceptions=True), strict=True):
        if isinstance(seen_or_fault(done), Exception):
            _log.error("%s could not be asked about: %r", name, done)


async def act_on(engine: Engine, assets: Sequence[AssetConfig]) -> None:
    """Bring these assets' orders to what their decisions want, and to what people have said meanwhile."""
    desk = engine.live
    if desk is None:
        return
    take_up_halt(engine, engine.clock.now_ms())
    if not engine.frozen:
        engine.armed = armed_symbols(engine.setup)
    take_up_flattens(engine, assets)
    await act(desk.book, [_client(engine, asset) for asset in assets])


def take_up_flattens(engine: Engine, assets: Sequence[AssetConfig]) -> None:
    """Latch a person's wish to be out of a position, once.

    Where nothing explains what the venue says, the wish takes the venue's word for it.
    """
    desk = engine.live
    if desk is None:
        return
    wishes = requested_flattens(engine.setup.home.account(engine.labels.account))
    for asset in assets:
        wish, brief = wishes.of(asset.symbol), brief_of(engine, asset)
        state = desk.book.state(asset.symbol, asset.venue)
        if wish is None or wish.at_ms <= state.flattened_ms:
            continue
        if state.verdict == VERDICTS[UNEXPLAINED]:
            known = engine.book.assets.get(asset.symbol)
            state = adjusted(state, known.sub.mark_price if known else 0.0, engine.clock.now_ms())
        leave = "" if state.is_flat else FLATTEN
        _latch(desk.book, replace(state, leave=state.leave or leave, flattened_ms=wish.at_ms), wish, brief)


def _latch(book: LiveBook, state: LiveState, wish: FlattenWish, brief: Brief) -> None:
    payload = to_text({"reason": wish.reason, "at_ms": wish.at_ms, "held": bool(state.leave)})
    event = Event(FLATTEN, state.symbol, f"{wish.key}/{state.symbol}", brief.bar_ms, payload)
    book.commit(state, [lambda _numbered: event], brief.bar_ms)


def brief_of(engine: Engine, asset: AssetConfig) -> Brief:
    """Return what an asset's orders need to know at this moment."""
    state = engine.book.assets.get(asset.symbol)
    plan = plan_of(engine, asset)
    last = -1 if state is None else state.sub.last_index
    return Brief(
        symbol=asset.symbol,
        venue=asset.venue,
        timeframe=asset.base_timeframe,
        timeframe_ms=asset.timeframe_ms,
        bar_ms=max(0, last) * asset.timeframe_ms,
        lot_base=plan.instrument.lot_base if plan else "0.00000001",
        min_quantity_base=plan.instrument.min_quantity_base if plan else "0",
        may_enter=not why_no_entry(engine, asset) and not engine.book.account.halted,
    )


def plan_of(engine: Engine, asset: AssetConfig) -> AssetPlan | None:
    """Return the asset's plan; the one kept with its position where files are broken; None without either."""
    try:
        return engine.setup.plan(asset)
    except ConfigError:
        state = engine.book.assets.get(asset.symbol)
        return None if state is None or state.held is None else kept_plan(asset, state.held)


def _client(engine: Engine, asset: AssetConfig) -> Client:
    def wish(live: LiveState) -> Wish:
        plan = plan_of(engine, asset)
        if plan is None:
            return Wish(leave=LOST_ENTRY if live.position != 0 else "")
        state = engine.book.assets.get(asset.symbol)
        found = wish_of(state, live, plan)
        lifecycle = lifecycle_known(engine, asset.symbol)
        if lifecycle is not None and lifecycle.must_leave(engine.clock.now_ms()) and not found.leave:
            return replace(found, leave="settlement")
        return found

    return Client(brief=lambda: brief_of(engine, asset), wish=wish)


def why_no_entry(engine: Engine, asset: AssetConfig) -> str:
    """Return why this asset may not open a position with real orders now; "" if it may."""
    desk = engine.live
    if desk is None:
        return ""
    symbol = asset.symbol
    if symbol not in engine.armed:
        return "not armed"
    if not asset.enabled:
        return "disabled"
    if symbol not in desk.faults_of_setup:
        return f"{asset.venue} could not be checked yet"
    if desk.faults_of_setup[symbol]:
        return "; ".join(desk.faults_of_setup[symbol])
    lifecycle = lifecycle_known(engine, symbol)
    return lifecycle.sentence if lifecycle is not None and not lifecycle.may_enter else ""


def why_close_only(engine: Engine, asset: AssetConfig) -> str:
    """Return why a decision may not enter: what forbids it, or what is not yet clear."""
    desk = engine.live
    if desk is None:
        return ""
    state = desk.book.state(asset.symbol, asset.venue)
    if state.frozen:
        return f"frozen: {state.frozen}"
    if state.verdict != VERDICTS[AGREES]:
        return f"books and venue: {state.verdict}"
    if state.unresolved or state.entry_open or state.leave:
        return "an earlier order is not settled yet"
    return why_no_entry(engine, asset)


def lifecycle_known(engine: Engine, symbol: str) -> Lifecycle | None:
    """Return where the contract stood when its venue was last asked."""
    asked = engine.live.lifecycles.get(symbol) if engine.live else None
    return asked[1] if asked else None


def left_at_venue(engine: Engine, symbol: str) -> bool:
    """Say whether anything of ours is left at a venue: an asset is not let go before."""
    state = engine.live.book.states.get(symbol) if engine.live else None
    return state is not None and not state.is_over


def has_ended(engine: Engine, symbol: str) -> bool:
    """Say whether the venue has settled the contract: nobody quotes it any more."""
    known = lifecycle_known(engine, symbol)
    return known is not None and known.stage == ENDED


async def _ask_lifecycle(engine: Engine, desk: LiveDesk, asset: AssetConfig) -> None:
    """Ask the venue for the contract, once an hour; what can't be asked stays as it was known."""
    now_ms = engine.clock.now_ms()
    asked = desk.lifecycles.get(asset.symbol)
    plan = plan_of(engine, asset)
    if plan is None or (asked and now_ms - asked[0] < ASKED_AGAIN_MS):
        return
    try:
        facts = await desk.book.venues[asset.venue].symbol_facts(asset.symbol)
    except (VenueError, DataError, ConfigError):
        return
    desk.lifecycles[asset.symbol] = (now_ms, lifecycle_of(facts, plan.instrument, now_ms))


def _needs_check(engine: Engine, desk: LiveDesk, asset: AssetConfig) -> bool:
    """Say whether set-up is to be checked: until all of it holds, and while nothing is held."""
    symbol = asset.symbol
    if symbol in desk.set_up or symbol not in engine.armed:
        return False
    state = desk.book.states.get(symbol)
    held = state is not None and state.venue_base != "0"
    return not (held and desk.faults_of_setup.get(symbol) == [])


async def _check_setups(engine: Engine, desk: LiveDesk, name: str, assets: Sequence[AssetConfig]) -> None:
    """Check what must hold before a first order; what the assets of a venue share is asked once for all."""
    own = [asset for asset in assets if asset.venue == name and _needs_check(engine, desk, asset)]
    if not own:
        return
    try:
        shared = await read_venue(desk.book.venues[name], engine.clock)
    except (VenueError, DataError, ConfigError) as fault:
        sentence = [f"{name} could not be checked: {fault}"]
        desk.faults_of_setup.update({asset.symbol: sentence for asset in own})
        return
    await _each([asset.symbol for asset in own], (_check_setup(engine, desk, one, shared) for one in own))


async def _check_setup(engine: Engine, desk: LiveDesk, asset: AssetConfig, shared: VenueReading) -> None:
    plan = plan_of(engine, asset)
    if plan is None:
        return
    try:
        venue = desk.book.venues[asset.venue]
        found = await _setup_findings(engine, venue, (asset, plan), shared)
        desk.faults_of_setup[asset.symbol] = found.faults
        if found.set_up:
            desk.set_up.add(asset.symbol)
    except (VenueError, DataError, ConfigError) as fault:
        desk.faults_of_setup[asset.symbol] = [f"{asset.venue} could not be checked: {fault}"]


async def _setup_findings(
    engine: Engine, venue: Venue, whose: tuple[AssetConfig, AssetPlan], shared: VenueReading
) -> Findings:
    asset, plan = whose
    state = engine.book.assets.get(asset.symbol)
    price = 0.0 if state is None else state.sub.mark_price
    on_it = [
        each for each in engine.setup.enabled if each.symbol in engine.armed and each.venue == asset.venue
    ]
    needs = SetupNeeds(
        clock=engine.clock,
        equity_quote=_equity(engine, asset),
        price_quote=price,
        together_quote=sum(_equity(engine, each) for each in on_it),
        with_fees=False,
    )
    return await setup_findings(venue, asset, plan.instrument, needs, shared)


def _equity(engine: Engine, asset: AssetConfig) -> float:
    """Return what an asset trades with: its share, and what it has made or lost since."""
    state = engine.book.assets.get(asset.symbol)
    start = start_quote(engine.setup.risk, asset)
    return start if state is None else equity_quote(rebased(state.sub, start))
