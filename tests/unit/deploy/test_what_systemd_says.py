"""The units judged by systemd itself: no complaint, and little exposed. Needs Debian's package systemd."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from engine_alpha.deploy.units import ONCE, RESEARCH, SERVICE, STANDARD, Installation, calendar, unit_text
from engine_alpha.domain.asset import TIMEFRAME_MS

ANALYZE = shutil.which("systemd-analyze")
pytestmark = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is absent: apt install systemd")

MOST_EXPOSED = 2.0
STEPS_SINCE = 254
STEPS = ("RestartSteps", "RestartMaxDelaySec")


def analyze(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [str(ANALYZE), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SYSTEMD_COLORS": "0", **environment},
        check=False,
    )
    return done.stdout + done.stderr


def version() -> int:
    found = re.search(r"systemd (\d+)", analyze("--version"))
    assert found is not None
    return int(found[1])


def written(installation: Installation, folder: Path) -> list[str]:
    folder.mkdir()
    for name in installation.units:
        (folder / name).write_text(unit_text(name, installation), encoding="utf-8")
    return [str(folder / name) for name in installation.units]


def complaints(text: str) -> list[str]:
    """Return what is said of our units; before 254 the growing pauses are unknown, and ignored."""
    ours = [line for line in text.splitlines() if "chloe" in line]
    known = version() >= STEPS_SINCE
    return [line for line in ours if known or not any(f"'{key}'" in line for key in STEPS)]


def test_systemd_has_nothing_to_say_against_units_in_awkward_folders(
    installation: Installation, tmp_path: Path
) -> None:
    assert complaints(analyze("verify", *written(installation, tmp_path / "written"))) == []


def test_a_user_s_manager_has_nothing_to_say_either(installation: Installation, tmp_path: Path) -> None:
    units = written(replace(installation, user=None), tmp_path / "written")
    assert complaints(analyze("--user", "verify", *units, XDG_RUNTIME_DIR=str(tmp_path))) == []


def test_a_program_that_is_not_there_would_have_been_said(tmp_path: Path) -> None:
    absent = replace(STANDARD, prefix=tmp_path / "nothing")
    assert "not executable" in analyze("verify", *written(absent, tmp_path / "written"))


@pytest.mark.parametrize("name", [SERVICE, ONCE, RESEARCH])
@pytest.mark.parametrize("home", ["/var/lib/chloe", "/home/me/my trades"])
def test_little_is_exposed(name: str, home: str, tmp_path: Path) -> None:
    unit = tmp_path / name
    unit.write_text(unit_text(name, replace(STANDARD, home=Path(home))), encoding="utf-8")
    said = analyze("security", "--offline=true", str(unit))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= MOST_EXPOSED, said


@pytest.mark.parametrize("every", TIMEFRAME_MS)
def test_the_calendar_fires_once_in_each_bar_right_after_its_close(every: str) -> None:
    said = analyze("calendar", calendar(every, 62), "--base-time=2026-03-01 00:00:00 UTC", "--iterations=4")
    times = re.findall(r"(\d\d):(\d\d):(\d\d) UTC", said.split("Next elapse", 1)[1])[:4]
    seconds = [int(h) * 3_600 + int(m) * 60 + int(s) for h, m, s in times]
    length_s = TIMEFRAME_MS[every] // 1_000
    assert [second % length_s for second in seconds] == [62 % length_s] * 4
    assert [(b - a) % 86_400 for a, b in pairwise(seconds)] == [length_s % 86_400] * 3
