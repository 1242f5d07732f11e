"""What settling does beside the sentences of `test_fill_table`: rounding, lapsed entries, costs, books."""

from typing import Any

import pytest

from engine_alpha.kernel.codes import (
    EXIT_TIME,
    EXIT_TRAILING,
)
from engine_alpha.kernel.settle import settle
from engine_alpha.kernel.values import Bar, Settlement, SubAccount
from tests.makers import a_bar, a_risk, an_asset
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
def test_the_other_outcome_of_an_ambiguous_bar_counts_its_own_costs(side: int) -> None:
    asset = an_asset(max_leverage=1.0, taker_fee_frac=0.001)
    sub = held(side, target_price=100.0 + 50 * side, fee_quote=0.2)
    _, happened = settled(sub, around(side, 0, 55, -12, 3), asset)
    target_net = 2.0 * 50.0 - 0.2 - 2.0 * (100.0 + 50 * side) * 0.001
    assert happened.trade.other_net_quote == pytest.approx(target_net, rel=1e-12)


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


# ------------------------------------------------------------------ funding


@pytest.mark.parametrize(
    ("side", "rate", "received"), [(1, 0.01, -2.0), (-1, 0.01, 2.0), (1, -0.01, 2.0), (-1, -0.01, -2.0)]
)
def test_a_long_pays_a_positive_rate_and_a_short_receives_it(side: int, rate: float, received: float) -> None:
    sub, happened = settled(held(side), a_bar(funding_open_frac=rate))
    assert happened.funding_quote == sub.funding_quote == sub.position.funding_quote == received


@SIDES
def test_a_flat_account_pays_nothing(side: int) -> None:
    sub, happened = settled(a_sub(), a_bar(funding_open_frac=side * 0.01, funding_inside_frac=side * 0.01))
    assert (happened.funding_quote, sub.funding_quote) == (0.0, 0.0)


@SIDES
def test_an_entry_at_the_open_pays_what_falls_due_inside_the_bar(side: int) -> None:
    _, happened = settled(a_sub(pending=a_pending(side)), a_bar(funding_inside_frac=0.01))
    assert happened.funding_quote == -2.0 * side


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
