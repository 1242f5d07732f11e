"""The runner as a process, killed with real orders under way: after another start none is lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine_alpha.times import iso
from tests.live.crash_points import CARD, differences, outcome_of
from tests.live.http_worlds import HttpWorld, When, coming_hour_ms, http_world
from tests.unit.loop.processes import ROOT
from tests.unit.loop.runs import edit, set_engine

SYMBOLS = ("ETHUSDT", "SOLUSDT", "BTCUSDT")
MODULE = "engine_alpha.loop.multi_asset_runner"
BARS_IN = 147
RECV_WINDOW_MS = 300
AFTER_A_KILL_MS = 2_000  # more than proves that what did not arrive never will
LOCK_HELD = 5


@contextmanager
def armed_world(folder: Path, venue: str, start_ms: int) -> Iterator[HttpWorld]:
    """Serve an exchange to a home whose three assets are armed, with a short receive window."""
    with http_world(folder, venue, CARD, SYMBOLS, When(BARS_IN, start_ms)) as world:
        edit(world.home.engine, lambda found: found["live"].update(recv_window_ms=RECV_WINDOW_MS))
        set_engine(world.home, feed_deadline_ms=60_000)  # one of the runners is stopped for a while
        for symbol in SYMBOLS:
            armed = world.chloe("live", "arm", symbol, "--yes")
            assert armed.exit_code == 0, armed.output
        yield world


def started(world: HttpWorld, at_ms: int) -> "subprocess.Popen[str]":
    """Start the runner's process for one tick; the exchange's clock stands at its time."""
    world.control(now_ms=at_ms, advance_ms=at_ms)
    command = [sys.executable, "-m", MODULE, "--home", str(world.home.path), "--now", iso(at_ms)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for_requests(world: HttpWorld, process: "subprocess.Popen[str]", wanted: int) -> bool:
    """Return once the exchange has seen so many requests in all; False if the process ended before."""
    while process.poll() is None:
        if len(world.exchange.market.requests) >= wanted:
            return True
        time.sleep(0.001)
    return False


def killed(world: HttpWorld, at_ms: int, chance: random.Random) -> bool:
    """Run one tick and kill it after some of its requests; return False if it had ended by then."""
    seen = len(world.exchange.market.requests)
    with started(world, at_ms) as process:
        if wait_for_requests(world, process, seen + chance.randint(1, 40)):
            time.sleep(chance.uniform(0.0, 0.02))
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
    return alive


def finished(world: HttpWorld, at_ms: int) -> None:
    """Run one tick to its end."""
    with started(world, at_ms) as process:
        _, complaints = process.communicate(timeout=100)
    assert process.returncode == 0, complaints


def killed_as_unkilled(folder: Path, venue: str, kills_of_hours: list[int], seed: int) -> int:
    """Compare ticks that are killed so many times each with ticks that are not; return how many died."""
    start_ms, hours = coming_hour_ms(), range(len(kills_of_hours))
    with armed_world(folder / "whole", venue, start_ms) as world:
        for hour in hours:
            assert world.tick(hour).exit_code == 0
        whole = outcome_of(world.home, world.facts())
    chance, died = random.Random(seed), 0
    with armed_world(folder / "killed", venue, start_ms) as world:
        for hour, kills in enumerate(kills_of_hours):
            at_ms = world.tick_ms(hour)
            for _ in range(kills):
                died += killed(world, at_ms, chance)
                at_ms += AFTER_A_KILL_MS
            finished(world, at_ms)
        outcome = outcome_of(world.home, world.facts())
    assert len(whole.trades) >= 2 and whole.orders >= 4
    lost, doubled, others = differences(whole, outcome)
    assert (lost, doubled) == (0, 0)
    assert set(others) <= {"decisions"}, "the spread that a decision notes is that of its moment"
    return died


@pytest.mark.timeout(400)
@pytest.mark.slow
@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_killed_with_orders_under_way_it_loses_none_and_doubles_none(tmp_path: Path, venue: str) -> None:
    assert killed_as_unkilled(tmp_path, venue, [1, 0, 1, 0, 1], seed=1) >= 1


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_killed_sixty_times_it_loses_none_and_doubles_none(tmp_path: Path, venue: str) -> None:
    assert killed_as_unkilled(tmp_path, venue, [6] * 10, seed=2) >= 40


def test_a_second_runner_is_refused_and_sends_nothing(tmp_path: Path) -> None:
    with armed_world(tmp_path / "home", "bybit", coming_hour_ms()) as world:
        at_ms, seen = world.tick_ms(0), len(world.exchange.market.requests)
        with started(world, at_ms) as first:
            assert wait_for_requests(world, first, seen + 10)
            first.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            standing = len(world.exchange.market.requests)
            with started(world, at_ms) as second:
                _, complaints = second.communicate(timeout=100)
            assert second.returncode == LOCK_HELD, complaints
            assert f"another runner (pid {first.pid}" in complaints
            assert len(world.exchange.market.requests) == standing
            first.send_signal(signal.SIGCONT)
            first.communicate(timeout=100)
        assert first.returncode == 0
        sent = world.facts()["accepted"]
        assert sent and set(sent.values()) == {1}
