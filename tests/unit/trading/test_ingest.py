"""What a venue tells, taken in: in any order, any number of times, whoever traded."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.orders import (
    ABSENT,
    ADL,
    BUY,
    CANCELLED,
    ENTRY,
    EXIT,
    FILLED,
    FUNDING,
    INTENDED,
    LIQUIDATION,
    PARTIAL,
    SELL,
    SETTLEMENT,
    STOP,
    STOPPED,
    TARGETED,
    TRADE,
    UNKNOWN,
    WORKING,
    VenueOrder,
    VenuePosition,
    client_id,
)
from engine_alpha.trading.ingest import (
    CONTRADICTION,
    foreign_orders,
    is_covered,
    tidied,
    with_execution,
    with_sight,
    with_told,
)
from engine_alpha.trading.state import LiveState, live_of, live_text
from tests.unit.trading.scenes import (
    BAR_MS,
    ENTRY_ID,
    EXIT_ID,
    HOUR_MS,
    NOW_MS,
    SYMBOL,
    a_protection,
    a_state,
    an_execution,
    an_order,
    held,
)


def told(status: str, filled: str = "0", **changes: object) -> VenueOrder:
    fields = {
        "symbol": SYMBOL, "client_id": ENTRY_ID, "order_id": "77", "side": BUY, "status": status,
        "quantity_base": "2", "filled_base": filled, "reduce_only": False, "conditional": False, **changes,
    }  # fmt: skip
    return VenueOrder(**fields)  # type: ignore[arg-type]


def test_fills_of_an_entry_make_the_position_in_whatever_parts_they_come() -> None:
    parts = [an_execution(str(n), quantity_base=q) for n, q in enumerate(("0.5", "1.2", "0.3"))]
    for order in permutations(parts):
        state = a_state(an_order())
        for part in order:
            state = with_execution(state, part)
        assert state.ours_base == "2"
        assert state.orders[0].status == FILLED
        assert not state.orders[0].awaits_fills
        assert {each.leg for each in state.booked} == {ENTRY}


@pytest.mark.parametrize("status", [INTENDED, UNKNOWN, WORKING, PARTIAL, CANCELLED])
def test_a_fill_before_the_acceptance_or_after_a_cancel_counts(status: str) -> None:
    state = with_execution(a_state(an_order(status=status)), an_execution())
    assert (state.orders[0].status, state.ours_base, state.frozen) == (FILLED, "2", "")


def test_the_venues_word_of_a_fill_waits_for_the_executions() -> None:
    state = a_state(an_order(status=UNKNOWN))
    state = with_told(state, state.orders[0], told(FILLED, "2"))
    assert state.orders[0].awaits_fills and not state.is_flat and state.entry_open
    state = with_execution(state, an_execution())
    assert not state.orders[0].awaits_fills and not state.entry_open


def test_a_partial_fill_that_was_then_cancelled_keeps_what_it_filled() -> None:
    state = a_state(an_order())
    state = with_told(state, state.orders[0], told(CANCELLED, "0.7"))
    assert state.orders[0].status == CANCELLED and state.entry_open
    state = with_execution(state, an_execution(quantity_base="0.7"))
    assert (state.ours_base, state.entry_open) == ("0.7", False)


def test_a_fill_of_what_was_proved_absent_freezes_the_asset_and_counts_all_the_same() -> None:
    state = with_execution(a_state(an_order(status=ABSENT)), an_execution())
    assert state.ours_base == "2"
    assert state.frozen.startswith(CONTRADICTION)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (STOPPED, "stop"), (TARGETED, "target"), (LIQUIDATION, "liquidation"), (ADL, "adl"),
        (SETTLEMENT, "settlement"), (TRADE, "manual"),
    ],
)  # fmt: skip
def test_what_closed_our_position_is_booked_with_its_reason(kind: str, reason: str) -> None:
    closing = an_execution("9", kind=kind, client_id="", side=SELL, quantity_base="0.5")
    state = with_execution(held(), closing)
    assert (state.ours_base, state.foreign_base) == ("1.5", "0")
    assert [(each.leg, each.reason) for each in state.booked] == [(EXIT, reason)]


def test_an_exit_of_ours_is_booked_with_the_reason_of_its_decision() -> None:
    leaving = an_execution("9", client_id=EXIT_ID, side=SELL)
    state = with_execution(held(an_order(EXIT)), leaving)
    assert (state.ours_base, state.booked[0].reason, state.orders[0].status) == ("0", "time", FILLED)


def test_a_persons_trade_opens_what_is_theirs_and_closing_it_touches_nothing_of_ours() -> None:
    theirs = an_execution("8", client_id="by hand", quantity_base="3")
    state = with_execution(held(), theirs)
    assert (state.ours_base, state.foreign_base, state.booked) == ("2", "3", ())
    back = an_execution("9", client_id="by hand", quantity_base="3", side=SELL)
    state = with_execution(state, back)
    assert (state.ours_base, state.foreign_base, state.booked) == ("2", "0", ())


def test_a_persons_trade_beyond_our_position_closes_ours_and_leaves_the_rest_theirs() -> None:
    state = with_execution(held(), an_execution("9", client_id="", side=SELL, quantity_base="5"))
    assert (state.ours_base, state.foreign_base) == ("0", "-3")
    assert state.booked[0].execution.quantity_base == "2"


def test_a_person_who_closed_our_entry_before_we_read_its_fill_leaves_nothing_behind() -> None:
    theirs = an_execution("8", client_id="", side=SELL, price="99", at_ms=NOW_MS - 1_000)
    state = with_execution(a_state(an_order()), theirs)
    assert (state.ours_base, state.foreign_base) == ("0", "-2")
    state = with_execution(state, an_execution(at_ms=NOW_MS - 500))
    assert (state.ours_base, state.foreign_base) == ("0", "0")
    entry, closing = state.booked
    assert (entry.leg, closing.leg, closing.reason) == (ENTRY, EXIT, "manual")
    assert (closing.execution.price, closing.execution.at_ms) == ("99", NOW_MS - 500)


def test_an_order_that_only_looks_like_ours_is_no_entry() -> None:
    stray = an_execution("9", client_id=client_id(SYMBOL, "1h", BAR_MS - HOUR_MS, ENTRY))
    state = with_execution(a_state(), stray)
    assert (state.ours_base, state.foreign_base, state.booked) == ("0", "2", ())


def test_funding_of_a_strangers_position_is_not_ours() -> None:
    paid = an_execution("f", kind=FUNDING, client_id="", side="", quantity_base="0", received_quote="-1.5")
    assert with_execution(a_state(foreign_base="3"), paid).booked == ()
    assert with_execution(held(), paid).booked[0].leg == FUNDING


sides = st.sampled_from([BUY, SELL])
kinds = st.sampled_from([STOPPED, TARGETED, LIQUIDATION, ADL, SETTLEMENT, TRADE])
owners = st.sampled_from(["", "by hand", ENTRY_ID, EXIT_ID])


@given(st.lists(st.tuples(kinds, owners, sides, st.integers(1, 40)), max_size=15))
def test_what_is_ours_and_what_is_others_adds_up_to_all_that_was_executed(
    trades: list[tuple[str, str, str, int]],
) -> None:
    state: LiveState = a_state(an_order(), an_order(EXIT))
    total = Decimal(0)
    for number, (kind, owner, side, lots) in enumerate(trades):
        quantity = str(Decimal(lots) / 10)
        one = an_execution(str(number), kind=kind, client_id=owner, side=side, quantity_base=quantity)
        state = with_execution(state, one)
        total += one.signed_base
    assert state.position + Decimal(state.foreign_base) == total
    booked = [each for each in state.booked if each.leg in (ENTRY, EXIT)]
    assert sum((each.execution.signed_base for each in booked), Decimal(0)) == state.position
    assert live_of(live_text(state)) == state


def a_position(quantity: str = "2", stop: str = "95") -> VenuePosition:
    return VenuePosition(symbol=SYMBOL, quantity_base=quantity, stop_price=stop)


def a_stop(trigger: str = "95", quantity: str = "2", created_ms: int = 1) -> VenueOrder:
    return told(
        WORKING, client_id=client_id(SYMBOL, "1h", BAR_MS, STOP, trigger), side=SELL, conditional=True,
        trigger_price=trigger, quantity_base=quantity, created_ms=created_ms, reduce_only=True,
    )  # fmt: skip


def test_a_stop_that_hangs_on_the_position_covers_it() -> None:
    seen = with_sight(held(), a_position(), [], NOW_MS)
    assert is_covered(seen) and seen.naked_since_ms == 0


def test_our_own_stop_orders_cover_it_if_they_are_large_enough_and_on_the_right_side() -> None:
    position = a_position(stop="")
    assert is_covered(with_sight(held(), position, [a_stop()], NOW_MS))
    assert not is_covered(with_sight(held(), position, [a_stop(quantity="1.9")], NOW_MS))
    short = with_sight(held(ours_base="-2", venue_base="-2"), a_position("-2", ""), [a_stop()], NOW_MS)
    assert not is_covered(short)


def test_of_two_stops_the_newest_counts() -> None:
    seen = with_sight(held(), a_position(stop=""), [a_stop("96", created_ms=9), a_stop("95")], NOW_MS)
    assert seen.protection is not None and seen.protection.stop_price == "96"


def test_the_time_without_a_stop_is_measured_from_the_fill_to_the_stop() -> None:
    filled = with_execution(a_state(an_order()), an_execution(at_ms=NOW_MS - 2_000))
    naked = with_sight(filled, a_position(stop=""), [], NOW_MS)
    assert naked.naked_since_ms == NOW_MS - 2_000
    still = with_sight(naked, a_position(stop=""), [], NOW_MS + 500)
    assert still.naked_since_ms == NOW_MS - 2_000
    covered = with_sight(still, a_position(), [], NOW_MS + 1_000)
    assert (covered.naked_since_ms, covered.unprotected_ms) == (0, 3_000)


def test_orders_of_others_are_seen_and_ours_are_not_among_them() -> None:
    strangers = [told(WORKING, client_id=""), told(WORKING, client_id="web_123")]
    assert foreign_orders(SYMBOL, [*strangers, a_stop(), told(WORKING)]) == strangers
    assert foreign_orders("BTCUSDT", strangers) == []


def test_a_finished_order_is_remembered_for_late_fills_and_forgotten_then() -> None:
    state = a_state(an_order(status=FILLED, told_base="2", filled_base="2"), leave="flatten")
    assert len(tidied(state, HOUR_MS, NOW_MS).orders) == 1
    later = tidied(state, HOUR_MS, NOW_MS + 4 * HOUR_MS)
    assert (later.orders, later.leave) == ((), "")
    awaiting = a_state(an_order(status=FILLED, told_base="2", filled_base="1"))
    assert len(tidied(awaiting, HOUR_MS, NOW_MS + 40 * HOUR_MS).orders) == 1


def test_a_wish_to_leave_stays_while_anything_is_held() -> None:
    assert tidied(held(leave="flatten", protection=a_protection()), HOUR_MS, NOW_MS).leave == "flatten"
