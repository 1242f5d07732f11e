"""One HTTP request and its reply as text: what happened to it is told apart as far as it can be proved."""

import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple

import aiohttp
import yarl

EXCERPT: Final = 120
ENCODINGS: Final = {"Accept-Encoding": "gzip, deflate"}


class HttpReply(NamedTuple):
    """Status, headers and text."""

    status: int
    headers: Mapping[str, str]
    body: str


class NotSent(Exception):
    """No connection came about, so not one byte of the request was written."""


class Dropped(Exception):
    """The connection ended before the whole answer was there; the request may have arrived."""


class Late(Exception):
    """No answer in time; the request may have arrived."""


class HttpSession:
    """Sends requests, bound to the event loop of the first one; `close` it there.

    Reads share kept connections. A write gets a fresh one: a kept one that the venue has just closed would
    leave its outcome unclear.
    """

    def __init__(self, secure: ssl.SSLContext, timeout_ms: int) -> None:
        self._secure = secure
        self._timeout_ms = timeout_ms
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(self, url: str, method: str, headers: Mapping[str, str], body: str | None) -> HttpReply:
        """Return the reply; raise `NotSent`, `Dropped` or `Late`. Nothing of the request is in their text."""
        session = self._session(method != "GET")
        try:
            async with session.request(
                method,
                yarl.URL(url, encoded=True),
                data=None if body is None else body.encode(),
                headers={**headers, **ENCODINGS},
                allow_redirects=False,
            ) as reply:
                text = await reply.text(errors="replace")
                return HttpReply(reply.status, dict(reply.headers), text)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as fault:
            raise NotSent(_words(fault)) from None
        except TimeoutError:
            raise Late(f"no answer within {self._timeout_ms} ms") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise Dropped(_words(fault)) from None

    def _session(self, fresh: bool) -> aiohttp.ClientSession:
        if fresh not in self._sessions:
            connector = aiohttp.TCPConnector(
                ssl=self._secure, happy_eyeballs_delay=0, limit=0, force_close=fresh
            )
            whole_s = self._timeout_ms / 1_000
            session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=whole_s, sock_connect=whole_s * 0.8),
            )
            session._retry_connection = False  # else aiohttp sends a DELETE again by itself
            self._sessions[fresh] = session
        return self._sessions[fresh]

    async def close(self) -> None:
        """Close the sockets. A later request opens new ones."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()


def _words(fault: Exception) -> str:
    """Name a fault without the address: a signed one has the signature in it."""
    said = fault.message if isinstance(fault, aiohttp.ClientResponseError) else str(fault)
    return f"{type(fault).__name__} {said}"[:EXCERPT]
