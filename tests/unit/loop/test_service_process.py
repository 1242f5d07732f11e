"""`chloe run` as a real process: what systemd hears, how it stops, what it says."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine_alpha.home import Home
from engine_alpha.loop.wiring import JOURNAL_NAME
from tests.unit.loop.processes import ROOT
from tests.unit.loop.runs import a_home, enable, journal_of, set_asset

COINS = ("ETHUSDT", "BTCUSDT")


class Systemd:
    """Listens where systemd would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(str(path))

    def heard(self, word: str, within_s: float) -> bool:
        """Wait for a message; say whether it came."""
        until_s = time.monotonic() + within_s
        while (left_s := until_s - time.monotonic()) > 0:
            self.line.settimeout(left_s)
            try:
                if word in self.line.recv(4_096).decode():
                    return True
            except TimeoutError:
                return False
        return False

    def drain(self) -> None:
        """Forget what has come."""
        self.line.setblocking(False)
        try:
            while True:
                self.line.recv(4_096)
        except BlockingIOError:
            return


@contextmanager
def running(home: Home, systemd: Systemd, watchdog_s: float = 3.0) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if name != "CHLOE_HOME"} | {
        "PYTHONPATH": str(ROOT),
        "NOTIFY_SOCKET": str(systemd.path),
        "WATCHDOG_USEC": str(int(watchdog_s * 1e6)),
    }
    command = [sys.executable, "-m", "engine_alpha", "run", "--home", str(home.path), "--feed", "embedded"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.kill()


@pytest.fixture
def systemd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systemd]:
    listener = Systemd(tmp_path_factory.mktemp("s") / "n")
    yield listener
    listener.line.close()


def without_metrics(home: Home) -> Home:
    text = home.engine.read_text().replace('"port": 9464', '"port": 0')
    home.engine.write_text(text)
    return home


def test_systemd_hears_that_it_is_ready_alive_and_how_it_is(tmp_path: Path, systemd: Systemd) -> None:
    home = without_metrics(a_home(tmp_path, COINS))
    with running(home, systemd) as child:
        assert systemd.heard("READY=1", 30)
        assert systemd.heard("STATUS=2 assets decided", 30)
        assert systemd.heard("WATCHDOG=1", 10)
        began_s = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
        assert time.monotonic() - began_s < 5
        assert systemd.heard("STOPPING=1", 1)
        assert "stopping" in (child.stderr.read() if child.stderr else "")


def test_an_edit_is_taken_up_while_it_runs(tmp_path: Path, systemd: Systemd) -> None:
    home = without_metrics(a_home(tmp_path, ("ETHUSDT",)))
    with running(home, systemd) as child:
        assert systemd.heard("STATUS=1 asset decided", 30)
        enable(home, *COINS)
        assert systemd.heard("STATUS=2 assets decided", 15)
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0


def test_a_frozen_loop_is_silent_and_a_thawed_one_is_not(tmp_path: Path, systemd: Systemd) -> None:
    home = without_metrics(a_home(tmp_path, ("ETHUSDT",)))
    with running(home, systemd) as child:
        assert systemd.heard("WATCHDOG=1", 30)
        child.send_signal(signal.SIGSTOP)
        time.sleep(0.5)
        systemd.drain()
        assert not systemd.heard("WATCHDOG=1", 3.5)
        child.send_signal(signal.SIGCONT)
        assert systemd.heard("WATCHDOG=1", 10)


def test_a_disabled_or_broken_asset_does_not_silence_it(tmp_path: Path, systemd: Systemd) -> None:
    home = without_metrics(a_home(tmp_path, COINS))
    with running(home, systemd):
        assert systemd.heard("WATCHDOG=1", 30)
        enable(home, "ETHUSDT")
        assert systemd.heard("STATUS=1 asset decided", 10)
        systemd.drain()
        assert systemd.heard("WATCHDOG=1", 10)
        set_asset(home, "BTCUSDT", venue="nowhere", enabled=True)
        time.sleep(2)
        systemd.drain()
        assert systemd.heard("WATCHDOG=1", 10)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_frozen_database_silences_it_and_nothing_is_lost(tmp_path: Path, systemd: Systemd) -> None:
    home = without_metrics(a_home(tmp_path, ("ETHUSDT",)))
    set_asset(home, "ETHUSDT", base_timeframe="1m")
    with running(home, systemd) as child:
        assert systemd.heard("WATCHDOG=1", 30)
        other = sqlite3.connect(home.account("simulated") / JOURNAL_NAME, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        assert systemd.heard("stands still", 130)
        systemd.drain()
        assert not systemd.heard("WATCHDOG=1", 70)
        other.execute("ROLLBACK")
        other.close()
        assert systemd.heard("WATCHDOG=1", 130)
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) == 0
    journal = journal_of(home, "simulated")
    opened = [each.event.bar_ms for each in journal.events("decision")]
    assert opened == list(range(opened[0], opened[-1] + 1, 60_000)) and len(opened) >= 3
    journal.close()
