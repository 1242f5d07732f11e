"""Killed at any instant and started again, a rehearsal comes out as if nothing had happened."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine_alpha.errors import LockHeld
from engine_alpha.home import Home
from engine_alpha.loop.lock import account_lock
from engine_alpha.loop.rehearse import account_name
from engine_alpha.plans.history import History, history_setup
from tests.makers import HOUR_MS
from tests.parity.stored import THREE, comparable, rehearsed, series, store, wanted
from tests.unit.loop.runs import ROOMY, a_home, assert_sound, close_ms, journal_of, set_asset, without

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("rehearsing.py")


def command_of(home: Home, asked: History) -> list[str]:
    times = (str(asked.from_ms), str(asked.to_ms))
    return [sys.executable, str(CHILD), str(home.path), str(asked.data), *times, *asked.symbols]


def run_and_kill(home: Home, asked: History, after_ticks: int, delay_s: float) -> tuple[list[str], str]:
    """Kill the child some ticks and a moment after its start; return its last whole lines and complaints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    lines: list[str] = []
    with subprocess.Popen(
        command_of(home, asked), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        while len(lines) < after_ticks and (line := child.stdout.readline()):
            lines.append(line)
        time.sleep(delay_s)
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
        return [line.strip() for line in lines if line.endswith("\n")], child.stderr.read()


def killed_until_done(home: Home, asked: History, chance: random.Random, most_ticks: int) -> tuple[str, int]:
    """Kill and start again until it ends by itself; return its last line and how often it was killed."""
    killed, last_done = 0, 0
    while True:
        delay_s = chance.uniform(0.0, 0.012)
        lines, complaints = run_and_kill(home, asked, chance.randint(1, most_ticks), delay_s)
        assert complaints == ""
        if lines and lines[-1].startswith("end"):
            return lines[-1], killed
        killed += 1
        done = int(lines[-1].split()[0])
        assert done >= last_done, "it goes on where it was"
        last_done = done
        journal = journal_of(home, next(iter(path.name for path in home.state.iterdir())))
        assert_sound(journal)
        journal.close()


def killed_as_unkilled(tmp_path: Path, seed: int, hours: int, most_ticks: int) -> int:
    bars = series()
    bars["BTCUSDT"] = without(bars["BTCUSDT"], close_ms(7) - HOUR_MS, close_ms(8) - HOUR_MS)
    data = store(tmp_path / "data", bars)
    asked = wanted(data, hours=hours)
    homes = [a_home(tmp_path / name, risk={**ROOMY, "max_positions": 2}) for name in ("whole", "killed")]
    for home in homes:
        set_asset(home, "DOGEUSDT", base_timeframe="4h")
    whole = rehearsed(homes[0], asked)
    line, killed = killed_until_done(homes[1], asked, random.Random(seed), most_ticks)
    assert line.split() == [
        *("end", whole.decisions_sha256, whole.ledger_sha256),
        *(str(whole.decisions), str(whole.no_decisions)),
    ]
    assert comparable(rehearsed(homes[1], asked)) == comparable(whole)
    return killed


def test_killed_at_random_instants_it_comes_out_the_same(tmp_path: Path) -> None:
    assert killed_as_unkilled(tmp_path, seed=1, hours=90, most_ticks=45) >= 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_many_times_it_comes_out_the_same(tmp_path: Path) -> None:
    assert killed_as_unkilled(tmp_path, seed=2, hours=450, most_ticks=25) >= 20


@pytest.mark.slow
def test_the_kills_fall_between_assets_of_one_tick_too(tmp_path: Path) -> None:
    """Cut the journal after each of its first events, as a kill would, and go on from there."""
    data = store(tmp_path / "data", series())
    asked = wanted(data, hours=4)
    whole = rehearsed(a_home(tmp_path / "whole"), asked)
    for stop_after in (1, 2, 4, 5, 7):
        home = a_home(tmp_path / str(stop_after))
        lines = stopped_after(home, asked, stop_after)
        assert lines == stop_after
        assert comparable(rehearsed(home, asked)) == comparable(whole)


def stopped_after(home: Home, asked: History, commits: int) -> int:
    """Let a child die by its own hand inside commit number `commits` + 1; return the decisions stored."""
    program = (
        "import os, runpy, signal, sys\n"
        "from engine_alpha.journals.sqlite import SqliteJournal\n"
        "real, left = SqliteJournal._write, [int(sys.argv.pop(1))]\n"
        "def dies(self, *rest):\n"
        "    done = real(self, *rest)\n"
        "    left[0] -= 1\n"
        "    if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return done\n"
        "SqliteJournal._write = dies\n"
        "runpy.run_path(sys.argv.pop(1), run_name='__main__')\n"
    )
    _, child, *rest = command_of(home, asked)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, str(commits), child, *rest]
    done = subprocess.run(command, env=environment, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    journal = journal_of(home, next(iter(path.name for path in home.state.iterdir())))
    assert_sound(journal)
    decisions = sum(1 for _ in journal.events("decision"))
    journal.close()
    return decisions


def test_two_rehearsals_of_one_account_do_not_mix(tmp_path: Path) -> None:
    data = store(tmp_path / "data", series(THREE))
    home, asked = a_home(tmp_path / "home"), wanted(data, hours=2)
    account = account_name(history_setup(home, asked), asked)
    with account_lock(home.account(account)), pytest.raises(LockHeld, match=r"another runner \(pid"):
        rehearsed(home, asked)
    assert rehearsed(home, asked).account == account
