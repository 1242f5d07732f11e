"""Open positions as tables, from plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine_alpha.reports.live import position_words, span_words
from engine_alpha.reports.status import fitted, pending_words
from engine_alpha.reports.table import Table, columns, table_width
from engine_alpha.reports.words import NOTHING, gain, multiple_of_risk, price
from engine_alpha.times import minute

Position = Mapping[str, Any]

_WIDE = (
    *("position", "side", ">quantity", ">entry", ">stop", ">target", ">mark", ">unrealised", ">R", ">bars"),
    *(">funding", "card"),
)
_NARROW = ("position", "side", ">entry", ">stop", ">mark", ">unrealised", ">R", ">bars")
_SUMS = {"unrealised": "unrealised_quote", "funding": "funding_quote"}


def positions_tables(positions: Sequence[Position], width: int | None) -> list[Table]:
    """Return a table per account, named where there are several: paper and real money never add up."""
    accounts = list(dict.fromkeys(position["account"] for position in positions))
    made = []
    for account in accounts:
        table = positions_table([each for each in positions if each["account"] == account], width)
        made.append(replace(table, title=account if len(accounts) > 1 else ""))
    return made


def positions_table(positions: Sequence[Position], width: int | None) -> Table:
    """Return one row per booked position and one for all; the narrow form where `width` asks for it."""
    wide = _table(positions, _WIDE)
    if width is None or table_width(wide) <= width:
        return wide
    without = tuple(name for name in _WIDE if name not in (">target", "card"))
    middle = _table(positions, without)
    return middle if table_width(middle) <= width else fitted(_table(positions, _NARROW), width)


def _table(positions: Sequence[Position], names: Sequence[str]) -> Table:
    rows = [_cells(position) for position in positions]
    if len(positions) > 1:
        sums = {name: gain(sum(each[key] for each in positions)) for name, key in _SUMS.items()}
        rows.append({**sums, "position": f"{len(positions)} positions"})
    return Table(
        columns=columns(*names),
        rows=tuple(tuple(row.get(name.removeprefix(">"), "") for name in names) for row in rows),
        total=len(positions) > 1,
    )


def _cells(position: Position) -> dict[str, str]:
    return {
        "position": position["symbol"],
        "side": position["side"],
        "quantity": price(position["quantity_base"]),
        "entry": price(position["entry_price"]),
        "stop": price(position["stop_price"]),
        "target": price(position["target_price"]) if position["target_price"] else NOTHING,
        "mark": price(position["mark_price"]),
        "unrealised": gain(position["unrealised_quote"]),
        "R": multiple_of_risk(position["r_now"]),
        "bars": f"{position['bars_held']:,}",
        "funding": gain(position["funding_quote"]),
        "card": position["card"] or NOTHING,
    }


def venue_table(views: Sequence[Mapping[str, Any]]) -> Table:
    """Return what stands at the venues, by the last tick's word: one row per asset with real orders."""
    return Table(
        columns=columns("at the venue", "stage", ">position", ">its stop", "no stop for", "verdict"),
        rows=tuple(
            (
                view["symbol"],
                view["stage"],
                position_words(view["venue_base"]),
                view["stop_price"] or NOTHING,
                span_words(view["unprotected_ms"]),
                view["verdict"],
            )
            for view in views
        ),
    )


def position_lines(positions: Sequence[Position]) -> list[str]:
    """Return what else is to be said: since when, exits that are due, fills that no bar has booked yet."""
    lines = []
    for each in positions:
        if not each["booked"]:
            lines.append(f"{each['symbol']}  filled at the venue, booked with the close of its bar")
            continue
        if each["exit_due"]:
            lines.append(f"{each['symbol']}  leaves at the next open: {each['exit_due']}")
        naked = each["live"] and each["live"]["naked_since_ms"]
        if naked:
            lines.append(f"{each['symbol']}  no stop was seen at the venue since {minute(naked)} UTC")
    return lines


def pending_lines(pending: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the entries that wait for their fill, a line each."""
    return [f"{each['symbol']}  {pending_words(each, each['card'])}" for each in pending]
