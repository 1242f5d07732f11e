"""What is to be done next for one asset's orders: a pure choice, made anew after every answer of a venue.

Leaving comes before protecting, protecting before finding out, finding out before entering.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine_alpha.domain.orders import ENTRY, EXIT, INTENDED, Protection, opposite, side_word
from engine_alpha.trading.ingest import is_covered
from engine_alpha.trading.state import LiveOrder, LiveState

NOTHING, WAIT, LEAVE, PROTECT, UNPROTECT = "nothing", "wait", "leave", "protect", "unprotect"
RESOLVE, SEND, GIVE_UP = "resolve", "send", "give_up"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the last decision wants of an asset: why to leave ("" to stay), and the protection until then."""

    leave: str = ""
    protection: Protection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the choice depends on besides the state: the time, limits, the venue, what this process knows.

    `unsent` are ids that this process has journalled and certainly not sent. `entries_until_ms` is when an
    entry of that bar comes too late. `started_ms`: nakedness counts from there on after a crash.
    """

    now_ms: int
    started_ms: int
    naked_limit_ms: int
    max_entry_delay_ms: int
    timeframe_ms: int
    may_enter: bool
    stop_rides_entry: bool = True
    unsent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One thing to do; `reason` for leaving, `order` for what concerns one, `protection` for protecting."""

    kind: str
    reason: str = ""
    order: LiveOrder | None = None
    protection: Protection | None = None


def duty_of(state: LiveState, wish: Wish, moment: Moment) -> Duty:
    """Return the most urgent thing to do for one asset."""
    if state.position != ZERO:
        duty = _of_position(state, wish, moment)
        if duty is not None:
            return duty
    elif not moment.stop_rides_entry and lacks_first_stop(state, wish.protection):
        return Duty(kind=PROTECT, protection=wish.protection)
    for order in state.unresolved:
        return _of_unresolved(order, moment)
    if any(order.is_open or order.awaits_fills for order in state.orders):
        return Duty(kind=WAIT)
    if state.position == ZERO and outlives_position(state):
        return Duty(kind=UNPROTECT)
    return Duty(kind=NOTHING)


def _of_position(state: LiveState, wish: Wish, moment: Moment) -> Duty | None:
    if state.position * Decimal(state.venue_base) <= ZERO:
        return Duty(kind=WAIT) if state.verdict == "waiting" else None  # not there: nothing to act on
    reason = state.leave or wish.leave or too_long_naked(state, moment)
    if reason:
        return _leaving(state, reason, moment)
    if wish.protection is not None and not stands(state, wish.protection):
        return Duty(kind=PROTECT, protection=wish.protection)
    return None


def _leaving(state: LiveState, reason: str, moment: Moment) -> Duty:
    """Leave at once what is filled; an entry that may still fill is no reason to wait, an exit is."""
    for order in state.unresolved:
        if order.intent.leg == EXIT:
            return _of_unresolved(order, moment)
    if state.leaving:
        return Duty(kind=WAIT)
    return Duty(kind=LEAVE, reason=reason)


def outlives_position(state: LiveState) -> bool:
    """Say whether a stop or target of ours still stands: it would meet the next position, anyone's.

    It stays while anything at the venue is not explained: that may be ours.
    """
    standing, held = state.protection, Decimal(state.venue_base)
    if standing is None:
        return False
    is_ours = bool(standing.stop_id or standing.target_id)
    return held == ZERO or (is_ours and held == Decimal(state.foreign_base))


def is_urgent(state: LiveState, duty: Duty) -> bool:
    """Say whether the next tick would be too late: a position must be left, or may lack its stop."""
    if duty.kind in (LEAVE, PROTECT) or state.naked_since_ms:
        return True
    return bool(state.unresolved) or state.leaving


def lacks_first_stop(state: LiveState, wish: Protection | None) -> bool:
    """Say whether nothing protects what an entry filled by the venue's word, before its fills are read."""
    if wish is None:
        return False
    standing = state.protection
    return standing is None or Decimal(standing.quantity_base) < Decimal(wish.quantity_base)


def too_long_naked(state: LiveState, moment: Moment) -> str:
    """Return "unprotected" once fills have stood without a stop for the limit of this process's time."""
    if not state.naked_since_ms:
        return ""
    since_ms = max(state.naked_since_ms, moment.started_ms)
    return "unprotected" if moment.now_ms - since_ms >= moment.naked_limit_ms else ""


def stands(state: LiveState, wish: Protection) -> bool:
    """Say whether what stands at the venue is what is wished: stop, target, side, enough of it, no more."""
    standing = state.protection
    if standing is None or state.spare_orders or not is_covered(state):
        return False
    if standing.stop_id and Decimal(standing.quantity_base) != Decimal(wish.quantity_base):
        return False  # an order for more than is held may be refused once it fires
    same_stop = Decimal(standing.stop_price) == Decimal(wish.stop_price)
    return same_stop and Decimal(standing.target_price or "0") == Decimal(wish.target_price or "0")


def _of_unresolved(order: LiveOrder, moment: Moment) -> Duty:
    unsent = order.intent.client_id in moment.unsent and order.status == INTENDED
    if not unsent:
        return Duty(kind=RESOLVE, order=order)
    if order.intent.leg != ENTRY or may_send(order, moment):
        return Duty(kind=SEND, order=order)
    return Duty(kind=GIVE_UP, order=order)


def may_send(order: LiveOrder, moment: Moment) -> bool:
    """Say whether an entry may still be sent: allowed, and not too late after its bar's close."""
    closed_ms = order.intent.bar_ms + moment.timeframe_ms
    return moment.may_enter and moment.now_ms - closed_ms < moment.max_entry_delay_ms


def is_proved_missing(missed_ms: int, venue_ms: int, proof_ms: int) -> bool:
    """Say whether an order that is nowhere to be found can't arrive any more.

    A request carries its time and dies at the venue when the receive window is over, so one that is not
    there after that window was never accepted. `missed_ms` is when this process first missed it: whoever sent
    it, this process or one that has ended, had done so by then. Both times are the venue's: no jump of
    our clock proves anything.
    """
    return venue_ms - missed_ms > proof_ms


def closing_quantity(state: LiveState) -> Decimal:
    """Return how much an exit asks for: all of ours, never more than the venue holds."""
    return min(abs(state.position), abs(Decimal(state.venue_base)))


def closing_side(state: LiveState) -> str:
    """Return the side of an exit."""
    return opposite(side_word(state.position))
