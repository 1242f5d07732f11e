"""Installations in temporary folders, and a machine whose service manager only listens."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine_alpha.deploy.machine import Account, Answer, Machine
from engine_alpha.deploy.units import Installation
from engine_alpha.home import init_home


@dataclass
class Manager:
    """A service manager that does nothing: it notes what it is asked, and answers as told."""

    asked: list[list[str]] = field(default_factory=list)
    failing: str = ""

    def run(self, arguments: Sequence[str]) -> Answer:
        self.asked.append(list(arguments))
        failed = bool(self.failing) and self.failing in arguments
        return Answer(1, "Failed to do so: no idea") if failed else Answer(0, "")


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def machine(tmp_path: Path, manager: Manager) -> Machine:
    """Return a machine with root asking, whose users are `chloe` (this process's) and `root`."""
    accounts = {
        "chloe": Account("chloe", os.getuid() or 4711, frozenset(os.getgroups())),
        "root": Account("root", 0, frozenset({0})),
    }
    return Machine(
        units=tmp_path / "units",
        manager=("systemctl",),
        reachable="",
        uid=0,
        account=accounts.get,
        run=manager.run,
    )


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Return an environment with the two programs and a fresh home, in folders with awkward names."""
    return make_installation(tmp_path / "my 100% chloe", tmp_path / "a home; with #5")


def make_installation(prefix: Path, home: Path, user: str | None = "chloe") -> Installation:
    """Make the programs and the home."""
    (prefix / "bin").mkdir(parents=True)
    for name in ("chloe", "python"):
        program = prefix / "bin" / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    init_home(home)
    return Installation(prefix=prefix, home=home, user=user)
