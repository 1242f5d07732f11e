"""Reasons to leave, looked at before anything else and whatever the gates say; and the trailing stop."""

from typing import Any

from engine_alpha.kernel.codes import (
    AT_LEAST,
    AT_MOST,
    CROSSES_ABOVE,
    EXIT_CONFIDENCE,
    EXIT_HALT,
    EXIT_OPPOSITE,
    EXIT_TIME,
    NO_EXIT,
)
from engine_alpha.kernel.grid import ceil_to, floor_to
from engine_alpha.kernel.values import Asset, Bar, ExitView, Features, Position, Rules, View

NO_VIEW = ExitView(0, 0, 0.0, 0, 0.0)


def exits_of(position: Position, rules: Rules, bar: Bar, features: Features, view: View) -> ExitView:
    """Say whether to leave at the next open, and why: halt, opposite signal, confidence lost, time.

    Stop, target and trailing stop work inside the bar and need no decision; a signal that is missing never
    closes a position, its stop stays.
    """
    if position.side == 0:
        return NO_VIEW
    card = rules.cards[position.card]
    held = bar.number - position.entry_index + 1
    score = position.side * view.score
    opposite = 0
    if card.exit_end > card.exit_first:
        opposite = all_hold(rules.conditions, card.exit_first, card.exit_end, features, position.side)
    reason = NO_EXIT
    if features.facts.flatten == 1:
        reason = EXIT_HALT
    elif opposite == 1:
        reason = EXIT_OPPOSITE
    elif view.coverage > 0.0 and score < card.min_confidence:
        reason = EXIT_CONFIDENCE
    elif position.max_hold_bars > 0 and held >= position.max_hold_bars:
        reason = EXIT_TIME
    return ExitView(reason, opposite, score, held, position.stop_price)


def all_hold(conditions: Any, first: int, end: int, features: Features, direction: int) -> int:
    """Return 1 if conditions[first:end] all hold for a trade in that direction; a NaN signal never holds."""
    for i in range(first, end):
        condition = conditions[i]
        sign = direction if condition.directional == 1 else 1
        seen = features.row[condition.signal] * sign
        before = features.before[condition.signal] * sign
        if holds(condition.compare, condition.value, seen, before) == 0:
            return 0
    return 1


def holds(compare: int, value: float, seen: float, before: float) -> int:
    """Compare a signal with a value; a crossing asks that it was not beyond on the bar before."""
    if compare == AT_LEAST:
        return 1 if seen >= value else 0
    if compare == AT_MOST:
        return 1 if seen <= value else 0
    if compare == CROSSES_ABOVE:
        return 1 if before <= value and seen > value else 0
    return 1 if before >= value and seen < value else 0


def trailed_stop(position: Position, bar: Bar, asset: Asset) -> float:
    """Return the stop for the next bar: never looser, and `trail_quote` behind this bar's best price."""
    if position.trail_quote <= 0.0:
        return position.stop_price
    tick, per_unit = asset.tick_quote, asset.ticks_per_unit
    if position.side > 0:
        return max(position.stop_price, floor_to(bar.high - position.trail_quote, tick, per_unit))
    return min(position.stop_price, ceil_to(bar.low + position.trail_quote, tick, per_unit))
