"""A real HTTP server on this machine that takes alerts, and real journal events to tell of."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from engine_alpha.journals.memory import MemoryJournal
from engine_alpha.notices.alerting import Alerter
from engine_alpha.notices.messages import Message, Sender
from engine_alpha.ports import Event

HOUR_MS = 3_600_000
NOON_MS = 1_795_046_400_000 // 86_400_000 * 86_400_000 + 12 * HOUR_MS
ALL = ("trades", "faults", "halts", "rollout", "summary")


@dataclass
class Settings:
    """What engine.json would say."""

    kinds: tuple[str, ...] = ALL
    summary_at: str = "06:00"


@dataclass
class Receiver:
    """What a service on the other side saw. `code` is what it answers, `delay_s` after how long."""

    port: int = 0
    code: int = 200
    delay_s: float = 0.0
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def target(self) -> str:
        return f"json://127.0.0.1:{self.port}/hook"

    @property
    def titles(self) -> list[str]:
        return [body["title"] for body in self.bodies]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serve a receiver until the end of the block."""
    seen = Receiver()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            time.sleep(seen.delay_s)
            seen.bodies.append(body)
            self.send_response(seen.code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    seen.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Box:
    """A sender that keeps what it is given; `refusals` are reasons it gives, by target, until they are taken
    away."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Message]] = []
        self.refusals: dict[str, str] = {}

    def __call__(self, target: str, message: Message) -> str:
        if target in self.refusals:
            return self.refusals[target]
        self.taken.append((target, message))
        return ""

    @property
    def titles(self) -> list[str]:
        return [message.title for _, message in self.taken]

    @property
    def text(self) -> str:
        return "\n".join(f"{message.title}\n{message.body}" for _, message in self.taken)


class Office:
    """One account's alerts beside its journal, restarted at will."""

    def __init__(
        self,
        folder: Path,
        send: Sender,
        targets: tuple[str, ...] = ("box://one",),
        settings: Settings | None = None,
    ) -> None:
        self.folder, self.send, self.targets = folder, send, targets
        self.settings = settings or Settings()
        self.journal = MemoryJournal()
        self.now_ms = NOON_MS
        self.alerts: list[dict[str, Any]] = []
        self.alerter = self.started()

    def started(self) -> Alerter:
        self.alerter = Alerter(self.folder, "paper", self.settings, self.targets, self.send)
        return self.alerter

    def write(self, *events: Event) -> None:
        for event in events:
            assert self.journal.commit(self.now_ms, [event], {}) == 1

    def look(self, after_ms: int = 0) -> None:
        """Observe, commit what comes back, and wait for what is on its way."""
        self.now_ms += after_ms
        for _ in range(2):
            began_s = time.monotonic()
            events = self.alerter.observe(self.journal, self.now_ms)
            assert time.monotonic() - began_s < 0.5
            for event in events:
                assert self.journal.commit(self.now_ms, [event], {}) == 1
            self.alerts += [json.loads(event.payload) for event in events]
            wait_for(lambda: not any(thread.name == "alerts" for thread in threading.enumerate()))

    def statuses(self) -> list[str]:
        return [alert["status"] for alert in self.alerts]


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait until something is so."""
    until_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until_s, "waited too long"
        time.sleep(0.005)


def a_fault(symbol: str, hour: int, reason: str = "stale", detail: str = "the newest bar is old") -> Event:
    payload = {"symbol": symbol, "timeframe": "1h", "open_ms": hour, "reason": reason, "detail": detail}
    return Event("no_decision", symbol, f"{symbol}/1h/{hour}/{reason}", hour, json.dumps(payload))


def a_decision(symbol: str, hour: int) -> Event:
    return Event("decision", symbol, f"{symbol}/1h/{hour}", hour, "{}")


def a_trade(symbol: str, net_quote: float, exit_ms: int) -> Event:
    payload = {
        "symbol": symbol,
        "side": "long",
        "exit_ms": exit_ms,
        "exit_price": 2_931.25,
        "exit_reason": "stop",
        "net_quote": net_quote,
        "r": net_quote / 10,
    }
    return Event("trade", symbol, f"{symbol}/1h/{exit_ms}", exit_ms, json.dumps(payload))
