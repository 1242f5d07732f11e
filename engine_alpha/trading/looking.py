"""Find out what stands at the venues and take it in: the same for start-up, for every tick, after any fault.

A venue is asked once for all its assets' positions and open orders, and for fills only where an asset has,
or may have, something there. A read that fails says nothing, and its asset is left as it was.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from engine_alpha.domain.orders import (
    FUNDING,
    MISSING,
    TRADE,
    Execution,
    Unreadable,
    VenueOrder,
    VenuePosition,
)
from engine_alpha.errors import BrokenPromise, DataError, JournalError
from engine_alpha.kernel.reconcile import VERDICTS, Standing, freezes, verdict_of
from engine_alpha.trading.ingest import (
    CONTRADICTION,
    foreign_orders,
    tidied,
    with_execution,
    with_happening,
    with_nakedness,
    with_sight,
    with_told,
)
from engine_alpha.trading.live_book import EventMaker, LiveBook
from engine_alpha.trading.recording import execution_event, order_event, reconcile_event
from engine_alpha.trading.state import LiveOrder, LiveState
from engine_alpha.trading.wishing import Brief

OVERLAP_MS = 60_000  # executions are asked for again: one may be told late
UNNAMED_MS = 60_000  # a trade whose order nobody names is taken for another's after so long
FIRST_LOOK_MS = 86_400_000  # how far back a first look goes for a position nobody here knows
FORGOTTEN_MS = 86_400_000  # a working order that a venue has not known for so long was cancelled unfilled

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One venue at one moment: all positions and open orders of the account.

    What it told of a symbol and can't be read is that symbol's fault alone, with the reason.
    """

    positions: Mapping[str, VenuePosition]
    orders: Sequence[VenueOrder]
    unreadable: Mapping[str, str]


async def look(book: LiveBook, briefs: Sequence[Brief]) -> None:
    """Bring the live states of these assets up to what their venues say; note whose look failed."""
    names = sorted({book.state(brief.symbol, brief.venue).venue for brief in briefs})
    only = briefs[0].symbol if len(briefs) == 1 else ""
    seen = await asyncio.gather(*(_sight(book, name, only) for name in names), return_exceptions=True)
    sights = {name: seen_or_fault(sight) for name, sight in zip(names, seen, strict=True)}
    looks = (_look_at(book, brief, sights) for brief in briefs)
    for brief, done in zip(briefs, await asyncio.gather(*looks, return_exceptions=True), strict=True):
        fault = seen_or_fault(done)
        if isinstance(fault, Exception):
            book.faults[brief.symbol] = fault
        else:
            book.faults.pop(brief.symbol, None)


def seen_or_fault(found: Found | BaseException) -> Found | Exception:
    """Return what was found, or the fault of whoever looked; raise what must stop everything."""
    if isinstance(found, JournalError | BrokenPromise):
        raise found
    if isinstance(found, BaseException) and not isinstance(found, Exception):
        raise found
    return found


async def _sight(book: LiveBook, name: str, only: str) -> Sight:
    """Ask for positions first: a fill that comes between is in the executions, which are asked for later.

    Orders are those of one symbol where only that is looked at.
    """
    positions = await book.venues[name].positions()
    orders = await book.venues[name].open_orders(only)
    flawed = [told for told in (*positions.values(), *orders) if isinstance(told, Unreadable)]
    return Sight(
        positions={name: told for name, told in positions.items() if isinstance(told, VenuePosition)},
        orders=[told for told in orders if isinstance(told, VenueOrder)],
        unreadable={told.symbol: told.why for told in flawed},
    )


async def _look_at(book: LiveBook, brief: Brief, sights: Mapping[str, Sight | Exception]) -> None:
    state = book.state(brief.symbol, brief.venue)
    sight = sights[state.venue]
    if isinstance(sight, Exception):
        raise sight
    if brief.symbol in sight.unreadable:
        raise DataError("bad_reply", sight.unreadable[brief.symbol])
    position = sight.positions.get(brief.symbol)
    if _has_anything(state, position):
        state = await _with_orders(book, brief, state)
        state = await _with_executions(book, brief, state)
    seen = with_sight(state, position, sight.orders, book.clock.now_ms())
    seen = replace(seen, foreign_orders=len(foreign_orders(brief.symbol, sight.orders)))
    seen = tidied(_compared(book, brief, seen), brief.timeframe_ms, book.clock.now_ms())
    if seen == book.states.get(brief.symbol) or (not book.states.get(brief.symbol) and _is_blank(seen)):
        return
    book.commit(seen, _found(state, seen, brief), brief.bar_ms)


def _is_blank(state: LiveState) -> bool:
    return state == LiveState(symbol=state.symbol, venue=state.venue, version=state.version)


def _has_anything(state: LiveState, position: VenuePosition | None) -> bool:
    held = position is not None and Decimal(position.quantity_base) != 0
    owns = state.position != 0 or Decimal(state.foreign_base) != 0 or Decimal(state.venue_base) != 0
    return held or owns or any(order.is_open or order.awaits_fills for order in state.orders)


