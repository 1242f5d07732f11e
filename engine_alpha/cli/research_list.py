"""`chloe research list`: the nights there were, and by what each coin trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.options import chosen_home, examples, home_option, json_option, wants_json
from engine_alpha.cli.output import remark, show, show_json
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from engine_alpha.home import Home
    from engine_alpha.reports.table import Table
    from engine_alpha.research.versions import Version

SOME_UNREADABLE = 3


@click.command("list", epilog=examples("chloe research list", "chloe research list --json | jq '.adopted'"))
@home_option
@json_option
def list_nights() -> int:
    """List all nights with what they proposed, and the parameter sets that coins have of their own.

    Exit code 3 if a night can't be read.
    """
    home = chosen_home()
    nights, faults = _nights(home.reports)
    sets = _sets(home)
    if wants_json():
        adopted = {symbol: [_fields(version) for version in versions] for symbol, versions in sets.items()}
        show_json({"home": str(home.path), "nights": nights, "adopted": adopted, "faults": faults})
    else:
        show(*_parts(home, nights, sets))
    for fault in faults:
        remark(f"chloe: {fault}")
    return SOME_UNREADABLE if faults else 0


def _nights(reports: Path) -> tuple[list[dict[str, Any]], list[str]]:
    from engine_alpha.research.pages.nights import FOLDER, NIGHT_FILE, kept_nights, read_document

    found, faults = [], []
    for night in kept_nights(reports):
        try:
            found.append(read_document(reports / FOLDER / night / NIGHT_FILE))
        except ConfigError as fault:
            faults.append(str(fault))
    return found, faults


def _sets(home: Home) -> dict[str, tuple[Version, ...]]:
    """Return every version of each coin that has a set of its own, or had one."""
    from engine_alpha.config.parameters import DEFAULT
    from engine_alpha.research.adoption import history
    from engine_alpha.research.versions import FOLDER

    own = {path.stem for path in home.parameters.glob("*.json")} - {DEFAULT}
    earlier = {path.name for path in (home.parameters / FOLDER).glob("*") if path.is_dir()}
    return {symbol: history(home, symbol) for symbol in sorted(own | earlier)}


def _parts(
    home: Home, nights: list[dict[str, Any]], sets: dict[str, tuple[Version, ...]]
) -> list[Table | str]:
    from engine_alpha.reports.research import nights_table

    parts: list[Table | str] = []
    if nights:
        parts.append(nights_table(nights))
    else:
        parts.append(f"{home.reports / 'research'} holds no night yet: chloe research run")
    if not sets:
        return [*parts, "", "every coin trades by config/parameters/default.json: nothing was adopted"]
    return [*parts, "", "adopted; every other coin trades by config/parameters/default.json:", _adopted(sets)]


def _adopted(sets: dict[str, tuple[Version, ...]]) -> Table:
    from engine_alpha.reports.table import Table, columns

    heads = columns("coin", "in use", "adopted", "from the night", ">versions", "before it")
    return Table(columns=heads, rows=tuple(_row(symbol, each) for symbol, each in sets.items()))


def _row(symbol: str, versions: tuple[Version, ...]) -> tuple[str, ...]:
    from engine_alpha.reports.words import NOTHING

    now = next((version for version in versions if version.active), None)
    counted = f"{len(versions):,}"
    if now is None:
        return (symbol, "default", NOTHING, NOTHING, counted, NOTHING)
    come = ("by hand", NOTHING) if now.adopted is None else (now.adopted.at[:16], now.adopted.night)
    return (symbol, now.version, *come, counted, now.previous or "default")


def _fields(version: Version) -> dict[str, Any]:
    return {
        "version": version.version,
        "active": version.active,
        "previous": version.previous,
        "adopted": None if version.adopted is None else version.adopted.model_dump(mode="json"),
        "fault": version.fault or None,
    }
