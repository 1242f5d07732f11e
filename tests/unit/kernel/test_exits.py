"""Reasons to leave: which there are, which comes first, and that a missing signal is none of them."""

from typing import Any

import pytest

from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.codes import (
    AT_MOST,
    ENTER,
    EXIT_CONFIDENCE,
    EXIT_HALT,
    EXIT_OPPOSITE,
    EXIT_STOP,
    EXIT_TIME,
    HOLD,
    LEAVE,
    NO_EXIT,
    TREND_UP,
)
from engine_alpha.kernel.exits import all_hold, exits_of, trailed_stop
from engine_alpha.kernel.signals import ADX, CHANNEL_120, RSI_CENTRED
from engine_alpha.kernel.values import Condition, ExitView, Features, Position, Rules, View
from tests.makers import a_bar, a_card, a_condition, a_purse, an_asset, facts, features, parameters, rules
from tests.unit.kernel.scenes import NAN, RISING, a_position, a_sub, seen_as

SIDES = pytest.mark.parametrize("side", [1, -1])
OUT_OF_CHANNEL = a_condition(CHANNEL_120, -1.0, AT_MOST)  # a close below the channel, seen by a long


def a_view(score: float = 0.5, coverage: float = 1.0) -> View:
    votes = (NAN,) * 5
    return View(TREND_UP, (score > 0) - (score < 0), score, abs(score), coverage, votes)


def left(position: Position, seen: Features, view: View, number: int = 1_000, **card: Any) -> ExitView:
    """Return the exits considered for a card with one exit condition."""
    known = rules((a_card(exit_end=1, **card),), (OUT_OF_CHANNEL,))
    return exits_of(position, known, a_bar(number), seen, view)


def test_without_a_position_nothing_is_left() -> None:
    assert (
        left(a_position(0), features({CHANNEL_120: -2.0}, facts=facts(flatten=1)), a_view()).reason == NO_EXIT
    )


@SIDES
def test_an_opposite_signal_leaves(side: int) -> None:
    assert (
        left(a_position(side), features({CHANNEL_120: -1.0 * side}), a_view(side * 0.5)).reason
        == EXIT_OPPOSITE
    )
    assert left(a_position(side), features({CHANNEL_120: -0.9 * side}), a_view(side * 0.5)).reason == NO_EXIT


@SIDES
def test_lost_confidence_leaves_below_its_limit_only(side: int) -> None:
    quiet = features({CHANNEL_120: 0.0})
    assert left(a_position(side), quiet, a_view(side * 0.2), min_confidence=0.2).reason == NO_EXIT
    assert left(a_position(side), quiet, a_view(side * 0.19), min_confidence=0.2).reason == EXIT_CONFIDENCE
    assert left(a_position(side), quiet, a_view(side * -0.9), min_confidence=-2.0).reason == NO_EXIT


@SIDES
def test_time_leaves_once_the_position_was_held_that_many_bars(side: int) -> None:
    position, quiet = a_position(side, entry_index=1_000, max_hold_bars=3), features()
    assert left(position, quiet, a_view(side), number=1_001).reason == NO_EXIT
    leaving = left(position, quiet, a_view(side), number=1_002)
    assert (leaving.reason, leaving.held_bars) == (EXIT_TIME, 3)
    unlimited = a_position(side, entry_index=0, max_hold_bars=0)
    assert left(unlimited, quiet, a_view(side), number=9_999).reason == NO_EXIT


@SIDES
def test_a_missing_signal_never_closes(side: int) -> None:
    nothing_known = a_view(0.0, coverage=0.0)
    assert left(a_position(side), features(), nothing_known, min_confidence=0.9).reason == NO_EXIT
    assert left(a_position(side), features({CHANNEL_120: NAN}), a_view(side)).reason == NO_EXIT


