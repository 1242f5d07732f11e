"""Bybit v5, public market data of linear perpetuals, with the field names and shapes of its documentation."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.exchange.candles import HOUR_MS, Listing, Row, decimal, turnover
from tests.exchange.market import Market

MINUTE_MS = 60_000
Source = Callable[[str, str, int, int, int], list[Row]]
INTERVAL_MS = {str(m): m * MINUTE_MS for m in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)} | {"D": 24 * HOUR_MS}
FAR_MS = 1 << 53
RISK_LIMITS = (
    ("200000", "0.01", "0.02", "50.00", ""),
    ("400000", "0.015", "0.03", "33.33", "1000"),
    ("1000000", "0.025", "0.05", "20.00", "5000"),
)


def routes(market: Market) -> list[web.RouteDef]:
    """Return the routes under /v5."""
    venue = BybitMarketData(market)
    return [
        web.get("/v5/market/time", venue.time),
        web.get("/v5/market/kline", venue.kline),
        web.get("/v5/market/mark-price-kline", venue.mark_price_kline),
        web.get("/v5/market/funding/history", venue.funding_history),
        web.get("/v5/market/tickers", venue.tickers),
        web.get("/v5/market/instruments-info", venue.instruments_info),
        web.get("/v5/market/risk-limit", venue.risk_limit),
    ]


class BybitMarketData:
    """Handlers over a market."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def _answer(self, request: web.Request, result: Any, code: int = 0, text: str = "OK") -> web.Response:
        now_ms = self.market.now_ms(request.path, request.query.get("symbol", ""))
        envelope = {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now_ms}
        return web.json_response(envelope)

    def _refusal(self, request: web.Request) -> web.Response | None:
        symbol = request.query.get("symbol", "")
        for fault in self.market.faults.take(("refuse",), request.path, symbol):
            code, text = fault.value
            return self._answer(request, {}, code, text)
        if request.query.get("category") != "linear":
            return self._answer(request, {}, 10001, "Illegal category")
        if symbol and symbol not in self.market.listings:
            return self._answer(request, {}, 10001, "params error: Symbol Is Invalid")
        return None

    async def time(self, request: web.Request) -> web.Response:
        now_ms = self.market.now_ms(request.path)
        result = {"timeSecond": str(now_ms // 1_000), "timeNano": str(now_ms * 1_000_000)}
        return web.json_response(
            {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms}
        )

    async def kline(self, request: web.Request) -> web.Response:
        """Newest first; of a range with more rows than `limit` the newest ones."""
        return self._candles(request, self.market.candles)

    def _candles(self, request: web.Request, source: Source) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        query, symbol = request.query, request.query["symbol"]
        if query.get("interval") not in INTERVAL_MS:
            return self._answer(request, {}, 10001, "Invalid period!")
        first_ms, end_ms = int(query.get("start", 0)), int(query.get("end", FAR_MS)) + 1
        limit = min(int(query.get("limit", 200)), 1_000)
        rows = source(request.path, symbol, INTERVAL_MS[query["interval"]], first_ms, end_ms)
        listed = [[str(row[0]), *row[1:], turnover(row)] for row in reversed(rows[-limit:])]
        told = self.market.told_symbol(request.path, symbol)
        return self._answer(request, {"symbol": told, "category": "linear", "list": listed})

    async def mark_price_kline(self, request: web.Request) -> web.Response:
        """Give the mark's candles, five cells a row as there."""
        answer = json.loads(self._candles(request, self.market.marks).text or "")
        for row in answer["result"].get("list", []):
            del row[5:]
        return web.json_response(answer)

    async def funding_history(self, request: web.Request) -> web.Response:
        """Newest first; a start without an end is an error, as it is there."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        query, symbol = request.query, request.query["symbol"]
        if "startTime" in query and "endTime" not in query:
            return self._answer(request, {}, 10001, "endTime is required with startTime")
        first_ms, end_ms = int(query.get("startTime", 0)), int(query.get("endTime", FAR_MS))
        limit = min(int(query.get("limit", 200)), 200)
        listed = [
            {"symbol": symbol, "fundingRate": decimal(rate), "fundingRateTimestamp": str(at)}
            for at, rate in reversed(self.market.funding(symbol, first_ms, end_ms)[-limit:])
        ]
        return self._answer(request, {"category": "linear", "list": listed})

    async def tickers(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        wanted = request.query.get("symbol")
        listings = [each for each in self.market.listings.values() if wanted in (None, each.symbol)]
        listed = [self._ticker(listing) for listing in listings]
        return self._answer(request, {"category": "linear", "list": listed})

    def _ticker(self, listing: Listing) -> dict[str, str]:
        now_ms = self.market.clock.now_ms()
        last, tick = listing.last_price(now_ms), float(listing.tick)
        rates = [rate for at, rate in listing.funding if at <= now_ms]
        price = decimal(last)
        return {
            "symbol": listing.symbol,
            "lastPrice": price,
            "indexPrice": price,
            "markPrice": price,
            "bid1Price": decimal(round(last - tick, 10)),
            "bid1Size": "10",
            "ask1Price": decimal(round(last + tick, 10)),
            "ask1Size": "10",
            "fundingRate": decimal(rates[-1]) if rates else "",
            "nextFundingTime": str((now_ms // (8 * HOUR_MS) + 1) * 8 * HOUR_MS),
            "fundingIntervalHour": "8",
            "openInterest": "100000",
            "volume24h": "1000000",
            "turnover24h": "1000000",
            "deliveryTime": "0",
        }

    async def instruments_info(self, request: web.Request) -> web.Response:
        """Without `status` the trading ones only; settled ones by status=Closed."""
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        wanted, status = request.query.get("symbol"), request.query.get("status", "Trading")
        now_ms = self.market.clock.now_ms()
        listed = [
            info
            for listing in self.market.listings.values()
            if wanted in (None, listing.symbol) and (info := _instrument(listing, now_ms))["status"] == status
        ]
        return self._answer(request, {"category": "linear", "list": listed, "nextPageCursor": ""})

    async def risk_limit(self, request: web.Request) -> web.Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        listed = [
            {
                "id": number,
                "symbol": request.query["symbol"],
                "riskLimitValue": limit,
                "maintenanceMargin": maintenance,
                "initialMargin": initial,
                "isLowestRisk": int(number == 1),
                "maxLeverage": leverage,
                "mmDeduction": deduction,
            }
            for number, (limit, maintenance, initial, leverage, deduction) in enumerate(RISK_LIMITS, 1)
        ]
        return self._answer(request, {"category": "linear", "list": listed, "nextPageCursor": ""})


def _instrument(listing: Listing, now_ms: int) -> dict[str, Any]:
    launched = "PreLaunch" if listing.launched_ms > now_ms else "Trading"
    return {
        "symbol": listing.symbol,
        "contractType": "LinearPerpetual",
        "status": "Closed" if listing.has_ended(now_ms) else launched,
        "baseCoin": listing.symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "launchTime": str(listing.listed_ms),
        "deliveryTime": str(listing.settled_ms or listing.delist_ms or 0),
        "deliveryFeeRate": "",
        "priceScale": "2",
        "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
        "priceFilter": {"minPrice": listing.tick, "maxPrice": "199999.98", "tickSize": listing.tick},
        "lotSizeFilter": {
            "maxOrderQty": "7240.00",
            "minOrderQty": listing.lot,
            "qtyStep": listing.lot,
            "postOnlyMaxOrderQty": "7240.00",
            "maxMktOrderQty": "724.00",
            "minNotionalValue": "5",
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "settleCoin": "USDT",
        "copyTrading": "both",
        "upperFundingRate": "0.005",
        "lowerFundingRate": "-0.005",
        "isPreListing": False,
        "preListingInfo": None,
    }
