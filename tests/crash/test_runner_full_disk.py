"""A full disk stops the runner with a word about it; with room again it goes on, nothing lost."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_alpha.loop.halting import requested_halt
from tests.unit.loop.processes import run_module, runner
from tests.unit.loop.runs import QUICK, a_home, assert_sound, events_of, journal_of


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1.2 MB; skip where that is not allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1200k", "none", str(place)]
    try:
        allowed = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        allowed = False
    if not allowed:
        pytest.skip("only root may mount a small disk to fill")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_exit_4_and_room_lets_it_go_on(small_disk: Path) -> None:
    home = a_home(small_disk / "home", cards=(QUICK,))
    hours = [f"2023-10-28T{hour:02}:00:05" for hour in range(8, 12)]
    assert runner("--home", str(home.path), "--now", hours[0]).code == 0
    ballast = small_disk / "ballast"
    fill(ballast)
    done = runner("--home", str(home.path), "--now", hours[1])
    assert done.code == 4
    assert "Traceback" not in done.stderr
    assert "full" in done.stderr or "No space left" in done.stderr or "df " in done.stderr
    halting = (
        "import sys; from pathlib import Path; from engine_alpha.loop.halting import request_halt; "
        "request_halt(Path(sys.argv[1]), True, 'x' * 100000, 1)"
    )
    refused = run_module("-c", halting, str(home.account("simulated")))
    assert refused.code == 1 and "entries are NOT halted" in refused.stderr
    assert requested_halt(home.account("simulated")) is None
    ballast.unlink()
    for hour in hours[2:]:
        assert runner("--home", str(home.path), "--now", hour).code == 0
    journal = journal_of(home, "simulated")
    assert_sound(journal)
    assert len(events_of(journal, "decision", "ETHUSDT")) == 4, "the missed bar was caught up"
    journal.close()
    left = [path.name for path in home.account("simulated").iterdir()]
    assert not [name for name in left if name.startswith("halt.json")], "no half-written wish stays behind"


def fill(file: Path) -> None:
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as ballast:
        for size in (65_536, 4_096, 512, 1):
            try:
                while True:
                    ballast.write(b"\0" * size)
            except OSError:
                continue
