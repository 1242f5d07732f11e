"""Bybit's queries: orders in realtime and history, executions and positions, with cursors."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from tests.exchange.bybit_shapes import execution_record, order_record, position_record
from tests.exchange.bybit_signing import BybitKey, BybitRefusal
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.rules import DAY_MS
from tests.exchange.trading.values import BookFill, BookOrder

Params = Mapping[str, str]
Result = dict[str, Any]
T = TypeVar("T")
WEEK_MS = 7 * DAY_MS


class BybitQueries:
    """GET endpoints of orders, executions and positions.

    The documentation leaves open whether an id finds a closed order where `openOnly` is 0:
    `id_finds_closed` lets a test have it either way.
    """

    def __init__(self, book: TradingBook) -> None:
        self.book = book
        self.id_finds_closed = True

    def realtime(self, params: Params, _key: BybitKey) -> Result:
        """Open orders (openOnly 0), or the last closed ones since the last restart (openOnly 1)."""
        _scope(params)
        named = params.get("orderId") or params.get("orderLinkId")
        shown = self.book.realtime_orders(params.get("symbol"))
        if not (named and self.id_finds_closed):
            only_closed = params.get("openOnly", "0") != "0"
            shown = [each for each in shown if each.is_open != only_closed]
        shown = [each for each in shown if _is_named(each, params)]
        if params.get("orderFilter") in ("Order", "StopOrder"):
            waits = params["orderFilter"] == "StopOrder"
            shown = [each for each in shown if each.conditional == waits]
        return _page(shown, params, (20, 50), order_record)

    def history(self, params: Params, _key: BybitKey) -> Result:
        """Closed orders of at most a week, newest first; without fills only those of the last day."""
        if params.get("category") != "linear":
            raise BybitRefusal(10001, "Illegal category")
        first_ms, last_ms = _window(params, self.book.now_ms)
        shown = [
            each
            for each in self.book.order_history(params.get("symbol"))
            if first_ms <= each.created_ms <= last_ms and _is_named(each, params)
        ]
        if "orderStatus" in params:
            shown = [each for each in shown if each.status == params["orderStatus"]]
        return _page(shown, params, (20, 50), order_record)

    def executions(self, params: Params, _key: BybitKey) -> Result:
        """Executions of at most a week, newest first; an order's id takes precedence over the symbol."""
        if params.get("category") != "linear":
            raise BybitRefusal(10001, "Illegal category")
        first_ms, last_ms = _window(params, self.book.now_ms)
        by_id, by_link = params.get("orderId"), params.get("orderLinkId")
        if by_id or by_link:
            found = self.book.executions(None, first_ms, last_ms)
            shown = [f for f in found if f.order_id == by_id or (not by_id and f.client_id == by_link)]
        else:
            shown = self.book.executions(params.get("symbol"), first_ms, last_ms)
        if "execType" in params:
            shown = [each for each in shown if each.exec_type == params["execType"]]
        newest_first: list[BookFill] = shown[::-1]
        return _page(newest_first, params, (50, 100), execution_record)

    def positions(self, params: Params, _key: BybitKey) -> Result:
        """The symbol's position, flat or not; else, by settleCoin, every open one."""
        _scope(params)
        if params.get("symbol"):
            symbol = params["symbol"]
            if symbol not in self.book.market.listings:
                raise BybitRefusal(10001, "params error: Symbol Is Invalid")
            found = [self.book.position(symbol)]
        else:
            found = self.book.positions() if params["settleCoin"] == "USDT" else []
        isolated = self.book.isolated
        records = [
            position_record(each, Decimal(repr(self.book.mark_price(each.symbol))), isolated)
            for each in found
        ]
        if not self.book.one_way:  # one record for each side
            records = [{**record, "positionIdx": side} for record in records for side in (1, 2)]
        return _page(records, params, (20, 200), dict)


def _scope(params: Params) -> None:
    if params.get("category") != "linear":
        raise BybitRefusal(10001, "Illegal category")
    if not params.get("symbol") and not params.get("settleCoin"):
        raise BybitRefusal(10001, "params error: symbol or settleCoin is required")


def _is_named(order: BookOrder, params: Params) -> bool:
    if params.get("orderId"):
        return order.order_id == params["orderId"]
    link = params.get("orderLinkId")
    return not link or order.client_id == link


def _window(params: Params, now_ms: int) -> tuple[int, int]:
    """Return the time asked for: a week by default, never more."""
    start, end = params.get("startTime"), params.get("endTime")
    if start is None:
        last_ms = int(end) if end is not None else now_ms
        return last_ms - WEEK_MS, last_ms
    first_ms = int(start)
    last_ms = int(end) if end is not None else first_ms + WEEK_MS
    if last_ms - first_ms > WEEK_MS:
        raise BybitRefusal(10001, "The time range between startTime and endTime cannot exceed 7 days")
    return first_ms, last_ms


def _page(
    found: Sequence[T], params: Params, limits: tuple[int, int], shape: Callable[[T], Result]
) -> Result:
    """Return one page; the cursor names the place where the next one begins."""
    limit = int(params.get("limit", limits[0]))
    if not 1 <= limit <= limits[1]:
        raise BybitRefusal(10001, "params error: limit")
    start = int(params.get("cursor") or "0")
    rows = [shape(each) for each in found[start : start + limit]]
    more = start + limit < len(found)
    return {"category": "linear", "nextPageCursor": str(start + limit) if more else "", "list": rows}
