"""The fill rules of DESIGN §5, one test each: long and short, costs off unless the rule is about costs."""

from typing import Any

import pytest

from engine_alpha.kernel.codes import (
    EXIT_LIQUIDATION,
    EXIT_STOP,
    EXIT_TARGET,
    EXIT_TIME,
    EXIT_TRAILING,
)
from engine_alpha.kernel.settle import settle
from engine_alpha.kernel.values import Bar, Settlement, SubAccount
from tests.makers import HOUR_MS, a_bar, a_risk, an_asset
from tests.unit.kernel.scenes import a_pending, a_position, a_sub

FREE = an_asset(taker_fee_frac=0.0, max_leverage=1.0)
NO_COSTS = a_risk(slippage_bps=0.0, spread_bps=0.0)
SIDES = pytest.mark.parametrize("side", [1, -1])


def around(side: int, opened: float, best: float, worst: float, close: float, **more: Any) -> Bar:
    """Return a bar given as distances from 100 in the position's direction: +5 is 5 in its favour."""
    prices = {"open": 100.0 + side * opened, "close": 100.0 + side * close}
    prices["high"] = 100.0 + (best if side > 0 else -worst)
    prices["low"] = 100.0 + (worst if side > 0 else -best)
    return a_bar(**prices, **more)


def settled(
    sub: SubAccount, bar: Bar, asset: Any = FREE, risk: Any = NO_COSTS
) -> tuple[SubAccount, Settlement]:
    return settle(sub, asset, risk, bar)


def held(side: int, **changes: Any) -> SubAccount:
    return a_sub(position=a_position(side, **changes))


# ------------------------------------------------------------------ entry


@SIDES
def test_a_pending_entry_fills_at_the_next_open(side: int) -> None:
    sub, happened = settled(a_sub(pending=a_pending(side)), around(side, 2, 3, 1, 2))
    assert (happened.entry.side, happened.entry.price, happened.entry.quantity_base) == (
        side,
        100.0 + 2 * side,
        2.0,
    )
    assert happened.entry.at_ms == 1_000 * HOUR_MS
    assert (sub.position.side, sub.position.entry_index, sub.pending.side) == (side, 1_000, 0)


@SIDES
def test_an_entry_pays_slippage_half_the_spread_and_the_fee(side: int) -> None:
    asset, risk = an_asset(), a_risk(slippage_bps=20.0, spread_bps=20.0)  # 0.3 % against us
    sub, happened = settled(a_sub(pending=a_pending(side)), around(side, 0, 1, -1, 0), asset, risk)
    price = 100.3 if side > 0 else 99.7
    assert happened.entry.price == price
    assert happened.entry.raw_price == 100.0
    assert happened.entry.slippage_quote == pytest.approx(2.0 * 0.3)
    assert happened.entry.fee_quote == sub.fees_quote == pytest.approx(2.0 * price * 0.00055)


@SIDES
def test_stop_target_and_trail_are_measured_from_the_fill(side: int) -> None:
    pending = a_pending(side, stop_quote=10.0, target_quote=20.0, trail_quote=5.0)
    sub, happened = settled(a_sub(pending=pending), around(side, 3, 4, 2, 3))
    fill = happened.entry.price
    assert fill == 100.0 + 3 * side
    assert (sub.position.stop_price, sub.position.target_price) == (fill - 10 * side, fill + 20 * side)
    assert sub.position.first_stop_price == sub.position.stop_price
    assert sub.position.trail_quote == 5.0


@SIDES
def test_fractions_are_of_the_fill_price(side: int) -> None:
    pending = a_pending(side, stop_quote=0.0, stop_frac=0.05, target_frac=0.1, trail_frac=0.02)
    sub, _ = settled(
        a_sub(pending=pending), around(side, 0, 1, -1, 0)._replace(open=200.0, high=201.0, low=199.0)
    )
    assert sub.position.stop_price == 200.0 - 10 * side
    assert sub.position.target_price == 200.0 + 20 * side
    assert sub.position.trail_quote == 4.0


