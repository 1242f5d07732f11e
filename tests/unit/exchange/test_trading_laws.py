"""Laws of the book under any sequence of orders, stops, time and other people's deeds."""

from decimal import Decimal
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.exchange.candles import HOUR_MS
from tests.exchange.trading.values import BUY, FUNDING, OrderRefused, sign_of
from tests.unit.exchange.books import SYMBOL, Row, a_book, a_listing, after, an_order

NEXT = {
    "New": {"PartiallyFilled", "Filled", "Cancelled", "Rejected"},
    "Untriggered": {"PartiallyFilled", "Filled", "Cancelled", "Rejected"},
    "PartiallyFilled": {"Filled", "Cancelled"},
}
BARS = 200
quantities = st.integers(min_value=50, max_value=2_000).map(lambda lots: Decimal(lots) / 1_000)
sides = st.sampled_from(("buy", "sell"))


def wild_rows(seed: int) -> list[Row]:
    random, price, rows = Random(seed), 100.0, []
    for _ in range(BARS):
        close = round(max(price * (1.0 + random.gauss(0.0, 0.02)), 1.0), 1)
        high, low = (
            max(price, close) + round(random.random(), 1),
            min(price, close) - round(random.random(), 1),
        )
        rows.append((price, round(high, 1), round(low, 1), close))
        price = close
    return rows


class BookLaws(RuleBasedStateMachine):
    """Plays with one book; the laws are the invariants."""

    @initialize(seed=st.integers(0, 1_000), venue=st.sampled_from(("bybit", "binance")))
    def begin(self, seed: int, venue: str) -> None:
        funding = [(after(i), 0.0003 if i % 2 else -0.0005) for i in range(0, BARS, 3)]
        self.book = a_book(listing=a_listing(wild_rows(seed), funding=funding), venue=venue)
        self.number = 0
        self.seen: dict[str, str] = {}

    def _place(self, **changes: object) -> None:
        self.number += 1
        before = self.book.state.position(SYMBOL).side
        reduces = bool(changes.get("reduce_only"))
        try:
            self.book.place(an_order(f"o{self.number}", **changes))  # type: ignore[arg-type]
        except OrderRefused:
            return
        if reduces:
            assert self.book.state.position(SYMBOL).side in (0, before)

    @rule(side=sides, quantity=quantities, reduce_only=st.booleans())
    def trade(self, side: str, quantity: Decimal, reduce_only: bool) -> None:
        self._place(side=side, quantity=str(quantity), reduce_only=reduce_only)

    @rule(
        side=sides,
        quantity=quantities,
        away=st.integers(1, 60),
        kind=st.sampled_from(("stop", "take_profit")),
    )
    def wait(self, side: str, quantity: Decimal, away: int, kind: str) -> None:
        up = (side == BUY) == (kind == "stop")
        price = Decimal(str(self.book.mark_price(SYMBOL))) + (1 if up else -1) * Decimal(away) / 10
        self._place(
            side=side, quantity=str(quantity), type=f"{kind}_market", trigger_price=price, reduce_only=True
        )

    @rule(side=sides, quantity=quantities, away=st.integers(-30, 30))
    def rest(self, side: str, quantity: Decimal, away: int) -> None:
        price = Decimal(str(self.book.mark_price(SYMBOL))) + Decimal(away) / 10
        self._place(side=side, quantity=str(quantity), type="limit", price=price)

    @rule(away=st.integers(1, 60), takes=st.booleans())
    def hang(self, away: int, takes: bool) -> None:
        price = Decimal(str(self.book.mark_price(SYMBOL)))
        far = self.book.state.position(SYMBOL).side * Decimal(away) / 10
        wish = {"target": price + far} if takes else {"stop": price - far}
        if self.book.venue == "bybit" and self.book.position(SYMBOL).quantity:
            self.book.set_position_stops(SYMBOL, **wish)

    @rule(minutes=st.integers(1, 300))
    def pass_time(self, minutes: int) -> None:
        self.book.advance(min(self.book.now_ms + minutes * 60_000, after(BARS) - HOUR_MS))

    @rule(parts=st.integers(1, 3), share=st.sampled_from(("1", "0.5")), delay_ms=st.sampled_from((0, 5_000)))
    def turn(self, parts: int, share: str, delay_ms: int) -> None:
        self.book.dials.set(partial_parts=parts, partial_share=share, ack_delay_ms=delay_ms)

    @rule()
    def deleverage(self) -> None:
        if self.book.state.position(SYMBOL).quantity:
            self.book.adl(SYMBOL)

    @invariant()
    def the_position_is_the_sum_of_its_fills(self) -> None:
        trades = [f for f in self.book.fills if f.exec_type != FUNDING]
        total = sum((sign_of(f.side) * f.quantity for f in trades), Decimal(0))
        assert self.book.state.position(SYMBOL).quantity == total

    @invariant()
    def the_wallet_is_what_was_realised_less_fees_plus_funding(self) -> None:
        moves = (f.realised_quote - f.fee + f.received_quote for f in self.book.fills)
        assert abs(self.book.wallet - Decimal(10_000) - sum(moves, Decimal(0))) < Decimal("1e-15")

    @invariant()
    def no_order_is_filled_beyond_its_quantity_nor_changes_once_closed(self) -> None:
        for order in self.book.state.orders.values():
            assert order.filled <= order.quantity
            before = self.seen.get(order.order_id, order.status)
            if before != order.status:
                assert order.status in NEXT[before]
            self.seen[order.order_id] = order.status

    @invariant()
    def what_hangs_on_a_position_has_its_size(self) -> None:
        position = self.book.state.position(SYMBOL)
        children = [each for each in self.book.state.open.values() if each.is_child]
        assert all(each.quantity == abs(position.quantity) for each in children)
        assert len(children) == (position.stop is not None) + (position.target is not None)

    @invariant()
    def execution_ids_are_unique(self) -> None:
        ids = [fill.exec_id for fill in self.book.fills]
        assert len(ids) == len(set(ids))


BookLaws.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestBookLaws = BookLaws.TestCase
