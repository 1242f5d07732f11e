"""Ways to lose money that a review looked for: each was shown before it was mended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.loop.engine import Engine
from engine_alpha.trading.state import LiveState
from tests.live.worlds import World, live_world
from tests.unit.loop.runs import LONG_HELD, a_home, edit, series_of

SYMBOL = "BTCUSDT"
both_venues = pytest.mark.parametrize("venue", ["bybit", "binance"])


def a_world(path: Path, venue: str, card: Mapping[str, Any] = LONG_HELD) -> World:
    return live_world(a_home(path, (SYMBOL,), cards=(card,)), venue, series_of((SYMBOL,)))


def state_of(engine: Engine, symbol: str = SYMBOL) -> LiveState:
    assert engine.live is not None
    return engine.live.book.states[symbol]


def coarser_ticks(world: World) -> None:
    def change(found: dict[str, Any]) -> None:
        found["instruments"][SYMBOL]["tick_quote"] = "1"

    for snapshot in world.home.instruments.glob(f"{world.venue}_*.json"):
        edit(snapshot, change)


@both_venues
def test_a_new_grid_of_prices_does_not_stop_the_engine(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    with world.engine() as engine:
        for hour in range(3):
            world.tick(engine, hour)
        assert state_of(engine).position != 0
        coarser_ticks(world)
        for hour in range(3, 5):
            world.tick(engine, hour)
        assert engine.live is not None and engine.live.book.faults == {}


