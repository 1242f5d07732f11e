"""An account's period beside a backtest of it, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.reports.table import Table, columns, pairs
from engine_alpha.reports.words import count, gain
from engine_alpha.times import minute

View = Mapping[str, Any]

SHOWN = 12
_SIDES = {1: "long", -1: "short"}
_SMALLEST = 0.005  # what a table with cents can show

_MEANINGS = {
    "stopped": "the account did not step that bar: engine or asset off",
    "feed": "the account had no prices for that bar",
    "late": "the account came to that bar too late to enter",
    "halted": "entries were halted by hand",
    "spread": "the quoted spread was too wide to enter",
    "bars": "the account saw other bars than are stored",
    "config": "the account ran on another configuration",
    "fills": "the same way out at other prices",
    "size": "another quantity: other equity, other room under the caps",
    "funding": "other funding",
    "start": "positions and entries from before the period",
    "rest": "what followed from these",
}


def headline(found: View, backtest: str) -> str:
    """Return which period is compared with what."""
    span = f"{minute(found['from_ms'])} to {minute(found['to_ms'])}"
    return f"{found['account']}, {span}, beside a backtest on {backtest}"


def totals_lines(found: View) -> list[str]:
    """Return what both sides earned."""
    ours, theirs = found["account_trades"], found["backtest_trades"]
    return pairs(
        [
            ("account", f"{gain(found['account_quote'])} in {count(ours, 'trade')}"),
            ("backtest", f"{gain(found['backtest_quote'])} in {count(theirs, 'trade')}"),
            ("gap", f"{gain(found['gap_quote'])}; {count(found['matched'], 'trade')} with the same entry"),
        ]
    )


def parts_table(parts: Sequence[View], gap_quote: float) -> Table:
    """Return the gap split by cause, the largest part first, and its sum."""
    rows = [
        (part["cause"], f"{part['trades']:,}", gain(part["gap_quote"]), _MEANINGS[part["cause"]])
        for part in sorted(parts, key=lambda part: -abs(part["gap_quote"]))
    ]
    return Table(
        columns=columns("cause", ">trades", ">part of the gap", "meaning"),
        rows=(*rows, ("all", "", gain(gap_quote), "")),
        total=True,
    )


def shares_table(shares: Sequence[View]) -> Table:
    """Return the trades that most of the gap comes from."""
    largest = sorted(shares, key=lambda share: -abs(share["gap_quote"]))[:SHOWN]
    rows = [
        (
            share["symbol"],
            _SIDES[share["side"]],
            minute(share["entry_ms"]),
            gain(share["gap_quote"]),
            share["cause"],
        )
        for share in largest
        if abs(share["gap_quote"]) >= _SMALLEST
    ]
    return Table(columns=columns("asset", "side", "entered", ">part of the gap", "cause"), rows=tuple(rows))
