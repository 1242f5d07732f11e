"""Configuration that changes or breaks under an open position: exits go on, money is not made up."""

from pathlib import Path

import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.loop.live_step import DECIDED, NO_DECISION, REFUSED
from engine_alpha.step.plan import KEPT
from tests.unit.loop.runs import (
    HOUR_MS,
    LONG_HELD,
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
    without,
)

ETH = ("ETHUSDT",)
NEAR_STOP = {**LONG_HELD, "exits": {"stop": {"frac": 0.05}}}


def beyond_the_stop(bars: Bars, hour: int, position: tuple[int, float]) -> Bars:
    side, stop_price = position
    return with_prices(bars, close_ms(hour), stop_price * (1 - 0.05 * side))


@pytest.mark.parametrize("broken", ["parameters", "instruments"])
def test_a_broken_file_of_a_holder_leaves_its_stop_working(tmp_path: Path, broken: str) -> None:
    home = a_home(tmp_path / "home", cards=(NEAR_STOP,))
    feed = MemoryFeed(series_of(ETH))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        held = engine.book.assets["ETHUSDT"].sub.position
        if broken == "parameters":
            (home.parameters / "ETHUSDT.json").write_text("{}")
        else:
            for path in home.instruments.glob("bybit_*.json"):
                path.write_text(path.read_text().replace('"ETHUSDT"', '"ETHERUSDT"'))
        feed.series["ETHUSDT"] = beyond_the_stop(feed.series["ETHUSDT"], 2, (held.side, held.stop_price))
        (quiet,) = tick_hours(engine, range(2, 3))
        assert (quiet.exit_code, quiet.steps[0].status) == (4, DECIDED), "stepped, and complained about"
        tick_hours(engine, range(3, 4))
        assert [trade["exit_reason"] for trade in payloads(engine.journal, "trade")] == ["stop"]
        decided = payloads(engine.journal, "decision")[-1]
        assert decided["config_hash"] == KEPT
        assert not gate(views(engine.journal, "ETHUSDT")[-1], "enabled")["passed"]
        (refused,) = tick_hours(engine, range(4, 5))
        assert refused.steps[0].status == REFUSED, "flat, it refuses"
        assert_sound(engine.journal)


def test_what_is_kept_survives_a_restart(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", cards=(NEAR_STOP,))
    feed = MemoryFeed(series_of(ETH))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        before = engine.book.assets["ETHUSDT"]
    (home.parameters / "ETHUSDT.json").write_text("{}")
    with engine_of(home, feed) as engine:
        assert engine.book.assets["ETHUSDT"] == before
        (report,) = tick_hours(engine, range(2, 3))
        assert report.steps[0].status == DECIDED and position_side(engine, "ETHUSDT") != 0


@pytest.mark.parametrize("equity", [5_000.0, 20_000.0])
def test_another_equity_is_paid_in_or_out_and_halts_nothing(tmp_path: Path, equity: float) -> None:
    home = a_home(tmp_path / "home", cards=(LONG_HELD,))
    set_risk(home, drawdown_halt_frac=0.2, daily_loss_frac=0.03)
    with engine_of(home, MemoryFeed(series_of(ETH))) as engine:
        tick_hours(engine, range(0, 2))
        before = engine.book.account
        set_risk(home, equity_quote=equity)
        tick_hours(engine, range(2, 3))
        after = engine.book.account
        moved = equity - 10_000.0
        assert after.start_quote == equity
        assert after.marks.drawdown_halted == 0
        assert after.marks.day_start_quote == pytest.approx(before.marks.day_start_quote + moved)
        assert after.marks.peak_quote == pytest.approx(before.marks.peak_quote + moved, abs=20.0)
        view = views(engine.journal, "ETHUSDT")[-1]
        assert gate(view, "drawdown_halt")["passed"] and gate(view, "daily_loss")["passed"]
        assert_sound(engine.journal)


def test_a_catch_up_that_ends_in_a_missing_bar_tells_what_it_stepped(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", cards=(LONG_HELD,))
    feed = MemoryFeed(series_of(ETH))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 1))
        feed.series["ETHUSDT"] = without(feed.series["ETHUSDT"], close_ms(3) - HOUR_MS)
        report = tick_at(engine, close_ms(3) + 5_000)
        (step,) = report.steps
        assert (step.status, step.reason, len(step.bars)) == (NO_DECISION, "stale", 2)
