"""What an armed coin risks: the part that its arming says, decided again to the byte."""

from pathlib import Path
from typing import Any

import pytest

from engine_alpha.loop.arming import arm
from engine_alpha.step.recording import DECISION, TRADE, decision_view, exported_decision
from tests.live.worlds import ACCOUNT, World, live_world
from tests.unit.backtest.verifying import as_is
from tests.unit.loop.runs import START_MS, MemoryFeed, a_home, assert_sound, payloads, series_of

SYMBOLS = ("BTCUSDT", "ETHUSDT")
SMALL, WHOLE = SYMBOLS
HOURS = range(14)


def played(folder: Path, venue: str, size_factor: float) -> tuple[World, list[dict[str, Any]]]:
    """Trade two coins, one of them armed at this size; return its decisions."""
    world = live_world(a_home(folder, SYMBOLS), venue, series_of(SYMBOLS))
    arm(world.home.account(ACCOUNT), SMALL, START_MS, "loopback", venue, size_factor)
    with world.engine() as engine:
        for hour in HOURS:
            world.tick(engine, hour)
        assert_sound(engine.journal)
        found = as_is(world.home, engine.journal, MemoryFeed(series_of(SYMBOLS)))
        assert found.findings == () and found.exact == found.decisions == 2 * len(HOURS)
        assert len(payloads(engine.journal, TRADE, SMALL)) > 1
        return world, payloads(engine.journal, DECISION, SMALL)


def sizes_of(decisions: list[dict[str, Any]]) -> list[tuple[int, float, float]]:
    """Return bar, quantity wanted and risk of each decision that fired a card while flat."""
    views = [decision_view(each) for each in decisions]
    fired = [(view["open_ms"], view["size"]) for view in views if view["card"] is not None]
    return [(open_ms, size["unclipped_base"], size["risk_quote"]) for open_ms, size in fired]


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_a_quarter_armed_is_a_quarter_risked_and_verified_to_the_byte(tmp_path: Path, venue: str) -> None:
    _, whole = played(tmp_path / "whole", venue, 1.0)
    _, quarter = played(tmp_path / "quarter", venue, 0.25)
    assert {each["size_factor"] for each in quarter} == {0.25}
    assert [each for each in whole if "size_factor" in each] == []
    first, smaller = sizes_of(whole)[0], sizes_of(quarter)[0]
    assert first[0] == smaller[0]
    assert smaller[1] == pytest.approx(first[1] / 4, rel=1e-12), "the quantity wanted"
    assert smaller[2] == pytest.approx(first[2] / 4, rel=0.02), "what is lost at the stop, lots rounded"
    assert [each["config_hash"] for each in quarter] == [each["config_hash"] for each in whole]
    assert [each["config_parts"] for each in quarter] == [each["config_parts"] for each in whole]


def test_the_size_takes_effect_at_the_next_tick_and_exported_lines_do_not_tell_of_it(tmp_path: Path) -> None:
    world = live_world(a_home(tmp_path, (SMALL,)), "bybit", series_of((SMALL,)))
    with world.engine() as engine:
        world.tick(engine, 0)
        arm(world.home.account(ACCOUNT), SMALL, START_MS, "loopback", "bybit", 0.5)
        world.tick(engine, 1)
        before, after = payloads(engine.journal, DECISION, SMALL)
        assert ("size_factor" in before, after["size_factor"]) == (False, 0.5)
        assert decision_view(after)["size_factor"] == 0.5
        assert "size_factor" not in exported_decision(after)
        found = as_is(world.home, engine.journal, MemoryFeed(series_of((SMALL,))))
        assert found.findings == () and found.exact == 2