def test_reasons_come_in_the_order_halt_opposite_confidence_time() -> None:
    worst = a_position(1, entry_index=0, max_hold_bars=1)
    broken, calm = {CHANNEL_120: -2.0}, {CHANNEL_120: 0.0}
    halted = features(broken, facts=facts(flatten=1))
    assert left(worst, halted, a_view(-1.0), min_confidence=0.5).reason == EXIT_HALT
    assert left(worst, features(broken), a_view(-1.0), min_confidence=0.5).reason == EXIT_OPPOSITE
    assert left(worst, features(calm), a_view(-1.0), min_confidence=0.5).reason == EXIT_CONFIDENCE
    assert left(worst, features(calm), a_view(1.0), min_confidence=0.5).reason == EXIT_TIME


def test_what_was_considered_is_recorded_even_if_another_reason_won() -> None:
    seen = left(a_position(1), features({CHANNEL_120: -2.0}, facts=facts(flatten=1)), a_view(-0.4))
    assert seen == ExitView(EXIT_HALT, 1, -0.4, 2, 90.0)


def test_the_exit_rules_are_those_of_the_card_that_entered() -> None:
    two = rules((a_card(), a_card(min_confidence=0.5)))
    for card, reason in ((0, NO_EXIT), (1, EXIT_CONFIDENCE)):
        held = a_position(1, card=card)
        assert exits_of(held, two, a_bar(), features(), a_view(0.1)).reason == reason


# ------------------------------------------------------------------ conditions


@pytest.mark.parametrize(
    ("condition", "row", "direction", "holds"),
    [
        (a_condition(RSI_CENTRED, 0.2), {RSI_CENTRED: 0.2}, 1, 1),
        (a_condition(RSI_CENTRED, 0.2), {RSI_CENTRED: 0.19}, 1, 0),
        (a_condition(RSI_CENTRED, 0.2), {RSI_CENTRED: -0.3}, -1, 1),
        (a_condition(RSI_CENTRED, 0.2), {RSI_CENTRED: 0.3}, -1, 0),
        (a_condition(RSI_CENTRED, 0.2, AT_MOST), {RSI_CENTRED: 0.2}, 1, 1),
        (a_condition(RSI_CENTRED, 0.2, AT_MOST), {RSI_CENTRED: 0.21}, 1, 0),
        (a_condition(ADX, 0.2, directional=0), {ADX: 0.25}, -1, 1),
        (a_condition(ADX, 0.2, AT_MOST, directional=0), {ADX: 0.25}, -1, 0),
        (a_condition(RSI_CENTRED, -1.0), {}, 1, 0),
        (a_condition(RSI_CENTRED, 1.0, AT_MOST), {}, 1, 0),
    ],
)
def test_a_condition_compares_in_the_trades_direction(
    condition: Condition, row: dict[int, float], direction: int, holds: int
) -> None:
    assert all_hold((condition,), 0, 1, features(row), direction) == holds


def test_all_conditions_of_the_span_must_hold_and_no_others_are_read() -> None:
    yes, no = a_condition(ADX, 0.1, directional=0), a_condition(ADX, 0.9, directional=0)
    seen = features({ADX: 0.5})
    assert all_hold((yes, no, yes), 0, 1, seen, 1) == 1
    assert all_hold((yes, no, yes), 0, 2, seen, 1) == 0
    assert all_hold((yes, no, yes), 2, 3, seen, 1) == 1
    assert all_hold((yes, no, yes), 1, 1, seen, 1) == 1


# ------------------------------------------------------------------ trailing


def test_a_long_trails_behind_the_bars_high_on_the_grid() -> None:
    position = a_position(1, trail_quote=3.0)
    assert trailed_stop(position, a_bar(high=101.05), an_asset()) == 98.0  # 98.05 rounded away
    assert trailed_stop(position, a_bar(high=92.0), an_asset()) == 90.0


