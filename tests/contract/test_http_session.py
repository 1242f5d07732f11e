"""What is proved about a request that failed: a server of raw sockets that counts what reached it."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine_alpha.exchanges.http import Dropped, HttpSession, Late, NotSent

YES = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


class Server:
    """Answers the first `answers` requests and keeps connections; then it hangs up or is silent."""

    def __init__(self, answers: int, silent: bool = False) -> None:
        self.answers, self.silent = answers, silent
        self.seen: list[str] = []
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.seen.append(head.decode().split(" ")[0])
                if len(self.seen) <= self.answers:
                    writer.write(YES)
                    await writer.drain()
                elif not self.silent:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/path?signature=secret"


@asynccontextmanager
async def talking(server: Server, timeout_ms: int = 2_000) -> AsyncIterator[HttpSession]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    session = HttpSession(ssl.create_default_context(), timeout_ms)
    try:
        yield session
    finally:
        await session.close()
        listening.close()
        for writer in server.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in server.writers), return_exceptions=True)


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
async def test_a_connection_that_breaks_is_told_and_nothing_is_sent_again(method: str) -> None:
    server = Server(answers=1)
    async with talking(server) as session:
        assert (await session.send(server.url, method, {}, None)).body == "{}"
        with pytest.raises(Dropped) as caught:
            await session.send(server.url, method, {}, None)
    assert server.seen == [method] * 2
    assert "secret" not in str(caught.value)


async def test_no_answer_is_late() -> None:
    server = Server(answers=0, silent=True)
    async with talking(server, timeout_ms=200) as session:
        with pytest.raises(Late, match="no answer within 200 ms"):
            await session.send(server.url, "POST", {}, "{}")
    assert server.seen == ["POST"]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_where_nobody_listens_nothing_is_sent(method: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        session = HttpSession(ssl.create_default_context(), 1_000)
        with pytest.raises(NotSent):
            await session.send(f"http://127.0.0.1:{reserved.getsockname()[1]}/", method, {}, None)
        await session.close()
