"""`chloe service install` and `uninstall`."""

import getpass
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import click

from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show_json
from engine_alpha.cli.service_places import DEFAULT_USER, this_installation
from engine_alpha.deploy.installing import (
    LONG_RUNNING,
    NIGHTS,
    STARTED_BY,
    TICKS,
    Step,
    carry_out,
    install_steps,
    installed_by_us,
    refusals,
    uninstall_steps,
    words,
)
from engine_alpha.deploy.machine import Machine, this_machine
from engine_alpha.deploy.units import NIGHTLY, RESEARCH
from engine_alpha.errors import ConfigError
from engine_alpha.reports.table import pairs

RESEARCH_NEEDS = ("numba", "polars", "scipy", "arch")

_own_option = click.option(
    "--user", "own", is_flag=True, help="For your own service manager, not the system's."
)
_dry_option = click.option("--dry-run", "dry", is_flag=True, help="Print units and commands, do nothing.")


@click.command(
    epilog=examples(
        "chloe service install --dry-run",
        "sudo venv/bin/chloe --home /var/lib/chloe service install",
        "chloe service install --user",
        "sudo venv/bin/chloe --home /var/lib/chloe service install --once",
        "sudo venv/bin/chloe --home /var/lib/chloe service install --research",
    )
)
@_dry_option
@_own_option
@click.option("--once", is_flag=True, help="A timer and one tick after each close, instead of `chloe run`.")
@click.option("--research", is_flag=True, help="A timer and a night of research, beside what trades.")
@click.option(
    "--run-as", metavar="USER", default=DEFAULT_USER, show_default=True, help="User of the service."
)
@home_option
@json_option
def install(dry: bool, own: bool, once: bool, research: bool, run_as: str) -> None:
    """Write this installation's units and have them started at boot; start nothing now.

    Repeated after an update or a move it writes them anew. Nothing is written where something is amiss.
    """
    if once and research:
        raise click.UsageError("--once and --research are two things to install: one after the other")
    machine = this_machine(own)
    installation = this_installation(chosen_home(), None if own else run_as)
    names = NIGHTS if research else TICKS if once else LONG_RUNNING
    steps = install_steps(installation, names, machine)
    amiss = refusals(installation, names, machine) + (_missing_extra() if research else [])
    if amiss and not dry:
        raise ConfigError("nothing was written:\n  " + "\n  ".join(amiss))
    _work(steps, machine, dry, _Around(amiss, _after(own, STARTED_BY[names[0]], machine)))


def _missing_extra() -> list[str]:
    """Return what research needs and this environment lacks."""
    missing = [name for name in RESEARCH_NEEDS if find_spec(name) is None]
    if not missing:
        return []
    named = ", ".join(missing)
    return [f"research needs {named}: {sys.prefix}/bin/pip install 'chloe[research]'"]


@click.command(epilog=examples("sudo venv/bin/chloe service uninstall", "chloe service uninstall --user"))
@_dry_option
@_own_option
@home_option
@json_option
def uninstall(dry: bool, own: bool) -> None:
    """Stop and remove the units that `install` wrote; home, accounts and drop-ins stay.

    Nothing steps open positions from then on: stops at a venue stand, paper stops wait for the next tick.
    """
    machine = this_machine(own)
    ours = installed_by_us(machine.units)
    if not ours:
        raise ConfigError(
            f"{machine.units} has no unit that `chloe service install` wrote: nothing to remove"
        )
    amiss = [machine.reachable] if machine.reachable else []
    if not own and machine.uid != 0:
        amiss.append(f"only root may change {machine.units}: sudo {sys.prefix}/bin/chloe service uninstall")
    if amiss and not dry:
        raise ConfigError("nothing was removed:\n  " + "\n  ".join(amiss))
    _work(uninstall_steps(machine, ours), machine, dry, _Around(amiss, ()))


@dataclass(frozen=True, slots=True)
class _Around:
    """What keeps the steps from being done, and which commands come next and why."""

    refusals: list[str]
    next: tuple[tuple[str, str], ...]


def _work(steps: Sequence[Step], machine: Machine, dry: bool, around: _Around) -> None:
    """Show the steps, or do them and say each one; then what comes next."""
    as_json = wants_json()
    if not dry:
        carry_out(steps, machine, remark if as_json else click.echo)
    if as_json:
        after = [{"run": command, "why": why} for command, why in around.next]
        plain = [_plain(step) for step in steps]
        show_json({"done": not dry, "steps": plain, "refusals": around.refusals, "next": after})
    elif dry:
        for step in steps:
            click.echo(f"# {words(step)}\n{step.text}" if step.text is not None else words(step))
        for reason in around.refusals:
            remark(f"chloe: would be refused: {reason}")
    elif around.next:
        click.echo("\nNext:")
        for line in pairs([(f"  {command}", why) for command, why in around.next]):
            click.echo(line)


def _plain(step: Step) -> dict[str, Any]:
    if step.path is None:
        return {"run": list(step.command)}
    return {"remove": str(step.path)} if step.text is None else {"write": str(step.path), "text": step.text}


def _after(own: bool, unit: str, machine: Machine) -> tuple[tuple[str, str], ...]:
    if unit == NIGHTLY:
        return _after_research(own, machine)
    call, journal = " ".join(machine.manager), "journalctl --user" if own else "journalctl"
    found: tuple[tuple[str, str], ...] = (
        (f"{call} restart {unit}", "starts it, or puts the new unit into effect"),
        (f"{call} status {unit}", "how it is"),
        (f"{journal} -u {unit.replace('.timer', '.service')} -f", "what it does"),
    )
    found = (*found, ("chloe service install --research", "looks every night for what prices prove"))
    lingering = (f"loginctl enable-linger {getpass.getuser()}", "it goes on while you are logged out")
    return (*found, lingering) if own else found


def _after_research(own: bool, machine: Machine) -> tuple[tuple[str, str], ...]:
    call, journal = " ".join(machine.manager), "journalctl --user" if own else "journalctl"
    return (
        (f"{call} restart {NIGHTLY}", "from tonight on"),
        (f"{call} start --no-block {RESEARCH}", "a first night now"),
        (f"{journal} -u {RESEARCH} -f", "what it does"),
        ("chloe research show", "what it found"),
    )
