"""Bring an asset's orders to what its decision wants: one duty at a time, a look after each.

Everything that is sent was journalled before. A write whose outcome is unclear is looked up, never repeated;
an order is sent a second time only when it is proved never to have arrived, and then under the same id.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine_alpha.domain.orders import (
    ENTRY,
    EXIT,
    INTENDED,
    MISSING,
    REJECT,
    UNCLEAR,
    OrderIntent,
    Protection,
    client_id,
)
from engine_alpha.errors import (
    BrokenPromise,
    DataError,
    JournalError,
    OutcomeUnknown,
    Refused,
    StopPassed,
    VenueError,
)
from engine_alpha.trading.decimals import plain
from engine_alpha.trading.duties import (
    GIVE_UP,
    LEAVE,
    NOTHING,
    PROTECT,
    RESOLVE,
    SEND,
    UNPROTECT,
    WAIT,
    Duty,
    Moment,
    Wish,
    closing_quantity,
    closing_side,
    duty_of,
    is_proved_missing,
    is_urgent,
    may_send,
)
from engine_alpha.trading.ingest import is_covered, with_happening, with_nakedness, with_told
from engine_alpha.trading.live_book import LiveBook
from engine_alpha.trading.looking import look
from engine_alpha.trading.recording import order_event, protection_event
from engine_alpha.trading.state import LiveOrder, LiveState
from engine_alpha.trading.wishing import Brief

MOST_ROUNDS = 60  # a clock that stands still must not keep a tick for ever
LONGEST_PAUSE_MS = 4_000
UNPROTECTED = "unprotected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One asset whose orders are worked on: what is known of it, and what its last decision wants.

    `wish` and `brief` are asked anew each round: fills change the first, time and people the second.
    """

    brief: Callable[[], Brief]
    wish: Callable[[LiveState], Wish]


async def act(book: LiveBook, clients: Sequence[Client]) -> None:
    """Work off every asset's duties at the same time; one that fails is noted and keeps nobody waiting."""
    done = await asyncio.gather(*(_work(book, client) for client in clients), return_exceptions=True)
    for client, fault in zip(clients, done, strict=True):
        if fault is None:
            continue
        if isinstance(fault, JournalError | BrokenPromise) or not isinstance(fault, Exception):
            raise fault
        book.faults[client.brief().symbol] = fault


async def _work(book: LiveBook, client: Client) -> None:
    """Do what is due until nothing is, or until the time for it is over: the next tick goes on from there."""
    began_ms = book.clock.now_ms()
    pause_ms = book.limits.poll_ms
    last = Duty(kind=NOTHING)
    for _ in range(MOST_ROUNDS):
        brief = client.brief()
        state = book.state(brief.symbol, brief.venue)
        duty = duty_of(state, client.wish(state), moment_of(book, state, brief))
        if brief.symbol in book.faults and _enters(duty):
            duty = Duty(kind=WAIT)  # the last look failed: nobody knows what is there now
        if duty.kind == NOTHING:
            return
        moved = duty.kind != WAIT and await _attempted(book, brief, state, duty)
        moved, last = moved and duty != last, duty  # due again at once: the venue does not show it yet
        if not moved:
            limits = book.limits
            most_ms = limits.urgent_budget_ms if is_urgent(state, duty) else limits.budget_ms
            if book.clock.now_ms() - began_ms >= most_ms:
                return
            await book.clock.pause(pause_ms)
            pause_ms = min(2 * pause_ms, LONGEST_PAUSE_MS)
        await look(book, [client.brief()])


def _enters(duty: Duty) -> bool:
    return duty.order is not None and duty.order.intent.leg == ENTRY


def moment_of(book: LiveBook, state: LiveState, brief: Brief) -> Moment:
    """Return what the choice of a duty depends on besides the state."""
    enters = brief.may_enter and state.verdict == "agrees" and not state.frozen and not state.leave
    return Moment(
        now_ms=book.clock.now_ms(),
        started_ms=book.started_ms,
        naked_limit_ms=book.limits.naked_limit_ms,
        max_entry_delay_ms=book.limits.max_entry_delay_ms,
        timeframe_ms=brief.timeframe_ms,
        may_enter=enters,
        stop_rides_entry=book.venue_of(state).stop_rides_entry,
        unsent=frozenset(book.unsent),
    )


async def _attempted(book: LiveBook, brief: Brief, state: LiveState, duty: Duty) -> bool:
    """Do one duty, see `_done`; what failed on the way is found by the next look, and is due again."""
    try:
        return await _done(book, brief, state, duty)
    except (VenueError, DataError):
        return False


async def _done(book: LiveBook, brief: Brief, state: LiveState, duty: Duty) -> bool:
    """Do one duty; return whether anything came of it, so that the next one need not wait."""
    if duty.kind == PROTECT and duty.protection is not None:
        return await _protect(book, brief, state, duty.protection)
    if duty.kind == UNPROTECT:
        return await _unprotect(book, state)
    if duty.kind == LEAVE:
        state = intend_exit(book, brief, state, duty.reason)
        return await _send(book, brief, state, state.orders[-1])
    order = duty.order
    if order is None:
        raise BrokenPromise(f"{state.symbol}: the duty {duty.kind} names no order")
    if duty.kind == SEND:
        return await _send(book, brief, state, order)
    if duty.kind == GIVE_UP:
        book.unsent.discard(order.intent.client_id)
        _happened(book, brief, state, order, MISSING, "too late, or not allowed any more: not sent")
        return True
    if duty.kind == RESOLVE:
        return await _resolve(book, brief, state, order)
    raise BrokenPromise(f"{state.symbol}: nobody does the duty {duty.kind}")


