"""FIX Appendix D, F.1.b: an order sent again, the same id with another quantity, an id never seen."""

from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.trading.values import DUPLICATE_ID, OrderRefused
from tests.unit.exchange.books import SYMBOL, a_book, an_order


@pytest.mark.parametrize(("venue", "ids"), [("bybit", "always_unique"), ("binance", "unique_among_open")])
def test_the_four_steps_of_possible_resends_leave_two_orders(venue: str, ids: str) -> None:
    book = a_book(venue=venue, ids=ids)
    resting: dict[str, Any] = {"type": "limit", "price": "90"}
    first = book.place(an_order("X", quantity="10", **resting))
    with pytest.raises(OrderRefused, match=DUPLICATE_ID):  # the venues' word for "still one order"
        book.place(an_order("X", quantity="10", **resting))
    with pytest.raises(OrderRefused, match=DUPLICATE_ID):
        book.place(an_order("X", quantity="20", **resting))
    book.place(an_order("Y", quantity="15", **resting))
    shown = book.order_by_client_id(SYMBOL, "X")
    assert shown is not None and (shown.order_id, shown.quantity) == (first.order_id, Decimal(10))
    assert [order.client_id for order in book.open_orders()] == ["X", "Y"]
    assert book.facts()["sent"] == {"X": 3, "Y": 1}
    assert book.facts()["accepted"] == {"X": 1, "Y": 1}


def test_a_filled_id_is_refused_where_ids_are_always_unique() -> None:
    book = a_book()
    book.place(an_order("X"))
    with pytest.raises(OrderRefused, match=DUPLICATE_ID):
        book.place(an_order("X"))
    assert book.position(SYMBOL).quantity == 1


def test_a_filled_id_opens_a_second_position_where_ids_are_unique_among_open_orders() -> None:
    book = a_book(venue="binance")
    first, second = book.place(an_order("X")), book.place(an_order("X"))
    assert first.order_id != second.order_id
    assert book.position(SYMBOL).quantity == 2
    shown = book.order_by_client_id(SYMBOL, "X")
    assert shown is not None and shown.order_id == second.order_id


def test_conditional_orders_have_ids_of_their_own_only_where_the_venue_says_so() -> None:
    stop: dict[str, Any] = {"type": "stop_market", "trigger_price": "90", "reduce_only": True}
    binance, bybit = a_book(venue="binance"), a_book()
    for book in (binance, bybit):
        book.place(an_order("X", type="limit", price="90"))
    binance.place(an_order("X", side="sell", **stop))
    assert binance.order_by_client_id(SYMBOL, "X", conditional=True) is not None
    with pytest.raises(OrderRefused, match=DUPLICATE_ID):
        bybit.place(an_order("X", side="sell", **stop))
