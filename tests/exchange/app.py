"""The server: both venues' routes, the fault middleware and the control endpoint."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.exchange import binance, bybit
from tests.exchange.faults import TRANSPORT, Fault
from tests.exchange.market import Market

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML = "<html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>"


def build(market: Market) -> web.Application:
    """Return the application that serves `market`."""

    @web.middleware
    async def with_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_"):
            return await handler(request)
        symbol = request.query.get("symbol", "")
        market.requests.append({"path": request.path, "query": dict(request.query)})
        for fault in market.faults.take(TRANSPORT, request.path, symbol):
            spoiled = await _transport_fault(fault, request, handler)
            if spoiled is not None:
                return spoiled
        return await handler(request)

    app = web.Application(middlewares=[with_faults])
    app.add_routes([*bybit.routes(market), *binance.routes(market), *_control_routes(market)])
    return app


async def _transport_fault(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse | None:
    """Answer as the dial says; None lets the true answer through (after a delay)."""
    if fault.kind == "delay":
        await asyncio.sleep(float(fault.value) / 1_000)
        return None
    if fault.kind == "drop":
        _abort(request)
        return web.Response()
    if fault.kind == "status":
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return web.Response(status=int(fault.value), text="slow down", headers=headers)
    if fault.kind == "html":
        return web.Response(text=HTML, content_type="text/html")
    if fault.kind == "body":
        return web.Response(text=str(fault.value), content_type="application/json")
    whole = await handler(request)
    assert isinstance(whole, web.Response) and isinstance(whole.body, bytes)
    half = whole.body[: len(whole.body) // 2]
    if fault.kind == "truncate":
        return web.Response(body=half, content_type="application/json")
    broken = web.StreamResponse(headers={"Content-Length": str(len(whole.body))})
    await broken.prepare(request)
    await broken.write(half)
    _abort(request)
    return broken


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _control_routes(market: Market) -> list[web.RouteDef]:
    async def show(_request: web.Request) -> web.Response:
        return web.json_response(_state(market))

    async def change(request: web.Request) -> web.Response:
        """Add the dial in "fault", set the clock to "now_ms", or "clear" the dials and the request log."""
        wish: dict[str, Any] = await request.json()
        if wish.get("clear"):
            market.faults.clear()
            market.requests.clear()
        if "now_ms" in wish:
            market.clock.set(wish["now_ms"])
        try:
            if "fault" in wish:
                market.faults.add(**wish["fault"])
        except (TypeError, ValueError) as fault:
            return web.json_response({"error": str(fault)}, status=400)
        return web.json_response(_state(market))

    return [web.get("/_control", show), web.post("/_control", change)]


def _state(market: Market) -> dict[str, Any]:
    return {
        "now_ms": market.clock.now_ms(),
        "symbols": list(market.listings),
        "faults": market.faults.described(),
        "requests": market.requests,
    }
