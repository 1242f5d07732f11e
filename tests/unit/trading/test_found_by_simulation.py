"""What seeds of the simulator brought out, as small as it can be told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine_alpha.domain.orders import INTENDED, OrderIntent, VenueOrder, VenuePosition
from engine_alpha.errors import VenueBusy
from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.loop.clocks import FixedClock
from engine_alpha.trading.acting import Client, act, intend_exit
from engine_alpha.trading.duties import Wish
from engine_alpha.trading.live_book import LiveBook, TradingLimits
from engine_alpha.trading.looking import look
from engine_alpha.trading.state import LiveState
from engine_alpha.trading.wishing import Brief
from tests.unit.trading.scenes import BAR_MS, HOUR_MS, NOW_MS, SYMBOL, a_state, an_order, held

BRIEF = Brief(
    symbol=SYMBOL, venue="bybit", timeframe="1h", timeframe_ms=HOUR_MS, bar_ms=BAR_MS, lot_base="0.01",
    min_quantity_base="0.01", may_enter=True,
)  # fmt: skip


class FlatVenue:
    """A venue where nothing is held; `busy`: it answers no question."""

    name, stop_rides_entry, proof_ms = "bybit", True, 6_000

    def __init__(self, busy: bool = False, positions: Mapping[str, VenuePosition] | None = None) -> None:
        self.busy = busy
        self.held = positions or {}
        self.placed: list[OrderIntent] = []

    async def positions(self) -> Mapping[str, VenuePosition]:
        if self.busy:
            raise VenueBusy("busy")
        return self.held

    async def open_orders(self, symbol: str = "") -> Sequence[VenueOrder]:
        return []

    async def executions(self, _symbol: str, _since_ms: int) -> Sequence[Any]:
        return []

    async def find(self, _intent: OrderIntent) -> VenueOrder | None:
        return None

    async def place(self, intent: OrderIntent) -> VenueOrder:
        self.placed.append(intent)
        raise VenueBusy("busy")


def a_book(state: LiveState, venue: Any) -> LiveBook:
    return LiveBook(
        journal=MemoryJournal(),
        clock=FixedClock(NOW_MS),
        venues={"bybit": venue},
        limits=TradingLimits(),
        started_ms=NOW_MS,
        states={SYMBOL: state},
    )


def test_an_exit_after_forgotten_ones_has_an_id_of_its_own() -> None:
    """While bars stay away the last decided bar stands still, and finished orders are forgotten by time."""
    state = held()
    book = a_book(state, FlatVenue())
    first = intend_exit(book, BRIEF, state, "time")
    second = intend_exit(book, BRIEF, replace(first, orders=()), "time")
    assert first.orders[-1].intent.client_id != second.orders[-1].intent.client_id


async def test_where_nobody_holds_anything_no_difference_is_left() -> None:
    """A person's position from before the first look was never read, its end was."""
    state = a_state(foreign_base="-0.955", differs_since_ms=NOW_MS - 60_000, frozen="unexplained: …")
    book = a_book(state, FlatVenue())
    await look(book, [BRIEF])
    after = book.state(SYMBOL, "bybit")
    assert (after.verdict, after.frozen, after.foreign_base) == ("agrees", "", "0")


async def test_where_only_we_hold_anything_no_difference_is_left() -> None:
    """A person opened and closed between two looks, and only the end lay within what is read again."""
    ours = held()
    state = replace(ours, foreign_base="-1.12", differs_since_ms=NOW_MS - 60_000, frozen="unexplained: …")
    position = VenuePosition(symbol=SYMBOL, quantity_base=ours.ours_base, entry_price="100")
    book = a_book(state, FlatVenue(positions={SYMBOL: position}))
    await look(book, [BRIEF])
    after = book.state(SYMBOL, "bybit")
    assert (after.verdict, after.frozen, after.foreign_base) == ("agrees", "", "0")
    assert after.ours_base == ours.ours_base


async def test_no_entry_is_sent_after_a_look_that_failed() -> None:
    """What was known before may be long over: another position may stand there now."""
    order = an_order(status=INTENDED)
    venue = FlatVenue(busy=True)
    book = a_book(a_state(order), venue)
    book.unsent.add(order.intent.client_id)
    await look(book, [BRIEF])
    await act(book, [Client(brief=lambda: BRIEF, wish=lambda _state: Wish())])
    assert venue.placed == []
    venue.busy = False
    await look(book, [BRIEF])
    await act(book, [Client(brief=lambda: BRIEF, wish=lambda _state: Wish())])
    assert [intent.client_id for intent in venue.placed][:1] == [order.intent.client_id]
