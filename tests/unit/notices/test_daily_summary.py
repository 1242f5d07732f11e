"""The daily summary: at its hour, once, over restarts and down-times too; and what real homes make of it."""

import json
from pathlib import Path

import pytest

from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.kernel.values import Position
from engine_alpha.loop.wiring import JOURNAL_NAME
from engine_alpha.notices.alerting import Alerter
from tests.unit.loop.runs import MemoryFeed, a_home, engine_of, series_of, tick_hours
from tests.unit.notices.receiving import HOUR_MS, NOON_MS, Box, Office, Settings, a_fault, a_trade, wait_for


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def office(tmp_path: Path, box: Box) -> Office:
    found = Office(tmp_path, box, settings=Settings(kinds=("summary",)))
    found.look()
    return found


def test_yesterday_is_told_at_its_hour_and_once(office: Office, box: Box) -> None:
    office.write(
        a_trade("ETHUSDT", 30.0, NOON_MS - HOUR_MS),
        a_trade("BTCUSDT", -20.0, NOON_MS),
        a_trade("BTCUSDT", 5.0, NOON_MS + 1),
        *(a_fault("SOLUSDT", NOON_MS + hour) for hour in range(3)),
        a_fault("BTCUSDT", NOON_MS),
    )
    office.look()
    office.look(17 * HOUR_MS)  # five in the morning
    assert box.taken == []
    office.look(HOUR_MS)
    office.look(HOUR_MS)
    office.started()
    office.look(HOUR_MS)
    assert box.titles == ["Chloe paper: summary of 2026-11-19"]
    assert box.taken[0][1].body.splitlines() == [
        "3 trades: +15.00, PF 1.75 (n=3)",
        "since the start: +15.00, PF 1.75 (n=3)",
        "worst: BTCUSDT -15.00 in 2",
        "4 faults on 2 coins, most on SOLUSDT: 3",
        "no position is open",
        "2026-11-20 06:00 UTC",
    ]


def test_a_down_time_over_the_hour_tells_it_at_the_start(office: Office, box: Box) -> None:
    office.write(a_trade("ETHUSDT", 30.0, NOON_MS))
    office.look()
    office.started()
    office.look(20 * HOUR_MS)
    assert box.titles == ["Chloe paper: summary of 2026-11-19"]


def test_days_without_the_engine_are_told_together(office: Office, box: Box) -> None:
    office.write(a_trade("ETHUSDT", 30.0, NOON_MS), a_trade("ETHUSDT", 1.0, NOON_MS + 24 * HOUR_MS))
    office.look()
    office.look(66 * HOUR_MS)
    assert box.titles == ["Chloe paper: summary of 2026-11-19 to 2026-11-21"]
    office.look(24 * HOUR_MS)
    assert box.titles[1:] == ["Chloe paper: summary of 2026-11-22"]
    assert "no trade was closed\nsince the start: +31.00" in box.text and "no faults" in box.text


def test_a_trade_that_comes_to_light_later_is_in_the_next_summary(office: Office, box: Box) -> None:
    office.look(18 * HOUR_MS)
    office.write(a_trade("ETHUSDT", 7.0, NOON_MS))
    office.look(24 * HOUR_MS)
    assert "1 trade: +7.00" in box.taken[1][1].body


def test_killed_before_it_is_sent_it_is_sent_after_the_start(office: Office, box: Box) -> None:
    office.look(17 * HOUR_MS)
    box.refusals["box://one"] = "can't be reached"
    office.look(HOUR_MS)
    box.refusals.clear()
    office.started()
    office.look()
    assert box.titles == ["Chloe paper: summary of 2026-11-19"]


def test_real_runs_are_told_and_summed_up(tmp_path: Path, box: Box) -> None:
    home = a_home(tmp_path / "home", enabled=("ETHUSDT", "BTCUSDT"))
    folder = home.account("test")
    alerter = Alerter(folder, "test", Settings(), ("box://one",), box)
    with engine_of(home, MemoryFeed(series_of(("ETHUSDT", "BTCUSDT")))) as engine:
        for hour in range(30):
            tick_hours(engine, range(hour, hour + 1))
            events = alerter.observe(engine.journal, engine.clock.now_ms())
            for event in events:
                engine.journal.commit(engine.clock.now_ms(), [event], {})
            alerter.close(5.0)
        trades = [json.loads(e.event.payload) for e in engine.journal.events("trade")]
        opened = sum(1 for e in engine.journal.events("fill") if '"leg":"entry"' in e.event.payload)
        held = [
            Position(*json.loads(text)["sub"][13])
            for name, text in engine.journal.states().items()
            if name != "account"
        ]
    assert len(trades) > 5
    assert box.text.count(" closed by ") == len(trades)
    assert box.text.count(", worth ") == opened
    last = trades[-1]
    assert f"{last['symbol']} {last['side']} closed by {last['exit_reason']}" in box.text
    summaries = [message for _, message in box.taken if message.kind == "summary"]
    assert len(summaries) == 1 and "trades: " in summaries[0].body
    assert ("open: " in summaries[0].body) or not any(position.side for position in held)
    journal = SqliteJournal.open(folder / JOURNAL_NAME, read_only=True)
    assert sum(1 for _ in journal.events("alert")) > 0
    journal.close()
    wait_for(lambda: True)
