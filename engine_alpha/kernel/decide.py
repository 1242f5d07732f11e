"""From signals to an intent: regime, confidence, exits, card, size, gates, in that order."""

from engine_alpha.kernel.cards import NO_CARD, chosen_card
from engine_alpha.kernel.codes import ENTER, HOLD, LEAVE, NO_EXIT
from engine_alpha.kernel.confidence import view_of
from engine_alpha.kernel.exits import exits_of
from engine_alpha.kernel.gates import Try, account_gates, own_gates
from engine_alpha.kernel.money import NO_PENDING
from engine_alpha.kernel.regime import regime_of
from engine_alpha.kernel.sizing import NO_SIZE, pending_of, size_of
from engine_alpha.kernel.values import Bar, Decision, Features, Purse, Rules


def decide(purse: Purse, rules: Rules, bar: Bar, features: Features) -> Decision:
    """Decide on a closed bar with the position as it stands; effects are the caller's."""
    regime = regime_of(features, rules.parameters)
    view = view_of(features, rules.parameters, regime)
    leaving = exits_of(purse.sub.position, rules, bar, features, view)
    choice = chosen_card(rules, purse.tallies, purse.sub, features, view, bar.close_ms)
    size = NO_SIZE
    if choice.card != NO_CARD:
        size = size_of(rules, rules.cards[choice.card], purse.sub, bar, features.row, choice.side)
    wanted = Try(choice.card, choice.side, size)
    own = own_gates(rules, purse.sub, bar, features.facts, view, wanted)
    shared, size = account_gates(rules, purse, features.facts, wanted, bar.close)
    passed = 1
    for verdict in own:
        if verdict.passed == 0:
            passed = 0
    for verdict in shared:
        if verdict.passed == 0:
            passed = 0
    pending = NO_PENDING
    if passed == 1:
        pending = pending_of(rules, choice, size, bar, view, features.row)
    action = HOLD
    if leaving.reason != NO_EXIT:
        action = LEAVE
    elif pending.side != 0:
        action = ENTER
    return Decision(view, leaving, choice.card, size, own, shared, action, pending)
