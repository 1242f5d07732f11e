"""An open position and a decided entry as plain values, from an asset's state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine_alpha.kernel.codes import EXITS, REGIMES
from engine_alpha.kernel.money import unrealised_quote

if TYPE_CHECKING:
    from engine_alpha.plans.setup import Setup
    from engine_alpha.step.state import AssetState

SIDES = {1: "long", -1: "short"}


def position_fields(state: AssetState | None) -> dict[str, Any] | None:
    """Return what is held, marked at the last close; None for nothing.

    `r_now` is the result in R so far: what is unrealised, funding and the fee paid at the entry.
    """
    if state is None or state.sub.position.side == 0:
        return None
    held, sub = state.sub.position, state.sub
    unrealised = unrealised_quote(sub)
    result = unrealised + held.funding_quote - held.fee_quote
    return {
        "side": SIDES[held.side],
        "quantity_base": held.quantity_base,
        "entry_price": held.entry_price,
        "entry_ms": held.entry_ms,
        "stop_price": held.stop_price,
        "first_stop_price": held.first_stop_price,
        "target_price": held.target_price or None,
        "liquidation_price": held.liquidation_price or None,
        "mark_price": sub.mark_price,
        "unrealised_quote": unrealised,
        "entry_fee_quote": held.fee_quote,
        "funding_quote": held.funding_quote,
        "risk_quote": held.risk_quote,
        "r_now": result / held.risk_quote if held.risk_quote > 0.0 else None,
        "bars_held": sub.last_index - held.entry_index + 1,  # as exits count: up to the next open
        "card": state.held.name if state.held else None,
        "regime": REGIMES[held.regime],
        "confidence": held.confidence,
        "exit_due": EXITS[held.exit_due] if held.exit_due else None,
    }


def pending_fields(state: AssetState, at_ms: int, setup: Setup | None) -> dict[str, Any] | None:
    """Return the entry that waits for its fill, None without one.

    With a `setup` the feed is simulated, and the price it fills at is known once its bar has begun.
    """
    pending = state.sub.pending
    if pending.side == 0:
        return None
    return {
        "side": SIDES[pending.side],
        "quantity_base": pending.quantity_base,
        "decided_price": pending.decided_price,
        "fills_at_ms": (pending.decided_index + 1) * state.config.timeframe_ms,
        "provisional_price": None if setup is None else _provisional(setup, state, at_ms),
    }


def _provisional(setup: Setup, state: AssetState, at_ms: int) -> float | None:
    """Return what the pending entry fills at, where the forming bar's open costs nothing to know."""
    import asyncio

    from engine_alpha.loop.wiring import embedded_feed
    from engine_alpha.ports import BarRequest
    from engine_alpha.venues.paper import PaperVenue

    frame_ms = state.config.timeframe_ms
    if at_ms // frame_ms != state.sub.pending.decided_index + 1:
        return None
    plan = setup.plan(state.config)
    request = BarRequest(asset=state.config, first_open_ms=state.sub.last_index * frame_ms)
    reading_now = asyncio.run(embedded_feed(setup).read(request, at_ms))
    venue = PaperVenue(plan.rules.asset, plan.rules.risk)
    return venue.provisional_fill(state.sub.pending, reading_now.forming_open)
