"""`chloe live status`: what is armed, held and protected at the venues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, live_account, live_accounts, reading
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    given_account,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.home import Home

if TYPE_CHECKING:
    from engine_alpha.loop.arming import Armed, ArmedAsset


@click.command(
    "status",
    epilog=examples(
        "chloe live status                            every armed coin",
        "chloe live status ETHUSDT                    this one",
        "chloe live status --json | jq .assets",
        "chloe live status --account live-testnet     another environment's account",
    ),
)
@click.argument("symbol", required=False)
@account_option
@home_option
@json_option
def live_status(symbol: str | None) -> None:
    """Show every armed coin: where, since when, position, stop at the venue, time without it, what froze it.

    Reads files and the journal only: also while a runner works, and nothing is asked of a venue.
    """
    home = chosen_home()
    account = live_account(home)
    found = live_fields(account, symbol)
    if wants_json():
        show_json(found)
    else:
        _show(account, found)


def live_fields(account: Account, symbol: str | None) -> dict[str, Any]:
    """Return everything on the screen as plain values."""
    from engine_alpha.cli.records import live_views
    from engine_alpha.config.engine import read_engine
    from engine_alpha.loop.arming import armed
    from engine_alpha.loop.halt_file import requested_halt
    from engine_alpha.reports.live import never_ordered

    found, wish = armed(account.folder), requested_halt(account.folder)
    states: dict[str, str] = {}
    if account.exists:
        with reading(account) as journal:
            states = journal.states()
    views = {each: never_ordered(each) for each in found if each in states} | live_views(states)
    kept = [each for each, view in views.items() if each in found or view["stage"] != "flat"]
    names = [each for each in dict.fromkeys([*found, *kept]) if symbol in (None, each)]
    environment = read_engine(account.home.engine).live.environment
    uncounted = _uncounted(account.home, environment, found)
    rows = [_row(each, found.get(each), views.get(each), uncounted) for each in names]
    return {
        **account.fields(),
        "environment": environment,
        "halted": bool(wish and wish["halted"]),
        "fault": found.fault or None,
        "assets": rows,
        "elsewhere": _elsewhere(account),
    }


def _uncounted(home: Home, environment: str, found: Armed) -> dict[str, str]:
    """Return why assets that are armed do not count, by symbol."""
    from engine_alpha.config.assets import read_registry
    from engine_alpha.loop.arming import counting

    assets = {asset.symbol: asset for asset in read_registry(home.registry).assets}
    counted = counting(found, environment, {symbol: asset.venue for symbol, asset in assets.items()})
    why = {}
    for symbol, armed in found.items():
        asset = assets.get(symbol)
        if asset is None:
            why[symbol] = "the registry has no good entry for it"
        elif symbol not in counted:
            why[symbol] = (
                f"armed for {armed.venue}, {armed.environment}; now it would be {asset.venue}, {environment}"
            )
        elif not asset.enabled:
            why[symbol] = "disabled in the registry"
    return why


def _row(
    symbol: str,
    armed: ArmedAsset | None,
    view: Mapping[str, Any] | None,
    uncounted: Mapping[str, str],
) -> dict[str, Any]:
    from engine_alpha.reports.live import UNSEEN

    seen = view or {}
    return {
        "symbol": symbol,
        "environment": armed.environment if armed else None,
        "venue": armed.venue if armed else seen.get("venue"),
        "armed_ms": armed.at_ms if armed else None,
        "size_factor": armed.size_factor if armed else None,
        "halved_ms": (armed.halved_ms or None) if armed else None,
        "counts": armed is not None and symbol not in uncounted,
        "why_not": uncounted.get(symbol, None if armed else "not armed: stepped close-only until it is flat"),
        "stage": seen.get("stage", UNSEEN),
        "position_base": seen.get("position_base"),
        "stop_price": seen.get("stop_price"),
        "naked_since_ms": seen.get("naked_since_ms"),
        "unprotected_ms": seen.get("unprotected_ms"),
        "frozen": seen.get("frozen") or None,
        "verdict": seen.get("verdict"),
        "view": view,
    }


def _elsewhere(account: Account) -> dict[str, list[str]]:
    """Return what is armed in the other live accounts."""
    from engine_alpha.loop.arming import armed

    if given_account() is not None:
        return {}
    others = [name for name in live_accounts(account.home) if name != account.name]
    found = {name: list(armed(account.home.account(name))) for name in others}
    return {name: symbols for name, symbols in found.items() if symbols}


def _show(account: Account, found: dict[str, Any]) -> None:
    from engine_alpha.reports.live import armed_table, trouble_lines, wrapped

    show(account.first_line())
    if found["fault"]:
        show(f"{found['fault']}: nothing counts as armed; to begin anew: chloe live disarm --all")
    if found["halted"]:
        show(f"HALTED by a person; entries again with: chloe resume --account {account.name}")
    if found["assets"]:
        rows = [{**row, "environment": row["environment"] or "–"} for row in found["assets"]]
        show("", armed_table(rows))
        lines = [
            line
            for row in found["assets"]
            if row["why_not"]
            for line in wrapped(row["symbol"], [row["why_not"]])
        ]
        lines += [line for row in found["assets"] if row["view"] for line in trouble_lines(row["view"])]
        show(*([""] if lines else []), *lines)
    elif not found["fault"]:
        show("nothing is armed; next: chloe live arm SYMBOL")
    for name, symbols in found["elsewhere"].items():
        show(
            f"armed in {name}, which live.environment of engine.json does not choose, so not stepped: "
            f"{', '.join(symbols)}"
        )
