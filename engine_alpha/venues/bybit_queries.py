"""What a Bybit account has and did: positions, orders, executions, page by page."""

from typing import Any, Final

from engine_alpha.domain.orders import FUNDING, Execution, OrderIntent, Unreadable, VenueOrder, VenuePosition
from engine_alpha.exchanges.replies import bad_reply, field, row_or_unreadable, same_symbol, whole
from engine_alpha.exchanges.transport import Endpoint, Transport, Urgency
from engine_alpha.venues import bybit_endpoints as endpoints
from engine_alpha.venues.bybit_replies import (
    OPEN,
    cursor_of,
    execution,
    hangs_on_position,
    in_one_way_mode,
    left_after,
    listed,
    order_of_executions,
    position,
    sequence_of,
    venue_order,
)

WEEK_MS: Final = 7 * 24 * 3_600_000  # no query may span more
BEFORE_MS: Final = 60_000  # an order may bear a time before its intent: two clocks
MOST_PAGES: Final = 100
MOST_WEEKS: Final = 105  # the venue keeps two years

Asked = dict[str, str | int]


class BybitQueries:
    """Reads one account over a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def positions(self) -> dict[str, VenuePosition | Unreadable]:
        """Return every open position by symbol."""
        items = await self._pages(endpoints.POSITIONS, {"settleCoin": endpoints.SETTLE_COIN, "limit": 200})
        found: dict[str, VenuePosition | Unreadable] = {}
        for item in items:
            held = row_or_unreadable(position, item)
            if held is not None and held.symbol in found:
                why = f"bybit: two positions of {held.symbol}, so it is in hedge mode"
                held = Unreadable(symbol=held.symbol, why=why)
            if held is not None:
                found[held.symbol] = held
        return found

    async def position(self, symbol: str, urgency: Urgency) -> VenuePosition | None:
        """Return the position of one symbol by a fresh read, None if it is flat."""
        held = [position(item) for item in await self._position_rows(symbol, urgency)]
        return next((each for each in held if each is not None), None)

    async def is_one_way(self, symbol: str) -> bool:
        """Say whether a symbol is in one-way mode; the venue keeps that by symbol."""
        return all(in_one_way_mode(item) for item in await self._position_rows(symbol, Urgency.RECONCILE))

    async def _position_rows(self, symbol: str, urgency: Urgency) -> list[Any]:
        asked: Asked = {"category": endpoints.CATEGORY, "symbol": symbol}
        items = listed(await self._transport.call(endpoints.POSITIONS, asked, urgency), "positions")
        if not items:
            raise bad_reply(f"bybit: no record of {symbol}'s position, and a flat one has a record")
        for item in items:
            same_symbol(field(item, "symbol", "position"), symbol)
        return items

    async def open_orders(self, symbol: str) -> list[VenueOrder | Unreadable]:
        """Return open orders but for the stops and targets that hang on positions; "" for all symbols."""
        whose: Asked = {"symbol": symbol} if symbol else {"settleCoin": endpoints.SETTLE_COIN}
        items = await self._pages(endpoints.REALTIME, {**whose, "limit": 50})
        found = [row_or_unreadable(_order_by_itself, item) for item in items]
        return [each for each in found if isinstance(each, Unreadable) or (each and each.status in OPEN)]

    async def find(self, intent: OrderIntent) -> VenueOrder | None:
        """Look an order up by its client id: in realtime, in history, by its executions."""
        named: Asked = {"symbol": intent.symbol, "orderLinkId": intent.client_id}
        from_ms = max(intent.intended_ms - BEFORE_MS, 0)
        window: Asked = {"startTime": from_ms, "endTime": from_ms + WEEK_MS}
        for endpoint, asked in ((endpoints.REALTIME, named), (endpoints.HISTORY, named | window)):
            items = await self._pages(endpoint, asked)
            found = [order for order in map(venue_order, items) if order.client_id == intent.client_id]
            if found:
                return found[0]
        items = await self._pages(endpoints.EXECUTIONS, named | window)
        fills = [(execution(item), left_after(item)) for item in items]
        ours = [
            each
            for each in fills
            if (each[0].client_id, each[0].symbol) == (intent.client_id, intent.symbol)
            and each[0].kind != FUNDING
        ]
        return order_of_executions(intent, ours) if ours else None

    async def executions(self, symbol: str, since_ms: int) -> list[Execution]:
        """Return what happened since, oldest first, week by week up to the venue's now."""
        found: dict[str, tuple[tuple[int, int], Execution]] = {}
        from_ms = max(since_ms, 0)
        for _ in range(MOST_WEEKS):
            until_ms = from_ms + WEEK_MS
            asked: Asked = {"symbol": symbol, "startTime": from_ms, "endTime": until_ms, "limit": 100}
            items, told_ms = await self._pages_and_time(endpoints.EXECUTIONS, asked)
            for item in items:
                same_symbol(field(item, "symbol", "execution"), symbol)
                one = execution(item)
                found[one.venue_id] = (sequence_of(item), one)
            if until_ms >= told_ms:
                ordered = sorted(found.items(), key=lambda each: (each[1][0], each[0]))
                return [one for _, (_, one) in ordered]
            from_ms = until_ms + 1
        raise bad_reply(f"bybit {symbol}: executions since {since_ms} are further back than the venue keeps")

    async def _pages(self, endpoint: Endpoint, asked: Asked) -> list[Any]:
        return (await self._pages_and_time(endpoint, asked))[0]

    async def _pages_and_time(self, endpoint: Endpoint, asked: Asked) -> tuple[list[Any], int]:
        """Return the records of all pages, and the venue's time as the first page told it."""
        found: list[Any] = []
        asked = {"category": endpoints.CATEGORY, **asked}
        told_ms = 0
        for _ in range(MOST_PAGES):
            reply = await self._transport.call(endpoint, asked, Urgency.RECONCILE)
            told_ms = told_ms or whole(field(reply, "time", endpoint.path), "time")
            page = listed(reply, endpoint.path)
            found += page
            cursor = cursor_of(reply, endpoint.path)
            if not cursor or not page:
                return found, told_ms
            if cursor == asked.get("cursor"):
                raise bad_reply(f"bybit: the pages of {endpoint.path} stand still")
            asked["cursor"] = cursor
        raise bad_reply(f"bybit: more than {MOST_PAGES} pages of {endpoint.path}")


def _order_by_itself(item: Any) -> VenueOrder | None:
    """Return an order, None for the stop or target that hangs on a position."""
    return None if hangs_on_position(item) else venue_order(item)
