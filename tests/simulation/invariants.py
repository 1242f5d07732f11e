"""The safety rules S1 to S9 and liveness, one function each: what does not hold, as (rule, sentence)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from engine_alpha.domain.orders import ENTRY, EXIT, STOP, TARGET, client_id_leg
from engine_alpha.errors import ConfigError, DataError, VenueError
from engine_alpha.loop.live_orders import why_close_only
from engine_alpha.step.folding import audited
from tests.simulation.ledger import ZERO
from tests.simulation.plan import HOUR_MS

if TYPE_CHECKING:
    from tests.simulation.world import World

Found = list[tuple[str, str]]


# before an order leaves


def at_sending(world: World, client_id: str, told: dict[str, str]) -> Found:
    """Check an entry or exit that is about to be sent."""
    engine = world.engine
    assert engine is not None
    reduces = told.get("reduceOnly") == "true"
    return [
        *s6_no_order_on_an_unfinished_candle(world, client_id),
        *s7_a_halt_lets_only_reducing_orders_out(client_id, reduces, engine.book.account.halted),
        *s1_no_entry_on_top_of_a_position(world, client_id, told["symbol"].upper()),
    ]


def s6_no_order_on_an_unfinished_candle(world: World, client_id: str) -> Found:
    """An intent is journalled before it is sent, and its bar has closed by the true time."""
    intent = world.watch.ledger.intents.get(client_id)
    if intent is None:
        return [("S9", f"{client_id} is sent without a journalled intent")]
    if intent["bar_ms"] + HOUR_MS > world.timeline.now_ms:
        return [("S6", f"{client_id} is sent on the bar {intent['bar_ms']} before that has closed")]
    return []


def s7_a_halt_lets_only_reducing_orders_out(client_id: str, reduces: bool, halted: bool) -> Found:
    """While halted nothing adds to a position; an exit never may."""
    leg = client_id_leg(client_id)
    if leg != ENTRY and not reduces:
        return [("S7", f"the {leg} {client_id} is not reduce only")]
    return [("S7", f"{client_id} adds to a position while halted")] if halted and not reduces else []


def s1_no_entry_on_top_of_a_position(world: World, client_id: str, symbol: str) -> Found:
    """An entry goes out only where nothing of ours is held at the exchange."""
    state = world.watch.live_state(symbol)
    held = world.watch.held().get(symbol)
    if client_id_leg(client_id) != ENTRY or held is None or state is None:
        return []
    ours = held.quantity - Decimal(state.foreign_base)
    known = Decimal(state.ours_base)
    fresh = [
        fill for fill in world.book.fills[-8:] if fill.at_ms >= world.tick_began_ms and not fill.client_id
    ]
    if (known == ZERO and ours == ZERO) or fresh:  # others may trade between the look and the entry
        return []
    return [("S1", f"{client_id} is sent while {held.quantity} {symbol} is held there, {known} known")]


# after every tick


def always(world: World) -> Found:
    """Check what holds at every moment."""
    return [
        *s1_every_order_is_accepted_once(world),
        *s1_no_intent_fills_more_than_it_asked_for(world),
        *s2_exposure_stays_within_its_caps(world),
        *s8_no_id_stands_for_two_intents(world),
        *s9_every_execution_is_the_exchanges(world),
        *s9_every_accepted_order_was_journalled(world),
    ]


def s1_every_order_is_accepted_once(world: World) -> Found:
    """No entry or exit of ours was accepted twice."""
    found = world.watch.accepted().items()
    return [
        ("S1", f"{client_id} was accepted {times} times")
        for client_id, times in found
        if times > 1 and client_id_leg(client_id) in (ENTRY, EXIT)
    ]


def s1_no_intent_fills_more_than_it_asked_for(world: World) -> Found:
    """The fills of one client id are at most the quantity of its intent."""
    filled: Counter[str] = Counter()
    for told in world.watch.ledger.executions.values():
        filled[told["client_id"]] += Decimal(told["quantity_base"])  # type: ignore[assignment]
    intents = world.watch.ledger.intents
    return [
        ("S1", f"{client_id} filled {amount} of {intents[client_id]['quantity_base']}")
        for client_id, amount in filled.items()
        if client_id in intents and amount > Decimal(intents[client_id]["quantity_base"])
    ]


def s2_exposure_stays_within_its_caps(world: World) -> Found:
    """Our positions at their entry prices are within number and exposure that the risk file allows."""
    risk = world.setup.risk
    ours = {
        symbol: world.watch.ours(position) * position.entry_price
        for symbol, position in world.watch.held().items()
        if world.watch.ours(position)
    }
    if world.engine is None:
        return []
    cap = Decimal(repr(risk.equity_quote * risk.exposure_cap_frac)) * Decimal("1.02")
    if len(ours) > risk.max_positions:
        return [("S2", f"{len(ours)} positions, {risk.max_positions} allowed: {sorted(ours)}")]
    if sum(ours.values()) > cap:
        return [("S2", f"exposure {sum(ours.values()):.2f} above {cap:.2f}")]
    return []


def s8_no_id_stands_for_two_intents(world: World) -> Found:
    """Neither orders nor executions are journalled twice under one name."""
    return [("S8", text) for text in world.watch.ledger.doubled]


def s9_every_execution_is_the_exchanges(world: World) -> Found:
    """What the journal says was executed is what the exchange did, to the digit."""
    truth = world.watch.fills()
    found: Found = []
    for number, told in world.watch.new_executions():
        fill = truth.get(number)
        if fill is None:
            found.append(("S9", f"execution {told['venue_id']} never happened"))
            continue
        pairs = (
            (Decimal(told["price"]) if fill.side else ZERO, fill.price if fill.side else ZERO),
            (Decimal(told["fee_quote"]), fill.fee),
            (Decimal(told["received_quote"]), fill.received_quote),
        )
        if any(abs(ours - theirs) > Decimal("1e-12") for ours, theirs in pairs):
            found.append(("S9", f"execution {told['venue_id']} is told as {told}, it was {fill}"))
    return found


def s9_every_accepted_order_was_journalled(world: World) -> Found:
    """The exchange has no entry or exit of ours that the journal does not know."""
    intents = world.watch.ledger.intents
    return [
        ("S9", f"the exchange accepted {client_id}, the journal knows nothing of it")
        for client_id in world.watch.accepted()
        if client_id_leg(client_id) in (ENTRY, EXIT) and client_id not in intents
    ]


def rebuilt(world: World) -> Found:
    """S9: the states folded from the journal's events are the stored ones, and the money adds up."""
    states, stored = world.watch.ledger.states, world.disk.stored.states()
    if states != stored:
        differing = sorted(name for name in {*states, *stored} if states.get(name) != stored.get(name))
        return [("S9", f"the events do not lead to the states of {differing}")]
    return [("S9", fault) for fault in audited(world.disk.stored.events()).faults(stored)]


