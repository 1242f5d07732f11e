"""Every way a venue can be sick, through the step: a recorded reason, and the next good tick decides."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.feeds.ccxt_feed import CcxtFeed
from engine_alpha.home import Home
from tests.exchange.candles import generated_listing
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import RunningExchange, running
from tests.makers import HOUR_MS
from tests.unit.loop.processes import runner
from tests.unit.loop.runs import (
    LATE_MS,
    QUICK,
    START_MS,
    SYMBOLS,
    a_home,
    assert_sound,
    close_ms,
    engine_of,
    journal_of,
    payloads,
    reasons,
    set_engine,
    tick_at,
    views,
)

NOW_MS = START_MS + LATE_MS


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    """Serve twelve generated coins at NOW_MS, with five hours more to come."""
    listings = [generated_listing(7, symbol, HOUR_MS, NOW_MS + 5 * HOUR_MS, 1_400) for symbol in SYMBOLS]
    with running(Market(listings, ExchangeClock(NOW_MS))) as running_exchange:
        yield running_exchange


def venue_feed(exchange: RunningExchange, deadline_ms: int = 3_000) -> CcxtFeed:
    return CcxtFeed({"bybit": exchange.url, "binance": exchange.url}, deadline_ms=deadline_ms)


def dial(exchange: RunningExchange, kind: str, **more: Any) -> None:
    exchange.market.faults.add(kind=kind, path="kline", **more)


TROUBLES = (
    ("html", None, "bad_reply", ""),
    ("truncate", None, "bad_reply", ""),
    ("body", "", "bad_reply", ""),
    ("refuse", (10001, "half a letter \ud83d"), "Refused", "half a letter"),
    ("status", 429, "VenueBusy", "429"),
    ("status", 503, "VenueBusy", "503"),
    ("drop", None, "VenueBusy", "connection failed"),
    ("cut", None, "VenueBusy", "connection failed"),
    ("empty", None, "empty", "not listed"),
    ("nan", None, "nan", ""),
    ("zero", None, "not_positive", ""),
    ("negative", None, "not_positive", "-1.5"),
    ("high_below_low", None, "impossible_bar", ""),
    ("duplicate", None, "duplicated", ""),
    ("out_of_order", None, "out_of_order", ""),
    ("future", None, "future_bar", ""),
    ("stale", None, "stale", "is missing"),
    ("missing_newest", None, "stale", "is missing"),
    ("frozen", None, "frozen", "without volume"),
    ("word", None, "bad_reply", ""),
    ("short_row", None, "bad_reply", ""),
    ("wrong_symbol", "BTCUSDT", "bad_reply", "BTCUSDT"),
)


@pytest.mark.parametrize(("kind", "value", "reason", "told"), TROUBLES)
def test_trouble_is_recorded_with_its_reason_and_the_next_good_tick_decides(
    tmp_path: Path, exchange: RunningExchange, kind: str, value: Any, reason: str, told: str
) -> None:
    home = a_home(tmp_path / "home", cards=(QUICK,))
    dial(exchange, kind, value=value)
    if kind == "frozen":
        set_engine(home, feed_deadline_ms=5_000)
    with engine_of(home, venue_feed(exchange)) as engine:
        report = tick_at(engine, NOW_MS)
        assert report.exit_code == 4
        assert [(step.status, step.reason) for step in report.steps] == [("no_decision", reason)], (
            report.json()
        )
        assert told in report.steps[0].detail and len(report.steps[0].detail) > 10
        assert reasons(engine.journal, "ETHUSDT") == [reason]
        assert engine.journal.states() == {}
    exchange.market.faults.clear()
    with engine_of(home, venue_feed(exchange)) as engine:
        report = tick_at(engine, NOW_MS + 1_000)
        assert report.exit_code == 0, report.json()
        assert [view["close_ms"] for view in views(engine.journal, "ETHUSDT")] == [START_MS]
        assert_sound(engine.journal)


def test_the_forming_bar_is_never_decided(tmp_path: Path, exchange: RunningExchange) -> None:
    exchange.market.clock.set(START_MS + 59 * 60_000)
    with engine_of(a_home(tmp_path / "home"), venue_feed(exchange)) as engine:
        tick_at(engine, START_MS + 59 * 60_000)
        assert [view["close_ms"] for view in views(engine.journal, "ETHUSDT")] == [START_MS]
        closes = exchange.market.listings["ETHUSDT"].series[HOUR_MS]
        at = int(closes.open_ms.searchsorted(START_MS - HOUR_MS))
        assert views(engine.journal, "ETHUSDT")[0]["close"] == closes.values[at, 3]


def test_a_hole_the_venue_fills_later_is_seen_by_nobody_and_by_the_hash(
    tmp_path: Path, exchange: RunningExchange
) -> None:
    dial(exchange, "hole", value=(-40, 1))
    with engine_of(a_home(tmp_path / "home"), venue_feed(exchange)) as engine:
        assert tick_at(engine, NOW_MS).exit_code == 0
        complete = next(
            gate for gate in views(engine.journal, "ETHUSDT")[0]["gates"] if gate["name"] == "data_complete"
        )
        assert complete["passed"] and 0 < complete["seen"] < 0.02


def test_a_refused_connection_is_recorded_and_the_next_good_tick_decides(
    tmp_path: Path, exchange: RunningExchange
) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        nobody = CcxtFeed({"bybit": f"http://127.0.0.1:{reserved.getsockname()[1]}"}, deadline_ms=2_000)
        with engine_of(a_home(tmp_path / "home"), nobody) as engine:
            assert tick_at(engine, NOW_MS).exit_code == 4
            assert reasons(engine.journal) == ["VenueBusy"]
            assert "connection failed" in payloads(engine.journal, "no_decision")[0]["detail"]
    with engine_of(a_home(tmp_path / "other"), venue_feed(exchange)) as engine:
        assert tick_at(engine, NOW_MS).exit_code == 0


def test_of_twelve_one_that_hangs_delays_nobody_beyond_its_deadline(
    tmp_path: Path, exchange: RunningExchange
) -> None:
    home = a_home(tmp_path / "home", enabled=SYMBOLS)
    set_engine(home, feed_deadline_ms=1_500)
    dial(exchange, "delay", symbol="SOLUSDT", value=6_000)
    with engine_of(home, venue_feed(exchange, deadline_ms=1_500)) as engine:
        started = time.monotonic()
        report = tick_at(engine, NOW_MS)
        took = time.monotonic() - started
        assert [step.symbol for step in report.steps if not step.is_good] == ["SOLUSDT"]
        assert report.exit_code == 3
        assert took < 4.5, "its deadline and the others' work, not its answer"
        (found,) = payloads(engine.journal, "no_decision")
        assert found["reason"] in ("slow", "VenueBusy")
        assert "1.5 s" in found["detail"] or "1500 ms" in found["detail"]
        exchange.market.faults.clear()
        assert tick_at(engine, NOW_MS + 5_000).exit_code == 0
        assert_sound(engine.journal)


def test_a_position_and_its_stop_survive_a_sick_venue(tmp_path: Path, exchange: RunningExchange) -> None:
    card = {**QUICK, "exits": {"stop": {"frac": 0.25}}}
    with engine_of(a_home(tmp_path / "home", cards=(card,)), venue_feed(exchange)) as engine:
        tick_at(engine, NOW_MS)
        exchange.market.clock.set(close_ms(1) + LATE_MS)
        tick_at(engine, close_ms(1) + LATE_MS)
        before = engine.journal.state("ETHUSDT")
        assert engine.book.assets["ETHUSDT"].sub.position.side != 0
        for hour, kind in ((2, "html"), (3, "stale"), (4, "nan")):
            exchange.market.faults.clear()
            dial(exchange, kind)
            exchange.market.clock.set(close_ms(hour) + LATE_MS)
            tick_at(engine, close_ms(hour) + LATE_MS)
        assert engine.journal.state("ETHUSDT") == before
        exchange.market.faults.clear()
        assert tick_at(engine, close_ms(4) + 2 * LATE_MS).exit_code == 0
        assert len(views(engine.journal, "ETHUSDT")) == 5
        assert_sound(engine.journal)


class TestWholeRunner:
    """The command itself against the test exchange."""

    @pytest.fixture
    def home(self, tmp_path: Path, exchange: RunningExchange) -> Home:
        """Make a home that reads the test exchange, whose clock is this machine's."""
        now_ms = time.time_ns() // 1_000_000
        exchange.market.clock.set(None)
        for symbol in SYMBOLS:
            end_ms = now_ms + 3 * HOUR_MS
            exchange.market.listings[symbol] = generated_listing(7, symbol, HOUR_MS, end_ms, 1_200)
        home = a_home(tmp_path / "home", enabled=("ETHUSDT", "BTCUSDT"))
        set_engine(home, feed="venue", venue_urls={"bybit": exchange.url}, feed_deadline_ms=4_000)
        return home

    @pytest.mark.parametrize(("kind", "reason"), [("html", "bad_reply"), ("stale", "stale")])
    def test_a_sick_symbol_is_exit_3_then_0(
        self, home: Home, exchange: RunningExchange, kind: str, reason: str
    ) -> None:
        dial(exchange, kind, symbol="BTCUSDT")
        done = runner("--home", str(home.path), "--json")
        assert done.code == 3, done.stderr
        assert done.report["account"] == "paper" and done.report["simulated"] is False
        assert [(step["symbol"], step["status"]) for step in done.report["steps"]] == [
            ("ETHUSDT", "decided"),
            ("BTCUSDT", "no_decision"),
        ]
        assert done.report["steps"][1]["reason"] == reason
        assert f"BTCUSDT no decision: {reason}" in done.stderr and "[SIM]" not in done.stderr
        exchange.market.faults.clear()
        assert runner("--home", str(home.path)).code == 0
        journal = journal_of(home, "paper")
        assert_sound(journal)
        assert views(journal, "BTCUSDT")
        journal.close()

    def test_a_server_that_is_down_is_exit_4_and_no_traceback(
        self, home: Home, exchange: RunningExchange
    ) -> None:
        dial(exchange, "status", value=502)
        done = runner("--home", str(home.path))
        assert done.code == 4
        assert "Traceback" not in done.stderr and "HTTP 502" in done.stderr
        assert "Unclosed" not in done.stderr


def test_simulated_prices_never_meet_the_paper_account(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    assert runner("--home", str(home.path), "--feed", "embedded").code == 0
    assert [path.name for path in home.state.iterdir()] == ["simulated"]
