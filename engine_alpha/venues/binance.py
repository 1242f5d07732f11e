"""Binance USD-M as a venue: USDT perpetuals, one-way, isolated."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

from engine_alpha.domain.orders import (
    BUY,
    Execution,
    OrderIntent,
    Protection,
    Unreadable,
    VenueOrder,
    VenuePosition,
    Wallet,
)
from engine_alpha.domain.venue_facts import AccountFacts, FeeRates, KeyFacts, SymbolFacts
from engine_alpha.errors import OutcomeUnknown, Refused
from engine_alpha.exchanges.judging import read_of_a_write
from engine_alpha.exchanges.replies import bad_reply, row_or_unreadable
from engine_alpha.exchanges.transport import Endpoint, Params, Transport, Urgency
from engine_alpha.venues import binance_endpoints as endpoints
from engine_alpha.venues import binance_facts as facts
from engine_alpha.venues.binance_executions import BinanceExecutions
from engine_alpha.venues.binance_fields import rows, truth, whole
from engine_alpha.venues.binance_protection import BinanceProtection
from engine_alpha.venues.binance_replies import algo_order, conditional_order, venue_order

SEARCH_BEFORE_MS: Final = 60_000  # an order may bear a time before its intent: two clocks
SEARCH_AFTER_MS: Final = 3_600_000  # a request is dead after its window of some seconds
SEARCH_PAGE: Final = 1_000
UNKNOWN_KEY: Final = KeyFacts(can_trade=None, can_withdraw=None)


class BinanceVenue:
    """One account over a transport.

    `wallet_api`: False where Binance's wallet endpoints do not exist (testnet, demo), so that nobody tells
    what the key may do.
    """

    name = "binance"
    stop_rides_entry = False

    def __init__(self, transport: Transport, proof_ms: int, wallet_api: bool = True) -> None:
        self._transport = transport
        self._proof_ms = proof_ms
        self._wallet_api = wallet_api
        self._protection = BinanceProtection(transport)
        self._executions = BinanceExecutions(transport)
        self._contracts: asyncio.Task[Any] | None = None

    @property
    def proof_ms(self) -> int:
        """How long after an intent a look-up that finds nothing proves that the order never arrived."""
        return self._proof_ms

    async def server_ms(self) -> int:
        """Return the venue's time."""
        return whole(await self._transport.call(endpoints.SERVER_TIME, {}, Urgency.RECONCILE), "serverTime")

    async def place(self, intent: OrderIntent) -> VenueOrder:
        """Send a market order once; the answer is its final state."""
        params: dict[str, str | int] = {
            "symbol": intent.symbol,
            "side": "BUY" if intent.side == BUY else "SELL",
            "type": "MARKET",
            "quantity": intent.quantity_base,
            "newClientOrderId": intent.client_id,
            "newOrderRespType": "RESULT",
        }
        if intent.reduce_only:
            params["reduceOnly"] = "true"
        urgency = Urgency.EXIT if intent.reduce_only else Urgency.ENTRY
        reply = await self._transport.call(endpoints.NEW_ORDER, params, urgency)
        with read_of_a_write(f"{intent.symbol}: the reply to {intent.client_id}"):
            order = venue_order(reply)
        if (order.symbol, order.client_id) != (intent.symbol, intent.client_id):
            raise OutcomeUnknown(
                f"sent {intent.client_id}, the reply is about {order.client_id:.40}; look it up"
            )
        self._executions.remember(order)
        return order

    async def find(self, intent: OrderIntent) -> VenueOrder | None:
        """Look an order up by its client id, then among the orders and the trades of its time.

        A cancelled order without a fill is gone after three days, every order after three months.
        """
        order = await self._by_client_id(intent)
        if order is None:
            order = await self._in_history(intent)
        if order is None:
            order = await self._by_trades(intent)
        if order is not None:
            self._executions.remember(order)
        return order

    async def _by_client_id(self, intent: OrderIntent) -> VenueOrder | None:
        asked = {"symbol": intent.symbol, "origClientOrderId": intent.client_id}
        try:
            return venue_order(await self._transport.call(endpoints.QUERY_ORDER, asked, Urgency.RECONCILE))
        except Refused as fault:
            if fault.code == endpoints.NO_SUCH_ORDER:
                return None
            raise

    async def _in_history(self, intent: OrderIntent) -> VenueOrder | None:
        asked: dict[str, str | int] = {
            "symbol": intent.symbol,
            "startTime": intent.intended_ms - SEARCH_BEFORE_MS,
            "endTime": intent.intended_ms + SEARCH_AFTER_MS,
            "limit": SEARCH_PAGE,
        }
        listed = rows(await self._transport.call(endpoints.ALL_ORDERS, asked, Urgency.RECONCILE))
        for order in map(venue_order, listed):
            if order.client_id == intent.client_id:
                return order
        if len(listed) >= SEARCH_PAGE:
            raise bad_reply(
                f"binance {intent.symbol}: too many orders about {intent.intended_ms} to look through"
            )
        return None

    async def _by_trades(self, intent: OrderIntent) -> VenueOrder | None:
        """Return the order if a trade of its time belongs to it: a trade may be told before its order."""
        from_ms, to_ms = intent.intended_ms - SEARCH_BEFORE_MS, intent.intended_ms + SEARCH_AFTER_MS
        fills = await self._executions.fills(intent.symbol, from_ms, to_ms)
        for order_id in sorted({each.order_id for each in fills if from_ms <= each.at_ms <= to_ms}):
            order = await self._executions.order(intent.symbol, order_id)
            if order is not None and order.client_id == intent.client_id:
                return order
        return None

    async def cancel(self, symbol: str, order_id: str, conditional: bool) -> None:
        """Cancel one order; -2011 says that it is gone."""
        if conditional:
            await self._protection.cancel(order_id)
            return
        asked = {"symbol": symbol, "orderId": order_id}
        await self._unless(endpoints.CANCEL_REJECTED, endpoints.CANCEL_ORDER, asked)

    async def protect(self, wish: Protection) -> None:
        """Make stop and target stand as conditional orders."""
        await self._protection.protect(wish)

    async def is_protected(self, wish: Protection) -> bool:
        """Say whether the stop stands now."""
        return await self._protection.is_protected(wish)

    async def unprotect(self, symbol: str) -> None:
        """Cancel our conditional orders: here they outlive the position."""
        await self._protection.unprotect(symbol)

    async def positions(self) -> Mapping[str, VenuePosition | Unreadable]:
        """Return every open position by symbol."""
        reply = await self._transport.call(endpoints.POSITIONS, {}, Urgency.RECONCILE)
        found = [row_or_unreadable(facts.open_position, item) for item in rows(reply)]
        return {position.symbol: position for position in found if position is not None}

    async def open_orders(self, symbol: str = "") -> Sequence[VenueOrder | Unreadable]:
        """Return the symbol's or the account's open orders, the conditional ones last.

        The account's cost forty times as much of the pace as one symbol's.
        """
        asked = {"symbol": symbol} if symbol else {}
        plain = rows(await self._transport.call(endpoints.OPEN_ORDERS, asked, Urgency.RECONCILE))
        waiting = rows(await self._transport.call(endpoints.OPEN_ALGOS, asked, Urgency.RECONCILE))
        return [
            *(row_or_unreadable(venue_order, item) for item in plain),
            *(row_or_unreadable(_conditional, item) for item in waiting),
        ]

    async def executions(self, symbol: str, since_ms: int) -> Sequence[Execution]:
        """Return fills and funding up to the venue's now."""
        return await self._executions.since(symbol, since_ms, await self.server_ms())

    async def wallet(self) -> Wallet:
        """Return the quote currency's equity and what is free of it."""
        return facts.wallet(await self._transport.call(endpoints.ACCOUNT, {}, Urgency.RECONCILE))

    async def account_facts(self) -> AccountFacts:
        """Return position mode and the key's permissions; margin mode is per symbol here."""
        mode = await self._transport.call(endpoints.POSITION_MODE, {}, Urgency.RECONCILE)
        return AccountFacts(
            one_way=not truth(mode, "dualSidePosition"), isolated=None, key=await self._key_facts()
        )

    async def _key_facts(self) -> KeyFacts:
        if not self._wallet_api:
            return UNKNOWN_KEY
        return facts.key_facts(await self._transport.call(endpoints.KEY_PERMISSIONS, {}, Urgency.RECONCILE))

    async def symbol_facts(self, symbol: str) -> SymbolFacts:
        """Return what the venue says of the contract; it sends all at once, to all who ask at the time."""
        if self._contracts is None or self._contracts.done():
            self._contracts = asyncio.ensure_future(self._all_contracts())
        return facts.symbol_facts(symbol, await asyncio.shield(self._contracts))

    async def _all_contracts(self) -> Any:
        return await self._transport.call(endpoints.EXCHANGE_INFO, {}, Urgency.RECONCILE)

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays."""
        asked = {"symbol": symbol}
        return facts.fee_rates(
            await self._transport.call(endpoints.COMMISSION_RATE, asked, Urgency.RECONCILE)
        )

    async def set_up(self, symbol: str, leverage: str) -> None:
        """Set isolated margin and leverage; the venue takes whole numbers only, so 2.5 becomes 2."""
        isolated = {"symbol": symbol, "marginType": "ISOLATED"}
        await self._unless(endpoints.MARGIN_TYPE_UNCHANGED, endpoints.MARGIN_TYPE, isolated)
        times = max(1, int(Decimal(leverage).to_integral_value(ROUND_FLOOR)))
        asked: dict[str, str | int] = {"symbol": symbol, "leverage": times}
        reply = await self._transport.call(endpoints.LEVERAGE, asked, Urgency.ENTRY)
        with read_of_a_write(f"{symbol}: the reply to leverage {times}"):
            told = whole(reply, "leverage")
        if told != times:
            raise Refused(f"binance set the leverage of {symbol} to {told}, not to {times}")

    async def _unless(self, code: str, endpoint: Endpoint, params: Params) -> None:
        """Send a request whose refusal with `code` says that it is so already."""
        try:
            await self._transport.call(endpoint, params, Urgency.EXIT)
        except Refused as fault:
            if fault.code != code:
                raise

    async def close(self) -> None:
        """Let go of connections."""
        await self._transport.close()


def _conditional(item: Any) -> VenueOrder:
    return conditional_order(algo_order(item))
