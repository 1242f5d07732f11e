"""What Binance tells of the book's orders: regular and algo orders are two kinds with numbers of their own.

A conditional order of the book is one object. The venue tells it as an algo order; what its trigger sent to
the matching engine is a regular order with a number of its own. Settlements are regular orders too.
"""

from dataclasses import dataclass
from decimal import Decimal

from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.values import (
    BY_USER,
    CANCELLED,
    FILLED,
    LIMIT,
    NEW,
    PARTIALLY_FILLED,
    REDUCE_ONLY_FLAT,
    REJECTED,
    SETTLE,
    TRIGGERED,
    UNTRIGGERED,
    ZERO,
    BookFill,
    BookOrder,
)

DAY_MS = 86_400_000
UNFILLED_MEMORY_MS, MEMORY_MS = 3 * DAY_MS, 90 * DAY_MS
OPEN_STATUSES = ("NEW", "PARTIALLY_FILLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A regular order as the venue tells it."""

    order_id: str
    client_id: str
    symbol: str
    side: str
    type: str
    time_in_force: str
    status: str
    quantity: Decimal
    filled: Decimal
    avg_price: Decimal
    price: Decimal
    reduce_only: bool
    close_position: bool
    created_ms: int
    updated_ms: int

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


def is_forgotten(status: str, filled: Decimal, created_ms: int, now_ms: int) -> bool:
    """Say whether a query no longer finds an order: both spans of the pages begin at its creation."""
    if created_ms + MEMORY_MS < now_ms:
        return True
    unfilled = status in ("CANCELED", "EXPIRED") and not filled
    return unfilled and created_ms + UNFILLED_MEMORY_MS < now_ms


def order_status(order: BookOrder) -> str:
    """Return a regular order's status in the venue's words."""
    if order.status in (NEW, UNTRIGGERED, TRIGGERED):
        return "NEW"
    if order.status == PARTIALLY_FILLED:
        return "PARTIALLY_FILLED"
    if order.status == FILLED:
        return "FILLED"
    return "CANCELED" if order.status == CANCELLED and order.reason == BY_USER else "EXPIRED"


def algo_status(order: BookOrder) -> str:
    """Return an algo order's status: once triggered it is FINISHED when what it sent has ended."""
    if order.status == REJECTED or order.reason == REDUCE_ONLY_FLAT:
        return "REJECTED"
    if order.status == UNTRIGGERED:
        return "NEW"
    if sent_order_id(order):
        return "TRIGGERED" if order.is_open else "FINISHED"
    return "CANCELED" if order.reason == BY_USER else "EXPIRED"


def sent_order_id(order: BookOrder) -> str:
    """Return the number of the order that a trigger sent; "" before it, or if the engine refused it."""
    return "" if order.status == REJECTED else order.actual_order_id


class BinanceRecords:
    """The book's orders as the venue's queries show them now.

    `children_keep_ids`: whether the order that a trigger sends bears the algo order's client id. The
    documentation does not say; by default it bears one of the venue's own.
    """

    def __init__(self, book: TradingBook, children_keep_ids: bool = False) -> None:
        self.book, self.children_keep_ids = book, children_keep_ids

    def regular(self, symbol: str) -> list[Told]:
        """Return a symbol's regular orders that the venue remembers, by number."""
        shown = (self.book.order_by_id(each) for each in self.book.state.orders)
        found = [
            told for view in shown if view is not None and view.symbol == symbol for told in self._of(view)
        ]
        found += [self._settlement(fill) for fill in self._settlements(symbol)]
        return sorted((t for t in found if not self._forgot(t)), key=lambda told: int(told.order_id))

    def open(self, symbol: str | None) -> list[Told]:
        """Return open regular orders, by number; algo orders that wait are not among them."""
        shown = [told for view in self.book.open_orders(symbol) for told in self._of(view)]
        return [told for told in shown if told.is_open]

    def by_order_id(self, symbol: str, order_id: str) -> Told | None:
        view = self.book.order_by_id(order_id)
        if view is not None and not view.conditional:
            told = self._of(view)[0] if view.symbol == symbol else None
            return None if told is None or self._forgot(told) else told
        return next((told for told in self.regular(symbol) if told.order_id == order_id), None)

    def by_client_id(self, symbol: str, client_id: str) -> Told | None:
        """Return the open order with that id, else the newest one."""
        view = self.book.order_by_client_id(symbol, client_id)
        if view is not None:
            told = self._of(view)[0]
            return None if self._forgot(told) else told
        named = [told for told in self.regular(symbol) if told.client_id == client_id]
        return named[-1] if named else None

    def algos(self, symbol: str | None) -> list[BookOrder]:
        """Return the algo orders that the venue remembers, by number."""
        orders = [o for o in self.book.state.orders.values() if o.conditional and symbol in (None, o.symbol)]
        shown = [view for o in orders if (view := self.book.order_by_id(o.order_id)) is not None]
        kept = [view for view in shown if not self._forgot_algo(view)]
        return sorted(kept, key=lambda view: int(view.order_id))

    def open_algos(self, symbol: str | None) -> list[BookOrder]:
        return [view for view in self.book.open_orders(symbol) if view.status == UNTRIGGERED]

    def algo(self, algo_id: str, client_id: str) -> BookOrder | None:
        """Return an algo order by number or, without one, by client id: the open one, else the newest."""
        if algo_id:
            view = self.book.order_by_id(algo_id)
            return view if view is not None and view.conditional and not self._forgot_algo(view) else None
        found = [
            self.book.order_by_client_id(symbol, client_id, True) for symbol in self.book.state.contracts
        ]
        shown = [view for view in found if view is not None and not self._forgot_algo(view)]
        return max(shown, key=lambda view: (view.is_open, int(view.order_id)), default=None)

    def told(self, order: BookOrder) -> Told:
        """Return a regular order of the book as it is told."""
        return self._of(order)[0]

    def _of(self, order: BookOrder) -> list[Told]:
        """Return an order of the book as a regular one; nothing while it waits for its trigger."""
        if not order.conditional:
            return [self._told(order, order.order_id, self._client_id(order), order.created_ms)]
        sent = sent_order_id(order)
        if not sent:
            return []
        name = order.client_id if self.children_keep_ids else f"algo_{sent}"
        return [self._told(order, sent, name, order.triggered_ms)]

    def _told(self, order: BookOrder, order_id: str, client_id: str, created_ms: int) -> Told:
        kind = "LIMIT" if order.type == LIMIT else "MARKET"
        in_force = "GTX" if order.request.post_only else order.request.time_in_force
        return Told(
            order_id=order_id,
            client_id=client_id,
            symbol=order.symbol,
            side=order.side.upper(),
            type=kind,
            time_in_force=in_force if kind == "LIMIT" else "GTC",
            status=order_status(order),
            quantity=order.quantity,
            filled=order.filled,
            avg_price=order.avg_price,
            price=order.price or ZERO,
            reduce_only=order.request.reduces,
            close_position=order.close_position,
            created_ms=created_ms,
            updated_ms=order.updated_ms,
        )

    def _client_id(self, order: BookOrder) -> str:
        """Return the client id, or the one that the venue itself gives such an order."""
        if order.client_id:
            return order.client_id
        venues_own = {"liquidation": f"autoclose-{order.created_ms}{order.order_id}", "adl": "adl_autoclose"}
        return venues_own.get(order.origin, f"web_{order.order_id}")

    def _settlements(self, symbol: str) -> list[BookFill]:
        fills = self.book.executions(symbol, 0, self.book.now_ms)
        return [fill for fill in fills if fill.exec_type == SETTLE]

    def _settlement(self, fill: BookFill) -> Told:
        return Told(
            order_id=fill.order_id,
            client_id=f"settlement_autoclose-{fill.at_ms}{fill.order_id}",
            symbol=fill.symbol,
            side=fill.side.upper(),
            type="MARKET",
            time_in_force="GTC",
            status="FILLED",
            quantity=fill.quantity,
            filled=fill.quantity,
            avg_price=fill.price,
            price=ZERO,
            reduce_only=True,
            close_position=False,
            created_ms=fill.at_ms,
            updated_ms=fill.at_ms,
        )

    def _forgot(self, told: Told) -> bool:
        return is_forgotten(told.status, told.filled, told.created_ms, self.book.now_ms)

    def _forgot_algo(self, order: BookOrder) -> bool:
        return is_forgotten(algo_status(order), order.filled, order.created_ms, self.book.now_ms)