def test_a_stop_is_rounded_away_and_a_target_out_of_easy_reach() -> None:
    pending = {"stop_quote": 1.04, "target_quote": 1.04}
    long, _ = settled(a_sub(pending=a_pending(1, **pending)), a_bar(low=99.5))
    short, _ = settled(a_sub(pending=a_pending(-1, **pending)), a_bar(high=100.5))
    assert (long.position.stop_price, long.position.target_price) == (98.9, 101.1)
    assert (short.position.stop_price, short.position.target_price) == (101.1, 98.9)


@SIDES
def test_a_stop_below_nothing_stands_at_one_tick(side: int) -> None:
    sub, _ = settled(
        a_sub(pending=a_pending(side, stop_quote=150.0, target_quote=150.0)), around(side, 0, 1, -1, 0)
    )
    assert (sub.position.stop_price if side > 0 else sub.position.target_price) == 0.1


@pytest.mark.parametrize("number", [1_001, 1_050, 999])
@SIDES
def test_an_entry_whose_bar_never_came_is_dropped(side: int, number: int) -> None:
    sub, happened = settled(a_sub(pending=a_pending(side)), a_bar(number))
    assert happened.entry.side == 0
    assert (sub.position.side, sub.pending.side, sub.fees_quote) == (0, 0, 0.0)


def test_an_entry_is_dropped_while_a_position_is_open() -> None:
    sub, happened = settled(a_sub(position=a_position(1), pending=a_pending(-1)), a_bar())
    assert happened.entry.side == 0
    assert (sub.position.side, sub.pending.side) == (1, 0)


# ------------------------------------------------------------------ stop and target


@SIDES
def test_a_stop_inside_the_bar_fills_at_the_stop(side: int) -> None:
    sub, happened = settled(held(side), around(side, 0, 1, -10, -9))
    assert (happened.exit.price, happened.exit.reason) == (100.0 - 10 * side, EXIT_STOP)
    assert happened.trade.net_quote == -20.0
    assert happened.exit.at_ms == 1_001 * HOUR_MS
    assert sub.position.side == 0


@SIDES
def test_a_stop_one_tick_out_of_reach_holds(side: int) -> None:
    sub, happened = settled(held(side), around(side, 0, 1, -9.9, -9))
    assert (happened.exit.side, sub.position.side) == (0, side)


@SIDES
def test_a_gap_through_the_stop_fills_at_the_open(side: int) -> None:
    _, happened = settled(held(side), around(side, -14, -12, -20, -15))
    assert (happened.exit.price, happened.exit.reason) == (100.0 - 14 * side, EXIT_STOP)
    assert happened.exit.at_ms == 1_000 * HOUR_MS
    assert happened.trade.net_quote == -28.0


@SIDES
def test_a_target_inside_the_bar_fills_at_the_target(side: int) -> None:
    _, happened = settled(held(side, target_price=100.0 + 6 * side), around(side, 0, 7, -1, 6))
    assert (happened.exit.price, happened.exit.reason) == (100.0 + 6 * side, EXIT_TARGET)
    assert happened.trade.net_quote == 12.0


@SIDES
def test_a_gap_beyond_the_target_fills_at_the_target(side: int) -> None:
    _, happened = settled(held(side, target_price=100.0 + 6 * side), around(side, 9, 12, 8, 10))
    assert (happened.exit.price, happened.exit.reason) == (100.0 + 6 * side, EXIT_TARGET)


@SIDES
def test_stop_and_target_in_one_bar_is_the_stop_and_marked_ambiguous(side: int) -> None:
    _, happened = settled(held(side, target_price=100.0 + 6 * side), around(side, 0, 8, -12, 3))
    trade = happened.trade
    assert (trade.exit_reason, trade.exit_price, trade.ambiguous) == (EXIT_STOP, 100.0 - 10 * side, 1)
    assert (trade.net_quote, trade.other_net_quote) == (-20.0, 12.0)


@SIDES
def test_the_other_outcome_of_an_ambiguous_bar_counts_its_own_costs(side: int) -> None:
    asset = an_asset(max_leverage=1.0, taker_fee_frac=0.001)
    sub = held(side, target_price=100.0 + 50 * side, fee_quote=0.2)
    _, happened = settled(sub, around(side, 0, 55, -12, 3), asset)
    target_net = 2.0 * 50.0 - 0.2 - 2.0 * (100.0 + 50 * side) * 0.001
    assert happened.trade.other_net_quote == pytest.approx(target_net, rel=1e-12)


