"""Choose the strategy card that fires: in the engine's direction, by priority, if it has earned its place."""

from typing import Any

from engine_alpha.kernel.codes import ACTIVE
from engine_alpha.kernel.exits import all_hold
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.kernel.values import Card, Features, Rules, SubAccount, Tally, View

NO_CARD = -1


def chosen_card(
    rules: Rules, tallies: Any, sub: SubAccount, features: Features, view: View, close_ms: int
) -> int:
    """Return the index of the first card (they come by priority) that applies and fires, or -1."""
    if view.direction == 0:
        return NO_CARD
    for i in range(len(rules.cards)):
        card = rules.cards[i]
        if card.status != ACTIVE or not in_scope(card, view):
            continue
        if not all_hold(rules.conditions, card.entry_first, card.entry_end, features.row, view.direction):
            continue
        if not is_activated(card, tallies[i], sub.start_quote):
            continue
        if has_room_today(card, tallies[i], close_ms):
            return i
    return NO_CARD


def in_scope(card: Card, view: View) -> bool:
    """Say whether the card trades this regime and this direction."""
    way = 1 if view.direction > 0 else 2
    return (card.regimes >> view.regime) & 1 == 1 and card.directions & way != 0


def is_activated(card: Card, tally: Tally, start_quote: float) -> bool:
    """Say whether the card's record allows it: judged on profit factor and drawdown from `min_trades` on."""
    if tally.trades < card.min_trades or tally.trades == 0:
        return True
    if tally.gross_profit_quote < card.min_pf * tally.gross_loss_quote:
        return False
    drawdown = tally.peak_quote - tally.net_quote
    return card.max_drawdown_frac <= 0.0 or drawdown <= card.max_drawdown_frac * start_quote


def has_room_today(card: Card, tally: Tally, close_ms: int) -> bool:
    """Say whether the card may enter once more on this UTC day."""
    if card.trades_per_day <= 0 or tally.day != close_ms // DAY_MS:
        return True
    return tally.entries_today < card.trades_per_day
