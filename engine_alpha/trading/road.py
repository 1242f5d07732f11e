"""Real orders as the step of an asset sees them: fills settle the bar, and the decision's entry is intended.

The decision, what it settled and the intent it leads to are one transaction: there is no decision without
its intent, and no intent without its decision.
"""

import math
from dataclasses import replace

from engine_alpha.domain.orders import ENTRY, INTENDED, OrderIntent, client_id, side_word
from engine_alpha.kernel.fills import market_fill, opened
from engine_alpha.kernel.values import Bar, Record, SubAccount
from engine_alpha.ports import Event
from engine_alpha.step.asset_step import Executions
from engine_alpha.step.plan import AssetPlan
from engine_alpha.trading.decimals import exact
from engine_alpha.trading.ingest import tidied
from engine_alpha.trading.live_book import LiveBook
from engine_alpha.trading.recording import live_event, order_event
from engine_alpha.trading.settling import due, entered, executed, settled
from engine_alpha.trading.state import LiveOrder, LiveState, live_text, state_name
from engine_alpha.trading.wishing import next_bar


class LiveRoad:
    """Implements `step.asset_step.RealOrders` over a live book."""

    def __init__(self, book: LiveBook) -> None:
        self._book = book
        self._next: dict[str, LiveState] = {}

    def executions(self, plan: AssetPlan, sub: SubAccount, bar: Bar) -> Executions:
        """Return what the venue executed until the bar's close, and whether an entry may still fill."""
        state, rules = self._state(plan), plan.rules
        held = sub.position if sub.position.side != 0 else entered(state, sub, rules.asset, rules.risk, bar)
        trigger = math.nan if held is None else held.stop_price
        fills = executed(due(state, bar.close_ms), sub, bar, trigger)
        return Executions(fills, 1 if state.entry_open else 0)

    def decided(self, plan: AssetPlan, record: Record) -> tuple[list[Event], dict[str, str]]:
        """Return events and state to be written with the decision: what is settled, what is intended."""
        before = self._state(plan)
        now_ms = self._book.clock.now_ms()
        state = tidied(settled(before, record.close_ms), plan.asset.timeframe_ms, now_ms)
        order = intended_entry(plan, record, now_ms)
        if order is not None:
            state = state.with_order(order)
        if state == before:
            return [], {}
        state = replace(state, version=state.version + 1)
        self._next[state.symbol] = state
        text = live_text(state)
        events = [] if order is None else [order_event(state, order, "decided")]
        events.append(live_event(state, text, record.open_ms))
        return events, {state_name(state.symbol): text}

    def committed(self, symbol: str) -> None:
        """Take over what was written with the decision."""
        state = self._next.pop(symbol, None)
        if state is None:
            return
        known = self._book.states.get(symbol)
        before = {o.intent.client_id for o in known.orders} if known else set()
        self._book.unsent |= {o.intent.client_id for o in state.orders} - before
        self._book.states[symbol] = state

    def _state(self, plan: AssetPlan) -> LiveState:
        return self._book.state(plan.asset.symbol, plan.asset.venue)


def intended_entry(plan: AssetPlan, record: Record, now_ms: int) -> LiveOrder | None:
    """Return the entry that a decision wants, None if it wants none.

    Its stop is measured from the decided price, for the moments until the fill is known.
    """
    pending = record.decision.pending
    if pending.side == 0:
        return None
    asset, risk = plan.rules.asset, plan.rules.risk
    fill = market_fill(asset, risk, pending.side, pending.quantity_base, pending.decided_price)
    stop = opened(pending, fill, asset, risk, next_bar(pending, plan.asset.timeframe_ms)).stop_price
    intent = OrderIntent(
        client_id=client_id(plan.asset.symbol, plan.asset.base_timeframe, record.open_ms, ENTRY),
        symbol=plan.asset.symbol,
        leg=ENTRY,
        side=side_word(pending.side),
        quantity_base=exact(pending.quantity_base, plan.instrument.lot_base),
        reduce_only=False,
        bar_ms=record.open_ms,
        intended_ms=now_ms,
        stop_price=exact(stop, plan.instrument.tick_quote),
    )
    return LiveOrder(intent=intent, status=INTENDED, sent_ms=now_ms)
