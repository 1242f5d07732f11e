"""The machine that units are installed on: its service manager, its users, who is asking."""

import os
import pwd
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SYSTEM_UNITS = Path("/etc/systemd/system")
_SYSTEMD_RUNS = Path("/run/systemd/system")
_LONGEST_S = 120
_NOT_FOUND, _NO_ANSWER = 127, 124


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine, with all groups it is in."""

    name: str
    uid: int
    gids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command gave back: exit code and everything it printed."""

    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What installing needs to know and to do.

    `units` is the folder of unit files, `manager` what every systemctl call begins with. `reachable` says why
    the service manager can't be talked to, "" if it can.
    """

    units: Path
    manager: tuple[str, ...]
    reachable: str
    uid: int
    account: Callable[[str], Account | None]
    run: Callable[[Sequence[str]], Answer]


def this_machine(own_manager: bool) -> Machine:
    """Return the machine with its system manager, or with that of the user who asks."""
    return Machine(
        units=_own_units() if own_manager else SYSTEM_UNITS,
        manager=("systemctl", "--user") if own_manager else ("systemctl",),
        reachable=_trouble(own_manager),
        uid=os.geteuid(),
        account=find_account,
        run=run_command,
    )


def find_account(name: str) -> Account | None:
    """Return a user by name, None if there is none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, frozenset(os.getgrouplist(name, entry.pw_gid)))


def run_command(arguments: Sequence[str]) -> Answer:
    """Run a command without a shell and wait for it, two minutes at most."""
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
            check=False,
        )
    except FileNotFoundError:
        return Answer(_NOT_FOUND, f"{arguments[0]}: not installed")
    except subprocess.TimeoutExpired:
        return Answer(_NO_ANSWER, f"no answer within {_LONGEST_S} s")
    return Answer(done.returncode, done.stdout)


def _own_units() -> Path:
    named = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(named) if os.path.isabs(named) else Path("~/.config").expanduser()
    return base / "systemd" / "user"


def _trouble(own_manager: bool) -> str:
    if not _SYSTEMD_RUNS.is_dir():
        return (
            "systemd does not run this machine: use deploy/compose.yaml, or let any scheduler run "
            "`chloe tick` after each close"
        )
    if own_manager and not os.environ.get("XDG_RUNTIME_DIR"):
        return (
            "the service manager of this user can't be reached ($XDG_RUNTIME_DIR is not set): log in as that "
            "user itself (ssh, or machinectl shell USER@) instead of su or sudo"
        )
    return ""
