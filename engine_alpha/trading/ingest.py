"""What a venue told, taken into an asset's live state: pure, in any order, any number of times.

Executions decide money and position; an order's own word only tells what is still on its way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from engine_alpha.domain.orders import (
    ACK,
    ADL,
    CANCEL,
    CANCELLED,
    ENTRY,
    EXIT,
    FILLED,
    FULL,
    FUNDING,
    LIQUIDATION,
    OPEN,
    PART,
    PARTIAL,
    REJECT,
    REJECTED,
    SETTLEMENT,
    STOP,
    STOPPED,
    TARGET,
    TARGETED,
    TRADE,
    WORKING,
    Execution,
    Protection,
    VenueOrder,
    VenuePosition,
    client_id_leg,
    is_legal,
    is_ours,
    opposite,
    side_word,
    transition,
)
from engine_alpha.trading.decimals import added, plain
from engine_alpha.trading.state import Booked, LiveOrder, LiveState

HAPPENING_OF = {WORKING: ACK, PARTIAL: PART, FILLED: FULL, CANCELLED: CANCEL, REJECTED: REJECT}
REASON_OF = {
    STOPPED: "stop",
    TARGETED: "target",
    LIQUIDATION: "liquidation",
    ADL: "adl",
    SETTLEMENT: "settlement",
    TRADE: "manual",
}
SPARE_MS = 5_000  # a stop that was replaced may be shown for so long
KEPT_BARS = 3  # a finished order is remembered so long: its fills may be told late
CONTRADICTION = "the venue contradicts itself"
ZERO = Decimal(0)


def with_execution(state: LiveState, execution: Execution) -> LiveState:
    """Return the state after one execution that was not known before."""
    return _netted(_taken(state, execution))


def _netted(state: LiveState) -> LiveState:
    """Close what a person's trade closed of ours before our own fill was told: there is one net position.

    It is booked at that trade's price, no sooner than the fill it closed.
    """
    ours, foreign, last = state.position, Decimal(state.foreign_base), state.foreign_execution
    if ours * foreign >= ZERO or last is None:
        return state
    part = min(abs(ours), abs(foreign)) * (1 if foreign > ZERO else -1)
    at_ms = max([last.at_ms, *(each.execution.at_ms for each in state.booked)])
    closing = replace(last, at_ms=at_ms, quantity_base=plain(abs(part)), fee_quote="0")
    state = replace(state, ours_base=plain(ours + part), foreign_base=plain(foreign - part))
    return _with_booked(state, closing, EXIT, REASON_OF[TRADE])


def adjusted(state: LiveState, price: float, now_ms: int) -> LiveState:
    """Return the state on the venue's word, where no execution tells how its position came about.

    What is missing of ours is booked as closed by hand at `price`; what is there beyond it belongs to others.
    """
    difference = Decimal(state.venue_base) - state.position - Decimal(state.foreign_base)
    if difference == ZERO:
        return state
    made_up = Execution(
        venue_id=f"adjustment-{now_ms}",
        symbol=state.symbol,
        kind=TRADE,
        at_ms=now_ms,
        side=side_word(difference),
        quantity_base=plain(abs(difference)),
        price=plain(Decimal(repr(price))),
    )
    return replace(_closing(state, made_up, REASON_OF[TRADE]), differs_since_ms=0)


def _taken(state: LiveState, execution: Execution) -> LiveState:
    order = state.order(execution.client_id) if execution.client_id else None
    if execution.kind == FUNDING:
        if state.position == ZERO and Decimal(state.foreign_base) != ZERO:
            return state  # paid for somebody else's position
        return _with_booked(state, execution, FUNDING, "")
    if order is None:
        return _closed_by_others(state, execution)
    state = _filled(state, order, execution)
    if order.intent.leg == ENTRY:
        state = replace(state, ours_base=added(state.ours_base, execution.signed_base))
        return _with_booked(state, execution, ENTRY, "")
    return _closing(state, execution, order.intent.reason)


def _filled(state: LiveState, order: LiveOrder, execution: Execution) -> LiveState:
    filled = Decimal(order.filled_base) + Decimal(execution.quantity_base)
    told = max(Decimal(order.told_base), filled)
    happening = FULL if filled >= Decimal(order.intent.quantity_base) else PART
    order = replace(order, filled_base=plain(filled), told_base=plain(told))
    return _happened(state, order, happening)


def _happened(state: LiveState, order: LiveOrder, happening: str) -> LiveState:
    """Return the state with the order moved on; a venue that contradicts itself freezes the asset."""
    if not is_legal(order.status, happening):
        text = f"{CONTRADICTION}: {order.intent.client_id} was {order.status}, then {happening}"
        return replace(state.with_order(order), frozen=text)
    return state.with_order(replace(order, status=transition(order.status, happening)))


def _closed_by_others(state: LiveState, execution: Execution) -> LiveState:
    """Take in what no order of ours made: stops, liquidation, ADL, settlement, a person's trades."""
    if execution.kind == TRADE and not is_ours(execution.client_id):
        return _by_a_person(state, execution)
    return _closing(state, execution, REASON_OF[execution.kind])


