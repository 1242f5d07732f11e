"""Killed at any instant, the journal keeps every acknowledged bar, whole, and nothing half."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine_alpha.journals.checking import check
from engine_alpha.journals.sqlite import SqliteJournal
from tests.unit.journals.batches import counted

ROOT = Path(__file__).resolve().parents[2]
WRITER = Path(__file__).with_name("journal_writer.py")


def killed_writer(folder: Path, delay_s: float, from_the_start: bool) -> int:
    """Kill a writer `delay_s` after its start or its first line; return the last bar it acknowledged."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(WRITER), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        lines = b"" if from_the_start else writer.stdout.readline()
        time.sleep(delay_s)
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read()
        assert writer.stderr.read() == b""
    whole = lines[: lines.rfind(b"\n") + 1].split()
    return max((int(line) for line in whole if line != b"open"), default=0)


def assert_sound(folder: Path, acknowledged: int) -> int:
    """Reopen the journal as a restart would; return its last bar."""
    reader = SqliteJournal.open(folder / "journal.sqlite", read_only=True)
    seen = check(reader, counted)
    reader.close()
    journal = SqliteJournal.open(folder / "journal.sqlite")
    report = check(journal, counted)
    states = journal.states()
    journal.close()
    assert report.sound, report
    assert seen == report
    assert report.events % 3 == 0, "half a batch"
    last_bar = report.events // 3
    assert acknowledged <= last_bar <= acknowledged + 1, "a bar was lost, or more than one was in flight"
    assert (states != {}) == (last_bar > 0)
    return last_bar


def killed_again_and_again(folder: Path, rounds: int, chance: random.Random) -> None:
    last = 0
    for _ in range(rounds):
        acknowledged = killed_writer(folder, chance.uniform(0.0, 0.15), from_the_start=False)
        last = assert_sound(folder, max(acknowledged, last))
    assert last > 0


def killed_at_birth(folder: Path, rounds: int, chance: random.Random) -> None:
    for number in range(rounds):
        place = folder / str(number)
        acknowledged = killed_writer(place, chance.uniform(0.2, 0.5), from_the_start=True)
        journal = SqliteJournal.open(place / "journal.sqlite")  # whatever was there, a start must be possible
        journal.close()
        assert_sound(place, acknowledged)


def test_killed_while_writing_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path, 12, random.Random(1))


def test_killed_while_the_journal_is_made_the_next_start_works(tmp_path: Path) -> None:
    killed_at_birth(tmp_path, 6, random.Random(2))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_a_hundred_times(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path / "running", 60, random.Random(3))
    killed_at_birth(tmp_path / "born", 60, random.Random(4))
