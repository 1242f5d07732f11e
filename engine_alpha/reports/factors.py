"""Profit factors of closed trades, by asset, card or regime, with their uncertainty."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import (
    factor_fields,
    factor_value,
    gain,
    interval,
    multiple_of_risk,
    percent,
)

WHOLE = "all"
KEYS = {"asset": "symbol", "card": "card", "regime": "regime"}

Trade = Mapping[str, Any]


def grouped(trades: Sequence[Trade], by: str, names: Sequence[str] = ()) -> list[tuple[str, list[Trade]]]:
    """Return the trades by asset, card or regime: `names` first, also without trades, then the rest."""
    key = KEYS[by]
    groups: dict[str, list[Trade]] = {name: [] for name in names}
    for trade in trades:
        groups.setdefault(trade[key], []).append(trade)
    return list(groups.items())


def factors_table(trades: Sequence[Trade], by: str, names: Sequence[str] = ()) -> Table:
    """Return one row per group and one for all; costs are inside every number but the gross factor."""
    rows = [_row(name, of_group) for name, of_group in grouped(trades, by, names)]
    return Table(
        columns=columns(
            by,
            ">n",
            ">PF",
            ">95 % interval",
            ">PF gross",
            ">win rate",
            ">R a trade",
            ">net",
            ">fees",
            ">funding",
        ),
        rows=(*rows, _row(WHOLE, trades)),
        total=True,
    )


def factors_fields(trades: Sequence[Trade], by: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the same for JSON."""
    groups = [{by: name, **_fields(of_group)} for name, of_group in grouped(trades, by, names)]
    return {"by": by, "groups": groups, "all": _fields(trades)}


def net_factor(trades: Sequence[Trade]) -> ProfitFactor:
    """Return the profit factor after fees and funding."""
    return profit_factor([trade["net_quote"] for trade in trades])


def gross_factor(trades: Sequence[Trade]) -> ProfitFactor:
    """Return the profit factor before fees and funding."""
    return profit_factor([trade["gross_quote"] for trade in trades])


def expectancy_r(trades: Sequence[Trade]) -> float | None:
    """Return the mean result in R; None without trades."""
    return sum(trade["r"] for trade in trades) / len(trades) if trades else None


def _row(name: str, trades: Sequence[Trade]) -> tuple[str, ...]:
    found = net_factor(trades)
    return (
        name,
        f"{found.trades:,}",
        factor_value(found),
        interval(found),
        factor_value(gross_factor(trades)),
        percent(found.win_frac, 0),
        multiple_of_risk(expectancy_r(trades)),
        gain(_sum(trades, "net_quote")),
        gain(-_sum(trades, "fees_quote")),
        gain(_sum(trades, "funding_quote")),
    )


def _fields(trades: Sequence[Trade]) -> dict[str, Any]:
    return {
        "net": factor_fields(net_factor(trades)),
        "gross": factor_fields(gross_factor(trades)),
        "expectancy_r": expectancy_r(trades),
        "net_quote": _sum(trades, "net_quote"),
        "fees_quote": _sum(trades, "fees_quote"),
        "funding_quote": _sum(trades, "funding_quote"),
    }


def _sum(trades: Sequence[Trade], name: str) -> float:
    return float(sum(trade[name] for trade in trades))
