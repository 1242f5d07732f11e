"""Which strategy card fires: by priority, in scope, on its conditions, if it earned its place."""

import pytest

from engine_alpha.kernel.cards import NO_CARD, Choice, chosen_card, has_room_today, is_activated
from engine_alpha.kernel.codes import (
    ACTIVE,
    ALL_REGIMES,
    BOTH_WAYS,
    CHOP,
    CROSSES_ABOVE,
    CROSSES_BELOW,
    HIGH_VOL,
    LONG_ONLY,
    SHADOW,
    SHORT_ONLY,
    TREND_DOWN,
    TREND_UP,
)
from engine_alpha.kernel.exits import all_hold
from engine_alpha.kernel.ledger import tallied_entry, tallied_trade
from engine_alpha.kernel.money import DAY_MS, NEW_TALLY, NO_TRADE
from engine_alpha.kernel.signals import ADX, RSI_CENTRED
from engine_alpha.kernel.values import Card, Condition, Features, Rules, Tally, View
from tests.makers import a_card, a_condition, features, rules
from tests.unit.kernel.scenes import NAN, a_sub

LOST = Tally(10, 50.0, 100.0, -50.0, 20.0, 0, 0)  # profit factor 0.5, 70 below its peak


def a_view(direction: int = 1, regime: int = CHOP) -> View:
    return View(regime, direction, 0.5 * direction, 0.5, 1.0, (NAN,) * 5)


def chosen(
    cards: tuple[Card, ...],
    conditions: tuple[Condition, ...] = (),
    row: dict[int, float] | None = None,
    tallies: tuple[Tally, ...] | None = None,
    view: View | None = None,
) -> int:
    known = rules(cards, conditions)
    return choice(known, features(row), tallies or (NEW_TALLY,) * len(cards), view).card


def choice(
    known: Rules, seen: Features, tallies: tuple[Tally, ...] = (NEW_TALLY,), view: View | None = None
) -> Choice:
    return chosen_card(known, tallies, a_sub(), seen, view or a_view(), 0)


def test_the_first_card_that_fires_is_chosen() -> None:
    assert chosen((a_card(), a_card())) == 0
    assert chosen((a_card(status=SHADOW), a_card())) == 1
    assert chosen((a_card(directions=SHORT_ONLY), a_card(regimes=0), a_card())) == 2


def test_no_direction_no_card() -> None:
    assert chosen((a_card(),), view=a_view(0)) == NO_CARD


@pytest.mark.parametrize("status", [0, SHADOW])
def test_only_an_active_card_trades(status: int) -> None:
    assert chosen((a_card(status=status),)) == NO_CARD
    assert chosen((a_card(status=ACTIVE),)) == 0


@pytest.mark.parametrize("regime", [TREND_UP, TREND_DOWN, HIGH_VOL, CHOP])
def test_a_card_trades_the_regimes_of_its_mask(regime: int) -> None:
    view = a_view(regime=regime)
    assert chosen((a_card(regimes=1 << regime),), view=view) == 0
    assert chosen((a_card(regimes=ALL_REGIMES - (1 << regime)),), view=view) == NO_CARD


@pytest.mark.parametrize(
    ("directions", "long", "short"),
    [(LONG_ONLY, True, False), (SHORT_ONLY, False, True), (BOTH_WAYS, True, True)],
)
def test_a_card_trades_the_directions_of_its_mask(directions: int, long: bool, short: bool) -> None:
    found = [choice(rules((a_card(directions=directions),)), features(), view=a_view(way)) for way in (1, -1)]
    assert [each.side for each in found] == [1 if long else 0, -1 if short else 0]


@pytest.mark.parametrize(
    ("directions", "trend", "engine", "side"),
    [
        (BOTH_WAYS, 0.6, -1, 1),
        (BOTH_WAYS, -0.6, 0, -1),
        (BOTH_WAYS, 0.0, 1, 0),
        (LONG_ONLY, -0.6, -1, 0),
        (SHORT_ONLY, -0.6, 1, -1),
    ],
)
def test_a_card_that_follows_its_entry_trades_the_side_its_conditions_give(
    directions: int, trend: float, engine: int, side: int
) -> None:
    card = a_card(directions=directions, own_direction=1, entry_end=1)
    known = rules((card,), (a_condition(RSI_CENTRED, 0.5),))
    assert choice(known, features({RSI_CENTRED: trend}), view=a_view(engine)).side == side


@pytest.mark.parametrize("engine", [1, 0, -1])
def test_where_its_conditions_allow_both_sides_the_engine_has_the_word(engine: int) -> None:
    card = a_card(own_direction=1, entry_end=1)
    known = rules((card,), (a_condition(ADX, 0.5, directional=0),))
    assert choice(known, features({ADX: 0.9}), view=a_view(engine)).side == engine


