"""What the last decision wants of an asset's orders, from its state and its settings."""

from dataclasses import dataclass
from decimal import Decimal

from engine_alpha.domain.orders import ENTRY, STOP, TARGET, Protection, client_id, opposite, side_word
from engine_alpha.kernel.codes import EXITS
from engine_alpha.kernel.values import Bar, Pending, Position
from engine_alpha.step.plan import AssetPlan
from engine_alpha.step.state import AssetState
from engine_alpha.trading.decimals import nearest, plain
from engine_alpha.trading.duties import Wish
from engine_alpha.trading.settling import entered
from engine_alpha.trading.state import LiveState

LOST_ENTRY = "unprotected"  # ours, but no decision remembers it: there is no stop to give it


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the orders of one asset need to know of it at this moment."""

    symbol: str
    venue: str
    timeframe: str
    timeframe_ms: int
    bar_ms: int  # the last decided bar
    lot_base: str
    min_quantity_base: str
    may_enter: bool


def wish_of(state: AssetState | None, live: LiveState, plan: AssetPlan) -> Wish:
    """Return why our position must be left, and what protects it until then.

    The target works from the bar after the entry's on, as the kernel has it: so it is placed once a bar has
    settled the entry. Until an entry's fills are read its own stop is wished for, for what the venue says was
    filled.
    """
    if live.position == 0:
        return Wish(protection=_first_stop(live, plan))
    if state is None:
        return Wish(leave=LOST_ENTRY)
    sub, rules = state.sub, plan.rules
    if sub.position.side != 0:
        due = sub.position.exit_due
        bar_ms = sub.last_index * plan.asset.timeframe_ms
        return Wish(
            leave=EXITS[due] if due else "",
            protection=_protection(live, plan, sub.position, bar_ms, with_target=True),
        )
    bar = next_bar(sub.pending, plan.asset.timeframe_ms)
    position = entered(live, sub, rules.asset, rules.risk, bar)
    if position is None:
        return Wish(leave=LOST_ENTRY)
    return Wish(protection=_protection(live, plan, position, bar.open_ms, with_target=False))


def _first_stop(live: LiveState, plan: AssetPlan) -> Protection | None:
    entry = next((o for o in live.orders if o.intent.leg == ENTRY and o.awaits_fills), None)
    if entry is None or not entry.intent.stop_price:
        return None
    intent, stop = entry.intent, entry.intent.stop_price
    quantity = plain(Decimal(entry.told_base) - Decimal(entry.filled_base))
    return Protection(
        symbol=live.symbol,
        side=opposite(intent.side),
        quantity_base=quantity,
        stop_price=stop,
        stop_id=client_id(live.symbol, plan.asset.base_timeframe, intent.bar_ms, STOP, f"{stop}/{quantity}"),
    )


def next_bar(pending: Pending, timeframe_ms: int) -> Bar:
    """Return the bar in which a pending entry fills, as far as it is known when it is decided."""
    number = pending.decided_index + 1
    price = pending.decided_price
    open_ms = number * timeframe_ms
    close_ms = open_ms + timeframe_ms
    return Bar(number, open_ms, close_ms, price, price, price, price, 0.0, price, price, 0.0, 0.0, 0, ())


def _protection(
    live: LiveState, plan: AssetPlan, position: Position, bar_ms: int, with_target: bool
) -> Protection:
    tick = plan.instrument.tick_quote
    symbol, timeframe = live.symbol, plan.asset.base_timeframe
    stop = nearest(position.stop_price, tick)
    target = nearest(position.target_price, tick) if with_target and position.target_price > 0.0 else ""
    quantity = plain(min(abs(live.position), abs(Decimal(live.venue_base))))
    return Protection(
        symbol=symbol,
        side=opposite(side_word(live.position)),
        quantity_base=quantity,
        stop_price=stop,
        stop_id=client_id(symbol, timeframe, bar_ms, STOP, f"{stop}/{quantity}"),
        target_price=target,
        target_id=client_id(symbol, timeframe, bar_ms, TARGET, f"{target}/{quantity}") if target else "",
    )
