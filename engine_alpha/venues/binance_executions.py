"""Fills and funding of one symbol at Binance USD-M, each told whose it is and what for.

A trade there names its order by number only. Whose order that was is asked once per order and remembered.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine_alpha.domain.orders import (
    ADL,
    FUNDING,
    LIQUIDATION,
    SETTLEMENT,
    STOP,
    STOPPED,
    TARGET,
    TARGETED,
    TRADE,
    Execution,
    VenueOrder,
    client_id_leg,
    is_ours,
)
from engine_alpha.errors import Refused
from engine_alpha.exchanges.replies import bad_reply
from engine_alpha.exchanges.transport import Endpoint, Transport, Urgency
from engine_alpha.kernel.money import DAY_MS
from engine_alpha.venues import binance_endpoints as endpoints
from engine_alpha.venues.binance_fields import rows
from engine_alpha.venues.binance_replies import (
    AlgoOrder,
    Fill,
    Funding,
    algo_order,
    fill,
    funding,
    venue_order,
)

HOUR_MS: Final = 3_600_000
WINDOW_MS: Final = 7 * DAY_MS  # the longest span of one request
KEPT_MS: Final = 89 * DAY_MS  # trades and income are kept for three months
PAGE: Final = 1_000
MOST_PAGES: Final = 50
MOST_REMEMBERED: Final = 10_000

# What the venue's own orders are called.
SYSTEM: Final = {"autoclose-": LIQUIDATION, "adl_autoclose": ADL, "settlement_autoclose-": SETTLEMENT}
KIND_OF_LEG: Final = {STOP: STOPPED, TARGET: TARGETED}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose order it was, and what for."""

    client_id: str
    kind: str


NOBODY: Final = Owner("", TRADE)


def owner_of(client_id: str) -> Owner | None:
    """Return what a client id tells by itself; None for one that is neither ours nor the venue's."""
    for prefix, kind in SYSTEM.items():
        if client_id.startswith(prefix):
            return Owner("", kind)
    if is_ours(client_id):
        return Owner(client_id, KIND_OF_LEG.get(client_id_leg(client_id), TRADE))
    return None


