"""`chloe positions`: what is held now, in every account that trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, reading, trading_accounts
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
from engine_alpha.cli.output import show, show_json, terminal_width
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.step.state import AssetState


@click.command(
    epilog=examples(
        "chloe positions                    every account that trades, real orders among them",
        "chloe positions --account live     one account",
        "chloe positions --json | jq '.positions[] | {symbol, r_now}'",
    )
    + exit_codes("0 shown, also where nothing is held")
)
@now_option
@account_option
@home_option
@json_option
def positions(now: str | None) -> None:
    """Show open positions: size, entry, stop, target, last close, result so far, funding, exit due.

    R is the result so far over the first risk, funding and the entry's fee included. What stands at a venue
    is what the last tick saw there; nothing is asked of it. Broken configuration hides no position.
    """
    home = chosen_home()
    accounts = [account for account in trading_accounts(home) if account.exists]
    held: list[dict[str, Any]] = []
    pending: list[dict[str, Any]] = []
    for account in accounts:
        found, waiting = _read(account, now_ms(now))
        held += found
        pending += waiting
    if wants_json():
        show_json(
            {
                "home": str(home.path),
                "simulated": bool(accounts) and all(account.simulated for account in accounts),
                "accounts": [account.name for account in accounts],
                "positions": held,
                "pending": pending,
            }
        )
        return
    if not accounts:
        show(f"home {home.path}: nothing has run here yet; next: chloe tick")
    for place, account in enumerate(accounts):
        show(*([""] if place else []), _first_line(account))
        _show(
            [each for each in held if each["account"] == account.name],
            [each for each in pending if each["account"] == account.name],
        )


def _first_line(account: Account) -> str:
    try:
        return account.first_line()
    except ConfigError:  # a broken file: its positions matter all the more
        return f"home {account.home.path} · {account.name}"


def _read(account: Account, at_ms: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return an account's positions and decided entries, by symbol."""
    from engine_alpha.cli.position_fields import pending_fields, position_fields
    from engine_alpha.cli.records import live_views
    from engine_alpha.step.state import ACCOUNT, LIVE_PREFIX, state_of

    with reading(account) as journal:
        states = journal.states()
    kept = {
        name: state_of(text)
        for name, text in states.items()
        if name != ACCOUNT and not name.startswith(LIVE_PREFIX)
    }
    live = live_views(states)
    held, pending = [], []
    for symbol in sorted({*kept, *live}):
        state, view = kept.get(symbol), live.get(symbol)
        fields = position_fields(state)
        if fields is not None or (view is not None and float(view["position_base"])):
            about = _about(account, symbol, state)
            held.append({**about, "booked": fields is not None, **(fields or {}), "live": view})
        waiting = None if state is None else pending_fields(state, at_ms, None)
        if waiting is not None and state is not None:
            card = state.held.name if state.held else None
            pending.append({**_about(account, symbol, state), **waiting, "card": card})
    return held, pending


def _about(account: Account, symbol: str, state: AssetState | None) -> dict[str, Any]:
    return {
        "account": account.name,
        "simulated": account.simulated,
        "symbol": symbol,
        "timeframe": None if state is None else state.config.base_timeframe,
        "venue": None if state is None else state.config.venue,
    }


def _show(held: list[dict[str, Any]], pending: list[dict[str, Any]]) -> None:
    from engine_alpha.reports.positions import pending_lines, position_lines, positions_table, venue_table

    booked = [each for each in held if each["booked"]]
    if not held:
        show("no open position")
    if booked:
        show("", positions_table(booked, terminal_width()))
    views = [each["live"] for each in held if each["live"]]
    if views:
        show("", venue_table(views))
    lines = [*position_lines(held), *pending_lines(pending)]
    show(*([""] if lines else []), *lines)
