"""`chloe why`: one decision explained from its record alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from engine_alpha.cli.accounts import Account, choose_account, reading
from engine_alpha.cli.blocked import tell_all, tell_no_trade
from engine_alpha.cli.options import (
    account_option,
    chosen_home,
    examples,
    exit_codes,
    home_option,
    json_option,
    wants_json,
)
from engine_alpha.cli.output import show, show_json, terminal_width
from engine_alpha.cli.records import refuse_unknown
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.errors import ConfigError

if TYPE_CHECKING:
    from engine_alpha.ports import Journal, StoredEvent


@click.command(
    epilog=examples(
        "chloe why ETHUSDT                         its last bar",
        "chloe why ETHUSDT --at 2025-11-25T14:30   the bar that contains that time, UTC",
        "chloe why ETHUSDT --last 24               a line for each of the last 24 bars",
        "chloe why ETHUSDT --no-trade              what blocked since its last trade, counted",
        "chloe why --all --no-trade --since 2025-11-20",
        "chloe why ETHUSDT --json | jq .decision.gates",
    )
    + exit_codes("0 explained, also that there is no decision")
)
@click.argument("symbol", required=False)
@click.option("--at", metavar="ISO", help="The bar that contains this time.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="One line for each of the last N bars.")
@click.option("--no-trade", is_flag=True, help="Count the gates that blocked since the last trade.")
@click.option("--since", metavar="ISO", help="With --no-trade: since then instead.")
@click.option("--all", "everything", is_flag=True, help="With --no-trade: every asset, a row each.")
@account_option
@home_option
@json_option
def why(symbol: str | None, everything: bool, **how: Any) -> None:
    """Say why an asset did what it did on a bar: prices, signals, votes, exits, size, every gate.

    ✗ marks a gate that blocked an entry. Everything is read from the record made at the time.
    """
    _refuse_confusion(symbol, everything, how)
    account = choose_account(chosen_home())
    if not account.exists:
        raise ConfigError(f"nothing has run in account {account.name} yet: run chloe tick")
    from engine_alpha.times import parse_iso

    at_ms, since_ms = (None if how[name] is None else parse_iso(how[name]) for name in ("at", "since"))
    with reading(account) as journal:
        if symbol is None:
            tell_all(account, journal, since_ms)
            return
        refuse_unknown(account, journal, symbol)
        if how["no_trade"]:
            tell_no_trade(account, journal, symbol, since_ms)
        elif how["last"] is not None:
            _tell_bars(account, journal, symbol, how["last"])
        else:
            _tell_bar(account, journal, symbol, at_ms)


def _refuse_confusion(symbol: str | None, everything: bool, how: Mapping[str, Any]) -> None:
    """Raise `UsageError` for options that do not go together."""
    if (symbol is None) != everything:
        raise click.UsageError("name one coin, for example chloe why ETHUSDT, or --all --no-trade")
    if sum((how["at"] is not None, how["last"] is not None, how["no_trade"])) > 1:
        raise click.UsageError("choose one of --at, --last and --no-trade")
    if (everything or how["since"] is not None) and not how["no_trade"]:
        raise click.UsageError("--all and --since go with --no-trade")


def _tell_bar(account: Account, journal: Journal, symbol: str, at_ms: int | None) -> None:
    from engine_alpha.cli.records import DECISION, faults_after
    from engine_alpha.step.recording import decision_view

    oldest = next(journal.events(DECISION, symbol), None)
    newest = next(journal.events(DECISION, symbol, newest_first=True), None)
    stored = newest if at_ms is None else _containing(journal, symbol, at_ms, (oldest, newest))
    view = None if stored is None else decision_view(json.loads(stored.event.payload))
    if at_ms is None:
        faults = faults_after(journal, symbol, -1 if newest is None else newest.event.bar_ms)
    else:
        faults = [] if view else _faults_at(journal, symbol, at_ms)
    first_ms = None if oldest is None else oldest.event.bar_ms
    last_ms = None if newest is None else newest.event.bar_ms
    if wants_json():
        bounds = {"first_open_ms": first_ms, "last_open_ms": last_ms}
        show_json({**account.fields(), "symbol": symbol, **bounds, "decision": view, "no_decisions": faults})
        return
    from engine_alpha.reports.status import fault_words
    from engine_alpha.reports.why import nothing_words

    show(account.first_line(), "")
    if view is not None:
        _show_view(view)
    else:
        show(nothing_words(symbol, at_ms, first_ms, last_ms))
    words = fault_words(faults)
    show(*([""] if words and view else []), *words)


def _show_view(view: dict[str, Any]) -> None:
    from engine_alpha.reports.why import end_lines, gates_table, headline, opinion_lines, signals_table

    show(*headline(view), "", *opinion_lines(view), "")
    show(gates_table(view), "", signals_table(view), "", *end_lines(view))


def _containing(
    journal: Journal, symbol: str, at_ms: int, ends: tuple[StoredEvent | None, StoredEvent | None]
) -> StoredEvent | None:
    """Return the decision on the bar that contains the time, searched from the nearer end."""
    from engine_alpha.cli.records import DECISION

    oldest, newest = ends
    if oldest is None or newest is None:
        return None
    backwards = at_ms - oldest.event.bar_ms > newest.event.bar_ms - at_ms
    for stored in journal.events(DECISION, symbol, newest_first=backwards):
        open_ms = stored.event.bar_ms
        if open_ms <= at_ms < open_ms + TIMEFRAME_MS[stored.event.key.split("/")[1]]:
            return stored
        if (backwards and open_ms <= at_ms) or (not backwards and open_ms > at_ms):
            return None
    return None


def _faults_at(journal: Journal, symbol: str, at_ms: int) -> list[dict[str, Any]]:
    """Return why the bar that contains the time has no decision, newest record first."""
    from engine_alpha.cli.records import NO_DECISION, fault_fields

    found = []
    for stored in journal.events(NO_DECISION, symbol, newest_first=True):
        fault = fault_fields(stored)
        frame_ms = TIMEFRAME_MS.get(fault["timeframe"], 60_000)
        if fault["open_ms"] <= at_ms < fault["open_ms"] + frame_ms:
            found.append(fault)
        elif fault["open_ms"] + max(TIMEFRAME_MS.values()) < at_ms:
            break
    return found


def _tell_bars(account: Account, journal: Journal, symbol: str, last: int) -> None:
    from engine_alpha.cli.records import DECISION, faults_after
    from engine_alpha.reports.status import fitted
    from engine_alpha.reports.why import bars_table, nothing_words
    from engine_alpha.step.recording import decision_view

    newest = islice(journal.events(DECISION, symbol, newest_first=True), last)
    views = [decision_view(json.loads(stored.event.payload)) for stored in newest]
    decided = {view["open_ms"] for view in views}
    since = min(decided) if len(views) == last else -1
    faults = [each for each in faults_after(journal, symbol, since) if each["open_ms"] not in decided]
    bars = sorted([*views, *faults], key=lambda bar: int(bar["open_ms"]))[-last:]
    if wants_json():
        show_json({**account.fields(), "symbol": symbol, "bars": bars})
        return
    show(account.first_line(), "")
    if not bars:
        show(nothing_words(symbol, None, None, None))
        return
    width = terminal_width()
    show(bars_table(bars) if width is None else fitted(bars_table(bars), width))