@SIDES
def test_an_open_beyond_the_stop_is_not_ambiguous(side: int) -> None:
    _, happened = settled(held(side, target_price=100.0 + 6 * side), around(side, -11, 8, -12, 3))
    assert (happened.trade.ambiguous, happened.trade.other_net_quote) == (0, -22.0)


@SIDES
def test_an_unambiguous_trade_has_no_other_outcome(side: int) -> None:
    _, happened = settled(held(side), around(side, 0, 1, -10, -9))
    assert happened.trade.ambiguous == 0
    assert happened.trade.other_net_quote == happened.trade.net_quote


@SIDES
def test_the_entry_bar_can_stop_out(side: int) -> None:
    sub, happened = settled(a_sub(pending=a_pending(side)), around(side, 0, 1, -11, -5))
    assert (happened.entry.side, happened.exit.reason) == (side, EXIT_STOP)
    assert (happened.trade.net_quote, happened.trade.bars_held) == (-20.0, 0)
    assert sub.position.side == 0


@SIDES
def test_the_entry_bar_cannot_take_profit(side: int) -> None:
    sub, happened = settled(a_sub(pending=a_pending(side, target_quote=5.0)), around(side, 0, 9, -1, 8))
    assert (happened.exit.side, sub.position.side) == (0, side)


@SIDES
def test_stop_and_unreachable_target_on_the_entry_bar_are_not_ambiguous(side: int) -> None:
    _, happened = settled(a_sub(pending=a_pending(side, target_quote=5.0)), around(side, 0, 9, -11, -5))
    assert (happened.trade.exit_reason, happened.trade.ambiguous) == (EXIT_STOP, 0)


@SIDES
def test_the_bar_after_the_entry_can_take_profit(side: int) -> None:
    sub, _ = settled(a_sub(pending=a_pending(side, target_quote=5.0)), around(side, 0, 1, -1, 0))
    _, happened = settled(sub, around(side, 0, 5, -1, 4)._replace(number=1_001))
    assert happened.trade.exit_reason == EXIT_TARGET


@SIDES
def test_a_stop_that_moved_is_a_trailing_stop(side: int) -> None:
    _, happened = settled(held(side, stop_price=100.0 - 4 * side), around(side, 0, 1, -5, -3))
    assert (happened.exit.price, happened.trade.exit_reason) == (100.0 - 4 * side, EXIT_TRAILING)
    assert happened.trade.stop_price == 100.0 - 10 * side


@SIDES
def test_a_stop_fill_pays_slippage_and_fee_a_target_fill_only_the_fee(side: int) -> None:
    asset, risk = an_asset(max_leverage=1.0), a_risk(slippage_bps=100.0, spread_bps=0.0)
    _, stopped = settled(held(side), around(side, 0, 1, -10, -9), asset, risk)
    stop = 100.0 - 10 * side
    assert side * (stop - stopped.exit.price) == pytest.approx(stop * 0.01, abs=0.1)
    assert side * (stop - stopped.exit.price) >= stop * 0.01 - 1e-9
    _, taken = settled(held(side, target_price=100.0 + 6 * side), around(side, 0, 7, -1, 6), asset, risk)
    assert (taken.exit.price, taken.exit.slippage_quote) == (100.0 + 6 * side, 0.0)
    assert taken.exit.fee_quote == pytest.approx(2.0 * (100.0 + 6 * side) * 0.00055)


# ------------------------------------------------------------------ exits that are due


@SIDES
def test_an_exit_due_at_the_open_comes_before_the_stop_of_that_bar(side: int) -> None:
    _, happened = settled(held(side, exit_due=EXIT_TIME), around(side, 1, 2, -15, -12))
    assert (happened.exit.price, happened.exit.reason) == (100.0 + side, EXIT_TIME)
    assert happened.exit.at_ms == 1_000 * HOUR_MS


@SIDES
def test_an_exit_due_at_the_open_gets_the_open_even_beyond_the_target(side: int) -> None:
    sub = held(side, exit_due=EXIT_TIME, target_price=100.0 + 6 * side)
    _, happened = settled(sub, around(side, 9, 12, 8, 10))
    assert happened.exit.price == 100.0 + 9 * side


