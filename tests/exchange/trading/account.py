"""What an account is set to, and what it holds: the part of the book that places no orders."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.exchange.market import Market
from tests.exchange.trading.acceptance import check_stops
from tests.exchange.trading.execution import hang_stops, revalued
from tests.exchange.trading.facts import facts_of
from tests.exchange.trading.rules import Contract, Dials
from tests.exchange.trading.state import BookState
from tests.exchange.trading.values import (
    HOLDS_ORDERS,
    HOLDS_POSITION,
    LEVERAGE_OVER_MAXIMUM,
    NO_POSITION,
    UNKNOWN_SYMBOL,
    BookFill,
    OrderRefused,
)


class Account:
    """Settings, money and facts of one account; `TradingBook` adds time and orders."""

    def __init__(self, venue: str, state: BookState) -> None:
        self.venue, self.state = venue, state

    @property
    def market(self) -> Market:
        return self.state.market

    @property
    def now_ms(self) -> int:
        return self.state.now_ms

    @property
    def dials(self) -> Dials:
        return self.state.dials

    def set_leverage(self, symbol: str, leverage: Decimal) -> bool:
        """Set a symbol's leverage; return False if it was so already."""
        self._known(symbol)
        if not 1 <= leverage <= self.state.contracts[symbol].max_leverage:
            raise OrderRefused(LEVERAGE_OVER_MAXIMUM, str(leverage))
        position = self.state.position(symbol)
        if position.leverage == leverage:
            return False
        position.leverage = leverage
        revalued(self.state, position)
        self.state.noted_position(position)
        return True

    def set_isolated(self, isolated: bool, symbol: str | None = None) -> bool:
        """Set the margin mode of a symbol, or of the account; return False if it was so already."""
        if symbol is None:
            changed, self.state.isolated = self.state.isolated != isolated, isolated
            for each in self.state.positions.values():
                each.isolated = isolated
            return changed
        self._known(symbol)
        position = self.state.position(symbol)
        changed, position.isolated = position.isolated != isolated, isolated
        self.state.noted_position(position)
        return changed

    def set_one_way(self, one_way: bool) -> bool:
        """Switch the position mode; refused while anything is held or ordered."""
        if self.state.one_way == one_way:
            return False
        if any(each.quantity for each in self.state.positions.values()):
            raise OrderRefused(HOLDS_POSITION)
        if self.state.open:
            raise OrderRefused(HOLDS_ORDERS)
        self.state.one_way = one_way
        return True

    def set_position_stops(
        self, symbol: str, stop: Decimal | None = None, target: Decimal | None = None
    ) -> bool:
        """Hang stop and target on the position: None leaves as it is, 0 takes away; False: unchanged."""
        self._known(symbol)
        position = self.state.position(symbol)
        if not position.quantity:
            raise OrderRefused(NO_POSITION)
        check_stops(self.state, symbol, position.side, stop, target)
        wanted_stop = position.stop if stop is None else stop or None
        wanted_target = position.target if target is None else target or None
        if (wanted_stop, wanted_target) == (position.stop, position.target):
            return False
        position.stop, position.target = wanted_stop, wanted_target
        hang_stops(self.state, position)
        self.state.noted_position(position)
        return True

    def _known(self, symbol: str) -> None:
        if symbol not in self.state.contracts:
            raise OrderRefused(UNKNOWN_SYMBOL, symbol)

    @property
    def fills(self) -> list[BookFill]:
        """Every fill so far, shown in queries or not."""
        return self.state.fills

    @property
    def wallet(self) -> Decimal:
        return self.state.wallet

    @property
    def available(self) -> Decimal:
        return self.state.available()

    @property
    def isolated(self) -> bool:
        return self.state.isolated

    @property
    def one_way(self) -> bool:
        return self.state.one_way

    @property
    def contracts(self) -> Mapping[str, Contract]:
        return self.state.contracts

    def mark_price(self, symbol: str) -> float:
        """Return the price that positions are valued at now: what a market order meets, before costs."""
        return self.state.raw_price(symbol)

    def equity(self) -> Decimal:
        """Return the wallet with open positions valued at the price of now."""
        value = self.state.wallet
        for each in self.state.positions.values():
            if each.quantity:
                price = Decimal(repr(self.state.raw_price(each.symbol)))
                value += each.quantity * (price - each.entry_price)
        return value

    def facts(self) -> dict[str, Any]:
        """Return the truth as JSON values: nothing hidden by propagation or retention."""
        return {"venue": self.venue, **facts_of(self.state)}

    snapshot = facts