@pytest.mark.parametrize(
    ("before", "now", "above", "below"),
    [
        (-0.1, 0.1, 1, 0),
        (0.0, 0.1, 1, 0),
        (0.1, 0.2, 0, 0),
        (0.1, -0.1, 0, 1),
        (0.0, 0.0, 0, 0),
        (NAN, 0.1, 0, 0),
    ],
)
def test_a_crossing_holds_on_one_bar_and_in_the_trades_direction(
    before: float, now: float, above: int, below: int
) -> None:
    was, seen = features({RSI_CENTRED: before}).row, features({RSI_CENTRED: now})
    seen = seen._replace(before=was)
    up, down = a_condition(RSI_CENTRED, 0.0, CROSSES_ABOVE), a_condition(RSI_CENTRED, 0.0, CROSSES_BELOW)
    assert (all_hold((up,), 0, 1, seen, 1), all_hold((down,), 0, 1, seen, 1)) == (above, below)
    assert (all_hold((down,), 0, 1, seen, -1), all_hold((up,), 0, 1, seen, -1)) == (above, below)


def test_each_card_reads_its_own_conditions() -> None:
    conditions = (a_condition(ADX, 0.5, directional=0), a_condition(RSI_CENTRED, 0.1))
    cards = (a_card(entry_first=0, entry_end=1), a_card(entry_first=1, entry_end=2))
    assert chosen(cards, conditions, {ADX: 0.6, RSI_CENTRED: 0.2}) == 0
    assert chosen(cards, conditions, {ADX: 0.4, RSI_CENTRED: 0.2}) == 1
    assert chosen(cards, conditions, {ADX: 0.4, RSI_CENTRED: 0.0}) == NO_CARD
    assert chosen(cards, conditions, {}) == NO_CARD


# ------------------------------------------------------------------ activation


@pytest.mark.parametrize(
    ("min_trades", "min_pf", "allowed"),
    [(0, 0.0, True), (0, 0.5, True), (0, 0.51, False), (10, 0.51, False), (11, 0.51, True)],
)
def test_a_profit_factor_is_asked_for_from_min_trades_on(
    min_trades: int, min_pf: float, allowed: bool
) -> None:
    assert is_activated(a_card(min_trades=min_trades, min_pf=min_pf), LOST, 1_000.0) == allowed


@pytest.mark.parametrize(("limit", "allowed"), [(0.0, True), (0.07, True), (0.069, False)])
def test_a_cards_own_drawdown_is_a_share_of_the_start(limit: float, allowed: bool) -> None:
    assert is_activated(a_card(max_drawdown_frac=limit), LOST, 1_000.0) == allowed
    assert is_activated(a_card(max_drawdown_frac=limit, min_trades=11), LOST, 1_000.0)


def test_a_card_without_trades_is_unknown_and_allowed() -> None:
    assert is_activated(a_card(min_pf=9.0, max_drawdown_frac=0.01), NEW_TALLY, 1_000.0)


def test_a_card_without_losses_has_any_profit_factor() -> None:
    assert is_activated(a_card(min_pf=9.0), NEW_TALLY._replace(trades=1, gross_profit_quote=1.0), 1_000.0)


def test_each_card_is_judged_by_its_own_tally() -> None:
    cards = (a_card(min_pf=1.0), a_card(min_pf=1.0))
    assert chosen(cards, tallies=(LOST, NEW_TALLY)) == 1
    assert chosen(cards, tallies=(NEW_TALLY, LOST)) == 0
    assert chosen(cards, tallies=(LOST, LOST)) == NO_CARD


# ------------------------------------------------------------------ entries per day


def test_entries_are_counted_per_utc_day() -> None:
    two = a_card(trades_per_day=2)
    tally = tallied_entry(tallied_entry(NEW_TALLY, 5 * DAY_MS), 5 * DAY_MS + 1)
    assert tally.entries_today == 2
    assert not has_room_today(two, tally, 6 * DAY_MS - 1)
    assert has_room_today(two, tally, 6 * DAY_MS)
    assert has_room_today(a_card(trades_per_day=3), tally, 6 * DAY_MS - 1)
    assert has_room_today(a_card(trades_per_day=0), tally, 6 * DAY_MS - 1)
    assert tallied_entry(tally, 6 * DAY_MS).entries_today == 1


def test_a_tally_adds_up_its_trades() -> None:
    tally = NEW_TALLY
    for net in (30.0, -10.0, 0.0, -25.0, 5.0):
        tally = tallied_trade(tally, NO_TRADE._replace(side=1, net_quote=net))
    assert tally == Tally(5, 35.0, 35.0, 0.0, 30.0, 0, 0)
