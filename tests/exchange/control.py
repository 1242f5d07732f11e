"""The control endpoint /_control: all that a test may do to an exchange that is a process of its own."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.exchange.market import Market
from tests.exchange.trading.book import TradingBook
from tests.exchange.trading.values import OrderRefused

Wish = dict[str, Any]
BookAct = Callable[[TradingBook, Any], object]

BOOK_ACTS: dict[str, BookAct] = {
    "manual": lambda book, told: book.manual(told["symbol"], told["side"], Decimal(told["quantity"])),
    "adl": lambda book, told: book.adl(told["symbol"], _quantity(told)),
    "delist": lambda book, told: book.delist(told["symbol"], int(told["at_ms"])),
    "cancel_stops": lambda book, told: book.cancel_stops(told["symbol"]),
    "leverage": lambda book, told: book.set_leverage(told["symbol"], Decimal(told["leverage"])),
    "isolated": lambda book, told: book.set_isolated(bool(told["isolated"]), told.get("symbol")),
    "one_way": lambda book, told: book.set_one_way(bool(told["one_way"])),
    "dials": lambda book, told: book.dials.set(**told),
    "restart": lambda book, _told: book.restart(),
}


def _quantity(told: Wish) -> Decimal | None:
    return Decimal(told["quantity"]) if "quantity" in told else None


def control_routes(market: Market, books: Sequence[TradingBook]) -> list[web.RouteDef]:
    """Return GET /_control, GET /_control/facts and POST /_control."""

    async def show(_request: web.Request) -> web.Response:
        return web.json_response(_state(market))

    async def facts(_request: web.Request) -> web.Response:
        """Tell the whole truth about every account."""
        for book in books:
            book.advance(market.clock.now_ms())
        told = {book.venue: book.facts() for book in books}
        return web.json_response({**_state(market), "accounts": told})

    async def change(request: web.Request) -> web.Response:
        """Do what the wish says; see `act`."""
        wish: Wish = await request.json()
        try:
            act(market, books, wish)
        except (TypeError, ValueError, KeyError, ArithmeticError, OrderRefused) as fault:
            return web.json_response({"error": str(fault)}, status=400)
        return web.json_response(_state(market))

    return [
        web.get("/_control", show),
        web.get("/_control/facts", facts),
        web.post("/_control", change),
    ]


def act(market: Market, books: Sequence[TradingBook], wish: Wish) -> None:
    """Carry out a wish.

    "clear" takes away dials, limits and the log of requests; "now_ms" sets the clock without playing;
    "advance_ms" plays all accounts up to a time; "fault" and "limit" add a dial; the words of BOOK_ACTS act
    on the account of "venue", or on every one where none is named.
    """
    if wish.get("clear"):
        market.faults.clear()
        market.limits.clear()
        market.requests.clear()
    if "now_ms" in wish:
        market.clock.set(wish["now_ms"])
    if "advance_ms" in wish:
        for book in books:
            book.advance(int(wish["advance_ms"]))
    if "fault" in wish:
        market.faults.add(**wish["fault"])
    if "limit" in wish:
        market.limits.add(**wish["limit"])
    for book in books:
        if wish.get("venue") in (None, book.venue):
            _act_on(book, wish)


def _act_on(book: TradingBook, wish: Wish) -> None:
    book.advance(book.market.clock.now_ms())
    for word, deed in BOOK_ACTS.items():
        if word in wish:
            deed(book, wish[word])


def _state(market: Market) -> dict[str, Any]:
    return {
        "now_ms": market.clock.now_ms(),
        "symbols": list(market.listings),
        "faults": market.faults.described(),
        "limits": {"refusals": market.limits.refusals, "bans": market.limits.bans},
        "requests": market.requests,
    }
