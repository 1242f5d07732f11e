"""Right after a close a venue's bar may still change: the tick asks a little later."""

from pathlib import Path

from engine_alpha.loop.clocks import FixedClock, SystemClock
from engine_alpha.loop.live_step import DECIDED
from tests.unit.loop.runs import (
    HOUR_MS,
    START_MS,
    MemoryFeed,
    a_home,
    engine_of,
    fails,
    series_of,
    set_asset,
    set_engine,
    tick_at,
)
from tests.unit.loop.services import played


class WaitingClock(FixedClock):
    """Stands still but for waiting, and remembers it."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self.waited_ms: list[int] = []

    def wait_until(self, at_ms: int) -> None:
        self.waited_ms.append(max(0, at_ms - self.now_ms()))
        self.set(max(at_ms, self.now_ms()))


def waited(tmp_path: Path, after_close_ms: int, simulated: bool = False) -> list[int]:
    home = a_home(tmp_path / "home")
    set_engine(home, settle_delay_ms={"bybit": 2_500, "binance": 9_000})
    feed = MemoryFeed(series_of(("ETHUSDT",)))
    feed.simulated = simulated
    with engine_of(home, feed) as engine:
        clock = WaitingClock(START_MS)
        engine.clock = clock
        report = tick_at(engine, START_MS + after_close_ms)
        assert report.exit_code == 0
        return clock.waited_ms


def test_a_tick_at_the_close_waits_for_the_delay(tmp_path: Path) -> None:
    assert waited(tmp_path, 400) == [2_100]


def test_a_later_tick_does_not_wait(tmp_path: Path) -> None:
    assert waited(tmp_path, 5_000) == [0]


def test_simulated_bars_need_no_settling(tmp_path: Path) -> None:
    assert waited(tmp_path, 400, simulated=True) == []


def test_each_venues_coins_are_stepped_once_their_own_bars_have_settled(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT", "BTCUSDT"))
    set_asset(home, "BTCUSDT", venue="binance")
    set_engine(home, settle_delay_ms={"bybit": 1_500, "binance": 9_000})
    diary = played(home, MemoryFeed(series_of(("ETHUSDT", "BTCUSDT"))), 3.5)
    stepped = [
        (step.symbol, step.status, (step.now_ms - START_MS) / HOUR_MS)
        for report in diary.reports
        for step in report.steps
    ]
    assert stepped == [
        (symbol, DECIDED, hour + delay_ms / HOUR_MS)
        for hour in range(4)
        for symbol, delay_ms in (("ETHUSDT", 1_500), ("BTCUSDT", 9_000))
    ]
    assert diary.unhealthy() == []


def test_a_coin_tried_again_while_its_bar_settles_lets_nobody_wait(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT", "BTCUSDT"))
    set_asset(home, "BTCUSDT", venue="binance")
    set_engine(home, settle_delay_ms={"bybit": 1_500, "binance": 30_000})
    feed = MemoryFeed(series_of(("ETHUSDT", "BTCUSDT")))
    feed.poisons["BTCUSDT"] = fails
    diary = played(home, feed, 3.5)
    times_ms = [
        step.now_ms - START_MS
        for report in diary.reports
        for step in report.steps
        if step.symbol == "ETHUSDT"
    ]
    assert times_ms == [hour * HOUR_MS + 1_500 for hour in range(4)]


def test_the_systems_clock_waits_until_it_is_time() -> None:
    clock = SystemClock()
    then_ms = clock.now_ms() + 30
    clock.wait_until(then_ms)
    assert clock.now_ms() >= then_ms
    clock.wait_until(then_ms - 1_000)
