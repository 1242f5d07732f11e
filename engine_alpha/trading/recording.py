"""Journal events of real orders: every batch ends with the state it leads to, so state can be rebuilt."""

from dataclasses import asdict
from typing import Any

from engine_alpha.domain.orders import Execution, Protection
from engine_alpha.ports import Event
from engine_alpha.step.recording import LIVE
from engine_alpha.step.text import to_text, writable
from engine_alpha.trading.state import LiveOrder, LiveState

EXECUTION, ORDER, PROTECTION, RECONCILE = "execution", "order", "protection", "reconcile"


def execution_key(venue: str, symbol: str, venue_id: str) -> str:
    """Return the key of an execution: one event each, however often the venue tells it."""
    return f"{venue}/{symbol}/{venue_id}"


def execution_event(venue: str, execution: Execution, bar_ms: int) -> Event:
    """Return the record of one fill or funding payment, as the venue told it."""
    key = execution_key(venue, execution.symbol, execution.venue_id)
    payload = to_text({"venue": venue, **asdict(execution)})
    return Event(EXECUTION, execution.symbol, key, bar_ms, payload)


def order_event(state: LiveState, order: LiveOrder, what: str) -> Event:
    """Return the record of an order that was intended, sent, or moved on."""
    intent = order.intent
    key = f"{intent.client_id}/{state.version}"
    payload = {"venue": state.venue, "what": writable(what), **asdict(order)}
    return Event(ORDER, intent.symbol, key, intent.bar_ms, to_text(payload))


def protection_event(state: LiveState, wish: Protection, what: str, bar_ms: int) -> Event:
    """Return the record of a stop that is to be placed, moved, or was verified."""
    payload = {
        "venue": state.venue,
        "what": writable(what),
        "unprotected_ms": state.unprotected_ms,
        **asdict(wish),
    }
    return Event(PROTECTION, state.symbol, f"{state.symbol}/{state.version}", bar_ms, to_text(payload))


def reconcile_event(state: LiveState, found: dict[str, Any], bar_ms: int) -> Event:
    """Return the record of what a comparison with the venue found."""
    payload = to_text({"venue": state.venue, **found})
    return Event(RECONCILE, state.symbol, f"{state.symbol}/{state.version}", bar_ms, payload)


def live_event(state: LiveState, text: str, bar_ms: int) -> Event:
    """Return the event that carries the state after a batch; `text` is that state as it is stored."""
    payload = f'{{"live_after":{text}}}'
    return Event(LIVE, state.symbol, f"{state.symbol}/{state.version}", bar_ms, payload)
