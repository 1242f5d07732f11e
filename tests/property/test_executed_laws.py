"""Settling what a venue executed makes the sums that the kernel's own settling makes, to the bit."""

import math

from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.kernel.codes import EXECUTED_ENTRY, EXECUTED_EXIT, EXECUTED_FUNDING
from engine_alpha.kernel.executed import settle_executed
from engine_alpha.kernel.money import NO_PENDING, equity_quote, new_sub_account
from engine_alpha.kernel.settle import marked, settle
from engine_alpha.kernel.values import Bar, Executed, Fill, Pending, Settlement, SubAccount
from tests.makers import a_bar, a_risk, an_asset

ASSET, RISK = an_asset(), a_risk()
FIRST = 471_000


def pending(side: int, number: int) -> Pending:
    return NO_PENDING._replace(
        side=side, quantity_base=3.217, decided_price=100.0, decided_index=number - 1, stop_quote=2.0,
        target_quote=3.0, trail_quote=1.5, max_hold_bars=9,
    )  # fmt: skip


def executed_of(settlement: Settlement, bar: Bar) -> list[Executed]:
    """Return a settlement as a venue would have told it."""
    told = []
    if settlement.funding_quote != 0.0:
        told.append(
            Executed(EXECUTED_FUNDING, 0, 0.0, 0.0, 0.0, 0.0, settlement.funding_quote, bar.open_ms, 0)
        )
    for leg, fill in ((EXECUTED_ENTRY, settlement.entry), (EXECUTED_EXIT, settlement.exit)):
        if fill.side != 0:
            told.append(as_executed(leg, fill))
    return told


def as_executed(leg: int, fill: Fill) -> Executed:
    return Executed(
        leg, fill.side, fill.quantity_base, fill.price, fill.raw_price, fill.fee_quote, 0.0, fill.at_ms,
        fill.reason,
    )  # fmt: skip


prices = st.lists(st.floats(80.0, 120.0), min_size=4, max_size=4)
walks = st.lists(
    st.tuples(prices, st.sampled_from([0.0, 1e-4, -2e-4]), st.sampled_from([-1, 0, 1])), max_size=12
)


def bars_of(walk: list[tuple[list[float], float, int]]) -> list[tuple[Bar, int]]:
    bars = []
    for at, (four, rate, side) in enumerate(walk):
        number = FIRST + at
        bar = a_bar(
            number=number, open=four[0], high=max(four), low=min(four), close=four[3], funding_open_frac=rate
        )
        bars.append((bar, side))
    return bars


@given(walks)
def test_the_venues_word_leads_to_the_same_sub_account(walk: list[tuple[list[float], float, int]]) -> None:
    ours = theirs = new_sub_account(1_000.0)
    for bar, side in bars_of(walk):
        if side and ours.position.side == 0:
            ours, theirs = (sub._replace(pending=pending(side, bar.number)) for sub in (ours, theirs))
        ours, settlement = settle(ours, ASSET, RISK, bar)
        theirs, told = settle_executed(theirs, ASSET, RISK, bar, executed_of(settlement, bar))
        assert theirs == ours
        assert (told.entry, told.exit, told.funding_quote) == (
            settlement.entry, settlement.exit, settlement.funding_quote,
        )  # fmt: skip
        assert told.trade._replace(ambiguous=0, other_net_quote=0.0) == settlement.trade._replace(
            ambiguous=0, other_net_quote=0.0
        )
        ours, theirs = marked(ours, bar, 0), marked(theirs, bar, 0)


@given(
    st.floats(0.05, 0.95), st.floats(90.0, 110.0), st.floats(90.0, 110.0), st.sampled_from([1, -1]),
    st.floats(-5.0, 5.0),
)  # fmt: skip
def test_leaving_in_parts_adds_up_to_the_whole_money(
    share: float, first: float, second: float, side: int, funding: float
) -> None:
    bar = a_bar(number=FIRST, open=100.0, high=101.0, low=99.0, close=100.0)
    sub = new_sub_account(1_000.0)._replace(pending=pending(side, FIRST))
    entry = Executed(EXECUTED_ENTRY, side, 3.217, 100.0, 100.0, 0.2, 0.0, bar.open_ms, 0)
    paid = Executed(EXECUTED_FUNDING, 0, 0.0, 0.0, 0.0, 0.0, funding, bar.open_ms + 1, 0)
    sub, _ = settle_executed(sub, ASSET, RISK, bar, [entry, paid])
    part = round(3.217 * share, 3)
    quantities = [quantity for quantity in (part, round(3.217 - part, 3)) if quantity > 0.0]
    trades, fees = [], 0.2
    for quantity, price in zip(quantities, (first, second), strict=False):
        leave = Executed(EXECUTED_EXIT, -side, quantity, price, price, 0.1, 0.0, bar.close_ms, 8)
        sub, settled = settle_executed(sub, ASSET, RISK, bar, [leave])
        trades.append(settled.trade)
        fees += 0.1
    assert sub.position.side == 0
    gross = sum(
        side * quantity * (price - 100.0)
        for quantity, price in zip(quantities, (first, second), strict=False)
    )
    assert math.isclose(equity_quote(sub), 1_000.0 + gross - fees + funding, rel_tol=1e-9)
    assert math.isclose(
        sum(trade.net_quote for trade in trades), gross - fees + funding, rel_tol=1e-9, abs_tol=1e-9
    )
    assert sub.trades == len(quantities)


def test_a_late_part_of_an_entry_adds_to_the_position_and_keeps_its_stop() -> None:
    bar = a_bar(number=FIRST, open=100.0, high=101.0, low=99.0, close=100.0)
    sub: SubAccount = new_sub_account(1_000.0)._replace(pending=pending(1, FIRST))
    first = Executed(EXECUTED_ENTRY, 1, 1.0, 100.0, 100.0, 0.1, 0.0, bar.open_ms, 0)
    late = Executed(EXECUTED_ENTRY, 1, 3.0, 102.0, 100.0, 0.3, 0.0, bar.close_ms, 0)
    sub, _ = settle_executed(sub, ASSET, RISK, bar, [first])
    stop = sub.position.stop_price
    sub, _ = settle_executed(sub, ASSET, RISK, bar, [late])
    assert sub.position.quantity_base == 4.0
    assert sub.position.entry_price == 101.5
    assert sub.position.stop_price == stop
    assert math.isclose(sub.fees_quote, 0.4)


def test_funding_while_flat_belongs_to_the_sub_account_alone() -> None:
    bar = a_bar(number=FIRST, open=100.0, high=101.0, low=99.0, close=100.0)
    paid = Executed(EXECUTED_FUNDING, 0, 0.0, 0.0, 0.0, 0.0, -2.5, bar.open_ms, 0)
    sub, settlement = settle_executed(new_sub_account(1_000.0), ASSET, RISK, bar, [paid])
    assert (sub.funding_quote, equity_quote(sub), settlement.funding_quote) == (-2.5, 997.5, -2.5)
