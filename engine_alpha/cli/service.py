"""`chloe service`: hand this installation to systemd, take it back, say how it stands."""

import click

from engine_alpha.cli.lazy import LazyGroup
from engine_alpha.cli.options import examples

COMMANDS = {
    "install": ("service_install:install", "Write the units and have them started at boot."),
    "uninstall": ("service_install:uninstall", "Stop and remove the units; the home stays."),
    "status": ("service_status:status", "What is installed, whether it runs, what it says."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    epilog=examples(
        "chloe service install --dry-run         the units and every command, nothing is done",
        "sudo venv/bin/chloe service install     chloe.service: `chloe run`, watched by systemd",
        "chloe service install --user            the same for your own service manager",
        "chloe service install --once            a timer and one tick after each close instead",
        "chloe service install --research        a night of research every night, beside either",
        "chloe service status",
    ),
)
def service() -> None:
    """Run unattended under systemd: install, uninstall, status.

    Everything these commands do to the machine is printed before it is done.
    """
