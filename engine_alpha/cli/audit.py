"""`chloe audit`: may this coin trade, and what do its trades prove?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    home_option,
    json_option,
    now_ms,
    now_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json

if TYPE_CHECKING:
    from engine_alpha.audit.checks import Audit
    from engine_alpha.home import Home
    from engine_alpha.plans.setup import Setup


@click.command(
    epilog=examples(
        "chloe audit                          every enabled coin, a row each",
        "chloe audit ETHUSDT                  one coin, check by check, with what mends each shortfall",
        "chloe audit ETHUSDT --for-live       what real money would ask for besides",
        "chloe audit --all --json | jq '.audits[] | select(.green | not) | .symbol'",
    )
    + "\n\n\b\nExit codes: 0 all green; 3 shortfalls; 2 configuration."
)
@click.argument("symbol", required=False)
@click.option("--all", "everything", is_flag=True, help="Every coin of the registry.")
@click.option("--enabled", is_flag=True, help="Every enabled coin. [default]")
@click.option("--for-live", is_flag=True, help="Ask for what real money needs besides: keys, record, proof.")
@now_option
@account_option
@home_option
@json_option
def audit(symbol: str | None, everything: bool, enabled: bool, for_live: bool, now: str | None) -> int:
    """Look at a coin's configuration, contract, bars, faults and trades, and say what mends each shortfall.

    The safety part asks whether it can be stepped without surprises, the evidence part what its trades prove.
    A coin is looked at in the paper account of the configured feed, an armed one in its live account; the
    last seven days are decided again, as chloe verify does. Nothing is written, also beside a running engine.
    """
    from engine_alpha.cli.auditing import Look, audits_of
    from engine_alpha.loop.tick import SOME_FAILED
    from engine_alpha.plans.setup import read_setup

    if sum((symbol is not None, everything, enabled)) > 1:
        raise click.UsageError("name a SYMBOL, or say --all, or --enabled")
    home = chosen_home()
    setup = read_setup(home)
    symbols = _symbols(home, setup, symbol, everything)
    found = audits_of(setup, symbols, Look(now_ms=now_ms(now), for_live=for_live))
    if wants_json():
        show_json({"home": str(home.path), "for_live": for_live, "audits": [one.fields() for one in found]})
    else:
        _show(found, alone=symbol is not None)
    return 0 if all(one.is_green for one in found) else SOME_FAILED


def _symbols(home: Home, setup: Setup, symbol: str | None, everything: bool) -> list[str]:
    from engine_alpha.cli.symbols import require_known

    if symbol is not None:
        require_known(home, symbol)
        return [symbol]
    broken = [fault.symbol for fault in setup.registry.faults]
    good = setup.order if everything else [asset.symbol for asset in setup.enabled]
    return list(dict.fromkeys([*good, *broken]))


def _show(found: list[Audit], alone: bool) -> None:
    from engine_alpha.reports.audit import audits_table, checks_table, mending_lines

    views = [one.fields() for one in found]
    if not views:
        show("no coin is enabled; next: chloe assets enable SYMBOL")
    elif alone:
        lines = mending_lines(views[0])
        show(checks_table(views[0]), *(["", "to mend:", *lines] if lines else []))
    else:
        show(audits_table(views), "", "one coin, check by check: chloe audit SYMBOL")
