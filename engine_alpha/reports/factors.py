"""Profit factors of closed trades, by asset, card or regime, with their uncertainty."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.kernel.profit_factor import ProfitFactor, profit_factor
from engine_alpha.reports.table import Table, columns, table_width
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
DAY_MS = 86_400_000
SPANS_DAYS = (7, 30, 90)

Trade = Mapping[str, Any]


def grouped(trades: Sequence[Trade], by: str, names: Sequence[str] = ()) -> list[tuple[str, list[Trade]]]:
    """Return the trades by asset, card or regime: `names` first, also without trades, then the rest."""
    key = KEYS[by]
    groups: dict[str, list[Trade]] = {name: [] for name in names}
    for trade in trades:
        groups.setdefault(trade[key], []).append(trade)
    return list(groups.items())


_WIDE = (
    *(">n", ">PF", ">95 % interval", ">PF gross", ">win rate", ">R a trade", ">net", ">fees", ">funding"),
)
_NARROW = (">n", ">PF", ">95 % interval", ">win rate", ">R a trade", ">net")


def factors_table(
    trades: Sequence[Trade], by: str, names: Sequence[str] = (), width: int | None = None
) -> Table:
    """Return one row per group and one for all; costs are inside every number but the gross factor."""
    rows = [_cells(name, of_group) for name, of_group in grouped(trades, by, names)]
    rows.append(_cells(WHOLE, trades))
    wide, narrow = (
        Table(
            columns=columns(by, *heads),
            rows=tuple((row["name"], *(row[head.removeprefix(">")] for head in heads)) for row in rows),
            total=True,
        )
        for heads in (_WIDE, _NARROW)
    )
    return wide if width is None or table_width(wide) <= width else narrow


def factors_fields(trades: Sequence[Trade], by: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """Return the same for JSON."""
    groups = [{by: name, **_fields(of_group)} for name, of_group in grouped(trades, by, names)]
    return {"by": by, "groups": groups, "all": _fields(trades)}


def windows_of(trades: Sequence[Trade], last: int, at_ms: int) -> dict[str, list[Trade]]:
    """Return the trades by window: all, the last so many, those closed in the last 7, 30 and 90 days."""
    spans = {
        f"{days} d": [trade for trade in trades if at_ms - days * DAY_MS <= trade["exit_ms"] <= at_ms]
        for days in SPANS_DAYS
    }
    return {WHOLE: list(trades), f"last {last}": list(trades[-last:]), **spans}


def windows_table(
    groups: Sequence[tuple[str, Mapping[str, Sequence[Trade]]]], by: str, width: int | None
) -> Table:
    """Return one row per group, one column per window; with intervals where `width` has room for them."""
    windows = list(groups[0][1])
    made = [
        Table(
            columns=columns(by, *(f">{window}" for window in windows)),
            rows=tuple(
                (name, *(_window_words(found[window], intervals=intervals) for window in windows))
                for name, found in groups
            ),
            total=True,
        )
        for intervals in (True, False)
    ]
    return made[0] if width is None or table_width(made[0]) <= width else made[1]


def _window_words(trades: Sequence[Trade], *, intervals: bool) -> str:
    found = net_factor(trades)
    if found.value is None:
        return factor_value(found)
    between = f" [{interval(found)}]" if intervals and found.low is not None else ""
    return f"{factor_value(found)}{between} n={found.trades}"


def windows_fields(found: Mapping[str, Sequence[Trade]]) -> dict[str, Any]:
    """Return the profit factor of every window for JSON."""
    return {window.replace(" ", "_"): factor_fields(net_factor(trades)) for window, trades in found.items()}


def net_factor(trades: Sequence[Trade]) -> ProfitFactor:
    """Return the profit factor after fees and funding."""
    return profit_factor([trade["net_quote"] for trade in trades])


def gross_factor(trades: Sequence[Trade]) -> ProfitFactor:
    """Return the profit factor before fees and funding."""
    return profit_factor([trade["gross_quote"] for trade in trades])


def expectancy_r(trades: Sequence[Trade]) -> float | None:
    """Return the mean result in R; None without trades."""
    return sum(trade["r"] for trade in trades) / len(trades) if trades else None


def _cells(name: str, trades: Sequence[Trade]) -> dict[str, str]:
    found = net_factor(trades)
    return {
        "name": name,
        "n": f"{found.trades:,}",
        "PF": factor_value(found),
        "95 % interval": interval(found),
        "PF gross": factor_value(gross_factor(trades)),
        "win rate": percent(found.win_frac, 0),
        "R a trade": multiple_of_risk(expectancy_r(trades)),
        "net": gain(_sum(trades, "net_quote")),
        "fees": gain(-_sum(trades, "fees_quote")),
        "funding": gain(_sum(trades, "funding_quote")),
    }


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
