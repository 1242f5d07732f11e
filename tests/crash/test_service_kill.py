"""`chloe run`, killed at any instant and started again, comes to what one never killed comes to."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from engine_alpha.home import Home
from engine_alpha.loop.wiring import JOURNAL_NAME
from engine_alpha.step.recording import DECISION, digests_of
from tests.crash.test_runner_kill import COINS, environment
from tests.unit.loop.runs import (
    HOUR_MS,
    QUICK,
    ROOMY,
    START_MS,
    a_home,
    assert_sound,
    events_of,
    journal_of,
    payloads,
)

CHILD = Path(__file__).with_name("serving.py")
FIRST = START_MS // HOUR_MS


def command(home: Home, first: int, last: int) -> list[str]:
    return [sys.executable, str(CHILD), str(home.path), str(first), str(last)]


def reached(home: Home) -> int:
    """Return the hour from which to go on: that of the newest decision, as the journal knows it."""
    if not (home.account("simulated") / JOURNAL_NAME).exists():
        return FIRST
    journal = journal_of(home, "simulated")
    newest = next(iter(journal.events(DECISION, newest_first=True)), None)
    journal.close()
    return FIRST if newest is None else newest.event.bar_ms // HOUR_MS + 1


def killed(home: Home, last: int, chance: random.Random) -> None:
    """Start the service and kill it after some ticks, or while it starts."""
    with subprocess.Popen(
        command(home, reached(home), last),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    ) as child:
        assert child.stdout is not None
        for _ in range(chance.randint(1, 6)):
            child.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.04))
        child.send_signal(signal.SIGKILL)


def killed_as_unkilled(tmp_path: Path, seed: int, hours: int, kills: int) -> None:
    whole, broken = (
        a_home(tmp_path / name, enabled=COINS, cards=(QUICK,), risk={**ROOMY, "max_positions": 2})
        for name in ("whole", "broken")
    )
    last = FIRST + hours
    subprocess.run(command(whole, FIRST, last), env=environment(), check=True, capture_output=True)
    chance = random.Random(seed)
    for _ in range(kills):
        killed(broken, last, chance)
        if (broken.account("simulated") / JOURNAL_NAME).exists():
            journal = journal_of(broken, "simulated")
            assert_sound(journal)
            journal.close()
    subprocess.run(command(broken, reached(broken), last), env=environment(), check=True, capture_output=True)
    one, two = journal_of(whole, "simulated"), journal_of(broken, "simulated")
    found, wanted = (digests_of(journal.events(DECISION)) for journal in (two, one))
    assert found.hexes() == wanted.hexes()
    assert (found.decisions, found.trades) == (wanted.decisions, wanted.trades)
    assert found.trades >= 5
    for symbol in COINS:
        counted = Counter(each.event.bar_ms for each in events_of(two, DECISION, symbol))
        assert set(counted.values()) == {1}
        assert set(counted) == {each.event.bar_ms for each in events_of(one, DECISION, symbol)}
    assert payloads(one, "trade") == payloads(two, "trade")
    one.close()
    two.close()


def test_killed_a_few_times_the_service_loses_and_doubles_nothing(tmp_path: Path) -> None:
    killed_as_unkilled(tmp_path, seed=7, hours=30, kills=5)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_killed_a_hundred_times_the_service_loses_and_doubles_nothing(tmp_path: Path) -> None:
    killed_as_unkilled(tmp_path, seed=8, hours=500, kills=100)
