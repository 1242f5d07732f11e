"""An asset that may not trade on still owns its position: stepped after the others until it is flat."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine_alpha.loop.live_step import Tick
from engine_alpha.loop.tick import TickReport
from tests.makers import HOUR_MS, random_bars
from tests.unit.loop.runs import (
    LATE_MS,
    LONG_HELD,
    QUICK,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    edit,
    enable,
    engine_of,
    fails,
    gate,
    payloads,
    position_side,
    put_card,
    reasons,
    remove_asset,
    series_of,
    set_asset,
    tick_at,
    tick_hours,
    views,
    with_prices,
)

PAIR = ("ETHUSDT", "BTCUSDT")
FIVE_BARS = {**LONG_HELD, "exits": {"stop": {"frac": 0.25}, "max_hold_bars": 5}}
NEAR_STOP = {**LONG_HELD, "exits": {"stop": {"frac": 0.05}}}
SETTLED_MS = int(datetime(2024, 9, 6, tzinfo=UTC).timestamp() * 1000)


def stepped(report: TickReport) -> list[str]:
    return [step.symbol for step in report.steps]


@pytest.mark.parametrize("way", ["disabled", "removed", "broken"])
def test_a_position_outlives_its_registry_entry(tmp_path: Path, way: str) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, cards=(FIVE_BARS,))
    with engine_of(home, MemoryFeed(series_of(PAIR))) as engine:
        tick_hours(engine, range(0, 2))
        stop = engine.book.assets["ETHUSDT"].sub.position.stop_price
        assert position_side(engine, "ETHUSDT") != 0
        if way == "disabled":
            enable(home, "BTCUSDT")
        elif way == "removed":
            remove_asset(home, "ETHUSDT")
        else:
            set_asset(home, "ETHUSDT", max_leverage="three")
        (report,) = tick_hours(engine, range(2, 3))
        assert stepped(report) == ["BTCUSDT", "ETHUSDT"], "after the enabled ones"
        assert report.enabled == 1
        assert report.exit_code == (3 if way == "broken" else 0)
        assert engine.book.assets["ETHUSDT"].sub.position.stop_price == stop
        view = views(engine.journal, "ETHUSDT")[-1]
        assert not gate(view, "enabled")["passed"]

        tick_hours(engine, range(3, 7))
        trades = payloads(engine.journal, "trade", "ETHUSDT")
        assert [trade["exit_reason"] for trade in trades] == ["time"]
        assert position_side(engine, "ETHUSDT") == 0
        count = len(views(engine.journal, "ETHUSDT"))
        (report,) = tick_hours(engine, range(7, 8))
        assert len(views(engine.journal, "ETHUSDT")) == count, "flat, it is stepped no more"
        assert ("ETHUSDT" in stepped(report)) is (way == "broken")
        assert report.exit_code == (3 if way == "broken" else 0)
        assert_sound(engine.journal)


def test_a_disabled_assets_stop_is_kept(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, cards=(NEAR_STOP,))
    feed = MemoryFeed(series_of(PAIR))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        position = engine.book.assets["ETHUSDT"].sub.position
        enable(home, "BTCUSDT")
        beyond = position.stop_price * (1 - 0.05 * position.side)
        feed.series["ETHUSDT"] = with_prices(feed.series["ETHUSDT"], close_ms(2), beyond)
        tick_hours(engine, range(2, 4))
        trades = payloads(engine.journal, "trade", "ETHUSDT")
        assert [(trade["exit_reason"], trade["stop_price"]) for trade in trades] == [
            ("stop", position.stop_price)
        ]


def test_an_entry_decided_before_it_was_disabled_is_still_filled_then_left_to_its_exits(
    tmp_path: Path,
) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, cards=(FIVE_BARS,))
    with engine_of(home, MemoryFeed(series_of(PAIR))) as engine:
        tick_hours(engine, range(0, 1))
        enable(home, "BTCUSDT")
        tick_hours(engine, range(1, 8))
        assert [fill["leg"] for fill in payloads(engine.journal, "fill", "ETHUSDT")] == ["entry", "exit"]
        assert_sound(engine.journal)


@pytest.mark.parametrize("change", [{"base_timeframe": "4h"}, {"venue": "binance"}])
def test_another_venue_or_timeframe_waits_until_the_position_is_left(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, cards=(FIVE_BARS,))
    feed = MemoryFeed(series_of(PAIR, bars=1_700))
    feed.series["ETHUSDT"] = random_bars(5_000, seed=9, first_index=close_ms(0) // HOUR_MS - 4_500)
    old = {"base_timeframe": "1h", "venue": "bybit"}
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        set_asset(home, "ETHUSDT", **change)
        reports = tick_hours(engine, range(2, 6))
        assert stepped(reports[0]) == ["BTCUSDT", "ETHUSDT"], "after the others"
        config = engine.book.assets["ETHUSDT"].config
        assert {name: getattr(config, name) for name in old} == old
        assert all(view["timeframe"] == "1h" for view in views(engine.journal, "ETHUSDT"))
        assert not gate(views(engine.journal, "ETHUSDT")[-1], "enabled")["passed"], (
            "close-only on the old settings"
        )
        tick_hours(engine, range(6, 12))
        config = engine.book.assets["ETHUSDT"].config
        assert {name: getattr(config, name) for name in old} == {**old, **change}
        asked = [request.asset for request in feed.asked if request.asset.symbol == "ETHUSDT"]
        assert getattr(asked[-1], next(iter(change))) == next(iter(change.values()))
        last = views(engine.journal, "ETHUSDT")[-1]
        assert gate(last, "enabled")["passed"] and last["timeframe"] == config.base_timeframe
        assert_sound(engine.journal)


@pytest.mark.parametrize("way", ["deleted", "broken", "disabled", "renamed"])
def test_exits_go_on_by_the_held_card(tmp_path: Path, way: str) -> None:
    home = a_home(tmp_path / "home", cards=(FIVE_BARS,))
    file = home.cards / "held.json"
    with engine_of(home, MemoryFeed(series_of(("ETHUSDT",)))) as engine:
        tick_hours(engine, range(0, 2))
        assert position_side(engine, "ETHUSDT") != 0
        if way == "deleted":
            file.unlink()
        elif way == "broken":
            file.write_text("{")
        elif way == "disabled":
            edit(file, lambda card: card.update(status="disabled"))
        else:
            file.unlink()
            put_card(home, {**QUICK, "name": "another"})
        tick_hours(engine, range(2, 6))
        left = views(engine.journal, "ETHUSDT")[5]
        assert (left["action"], left["exit"]["reason"]) == ("leave", "time")
        (report,) = tick_hours(engine, range(6, 7))
        (trade,) = payloads(engine.journal, "trade")
        assert (trade["card"], trade["exit_reason"]) == ("held", "time")
        assert report.exit_code == (3 if way == "broken" else 0)
        if way != "renamed":
            tick_hours(engine, range(7, 9))
            assert position_side(engine, "ETHUSDT") == 0, "a card that is gone never fires"
        assert_sound(engine.journal)


def test_the_exit_conditions_of_a_deleted_card_still_apply(tmp_path: Path) -> None:
    card = {**LONG_HELD, "exits": {"stop": {"frac": 0.25}, "when": [{"signal": "adx", "at_least": -1.0}]}}
    home = a_home(tmp_path / "home", cards=(card,))
    with engine_of(home, MemoryFeed(series_of(("ETHUSDT",)))) as engine:
        tick_hours(engine, range(0, 1))
        (home.cards / "held.json").unlink()
        put_card(home, {**QUICK, "name": "a-first", "entry": [{"signal": "adx", "at_least": 0.99}]})
        tick_hours(engine, range(1, 3))
        (trade,) = payloads(engine.journal, "trade")
        assert (trade["card"], trade["exit_reason"]) == ("held", "opposite_signal")


def test_a_broken_card_of_its_own_makes_the_holder_close_only_and_a_flat_asset_refuse(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, cards=(FIVE_BARS,))
    with engine_of(home, MemoryFeed(series_of(PAIR))) as engine:
        tick_hours(engine, range(0, 2))
        broken = {**QUICK, "name": "own", "scope": {"symbols": ["ETHUSDT"]}, "entry": []}
        put_card(home, broken)
        reports = tick_hours(engine, range(2, 6))
        assert stepped(reports[0]) == ["BTCUSDT", "ETHUSDT"], "after the others"
        assert not gate(views(engine.journal, "ETHUSDT")[-1], "enabled")["passed"]
        reports = tick_hours(engine, range(6, 9))
        assert position_side(engine, "ETHUSDT") == 0
        assert [step.status for step in reports[-1].steps] == ["refused", "decided"]
        assert "own.json" in reports[-1].steps[0].detail
        assert reports[-1].exit_code == 3


def test_a_feed_error_keeps_a_close_only_position_and_its_stop(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, cards=(NEAR_STOP,))
    feed = MemoryFeed(series_of(PAIR))
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(0, 2))
        before = engine.journal.state("ETHUSDT")
        enable(home, "BTCUSDT")
        feed.poisons["ETHUSDT"] = fails
        (report,) = tick_hours(engine, range(2, 3))
        assert report.exit_code == 3
        assert engine.journal.state("ETHUSDT") == before
        assert reasons(engine.journal, "ETHUSDT") == ["broken"]
        feed.poisons.clear()
        tick_hours(engine, range(3, 4))
        assert [view["close_ms"] for view in views(engine.journal, "ETHUSDT")] == [
            close_ms(h) for h in range(4)
        ]


def test_enabled_again_it_trades_again(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=PAIR, cards=(FIVE_BARS,))
    with engine_of(home, MemoryFeed(series_of(PAIR))) as engine:
        tick_hours(engine, range(0, 2))
        enable(home, "BTCUSDT")
        tick_hours(engine, range(2, 4))
        enable(home, *PAIR)
        tick_hours(engine, range(4, 9))
        assert [fill["leg"] for fill in payloads(engine.journal, "fill", "ETHUSDT")].count("entry") == 2
        assert_sound(engine.journal)


def test_a_settled_contract_refuses_and_the_others_step(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=("ETHUSDT", "MATICUSDT"))
    first = SETTLED_MS // HOUR_MS - 1_400
    series = {
        symbol: random_bars(1_700, seed, first) for seed, symbol in enumerate(("ETHUSDT", "MATICUSDT"), 3)
    }
    with engine_of(home, MemoryFeed(series)) as engine:
        report = tick_at(engine, SETTLED_MS + 100 * HOUR_MS + LATE_MS)
        assert [(step.symbol, step.status) for step in report.steps] == [
            ("ETHUSDT", "decided"),
            ("MATICUSDT", "refused"),
        ]
        assert report.steps[1].detail == "settled 2024-09-06, successor POLUSDT"
        assert report.exit_code == 3
        assert reasons(engine.journal, "MATICUSDT") == ["config"]
        assert json.loads(report.json())["steps"][1]["detail"] == "settled 2024-09-06, successor POLUSDT"


def matic_home(path: Path) -> tuple[Any, MemoryFeed]:
    home = a_home(path, enabled=("MATICUSDT",), cards=(LONG_HELD,))
    bars = random_bars(1_401, seed=8, first_index=SETTLED_MS // HOUR_MS - 1_400, price=1.0)
    return home, MemoryFeed({"MATICUSDT": bars})


def settlement_hours(engine: Any, hours: range) -> list[TickReport]:
    return [tick_at(engine, SETTLED_MS + hour * HOUR_MS + LATE_MS) for hour in hours]


def test_a_position_is_left_a_day_before_its_settlement(tmp_path: Path) -> None:
    home, feed = matic_home(tmp_path / "home")
    with engine_of(home, feed) as engine:
        settlement_hours(engine, range(-26, -22))
        (trade,) = payloads(engine.journal, "trade")
        assert trade["exit_reason"] == "halt"
        assert trade["exit_ms"] == SETTLED_MS - 24 * HOUR_MS
        settlement_hours(engine, range(-22, -20))
        assert position_side(engine, "MATICUSDT") == 0
        assert not gate(views(engine.journal, "MATICUSDT")[-1], "listed")["passed"]
        assert_sound(engine.journal)


@pytest.mark.parametrize("hours", [range(0, 3), range(5, 6), range(300, 301)])
def test_a_position_caught_by_the_settlement_is_left_at_its_last_mark(tmp_path: Path, hours: range) -> None:
    home, feed = matic_home(tmp_path / "home")
    with engine_of(home, feed) as engine:
        settlement_hours(engine, range(-26, -24))
        sub = engine.book.assets["MATICUSDT"].sub
        assert sub.position.side != 0
        reports = settlement_hours(engine, hours)
        (trade,) = payloads(engine.journal, "trade")
        assert trade["exit_reason"] == "halt"
        assert trade["exit_price"] == pytest.approx(sub.mark_price, rel=1e-3)
        assert position_side(engine, "MATICUSDT") == 0
        assert trade["exit_source"].startswith("settlement bar")
        assert all(step.status in ("decided", "refused") for report in reports for step in report.steps)
        (report,) = settlement_hours(engine, range(400, 401))
        assert [(step.status, step.detail) for step in report.steps] == [
            ("refused", "settled 2024-09-06, successor POLUSDT")
        ]
        assert_sound(engine.journal)


def test_one_asset_alone_can_be_stepped_close_only(tmp_path: Path) -> None:
    from engine_alpha.loop.live_step import make_tick, run_step_live

    home = a_home(tmp_path / "home", enabled=PAIR, cards=(FIVE_BARS,))
    with engine_of(home, MemoryFeed(series_of(PAIR))) as engine:
        tick_hours(engine, range(0, 2))
        enable(home, "BTCUSDT")
        tick_hours(engine, range(2, 3))
        engine.clock.set(close_ms(3) + LATE_MS)  # type: ignore[attr-defined]
        held = engine.book.assets["ETHUSDT"].config
        tick: Tick = make_tick(engine, [held])
        assert run_step_live("ETHUSDT", "1h", tick).status == "decided"
        assert not np.isnan(engine.book.assets["ETHUSDT"].sub.mark_price)
