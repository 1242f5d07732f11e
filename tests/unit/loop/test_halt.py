"""A person's halt: entries stop, exits go on, whoever holds the lock, and in doubt it is halted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine_alpha.loop.halting import FILE_NAME, request_halt, requested_halt
from engine_alpha.loop.lock import account_lock
from engine_alpha.step.recording import HALT
from tests.unit.loop.runs import (
    LATE_MS,
    LONG_HELD,
    SYMBOLS,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    engine_of,
    gate,
    payloads,
    position_side,
    series_of,
    set_risk,
    tick_at,
    tick_hours,
    views,
    with_prices,
)

ETH = ("ETHUSDT",)
BAD_WISHES = ("", "{", "[]", "null", '{"halted": false}', '{"halted": false, "reason": "", "at_ms": "soon"}')
NO_NUMBER = '{"halted": false, "reason": "", "at_ms": Infinity}'
HALF_A_LETTER = '{"halted": true, "reason": "\\ud83d", "at_ms": 1}'


def test_a_halt_stops_entries_and_lets_exits_through(tmp_path: Path) -> None:
    home = a_home(
        tmp_path / "home",
        enabled=("ETHUSDT", "BTCUSDT"),
        cards=(
            {
                **LONG_HELD,
                "scope": {"symbols": ["ETHUSDT"]},
                "exits": {"stop": {"frac": 0.25}, "max_hold_bars": 4},
            },
        ),
    )
    with engine_of(home, MemoryFeed(series_of(("ETHUSDT", "BTCUSDT")))) as engine:
        tick_hours(engine, range(0, 2))
        assert position_side(engine, "ETHUSDT") != 0
        request_halt(home.account("test"), True, "holiday", close_ms(1) + 10_000)
        tick_hours(engine, range(2, 7))
        after = views(engine.journal, "ETHUSDT")[2:]
        assert all(not gate(view, "not_halted")["passed"] for view in after)
        assert [view["action"] for view in after] == ["hold", "hold", "leave", "hold", "hold"]
        assert [trade["exit_reason"] for trade in payloads(engine.journal, "trade")] == ["time"]
        assert engine.book.account.halt_reason == "holiday"

        request_halt(home.account("test"), False, "back", close_ms(6) + 10_000)
        tick_hours(engine, range(7, 8))
        last = views(engine.journal, "ETHUSDT")[-1]
        assert gate(last, "not_halted")["passed"] and last["action"] == "enter"
        assert [halt["halted"] for halt in payloads(engine.journal, HALT)] == [True, False]
        assert [halt["halt_reason"] for halt in payloads(engine.journal, HALT)] == ["holiday", "back"]
        assert_sound(engine.journal)


def test_a_stop_still_works_while_halted(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", cards=({**LONG_HELD, "exits": {"stop": {"frac": 0.05}}},))
    feed = MemoryFeed(series_of(ETH))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        position = engine.book.assets["ETHUSDT"].sub.position
        request_halt(home.account("test"), True, "", close_ms(1) + 10_000)
        beyond = position.stop_price * (1 - 0.05 * position.side)
        feed.series["ETHUSDT"] = with_prices(feed.series["ETHUSDT"], close_ms(1), beyond)
        tick_hours(engine, range(2, 3))
        assert [trade["exit_reason"] for trade in payloads(engine.journal, "trade")] == ["stop"]


def test_a_halt_is_journalled_once_and_outlives_a_restart(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    feed = MemoryFeed(series_of(ETH))
    request_halt(home.account("test"), True, "before the first start", close_ms(0))
    for hour in range(3):
        with engine_of(home, feed) as engine:
            tick_hours(engine, range(hour, hour + 1))
            assert engine.book.account.halted
            assert len(payloads(engine.journal, HALT)) == 1
    with engine_of(home, feed) as engine:
        (home.account("test") / FILE_NAME).unlink()
        tick_hours(engine, range(3, 4))
        assert engine.book.account.halted, "only an explicit wish lifts a halt"
        assert_sound(engine.journal)


@pytest.mark.parametrize("text", [*BAD_WISHES, NO_NUMBER])
def test_a_wish_that_cannot_be_read_is_a_halt(tmp_path: Path, text: str) -> None:
    home = a_home(tmp_path / "home")
    with engine_of(home, MemoryFeed(series_of(ETH))) as engine:
        (home.account("test") / FILE_NAME).write_text(text)
        tick_hours(engine, range(0, 1))
        assert engine.book.account.halted
        assert "can't be read" in engine.book.account.halt_reason
        assert views(engine.journal, "ETHUSDT")[0]["action"] == "hold"
        assert_sound(engine.journal)


def test_a_wish_that_cannot_be_read_is_a_halt_the_second_time_too(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    file = home.account("test") / FILE_NAME
    with engine_of(home, MemoryFeed(series_of(ETH))) as engine:
        file.write_text("{")
        tick_hours(engine, range(0, 1))
        request_halt(file.parent, False, "mended", close_ms(0) + 10_000)
        tick_hours(engine, range(1, 2))
        assert not engine.book.account.halted
        file.write_text("{")
        tick_hours(engine, range(2, 3))
        assert engine.book.account.halted
        assert [halt["halted"] for halt in payloads(engine.journal, HALT)] == [True, False, True]
        assert_sound(engine.journal)


def test_an_old_wish_put_back_counts_again(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    folder = home.account("test")
    with engine_of(home, MemoryFeed(series_of(ETH))) as engine:
        for hour, halted in enumerate((True, False, True, False)):
            request_halt(folder, halted, "", 1 if halted else 2)
            tick_hours(engine, range(hour, hour + 1))
            assert engine.book.account.halted is halted


def test_the_wish_can_be_left_while_another_process_holds_the_lock(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    program = (
        "import sys; from pathlib import Path; from engine_alpha.loop.halting import request_halt; "
        "request_halt(Path(sys.argv[1]), True, 'from another shell', 5)"
    )
    with engine_of(home, MemoryFeed(series_of(ETH))) as engine:
        subprocess.run([sys.executable, "-c", program, str(home.account("test"))], check=True)
        tick_hours(engine, range(0, 1))
        assert engine.book.account.halted
    with account_lock(home.account("test")):
        request_halt(home.account("test"), False, "", 6)
    assert requested_halt(home.account("test")) == {"halted": False, "reason": "", "at_ms": 6}


def test_all_assets_of_a_tick_see_the_halt(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=SYMBOLS)
    request_halt(home.account("test"), True, "all", 1)
    with engine_of(home, MemoryFeed(series_of())) as engine:
        tick_hours(engine, range(0, 2))
        assert payloads(engine.journal, "fill") == []
        assert all(not gate(views(engine.journal, symbol)[0], "not_halted")["passed"] for symbol in SYMBOLS)


def test_resuming_lifts_the_drawdown_latch_and_counts_from_there(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", cards=({**LONG_HELD, "exits": {"stop": {"frac": 0.05}}},))
    feed = MemoryFeed(series_of(ETH))
    set_risk(home, drawdown_halt_frac=0.0001)
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        position = engine.book.assets["ETHUSDT"].sub.position
        beyond = position.stop_price * (1 - 0.05 * position.side)
        feed.series["ETHUSDT"] = with_prices(feed.series["ETHUSDT"], close_ms(1), beyond)
        tick_hours(engine, range(2, 4))
        assert engine.book.account.marks.drawdown_halted == 1
        assert not gate(views(engine.journal, "ETHUSDT")[-1], "drawdown_halt")["passed"]
        request_halt(home.account("test"), False, "I looked", close_ms(3) + 10_000)
        tick_hours(engine, range(4, 5))
        assert engine.book.account.marks.drawdown_halted == 0
        assert gate(views(engine.journal, "ETHUSDT")[-1], "drawdown_halt")["passed"]
        assert_sound(engine.journal)


def test_a_step_alone_heeds_the_halt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine_alpha.loop import run_step_live

    home = a_home(tmp_path / "home")
    monkeypatch.setenv("CHLOE_HOME", str(home.path))
    request_halt(home.account("simulated"), True, "no more", 1)
    record = run_step_live("ETHUSDT", "1h").bars[-1].record
    assert record.decision.allocation[0].passed == 0, "the gate not_halted"
    assert record.decision.pending.side == 0


def test_the_file_is_plain_json(tmp_path: Path) -> None:
    request_halt(tmp_path / "new" / "account", True, "why", 7)
    text = (tmp_path / "new" / "account" / FILE_NAME).read_text()
    assert json.loads(text) == {"halted": True, "reason": "why", "at_ms": 7}


def test_latest_halt_is_seen_within_the_bar(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=("ETHUSDT", "BTCUSDT"))
    feed = MemoryFeed(series_of(("ETHUSDT", "BTCUSDT")))
    with engine_of(home, feed) as engine:
        tick_at(engine, close_ms(0) + LATE_MS)
        request_halt(home.account("test"), True, "", close_ms(0) + 6_000)
        tick_at(engine, close_ms(0) + 2 * LATE_MS)
        assert engine.book.account.halted
        assert len(payloads(engine.journal, HALT)) == 1


def test_a_reason_that_cannot_be_written_down_halts_all_the_same(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with engine_of(home, MemoryFeed(series_of(ETH))) as engine:
        (home.account("test") / FILE_NAME).write_text(HALF_A_LETTER)
        (report,) = tick_hours(engine, range(0, 1))
        assert report.exit_code == 0
        assert engine.book.account.halted and engine.book.account.halt_reason == "?"
