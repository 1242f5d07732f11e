"""Work on Dask workers comes to the same numbers, even if one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine_alpha.errors import ConfigError
from engine_alpha.research.executing import Here, Kept, UnitRunner, pool_of
from engine_alpha.research.search.procedure import Request
from tests.unit.research.search.markets import a_market, a_request
from tests.unit.research.search.test_procedure import hashes, units_of

pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")

LONGEST_S = 60.0


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Give the address of a scheduler on this machine, and its two workers."""
    told = tmp_path / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    running = [
        subprocess.Popen([*command, "--no-dashboard", "--scheduler-file", str(told)], **quiet)  # type: ignore[call-overload]
    ]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(told)]
    options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
    try:
        deadline = time.monotonic() + LONGEST_S
        while not told.exists() or not told.read_bytes():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        environment = {**os.environ, "PYTHONPATH": os.getcwd()}
        for _ in range(2):
            running.append(subprocess.Popen([*worker, *options], env=environment, **quiet))  # type: ignore[call-overload]

        address = json.loads(told.read_text(encoding="utf-8"))["address"].removeprefix("tcp://")
        yield address, running[1:]
    finally:
        for process in reversed(running):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_killed_worker_changes_no_number(
    scheduler: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    address, workers = scheduler
    request: Request = a_request(a_market(), tmp_path / "home")
    units = units_of(request)
    here = hashes(UnitRunner(Here())(units))
    with pool_of(f"dask://{address}", jobs=2) as pool:
        runner = UnitRunner(pool, Kept(tmp_path / "units"))
        found = []
        for result in runner(units):
            found.append(result)
            if len(found) == 1:
                os.kill(workers[0].pid, signal.SIGKILL)
        assert hashes(found) == here
    assert workers[0].wait() == -signal.SIGKILL
    assert workers[1].poll() is None


@pytest.mark.slow  # ten seconds of waiting
def test_a_scheduler_that_is_not_there_is_explained() -> None:
    with (
        pytest.raises(ConfigError, match=r"no Dask scheduler answers at 127\.0\.0\.1:9 .*; start one"),
        pool_of("dask://127.0.0.1:9", jobs=1),
    ):
        pass
