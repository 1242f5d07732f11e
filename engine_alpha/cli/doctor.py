"""`chloe doctor`: is everything an engine stands on in order?"""

from __future__ import annotations

from dataclasses import asdict

import click

from engine_alpha.cli import examining as machine
from engine_alpha.cli import examining_engine as engine
from engine_alpha.cli.options import (
    chosen_home,
    examples,
    home_option,
    json_option,
    now_ms,
    now_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.home import Home
from engine_alpha.reports.doctor import FAIL, OK, WARN, Check, check_lines, worst_level

CODES = {OK: 0, WARN: 3, FAIL: 4}


@click.command(
    epilog=examples(
        "chloe doctor           everything, prices and systemd too",
        "chloe doctor --quick   what can be seen without asking anybody: for health checks",
        "chloe doctor --json | jq '.checks[] | select(.level != \"ok\")'",
    )
    + "\n\n\b\nExit codes: 0 all is well; 3 warnings (with --quick they leave it at 0); 4 faults."
)
@click.option("--quick", is_flag=True, help="No network, no systemd, no full read of a journal.")
@now_option
@home_option
@json_option
def doctor(quick: bool, now: str | None) -> int:
    """Look at clock, disk, permissions, database, who works, secrets, service, prices and configuration.

    Nothing is changed and nothing locked: it works beside a running engine. Each line says what was seen, and
    where something is wrong, what to do.
    """
    home = chosen_home()
    checks = examined(home, now_ms(now), quick)
    level = worst_level(checks)
    code = 0 if quick and level == WARN else CODES[level]
    if wants_json():
        fields = [{**asdict(check), "name": check.name.strip()} for check in checks]
        show_json({"home": str(home.path), "level": level, "quick": quick, "checks": fields})
    else:
        show(f"home {home.path}", *check_lines(checks))
    return code


def examined(home: Home, at_ms: int, quick: bool) -> list[Check]:
    """Return all checks, in the order they are shown."""
    setup, configured = engine.configuration(home, at_ms, thorough=not quick)
    checks = [configured, machine.disk(home), machine.permissions(home), machine.secrets(home)]
    checks += engine.databases(home, thorough=not quick)
    if setup is not None:
        checks += engine.engines(home, setup, at_ms)
    if quick:
        return checks
    checks.append(machine.kernel_clock())
    if setup is not None:
        checks += engine.feeds(setup, at_ms)
    return [*checks, machine.service(home), machine.libraries(home)]