@SIDES
def test_at_one_open_funding_is_paid_then_the_exit_fills_then_the_entry(side: int) -> None:
    sub = a_sub(position=a_position(side, exit_due=EXIT_TIME), pending=a_pending(-side))
    sub, happened = settled(sub, around(side, 0, 1, -1, 0, funding_open_frac=0.001))
    assert happened.funding_quote == pytest.approx(-side * 0.2)
    assert (
        happened.trade.funding_quote == happened.funding_quote
    )  # the leaving position paid, the new one did not
    assert (happened.exit.reason, happened.entry.side) == (EXIT_TIME, -side)
    assert (sub.position.side, sub.position.funding_quote) == (-side, 0.0)


# ------------------------------------------------------------------ liquidation


@SIDES
def test_liquidation_on_the_mark_comes_before_the_stop(side: int) -> None:
    asset = FREE._replace(max_leverage=4.0)
    bar = around(side, 0, 1, -12, -5)
    mark = {"mark_low": 79.0} if side > 0 else {"mark_high": 121.0}
    sub, happened = settled(held(side, liquidation_price=100.0 - 20 * side), bar._replace(**mark), asset)
    assert happened.trade.exit_reason == EXIT_LIQUIDATION
    assert happened.exit.price == 100.0 - 25 * side  # the bankruptcy price: the whole margin is lost
    assert happened.trade.net_quote == -50.0
    assert sub.position.side == 0


@SIDES
def test_a_last_price_beyond_the_liquidation_price_does_not_liquidate_while_the_mark_holds(side: int) -> None:
    bar = around(side, 0, 1, -25, -5)._replace(mark_low=95.0, mark_high=105.0)
    _, happened = settled(held(side, liquidation_price=100.0 - 20 * side), bar)
    assert happened.trade.exit_reason == EXIT_STOP


@SIDES
def test_the_mark_touching_the_liquidation_price_liquidates(side: int) -> None:
    bar = around(side, 0, 1, -9, -5)
    touching = bar._replace(mark_low=80.0, mark_high=120.0)
    near = bar._replace(mark_low=80.1, mark_high=119.9)
    assert settled(held(side, liquidation_price=100.0 - 20 * side), touching)[1].trade.side == side
    assert settled(held(side, liquidation_price=100.0 - 20 * side), near)[1].trade.side == 0


@SIDES
def test_without_a_liquidation_price_nothing_is_liquidated(side: int) -> None:
    bar = around(side, 0, 1, -1, 0)._replace(mark_low=0.1, mark_high=9_999.0)
    assert settled(held(side, liquidation_price=0.0), bar)[1].trade.side == 0


@SIDES
def test_an_exit_due_at_the_open_comes_before_liquidation(side: int) -> None:
    bar = around(side, 0, 1, -1, 0)._replace(mark_low=1.0, mark_high=999.0)
    _, happened = settled(held(side, exit_due=EXIT_TIME, liquidation_price=100.0 - 20 * side), bar)
    assert happened.trade.exit_reason == EXIT_TIME


# ------------------------------------------------------------------ funding


@pytest.mark.parametrize(
    ("side", "rate", "received"), [(1, 0.01, -2.0), (-1, 0.01, 2.0), (1, -0.01, 2.0), (-1, -0.01, -2.0)]
)
def test_a_long_pays_a_positive_rate_and_a_short_receives_it(side: int, rate: float, received: float) -> None:
    sub, happened = settled(held(side), a_bar(funding_open_frac=rate))
    assert happened.funding_quote == sub.funding_quote == sub.position.funding_quote == received


def test_one_bitcoin_at_60_000_pays_6_at_one_basis_point() -> None:
    sub = held(1, quantity_base=1.0, entry_price=60_000.0, stop_price=50_000.0)
    bar = a_bar(open=60_000.0, high=60_100.0, low=59_900.0, close=60_000.0, funding_open_frac=0.0001)
    assert settled(sub, bar)[1].funding_quote == pytest.approx(-6.0)


