"""One account at one venue of the test exchange: what its protocols and the tests may do with it."""

from collections.abc import Mapping
from decimal import Decimal
from random import Random

from tests.exchange.market import Market
from tests.exchange.trading.acceptance import check
from tests.exchange.trading.account import Account
from tests.exchange.trading.execution import booked, ended, met_fill, system_trade
from tests.exchange.trading.matching import processed
from tests.exchange.trading.rules import RULES, Contract
from tests.exchange.trading.state import BookState
from tests.exchange.trading.timeline import play_until
from tests.exchange.trading.values import (
    ADL,
    BY_USER,
    CANCELLED,
    NEW,
    NO_POSITION,
    NOT_MODIFIED,
    NOT_OPEN,
    UNTRIGGERED,
    BookFill,
    BookOrder,
    BookPosition,
    NewOrder,
    OrderRefused,
)


class TradingBook(Account):
    """The account. Every "no" is an `OrderRefused` with a venue-neutral reason; queries return copies.

    `ids` overrides the venue's id rule: "always_unique" or "unique_among_open". `contracts` names what fills
    are made from; symbols left out get the listing's grid and the tests' usual costs.
    """

    def __init__(
        self,
        market: Market,
        venue: str,
        wallet_quote: float,
        *,
        ids: str = "",
        contracts: Mapping[str, Contract] | None = None,
        seed: int = 1,
    ) -> None:
        rules = RULES[venue]
        if ids:
            rules = rules.__class__(**{f: getattr(rules, f) for f in rules.__slots__} | {"ids": ids})
        super().__init__(venue, BookState(market, rules, wallet_quote, contracts or {}, Random(seed)))

    def advance(self, to_ms: int) -> None:
        """Move the clock and play everything on the way; a time that has passed already changes nothing."""
        clock = self.market.clock
        if clock.stands and to_ms > clock.now_ms():
            clock.set(to_ms)
        play_until(self.state, to_ms)

    # orders

    def place(self, request: NewOrder) -> BookOrder:
        """Accept an order or raise `OrderRefused`; the order returned is the live one.

        With `ack_delay_ms` it is processed only when the clock has moved by that much.
        """
        state = self.state
        state.sent[request.client_id] += 1
        check(state, request)
        state.accepted[request.client_id] += 1
        return self._enter(request, "client")

    def _enter(self, request: NewOrder, origin: str) -> BookOrder:
        state = self.state
        order = booked(state, request, UNTRIGGERED if request.conditional else NEW, origin)
        if origin == "client" and state.dials.ack_delay_ms > 0:
            state.due.append((state.now_ms + state.dials.ack_delay_ms, order.order_id))
        else:
            processed(state, order)
        return order

    def cancel(self, order: BookOrder) -> BookOrder:
        """Cancel an order; raise `OrderRefused(NOT_OPEN)` for one that is gone."""
        live = self._live(order)
        self.state.due = [each for each in self.state.due if each[1] != live.order_id]
        if live.is_child:
            self._drop_child(live)
        else:
            ended(self.state, live, CANCELLED, BY_USER)
        return live

    def _live(self, order: BookOrder) -> BookOrder:
        live = self.state.orders.get(order.order_id)
        if live is None or not live.is_open:
            raise OrderRefused(NOT_OPEN, order.order_id)
        return live

    def _drop_child(self, child: BookOrder) -> None:
        position = self.state.position(child.symbol)
        if child.stop_order_type == "StopLoss":
            position.stop = None
        else:
            position.target = None
        ended(self.state, child, CANCELLED, BY_USER)
        self.state.noted_position(position)

    def amend(
        self,
        order: BookOrder,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger_price: Decimal | None = None,
    ) -> BookOrder:
        """Change an open order in its place."""
        live = self._live(order)
        wanted = (quantity or live.quantity, price or live.price, trigger_price or live.trigger_price)
        if wanted == (live.quantity, live.price, live.trigger_price):
            raise OrderRefused(NOT_MODIFIED)
        if live.is_child:
            is_stop = live.stop_order_type == "StopLoss"
            self.set_position_stops(live.symbol, **{"stop" if is_stop else "target": trigger_price})
            return live
        live.quantity, live.price, live.trigger_price = wanted
        self.state.noted(live)
        return live

    # look-ups: what a query at this moment shows

    def order_by_client_id(self, symbol: str, client_id: str, conditional: bool = False) -> BookOrder | None:
        """Return the open order with that id, else the newest one that the venue still remembers."""
        found = self.state.with_client_id(symbol, client_id, conditional)
        shown = [view for each in found if (view := self.order_by_id(each.order_id)) is not None]
        still_open = [view for view in shown if view.is_open]
        newest = still_open or shown
        return newest[-1] if newest else None

    def order_by_id(self, order_id: str) -> BookOrder | None:
        """Return an order that the venue shows and remembers."""
        view = self.state.view(order_id)
        return view if view is not None and self._is_remembered(view) else None

    def _is_remembered(self, order: BookOrder) -> bool:
        if order.is_open:
            return True
        rules = self.state.rules
        memory_ms = rules.order_memory_ms if order.filled > 0 else rules.unfilled_memory_ms
        return self.now_ms - order.updated_ms <= memory_ms

    def open_orders(self, symbol: str | None = None) -> list[BookOrder]:
        """Return what is open, oldest first: conditional orders and children of positions too."""
        return [each for each in self.state.open_views() if symbol in (None, each.symbol)]

    def realtime_orders(self, symbol: str | None = None) -> list[BookOrder]:
        """Return open orders and the last closed ones since the last restart (Bybit), newest first."""
        closed = [o for o in self.state.closed if o.updated_ms > self.state.restarted_ms]
        shown = [self.state.view(o.order_id) for o in closed[-self.state.rules.realtime_closed :]]
        gone = [v for v in shown if v is not None and not v.is_open]
        both = [each for each in (*self.state.open_views(), *gone) if symbol in (None, each.symbol)]
        return sorted(both, key=lambda each: int(each.order_id), reverse=True)

    def order_history(self, symbol: str | None = None) -> list[BookOrder]:
        """Return closed orders that the venue still remembers, newest first."""
        closed = (self.order_by_id(o.order_id) for o in self.state.closed)
        shown = [v for v in closed if v is not None and not v.is_open and symbol in (None, v.symbol)]
        return sorted(shown, key=lambda each: int(each.order_id), reverse=True)

    def executions(self, symbol: str | None, since_ms: int, until_ms: int) -> list[BookFill]:
        """Return fills and funding stamped in [since, until], oldest first, ties in the order they came."""
        first_ms = max(since_ms, self.now_ms - self.state.rules.execution_memory_ms)
        shown = [
            fill
            for fill in self.state.fills
            if symbol in (None, fill.symbol)
            and first_ms <= fill.at_ms <= until_ms
            and fill.visible_ms <= self.now_ms
        ]
        return sorted(shown, key=lambda fill: (fill.at_ms, fill.number))

    def position(self, symbol: str) -> BookPosition:
        """Return the position as a query shows it."""
        return self.state.position_view(symbol)

    def positions(self) -> list[BookPosition]:
        """Return every symbol's position that a query shows as open."""
        shown = [self.position(symbol) for symbol in self.state.positions]
        return [each for each in shown if each.quantity]

    # what others do to the account

    def adl(self, symbol: str, quantity: Decimal | None = None) -> BookFill:
        """Take a part of the position away (all of it by default) at the price of now."""
        position = self.state.position(symbol)
        if not position.quantity:
            raise OrderRefused(NO_POSITION)
        amount = min(quantity or abs(position.quantity), abs(position.quantity))
        fill = met_fill(self.state, symbol, -position.side, amount, self.state.raw_price(symbol))
        return system_trade(self.state, symbol, amount, fill._replace(at_ms=self.now_ms), ADL)

    def delist(self, symbol: str, at_ms: int) -> None:
        """Announce the contract's end now: no new positions; at that time it is settled."""
        self._known(symbol)
        self.market.listings[symbol].delist_ms = at_ms
        self.advance(self.now_ms)

    def manual(self, symbol: str, side: str, quantity: Decimal) -> BookOrder:
        """Trade by hand: a market order without a client id."""
        request = NewOrder(symbol=symbol, client_id="", side=side, quantity=quantity)
        check(self.state, request)
        return self._enter(request, "manual")

    def cancel_stops(self, symbol: str) -> int:
        """Cancel every stop and target of a symbol by hand; return how many there were."""
        waiting = [o for o in self.state.open.values() if o.symbol == symbol and o.conditional]
        for order in waiting:
            self.cancel(order)
        return len(waiting)

    def restart(self) -> None:
        """Start the venue's services anew: the cache of closed orders is lost."""
        self.state.restarted_ms = self.now_ms
