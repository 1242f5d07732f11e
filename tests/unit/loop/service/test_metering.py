"""The figures of a running service agree with its journal; a port in use stops nothing."""

import json
import logging
import socket
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop.halt_file import request_halt
from engine_alpha.loop.service.metering import Metering
from engine_alpha.loop.wiring import JOURNAL_NAME
from engine_alpha.step.recording import decision_view
from tests.unit.loop.runs import START_MS, MemoryFeed, a_home, edit, series_of
from tests.unit.loop.services import EventfulClock, service_of
from tests.unit.notices.test_metrics_page import samples

HOUR_MS = 3_600_000
COINS = ("ETHUSDT", "BTCUSDT")


def set_port(home: Home, port: int) -> None:
    edit(home.engine, lambda found: found["metrics"].update(port=port))


def a_free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def run_hours(home: Home, hours: int, metering: Metering, *deeds: Any) -> None:
    clock = EventfulClock(START_MS)
    service = service_of(home, MemoryFeed(series_of(COINS)), clock, [metering])
    for hour, deed in deeds:
        clock.at(START_MS + int(hour * HOUR_MS), deed)

    def end() -> None:
        service.stop.asked = True

    clock.at(START_MS + hours * HOUR_MS, end)
    service.run()


def test_the_figures_are_those_of_the_journal(tmp_path: Path) -> None:
    home, port, pages = a_home(tmp_path / "home", enabled=COINS), a_free_port(), []
    set_port(home, port)

    def look() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            pages.append(answer.read().decode())

    run_hours(home, 30, Metering(), (29.5, look))
    found = samples(pages[0])
    journal = SqliteJournal.open(home.account("test") / JOURNAL_NAME, read_only=True)
    decisions = [json.loads(each.event.payload) for each in journal.events("decision")]
    trades = Counter(each.event.symbol for each in journal.events("trade"))
    equity = home_equity = json.loads((home.config / "risk.json").read_text())["equity_quote"]
    for symbol in COINS:
        sub = json.loads(journal.states()[symbol])["sub"]
        mark, position = sub[5], sub[13]
        open_quote = position[0] * position[2] * (mark - position[3])
        equity += sub[1] - sub[2] + sub[3] + open_quote
    blocked: Counter[tuple[str, str]] = Counter()
    for payload in decisions:
        view = decision_view(payload)
        blocked.update(
            (view["symbol"], gate["name"])
            for gate in (*view["gates"], *view["allocation"])
            if not gate["passed"]
        )
    journal.close()
    assert found["chloe_steps_total", ("test", "decided")] >= 2
    assert found["chloe_ticks_total", ("test",)] == 30
    assert {
        labels[1:]: n for (name, labels), n in found.items() if name == "chloe_gate_blocked_total"
    } == blocked
    for symbol in COINS:
        assert found["chloe_closed_trades", ("test", symbol)] == trades[symbol] > 0
        assert found["chloe_asset_faults", ("test", symbol)] == 0
    assert home_equity != equity and found["chloe_equity_quote", ("test",)] == pytest.approx(equity, abs=1e-6)
    assert found["chloe_feed_seconds_count", ("test", "bybit")] == len(decisions)
    assert found["chloe_commit_seconds_count", ("test",)] >= len(decisions)
    assert found["chloe_watchdog_healthy", ()] == 1.0


def test_a_port_in_use_is_told_once_and_the_engine_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("chloe"), "propagate", True)
    caplog.set_level(logging.INFO, "chloe")
    home = a_home(tmp_path / "home", enabled=COINS)
    free, found = a_free_port(), []

    def look() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{free}/metrics", timeout=10) as answer:
            found.append(answer.status)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        set_port(home, taken.getsockname()[1])
        metering = Metering()
        run_hours(home, 6, metering, (3.5, lambda: set_port(home, free)), (5.5, look))
    told = [each.getMessage() for each in caplog.records if "Prometheus" in each.getMessage()]
    assert len(told) == 2 and "metrics.port in engine.json" in told[0]
    assert found == [200] and metering.page is None
    assert samples(metering.metrics.page())["chloe_ticks_total", ("test",)] == 6


def test_a_halt_shows_before_the_next_tick(tmp_path: Path) -> None:
    home, metering, seen = a_home(tmp_path / "home", enabled=COINS), Metering(), []
    set_port(home, 0)

    def look() -> None:
        seen.append(samples(metering.metrics.page())["chloe_halted", ("test",)])

    folder = home.account("test")
    halt = (1.2, lambda: request_halt(folder, True, "looking", START_MS + HOUR_MS))
    run_hours(home, 2, metering, (1.1, look), halt, (1.5, look))
    assert seen == [0.0, 1.0]
