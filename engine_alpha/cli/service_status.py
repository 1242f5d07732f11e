"""`chloe service status`: what is installed, whether it is this installation's, whether it runs."""

from collections.abc import Sequence
from typing import Any

import click

from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.cli.service_places import DEFAULT_USER, this_installation
from engine_alpha.deploy.installing import (
    STARTED_BY,
    compare,
    installed_by_us,
    installed_unit,
    installed_user,
)
from engine_alpha.deploy.machine import Machine, this_machine
from engine_alpha.errors import ConfigError
from engine_alpha.home import Home
from engine_alpha.reports.table import Table, columns

PROPERTIES = ("ActiveState", "SubState", "StatusText", "UnitFileState", "NRestarts", "Result")
TROUBLE = 3

_MEANING = {
    "current": "as this installation writes it",
    "differs": "not as this installation writes it: chloe service install",
    "foreign": "not written by chloe service install",
    "unknown": "can't be compared before the configuration is mended",
}


@click.command(epilog=examples("chloe service status", "chloe service status --json"))
@home_option
@json_option
def status() -> int:
    """Show the units in the system's and in your own service manager.

    Exit code 0 if one is installed, current and runs, else 3.
    """
    home = chosen_home()
    found = [unit for own in (False, True) for unit in _units(home, own)]
    well = bool(found) and all(unit["state"] == "current" and _runs(unit) for unit in found)
    if wants_json():
        show_json({"home": str(home.path), "well": well, "units": found})
    elif found:
        show(_table(found))
        for text in dict.fromkeys(unit["StatusText"] for unit in found if _speaks(unit)):
            show("", f"it says: {text}")
    else:
        show("no unit is installed: chloe service install --dry-run shows what it would write")
    return 0 if well else TROUBLE


def _units(home: Home, own: bool) -> list[dict[str, Any]]:
    """Return what is installed in one service manager, each with what systemd knows of it."""
    machine = this_machine(own)
    if not any(installed_unit(name, machine.units) for name in STARTED_BY):
        return []
    user = None if own else installed_user(machine.units) or DEFAULT_USER
    states: dict[str, str]
    try:
        states = {unit.name: unit.state for unit in compare(this_installation(home, user), machine.units)}
    except ConfigError as fault:
        remark(f"chloe: {fault}")
        states = dict.fromkeys(installed_by_us(machine.units), "unknown")
    return [_seen(name, state, machine, own) for name, state in states.items() if state != "absent"]


def _seen(name: str, state: str, machine: Machine, own: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "unit": name,
        "path": str(machine.units / name),
        "manager": "user" if own else "system",
        "state": state,
        "starts_at_boot": None,
    }
    if machine.reachable:
        return found | {"trouble": machine.reachable}
    command = (*machine.manager, "show", name, f"--property={','.join(PROPERTIES)}")
    remark(f"$ {' '.join(command)}")
    answer = machine.run(command)
    if answer.code != 0:
        return found | {"trouble": " ".join(answer.text.split())}
    shown = dict(line.split("=", 1) for line in answer.text.splitlines() if "=" in line)
    found["starts_at_boot"] = shown.pop("UnitFileState", "") == "enabled"
    return found | shown


def _runs(unit: dict[str, Any]) -> bool:
    """Say whether it does what it is for: a tick between two closes is well if the last one ended well."""
    if STARTED_BY[unit["unit"]] != unit["unit"]:
        return unit.get("Result") == "success"
    return unit.get("ActiveState") == "active" and bool(unit["starts_at_boot"])


def _speaks(unit: dict[str, Any]) -> bool:
    """Say whether its line of status is of now: systemd keeps the last one of a service that has ended."""
    return unit.get("ActiveState") in ("active", "activating") and bool(unit.get("StatusText"))


def _table(units: Sequence[dict[str, Any]]) -> Table:
    rows = [
        (
            unit["unit"],
            unit["manager"],
            unit.get("trouble") or f"{unit.get('ActiveState')} ({unit.get('SubState')})",
            {True: "yes", False: "no", None: "–"}[unit["starts_at_boot"]],
            unit.get("NRestarts", "–"),
            _MEANING[unit["state"]],
        )
        for unit in units
    ]
    return Table(
        columns=columns("unit", "manager", "state", "at boot", ">restarts", "file"), rows=tuple(rows)
    )