def _by_a_person(state: LiveState, execution: Execution) -> LiveState:
    """A person's trade first undoes what persons did, then closes ours, and what is left is theirs."""
    foreign, signed = Decimal(state.foreign_base), execution.signed_base
    if foreign * signed < ZERO:
        back = min(abs(foreign), abs(signed)) * (1 if signed > ZERO else -1)
        state = replace(state, foreign_base=added(state.foreign_base, back))
        if back == signed:
            return state
        execution = replace(execution, quantity_base=plain(abs(signed - back)))
    return _closing(state, execution, REASON_OF[TRADE])


def _closing(state: LiveState, execution: Execution, reason: str) -> LiveState:
    """Book the part that closes our position; what goes beyond belongs to others."""
    ours, signed = state.position, execution.signed_base
    part = min(abs(ours), abs(signed)) if ours * signed < ZERO else ZERO
    rest = signed - part * (1 if signed > ZERO else -1)
    if part != ZERO:
        state = replace(state, ours_base=plain(ours + signed - rest))
        state = _with_booked(state, replace(execution, quantity_base=plain(part)), EXIT, reason)
    if rest != ZERO:
        theirs = added(state.foreign_base, rest)
        state = replace(state, foreign_base=theirs, foreign_execution=execution)
    return state


def _with_booked(state: LiveState, execution: Execution, leg: str, reason: str) -> LiveState:
    booked = Booked(execution=execution, leg=leg, reason=reason)
    return replace(state, booked=(*state.booked, booked))


def with_told(state: LiveState, order: LiveOrder, told: VenueOrder) -> LiveState:
    """Return the state after the venue told where an order stands."""
    most = max(Decimal(order.told_base), Decimal(told.filled_base))
    order = replace(order, order_id=told.order_id or order.order_id, told_base=plain(most))
    return _happened(state, order, HAPPENING_OF[told.status])


def with_happening(state: LiveState, order: LiveOrder, happening: str) -> LiveState:
    """Return the state after what is ours to say of an order: unclear, missing, refused."""
    return _happened(state, order, happening)


def with_sight(
    state: LiveState, position: VenuePosition | None, orders: Sequence[VenueOrder], now_ms: int
) -> LiveState:
    """Return the state after a look at position and open orders: what protects it, or since when nothing."""
    was_covered = state.position != ZERO and is_covered(state)
    venue_base = "0" if position is None else plain(Decimal(position.quantity_base))
    standing = _on_position(position) or _by_orders(state.symbol, orders)
    spare = 0 if standing is None else _spare(state.symbol, orders, now_ms)
    state = replace(state, venue_base=venue_base, protection=standing, spare_orders=spare)
    return with_nakedness(state, now_ms, was_covered)


