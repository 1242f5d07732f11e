"""Ways to lose money that a review looked for: each was shown before it was mended."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.loop.arming import disarm
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.loop.live_orders import take_up_flattens
from engine_alpha.trading.state import LiveState
from tests.live.worlds import ACCOUNT, World, live_world
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


@both_venues
def test_a_wish_to_be_out_is_taken_up_once_though_its_asset_moves(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    other = "binance" if venue == "bybit" else "bybit"
    with world.engine() as engine:
        for hour in range(3):
            world.tick(engine, hour)
        request_flatten(world.home.account(ACCOUNT), SYMBOL, "enough", world.clock.now_ms())
        world.tick(engine, 3)
        disarm(world.home.account(ACCOUNT), SYMBOL)
        world.tick(engine, 4)
        state = state_of(engine)
        assert state.is_flat and state.flattened_ms
        asset = next(each for each in engine.setup.enabled if each.symbol == SYMBOL)
        take_up_flattens(engine, [replace(asset, venue=other)])


def test_a_stop_for_more_than_is_held_is_made_smaller(tmp_path: Path) -> None:
    world = a_world(tmp_path, "binance")
    with world.engine() as engine:
        for hour in range(3):
            world.tick(engine, hour)
        whole = abs(world.book.position(SYMBOL).quantity)
        world.book.adl(SYMBOL, whole / 2)
        world.tick(engine, 3)
        left = abs(world.book.position(SYMBOL).quantity)
        assert 0 < left < whole
        assert [order.quantity for order in world.book.open_orders(SYMBOL)] == [left]


def test_no_stop_of_ours_waits_for_what_others_hold(tmp_path: Path) -> None:
    world = a_world(tmp_path, "binance")
    with world.engine() as engine:
        for hour in range(3):
            world.tick(engine, hour)
        held = world.book.position(SYMBOL).quantity
        world.book.manual(SYMBOL, "sell" if held > 0 else "buy", 2 * abs(held))
        world.tick(engine, 3)
        state = state_of(engine)
        assert (state.position, state.verdict) == (0, "foreign")
        assert world.book.position(SYMBOL).quantity == -held
        assert world.book.open_orders(SYMBOL) == []
