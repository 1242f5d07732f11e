"""The runner of the spec as a real process."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
LOG_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (INFO|WARNING|ERROR) ")


@dataclass(frozen=True)
class Run:
    """What a process said; `lines` are its log without times."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        return [LOG_TIME.sub("", line) for line in self.stderr.splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.stdout)
        return found


def run_module(*arguments: str, cwd: Path | None = None, **environment: str) -> Run:
    """Run `python3 -m ...` to its end."""
    merged = {
        name: value for name, value in os.environ.items() if name not in ("CHLOE_HOME", "JOURNAL_STREAM")
    }
    merged |= {"PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=cwd, env=merged, capture_output=True, text=True, timeout=100)
    return Run(done.returncode, done.stdout, done.stderr)


def runner(*options: str, cwd: Path | None = None, **environment: str) -> Run:
    """Run one tick by `python3 -m engine_alpha.loop.multi_asset_runner`."""
    return run_module("-m", "engine_alpha.loop.multi_asset_runner", *options, cwd=cwd, **environment)
