"""`chloe run`: every close once, whatever happens meanwhile."""

import asyncio
import logging
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.domain.bars import Reading
from engine_alpha.errors import BrokenPromise, ConfigError, LockHeld
from engine_alpha.home import Home
from engine_alpha.loop.halt_file import request_halt
from engine_alpha.loop.lock import account_lock
from engine_alpha.loop.wiring import JOURNAL_NAME
from engine_alpha.step.recording import BREAKER, DECISION, NO_DECISION
from tests.unit.loop.runs import (
    HOUR_MS,
    LONG_HELD,
    START_MS,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    decision_lines,
    edit,
    enable,
    engine_of,
    events_of,
    fails,
    journal_of,
    payloads,
    put_card,
    reasons,
    series_of,
    set_asset,
    set_risk,
    tick_hours,
    views,
    without,
)
from tests.unit.loop.services import Diary, EventfulClock, played, service_of

COINS = ("ETHUSDT", "BTCUSDT", "SOLUSDT")


def a_feed() -> MemoryFeed:
    return MemoryFeed(series_of(COINS))


def decided_hours(home: Home, symbol: str) -> list[int]:
    """Return the closes that have a decision, counted in hours from the start."""
    with_journal = journal_of(home)
    found = [
        (each.event.bar_ms + HOUR_MS - START_MS) // HOUR_MS
        for each in events_of(with_journal, DECISION, symbol)
    ]
    with_journal.close()
    return found


def ticked(home: Home, feed: MemoryFeed, hours: int) -> dict[str, list[str]]:
    """Return the decisions of ticks by hand at the same closes."""
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(hours))
        return {symbol: decision_lines(engine.journal, symbol) for symbol in COINS}


def test_every_close_of_every_asset_is_decided_once_and_as_by_ticks(tmp_path: Path) -> None:
    home, other = a_home(tmp_path / "run", COINS), a_home(tmp_path / "ticks", COINS)
    diary = played(home, a_feed(), 30.5)
    journal = journal_of(home)
    assert {symbol: decision_lines(journal, symbol) for symbol in COINS} == ticked(other, a_feed(), 31)
    assert_sound(journal)
    assert len(payloads(journal, "trade")) >= 3
    assert len(diary.reports) == 31
    assert diary.unhealthy() == []


def test_assets_of_several_timeframes_are_each_stepped_at_their_own_closes(tmp_path: Path) -> None:
    home = a_home(tmp_path, COINS)
    set_asset(home, "BTCUSDT", base_timeframe="4h")
    diary = played(home, a_feed(), 9.5)
    assert len(decided_hours(home, "ETHUSDT")) == 10
    journal = journal_of(home)
    assert [each.event.bar_ms % (4 * HOUR_MS) for each in events_of(journal, DECISION, "BTCUSDT")] == [
        0,
        0,
        0,
    ]
    asked = [sorted(step.symbol for step in report.steps) for report in diary.reports]
    assert asked.count(["ETHUSDT", "SOLUSDT"]) == 7


