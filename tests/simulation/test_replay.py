"""A seed is the whole run: the same seed, the same journal and the same exchange, in any process."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.simulation.run import run_seed

BARS = 15


@pytest.mark.parametrize("seed", [13, 26])
def test_a_seed_replays_exactly(seed: int) -> None:
    assert run_seed(seed, BARS).digest == run_seed(seed, BARS).digest


def test_a_seed_replays_exactly_in_another_process() -> None:
    code = f"from tests.simulation.run import run_seed; print(run_seed(26, {BARS}).digest)"
    env = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == run_seed(26, BARS).digest


def test_another_seed_is_another_run() -> None:
    assert run_seed(13, 3).digest != run_seed(14, 3).digest
