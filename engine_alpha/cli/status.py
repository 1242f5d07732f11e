"""`chloe status`: one screen of everything that trades."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    exit_codes,
    home_option,
    json_option,
    now_ms,
    now_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json
from engine_alpha.errors import ChloeError

if TYPE_CHECKING:
    from engine_alpha.cli.accounts import Account
    from engine_alpha.cli.overview import Shown
    from engine_alpha.home import Home
    from engine_alpha.plans.setup import Setup
    from engine_alpha.reports.table import Table

FEWEST_ROWS = 5


@click.command(
    epilog=examples(
        "chloe status                     the configured feed's account, and all with real orders",
        "chloe status --watch             the same, again and again, until Ctrl-C",
        "chloe status --account paper     another one",
        "chloe status --json | jq .assets",
    )
    + exit_codes("0 shown, whatever it shows; also --watch ended by Ctrl-C")
)
@click.option("--watch", is_flag=True, help="Draw it again and again in place, until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.5, max=3_600.0),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How often --watch looks.",
)
@click.option("--all", "everything", is_flag=True, help="Every asset, also where the screen is too small.")
@now_option
@account_option
@home_option
@json_option
def status(watch: bool, every: float, everything: bool, now: str | None) -> None:
    """Show every enabled asset, what is held, what blocks entries, and the money, on one screen.

    Reads the journal only: also while a runner works. A terminal that is too small keeps what needs a look.
    """
    home = chosen_home()
    if watch:
        if wants_json() or now is not None or not sys.stdout.isatty():
            raise click.UsageError("--watch draws on a terminal: without --json, --now and pipes")
        _watch(home, every, everything)
        return
    if wants_json():
        show_json(_document(home, now_ms(now)))
        return
    from engine_alpha.cli.overview import accounts_shown

    accounts = accounts_shown(home)
    lead = _first_lines(accounts)
    show(*lead)  # before anything heavy loads
    show(*_screen(home, accounts, now_ms(now), len(lead), everything))


def _document(home: Home, at_ms: int) -> dict[str, Any]:
    """Return all of the screen as plain values: the first account's at the top, all assets in one list."""
    from engine_alpha.cli.overview import account_fields, accounts_shown, outlines, overview, with_decision
    from engine_alpha.plans.setup import read_setup
    from engine_alpha.reports.status import trouble_words, worst_asset

    setup = read_setup(home)
    with overview(accounts_shown(home), setup, at_ms, exact=True) as all_shown:
        accounts = [account_fields(shown, setup, at_ms) for shown in all_shown]
        assets = [
            with_decision(shown, outline, setup, at_ms)
            for shown in all_shown
            for outline in outlines(shown, at_ms)
        ]
    worst = worst_asset(assets)
    return {
        **accounts[0],
        "now_ms": at_ms,
        "enabled": [asset.symbol for asset in setup.enabled],
        "accounts": accounts,
        "assets": assets,
        "worst": worst
        and {"account": worst["account"], "symbol": worst["symbol"], "words": trouble_words(worst)},
        "config_faults": setup.general_faults(),
    }


def _first_lines(accounts: list[Account]) -> list[str]:
    from textwrap import wrap

    from engine_alpha.reports.status import flowing

    line = accounts[0].first_line()
    if not sys.stdout.isatty():
        return [line]
    width = shutil.get_terminal_size().columns
    return [part for each in flowing(line.split(" · "), width) for part in wrap(each, width)]


