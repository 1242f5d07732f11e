"""What is to be done next: leaving before protecting, protecting before anything else, and never naked."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.orders import (
    ENTRY,
    EXIT,
    INTENDED,
    PARTIAL,
    STATUSES,
    UNKNOWN,
    WORKING,
    Protection,
)
from engine_alpha.trading.duties import (
    GIVE_UP,
    LEAVE,
    NOTHING,
    PROTECT,
    RESOLVE,
    SEND,
    UNPROTECT,
    WAIT,
    Wish,
    closing_quantity,
    closing_side,
    duty_of,
    is_proved_missing,
)
from tests.unit.trading.scenes import (
    BAR_MS,
    ENTRY_ID,
    HOUR_MS,
    NOW_MS,
    a_moment,
    a_protection,
    a_state,
    an_order,
    held,
    unsent,
)

STAY = Wish(protection=a_protection())
FRESH = frozenset({ENTRY_ID})


def test_nothing_held_nothing_ordered_nothing_to_do() -> None:
    assert duty_of(a_state(), Wish(), a_moment()).kind == NOTHING
    assert duty_of(held(protection=a_protection()), STAY, a_moment()).kind == NOTHING


def test_an_entry_just_decided_is_sent() -> None:
    duty = duty_of(a_state(unsent(an_order())), Wish(), a_moment(unsent=FRESH))
    assert duty.kind == SEND


@pytest.mark.parametrize("status", [INTENDED, UNKNOWN])
def test_one_that_may_have_been_sent_is_looked_up(status: str) -> None:
    assert duty_of(a_state(an_order(status=status)), Wish(), a_moment()).kind == RESOLVE


def test_an_unknown_order_is_never_sent_even_if_this_process_made_it() -> None:
    assert duty_of(a_state(an_order(status=UNKNOWN)), Wish(), a_moment(unsent=FRESH)).kind == RESOLVE


def test_an_entry_that_comes_too_late_or_is_forbidden_is_given_up() -> None:
    state = a_state(unsent(an_order()))
    late = a_moment(unsent=FRESH, now_ms=BAR_MS + HOUR_MS + 300_000)
    assert duty_of(state, Wish(), late).kind == GIVE_UP
    assert duty_of(state, Wish(), a_moment(unsent=FRESH, may_enter=False)).kind == GIVE_UP


def test_an_exit_is_sent_however_late_and_whatever_forbids_entries() -> None:
    order = unsent(an_order(EXIT))
    moment = a_moment(
        unsent=frozenset({order.intent.client_id}), may_enter=False, now_ms=NOW_MS + 40 * HOUR_MS
    )
    assert duty_of(held(order), Wish(leave="time"), moment).kind == SEND


def test_a_position_is_protected_and_a_moved_stop_is_moved() -> None:
    assert duty_of(held(), STAY, a_moment()).kind == PROTECT
    assert duty_of(held(protection=a_protection("94")), STAY, a_moment()).kind == PROTECT
    wanted = Wish(protection=a_protection(target_price="120"))
    assert duty_of(held(protection=a_protection()), wanted, a_moment()).kind == PROTECT


def test_leaving_comes_before_protecting_and_does_not_wait_for_an_entry() -> None:
    assert duty_of(held(), Wish(leave="time", protection=a_protection()), a_moment()).kind == LEAVE
    stuck = an_order(ENTRY, status=PARTIAL)
    assert duty_of(held(stuck), Wish(leave="time"), a_moment()).kind == LEAVE


def test_one_exit_at_a_time() -> None:
    assert duty_of(held(an_order(EXIT)), Wish(leave="time"), a_moment()).kind == WAIT
    assert duty_of(held(an_order(EXIT, status=UNKNOWN)), Wish(leave="time"), a_moment()).kind == RESOLVE


def test_protection_left_over_is_taken_away_only_when_the_venue_is_flat_too() -> None:
    left = a_state(protection=a_protection())
    assert duty_of(left, Wish(), a_moment()).kind == UNPROTECT
    assert duty_of(replace(left, venue_base="2"), Wish(), a_moment()).kind == NOTHING


def test_what_the_venue_does_not_hold_is_not_acted_on() -> None:
    assert duty_of(held(venue_base="0", verdict="waiting"), STAY, a_moment()).kind == WAIT
    assert (
        duty_of(held(venue_base="-2", verdict="unexplained"), Wish(leave="time"), a_moment()).kind == NOTHING
    )


def test_an_exit_asks_for_ours_and_never_for_more_than_the_venue_holds() -> None:
    assert closing_quantity(held(venue_base="5")) == Decimal(2)
    assert closing_quantity(held(venue_base="1.5")) == Decimal("1.5")
    assert (closing_side(held()), closing_side(held(ours_base="-2"))) == ("sell", "buy")


def test_absence_is_proved_only_after_the_receive_window_by_the_venues_clock() -> None:
    assert not is_proved_missing(1_000, 7_000, proof_ms=6_000)
    assert is_proved_missing(1_000, 7_001, proof_ms=6_000)


statuses = st.sampled_from(STATUSES)
amounts = st.integers(-4, 4).map(lambda lots: str(Decimal(lots) / 2))
protections = st.one_of(
    st.none(), st.sampled_from(["", "94", "95"]).flatmap(
        lambda stop: st.sampled_from(["buy", "sell"]).map(lambda side: a_protection(stop, side=side))
    ),
)  # fmt: skip


@given(
    st.tuples(amounts, amounts), st.tuples(statuses, st.one_of(st.none(), statuses)),
    st.tuples(st.sampled_from(["0", "1", "2"]), protections),
    st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)),
    st.sampled_from([STAY, Wish(), Wish(leave="time")]),
)  # fmt: skip
def test_fills_without_a_stop_for_longer_than_the_limit_are_being_left(
    bases: tuple[str, str],
    orders: tuple[str, str | None],
    seen: tuple[str, Protection | None],
    times_ms: tuple[int, int],
    wish: Wish,
) -> None:
    (ours, venue), (entry, leaving), (naked_ms, uptime_ms) = bases, orders, times_ms
    known = [an_order(ENTRY, status=entry, told_base=seen[0])]
    known += [] if leaving is None else [an_order(EXIT, status=leaving)]
    state = a_state(
        *known, ours_base=ours, venue_base=venue, protection=seen[1], naked_since_ms=NOW_MS - naked_ms
    )
    moment = a_moment(started_ms=NOW_MS - uptime_ms)
    duty = duty_of(state, wish, moment)
    there = Decimal(ours) * Decimal(venue) > 0
    if there and min(naked_ms, uptime_ms) >= moment.naked_limit_ms:
        on_its_way = leaving in (WORKING, PARTIAL)
        unclear = leaving in (INTENDED, UNKNOWN)
        assert duty.kind == (WAIT if on_its_way else RESOLVE if unclear else LEAVE)
    elif there and wish is STAY and seen[1] is None:
        assert duty.kind == PROTECT
