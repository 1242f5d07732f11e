"""Closed trades as a table and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.kernel.profit_factor import profit_factor
from engine_alpha.reports.table import Table, columns, table_width
from engine_alpha.reports.words import count, factor, gain, held, multiple_of_risk, percent, price
from engine_alpha.times import minute

Trade = Mapping[str, Any]

FIELDS = (
    *(
        "id",
        "symbol",
        "timeframe",
        "side",
        "quantity_base",
        "entry_ms",
        "entry_price",
        "exit_ms",
        "exit_price",
    ),
    *(
        "exit_reason",
        "stop_price",
        "gross_quote",
        "fees_quote",
        "funding_quote",
        "slippage_quote",
        "net_quote",
    ),
    *("risk_quote", "r", "regime", "confidence", "card", "bars_held", "ambiguous", "other_net_quote", "mode"),
    *("feed", "venue", "entry_source", "exit_source"),
)


_WIDE = (*("asset", "side", ">quantity", "entered", ">at", ">held", ">left at", "by", ">net", ">R", "card"),)
_NARROW = ("asset", "side", "entered", ">held", "by", ">net", ">R", "card")
_BARE = ("asset", "side", "entered", ">held", "by", ">net", ">R")


def trades_table(trades: Sequence[Trade], width: int | None = None) -> Table:
    """Return one row per trade, in the order given, with the columns that `width` has room for."""
    for names in (_WIDE, _NARROW):
        made = _table(trades, names)
        if width is None or table_width(made) <= width:
            return made
    return _table(trades, _BARE)


def _table(trades: Sequence[Trade], names: Sequence[str]) -> Table:
    rows = [_cells(trade) for trade in trades]
    return Table(
        columns=columns(*names),
        rows=tuple(tuple(row[name.removeprefix(">")] for name in names) for row in rows),
    )


def _cells(trade: Trade) -> dict[str, str]:
    return {
        "asset": trade["symbol"],
        "side": trade["side"],
        "quantity": price(trade["quantity_base"]),
        "entered": minute(trade["entry_ms"]),
        "at": price(trade["entry_price"]),
        "held": held(trade["exit_ms"] - trade["entry_ms"]),
        "left at": price(trade["exit_price"]),
        "by": trade["exit_reason"].partition("_")[0],  # "opposite", "confidence": the card needs the room
        "net": gain(trade["net_quote"]),
        "R": multiple_of_risk(trade["r"]),
        "card": trade["card"],
    }


def totals(trades: Sequence[Trade]) -> list[str]:
    """Return what all of them came to, part by part; there is at least one."""
    found = profit_factor([trade["net_quote"] for trade in trades])
    net, fees, funding, r = (
        sum(trade[name] for trade in trades) for name in ("net_quote", "fees_quote", "funding_quote", "r")
    )
    return [
        count(found.trades, "trade"),
        f"net {gain(net)}",
        f"PF {factor(found)}",
        f"win rate {percent(found.win_frac, 0)}",
        f"R a trade {multiple_of_risk(r / found.trades)}",
        f"fees {gain(-fees)}",
        f"funding {gain(funding)}",
    ]


def ordered(trade: Trade) -> dict[str, Any]:
    """Return a trade with the documented fields in their order, none missing."""
    return {name: trade.get(name) for name in FIELDS}


def trades_csv(trades: Sequence[Trade]) -> str:
    """Return CSV with a heading; numbers with all their digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(trade) for trade in trades)
    return text.getvalue()
