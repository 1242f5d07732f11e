"""Where minutes are known they decide what came first inside a bar; inside one minute the bar rule holds.

Rows are written as distances from 100 in the position's direction: +5 is 5 in its favour.
"""

from typing import Any

import numpy as np
import pytest

from engine_alpha.kernel.codes import EXIT_LIQUIDATION, EXIT_STOP, EXIT_TARGET, EXIT_TIME, EXIT_TRAILING
from engine_alpha.kernel.settle import settle
from engine_alpha.kernel.values import Asset, Bar, Position, Risk, Settlement, SubAccount
from tests.makers import HOUR_MS, a_bar, a_risk, an_asset
from tests.unit.kernel.scenes import a_pending, a_position, a_sub

FREE = an_asset(taker_fee_frac=0.0, max_leverage=1.0)
NO_COSTS = a_risk(slippage_bps=0.0, spread_bps=0.0)
SIDES = pytest.mark.parametrize("side", [1, -1])
OPEN_MS = 1_000 * HOUR_MS
MINUTE_MS = 60_000
Row = tuple[float, float, float, float]

QUIET = (0.0, 1.0, -1.0, 0.0)  # open, best, worst, close
TO_STOP = (0.0, 1.0, -10.0, -9.0)
TO_TARGET = (0.0, 6.0, -1.0, 5.0)
TO_BOTH = (0.0, 6.0, -10.0, 0.0)


def price(side: int, distance: float) -> float:
    return 100.0 + side * distance


def a_minute(side: int, row: Row) -> Row:
    """Return open, high, low, close of a row of distances."""
    opened, best, worst, close = (price(side, each) for each in row)
    return (opened, max(best, worst), min(best, worst), close)


def made_of(minutes: list[Row], **more: Any) -> Bar:
    """Return the bar that these minutes make up."""
    whole = {
        "open": minutes[0][0],
        "high": max(minute[1] for minute in minutes),
        "low": min(minute[2] for minute in minutes),
        "close": minutes[-1][3],
    }
    return a_bar(**{**whole, "minutes": tuple(minutes), **more})


def an_hour(side: int, *rows: Row, **more: Any) -> Bar:
    """Return an hour that begins with these minutes and stands still after them."""
    still = (rows[-1][3],) * 4
    return made_of([a_minute(side, row) for row in (*rows, *[still] * (60 - len(rows)))], **more)


def held(side: int, **changes: Any) -> SubAccount:
    return a_sub(position=a_position(side, **{"target_price": price(side, 6.0), **changes}))


def settled(sub: SubAccount, bar: Bar, asset: Asset = FREE, risk: Risk = NO_COSTS) -> Settlement:
    return settle(sub, asset, risk, bar)[1]


def without_minutes(bar: Bar) -> Bar:
    return bar._replace(minutes=())


# ------------------------------------------------------------------ what came first


@SIDES
def test_a_target_before_the_stop_is_taken_where_the_bar_alone_says_stop(side: int) -> None:
    bar = an_hour(side, QUIET, TO_TARGET, (5.0, 5.0, -10.0, -9.0))
    by_minutes, by_bar = settled(held(side), bar), settled(held(side), without_minutes(bar))
    assert (by_minutes.exit.reason, by_minutes.exit.price) == (EXIT_TARGET, price(side, 6.0))
    assert by_minutes.trade.net_quote == 12.0
    assert (by_bar.exit.reason, by_bar.trade.net_quote) == (EXIT_STOP, -20.0)
    assert (by_bar.trade.ambiguous, by_bar.trade.other_net_quote) == (1, 12.0)


@SIDES
def test_a_stop_before_the_target_is_the_stop_and_nothing_is_ambiguous_about_it(side: int) -> None:
    bar = an_hour(side, QUIET, TO_STOP, (-9.0, 6.0, -9.0, 5.0))
    happened = settled(held(side), bar)
    assert (happened.exit.reason, happened.exit.price) == (EXIT_STOP, price(side, -10.0))
    assert (happened.trade.ambiguous, happened.trade.other_net_quote) == (0, happened.trade.net_quote)


@SIDES
def test_a_target_first_is_not_ambiguous(side: int) -> None:
    trade = settled(held(side), an_hour(side, TO_TARGET, (5.0, 5.0, -10.0, -9.0))).trade
    assert (trade.ambiguous, trade.other_net_quote) == (0, trade.net_quote)