def _screen(
    home: Home, accounts: list[Account], at_ms: int, lead_lines: int, everything: bool
) -> list[Table | str]:
    """Return what stands below the first lines, as much of it as the terminal has room for."""
    from engine_alpha.cli.overview import outlines, overview
    from engine_alpha.plans.setup import read_setup

    setup = read_setup(home)
    terminal = sys.stdout.isatty()
    size = shutil.get_terminal_size()
    with overview(accounts, setup, at_ms, exact=False) as all_shown:
        known = [(shown, outline) for shown in all_shown for outline in outlines(shown, at_ms)]
        top = _top_lines(setup, all_shown, [outline for _, outline in known], at_ms)
        bottom = [f"left out: {fault}" for fault in setup.general_faults()]
        room = size.lines - lead_lines - len(top) - len(bottom) - 3  # a blank, a heading, the prompt
        room -= len(accounts) if len(accounts) > 1 else 0  # each named above its assets
        if not terminal or everything:
            return [*top, *_asset_parts(setup, known, at_ms, None), *bottom]
        chosen = _chosen(known, max(FEWEST_ROWS, room))
        parts = _asset_parts(setup, chosen, at_ms, (size.columns, room - len(chosen)))
        if len(chosen) < len(known):
            bottom = [f"and {len(known) - len(chosen)} more: chloe status --all", *bottom]
        return [*top, *parts, *bottom]


def _top_lines(setup: Setup, all_shown: list[Shown], outlined: list[dict[str, Any]], at_ms: int) -> list[str]:
    from engine_alpha.cli.overview import account_fields
    from engine_alpha.reports.status import (
        WIDTH,
        account_lines,
        cut,
        next_close_words,
        worst_asset,
        worst_words,
    )

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else WIDTH
    lines = []
    for shown in all_shown:
        name = shown.account.name if len(all_shown) > 1 else ""
        lines += account_lines(account_fields(shown, setup, at_ms), at_ms, width, name)
    worst = worst_words(worst_asset(outlined), outlined)
    last = " · ".join(part for part in (worst, next_close_words(outlined)) if part)
    if terminal and len(last) > width:
        last = cut(worst, width)
    return [*lines, last]


def _chosen(known: list[tuple[Shown, dict[str, Any]]], most: int) -> list[tuple[Shown, dict[str, Any]]]:
    """Return as many assets as there is room for, those in trouble and those held first; order stays."""
    from engine_alpha.reports.status import severity

    if len(known) <= most:
        return known
    ranked = sorted(
        range(len(known)),
        key=lambda place: (-severity(known[place][1])[0], known[place][1]["position"] is None, place),
    )
    return [known[place] for place in sorted(ranked[: most - 1])]


def _asset_parts(
    setup: Setup, chosen: list[tuple[Shown, dict[str, Any]]], at_ms: int, size: tuple[int, int] | None
) -> list[Table | str]:
    """Return the assets' table and, where `size` (columns, lines left) has room, what is held and why."""
    from engine_alpha.cli.overview import with_decision
    from engine_alpha.reports.positions import positions_tables
    from engine_alpha.reports.status import WIDTH, asset_lines, assets_table

    if not chosen:
        return []
    assets = [with_decision(shown, outline, setup, at_ms) for shown, outline in chosen]
    width, left = (None, 10**6) if size is None else size
    parts: list[Table | str] = ["", assets_table(assets, at_ms, width)]
    held = [
        {**each["position"], "symbol": each["symbol"], "account": each["account"]}
        for each in assets
        if each["position"]
    ]
    for table in positions_tables(held, width):
        left -= len(table.rows) + 3
        parts += ["", table] if left >= 0 else []
    lines = [line for asset in assets for line in asset_lines(asset, width or WIDTH)]
    if lines and left > len(lines):
        parts += ["", *lines]
    return parts


def _watch(home: Home, every_s: float, everything: bool) -> None:
    """Draw the screen anew every so often; what can't be read is said in its place, and looked at again."""
    import time

    from rich.live import Live

    from engine_alpha.cli.overview import accounts_shown
    from engine_alpha.reports.rich_tables import drawn

    with Live(screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        try:
            while True:
                try:
                    accounts = accounts_shown(home)
                    lead = _first_lines(accounts)
                    parts = [*lead, *_screen(home, accounts, now_ms(), len(lead), everything)]
                except ChloeError as fault:
                    parts = [f"chloe: {fault}"]
                live.update(drawn(parts), refresh=True)
                time.sleep(every_s)
        except KeyboardInterrupt:
            return
