"""The order table: what may follow what, and what can't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.orders import (
    ABSENT,
    ACK,
    CANCEL,
    CANCELLED,
    FILLED,
    FULL,
    HAPPENINGS,
    INTENDED,
    LEGS,
    MISSING,
    OPEN,
    PART,
    PARTIAL,
    REJECT,
    REJECTED,
    STATUSES,
    TRANSITIONS,
    UNCLEAR,
    UNKNOWN,
    WORKING,
    client_id,
    client_id_leg,
    is_legal,
    is_ours,
    transition,
)
from engine_alpha.errors import BrokenPromise

ILLEGAL = [
    *[(PARTIAL, REJECT), (FILLED, REJECT), (CANCELLED, REJECT)],
    *[(REJECTED, PART), (REJECTED, FULL), (REJECTED, CANCEL)],
    *[(ABSENT, each) for each in (ACK, PART, FULL, CANCEL, REJECT)],
]


def test_the_table_names_every_pair_that_is_not_a_contradiction() -> None:
    every = {(status, happening) for status in STATUSES for happening in HAPPENINGS}
    assert every - set(TRANSITIONS) == set(ILLEGAL)


@pytest.mark.parametrize(("status", "happening"), ILLEGAL)
def test_a_contradiction_raises(status: str, happening: str) -> None:
    assert not is_legal(status, happening)
    with pytest.raises(BrokenPromise, match=f"an order that is {status} can't {happening}"):
        transition(status, happening)


@pytest.mark.parametrize(
    ("before", "happening", "after"),
    [
        (INTENDED, FULL, FILLED),  # filled before its acceptance was told
        (FILLED, ACK, FILLED),
        (FILLED, PART, FILLED),  # an older message after a newer one
        (FILLED, CANCEL, FILLED),  # the cancel lost the race
        (CANCELLED, FULL, FILLED),  # the fill won it
        (CANCELLED, PART, CANCELLED),  # keeps its fills
        (PARTIAL, CANCEL, CANCELLED),
        (WORKING, REJECT, REJECTED),  # accepted for processing, refused by the engine
        (REJECTED, ACK, REJECTED),
        (INTENDED, UNCLEAR, UNKNOWN),
        (UNKNOWN, MISSING, ABSENT),
        (WORKING, MISSING, CANCELLED),
    ],
)
def test_what_people_forget(before: str, happening: str, after: str) -> None:
    assert transition(before, happening) == after


def test_what_is_over_stays_over_but_for_a_fill_that_won_the_race() -> None:
    for (status, happening), after in TRANSITIONS.items():
        if status not in OPEN:
            assert after == status or (status, happening, after) == (CANCELLED, FULL, FILLED)


def test_only_a_look_up_that_found_nothing_proves_an_order_absent() -> None:
    assert {pair for pair, after in TRANSITIONS.items() if after == ABSENT} == {
        (INTENDED, MISSING), (UNKNOWN, MISSING), (ABSENT, MISSING), (ABSENT, UNCLEAR),
    }  # fmt: skip


@given(
    st.lists(st.sampled_from(HAPPENINGS), max_size=12),
    st.lists(st.sampled_from((ACK, PART, FULL)), max_size=4),
)
def test_told_twice_is_told_once(happenings: list[str], repeated: list[str]) -> None:
    status = INTENDED
    for happening in happenings:
        if is_legal(status, happening):
            status = transition(status, happening)
            assert not is_legal(status, happening) or transition(status, happening) == status


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20), st.integers(0, 2**42),
    st.sampled_from(LEGS), st.text(max_size=10),
)  # fmt: skip
def test_an_id_is_a_function_of_the_decision_and_fits_both_venues(
    symbol: str, bar_ms: int, leg: str, detail: str
) -> None:
    identifier = client_id(symbol, "1h", bar_ms, leg, detail)
    assert identifier == client_id(symbol, "1h", bar_ms, leg, detail)
    assert len(identifier) == 32
    assert identifier.isascii() and identifier.replace("-", "").isalnum()
    assert is_ours(identifier) and client_id_leg(identifier) == leg
    assert identifier != client_id(symbol, "1h", bar_ms + 1, leg, detail)
    assert identifier != client_id(symbol, "1h", bar_ms, leg, detail + "x")
    assert client_id_leg("x-cvBPrNm9-en123") == ""