def test_the_settle_delay_is_kept(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    diary = played(home, a_feed(), 3.5)
    assert [(report.now_ms - START_MS) % HOUR_MS for report in diary.reports] == [2_000] * 4


def test_a_start_in_the_middle_of_a_bar_decides_the_last_close(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    played(home, a_feed(), 0.2, begin_ms=START_MS + HOUR_MS // 2)
    assert decided_hours(home, "ETHUSDT") == [0]
    view = views(journal_of(home), "ETHUSDT")[0]
    assert not next(gate for gate in view["gates"] if gate["name"] == "data_fresh")["passed"]


def test_bars_missed_while_it_was_down_are_stepped_for_exits_and_records(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    played(home, a_feed(), 4.5)
    played(home, a_feed(), 2.5, begin_ms=START_MS + 20 * HOUR_MS)
    assert decided_hours(home, "ETHUSDT") == list(range(23))
    late = [view for view in views(journal_of(home), "ETHUSDT") if view["open_ms"] >= close_ms(5) - HOUR_MS]
    entered = [view["open_ms"] for view in late if view["action"] == "enter"]
    assert all(open_ms + HOUR_MS >= close_ms(20) for open_ms in entered)


def test_a_coin_enabled_while_it_runs_is_stepped_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    with caplog.at_level(logging.INFO, "chloe"):
        diary = played(home, a_feed(), 3.5, [(1.25, lambda: enable(home, "ETHUSDT", "BTCUSDT"))])
    assert decided_hours(home, "BTCUSDT") == [1, 2, 3]
    first = next(report for report in diary.reports if any(s.symbol == "BTCUSDT" for s in report.steps))
    assert START_MS + 1.25 * HOUR_MS <= first.now_ms <= START_MS + 1.25 * HOUR_MS + 120_000
    assert "MULTI-ASSET: running live step for BTCUSDT @ 1h" in caplog.messages
    assert "configuration: BTCUSDT enabled" in caplog.messages


def test_a_coin_disabled_while_it_runs_is_left_alone(tmp_path: Path) -> None:
    home = a_home(tmp_path, COINS, cards=())
    diary = played(home, a_feed(), 4.5, [(1.5, lambda: enable(home, "ETHUSDT"))])
    assert decided_hours(home, "BTCUSDT") == [0, 1]
    assert len(decided_hours(home, "ETHUSDT")) == 5
    assert diary.unhealthy() == []


def break_registry(home: Home) -> None:
    home.registry.write_text("{ not json")


def break_risk(home: Home) -> None:
    edit(home.risk, lambda found: found.update(risk_frac=7))


def break_engine(home: Home) -> None:
    edit(home.engine, lambda found: found.pop("feed"))


def break_card(home: Home) -> None:
    put_card(home, {**LONG_HELD, "name": "quick", "exits": {}})


def lose_instruments(home: Home) -> None:
    shutil.rmtree(home.instruments)


BROKEN: list[Callable[[Home], None]] = [
    break_registry,
    break_risk,
    break_engine,
    break_card,
    lose_instruments,
]


@pytest.mark.parametrize("spoil", BROKEN)
def test_with_a_file_broken_the_last_good_configuration_goes_on_loudly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Home], None]
) -> None:
    home, other = a_home(tmp_path / "broken", COINS), a_home(tmp_path / "whole", COINS)
    diary = played(home, a_feed(), 12.5, [(3.5, lambda: spoil(home))])
    journal = journal_of(home)
    assert {symbol: decision_lines(journal, symbol) for symbol in COINS} == ticked(other, a_feed(), 13)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert sum("goes on" in text or "go on" in text for text in told) >= 2
    assert any("goes on" in fault or "go on" in fault for fault in diary.reports[-1].faults)


@pytest.mark.parametrize("spoil", [break_registry, break_card])
def test_started_with_a_file_broken_it_runs_on_the_last_good_one(
    tmp_path: Path, spoil: Callable[[Home], None]
) -> None:
    home, other = a_home(tmp_path / "broken", COINS), a_home(tmp_path / "whole", COINS)
    played(home, a_feed(), 3.5)
    spoil(home)
    played(home, a_feed(), 5.5, begin_ms=START_MS + 4 * HOUR_MS)
    journal = journal_of(home)
    assert {symbol: decision_lines(journal, symbol) for symbol in COINS} == ticked(other, a_feed(), 10)


def test_a_broken_start_without_a_good_one_before_is_refused(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    break_registry(home)
    with pytest.raises(ConfigError, match="asset_registry"):
        played(home, a_feed(), 1)


def test_once_mended_the_files_count_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    good = home.registry.read_text().replace('"enabled": false', '"enabled": true', 1)
    with caplog.at_level(logging.INFO, "chloe"):
        played(
            home,
            MemoryFeed(series_of()),
            6.5,
            [(1.5, lambda: break_registry(home)), (3.5, lambda: home.registry.write_text(good))],
        )
    assert "configuration: is in order again" in caplog.messages
    enabled = [line for line in caplog.messages if line.endswith(" enabled")]
    assert len(enabled) == 1


def test_a_changed_limit_counts_from_the_next_tick_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    with caplog.at_level(logging.INFO, "chloe"):
        played(home, a_feed(), 2.5, [(0.5, lambda: set_risk(home, max_positions=4))])
    assert any("max_positions" in line and "4" in line for line in caplog.messages)


def test_a_halt_counts_within_a_moment(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    folder = home.account("test")
    halt_ms = START_MS + 3 * HOUR_MS // 2
    played(home, a_feed(), 4.5, [(1.5, lambda: request_halt(folder, True, "enough", halt_ms))])
    journal = journal_of(home)
    [halted] = events_of(journal, "halt")
    assert halted.at_ms <= halt_ms + 60_000
    assert all(view["action"] != "enter" for view in views(journal, "ETHUSDT")[2:])


# faults


async def never(_reading: Reading) -> Reading:
    await asyncio.sleep(3_600)
    raise AssertionError("nobody waits so long")


def spoil(feed: MemoryFeed, symbol: str, how: Any) -> Callable[[], object]:
    return lambda: feed.poisons.__setitem__(symbol, how)


def heal(feed: MemoryFeed, symbol: str) -> Callable[[], object]:
    return lambda: feed.poisons.pop(symbol)


def one_coin_down(tmp_path: Path, hours: int) -> None:
    home, other = a_home(tmp_path / "sick", COINS), a_home(tmp_path / "well", COINS)
    feed, well = a_feed(), a_feed()
    diary = played(
        home, feed, hours + 0.5, [(1.5, spoil(feed, "SOLUSDT", fails)), (hours - 1.4, heal(feed, "SOLUSDT"))]
    )
    played(other, well, hours + 0.5)
    sick, sound = journal_of(home), journal_of(other)
    for symbol in ("ETHUSDT", "BTCUSDT"):
        assert decision_lines(sick, symbol) == decision_lines(sound, symbol)
    assert diary.unhealthy() == []
    states = [payload["state"] for payload in payloads(sick, BREAKER, "SOLUSDT")]
    assert states == ["open", "closed"]
    assert set(reasons(sick, "SOLUSDT")) == {"broken", "resting"}
    covered = {
        each.event.bar_ms
        for each in (*events_of(sick, DECISION, "SOLUSDT"), *events_of(sick, NO_DECISION, "SOLUSDT"))
    }
    assert covered == {close_ms(hour) - HOUR_MS for hour in range(hours + 1)}
    asked = sum(1 for request in feed.asked if request.asset.symbol == "SOLUSDT")
    assert asked < hours * 5
    together = [r for r in diary.reports if {"SOLUSDT", "ETHUSDT"} <= {step.symbol for step in r.steps}]
    assert len(together) < 10  # the healthy ones do not wait for it
    assert decided_hours(home, "SOLUSDT")[-1] == hours
    assert_sound(sick)


def test_a_coin_that_is_down_rests_and_the_others_go_on_byte_for_byte(tmp_path: Path) -> None:
    one_coin_down(tmp_path, 30)


@pytest.mark.slow
def test_one_coin_down_for_a_week_leaves_the_others_byte_for_byte(tmp_path: Path) -> None:
    one_coin_down(tmp_path, 170)


def test_a_probe_that_waits_for_a_close_does_not_run_in_a_circle(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT", "SOLUSDT"))
    feed = a_feed()
    feed.poisons["SOLUSDT"] = fails
    diary = played(home, feed, 0.15, begin_ms=START_MS + HOUR_MS - 325_000)  # a probe is due 10 s before
    moments = [now_ms for now_ms, _ in diary.healths]
    assert min(after - before for before, after in pairwise(moments)) >= 100
    asked = [request for request in feed.asked if request.asset.symbol == "SOLUSDT"]
    assert len(asked) >= 7


def test_all_feeds_down_for_a_day_lose_no_record_and_it_catches_up(tmp_path: Path) -> None:
    home = a_home(tmp_path, COINS)
    feed = a_feed()
    deeds = [(2.5, spoil(feed, symbol, fails)) for symbol in COINS]
    deeds += [(26.5, heal(feed, symbol)) for symbol in COINS]
    diary = played(home, feed, 30.5, deeds)
    for symbol in COINS:
        assert decided_hours(home, symbol) == list(range(31))
    assert diary.unhealthy() == []


def test_a_bar_that_comes_a_little_late_is_decided_by_the_retry(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    feed = a_feed()
    whole = feed.series["ETHUSDT"]
    feed.series["ETHUSDT"] = without(whole, close_ms(2) - HOUR_MS)
    late = [(2 + 8 / 3_600, lambda: feed.series.__setitem__("ETHUSDT", whole))]
    diary = played(home, feed, 3.5, late)
    assert decided_hours(home, "ETHUSDT") == [0, 1, 2, 3]
    [stale] = reasons(journal_of(home), "ETHUSDT")
    assert stale == "stale" and len(diary.reports) >= 5


def test_a_journal_that_can_t_be_written_stops_nothing_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = a_home(tmp_path, COINS)
    folder = home.account("test")

    def lose() -> None:
        (folder / JOURNAL_NAME).rename(folder / "gone.sqlite")

    def bring_back() -> None:
        (folder / "gone.sqlite").rename(folder / JOURNAL_NAME)

    diary = played(home, a_feed(), 8.5, [(2.5, lose), (5.25, bring_back)])
    assert decided_hours(home, "ETHUSDT") == list(range(9))
    assert any("was moved, deleted or replaced" in text for text in caplog.messages)
    assert diary.unhealthy() and diary.healths[-1][1].healthy
    assert_sound(journal_of(home))


def test_another_runner_that_holds_the_lock_is_told_at_the_start(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    with account_lock(home.account("test")), pytest.raises(LockHeld):
        played(home, a_feed(), 1)


async def broken_promise(_reading: Reading) -> Reading:
    raise BrokenPromise("an invariant failed")


def test_a_broken_promise_stops_the_engine(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    feed = a_feed()
    with pytest.raises(BrokenPromise):
        played(home, feed, 5, [(1.5, spoil(feed, "ETHUSDT", broken_promise))])


# clock


def test_a_clock_that_jumps_ahead_and_back_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = a_home(tmp_path, ("ETHUSDT",))
    feed, clock, diary = a_feed(), EventfulClock(START_MS), Diary()
    whole = feed.series["ETHUSDT"]
    feed.series["ETHUSDT"] = whole.between(0, close_ms(4))  # the venue knows no bars of the future
    service = service_of(home, feed, clock, [diary])
    clock.at(START_MS + 3 * HOUR_MS + 600_000, lambda: clock.set(START_MS + 8 * HOUR_MS))

    def back() -> None:
        clock.set(START_MS + 4 * HOUR_MS + 10_000)
        feed.series["ETHUSDT"] = whole

    clock.at(START_MS + 8 * HOUR_MS + 600_000, back)

    def end() -> None:
        service.stop.asked = True

    clock.at(START_MS + 9 * HOUR_MS, end)
    service.run()
    assert decided_hours(home, "ETHUSDT") == list(range(9))
    assert sum("the clock went" in text for text in caplog.messages) == 2


def test_status_names_the_worst_asset_and_the_next_close(tmp_path: Path) -> None:
    home = a_home(tmp_path, COINS)
    feed = a_feed()
    diary = played(home, feed, 3.5, [(0.5, spoil(feed, "SOLUSDT", fails))])
    words = diary.healths[-1][1].words
    assert words.startswith("2 of 3 assets decided; worst SOLUSDT: broken since ")
    assert "next close " in words
    assert diary.healths[0][1].words.startswith("0 of 3 assets decided; next close ")  # the bars settle
    assert diary.healths[1][1].words.startswith("3 assets decided")