async def _with_orders(book: LiveBook, brief: Brief, state: LiveState) -> LiveState:
    """Ask what became of every order that is not over, one commit for each that moved."""
    venue = book.venue_of(state)
    for order in state.orders:
        asked = order.is_open or order.awaits_fills
        if not asked or order.intent.client_id in book.unsent:
            continue
        told = await venue.find(order.intent)
        if told is not None:
            moved = with_told(state, order, told)
        elif not order.is_unresolved and book.clock.now_ms() - order.sent_ms > FORGOTTEN_MS:
            moved = with_happening(state, order, MISSING)
        else:
            continue
        if moved != state:
            state = book.commit(moved, [_order_maker(moved, order)], brief.bar_ms)
    return state


def _order_maker(moved: LiveState, before: LiveOrder) -> EventMaker:
    order = moved.order(before.intent.client_id) or before
    return lambda numbered: order_event(numbered, order, "told by the venue")


async def _with_executions(book: LiveBook, brief: Brief, state: LiveState) -> LiveState:
    """Take in every execution that is new, one commit each: a crash between two loses and doubles nothing."""
    found = await book.venue_of(state).executions(state.symbol, _since_ms(book, state))
    read_on = True
    for execution in sorted(found, key=lambda one: (one.at_ms, one.kind != FUNDING)):
        now_ms = book.clock.now_ms()
        if book.knows(state, execution.venue_id):
            continue
        if _may_be_ours(state, execution, now_ms):
            read_on = False
            continue
        taken = with_nakedness(with_execution(state, execution), now_ms)
        if read_on:
            taken = replace(taken, read_to_ms=max(state.read_to_ms, execution.at_ms))
        state = book.commit(taken, [_maker(state.venue, execution, brief.bar_ms)], brief.bar_ms)
    return state


def _may_be_ours(state: LiveState, execution: Execution, now_ms: int) -> bool:
    """Say whether a trade waits for its order's name: a venue may know trades before their orders."""
    if execution.kind != TRADE or execution.client_id or now_ms - execution.at_ms > UNNAMED_MS:
        return False
    sides = {order.intent.side for order in state.orders if order.is_unresolved or order.awaits_fills}
    return execution.side in sides


def _maker(venue: str, execution: Execution, bar_ms: int) -> EventMaker:
    return lambda _numbered: execution_event(venue, execution, bar_ms)


def _since_ms(book: LiveBook, state: LiveState) -> int:
    if state.read_to_ms:
        return state.read_to_ms - OVERLAP_MS
    sent = [order.intent.intended_ms for order in state.orders]
    return min(sent) - OVERLAP_MS if sent else book.clock.now_ms() - FIRST_LOOK_MS


def _compared(book: LiveBook, brief: Brief, state: LiveState) -> LiveState:
    """Return the state with the verdict on books against venue, and frozen or thawed by it."""
    now_ms = book.clock.now_ms()
    if (
        _only_we_hold(state)
        and state.differs_since_ms
        and now_ms - state.differs_since_ms >= book.limits.grace_ms
    ):
        state = replace(state, foreign_base="0")
    known = state.position + Decimal(state.foreign_base)
    differs = Decimal(state.venue_base) != known
    since_ms = (state.differs_since_ms or now_ms) if differs else 0
    verdict = verdict_of(
        Standing(
            float(state.position),
            float(state.foreign_base),
            float(state.venue_base),
            float(brief.lot_base),
            float(brief.min_quantity_base),
            sum(1 for order in state.orders if order.is_unresolved or order.awaits_fills),
            now_ms - since_ms if differs else 0,
            book.limits.grace_ms,
        )
    )
    frozen = state.frozen
    if freezes(verdict):
        frozen = f"{VERDICTS[verdict]}: ours {state.ours_base}, others' {state.foreign_base}, {state.venue} "
        frozen += f"says {state.venue_base}"
    elif not differs and not (frozen.startswith(CONTRADICTION) and not state.is_flat):
        frozen = ""
    return replace(state, verdict=VERDICTS[verdict], differs_since_ms=since_ms, frozen=frozen)


def _only_we_hold(state: LiveState) -> bool:
    """Say whether the venue holds just what is ours, with nothing under way: then others hold nothing.

    What they opened long before a first look was never read; its end was, and must not stand as a position.
    """
    under_way = any(order.is_open or order.awaits_fills for order in state.orders)
    return not under_way and Decimal(state.venue_base) == state.position


def _found(before: LiveState, after: LiveState, brief: Brief) -> list[EventMaker]:
    """Return the record of a comparison where it came out otherwise than the last time."""
    told = (before.verdict, before.frozen, before.foreign_orders)
    if told == (after.verdict, after.frozen, after.foreign_orders):
        return []
    found = {
        "verdict": after.verdict,
        "frozen": after.frozen,
        "ours_base": after.ours_base,
        "foreign_base": after.foreign_base,
        "venue_base": after.venue_base,
        "foreign_orders": after.foreign_orders,
    }
    return [lambda numbered: reconcile_event(numbered, found, brief.bar_ms)]
