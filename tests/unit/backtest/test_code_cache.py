"""Machine code on disk: processes that compile at once do each other no harm, as two test workers may."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="numba is absent: the backtest extra is not installed")

ROOT = Path(__file__).resolve().parents[3]
AT_ONCE = 3
SCRIPT = """
from engine_alpha.backtest.compiling import compiled
from engine_alpha.kernel.grid import floor_to

made = compiled(floor_to)
print(made(0.3, 0.1, 10.0), made(7.0, 0.5, 2.0), sum(made.stats.cache_hits.values()))
"""


def started(cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT, env={**os.environ, "XDG_CACHE_HOME": str(cache)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def outcome(process: subprocess.Popen[str]) -> tuple[str, ...]:
    out, complaint = process.communicate(timeout=100)
    assert process.returncode == 0, complaint
    return tuple(out.split())


@pytest.mark.slow
def test_processes_that_compile_at_once_all_come_to_the_same_and_leave_a_sound_cache(tmp_path: Path) -> None:
    together = [outcome(process) for process in [started(tmp_path) for _ in range(AT_ONCE)]]
    assert {answer[:2] for answer in together} == {("0.3", "7.0")}
    assert outcome(started(tmp_path)) == ("0.3", "7.0", "1")  # read, not compiled
    names = [path.name for path in tmp_path.rglob("grid.floor_to-*")]
    assert sorted(Path(name).suffix for name in names) == [".nbc", ".nbi"]
