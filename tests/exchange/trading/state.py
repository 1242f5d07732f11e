"""The account's state and its records: what is, and what a query at this moment shows of it."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import TypeVar

from tests.exchange.market import Market
from tests.exchange.trading.bars import PriceBars
from tests.exchange.trading.rules import Contract, Dials, VenueRules, default_contract
from tests.exchange.trading.values import ZERO, BookFill, BookOrder, BookPosition, exact

T = TypeVar("T")
Rank = tuple[int, int, int]


class BookState:
    """Everything one account knows. Changes go through `noted` and `recorded`, so that queries can lag."""

    def __init__(
        self,
        market: Market,
        rules: VenueRules,
        wallet_quote: float,
        contracts: Mapping[str, Contract],
        random: Random,
    ) -> None:
        self.market, self.rules, self.random = market, rules, random
        self.dials = Dials()
        self.now_ms = market.clock.now_ms()
        self.done: Rank = (self.now_ms, 9, 0)  # the last event that was played: (ms, kind, symbol's place)
        self.wallet = exact(wallet_quote)
        self.isolated, self.one_way = True, True
        self.contracts = {
            symbol: contracts.get(symbol) or default_contract(listing, rules)
            for symbol, listing in market.listings.items()
            if listing.series
        }
        self.prices = {symbol: PriceBars(market.listings[symbol]) for symbol in self.contracts}
        self.positions: dict[str, BookPosition] = {}
        self.orders: dict[str, BookOrder] = {}
        self.open: dict[str, BookOrder] = {}
        self.closed: list[BookOrder] = []
        self.fills: list[BookFill] = []
        self.due: list[tuple[int, str]] = []  # accepted, not yet processed: (ms, order id)
        self.sent: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.restarted_ms = 0
        self.delisted = {s for s, each in market.listings.items() if each.settled_ms is not None}
        self._number = 1_000_000
        self._by_client: dict[tuple[str, str, bool], list[str]] = {}
        self._order_views: dict[str, list[tuple[int, BookOrder]]] = {}
        self._position_views: dict[str, list[tuple[int, BookPosition]]] = {}
        self._slowest_ms = 0

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def position(self, symbol: str) -> BookPosition:
        if symbol not in self.positions:
            self.positions[symbol] = BookPosition(symbol=symbol, isolated=self.isolated)
        return self.positions[symbol]

    def raw_price(self, symbol: str) -> float:
        """Return what a market order meets now, before costs."""
        return self.prices[symbol].market_price(self.now_ms)

    def available(self) -> Decimal:
        """Return the wallet without the margins of positions and of orders that rest."""
        held = sum((p.margin for p in self.positions.values() if p.quantity), ZERO)
        for order in self.open.values():
            if order.price is not None and not order.conditional and not order.request.reduces:
                held += order.left * order.price / self.position(order.symbol).leverage
        return self.wallet - held

    def seen_at(self) -> int:
        """Return from when on something that happens now shows in queries."""
        self._slowest_ms = max(self._slowest_ms, self.dials.propagation_ms)
        return self.now_ms + self.dials.propagation_ms

    def added(self, order: BookOrder) -> None:
        """Take a new order in; queries show it when it has been noted."""
        self.orders[order.order_id] = order
        self.open[order.order_id] = order
        if order.client_id:
            key = (order.symbol, order.client_id, self._namespace(order.conditional))
            self._by_client.setdefault(key, []).append(order.order_id)

    def _namespace(self, conditional: bool) -> bool:
        return conditional and self.rules.ids != "always_unique"

    def with_client_id(self, symbol: str, client_id: str, conditional: bool) -> list[BookOrder]:
        """Return every order that bore this id, oldest first, as it is."""
        key = (symbol, client_id, self._namespace(conditional))
        return [self.orders[each] for each in self._by_client.get(key, [])]

    def noted(self, order: BookOrder) -> None:
        """Write down an order's change."""
        order.updated_ms = self.now_ms
        views = self._order_views.setdefault(order.order_id, [])
        views.append((self.seen_at(), order.copy()))
        _forget(views, self.now_ms)
        if not order.is_open and order.order_id in self.open:
            del self.open[order.order_id]
            self.closed.append(order)

    def noted_position(self, position: BookPosition) -> None:
        """Write down a position's change."""
        position.updated_ms = self.now_ms
        views = self._position_views.setdefault(position.symbol, [])
        views.append((self.seen_at(), position.copy()))
        _forget(views, self.now_ms)

    def recorded(self, fill: BookFill) -> BookFill:
        self.fills.append(fill)
        return fill

    def view(self, order_id: str) -> BookOrder | None:
        """Return the order as a query shows it now; None while it shows none."""
        return _shown(self._order_views.get(order_id, []), self.now_ms)

    def position_view(self, symbol: str) -> BookPosition:
        shown = _shown(self._position_views.get(symbol, []), self.now_ms)
        if shown is not None:
            return shown
        known = self.positions.get(symbol)
        empty = BookPosition(symbol=symbol, isolated=self.isolated)
        if known is not None:
            empty.leverage, empty.isolated = known.leverage, known.isolated
        return empty

    def open_views(self) -> list[BookOrder]:
        """Return the orders that a query shows as open."""
        candidates = list(self.open)
        for order in reversed(self.closed):
            if order.updated_ms + self._slowest_ms < self.now_ms:
                break
            candidates.append(order.order_id)
        shown = [view for each in candidates if (view := self.view(each)) is not None]
        return sorted((v for v in shown if v.is_open), key=lambda v: int(v.order_id))


def _forget(views: list[tuple[int, T]], now_ms: int) -> None:
    """Drop the views that a later one hides already."""
    while len(views) > 1 and views[1][0] <= now_ms:
        del views[0]


def _shown(views: list[tuple[int, T]], now_ms: int) -> T | None:
    shown = None
    for seen_ms, view in views:
        if seen_ms <= now_ms:
            shown = view
    return shown
