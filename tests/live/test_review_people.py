"""What people do while orders are under way: halt, disarm, take an asset away, break its files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine_alpha.domain.bars import Reading
from engine_alpha.loop.arming import disarm
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.loop.halt_file import request_halt
from tests.live.test_review_money import SYMBOL, a_world, both_venues, state_of
from tests.live.test_review_naked import until_held
from tests.live.worlds import ACCOUNT, World
from tests.unit.loop.runs import assert_sound, fails, remove_asset, set_asset


@both_venues
@pytest.mark.parametrize("deed", ["halt", "disarm"])
def test_nothing_is_entered_after_a_person_said_no(tmp_path: Path, venue: str, deed: str) -> None:
    world = a_world(tmp_path, venue)
    folder = world.home.account(ACCOUNT)

    async def meanwhile(reading: Reading) -> Reading:
        if deed == "halt":
            request_halt(folder, True, "enough", world.clock.now_ms())
        else:
            disarm(folder, SYMBOL)
        return reading

    with world.engine() as engine:
        world.feed.poisons[SYMBOL] = meanwhile
        for hour in range(3):
            world.tick(engine, hour)
        assert not world.book.state.sent
        assert_sound(engine.journal)


@pytest.mark.parametrize("deed", ["disarm", "disable", "remove"])
def test_a_stop_that_outlived_its_position_goes_though_its_asset_did(tmp_path: Path, deed: str) -> None:
    world = a_world(tmp_path, "binance")
    with world.engine() as engine:
        hour = until_held(world, engine)
        quantity = world.book.position(SYMBOL).quantity
        world.book.manual(SYMBOL, "sell" if quantity > 0 else "buy", abs(quantity))
        if deed == "disarm":
            disarm(world.home.account(ACCOUNT), SYMBOL)
        elif deed == "disable":
            set_asset(world.home, SYMBOL, enabled=False)
        else:
            remove_asset(world.home, SYMBOL)
        stuck = world.front.market.faults.add(kind="status", path="/fapi/v1/algoOrder", value=500)
        world.tick(engine, hour + 1)
        assert state_of(engine).is_flat and world.book.open_orders(SYMBOL)
        stuck.times = 0
        world.tick(engine, hour + 2)
        assert world.book.open_orders(SYMBOL) == []
        assert_sound(engine.journal)


@both_venues
def test_the_leverage_of_an_open_position_stays(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    with world.engine() as engine:
        hour = until_held(world, engine)
        before = world.book.position(SYMBOL)
        set_asset(world.home, SYMBOL, max_leverage=10.0)
    with world.engine() as engine:
        world.tick(engine, hour + 1)
        after = world.book.position(SYMBOL)
        assert after.quantity == before.quantity
        assert (after.leverage, after.margin) == (before.leverage, before.margin)


DEEDS: dict[str, Callable[[World], object]] = {
    "the feed fails": lambda world: world.feed.poisons.update({SYMBOL: fails}),
    "disarmed": lambda world: disarm(world.home.account(ACCOUNT), SYMBOL),
    "disabled": lambda world: set_asset(world.home, SYMBOL, enabled=False),
    "removed": lambda world: remove_asset(world.home, SYMBOL),
    "on another venue": lambda world: set_asset(world.home, SYMBOL, venue="bybit"),
    "on another timeframe": lambda world: set_asset(world.home, SYMBOL, base_timeframe="4h"),
    "its entry broken": lambda world: set_asset(world.home, SYMBOL, max_leverage="x"),
    "parameters broken": lambda world: (world.home.parameters / "default.json").write_text("{"),
    "cards broken": lambda world: [each.write_text("{") for each in world.home.cards.glob("*.json")],
    "cards deleted": lambda world: [each.unlink() for each in world.home.cards.glob("*.json")],
}


@pytest.mark.parametrize("deed", DEEDS)
def test_stop_and_way_out_outlive_what_happens_to_an_asset(tmp_path: Path, deed: str) -> None:
    world = a_world(tmp_path, "binance")
    with world.engine() as engine:
        hour = until_held(world, engine)
    DEEDS[deed](world)
    world.book.cancel_stops(SYMBOL)
    with world.engine() as engine:
        world.tick(engine, hour + 1)
        held = abs(world.book.position(SYMBOL).quantity)
        assert [each.quantity for each in world.book.open_orders(SYMBOL)] == [held] != [0]
        request_flatten(world.home.account(ACCOUNT), SYMBOL, "enough", world.clock.now_ms())
        world.tick(engine, hour + 2)
        assert world.book.position(SYMBOL).quantity == 0
        assert world.book.open_orders(SYMBOL) == []
        assert_sound(engine.journal)
