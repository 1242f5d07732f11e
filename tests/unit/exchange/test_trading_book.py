"""The book: what is taken, when it shows, what fills, what hangs on positions, and what is forgotten."""

from decimal import Decimal
from typing import Any

import pytest

from engine_alpha.kernel.values import Tier
from tests.exchange.trading.rules import DAY_MS
from tests.exchange.trading.values import (
    ADL,
    BAD_PRICE,
    BUST,
    FUNDING,
    LEVERAGE_OVER_MAXIMUM,
    REDUCE_ONLY_FLAT,
    SETTLE,
    BookOrder,
    OrderRefused,
)
from tests.makers import an_asset
from tests.unit.exchange.books import QUIET, START_MS, SYMBOL, a_book, a_listing, after, an_order

FALLS = (100.0, 101.0, 92.0, 93.0)
RISES = (100.0, 112.0, 99.0, 111.0)
SELLS: dict[str, Any] = {"side": "sell", "reduce_only": True}
RESTING: dict[str, Any] = {"type": "limit", "price": "93"}


def test_a_market_order_fills_at_the_open_of_the_bar_that_is_forming() -> None:
    book = a_book((QUIET, (103.0, 120.0, 80.0, 81.0), QUIET))
    book.advance(after(1.5))
    book.place(an_order())
    (fill,) = book.executions(SYMBOL, 0, after(2))
    assert (fill.price, fill.at_ms) == (Decimal(103), after(1.5))


def test_an_order_whose_acceptance_is_slow_shows_and_fills_only_when_it_was_processed() -> None:
    book = a_book()
    book.dials.set(ack_delay_ms=700)
    book.place(an_order())
    assert book.order_by_client_id(SYMBOL, "a") is None and book.open_orders() == []
    book.advance(START_MS + 699)
    assert book.order_by_client_id(SYMBOL, "a") is None
    book.advance(START_MS + 700)
    assert status(book.order_by_client_id(SYMBOL, "a")) == "Filled"
    assert book.fills[0].at_ms == START_MS + 700


def test_an_order_may_be_accepted_and_then_rejected() -> None:
    book = a_book()
    book.place(an_order("in"))
    book.dials.set(ack_delay_ms=10)
    book.place(an_order("out", **SELLS))
    book.place(an_order("late", **SELLS))
    book.advance(START_MS + 10)
    late = book.order_by_client_id(SYMBOL, "late")
    assert late is not None and (late.status, late.reason) == ("Rejected", REDUCE_ONLY_FLAT)
    assert book.position(SYMBOL).quantity == 0


def test_what_happened_shows_only_after_it_has_spread() -> None:
    book = a_book()
    book.dials.set(propagation_ms=500)
    book.place(an_order())
    book.advance(START_MS + 499)
    assert book.order_by_client_id(SYMBOL, "a") is None
    assert book.executions(SYMBOL, 0, after(1)) == []
    assert book.position(SYMBOL).quantity == 0 and book.positions() == []
    book.advance(START_MS + 500)
    assert status(book.order_by_client_id(SYMBOL, "a")) == "Filled"
    assert len(book.executions(SYMBOL, 0, after(1))) == 1
    assert book.position(SYMBOL).quantity == 1


def test_a_closed_order_shows_as_open_until_its_end_has_spread() -> None:
    book = a_book()
    order = book.place(an_order(**RESTING))
    book.dials.set(propagation_ms=500)
    book.cancel(order)
    assert [each.client_id for each in book.open_orders()] == ["a"]
    book.advance(START_MS + 500)
    assert book.open_orders() == []


def test_a_market_order_may_come_in_parts_at_one_price() -> None:
    book = a_book()
    book.dials.set(partial_parts=3)
    order = book.place(an_order(quantity="1"))
    assert [fill.quantity for fill in book.fills] == [Decimal("0.333"), Decimal("0.333"), Decimal("0.334")]
    assert (order.status, order.filled, order.avg_price) == ("Filled", Decimal(1), Decimal(100))


def test_the_rest_of_a_market_order_is_cancelled_and_keeps_its_fills() -> None:
    book = a_book()
    book.dials.set(partial_share="0.4", partial_times=1)
    order = book.place(an_order(stop_loss="95"))
    assert (order.status, order.filled) == ("Cancelled", Decimal("0.4"))
    assert book.open_orders()[0].quantity == Decimal("0.4")
    assert book.place(an_order("b")).status == "Filled"


def test_a_post_only_order_that_would_trade_is_accepted_and_cancelled() -> None:
    order = a_book().place(an_order(type="limit", price="101", post_only=True))
    assert (order.status, order.reason, order.filled) == ("Cancelled", "post_only_would_take", Decimal(0))