def test_a_short_trails_behind_the_bars_low_on_the_grid() -> None:
    position = a_position(-1, trail_quote=3.0)
    assert trailed_stop(position, a_bar(low=98.95), an_asset()) == 102.0
    assert trailed_stop(position, a_bar(low=108.0), an_asset()) == 110.0


@SIDES
def test_without_a_trail_the_stop_stays(side: int) -> None:
    assert trailed_stop(a_position(side), a_bar(high=500.0, low=1.0), an_asset()) == 100.0 - 10.0 * side


# ------------------------------------------------------------------ exits and gates


def blocked_everywhere() -> Rules:
    """Return rules under which nothing may be entered in any regime."""
    return rules(thresholds=parameters(regimes_allowed=0, confidence_min=5.0))


@SIDES
def test_a_breached_stop_closes_in_a_blocked_regime(side: int) -> None:
    purse = a_purse(sub=a_sub(position=a_position(side)))
    beyond = {"low": 89.0} if side > 0 else {"high": 111.0}
    purse, record = advance(purse, blocked_everywhere(), a_bar(**beyond), seen_as(side))
    assert record.settlement.trade.exit_reason == EXIT_STOP
    assert purse.sub.position.side == 0
    assert record.decision.action == HOLD


@SIDES
def test_an_exit_goes_through_whatever_the_gates_say(side: int) -> None:
    everything_wrong = facts(
        late=9,
        window_bars=1,
        filled_frac=1.0,
        recent_gap_bars=9,
        listed=0,
        enabled=0,
        halted=1,
        spread_bps=NAN,
    )
    known = blocked_everywhere()._replace(cards=(a_card(min_confidence=0.5),))
    purse = a_purse(sub=a_sub(position=a_position(side)))
    seen = seen_as(-side, facts=everything_wrong)
    purse, record = advance(purse, known, a_bar(), seen)
    assert (record.decision.action, record.decision.exit.reason) == (LEAVE, EXIT_CONFIDENCE)
    purse, record = advance(purse, known, a_bar(1_001), seen)
    assert record.settlement.trade.exit_reason == EXIT_CONFIDENCE
    assert purse.sub.position.side == 0


def test_a_bar_that_leaves_does_not_enter_too() -> None:
    purse = a_purse(sub=a_sub(position=a_position(1)))
    _, record = advance(purse, rules((a_card(min_confidence=0.5),)), a_bar(), seen_as(-1))
    assert record.decision.action == LEAVE
    assert record.decision.pending.side == 0


def test_a_position_asked_to_flatten_leaves_at_the_next_open() -> None:
    purse = a_purse(sub=a_sub(position=a_position(1)))
    purse, record = advance(purse, rules(), a_bar(), features(RISING, facts=facts(flatten=1)))
    assert record.decision.exit.reason == EXIT_HALT
    purse, record = advance(purse, rules(), a_bar(1_001, open=103.0, high=104.0), features(RISING))
    assert (record.settlement.exit.raw_price, record.settlement.trade.exit_reason) == (103.0, EXIT_HALT)


def test_an_exit_reason_that_went_away_before_the_open_still_leaves() -> None:
    purse = a_purse(sub=a_sub(position=a_position(1)))
    purse, _ = advance(purse, rules((a_card(min_confidence=0.9),)), a_bar(), features({CHANNEL_120: 0.1}))
    assert purse.sub.position.exit_due == EXIT_CONFIDENCE
    purse, record = advance(purse, rules((a_card(min_confidence=0.9),)), a_bar(1_001), seen_as(1))
    assert record.settlement.trade.exit_reason == EXIT_CONFIDENCE


def test_entering_is_an_action_only_when_an_entry_is_pending() -> None:
    _, record = advance(a_purse(), rules(), a_bar(), seen_as(1))
    assert (record.decision.action, record.decision.pending.side) == (ENTER, 1)
    _, record = advance(a_purse(), blocked_everywhere(), a_bar(), seen_as(1))
    assert (record.decision.action, record.decision.pending.side) == (HOLD, 0)
