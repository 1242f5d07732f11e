"""Run the exchange: in a thread of a test, or as a process of its own."""

import asyncio
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.exchange.app import build
from tests.exchange.market import Market
from tests.exchange.private import PrivateVenue

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]


class RunningExchange:
    """An exchange on a free loopback port in a thread; market and accounts may be changed from the test."""

    def __init__(self, market: Market, private: Sequence[PrivateVenue] = ()) -> None:
        self.market, self.private = market, private
        self.port = 0
        self._ready = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def paths(self, end: str = "") -> list[str]:
        """Return the paths asked for so far that end so."""
        return [each["path"] for each in self.market.requests if each["path"].endswith(end)]

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the test exchange did not start"

    def stop(self) -> None:
        self._stop()
        self._thread.join(10)

    async def _serve(self) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        self._stop = partial(loop.call_soon_threadsafe, stopped.set)
        runner = web.AppRunner(build(self.market, self.private), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await stopped.wait()
        await runner.cleanup()


@contextmanager
def running(market: Market, private: Sequence[PrivateVenue] = ()) -> Iterator[RunningExchange]:
    """Serve `market` and the accounts of `private` inside the block."""
    exchange = RunningExchange(market, private)
    exchange.start()
    try:
        yield exchange
    finally:
        exchange.stop()


class ExchangeProcess:
    """An exchange in its own process: it outlives a killed Chloe."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.exchange", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def control(self, **wish: Any) -> dict[str, Any]:
        """Post to /_control: fault={...}, advance_ms=..., manual={...}: see `control.act`."""
        body = json.dumps(wish).encode()
        request = urllib.request.Request(f"{self.url}/_control", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as reply:
            state: dict[str, Any] = json.load(reply)
        return state

    def facts(self) -> dict[str, Any]:
        """Return the whole truth about the accounts, by venue."""
        with urllib.request.urlopen(f"{self.url}/_control/facts", timeout=10) as reply:
            state: dict[str, Any] = json.load(reply)
        accounts: dict[str, Any] = state["accounts"]
        return accounts

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
