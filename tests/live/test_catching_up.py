"""Bars that were missed are settled and recorded; only the newest enters, however late entries may be."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine_alpha.step.recording import DECISION
from tests.live.worlds import World, live_world
from tests.makers import HOUR_MS
from tests.unit.loop.runs import (
    LONG_HELD,
    a_home,
    assert_sound,
    gate,
    payloads,
    series_of,
    set_engine,
    tick_at,
    views,
)

SYMBOL = "BTCUSDT"


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_of_several_fresh_bars_only_the_newest_enters(tmp_path: Path, venue: str) -> None:
    home = a_home(tmp_path, (SYMBOL,), cards=(LONG_HELD,))
    world = live_world(home, venue, series_of((SYMBOL,)))
    set_engine(home, max_entry_delay_ms=24 * HOUR_MS)
    with world.engine() as engine:
        world.front.market.faults.add(kind="maintenance")
        world.tick(engine, 0)
        assert payloads(engine.journal, DECISION, SYMBOL) == [], "its orders could not be looked at"
        world.front.market.faults.clear()
        world.tick(engine, 1)
        assert len(world.book.state.sent) > 0
        world.book.manual(SYMBOL, closing_side(world), held(world))
        tick_at(engine, world.clock.now_ms() + 8 * HOUR_MS)
        seen = views(engine.journal, SYMBOL)
        assert len(seen) >= 9
        for view in seen[-8:-1]:
            assert gate(view, "data_fresh")["passed"] is False
            assert view["action"] != "enter"
        assert gate(seen[-1], "data_fresh")["passed"] is True
        assert all(count == 1 for count in world.book.state.sent.values())
        assert_sound(engine.journal)


def held(world: World) -> Decimal:
    return abs(world.book.position(SYMBOL).quantity)


def closing_side(world: World) -> str:
    return "sell" if world.book.position(SYMBOL).quantity > 0 else "buy"