def unexpected_faults(world: World) -> Found:
    """An asset's orders fail only by what a venue can do."""
    if world.engine is None or world.engine.live is None:
        return []
    return [
        ("failed", f"{symbol}: {type(fault).__name__}: {fault}")
        for symbol, fault in world.engine.live.book.faults.items()
        if not isinstance(fault, VenueError | DataError | ConfigError)
    ]


# after a tick that nothing disturbed


def after_a_clean_tick(world: World) -> Found:
    """Check what holds once a tick went through without a fault."""
    return [
        *s3_the_journals_position_is_the_venues(world),
        *s4_every_position_has_a_stop_or_is_left(world),
        *s5_the_wallet_is_what_the_journal_says(world),
    ]


def is_quiescent(world: World, symbol: str) -> bool:
    """Say whether nothing of an asset is under way or not told yet."""
    state = world.watch.live_state(symbol)
    if state is None or world.book.state.due or state.verdict in ("waiting", "unexplained"):
        return False
    if world.plan.propagation_ms and world.crashing:
        return False
    return not any(order.is_open or order.awaits_fills for order in state.orders)


def s3_the_journals_position_is_the_venues(world: World) -> Found:
    """Executions in the journal, the engine's state and the exchange's position are one."""
    folded = world.watch.ledger.positions()
    found: Found = []
    for symbol in world.symbols:
        state = world.watch.live_state(symbol)
        if state is None or not is_quiescent(world, symbol):
            continue
        held = world.watch.held().get(symbol)
        true = ZERO if held is None else held.quantity
        known = Decimal(state.ours_base) + Decimal(state.foreign_base)
        added = true if symbol in world.watch.touched else folded.get(symbol, ZERO)
        if not true == known == added:
            text = f"{symbol}: {true} there, {known} known, {added} by the executions"
            found.append(("S3", text))
    return found


def s4_every_position_has_a_stop_or_is_left(world: World) -> Found:
    """What we hold has a stop for all of it, or an exit under way, or the limit has not passed."""
    engine = world.engine
    if engine is None or engine.live is None:
        return []
    found: Found = []
    for symbol, position in world.watch.held().items():
        state = world.watch.live_state(symbol)
        ours = ZERO if state is None else Decimal(state.ours_base)
        if state is None or ours * position.quantity <= ZERO or world.watch.has_stop(position, abs(ours)):
            continue
        waits = world.timeline.now_ms - state.naked_since_ms < engine.live.book.limits.naked_limit_ms
        if state.leaving or (state.naked_since_ms and waits):
            continue
        found.append(("S4", f"{position.quantity} {symbol} has no stop: {_standing(state)}"))
    return found


