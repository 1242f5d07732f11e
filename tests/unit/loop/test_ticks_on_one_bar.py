"""A bar is decided once, however often and however late the runner comes; a fault does not use it up."""

import logging
from pathlib import Path

import pytest

from engine_alpha.step.recording import DECISION, HALT, NO_DECISION
from tests.makers import HOUR_MS
from tests.unit.loop.runs import (
    LATE_MS,
    LONG_HELD,
    QUICK,
    SYMBOLS,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    engine_of,
    events_of,
    fails,
    gate,
    payloads,
    position_side,
    reasons,
    series_of,
    set_asset,
    tick_at,
    tick_hours,
    views,
    with_prices,
    without,
)

MINUTE_MS = 60_000
ETH = ("ETHUSDT",)


def test_ten_ticks_on_one_bar_leave_one_decision_and_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = a_home(tmp_path / "home")
    feed = MemoryFeed(series_of(ETH))
    with engine_of(home, feed) as engine:
        for minute in range(10):
            report = tick_at(engine, close_ms(0) + minute * MINUTE_MS)
            assert report.exit_code == 0
        assert len(events_of(engine.journal)) == 1
        assert_sound(engine.journal)
    assert len(feed.asked) == 1, "a decided bar needs no second answer"

    caplog.clear()
    with caplog.at_level(logging.INFO, "chloe.step"), engine_of(home, feed) as engine:
        tick_at(engine, close_ms(0) + 23 * MINUTE_MS + 500)
    closed = close_ms(0) // HOUR_MS % 24
    assert caplog.messages == [
        f"ETHUSDT already decided {closed:02}:00; next close {(closed + 1) % 24:02}:00 UTC, in 37 min"
    ]