def with_nakedness(state: LiveState, now_ms: int, was_covered: bool = False) -> LiveState:
    """Return the state with the time since which fills stand without a stop, 0 while they have one.

    It counts from the last fill; a stop that stood when it was last looked for is missed from now on.
    """
    if state.position != ZERO and not is_covered(state):
        if state.naked_since_ms:
            return state
        filled = [] if was_covered else [each.execution.at_ms for each in state.booked if each.leg == ENTRY]
        return replace(state, naked_since_ms=min([now_ms, *filled[-1:]]))
    if not state.naked_since_ms:
        return state
    spent = max(0, now_ms - state.naked_since_ms)
    return replace(state, naked_since_ms=0, unprotected_ms=state.unprotected_ms + spent)


def is_covered(state: LiveState) -> bool:
    """Say whether a stop on the right side stands for all of our position."""
    standing = state.protection
    if standing is None or not standing.stop_price:
        return False
    right_side = standing.side == opposite(side_word(state.position))
    return right_side and Decimal(standing.quantity_base) >= abs(state.position)


def _on_position(position: VenuePosition | None) -> Protection | None:
    if position is None or not position.stop_price:
        return None
    quantity = Decimal(position.quantity_base)
    return Protection(
        symbol=position.symbol,
        side=opposite(side_word(quantity)),
        quantity_base=plain(abs(quantity)),
        stop_price=position.stop_price,
        stop_id="",
        target_price=position.target_price,
    )


def _by_orders(symbol: str, orders: Iterable[VenueOrder]) -> Protection | None:
    """Return what our own conditional orders protect; of several stops the newest: the others are going."""
    stops, targets = _conditional(symbol, orders, STOP), _conditional(symbol, orders, TARGET)
    if not stops and not targets:
        return None
    stop = max(stops, key=lambda o: o.created_ms) if stops else None
    target = max(targets, key=lambda o: o.created_ms) if targets else None
    shown = stop or target
    assert shown is not None
    return Protection(
        symbol=symbol,
        side=shown.side,
        quantity_base=shown.quantity_base,
        stop_price=stop.trigger_price if stop else "",
        stop_id=stop.client_id if stop else "",
        target_price=target.trigger_price if target else "",
        target_id=target.client_id if target else "",
    )


def _conditional(symbol: str, orders: Iterable[VenueOrder], leg: str) -> list[VenueOrder]:
    ours = [o for o in orders if o.symbol == symbol and o.conditional and o.status in OPEN]
    return [o for o in ours if client_id_leg(o.client_id) == leg]


def _spare(symbol: str, orders: Sequence[VenueOrder], now_ms: int) -> int:
    """Count our stops and targets that should have gone when a newer one came.

    Whoever replaced them ended before he took them away; a venue may also show them a moment longer.
    """
    found = 0
    for leg in (STOP, TARGET):
        made = sorted(order.created_ms for order in _conditional(symbol, orders, leg))
        found += len(made) - 1 if made and now_ms - made[-1] > SPARE_MS else 0
    return found


def foreign_orders(symbol: str, orders: Iterable[VenueOrder]) -> list[VenueOrder]:
    """Return the open orders of a symbol that are not ours: told to the person, never touched."""
    return [each for each in orders if each.symbol == symbol and not is_ours(each.client_id)]


def tidied(state: LiveState, timeframe_ms: int, now_ms: int) -> LiveState:
    """Return the state without orders that are over for good, and without a wish to leave what is left."""
    before_ms = now_ms - (KEPT_BARS + 1) * timeframe_ms
    kept = tuple(o for o in state.orders if o.is_open or o.awaits_fills or o.intent.bar_ms > before_ms)
    state = replace(state, orders=kept)
    if state.leave and state.is_flat:
        state = replace(state, leave="")
    return state