class BinanceExecutions:
    """Executions of one account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._owners: dict[str, Owner] = {}
        self._under_way: dict[int, asyncio.Task[list[Funding]]] = {}
        self._searched: dict[str, int] = {}  # order to how far back its parent was looked for

    def remember(self, order: VenueOrder) -> None:
        """Keep whose order it is, for its fills."""
        owner = owner_of(order.client_id)
        if owner is not None:
            self._keep(order.order_id, owner)

    async def since(self, symbol: str, since_ms: int, now_ms: int) -> list[Execution]:
        """Return fills and funding from `since_ms` to `now_ms`, oldest first.

        What the venue does not keep any more (three months) is not told.
        """
        since_ms = max(since_ms, now_ms - KEPT_MS)
        fills = await self.fills(symbol, since_ms, now_ms)
        told = [(each.at_ms, each.trade_id, await self._execution(symbol, each)) for each in fills]
        told += [
            (each.at_ms, 0, _funding_execution(symbol, each))
            for each in await self._funding(symbol, since_ms, now_ms)
        ]
        return [execution for _, _, execution in sorted(told, key=lambda each: each[:2])]

    async def fills(self, symbol: str, since_ms: int, now_ms: int) -> list[Fill]:
        """Return the account's trades of a symbol, by number, each once."""
        found: dict[int, Fill] = {}
        while since_ms <= now_ms:
            end_ms = since_ms + WINDOW_MS - 1
            for each in await self._fills_between(symbol, since_ms, end_ms):
                found[each.trade_id] = each
            since_ms = end_ms + 1
        return [found[trade_id] for trade_id in sorted(found)]

    async def _fills_between(self, symbol: str, from_ms: int, end_ms: int) -> list[Fill]:
        """Return one window's trades; from a full page on by number, which goes with no times."""
        found: list[Fill] = []
        asked: dict[str, str | int] = {"symbol": symbol, "startTime": from_ms, "endTime": end_ms}
        for _ in range(MOST_PAGES):
            page = [fill(item) for item in await self._rows(endpoints.USER_TRADES, asked)]
            found += page
            if len(page) < PAGE or max(each.at_ms for each in page) > end_ms:
                return found
            asked = {"symbol": symbol, "fromId": max(each.trade_id for each in page) + 1}
        raise bad_reply(f"binance {symbol}: more than {MOST_PAGES} pages of trades in a week")

    async def _funding(self, symbol: str, from_ms: int, now_ms: int) -> list[Funding]:
        """Return a symbol's funding; who asks while an answer is under way shares it.

        It costs as much as thirty other requests, and fifty coins ask at the same time.
        """
        from_ms = from_ms // HOUR_MS * HOUR_MS
        under_way = self._under_way.get(from_ms)
        if under_way is None or under_way.done():
            under_way = asyncio.ensure_future(self._all_funding(from_ms, now_ms))
            self._under_way = {at: task for at, task in self._under_way.items() if not task.done()}
            self._under_way[from_ms] = under_way
        return [each for each in await asyncio.shield(under_way) if each.symbol == symbol]

    async def _all_funding(self, from_ms: int, now_ms: int) -> list[Funding]:
        found: dict[str, Funding] = {}
        for number in range(1, MOST_PAGES + 1):
            asked: dict[str, str | int] = {
                "incomeType": "FUNDING_FEE",
                "startTime": from_ms,
                "endTime": now_ms,
                "page": number,
            }
            page = [funding(item) for item in await self._rows(endpoints.INCOME, asked)]
            found.update({each.transaction_id: each for each in page})
            if len(page) < PAGE:
                return list(found.values())
        raise bad_reply(f"binance: more than {MOST_PAGES} pages of funding")

    async def _rows(self, endpoint: Endpoint, asked: Mapping[str, str | int]) -> list[Any]:
        return rows(await self._transport.call(endpoint, {**asked, "limit": PAGE}, Urgency.RECONCILE))

    async def _execution(self, symbol: str, each: Fill) -> Execution:
        owner = await self._owner(symbol, each.order_id)
        return Execution(
            venue_id=str(each.trade_id),
            symbol=symbol,
            kind=owner.kind,
            at_ms=each.at_ms,
            client_id=owner.client_id,
            order_id=each.order_id,
            side=each.side,
            quantity_base=each.quantity_base,
            price=each.price,
            fee_quote=each.fee_quote,
        )

    async def _owner(self, symbol: str, order_id: str) -> Owner:
        if order_id not in self._owners:
            order = await self.order(symbol, order_id)
            if order is None:
                return NOBODY
            self._keep(order_id, owner_of(order.client_id) or await self._parent(order))
        return self._owners[order_id]

    async def order(self, symbol: str, order_id: str) -> VenueOrder | None:
        """Return an order by the venue's number, None if it is not kept."""
        asked = {"symbol": symbol, "orderId": order_id}
        try:
            return venue_order(await self._transport.call(endpoints.QUERY_ORDER, asked, Urgency.RECONCILE))
        except Refused as fault:
            if fault.code == endpoints.NO_SUCH_ORDER:
                return None
            raise

    async def _parent(self, order: VenueOrder) -> Owner:
        """Return the stop or target of ours that placed this order; its own id if none did.

        A conditional order is found by when it was made, which may be long ago: newest week first. A search
        that a fault cut short goes on where it was.
        """
        end_ms = self._searched.get(order.order_id, order.created_ms)
        parent = None
        while parent is None and end_ms > order.created_ms - KEPT_MS:
            parent = await self._parent_until(order, end_ms)
            end_ms -= WINDOW_MS
            self._searched[order.order_id] = end_ms
        self._searched.pop(order.order_id, None)
        own = Owner(order.client_id, TRADE)
        return own if parent is None else owner_of(parent.client_id) or own

    async def _parent_until(self, order: VenueOrder, end_ms: int) -> AlgoOrder | None:
        """Look through one week's pages until one brings nothing new: how long a page may be is unsure."""
        seen: set[str] = set()
        for number in range(1, MOST_PAGES + 1):
            asked: dict[str, str | int] = {
                "symbol": order.symbol,
                "startTime": end_ms - WINDOW_MS + 1,
                "endTime": end_ms,
                "page": number,
            }
            page = [algo_order(item) for item in await self._rows(endpoints.ALL_ALGOS, asked)]
            for each in page:
                if each.child_id == order.order_id:
                    return each
            if seen.issuperset(each.algo_id for each in page):
                return None
            seen.update(each.algo_id for each in page)
        raise bad_reply(f"binance {order.symbol}: over {MOST_PAGES} pages of conditional orders in a week")

    def _keep(self, order_id: str, owner: Owner) -> None:
        if len(self._owners) >= MOST_REMEMBERED:
            del self._owners[next(iter(self._owners))]
        self._owners[order_id] = owner


def _funding_execution(symbol: str, each: Funding) -> Execution:
    return Execution(
        venue_id=f"funding-{each.transaction_id}",
        symbol=symbol,
        kind=FUNDING,
        at_ms=each.at_ms,
        received_quote=each.received_quote,
    )
