"""Checks of the machine that an engine runs on: clock, disk, files, service, libraries."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import stat
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from engine_alpha.cli.service_places import DEFAULT_USER, this_installation
from engine_alpha.cli.version import LIBRARIES
from engine_alpha.config.alert_targets import read_alert_targets
from engine_alpha.config.assets import VENUES
from engine_alpha.config.keys import keys_file, read_keys
from engine_alpha.deploy.installing import STARTED_BY, UnitState, compare, installed_by_us, installed_user
from engine_alpha.deploy.machine import Machine, this_machine
from engine_alpha.environment import missing_from_environment
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.reports.doctor import FAIL, OK, WARN, Check, Level, judged

EXTRAS = {"backtest": ("numba", "polars"), "alerts": ("apprise",)}

_LEAST_BYTES, _FEW_BYTES = 200_000_000, 1_000_000_000
_LEAST_FILES_FRAC, _FEW_FILES_FRAC = 0.01, 0.05
_NOT_SYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)
_TIMEX_BYTES = 512  # more than struct timex has anywhere


def kernel_clock() -> Check:
    """Say whether the kernel's clock is kept by NTP or the like."""
    return clock_check(_clock_state())


def clock_check(answer: int | None) -> Check:
    """Judge what adjtimex(2) returned, None where there is no such call."""
    if answer is None or answer < 0:
        return Check(name="clock", level=OK, seen="whether NTP keeps it is unknown on this machine")
    if answer == _NOT_SYNCHRONISED:
        remedy = "sudo timedatectl set-ntp true, or install chrony: bars are asked for by this clock"
        return Check(name="clock", level=WARN, seen="nothing keeps it: it drifts", remedy=remedy)
    return Check(name="clock", level=OK, seen="kept by NTP")


def _clock_state() -> int | None:
    """Ask the kernel, changing nothing; None where there is no such call."""
    try:
        ask = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    return int(ask(ctypes.create_string_buffer(_TIMEX_BYTES)))


def disk(home: Home) -> Check:
    """Say how much room there is, in bytes and in files."""
    found = os.statvfs(home.path)
    files_frac = found.f_favail / found.f_files if found.f_files else None
    return disk_check(home.path, shutil.disk_usage(home.path).free, files_frac)


def disk_check(place: Path, free: int, files_frac: float | None) -> Check:
    """Judge free bytes and the free part of the inodes, None where a file system has no fixed number."""
    seen = f"{free / 1e9:,.1f} GB free"
    if files_frac is not None:
        seen += f", {files_frac:.0%} of the inodes"
    else:
        files_frac = 1.0
    level: Level = OK
    if free < _FEW_BYTES or files_frac < _FEW_FILES_FRAC:
        level = FAIL if free < _LEAST_BYTES or files_frac < _LEAST_FILES_FRAC else WARN
    remedy = f"free space: a journal that can't be written stops its account (df {place})"
    return Check(name="disk", level=level, seen=seen, remedy=remedy if level != OK else "")


def permissions(home: Home) -> Check:
    """Say whether the home belongs to one user, who may write it and who alone may."""
    owner = home.path.stat().st_uid
    faults: list[str] = []
    try:
        for place in _places(home):
            faults += _place_faults(place, owner)
    except OSError as fault:
        faults.append(f"you may not look into {fault.filename}")
    remedy = f"sudo chown -R {owner} {home.path}; chmod -R o-w {home.path}; or run as the owner of the home"
    shown = faults[:3] + ([f"and {len(faults) - 3} more"] if len(faults) > 3 else [])
    return judged("permissions", FAIL, shown, f"home and state belong to user {owner}", remedy)


def _places(home: Home) -> Iterator[Path]:
    """Yield what an engine writes: home, state, accounts and what is in them; config, which it reads."""
    yield from (place for place in (home.path, home.config, home.state) if place.exists())
    for account in home.state.iterdir() if home.state.is_dir() else ():
        yield account
        if account.is_dir() and not account.is_symlink():
            yield from account.iterdir()


