"""A night of research stopped by Ctrl-C or SIGTERM: at once, quietly, and the next run goes on from there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine_alpha.research.markets.homes import written
from engine_alpha.research.markets.market import VENUE, Wanted
from engine_alpha.research.markets.walk import random_walk
from tests.unit.cli.conftest import edit

ROOT = Path(__file__).resolve().parents[2]
NIGHT = "2026-11-28"
SEARCH = {
    "cards": {
        "momentum-long": ["exits.stop.range=4,8"],
        "momentum-short": ["exits.stop.range=4,8"],
        "range-breakout": [],
    },
    "confidence_min": [0.2],
    "extra_cost_bps": 2.0,
    "complexity_penalty": 0.05,
}
GIVE_UP_S, LONGEST_STOP_S = 90.0, 10.0


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with candles of four coins, and a small search."""
    folder = tmp_path_factory.mktemp("researched") / "home"
    home, _ = written(random_walk(Wanted(seed=11, number=0, coins=4, hours=9_600)), folder)
    edit(home.config / "research.json", search=SEARCH)
    terms = {"folds": 2, "first_train_frac": 0.6, "embargo_days": 14}
    edit(home.config / "research.json", walk_forward=terms)
    return folder


@pytest.fixture
def places(template: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Return a fresh copy of the home, and an empty folder whose path is short enough for a socket."""
    home = tmp_path / "home"
    shutil.copytree(template, home, ignore=shutil.ignore_patterns("reports", "state"))
    with tempfile.TemporaryDirectory(prefix="night-") as kept:
        yield home, Path(kept)


class Night:
    """A night as a process of its own, in a group of its own, with a folder for what it keeps for a while."""

    def __init__(self, home: Path, kept: Path, twins: int, jobs: int = 2) -> None:
        self.home, self.kept = home, kept
        self.environment = {**os.environ, "TMPDIR": str(self.kept)}
        words = ["--home", str(self.home), "research", "run", "--venue", VENUE, "--night", NIGHT]
        words += ["--jobs", str(jobs), "--twins", str(twins)]
        self.command = [sys.executable, "-m", "engine_alpha", *words]

    def stopped(self, when: Callable[[], bool], ending: signal.Signals, group: bool) -> tuple[int, str]:
        """Begin it, stop it when it is that far, and return its exit code and what it said on stderr."""
        process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        give_up_s = time.monotonic() + GIVE_UP_S
        while not when() and process.poll() is None and time.monotonic() < give_up_s:
            time.sleep(0.005)
        assert process.poll() is None, process.communicate()
        (os.killpg if group else os.kill)(process.pid, ending)
        out, err = process.communicate(timeout=LONGEST_STOP_S)
        assert out == "" and living(process.pid) == []
        return process.returncode, err

    def finished(self) -> list[str]:
        """Run it to its end and return the notes of its document."""
        done = subprocess.run(
            [*self.command, "--json"], cwd=ROOT, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        notes: list[str] = json.loads(done.stdout)["notes"]
        return notes

    def plays_units(self) -> bool:
        """Say whether a unit of work is finished."""
        return any((self.home / "state/research/units").glob("*.npz"))

    def looks_at_twins(self) -> bool:
        """Say whether a twin is under way."""
        return any(self.kept.glob("**/chloe-twin-*"))


def living(session: int) -> list[str]:
    """Return what still runs of a session a moment after its leader ended."""
    give_up_s = time.monotonic() + 2.0
    while (found := _living(session)) and time.monotonic() < give_up_s:
        time.sleep(0.02)
    return found


def _living(session: int) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of, *_ = (place / "stat").read_text().rpartition(")")[2].split()
            command = (place / "cmdline").read_text().replace("\0", " ")
        except (OSError, ValueError):
            continue  # it ended meanwhile
        if int(of) == session and state != "Z":
            found.append(f"{place.name} {command}")
    return found


def assert_nothing_half_done(night: Night, err: str) -> None:
    assert "what is finished is kept, the same command goes on from there" in err
    assert "Traceback" not in err and "Warning" not in err, err
    research = night.home / "reports" / "research"
    assert not research.exists() or list(research.iterdir()) == []
    assert list(night.kept.iterdir()) == []
    line = json.loads((night.home / "state/research/runs.jsonl").read_text().splitlines()[-1])
    assert line["fault"] == "interrupted"


ENDINGS = pytest.mark.parametrize(
    ("ending", "group", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGTERM, False, 143)],
    ids=["Ctrl-C", "SIGTERM"],
)


@ENDINGS
@pytest.mark.slow
def test_stopped_while_it_plays_trials_it_goes_on_from_there(
    places: tuple[Path, Path], ending: signal.Signals, group: bool, code: int
) -> None:
    night = Night(*places, twins=0)
    found, err = night.stopped(night.plays_units, ending, group)
    assert found == code
    assert_nothing_half_done(night, err)
    units = len(list((night.home / "state/research/units").glob("*.npz")))
    assert units >= 1
    assert f"{12 - units} units of work played, {units} kept from before" in night.finished()[0]


@pytest.mark.parametrize(
    ("ending", "group", "code"),
    [
        pytest.param(signal.SIGINT, False, 130, id="SIGINT to it alone", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, True, 130, id="Ctrl-C", marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, True, 143, id="SIGTERM to all, as systemd sends it"),
    ],
)
def test_stopped_while_workers_look_at_twins_none_of_them_stays(
    places: tuple[Path, Path], ending: signal.Signals, group: bool, code: int
) -> None:
    night = Night(*places, twins=4)
    found, err = night.stopped(night.looks_at_twins, ending, group)
    assert found == code
    assert_nothing_half_done(night, err)


def test_stopped_without_workers_it_ends_as_well(places: tuple[Path, Path]) -> None:
    night = Night(*places, twins=0, jobs=1)
    found, err = night.stopped(night.plays_units, signal.SIGTERM, False)
    assert found == 143
    assert_nothing_half_done(night, err)


@pytest.mark.slow
def test_killed_without_a_word_it_leaves_no_worker_behind(places: tuple[Path, Path]) -> None:
    night = Night(*places, twins=4)
    found, _ = night.stopped(night.looks_at_twins, signal.SIGKILL, False)
    assert found == -signal.SIGKILL