def test_a_fault_then_a_good_feed_leaves_the_faults_record_and_a_decision(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    feed.poisons["ETHUSDT"] = fails
    with engine_of(a_home(tmp_path / "home"), feed) as engine:
        assert tick_at(engine, close_ms(0) + LATE_MS).exit_code == 4
        feed.poisons.clear()
        report = tick_at(engine, close_ms(0) + MINUTE_MS)
        assert report.exit_code == 0
        assert [event.event.kind for event in events_of(engine.journal)] == [NO_DECISION, DECISION]
        assert gate(views(engine.journal, "ETHUSDT")[0], "data_fresh")["passed"]
        assert_sound(engine.journal)


def test_the_same_fault_ten_times_is_one_event_and_two_kinds_are_two(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    feed.poisons["ETHUSDT"] = fails
    with engine_of(a_home(tmp_path / "home"), feed) as engine:
        for minute in range(10):
            tick_at(engine, close_ms(0) + minute * MINUTE_MS)
        assert reasons(engine.journal) == ["broken"]
        feed.poisons.clear()
        feed.series["ETHUSDT"] = without(feed.series["ETHUSDT"], close_ms(0) - HOUR_MS)
        tick_at(engine, close_ms(0) + 11 * MINUTE_MS)
        assert reasons(engine.journal) == ["broken", "stale"]


def test_a_broken_entry_is_one_event_an_hour_however_often_it_is_met(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    set_asset(home, "DOGEUSDT", venue="moon")
    with engine_of(home, MemoryFeed(series_of(ETH))) as engine:
        for minute in range(0, 60, 6):
            assert tick_at(engine, close_ms(0) + minute * MINUTE_MS).exit_code == 3
        assert reasons(engine.journal, "DOGEUSDT") == ["config"]


@pytest.mark.parametrize(("late_ms", "enters"), [(299_999, True), (300_000, False), (3_000_000, False)])
def test_entries_only_within_the_delay(tmp_path: Path, late_ms: int, enters: bool) -> None:
    with engine_of(a_home(tmp_path / "home"), MemoryFeed(series_of(ETH))) as engine:
        tick_at(engine, close_ms(0) + late_ms)
        view = views(engine.journal, "ETHUSDT")[0]
    assert gate(view, "data_fresh")["passed"] is enters
    assert view["action"] == ("enter" if enters else "hold")


def test_exits_are_never_too_late(tmp_path: Path) -> None:
    card = {**LONG_HELD, "exits": {"stop": {"frac": 0.25}, "max_hold_bars": 2}}
    with engine_of(a_home(tmp_path / "home", cards=(card,)), MemoryFeed(series_of(ETH))) as engine:
        tick_hours(engine, range(0, 2))
        assert position_side(engine, "ETHUSDT") != 0
        tick_at(engine, close_ms(2) + 59 * MINUTE_MS)
        last = views(engine.journal, "ETHUSDT")[-1]
        assert not gate(last, "data_fresh")["passed"]
        assert (last["action"], last["exit"]["reason"]) == ("leave", "time")
        tick_hours(engine, range(3, 4))
        assert [trade["exit_reason"] for trade in payloads(engine.journal, "trade")] == ["time"]


def test_missed_bars_are_stepped_oldest_first_without_entries_on_the_old_ones(tmp_path: Path) -> None:
    with engine_of(a_home(tmp_path / "home"), MemoryFeed(series_of(ETH))) as engine:
        # a first decision that enters nothing, then three bars nobody looked at
        tick_at(engine, close_ms(0) + 10 * MINUTE_MS)
        report = tick_at(engine, close_ms(4) + LATE_MS)
        found = views(engine.journal, "ETHUSDT")
        assert [view["close_ms"] for view in found] == [close_ms(hour) for hour in range(5)]
        assert len(report.steps[0].bars) == 4
        assert [view["action"] for view in found] == ["hold", "hold", "hold", "hold", "enter"]
        assert [gate(view, "data_fresh")["passed"] for view in found] == [False] * 4 + [True]
        assert_sound(engine.journal)


def test_a_stop_hit_while_the_runner_was_down_is_booked_at_its_own_bar(tmp_path: Path) -> None:
    card = {**LONG_HELD, "exits": {"stop": {"frac": 0.05}}}
    feed = MemoryFeed(series_of(ETH))
    with engine_of(a_home(tmp_path / "home", cards=(card,)), feed) as engine:
        tick_hours(engine, range(0, 2))
        position = engine.book.assets["ETHUSDT"].sub.position
        assert position.side != 0
        beyond = position.stop_price * (1 - 0.05 * position.side)
        feed.series["ETHUSDT"] = with_prices(feed.series["ETHUSDT"], close_ms(2), beyond)
        tick_at(engine, close_ms(5) + LATE_MS)
        trades = payloads(engine.journal, "trade")
        assert [(trade["exit_reason"], trade["exit_ms"]) for trade in trades] == [("stop", close_ms(2))]
        assert_sound(engine.journal)


def test_an_entry_decided_in_time_is_filled_at_its_own_open_even_if_seen_late(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    with engine_of(a_home(tmp_path / "home", cards=(LONG_HELD,)), feed) as engine:
        tick_at(engine, close_ms(0) + LATE_MS)
        tick_at(engine, close_ms(3) + LATE_MS)
        fills = payloads(engine.journal, "fill")
    at = int(feed.series["ETHUSDT"].open_ms.searchsorted(close_ms(0)))
    assert [fill["at_ms"] for fill in fills] == [close_ms(0)]
    assert fills[0]["raw_price"] == feed.series["ETHUSDT"].open[at]


def test_a_hole_found_after_a_pause_is_recorded_too(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    feed.series["ETHUSDT"] = without(feed.series["ETHUSDT"], close_ms(2) - HOUR_MS)
    with engine_of(a_home(tmp_path / "home"), feed) as engine:
        tick_at(engine, close_ms(0) + LATE_MS)
        tick_at(engine, close_ms(4) + LATE_MS)
        decided = [view["close_ms"] for view in views(engine.journal, "ETHUSDT")]
        assert decided == [close_ms(hour) for hour in (0, 1, 3, 4)]
        missing = payloads(engine.journal, NO_DECISION)
        assert [each["open_ms"] for each in missing] == [close_ms(2) - HOUR_MS], "every bar leaves a record"
        assert missing[0]["reason"] == "missing"
        assert_sound(engine.journal)


def test_a_clock_gone_backwards_decides_nothing(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    with engine_of(a_home(tmp_path / "home", cards=(LONG_HELD,)), feed) as engine:
        tick_hours(engine, range(0, 3))
        before = engine.journal.states()
        report = tick_at(engine, close_ms(1) + LATE_MS)
        assert [(step.status, step.reason) for step in report.steps] == [("no_decision", "clock_backwards")]
        assert "set the clock right" in report.steps[0].detail
        assert report.exit_code == 4
        assert reasons(engine.journal) == ["clock_backwards"]
        assert engine.journal.states() == before
        tick_hours(engine, range(3, 4))
        assert len(views(engine.journal, "ETHUSDT")) == 4
        assert_sound(engine.journal)


def test_after_a_very_long_pause_a_flat_asset_goes_on_at_the_newest_bar(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH, bars=2_400))
    with engine_of(a_home(tmp_path / "home", cards=()), feed) as engine:
        tick_at(engine, close_ms(0) + LATE_MS)
        tick_at(engine, close_ms(502) + LATE_MS)
        assert [view["close_ms"] for view in views(engine.journal, "ETHUSDT")] == [close_ms(0), close_ms(502)]


def test_after_a_very_long_pause_a_position_is_stepped_through_all_of_it(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH, bars=2_400))
    with engine_of(a_home(tmp_path / "home", cards=(LONG_HELD,)), feed) as engine:
        tick_hours(engine, range(0, 2))
        tick_at(engine, close_ms(550) + LATE_MS)
        assert len(views(engine.journal, "ETHUSDT")) == 551


def test_another_timeframe_and_back_within_one_bar_stops_nobody(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=("ETHUSDT", "BTCUSDT"), cards=())
    feed = MemoryFeed(series_of(("ETHUSDT", "BTCUSDT"), bars=1_700))
    eight = 8 - close_ms(0) // HOUR_MS % 8  # hours from now to a close of 4 h and 8 h bars
    with engine_of(home, feed) as engine:
        tick_at(engine, close_ms(eight) + 1 * MINUTE_MS)
        for minute, timeframe in ((2, "2h"), (3, "1h"), (4, "2h"), (5, "1h")):
            set_asset(home, "ETHUSDT", base_timeframe=timeframe)
            report = tick_at(engine, close_ms(eight) + minute * MINUTE_MS)
            assert report.exit_code == 0, report.json()
            assert report.steps[1].is_good
        tick_at(engine, close_ms(eight + 1) + LATE_MS)
        hourly = [view for view in views(engine.journal, "ETHUSDT") if view["timeframe"] == "1h"]
        assert [view["close_ms"] for view in hourly] == [close_ms(eight), close_ms(eight + 1)]
        assert_sound(engine.journal)


def test_a_tick_without_faults_writes_no_other_kinds(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=SYMBOLS, cards=(QUICK,))
    with engine_of(home, MemoryFeed(series_of())) as engine:
        tick_hours(engine, range(0, 4))
        kinds = {stored.event.kind for stored in engine.journal.events()}
        assert kinds <= {DECISION, "fill", "trade", "funding"} and HALT not in kinds
