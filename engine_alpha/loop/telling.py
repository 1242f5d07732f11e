"""A step in words: the log lines after "running live step", and the same as JSON."""

import logging
from collections.abc import Sequence
from typing import Any

from engine_alpha.domain.asset import TIMEFRAME_MS, AssetConfig
from engine_alpha.kernel.codes import ACTIONS, EXITS, REGIMES
from engine_alpha.kernel.values import Decision, Position, SubAccount
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_step import ALREADY, DECIDED, FAILED, StepReport, Tick
from engine_alpha.loop.saying import about
from engine_alpha.reports import gates
from engine_alpha.step.asset_step import Stepped
from engine_alpha.step.recording import SIDES, decision_words
from engine_alpha.step.text import named
from engine_alpha.times import clock_time, iso
from engine_alpha.trading.state import LiveState

_log = logging.getLogger("chloe.step")


def tell(tick: Tick, report: StepReport) -> None:
    """Log what a step did, one line per bar."""
    mark = _mark(tick.engine)
    for stepped in report.bars:
        _log.info("%s%s", mark, step_words(report, stepped))
    if report.status == ALREADY:
        _log.info("%s%s %s", mark, report.symbol, already_words(report))
    if report.note:
        _log.warning("%s%s no entries: %s", mark, report.symbol, report.note)
    if report.reason:
        level = logging.ERROR if report.status in (DECIDED, ALREADY, FAILED) else logging.WARNING
        words = "close-only" if report.status in (DECIDED, ALREADY) else report.status.replace("_", " ")
        _log.log(level, "%s%s %s: %s: %s", mark, report.symbol, words, report.reason, report.detail)


def _mark(engine: Engine) -> str:
    """Return what stands before a detail line: simulated prices, or real orders and where they go."""
    if engine.live is not None:
        return f"[LIVE {engine.live.environment}] "
    return "[SIM] " if engine.feed.simulated else ""


def tell_orders(engine: Engine, assets: Sequence[AssetConfig]) -> None:
    """Log what real orders stand at after a tick, where there is anything: position, protection, trouble."""
    if engine.live is None:
        return
    for asset in assets:
        state = engine.live.book.states.get(asset.symbol)
        fault = engine.live.book.faults.get(asset.symbol)
        with about(symbol=asset.symbol):
            _tell_orders_of(engine, asset, fault, state)


def _tell_orders_of(
    engine: Engine, asset: AssetConfig, fault: Exception | None, state: LiveState | None
) -> None:
    if fault is not None:
        _log.error("%s%s at %s: %s", _mark(engine), asset.symbol, asset.venue, fault)
    if state is not None and (not state.is_flat or state.frozen or state.protection):
        level = logging.ERROR if state.frozen or state.naked_since_ms else logging.INFO
        _log.log(level, "%s%s", _mark(engine), orders_words(state))


def orders_words(state: LiveState) -> str:
    """Return position and protection at the venue, open orders, and what is wrong, in one line."""
    stop = state.protection.stop_price if state.protection else ""
    parts = [f"{state.symbol} at {state.venue}: position {state.ours_base}"]
    if state.position != 0:
        parts.append(f"stop {stop} stands" if stop else "NO STOP stands")
    if state.protection and state.protection.target_price:
        parts.append(f"target {state.protection.target_price}")
    parts += [f"{order.intent.leg} {order.status}" for order in state.orders if order.is_open]
    if state.foreign_orders:
        parts.append(f"{state.foreign_orders} orders that are not ours, left alone")
    if state.leave:
        parts.append(f"leaving: {state.leave}")
    if state.frozen:
        parts.append(f"FROZEN, {state.frozen}")
    return " | ".join(parts)