def intend_exit(book: LiveBook, brief: Brief, state: LiveState, reason: str) -> LiveState:
    """Journal an exit of all of our position before it is sent."""
    now_ms = book.clock.now_ms()
    intent = OrderIntent(
        # by the version: attempts can't be counted, finished ones are forgotten while bars stay away
        client_id=client_id(state.symbol, brief.timeframe, brief.bar_ms, EXIT, str(state.version)),
        symbol=state.symbol,
        leg=EXIT,
        side=closing_side(state),
        quantity_base=plain(closing_quantity(state)),
        reduce_only=True,
        bar_ms=brief.bar_ms,
        intended_ms=now_ms,
        reason=reason,
    )
    order = LiveOrder(intent=intent, status=INTENDED, sent_ms=now_ms)
    book.unsent.add(intent.client_id)
    return book.commit(
        state.with_order(order),
        [lambda numbered: order_event(numbered, order, f"leave: {reason}")],
        brief.bar_ms,
    )


async def _send(book: LiveBook, brief: Brief, state: LiveState, order: LiveOrder) -> bool:
    """Send an order that certainly is not at the venue; write down what is known of it then."""
    identifier = order.intent.client_id
    book.unsent.discard(identifier)
    try:
        told = await book.venue_of(state).place(order.intent)
    except OutcomeUnknown as fault:
        book.missed.pop(
            identifier, None
        )  # it may have been sent just now: what was missed before proves nothing
        sent = replace(order, sent_ms=book.clock.now_ms())
        _happened(book, brief, state.with_order(sent), sent, UNCLEAR, str(fault))
        return True
    except Refused as fault:
        _happened(book, brief, state, order, REJECT, str(fault))
        return False
    except VenueError:
        book.unsent.add(identifier)  # proved not to have been taken
        return False
    moved = with_told(state, order, told)
    after = moved.order(identifier) or order
    book.commit(moved, [lambda numbered: order_event(numbered, after, "accepted")], brief.bar_ms)
    return True


def _happened(
    book: LiveBook, brief: Brief, state: LiveState, order: LiveOrder, happening: str, why: str
) -> None:
    moved = with_happening(state, order, happening)
    after = moved.order(order.intent.client_id) or order
    book.commit(moved, [lambda numbered: order_event(numbered, after, why)], brief.bar_ms)


async def _resolve(book: LiveBook, brief: Brief, state: LiveState, order: LiveOrder) -> bool:
    """Settle an order that no look has found: once its absence is proved, send it again or give it up."""
    moment, venue = moment_of(book, state, brief), book.venue_of(state)
    venue_ms = await venue.server_ms()
    missed_ms = book.missed.setdefault(order.intent.client_id, venue_ms)
    if not is_proved_missing(missed_ms, venue_ms, venue.proof_ms):
        return False
    if await venue.find(order.intent) is not None:
        return False  # it was under way after all: the next look takes it in
    if order.intent.leg != ENTRY or not may_send(order, moment):
        _happened(book, brief, state, order, MISSING, "proved never to have arrived")
        return True
    again = replace(order, sent_ms=moment.now_ms)
    state = book.commit(
        state.with_order(again),
        [lambda numbered: order_event(numbered, again, "proved never to have arrived: sent again")],
        brief.bar_ms,
    )
    return await _send(book, brief, state, again)


async def _protect(book: LiveBook, brief: Brief, state: LiveState, wish: Protection) -> bool:
    """Place or move the protection, journalled before and after; where the venue takes none such: leave."""
    state = _noted(book, brief, state, wish, "wanted")
    try:
        await book.venue_of(state).protect(wish)
    except StopPassed as fault:
        return await _passed(book, brief, state, wish, fault)
    except Refused as fault:
        if is_covered(state):  # what stands goes on protecting: a key or an address may be out of order
            _noted(book, brief, state, wish, f"refused, the old stop stays: {fault}")
            return False
        _noted(book, brief, replace(state, leave=UNPROTECTED), wish, f"refused: {fault}")
        return True
    except (VenueError, DataError):
        return False
    standing = replace(state, protection=wish, spare_orders=0)
    _noted(book, brief, with_nakedness(standing, book.clock.now_ms()), wish, "stands")
    return True


async def _passed(
    book: LiveBook, brief: Brief, state: LiveState, wish: Protection, fault: StopPassed
) -> bool:
    """Leave, for the price is through the stop or beyond the target: which, a stop placed alone tells."""
    reason = "stop"
    if wish.target_price:
        alone = replace(wish, target_price="", target_id="")
        try:
            await book.venue_of(state).protect(alone)
            state = with_nakedness(replace(state, protection=alone), book.clock.now_ms())
            reason = "target"
        except StopPassed:
            pass
        except (VenueError, DataError):
            return False
    _noted(book, brief, replace(state, leave=reason), wish, f"passed already: {fault}")
    return True


def _noted(book: LiveBook, brief: Brief, state: LiveState, wish: Protection, what: str) -> LiveState:
    return book.commit(
        state, [lambda numbered: protection_event(numbered, wish, what, brief.bar_ms)], brief.bar_ms
    )


async def _unprotect(book: LiveBook, state: LiveState) -> bool:
    await book.venue_of(state).unprotect(state.symbol)
    return True
