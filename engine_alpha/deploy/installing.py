"""What installing units takes: what must hold before, the steps, and how installed ones compare."""

import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Literal

from engine_alpha.atomic_files import write_atomically
from engine_alpha.deploy.machine import Account, Machine
from engine_alpha.deploy.units import (
    NIGHTLY,
    ONCE,
    RESEARCH,
    SERVICE,
    TIMER,
    Installation,
    unit_text,
)
from engine_alpha.errors import ConfigError, SystemdFailed

STARTED_BY: dict[str, str] = {
    SERVICE: SERVICE,
    ONCE: TIMER,
    TIMER: TIMER,
    RESEARCH: NIGHTLY,
    NIGHTLY: NIGHTLY,
}
"""What is enabled, so that a unit runs."""
LONG_RUNNING, TICKS, NIGHTS = (SERVICE,), (ONCE, TIMER), (RESEARCH, NIGHTLY)

_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # PrivateTmp=
_OURS = "Written by `chloe service install"

State = Literal["absent", "current", "differs", "foreign"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: a file to write (`text`) or to remove (`text` is None), or a command to run."""

    path: Path | None = None
    text: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitState:
    """An installed unit beside what this installation would write: `foreign` was not written by us."""

    name: str
    path: Path
    state: State


def installed_unit(name: str, folder: Path) -> str | None:
    """Return an installed unit's text, None if there is none; raise `ConfigError` if it can't be read."""
    try:
        return (folder / name).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise ConfigError(f"{folder / name} can't be read ({fault.strerror}): look at it as root") from None


def installed_user(folder: Path) -> str | None:
    """Return as whom the installed service runs, None where none is installed or none is named."""
    for name in (SERVICE, ONCE, RESEARCH):
        found = re.search(r"^User=(\S+)$", installed_unit(name, folder) or "", re.MULTILINE)
        if found:
            return found[1]
    return None


def installed_by_us(folder: Path) -> tuple[str, ...]:
    """Return the names of the installed units that `chloe service install` wrote, whatever it wrote."""
    return tuple(name for name in STARTED_BY if _OURS in (installed_unit(name, folder) or ""))


def compare(installation: Installation, folder: Path) -> tuple[UnitState, ...]:
    """Return how each unit that there can be stands in the folder of unit files."""
    return tuple(
        UnitState(name, folder / name, _state(installed_unit(name, folder), unit_text(name, installation)))
        for name in installation.units
    )


def install_steps(installation: Installation, names: Sequence[str], machine: Machine) -> list[Step]:
    """Return what writes these units and has them started at boot; nothing is started now."""
    steps = [Step(path=machine.units / name, text=unit_text(name, installation)) for name in names]
    steps.append(Step(command=(*machine.manager, "daemon-reload")))
    steps.append(Step(command=(*machine.manager, "enable", STARTED_BY[names[0]])))
    return steps


def uninstall_steps(machine: Machine, names: Iterable[str]) -> list[Step]:
    """Return what stops and removes these units; home, accounts and drop-ins stay."""
    found = list(names)
    if not found:
        return []
    started = sorted({STARTED_BY[name] for name in found})
    steps = [Step(command=(*machine.manager, "disable", "--now", *started))]
    steps += [Step(command=(*machine.manager, "stop", name)) for name in (ONCE, RESEARCH) if name in found]
    steps += [Step(path=machine.units / name) for name in found]
    steps.append(Step(command=(*machine.manager, "daemon-reload")))
    return steps


def carry_out(steps: Sequence[Step], machine: Machine, say: Callable[[str], None]) -> None:
    """Do the steps in order, each said before it is done; raise `SystemdFailed` at the first that fails."""
    for step in steps:
        say(words(step))
        if step.path is None:
            answer = machine.run(step.command)
            if answer.text.strip():
                say(answer.text.rstrip())
            if answer.code != 0:
                raise SystemdFailed(
                    f"`{' '.join(step.command)}` failed with exit code {answer.code}: mend what it says, "
                    "then repeat this command"
                )
            continue
        try:
            _put(step.path, step.text)
        except OSError as fault:
            raise SystemdFailed(
                f"{step.path} can't be written or removed ({fault.strerror}): mend that, then repeat this "
                "command"
            ) from None


def words(step: Step) -> str:
    """Return a step as one line."""
    if step.path is None:
        return f"$ {' '.join(step.command)}"
    return f"remove {step.path}" if step.text is None else f"write {step.path}"


def refusals(installation: Installation, names: Sequence[str], machine: Machine) -> list[str]:
    """Return what keeps these units from being installed, each with what to do about it."""
    program = installation.prefix / "bin" / "chloe"
    found = [machine.reachable] if machine.reachable else []
    if not (program.is_file() and program.stat().st_mode & stat.S_IXUSR):
        found.append(
            f"there is no program {program}: install chloe into an environment, run the command there"
        )
    found += _wrong_asker(installation, machine)
    if installation.user is not None:
        found += _wrong_user(installation, installation.user, machine)
    found += _in_the_way(installation, names, machine.units)
    return found


def _put(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())


def _state(installed: str | None, wanted: str) -> State:
    if installed is None:
        return "absent"
    if installed == wanted:
        return "current"
    return "differs" if _OURS in installed else "foreign"


def _wrong_asker(installation: Installation, machine: Machine) -> list[str]:
    if installation.user is None and machine.uid == 0:
        return ["root has no service of its own: leave out --user, or run this as the user who trades"]
    if installation.user is not None and machine.uid != 0:
        return [
            f"only root may write {machine.units}: sudo {quote(str(installation.prefix / 'bin' / 'chloe'))} "
            f"--home {quote(str(installation.home))} service install; or chloe service install --user"
        ]
    return []


def _wrong_user(installation: Installation, name: str, machine: Machine) -> list[str]:
    account, home = machine.account(name), quote(str(installation.home))
    if account is None:
        return [
            f"there is no user {name}: sudo useradd --system --user-group --no-create-home "
            f"--home-dir {home} --shell /usr/sbin/nologin {quote(name)}; or --run-as another"
        ]
    if account.uid == 0:
        return ["the engine does not run as root: --run-as another user"]
    found = []
    if installation.home.stat().st_uid != account.uid:
        found.append(
            f"{installation.home} does not belong to {name}: sudo chown -R {name}: {home}; "
            "or --run-as its owner"
        )
    places = (installation.prefix, installation.home, *installation.sources)
    found += [
        f"{place} lies in a folder of temporary files, the service has one of its own: move it elsewhere"
        for place in places
        if any(place.is_relative_to(folder) for folder in _TEMPORARY)
    ]
    barriers = dict.fromkeys(filter(None, (_barrier(place, account) for place in places)))
    return found + [
        f"user {name} may not go into {barrier}: put Chloe and its Python where every user may read, "
        "for example /opt/chloe; or --run-as a user who may"
        for barrier in barriers
    ]


def _barrier(place: Path, account: Account) -> Path | None:
    """Return the outermost folder on the way to a place that the user may not enter, None if it may."""
    real = place.resolve()
    for folder in (*reversed(real.parents), real):
        try:
            found = folder.stat()
        except OSError:
            return folder
        if found.st_uid == account.uid:
            allowed = found.st_mode & stat.S_IXUSR
        elif found.st_gid in account.gids:
            allowed = found.st_mode & stat.S_IXGRP
        else:
            allowed = found.st_mode & stat.S_IXOTH
        if not allowed:
            return folder
    return None


def _in_the_way(installation: Installation, names: Sequence[str], folder: Path) -> list[str]:
    states = {unit.name: unit for unit in compare(installation, folder)}
    found = [
        f"{states[name].path} was not written by this command: move it away first"
        for name in names
        if states[name].state == "foreign"
    ]
    traders = (*LONG_RUNNING, *TICKS)
    others = [name for name in traders if name not in names and states[name].state != "absent"]
    if others and set(names) & set(traders):
        found.append(f"{others[-1]} is installed too, one of them is enough: chloe service uninstall first")
    return found
