"""Strategy cards as a table, and what they leave uncovered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import NOTHING, number

UNITS = {"atr": "ATR", "range": "ranges", "frac": "of price"}


def cards_table(cards: Sequence[Mapping[str, Any]]) -> Table:
    """Return one row per card, in the order they are asked."""
    return Table(
        columns=columns(
            *("card", "status", ">prio", "side", "regimes", "bars", "coins", ">stop", ">target"),
            *(">trail", ">size", "trades while"),
        ),
        rows=tuple(_row(card) for card in cards),
    )


def _row(card: Mapping[str, Any]) -> tuple[str, ...]:
    scope, exits = card["scope"], card["exits"]
    return (
        card["name"],
        card["status"],
        str(scope["priority"]),
        scope["direction"],
        ", ".join(scope["regimes"]) or "any",
        ", ".join(scope["timeframes"]) or "any",
        ", ".join(scope["symbols"]) or "any",
        _distance(exits["stop"]),
        _distance(exits["target"]),
        _distance(exits["trailing"]),
        number(card["risk"]["size_factor"]),
        _activation(card["activation"]),
    )


def _distance(distance: Mapping[str, Any] | None) -> str:
    for unit, word in UNITS.items():
        value = (distance or {}).get(unit)
        if value is not None:
            return f"{value * 100:g} %" if unit == "frac" else f"{value:g} {word}"
    return NOTHING


def _activation(rules: Mapping[str, Any]) -> str:
    words = []
    if rules["min_pf"]:
        words.append(f"PF ≥ {rules['min_pf']:g}")
    if rules["max_drawdown_frac"]:
        words.append(f"drawdown ≤ {rules['max_drawdown_frac'] * 100:g} %")
    return f"{', '.join(words)} (n ≥ {rules['min_trades']})" if words else "always"


def own_lines(own: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what coins use otherwise than the files say, one line a coin and card; none where none does."""
    lines = []
    for symbol, found in own.items():
        for name, settings in found["cards"].items():
            words = [settings["status"]] if settings.get("status") else []
            words += [f"{key} {json.dumps(value)}" for key, value in settings["changes"].items()]
            lines.append(
                f"{symbol} uses {name} otherwise: {', '.join(words)} (parameters {found['parameters']})"
            )
    return ["", *lines] if lines else []


def uncovered_lines(uncovered: Mapping[str, Sequence[str]], coins: int) -> list[str]:
    """Return which regimes of which coins no active card covers; coins with the same gaps share a line."""
    if not any(uncovered.values()):
        return ["every regime of every coin has an active card"]
    by_gap: dict[tuple[str, ...], list[str]] = {}
    for symbol, regimes in uncovered.items():
        if regimes:
            by_gap.setdefault(tuple(regimes), []).append(symbol)
    return [
        f"no active card: {', '.join(regimes)} of {'all coins' if len(names) == coins else ', '.join(names)}"
        for regimes, names in by_gap.items()
    ]
