"""A transport without sockets: the test exchange answers here, the engine's own judgement reads it."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from engine_alpha.errors import OutcomeUnknown, VenueBusy
from engine_alpha.exchanges.judging import judged
from engine_alpha.exchanges.transport import Endpoint, Params, Urgency
from tests.exchange import binance, bybit
from tests.exchange.market import Market
from tests.exchange.private import HALF, LOST, Auth, Front, Reply

ROUTES: Mapping[str, Callable[[Market], list[web.RouteDef]]] = {
    "binance": binance.routes,
    "bybit": bybit.routes,
}


class InProcessTransport:
    """Implements `Transport` for one account. `sent` lists every request, as (method, path, parameters).

    Delays take no time here: they are the network's.
    """

    def __init__(self, venue: str, front: Front, key: str = "") -> None:
        self.venue = venue
        self.sent: list[tuple[str, str, dict[str, str]]] = []
        self._front = front
        self._key = key
        self._public = {route.path: route.handler for route in ROUTES[venue](front.market)}

    async def call(self, endpoint: Endpoint, params: Params, urgency: Urgency) -> Any:
        """Return the decoded JSON of a yes; see `Transport`."""
        asked = {name: _text(value) for name, value in params.items()}
        self.sent.append((endpoint.method, endpoint.path, asked))
        if not self._front.venue.serves(endpoint.method, endpoint.path):
            reply = await self._public_reply(endpoint, asked)
            return self._read(endpoint, reply, asked)
        auth = Auth(verified=True, key=self._key)
        answer = self._front.answer(endpoint.method, endpoint.path, asked, auth)
        if answer.delivery == LOST or answer.reply is None:
            raise self._lost(endpoint)
        return self._read(endpoint, answer.reply, asked, half=answer.delivery == HALF)

    async def _public_reply(self, endpoint: Endpoint, asked: Mapping[str, str]) -> Reply:
        handler = self._public.get(endpoint.path)
        if handler is None:
            return Reply(404, "404: Not Found")
        request = make_mocked_request(endpoint.method, f"{endpoint.path}?{urlencode(asked)}")
        response = await handler(request)
        assert isinstance(response, web.Response)
        return Reply(response.status, response.text or "")

    def _read(self, endpoint: Endpoint, reply: Reply, asked: Mapping[str, str], half: bool = False) -> Any:
        body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        body = body[: len(body) // 2] if half else body
        return judged(self.venue, endpoint, reply.status, reply.headers, body, asked.get("symbol", ""))

    def _lost(self, endpoint: Endpoint) -> Exception:
        if endpoint.writes:
            return OutcomeUnknown(f"{self.venue}: the connection broke at {endpoint.path}; look it up")
        return VenueBusy(f"{self.venue}: the connection broke at {endpoint.path}")

    async def close(self) -> None:
        """Have nothing to close."""


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
