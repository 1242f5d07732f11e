"""Binance USD-M futures, public market data, with the field names and shapes of its documentation."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.exchange.candles import HOUR_MS, Listing, Row, decimal, turnover
from tests.exchange.market import Market

MINUTE_MS = 60_000
Source = Callable[[str, str, int, int, int], list[Row]]
INTERVAL_MS = {f"{m}m": m * MINUTE_MS for m in (1, 3, 5, 15, 30)}
INTERVAL_MS |= {f"{h}h": h * HOUR_MS for h in (1, 2, 4, 6, 8, 12)} | {"1d": 24 * HOUR_MS}
FAR_MS = 1 << 53
PERPETUAL_MS = 4_133_404_800_000


def routes(market: Market) -> list[web.RouteDef]:
    """Return the routes under /fapi/v1."""
    venue = BinanceMarketData(market)
    return [
        web.get("/fapi/v1/time", venue.time),
        web.get("/fapi/v1/klines", venue.klines),
        web.get("/fapi/v1/markPriceKlines", venue.mark_price_klines),
        web.get("/fapi/v1/fundingRate", venue.funding_rate),
        web.get("/fapi/v1/exchangeInfo", venue.exchange_info),
        web.get("/fapi/v1/premiumIndex", venue.premium_index),
        web.get("/fapi/v1/ticker/bookTicker", venue.book_ticker),
    ]


class BinanceMarketData:
    """Handlers over a market."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def _refusal(self, request: web.Request) -> web.Response | None:
        symbol = request.query.get("symbol", "")
        for fault in self.market.faults.take(("refuse",), request.path, symbol):
            code, text = fault.value
            return web.json_response({"code": code, "msg": text}, status=400)
        if symbol and symbol not in self.market.listings:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        return None

    def _listings(self, request: web.Request) -> list[Listing]:
        wanted = request.query.get("symbol")
        return [each for each in self.market.listings.values() if wanted in (None, each.symbol)]

    async def time(self, request: web.Request) -> web.Response:
        return web.json_response({"serverTime": self.market.now_ms(request.path)})

    async def klines(self, request: web.Request) -> web.Response:
        """Oldest first; of more rows than `limit` the oldest ones, without a start the newest."""
        return self._candles(request, self.market.candles)

    def _candles(self, request: web.Request, source: Source) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        query, symbol = request.query, request.query["symbol"]
        if query.get("interval") not in INTERVAL_MS:
            return web.json_response({"code": -1120, "msg": "Invalid interval."}, status=400)
        step_ms = INTERVAL_MS[query["interval"]]
        first_ms, end_ms = int(query.get("startTime", 0)), int(query.get("endTime", FAR_MS)) + 1
        limit = min(int(query.get("limit", 500)), 1_500)
        rows = source(request.path, symbol, step_ms, first_ms, end_ms)
        rows = rows[:limit] if "startTime" in query else rows[-limit:]
        return web.json_response([_kline(row, step_ms) for row in rows])

    async def mark_price_klines(self, request: web.Request) -> web.Response:
        """Give the mark's candles, zeros for volumes as there."""
        answer = json.loads(self._candles(request, self.market.marks).text or "")
        if isinstance(answer, list):
            answer = [[*row[:5], "0", *row[6:7], *["0"] * (len(row) - 7)] for row in answer]
        return web.json_response(answer, status=200 if isinstance(answer, list) else 400)

    async def funding_rate(self, request: web.Request) -> web.Response:
        """Oldest first from `startTime` on; without it the newest."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        query, symbol = request.query, request.query["symbol"]
        limit = min(int(query.get("limit", 100)), 1_000)
        found = self.market.funding(symbol, int(query.get("startTime", 0)), int(query.get("endTime", FAR_MS)))
        found = found[:limit] if "startTime" in query else found[-limit:]
        told = self.market.told_symbol(request.path, symbol)
        return web.json_response(
            [
                {
                    "symbol": told,
                    "fundingTime": at + at // HOUR_MS % 8,
                    "fundingRate": f"{rate:.8f}",
                    "markPrice": "",
                }
                for at, rate in found
            ]
        )

    async def exchange_info(self, request: web.Request) -> web.Response:
        now_ms = self.market.clock.now_ms()
        return web.json_response(
            {
                "timezone": "UTC",
                "serverTime": self.market.now_ms(request.path),
                "futuresType": "U_MARGINED",
                "rateLimits": [],
                "exchangeFilters": [],
                "assets": [],
                "symbols": [_symbol(each, now_ms) for each in self.market.listings.values()],
            }
        )

    async def premium_index(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        now_ms = self.market.clock.now_ms()
        listed = []
        for listing in self._listings(request):
            price, rates = (
                decimal(listing.last_price(now_ms)),
                [r for at, r in listing.funding if at <= now_ms],
            )
            listed.append(
                {
                    "symbol": listing.symbol,
                    "markPrice": price,
                    "indexPrice": price,
                    "estimatedSettlePrice": price,
                    "lastFundingRate": f"{rates[-1] if rates else 0.0:.8f}",
                    "interestRate": "0.00010000",
                    "nextFundingTime": (now_ms // (8 * HOUR_MS) + 1) * 8 * HOUR_MS,
                    "time": now_ms,
                }
            )
        return web.json_response(listed[0] if "symbol" in request.query else listed)

    async def book_ticker(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        now_ms = self.market.clock.now_ms()
        listed = []
        for listing in self._listings(request):
            last, tick = listing.last_price(now_ms), float(listing.tick)
            listed.append(
                {
                    "symbol": listing.symbol,
                    "bidPrice": decimal(round(last - tick, 10)),
                    "bidQty": "10",
                    "askPrice": decimal(round(last + tick, 10)),
                    "askQty": "10",
                    "time": now_ms,
                }
            )
        return web.json_response(listed[0] if "symbol" in request.query else listed)


def _kline(row: list[Any], step_ms: int) -> list[Any]:
    if len(row) < 6:
        return row
    close_ms, quote = row[0] + step_ms - 1, turnover(row)
    return [*row, close_ms, quote, 100, row[5], quote, "0"]


def _symbol(listing: Listing, now_ms: int) -> dict[str, Any]:
    settled = listing.has_ended(now_ms)
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": listing.settled_ms or listing.delist_ms or PERPETUAL_MS,
        "onboardDate": listing.listed_ms,
        "status": "SETTLING" if settled else "TRADING",
        "baseAsset": listing.symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "39.86",
                "maxPrice": "306177",
                "tickSize": listing.tick,
            },
            {"filterType": "LOT_SIZE", "minQty": listing.lot, "maxQty": "10000", "stepSize": listing.lot},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": listing.lot,
                "maxQty": "2000",
                "stepSize": listing.lot,
            },
            {"filterType": "MIN_NOTIONAL", "notional": "20"},
        ],
    }