def test_a_limit_order_rests_until_a_bar_reaches_it() -> None:
    book = a_book((QUIET, FALLS, QUIET))
    order = book.place(an_order(**RESTING))
    book.advance(after(1))
    assert order.status == "New"
    book.advance(after(2))
    assert (order.status, order.avg_price) == ("Filled", Decimal(93))


def test_a_reduce_only_order_never_turns_a_position_round() -> None:
    book = a_book()
    book.place(an_order(quantity="0.3"))
    order = book.place(an_order("out", quantity="1", **SELLS))
    assert (order.status, order.filled, order.reason) == ("Cancelled", Decimal("0.3"), "reduce_only_excess")
    assert book.position(SYMBOL).quantity == 0
    with pytest.raises(OrderRefused, match=REDUCE_ONLY_FLAT):
        book.place(an_order("again", **SELLS))


def test_a_stop_counts_for_the_bar_in_which_it_was_placed() -> None:
    book = a_book((FALLS, QUIET))
    book.place(an_order())
    book.advance(after(0.99))
    book.set_position_stops(SYMBOL, stop=Decimal(95))
    book.advance(after(1))
    assert [(f.price, f.at_ms) for f in book.fills[1:]] == [(Decimal(95), after(1) - 1)]


def test_a_stop_placed_at_a_bars_close_does_not_count_for_it() -> None:
    book = a_book((FALLS, QUIET, QUIET))
    book.place(an_order())
    book.advance(after(1))
    book.set_position_stops(SYMBOL, stop=Decimal(95))
    book.advance(after(2))
    assert book.position(SYMBOL).quantity == 1


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    book = a_book((QUIET, (92.0, 93.0, 91.0, 92.0), QUIET))
    book.place(an_order(stop_loss="95"))
    book.advance(after(2))
    assert [(f.price, f.at_ms) for f in book.fills[1:]] == [(Decimal(92), after(1))]


def test_a_stop_is_taken_before_a_target_that_the_same_bar_reaches() -> None:
    book = a_book((QUIET, (100.0, 112.0, 92.0, 100.0), QUIET))
    book.place(an_order(stop_loss="95", take_profit="110"))
    book.advance(after(2))
    assert [f.price for f in book.fills[1:]] == [95]
    assert book.open_orders() == []


def test_a_target_is_not_taken_on_the_bar_of_the_entry() -> None:
    book = a_book((RISES, RISES, QUIET))
    book.place(an_order(take_profit="110"))
    book.advance(after(1))
    assert len(book.fills) == 1
    book.advance(after(2))
    assert [f.price for f in book.fills[1:]] == [110]


def test_binance_stops_stay_when_the_position_has_gone() -> None:
    book = a_book((QUIET, RISES, FALLS, QUIET), "binance")
    book.place(an_order())
    stop = book.place(
        an_order("s", quantity="0", type="stop_market", trigger_price="95", close_position=True, side="sell")
    )
    book.place(an_order("t", type="take_profit_market", trigger_price="110", **SELLS))
    book.advance(after(2))
    assert [f.price for f in book.fills[1:]] == [110]
    assert [each.client_id for each in book.open_orders()] == ["s"]
    book.advance(after(3))
    assert (stop.status, stop.reason) == ("Cancelled", REDUCE_ONLY_FLAT)


def test_a_stop_off_the_tick_is_refused() -> None:
    book = a_book()
    book.place(an_order())
    with pytest.raises(OrderRefused, match=BAD_PRICE):
        book.set_position_stops(SYMBOL, stop=Decimal("95.05"))


@pytest.mark.parametrize(("side", "price"), [("buy", 39_396.984925), ("sell", 40_597.014925)])
def test_liquidation_price_is_that_of_the_published_example(side: str, price: float) -> None:
    asset = an_asset(tiers=(Tier(0.0, 0.005, 0.0),))
    book = a_book(((40_000.0,) * 4,) * 2, asset=asset, wallet_quote=100_000.0)
    book.set_leverage(SYMBOL, Decimal(50))
    book.place(an_order(side=side))
    assert book.position(SYMBOL).liquidation_price == pytest.approx(price, abs=1e-6)


def test_a_mark_at_the_liquidation_price_costs_the_whole_margin() -> None:
    marks = [(100.0, 101.0, 85.0, 100.0)] * 2
    book = a_book(listing=a_listing((QUIET, QUIET), marks=marks))
    book.place(an_order(stop_loss="95"))
    book.advance(after(1))
    fill = book.fills[-1]
    assert (fill.exec_type, fill.price, fill.client_id, fill.realised_quote) == (
        BUST,
        Decimal(90),
        "",
        Decimal(-10),
    )
    assert book.open_orders() == []


