"""Choose the strategy card that fires, by priority, if it has earned its place.

A card trades in the engine's direction, or, where it says so, in the one that its own conditions give.
"""

from typing import Any, NamedTuple

from engine_alpha.kernel.codes import ACTIVE
from engine_alpha.kernel.exits import all_hold
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.kernel.values import Card, Features, Rules, SubAccount, Tally, View

NO_CARD = -1


class Choice(NamedTuple):
    """The card that fires and the side it takes; -1 and 0 for none."""

    card: int
    side: int


def chosen_card(
    rules: Rules, tallies: Any, sub: SubAccount, features: Features, view: View, close_ms: int
) -> Choice:
    """Return the first card (they come by priority) that applies and fires, with its side."""
    for i in range(len(rules.cards)):
        card = rules.cards[i]
        if card.status != ACTIVE:
            continue
        side = entry_side(rules, card, features, view)
        if side == 0:
            continue
        if is_activated(card, tallies[i], sub.start_quote) and has_room_today(card, tallies[i], close_ms):
            return Choice(i, side)
    return Choice(NO_CARD, 0)


def entry_side(rules: Rules, card: Card, features: Features, view: View) -> int:
    """Return the side on which the card fires now, 0 for none."""
    if (card.regimes >> view.regime) & 1 == 0:
        return 0
    if card.own_direction == 0:
        return view.direction if fires(rules, card, features, view.direction) == 1 else 0
    rises = fires(rules, card, features, 1)
    falls = fires(rules, card, features, -1)
    if rises == falls:  # both ways at once: the engine has the word
        return view.direction if rises == 1 else 0
    return 1 if rises == 1 else -1


def fires(rules: Rules, card: Card, features: Features, side: int) -> int:
    """Return 1 if the card takes that side and all its entry conditions hold for it."""
    way = 1 if side > 0 else 2
    if side == 0 or card.directions & way == 0:
        return 0
    return all_hold(rules.conditions, card.entry_first, card.entry_end, features, side)


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