@SIDES
def test_an_entry_at_the_settlement_instant_pays_nothing(side: int) -> None:
    sub, happened = settled(a_sub(pending=a_pending(side)), a_bar(funding_open_frac=0.01))
    assert (happened.funding_quote, sub.funding_quote) == (0.0, 0.0)


@SIDES
def test_a_flat_account_pays_nothing(side: int) -> None:
    sub, happened = settled(a_sub(), a_bar(funding_open_frac=side * 0.01, funding_inside_frac=side * 0.01))
    assert (happened.funding_quote, sub.funding_quote) == (0.0, 0.0)


@SIDES
def test_an_entry_at_the_open_pays_what_falls_due_inside_the_bar(side: int) -> None:
    _, happened = settled(a_sub(pending=a_pending(side)), a_bar(funding_inside_frac=0.01))
    assert happened.funding_quote == -2.0 * side


@SIDES
def test_a_position_stopped_inside_the_bar_pays_but_does_not_receive(side: int) -> None:
    stopped = around(side, 0, 1, -10, -9)
    _, paying = settled(held(side), stopped._replace(funding_inside_frac=0.01 * side))
    _, receiving = settled(held(side), stopped._replace(funding_inside_frac=-0.01 * side))
    assert (paying.funding_quote, paying.trade.net_quote) == (-2.0, -22.0)
    assert (receiving.funding_quote, receiving.trade.net_quote) == (0.0, -20.0)


@SIDES
def test_a_position_that_left_at_the_open_pays_nothing_inside_the_bar(side: int) -> None:
    due = held(side, exit_due=EXIT_TIME)
    _, happened = settled(due, around(side, 0, 1, -1, 0, funding_inside_frac=0.01 * side))
    assert happened.funding_quote == 0.0
    gapped = around(side, -14, -12, -20, -15, funding_inside_frac=0.01 * side)
    _, happened = settled(held(side), gapped)
    assert happened.funding_quote == 0.0


@SIDES
def test_funding_that_nobody_knows_is_zero_and_counted_while_holding(side: int) -> None:
    assert settled(held(side), a_bar(funding_unknown=1))[1].funding_unknown == 1
    assert settled(a_sub(), a_bar(funding_unknown=1))[1].funding_unknown == 0
    assert settled(held(side), a_bar())[1].funding_unknown == 0


# ------------------------------------------------------------------ the books


@SIDES
def test_a_closed_trade_tells_everything(side: int) -> None:
    asset, risk = an_asset(max_leverage=1.0), a_risk()
    sub, entered = settled(
        a_sub(pending=a_pending(side, regime=2, card=0)), around(side, 0, 1, -1, 0), asset, risk
    )
    last = around(side, 0, 1, -12, -9, funding_open_frac=0.001)._replace(number=1_001)
    sub, happened = settled(sub, last, asset, risk)
    trade = happened.trade
    assert trade.gross_quote == pytest.approx(side * 2.0 * (happened.exit.price - entered.entry.price))
    assert trade.fees_quote == entered.entry.fee_quote + happened.exit.fee_quote == sub.fees_quote
    assert trade.net_quote == trade.gross_quote - trade.fees_quote + trade.funding_quote
    assert trade.slippage_quote == entered.entry.slippage_quote + happened.exit.slippage_quote > 0.0
    assert trade.r == trade.net_quote / trade.risk_quote
    assert (trade.regime, trade.confidence, trade.bars_held) == (2, 0.5, 1)
    assert (sub.trades, sub.losses_in_row, sub.last_exit_index) == (1, 1, 1_001)
    assert sub.gross_loss_quote == -trade.net_quote
    assert sub.gross_profit_quote == 0.0


def test_a_win_ends_a_row_of_losses() -> None:
    sub = a_sub(position=a_position(1, target_price=106.0), losses_in_row=3, gross_loss_quote=7.0)
    sub, _ = settled(sub, around(1, 0, 7, -1, 6))
    assert (sub.losses_in_row, sub.gross_profit_quote, sub.gross_loss_quote) == (0, 12.0, 7.0)


def test_nothing_happens_to_a_flat_account() -> None:
    sub, happened = settled(a_sub(), a_bar(high=1_000.0, low=1.0))
    assert sub == a_sub()
    assert (happened.entry.side, happened.exit.side, happened.trade.side) == (0, 0, 0)