@pytest.mark.parametrize(("side", "received"), [("buy", "-6"), ("sell", "6")])
def test_a_long_of_one_coin_at_sixty_thousand_pays_six(side: str, received: str) -> None:
    listing = a_listing(((60_000.0,) * 4,) * 3, funding=[(after(1), 0.0001)])
    book = a_book(listing=listing, wallet_quote=100_000.0)
    book.place(an_order(side=side))
    before = book.wallet
    book.advance(after(2))
    (fill,) = [each for each in book.fills if each.exec_type == FUNDING]
    assert (fill.received_quote, fill.at_ms, fill.client_id) == (Decimal(received), after(1), "")
    assert book.wallet - before == Decimal(received)


def test_funding_of_the_instant_of_an_entry_is_not_due_and_that_of_an_exit_is() -> None:
    listing = a_listing((QUIET,) * 4, funding=[(after(1), 0.01), (after(2), 0.02)])
    book = a_book(listing=listing)
    book.advance(after(1))
    book.place(an_order())
    book.advance(after(2))
    book.place(an_order("out", **SELLS))
    book.advance(after(3))
    assert [f.received_quote for f in book.fills if f.exec_type == FUNDING] == [Decimal(-2)]


def test_adl_takes_a_part_of_a_position_without_a_client_id() -> None:
    book = a_book()
    book.place(an_order(stop_loss="95"))
    fill = book.adl(SYMBOL, Decimal("0.4"))
    assert (fill.exec_type, fill.client_id, fill.side) == (ADL, "", "sell")
    assert book.open_orders()[0].quantity == Decimal("0.6")


def test_a_delisting_cancels_orders_and_settles_without_an_order() -> None:
    book = a_book((QUIET, QUIET, (104.0,) * 4))
    book.place(an_order(stop_loss="95"))
    resting = book.place(an_order("r", **RESTING))
    book.delist(SYMBOL, after(2))
    with pytest.raises(OrderRefused, match="delisting"):
        book.place(an_order("b"))
    book.advance(after(2))
    fill = book.fills[-1]
    assert (fill.exec_type, fill.price) == (SETTLE, Decimal(104)) and fill.order is None
    assert (resting.status, book.open_orders(), book.order_by_id(fill.order_id)) == ("Cancelled", [], None)
    with pytest.raises(OrderRefused, match="not_trading"):
        book.place(an_order("c", **SELLS))


def test_a_manual_trade_has_no_client_id_and_stops_may_go_by_hand() -> None:
    book = a_book()
    book.place(an_order(stop_loss="95"))
    book.manual(SYMBOL, "buy", Decimal("0.5"))
    assert (book.fills[-1].client_id, book.position(SYMBOL).quantity) == ("", Decimal("1.5"))
    assert book.cancel_stops(SYMBOL) == 1
    assert book.position(SYMBOL).stop is None and book.open_orders() == []


def test_leverage_moves_the_liquidation_price_and_has_a_maximum() -> None:
    book = a_book()
    book.place(an_order())
    near = book.position(SYMBOL).liquidation_price
    assert book.set_leverage(SYMBOL, Decimal(3)) and not book.set_leverage(SYMBOL, Decimal(3))
    assert 0.0 < book.position(SYMBOL).liquidation_price < near
    with pytest.raises(OrderRefused, match=LEVERAGE_OVER_MAXIMUM):
        book.set_leverage(SYMBOL, Decimal(101))


def test_binance_forgets_an_order_without_fills_after_three_days() -> None:
    book = a_book((QUIET,) * 100, "binance")
    order = book.place(an_order(**RESTING))
    book.place(an_order("kept"))
    book.cancel(order)
    book.advance(START_MS + 3 * DAY_MS)
    assert status(book.order_by_client_id(SYMBOL, "a")) == "Cancelled"
    book.advance(START_MS + 3 * DAY_MS + 1)
    assert book.order_by_client_id(SYMBOL, "a") is None
    assert book.order_by_client_id(SYMBOL, "kept") is not None


def test_two_books_of_one_market_move_its_clock_together() -> None:
    first = a_book(venue="bybit")
    second = type(first)(first.market, "binance", 100.0)
    first.advance(after(2))
    assert first.market.clock.now_ms() == after(2)
    second.advance(first.market.clock.now_ms())
    assert second.now_ms == after(2)


def status(order: BookOrder | None) -> str:
    assert order is not None
    return order.status