@SIDES
def test_both_in_one_minute_is_the_stop_and_ambiguous(side: int) -> None:
    trade = settled(held(side), an_hour(side, QUIET, TO_BOTH)).trade
    assert (trade.exit_reason, trade.net_quote) == (EXIT_STOP, -20.0)
    assert (trade.ambiguous, trade.other_net_quote) == (1, 12.0)


@SIDES
def test_minutes_that_reach_neither_leave_the_position_open(side: int) -> None:
    happened = settled(held(side), an_hour(side, (0.0, 5.9, -9.9, 0.0)))
    assert (happened.exit.side, happened.trade.side) == (0, 0)


@SIDES
def test_the_exit_is_stamped_with_the_end_of_its_minute(side: int) -> None:
    for at in (0, 1, 30, 59):
        happened = settled(held(side), an_hour(side, *[QUIET] * at, TO_STOP))
        assert happened.exit.at_ms == happened.trade.exit_ms == OPEN_MS + (at + 1) * MINUTE_MS


@SIDES
def test_a_trailed_stop_keeps_its_name(side: int) -> None:
    sub = held(side, first_stop_price=price(side, -20.0))
    assert settled(sub, an_hour(side, QUIET, TO_STOP)).exit.reason == EXIT_TRAILING


# ------------------------------------------------------------------ gaps


@SIDES
def test_a_gap_through_the_stop_fills_at_the_minutes_open(side: int) -> None:
    bar = an_hour(side, QUIET, (-12.0, -11.0, -14.0, -13.0))
    happened = settled(held(side), bar)
    assert (happened.exit.price, happened.exit.reason) == (price(side, -12.0), EXIT_STOP)
    assert happened.exit.at_ms == OPEN_MS + MINUTE_MS
    assert settled(held(side), without_minutes(bar)).exit.price == price(side, -10.0)


@SIDES
def test_a_gap_at_the_bars_open_fills_there_with_minutes_and_without(side: int) -> None:
    bar = an_hour(side, (-14.0, -12.0, -20.0, -15.0), (-15.0, 7.0, -15.0, 6.0))
    assert settled(held(side), bar) == settled(held(side), without_minutes(bar))
    assert settled(held(side), bar).exit.at_ms == OPEN_MS


@SIDES
def test_a_gap_beyond_the_target_fills_at_the_target(side: int) -> None:
    happened = settled(held(side), an_hour(side, QUIET, (9.0, 10.0, 8.0, 9.0)))
    assert (happened.exit.price, happened.exit.reason) == (price(side, 6.0), EXIT_TARGET)


# ------------------------------------------------------------------ the entry bar


def entering(side: int) -> SubAccount:
    return a_sub(pending=a_pending(side, stop_quote=10.0, target_quote=6.0))


@SIDES
def test_the_entry_minute_takes_no_profit(side: int) -> None:
    happened = settled(entering(side), an_hour(side, TO_TARGET))
    assert (happened.entry.side, happened.exit.side) == (side, 0)


@SIDES
def test_a_later_minute_of_the_entry_bar_takes_profit(side: int) -> None:
    bar = an_hour(side, TO_TARGET, (5.0, 6.0, 4.0, 5.0))
    happened = settled(entering(side), bar)
    assert (happened.exit.reason, happened.exit.price) == (EXIT_TARGET, price(side, 6.0))
    assert (happened.exit.at_ms, happened.trade.bars_held) == (OPEN_MS + 2 * MINUTE_MS, 0)
    assert settled(entering(side), without_minutes(bar)).exit.side == 0, "the bar alone never does"


@SIDES
def test_the_entry_minute_can_stop_out(side: int) -> None:
    happened = settled(entering(side), an_hour(side, TO_BOTH, TO_TARGET))
    assert (happened.exit.reason, happened.exit.at_ms) == (EXIT_STOP, OPEN_MS + MINUTE_MS)
    assert happened.trade.ambiguous == 0, "its target was out of reach in that minute"


# ------------------------------------------------------------------ what minutes do not touch


