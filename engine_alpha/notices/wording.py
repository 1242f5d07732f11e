"""Journal events in words: what happened to trades, orders and entries, one line each."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine_alpha.domain.orders import FUNDING, TRADE, client_id_leg
from engine_alpha.notices.memory import Memory, Orders, Tally
from engine_alpha.notices.messages import FAULTS, HALTS, ROLLOUT, TRADES, Note, factor, gain, line_of, price
from engine_alpha.ports import StoredEvent

LIVE_ACCOUNT = "live"  # how the accounts of real orders begin
NAKED_TOLD_MS = 3_000
"""A position without a stop is told after so long: between fill and stop there is always a moment."""

Telling = Callable[[Memory, str, Mapping[str, Any]], list[Note]]


def notes_of(memory: Memory, stored: StoredEvent) -> list[Note]:
    """Return what an event is worth telling, and take into `memory` what later ones need to know."""
    telling = _TELLINGS.get(stored.event.kind)
    return telling(memory, stored.event.symbol, json.loads(stored.event.payload)) if telling else []


def _of_fill(_memory: Memory, symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    if payload["leg"] != "entry" or str(payload["account"]).startswith(LIVE_ACCOUNT):
        return []  # with real orders the venue's executions were told already
    side = "long" if payload["side"] == "buy" else "short"
    worth = payload["quantity_base"] * payload["price"]
    line = (
        f"{symbol} {side} {price(payload['quantity_base'])} at {price(payload['price'])}, worth {worth:,.2f}"
    )
    return [Note(kind=TRADES, topic="trade opened", line=line)]


def _of_trade(memory: Memory, symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    tally = memory.books.setdefault(symbol, Tally())
    tally.add(payload["net_quote"])
    line = (
        f"{symbol} {payload['side']} closed by {payload['exit_reason']} at {price(payload['exit_price'])}: "
        f"{gain(payload['net_quote'])}, {payload['r']:+.2f} R; "
        f"{factor(tally.trades, tally.profit_quote, tally.loss_quote)}"
    )
    return [Note(kind=TRADES, topic="trade closed", line=line)]


def _of_execution(_memory: Memory, symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    if payload["kind"] == FUNDING:
        return []
    bought = "bought" if payload["side"] == "buy" else "sold"
    what = client_id_leg(payload["client_id"]) if payload["kind"] == TRADE else payload["kind"]
    line = (
        f"{symbol} {bought} {payload['quantity_base']} at {payload['price']} on {payload['venue']}: "
        f"{what or 'not by an order of ours'}"
    )
    return [Note(kind=TRADES, topic="real fill", line=line)]


def _of_live(memory: Memory, symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    state = payload["live_after"]
    known = memory.orders.get(symbol, Orders())
    now = Orders(state["frozen"], state["leave"], state["naked_since_ms"], known.naked_told_ms)
    notes = []
    if now.frozen != known.frozen:
        words = f"{symbol} enters nothing at {state['venue']}: {now.frozen}; chloe reconcile {symbol}"
        thawed = f"{symbol} is no longer frozen"
        topic, line = ("frozen", words) if now.frozen else ("thawed", thawed)
        notes.append(Note(kind=FAULTS, topic=topic, line=line))
    if now.leave and now.leave != known.leave and now.leave != "flatten":  # a person's wish is told by itself
        line = f"{symbol} is being left at market on {state['venue']}: {now.leave}"
        notes.append(Note(kind=FAULTS, topic="leaving", line=line))
    if known.naked_told_ms and now.naked_since_ms != known.naked_told_ms:
        notes.append(Note(kind=FAULTS, topic="protected", line=f"{symbol} has its stop, or is flat"))
        now.naked_told_ms = 0
    remember_orders(memory, symbol, now)
    return notes


def remember_orders(memory: Memory, symbol: str, now: Orders) -> None:
    """Keep what is known of an asset's real orders, where there is anything to know."""
    if now == Orders():
        memory.orders.pop(symbol, None)
    else:
        memory.orders[symbol] = now


def unprotected(memory: Memory, now_ms: int) -> list[Note]:
    """Return the positions that lack their stop for longer than a moment, each once."""
    notes = []
    for symbol, orders in memory.orders.items():
        since_ms = orders.naked_since_ms
        if since_ms and since_ms != orders.naked_told_ms and now_ms - since_ms >= NAKED_TOLD_MS:
            orders.naked_told_ms = since_ms
            lasted = f"{(now_ms - since_ms) // 1_000} s"
            line = f"{symbol} has had no stop at the venue for {lasted}; chloe live status"
            notes.append(Note(kind=FAULTS, topic="unprotected position", line=line))
    return notes


def _of_halt(memory: Memory, _symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    reason = line_of(payload["halt_reason"])
    if payload["halted"]:
        line = f"entries are halted ({reason}); exits go on; entries again with: chloe resume"
        return [Note(kind=HALTS, topic="halted", line=line)]
    return [Note(kind=HALTS, topic="resumed", line=f"entries go through again ({reason})")]


def drawdown_notes(memory: Memory, account: str | None) -> list[Note]:
    """Return that the account's drawdown has halted entries, or does so no longer; `account` is its state."""
    halted = account is not None and bool(json.loads(account)["marks"][-1])
    if halted == memory.drawdown_halted:
        return []
    memory.drawdown_halted = halted
    if halted:
        line = "the account's drawdown reached its limit: no entries until chloe resume; exits go on"
        return [Note(kind=HALTS, topic="halted by drawdown", line=line)]
    return [Note(kind=HALTS, topic="resumed", line="the halt by drawdown is lifted")]


def _of_flatten(_memory: Memory, symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    held = "is being closed at market" if payload["held"] else "held nothing"
    line = f"{symbol} {held}: flatten ({line_of(payload['reason'])})"
    return [Note(kind=HALTS, topic="flatten", line=line)]


def _of_breaker(_memory: Memory, symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    if payload["state"] == "open":
        why = line_of(f"{payload['reason']}: {payload['detail']}")
        line = (
            f"{symbol} rests after {payload['faults']} faults ({why}), tried now and then; chloe why {symbol}"
        )
        return [Note(kind=FAULTS, topic="breaker opened", line=line)]
    return [Note(kind=FAULTS, topic="breaker closed", line=f"{symbol} is stepped as usual again")]


def _of_rollout(_memory: Memory, symbol: str, payload: Mapping[str, Any]) -> list[Note]:
    moved = f"{payload['from']} → {payload['to']}"
    if payload["from"] == payload["to"]:
        moved = f"stays {payload['to']}, at {payload['size_factor']:g} of its usual risk"
    line = f"{symbol} {moved}: {line_of(payload['reason'])}; chloe audit {symbol}"
    return [Note(kind=ROLLOUT, topic="rollout", line=line)]


_TELLINGS: dict[str, Telling] = {
    "fill": _of_fill,
    "trade": _of_trade,
    "execution": _of_execution,
    "live": _of_live,
    "halt": _of_halt,
    "flatten": _of_flatten,
    "breaker": _of_breaker,
    "rollout": _of_rollout,
}
NO_DECISION = "no_decision"
RESTING = "resting"
"""Why the bars of an asset with an open breaker have no decision: that was told when it opened."""

KINDS = (NO_DECISION, *_TELLINGS)
"""The kinds of events that are read at all: decisions are many and long."""
