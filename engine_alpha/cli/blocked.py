"""`chloe why --no-trade`: which gates kept a coin, or every coin, from trading since a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine_alpha.cli.accounts import Account
from engine_alpha.cli.options import wants_json
from engine_alpha.cli.output import show, show_json, terminal_width
from engine_alpha.cli.records import DECISION, NO_DECISION, TRADE, fault_fields
from engine_alpha.domain.asset import TIMEFRAME_MS
from engine_alpha.kernel.codes import ENTER
from engine_alpha.kernel.values import Decision, Record
from engine_alpha.reports.blocked import Tally, Verdicts, tally
from engine_alpha.reports.words import count
from engine_alpha.step.recording import FILL
from engine_alpha.times import minute

if TYPE_CHECKING:
    from engine_alpha.ports import Journal

_DECISION_AT = Record._fields.index("decision")
_CARD, _GATES, _ALLOCATION, _ACTION = map(Decision._fields.index, ("card", "gates", "allocation", "action"))

FIRST, ASKED, ENTRY, EXIT = "first decision", "asked for", "last entry", "last trade"


def tell_no_trade(account: Account, journal: Journal, symbol: str, since_ms: int | None) -> None:
    """Print what blocked one asset since its last trade, or since a time."""
    found, start = _tallied(journal, symbol, since_ms)
    if wants_json():
        show_json({**account.fields(), **_fields(found, start)})
        return
    from engine_alpha.reports.blocked import blocks_table, example_words, fault_lines

    show(account.first_line(), "", *_headline(found, start))
    if found.blocks:
        show("", blocks_table(found), "", example_words(found))
    faults = fault_lines(found)
    if faults:
        show("", f"without a decision: {count(found.undecided, 'bar')}", *faults)


def tell_all(account: Account, journal: Journal, since_ms: int | None) -> None:
    """Print the same for every asset that was ever stepped here, a row each."""
    from engine_alpha.reports.blocked import summary_table
    from engine_alpha.step.state import ACCOUNT, LIVE_PREFIX

    symbols = [name for name in journal.states() if name != ACCOUNT and not name.startswith(LIVE_PREFIX)]
    results = [_tallied(journal, symbol, since_ms) for symbol in _in_order(account, symbols)]
    if wants_json():
        show_json({**account.fields(), "assets": [_fields(found, start) for found, start in results]})
        return
    show(account.first_line(), "")
    if not results:
        show("nothing was decided here yet")
        return
    rows = [(found, f"{minute(start[0])} {start[1]}") for found, start in results]
    show(summary_table(rows, terminal_width()))


def _in_order(account: Account, symbols: list[str]) -> list[str]:
    """Return the symbols in the order of the registry, those it lacks behind them."""
    from engine_alpha.config.assets import read_registry

    order = [asset.symbol for asset in read_registry(account.home.registry).assets]
    return [*(each for each in order if each in symbols), *sorted(set(symbols) - set(order))]


def _fields(found: Tally, start: tuple[int, str]) -> dict[str, Any]:
    from engine_alpha.reports.blocked import tally_fields

    return {**tally_fields(found), "since_ms": start[0], "since": start[1]}


def _headline(found: Tally, start: tuple[int, str]) -> list[str]:
    since_ms, which = start
    told = {FIRST: ", its first decision, and it has not traded yet", ASKED: ""}.get(which, f", its {which}")
    if which == FIRST and not found.bars:
        return [f"{found.symbol} has no decision yet"]
    if not found.bars:
        return [f"{found.symbol} has no decision since {minute(since_ms)} UTC"]
    lines = [f"{found.symbol} since {minute(since_ms)} UTC{told}: {count(found.bars, 'bar')} decided"]
    if which == ENTRY:
        lines.append("it is in that trade, or waits for its fills: nothing else is entered meanwhile")
    if found.entered:
        lines.append(f"{count(found.entered, 'bar')} decided an entry; see chloe trades and chloe positions")
    elif not found.blocks:
        lines.append("no gate blocked, no card fired")
    return lines


def _tallied(journal: Journal, symbol: str, since_ms: int | None) -> tuple[Tally, tuple[int, str]]:
    """Return the counts and since when: what was asked for, the last entry or exit, or the beginning."""
    start = (since_ms, ASKED) if since_ms is not None else _last_trade(journal, symbol)
    newest = next(journal.events(DECISION, symbol, newest_first=True), None)
    frame = "1h" if newest is None else newest.event.key.split("/")[1]
    faults = []
    for stored in journal.events(NO_DECISION, symbol, newest_first=True):
        if stored.event.bar_ms < start[0]:
            break
        faults.append(fault_fields(stored))
    frame_ms = TIMEFRAME_MS.get(frame, TIMEFRAME_MS["1h"])
    return tally(symbol, frame_ms, _verdicts(journal, symbol, start[0]), faults), start


def _last_trade(journal: Journal, symbol: str) -> tuple[int, str]:
    """Return the bar of the newest entry or exit, and which of them it was."""
    fill = next(journal.events(FILL, symbol, newest_first=True), None)
    closed = next(journal.events(TRADE, symbol, newest_first=True), None)
    if fill is not None and (closed is None or fill.event.bar_ms > closed.event.bar_ms):
        return fill.event.bar_ms, ENTRY
    if closed is not None:
        return closed.event.bar_ms, EXIT
    oldest = next(journal.events(DECISION, symbol), None)
    return (0 if oldest is None else oldest.event.bar_ms), FIRST


def _verdicts(journal: Journal, symbol: str, since_ms: int) -> Iterator[Verdicts]:
    """Return what the gates said on every bar from that one on, newest first."""
    for stored in journal.events(DECISION, symbol, newest_first=True):
        if stored.event.bar_ms < since_ms:
            return
        decision = json.loads(stored.event.payload)["record"][_DECISION_AT]
        yield Verdicts(
            open_ms=stored.event.bar_ms,
            card=decision[_CARD],
            entered=decision[_ACTION] == ENTER,
            gates=[*decision[_GATES], *decision[_ALLOCATION]],
        )