@SIDES
def test_liquidation_is_judged_on_the_whole_bar_before_any_minute(side: int) -> None:
    sub = held(side, liquidation_price=price(side, -15.0))
    bar = an_hour(side, TO_TARGET, (5.0, 5.0, -16.0, -16.0))
    happened = settled(sub, bar, an_asset(taker_fee_frac=0.0))
    assert happened == settled(sub, without_minutes(bar), an_asset(taker_fee_frac=0.0))
    assert happened.exit.reason == EXIT_LIQUIDATION


@SIDES
def test_an_exit_that_is_due_leaves_at_the_open(side: int) -> None:
    bar = an_hour(side, QUIET, TO_TARGET)
    happened = settled(held(side, exit_due=EXIT_TIME), bar)
    assert (happened.exit.reason, happened.exit.at_ms) == (EXIT_TIME, OPEN_MS)


@SIDES
def test_funding_inside_the_bar_costs_who_left_within_it_and_pays_who_did_not(side: int) -> None:
    leaves, stays = an_hour(side, QUIET, TO_TARGET), an_hour(side, QUIET)
    for rate in (0.001, -0.001):
        gone, here = (
            settled(held(side), bar._replace(funding_inside_frac=rate)).funding_quote
            for bar in (leaves, stays)
        )
        due = -side * 2.0 * 100.0 * rate
        assert here == due
        assert gone == min(due, 0.0)


# ------------------------------------------------------------------ the law of the orders


def random_hour(seed: int, gaps: bool) -> Bar:
    """Return an hour of random minutes on the tick grid, each opening where the last closed, or beside it."""
    random = np.random.default_rng(seed)
    steps, jumps = random.normal(0, 1.2, 60), random.normal(0, 1.0, 60) * gaps
    minutes, last = [], 100.0
    for step, jump, wicks in zip(steps, jumps, np.abs(random.normal(0, 0.6, (60, 2))), strict=True):
        opened, close = last + jump, last + jump + step
        row = (opened, max(opened, close) + wicks[0], min(opened, close) - wicks[1], close)
        minutes.append(tuple(round(each * 10) / 10 for each in row))
        last = close
    return made_of(minutes)


def random_position(seed: int) -> Position:
    random = np.random.default_rng(seed + 1_000_000)
    side, stop, target = 1 if seed % 2 else -1, random.uniform(1, 8), random.uniform(1, 8)
    levels = {"stop_price": round(price(side, -stop), 1), "target_price": round(price(side, target), 1)}
    return a_position(side, first_stop_price=levels["stop_price"], **levels)


def three_ways(seed: int, gaps: bool) -> tuple[Settlement, Settlement, float]:
    """Return what happened by minutes, what by the bar rule, and the net with the target first."""
    bar, sub = random_hour(seed, gaps), a_sub(position=random_position(seed))
    by_minutes = settled(sub, bar, an_asset(), a_risk())
    by_bar = settled(sub, without_minutes(bar), an_asset(), a_risk())
    return by_minutes, by_bar, by_bar.trade.other_net_quote


def test_stop_first_is_never_better_and_target_first_never_worse_than_what_minutes_say() -> None:
    closed = decided = 0
    for seed in range(600):
        by_minutes, by_bar, target_first = three_ways(seed, gaps=False)
        assert by_minutes.exit.side == by_bar.exit.side, seed
        if by_bar.exit.side != 0:
            closed += 1
            decided += by_bar.trade.ambiguous - by_minutes.trade.ambiguous
            assert by_bar.trade.net_quote <= by_minutes.trade.net_quote <= target_first + 1e-9, seed
    assert closed > 400 and decided > 100


def test_only_a_minute_that_opens_beyond_the_stop_is_worse_than_the_stop_itself() -> None:
    worse = 0
    for seed in range(600):
        by_minutes, by_bar, target_first = three_ways(seed, gaps=True)
        assert by_minutes.exit.side == by_bar.exit.side, seed
        if by_bar.exit.side == 0:
            continue
        assert by_minutes.trade.net_quote <= target_first + 1e-9, seed
        if by_minutes.trade.net_quote < by_bar.trade.net_quote:
            worse += 1
            position, left = random_position(seed), by_minutes.exit
            minute = (left.at_ms - OPEN_MS) // MINUTE_MS
            assert left.raw_price == random_hour(seed, gaps=True).minutes[minute][0], seed
            assert position.side * (left.raw_price - position.stop_price) < 0.0, seed
    assert worse > 30
