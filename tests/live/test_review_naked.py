"""No position without a stop: fills that can't be read, orders that nobody knows yet."""

from collections.abc import Mapping
from pathlib import Path

from engine_alpha.loop.engine import Engine
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.loop.live_step import finish_orders
from engine_alpha.trading.live_book import TradingLimits
from tests.exchange.binance_trading import BinanceTrading
from tests.exchange.private import Auth, Reply
from tests.exchange.trading.book import TradingBook
from tests.live.test_review_money import SYMBOL, a_world, state_of
from tests.live.worlds import ACCOUNT, World
from tests.unit.loop.runs import assert_sound

URGENT_MS = TradingLimits().urgent_budget_ms
ORDER, ORDERS = "/fapi/v1/order", "/fapi/v1/allOrders"


class SlowToName(BinanceTrading):
    """Tells trades before their order: so many look-ups of orders find nothing."""

    def __init__(self, book: TradingBook, misses: int) -> None:
        super().__init__(book)
        self.misses = misses

    def handle(self, method: str, path: str, params: Mapping[str, str], auth: Auth) -> Reply:
        if (method, path) == ("GET", ORDER) and self.misses:
            self.misses -= 1
            return self.refusal(-2013, "Order does not exist.")
        if path == ORDERS and self.misses:
            return Reply(200, [])
        return super().handle(method, path, params, auth)


def until_held(world: World, engine: Engine) -> int:
    for hour in range(5):
        world.tick(engine, hour)
        if world.book.position(SYMBOL).quantity:
            return hour
    raise AssertionError("nothing was entered")


def test_trades_told_before_their_order_stay_ours(tmp_path: Path) -> None:
    world = a_world(tmp_path, "binance")
    world.front.venue = SlowToName(world.book, misses=3)
    world.front.market.faults.add(kind="unknown_done", path=ORDER, times=1)
    with world.engine() as engine:
        until_held(world, engine)
        state = state_of(engine)
        assert state.foreign_base == "0"
        assert state.position == world.book.position(SYMBOL).quantity
        assert state.protection is not None and state.frozen == ""
        assert_sound(engine.journal)


def test_what_was_entered_has_a_stop_before_its_fills_can_be_read(tmp_path: Path) -> None:
    world = a_world(tmp_path, "binance")
    faults = world.front.market.faults
    with world.engine() as engine:
        unreadable = faults.add(kind="status", path="/fapi/v1/userTrades", value=500)
        hour = until_held(world, engine)
        assert state_of(engine).position == 0, "its fills are not known"
        held = abs(world.book.position(SYMBOL).quantity)
        assert [(each.quantity, each.reduce_only) for each in world.book.open_orders(SYMBOL)] == [
            (held, True)
        ]
        unreadable.times = 0
        world.tick(engine, hour + 1)
        assert abs(state_of(engine).position) == held
        assert [each.quantity for each in world.book.open_orders(SYMBOL)] == [held]
        assert_sound(engine.journal)


def test_a_look_up_that_fails_is_made_again_within_the_tick(tmp_path: Path) -> None:
    world = a_world(tmp_path, "binance")
    faults = world.front.market.faults
    with world.engine() as engine:
        hour = until_held(world, engine)
        request_flatten(world.home.account(ACCOUNT), SYMBOL, "enough", world.clock.now_ms())
        faults.add(kind="drop", path=ORDER, times=9)
        world.tick(engine, hour + 1)
        assert world.book.position(SYMBOL).quantity == 0
        assert state_of(engine).position == 0


def test_an_exit_is_tried_for_minutes_not_left_to_the_next_tick(tmp_path: Path) -> None:
    world = a_world(tmp_path, "bybit")
    with world.engine() as engine:
        until_held(world, engine)
        request_flatten(world.home.account(ACCOUNT), SYMBOL, "enough", world.clock.now_ms())
        began_ms = world.clock.now_ms()
        world.front.market.faults.add(kind="status", path="*", value=500, times=24)
        finish_orders(engine, list(engine.setup.enabled))
        assert world.book.position(SYMBOL).quantity == 0
        assert 30_000 < world.clock.now_ms() - began_ms < URGENT_MS


def test_a_tick_ends_where_a_venue_stays_away(tmp_path: Path) -> None:
    world = a_world(tmp_path, "bybit")
    with world.engine() as engine:
        until_held(world, engine)
        request_flatten(world.home.account(ACCOUNT), SYMBOL, "enough", world.clock.now_ms())
        began_ms = world.clock.now_ms()
        world.front.market.faults.add(kind="status", path="*", value=500)
        finish_orders(engine, list(engine.setup.enabled))
        assert URGENT_MS <= world.clock.now_ms() - began_ms < URGENT_MS + 10_000