def _place_faults(place: Path, owner: int) -> Iterator[str]:
    try:
        found = place.lstat()
    except FileNotFoundError:  # the engine puts files in place of others all the time
        return
    if found.st_uid != owner:
        yield f"{place} belongs to user {found.st_uid}, the home to {owner}"
    elif stat.S_ISLNK(found.st_mode):
        return
    elif found.st_mode & stat.S_IWOTH:
        yield f"everybody may write {place}"
    elif os.geteuid() not in (0, owner) and not os.access(place, os.W_OK):
        yield f"you may not write {place}"


def secrets(home: Home) -> Check:
    """Say whether nobody else can read keys and addresses, and whether they can be used."""
    folder = home.path / "secrets"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    faults = [fault for file in files for fault in _secret_faults(home, file)]
    well = f"{len(files)} in {folder}, for their owner only" if files else "none"
    return judged("secrets", FAIL, faults, well, "keys that others could read: make new ones at the venue")


def _secret_faults(home: Home, file: Path) -> Iterator[str]:
    owner = home.path.stat().st_uid
    try:
        found = file.stat()
    except OSError as fault:
        yield f"{file} can't be looked at ({fault.strerror})"
        return
    if stat.S_IMODE(found.st_mode) & 0o077:
        yield f"{file} has mode {stat.S_IMODE(found.st_mode):04o}: chmod 600 {file}"
    elif found.st_uid != owner:
        yield f"{file} belongs to user {found.st_uid}, the home to {owner}: chown {owner} {file}"
    elif os.geteuid() == owner:
        try:
            for venue in VENUES:
                if file == keys_file(home, venue):
                    read_keys(home, venue)
            if file.name == "alerts.json":
                read_alert_targets(home)
        except ConfigError as fault:
            yield str(fault)


def service(home: Home, machine_of: Callable[[bool], Machine] = this_machine) -> Check:
    """Say what systemd has of this home, and whether it runs.

    `machine_of` gives the machine with the system's service manager, and with the user's own one.
    """
    faults, seen = [], []
    for own in (False, True):
        machine = machine_of(own)
        for unit in _installed(home, machine, own):
            if unit.state == "differs":
                faults.append(f"{unit.path} is not as this installation writes it: chloe service install")
            elif unit.state == "foreign":
                seen.append(f"{unit.path} was not written by chloe service install")
            elif STARTED_BY[unit.name] == unit.name:
                state = _active_state(unit.name, machine)
                seen.append(f"{unit.name} is {state}")
                if state not in ("active", "unknown"):
                    faults.append(f"{unit.name} is {state}: systemctl start {unit.name}, chloe logs")
    well = "; ".join(seen) or "no unit is installed (chloe service install)"
    return judged("service", WARN, faults, well, "chloe service status shows more")


def _installed(home: Home, machine: Machine, own: bool) -> list[UnitState]:
    try:
        user = None if own else installed_user(machine.units) or DEFAULT_USER
        found = compare(this_installation(home, user), machine.units)
    except ConfigError:
        return [UnitState(name, machine.units / name, "differs") for name in installed_by_us(machine.units)]
    return [unit for unit in found if unit.state != "absent"]


def _active_state(name: str, machine: Machine) -> str:
    if machine.reachable:
        return "unknown"
    answer = machine.run((*machine.manager, "show", name, "--property=ActiveState", "--value"))
    return answer.text.strip() if answer.code == 0 else "unknown"


def libraries(home: Home) -> Check:
    """Say what this Python is and has."""
    versions = [f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    present = [extra for extra, modules in EXTRAS.items() if all(map(find_spec, modules))]
    well = f"{', '.join(versions)}; extras: {', '.join(present) or 'none'}"
    missing = missing_from_environment()
    if missing is not None:
        return Check(name="libraries", level=FAIL, seen=f"{well}; {missing}")
    remedy = "pip install 'chloe[alerts]'"
    try:
        mute = "alerts" not in present and read_alert_targets(home)
    except ConfigError:
        mute = False
    faults = [f"{well}; secrets/alerts.json names addresses, but apprise is missing"] if mute else []
    return judged("libraries", WARN, faults, well, remedy)
