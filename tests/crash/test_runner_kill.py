"""Killed at any instant the runner loses no decision, doubles none, and goes on to the same ones."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from engine_alpha.home import Home
from engine_alpha.step.recording import DECISION
from tests.unit.loop.processes import ROOT, runner
from tests.unit.loop.runs import (
    HOUR_MS,
    QUICK,
    ROOMY,
    START_MS,
    a_home,
    assert_sound,
    decision_lines,
    events_of,
    journal_of,
    payloads,
)

CHILD = Path(__file__).with_name("ticking.py")
COINS = ("ETHUSDT", "BTCUSDT", "DOGEUSDT")
FIRST = START_MS // HOUR_MS


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def killed(home: Home, first: int, last: int, chance: random.Random) -> int:
    """Run ticks and kill them after some; return the last hour whose tick had returned."""
    command = [sys.executable, str(CHILD), str(home.path), str(first), str(last)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    ) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(chance.randint(1, 10))]
        time.sleep(chance.uniform(0.0, 0.04))
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    done = [line.split() for line in lines if line.endswith("\n") and line != "ready\n"]
    assert all(code == "0" for _, code in done)
    return int(done[-1][0]) if done else first - 1


def killed_as_unkilled(tmp_path: Path, seed: int, hours: int) -> int:
    risk = {**ROOMY, "max_positions": 2}
    whole, broken = (
        a_home(tmp_path / name, enabled=COINS, cards=(QUICK,), risk=risk) for name in ("whole", "broken")
    )
    last = FIRST + hours - 1
    command = [sys.executable, str(CHILD), str(whole.path), str(FIRST), str(last)]
    subprocess.run(command, env=environment(), check=True, capture_output=True)
    chance, kills, done = random.Random(seed), 0, FIRST - 1
    while done < last:
        returned = killed(broken, done + 1, last, chance)
        assert_nothing_lost(broken, returned)
        done, kills = returned, kills + 1
    one, two = journal_of(whole, "simulated"), journal_of(broken, "simulated")
    for symbol in COINS:
        assert decision_lines(one, symbol) == decision_lines(two, symbol)
        assert payloads(one, "fill", symbol) == payloads(two, "fill", symbol)
        assert payloads(one, "trade", symbol) == payloads(two, "trade", symbol)
    assert one.states() == two.states()
    assert payloads(one, "trade")
    one.close()
    two.close()
    return kills


def assert_nothing_lost(home: Home, last: int) -> None:
    """Check that the journal is whole and has every bar up to the tick that returned last, once."""
    if last < FIRST:
        return
    journal = journal_of(home, "simulated")
    assert_sound(journal)
    for symbol in COINS:
        found = Counter(stored.event.bar_ms // HOUR_MS + 1 for stored in events_of(journal, DECISION, symbol))
        assert set(found.values()) == {1}
        assert set(range(FIRST, last + 1)) <= set(found) <= set(range(FIRST, last + 2))
    journal.close()


def test_killed_at_random_moments_no_decision_is_lost_or_doubled(tmp_path: Path) -> None:
    assert killed_as_unkilled(tmp_path, seed=4, hours=18) >= 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_fifty_times_no_decision_is_lost_or_doubled(tmp_path: Path) -> None:
    assert killed_as_unkilled(tmp_path, seed=5, hours=300) >= 40


def test_the_command_itself_killed_while_starting_or_ticking(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", enabled=COINS, cards=(QUICK,))
    chance = random.Random(6)
    for hour in range(3):
        now = f"2023-10-28T{8 + hour:02}:00:05+00:00"
        module = "engine_alpha.loop.multi_asset_runner"
        command = [sys.executable, "-m", module, "--home", str(home.path), "--now", now]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment()) as child:
            time.sleep(chance.uniform(0.3, 1.0))
            child.send_signal(signal.SIGKILL)
        done = runner("--home", str(home.path), "--now", now, "--json")
        assert done.code == 0, done.stderr
        assert {step["status"] for step in done.report["steps"]} <= {"decided", "already"}
    journal = journal_of(home, "simulated")
    assert_sound(journal)
    assert [len(events_of(journal, DECISION, symbol)) for symbol in COINS] == [3, 3, 3]
    journal.close()
