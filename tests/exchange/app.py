"""The server: both venues' routes, private ones through their front, the fault middleware."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from tests.exchange import binance, bybit
from tests.exchange.control import control_routes
from tests.exchange.market import Market
from tests.exchange.private import (
    HALF,
    LOST,
    Answer,
    Auth,
    Front,
    PrivateVenue,
    Reply,
    after_effect,
    before_effect,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PRIVATE_PREFIXES = ("/v5", "/fapi", "/sapi")


def build(market: Market, private: Sequence[PrivateVenue] = ()) -> web.Application:
    """Return the application that serves `market`, and the accounts of `private`."""
    fronts = [Front(market, venue) for venue in private]

    async def to_front(request: web.Request) -> web.StreamResponse:
        """Answer a private request."""
        front = next((f for f in fronts if f.venue.serves(request.method, request.path)), None)
        if front is None:
            raise web.HTTPNotFound
        params, payload = await _told(request)
        market.requests.append({"method": request.method, "path": request.path, "query": params})
        await asyncio.sleep(front.late_ms(request.path, params) / 1_000)
        auth = Auth(dict(request.headers), payload)
        return await _delivered(request, front.answer(request.method, request.path, params, auth))

    @web.middleware
    async def with_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_") or request.match_info.handler is to_front:
            return await handler(request)
        market.requests.append({"path": request.path, "query": dict(request.query)})
        return await _public(market, request, handler)

    app = web.Application(middlewares=[with_faults])
    app.add_routes([*bybit.routes(market), *binance.routes(market)])
    app.add_routes(control_routes(market, [venue.book for venue in private]))
    app.add_routes([web.route("*", f"{prefix}/{{tail:.*}}", to_front) for prefix in PRIVATE_PREFIXES])
    return app


async def _public(market: Market, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request for market data as pace and dials say."""
    path, symbol, now_ms = request.path, request.query.get("symbol", ""), market.clock.now_ms()
    refused = market.limits.refused(path, now_ms)
    if refused is not None:
        return await _delivered(request, Answer(Reply(*refused)))
    decision = market.faults.decide(path, symbol)
    if decision.delay_ms:
        await asyncio.sleep(decision.delay_ms / 1_000)
    if decision.before is not None:
        return await _delivered(request, before_effect(decision.before, 0, lambda: _maintenance(path)))
    whole = await handler(request)
    told = market.limits.headers(path, now_ms)
    if decision.after is None:
        whole.headers.update(told)
        return whole
    assert isinstance(whole, web.Response) and isinstance(whole.body, bytes)
    answer = after_effect(decision, Reply(whole.status, whole.body.decode(), told))
    return await _delivered(request, answer, slept=True)


def _maintenance(path: str) -> Reply:
    if path.startswith("/v5"):
        return Reply(200, {"retCode": 10016, "retMsg": "Server error.", "result": {}, "retExtInfo": {}})
    return Reply(503, "Service Unavailable")


async def _told(request: web.Request) -> tuple[dict[str, str], str]:
    """Return a request's parameters as text, and what was signed: raw query string and body."""
    body = await request.text()
    query = request.raw_path.partition("?")[2]
    params = {str(name): str(value) for name, value in request.query.items()}
    if body.lstrip().startswith("{"):
        try:
            told: dict[str, Any] = json.loads(body)
        except ValueError:
            told = {}
        params |= {name: _text(value) for name, value in told.items() if value is not None}
    elif body:
        params |= {str(name): str(value) for name, value in (await request.post()).items()}
    return params, query + body


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


async def _delivered(request: web.Request, answer: Answer, slept: bool = False) -> web.StreamResponse:
    """Send an answer as it shall arrive."""
    if answer.delay_ms and not slept:
        await asyncio.sleep(answer.delay_ms / 1_000)
    reply = answer.reply
    if reply is None or (answer.delivery == LOST and not answer.sent_half):
        _abort(request)
        return web.Response()
    text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
    whole = text.encode()
    half = whole[: len(whole) // 2]
    headers = {**reply.headers, "Content-Type": _content_type(reply, text)}
    if answer.delivery == LOST:
        headers["Content-Length"] = str(len(whole))
        broken = web.StreamResponse(status=reply.status, headers=headers)
        await broken.prepare(request)
        await broken.write(half)
        _abort(request)
        return broken
    body = half if answer.delivery == HALF else whole
    return web.Response(body=body, status=reply.status, headers=headers)


def _content_type(reply: Reply, text: str) -> str:
    if text.startswith("<"):
        return "text/html"
    plain = isinstance(reply.body, str) and reply.status != 200
    return "text/plain" if plain else "application/json"


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
