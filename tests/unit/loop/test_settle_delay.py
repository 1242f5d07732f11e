"""Right after a close a venue's bar may still change: the tick asks a little later."""

from pathlib import Path

from engine_alpha.loop.clocks import FixedClock, SystemClock
from tests.unit.loop.runs import START_MS, MemoryFeed, a_home, engine_of, series_of, set_engine, tick_at


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
    set_engine(home, settle_delay_ms=2_500)
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


def test_the_systems_clock_waits_until_it_is_time() -> None:
    clock = SystemClock()
    then_ms = clock.now_ms() + 30
    clock.wait_until(then_ms)
    assert clock.now_ms() >= then_ms
    clock.wait_until(then_ms - 1_000)