def _standing(state: object) -> str:
    names = ("leave", "frozen", "verdict", "naked_since_ms", "protection", "ours_base", "venue_base")
    return ", ".join(f"{name} {getattr(state, name)}" for name in names)


def s5_the_wallet_is_what_the_journal_says(world: World) -> Found:
    """Once every execution is journalled, the wallet is the start plus what they come to."""
    ledger, truth = world.watch.ledger, world.watch.fills()
    if len(ledger.executions) != len(truth):
        return []
    start = Decimal(repr(float(world.setup.risk.equity_quote)))
    expected, wallet = start + ledger.money(), world.book.wallet
    if abs(expected - wallet) > Decimal("1e-9") * start:
        return [("S5", f"the wallet holds {wallet}, by the journal {expected}")]
    return []


# after the quiet period


def settled(world: World) -> Found:
    """Check that all faults have been got over."""
    return [
        *liveness_every_execution_is_journalled(world),
        *liveness_every_order_is_over(world),
        *liveness_entries_are_open_again(world),
        *liveness_what_is_held_is_protected(world),
        *s5_the_books_of_the_assets_add_up_to_the_wallet(world),
    ]


def liveness_every_execution_is_journalled(world: World) -> Found:
    """Nothing that the exchange did is missing; where others traded, their part need not be known."""
    truth = {n: fill for n, fill in world.watch.fills().items() if fill.symbol not in world.watch.touched}
    missing = sorted(set(truth) - set(world.watch.ledger.executions))
    return [
        ("liveness", f"execution {n} of {truth[n].symbol} is not journalled: {truth[n]}") for n in missing
    ]


def liveness_every_order_is_over(world: World) -> Found:
    """Every intent is terminal."""
    found: Found = []
    for symbol in world.symbols:
        state = world.watch.live_state(symbol)
        for order in () if state is None else state.orders:
            if order.is_open or order.awaits_fills:
                found.append(("liveness", f"{order.intent.client_id} of {symbol} is still {order.status}"))
    return found


def liveness_entries_are_open_again(world: World) -> Found:
    """Every asset that trades may be entered again."""
    engine = world.engine
    if engine is None:
        return [("liveness", "no process lives")]
    found: Found = []
    for asset in engine.setup.enabled:
        why = why_close_only(engine, asset)
        if why and asset.symbol not in world.feed.ends:
            found.append(("liveness", f"{asset.symbol} takes no entries: {why}"))
        fault = engine.live.book.faults.get(asset.symbol) if engine.live else None
        if fault is not None:
            found.append(("liveness", f"{asset.symbol} is not looked at: {fault}"))
    return found


def liveness_what_is_held_is_protected(world: World) -> Found:
    """No position of ours stands without its stop, no stop of ours without a position."""
    held = world.watch.held()
    found: Found = []
    for symbol, position in held.items():
        ours = world.watch.ours(position)
        if ours and not world.watch.has_stop(position, ours):
            found.append(("liveness", f"{position.quantity} {symbol} has no stop"))
    for order in world.book.state.open.values():
        if client_id_leg(order.client_id) in (STOP, TARGET) and order.symbol not in held:
            found.append(("liveness", f"the {order.type} {order.client_id} of flat {order.symbol} stands"))
    return found


def s5_the_books_of_the_assets_add_up_to_the_wallet(world: World) -> Found:
    """Where nobody else traded: what was settled, and what waits for its bar, is the wallet's change."""
    engine = world.engine
    if engine is None or world.faults["manual"]:
        return []
    parts = [money_of(world, symbol) for symbol in world.symbols]
    if None in parts:
        return []
    known = sum(part for part in parts if part is not None)
    change = float(world.book.wallet) - float(world.setup.risk.equity_quote)
    if abs(known - change) > 1e-9 * float(world.setup.risk.equity_quote):
        return [("S5", f"the assets made {known!r} by their books, the wallet {change!r}")]
    return []


def money_of(world: World, symbol: str) -> float | None:
    """Return what an asset realised, paid and received, settled or waiting for its bar; None for an exit."""
    engine = world.engine
    assert engine is not None
    asset, live = engine.book.assets.get(symbol), world.watch.live_state(symbol)
    known = 0.0
    if asset is not None:
        known = asset.sub.realised_quote - asset.sub.fees_quote + asset.sub.funding_quote
    for booked in () if live is None else live.booked:
        if booked.leg == EXIT:
            return None
        known += float(booked.execution.received_quote) - float(booked.execution.fee_quote)
    return known