def already_words(report: StepReport) -> str:
    """Return "already decided 14:00; next close 15:00 UTC, in 23 min"."""
    frame_ms = TIMEFRAME_MS[report.timeframe]
    closed_ms = report.open_ms + frame_ms
    next_ms = closed_ms + frame_ms
    minutes = max(0, -(-(next_ms - report.now_ms) // 60_000))
    return f"already decided {clock_time(closed_ms)}; next close {clock_time(next_ms)} UTC, in {minutes} min"


def step_words(report: StepReport, stepped: Stepped) -> str:
    """Return one advanced bar as a line: bar, regime, direction, gates, decision, position, profit factor."""
    decision, settlement = stepped.record.decision, stepped.record.settlement
    opinion = decision.opinion
    parts = [
        f"{report.symbol} bar {iso(stepped.record.open_ms)} close {_number(stepped.state.sub.mark_price)}",
        f"{REGIMES[opinion.regime]}, {SIDES[opinion.direction]}, confidence {opinion.confidence:.2f}",
    ]
    if settlement.entry.side != 0:
        parts.append(f"filled entry at {_number(settlement.entry.price)}")
    if settlement.exit.side != 0:
        reason = EXITS[settlement.exit.reason]
        parts.append(f"left by {reason} at {_number(settlement.exit.price)}, {settlement.trade.r:+.2f} R")
    blocked = blocking(stepped)
    parts.append(f"blocked by {', '.join(blocked)}" if blocked else "no gate blocks")
    parts.append(f"decision {action_words(stepped, decision)}")
    parts.append(f"position {position_words(stepped.state.sub.position)}")
    parts.append(f"PF {profit_factor_words(stepped.state.sub)}")
    return " | ".join(parts)


def blocking(stepped: Stepped) -> list[str]:
    """Return the gates that said no, each with what it saw and its limit."""
    fields = named(Decision, stepped.record.decision)
    return gates.blocking(decision_words(fields, stepped.plan.names))


def action_words(stepped: Stepped, decision: Decision) -> str:
    """Return the decision: hold, enter with side, quantity and card, or leave with its reason."""
    action = ACTIONS[decision.action]
    if decision.pending.side != 0:
        side = SIDES[decision.pending.side]
        card = stepped.plan.names[decision.card]
        quantity = _number(decision.pending.quantity_base)
        return f"{action} {side} {quantity} at the next open by {card}"
    if decision.exit.reason != 0:
        return f"{action} at the next open: {EXITS[decision.exit.reason]}"
    return action


def position_words(position: Position) -> str:
    """Return side, quantity, entry and stop, or flat."""
    if position.side == 0:
        return "flat"
    return (
        f"{SIDES[position.side]} {_number(position.quantity_base)} from {_number(position.entry_price)}, "
        f"stop {_number(position.stop_price)}"
    )


def profit_factor_words(sub: SubAccount) -> str:
    """Return the asset's profit factor with its number of trades; unknown without any."""
    if sub.trades == 0:
        return "unknown (n=0)"
    if sub.gross_loss_quote <= 0.0:
        return f"no losses in {sub.trades}"
    return f"{sub.gross_profit_quote / sub.gross_loss_quote:.2f} (n={sub.trades})"


def _number(value: float) -> str:
    if value != value:
        return "unknown"
    return f"{value:.8g}"


def report_fields(report: StepReport) -> dict[str, Any]:
    """Return a step as JSON has it."""
    fields: dict[str, Any] = {
        "symbol": report.symbol,
        "timeframe": report.timeframe,
        "status": report.status,
        "bar": iso(report.open_ms),
    }
    if report.account:
        fields["account"] = report.account
    if report.note:
        fields["note"] = report.note
    if report.reason:
        fields |= {"reason": report.reason, "detail": report.detail}
    if report.bars:
        fields["bars"] = [_bar_fields(stepped) for stepped in report.bars]
    return fields


def _bar_fields(stepped: Stepped) -> dict[str, Any]:
    decision = stepped.record.decision
    opinion, sub = decision.opinion, stepped.state.sub
    known = sub.trades > 0 and sub.gross_loss_quote > 0.0
    return {
        "open_ms": stepped.record.open_ms,
        "close": sub.mark_price,
        "regime": REGIMES[opinion.regime],
        "direction": SIDES[opinion.direction],
        "confidence": opinion.confidence,
        "blocked_by": blocking(stepped),
        "action": ACTIONS[decision.action],
        "position": {
            "side": SIDES[sub.position.side],
            "quantity_base": sub.position.quantity_base,
            "entry_price": sub.position.entry_price,
            "stop_price": sub.position.stop_price,
        },
        "equity_quote": stepped.record.equity_quote,
        "trades": sub.trades,
        "profit_factor": sub.gross_profit_quote / sub.gross_loss_quote if known else None,
    }
