"""Closed trades as a table and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import gain, held, minute, multiple_of_risk, price

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


def trades_table(trades: Sequence[Trade]) -> Table:
    """Return one row per trade, in the order given."""
    return Table(
        columns=columns(
            *(
                "asset",
                "side",
                ">quantity",
                "entered",
                ">at",
                ">held",
                ">left at",
                "by",
                ">net",
                ">R",
                "card",
            ),
        ),
        rows=tuple(_row(trade) for trade in trades),
    )


def _row(trade: Trade) -> tuple[str, ...]:
    return (
        trade["symbol"],
        trade["side"],
        price(trade["quantity_base"]),
        minute(trade["entry_ms"]),
        price(trade["entry_price"]),
        held(trade["exit_ms"] - trade["entry_ms"]),
        price(trade["exit_price"]),
        trade["exit_reason"].partition("_")[0],  # "opposite", "confidence": the card needs the room
        gain(trade["net_quote"]),
        multiple_of_risk(trade["r"]),
        trade["card"],
    )


def trades_csv(trades: Sequence[Trade]) -> str:
    """Return CSV with a heading; numbers with all their digits."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(trade) for trade in trades)
    return text.getvalue()
