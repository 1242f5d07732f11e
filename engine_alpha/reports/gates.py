"""Gates of a decision in words."""

from collections.abc import Mapping
from typing import Any

from engine_alpha.kernel.codes import ALL_REGIMES, REGIMES
from engine_alpha.reports.words import number

NO_CARD_GATES = ("card_active", "min_notional")  # where no card fired, these say no more than that
PLAIN_NO = {
    "data_fresh": "too late after the close",
    "listed": "the contract does not trade",
    "enabled": "switched off in the registry",
    "not_halted": "halted by a person",
}


def gates_of(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the asset's gates, then the account's."""
    return [*view["gates"], *view["allocation"]]


def blocking(view: Mapping[str, Any]) -> list[str]:
    """Return the gates that said no, each with what it saw and its limit."""
    words = []
    for gate in gates_of(view):
        if gate["passed"]:
            continue
        if view["card"] is None and gate["name"] in NO_CARD_GATES:
            if gate["name"] == "card_active":
                words.append("card_active (no card fires)")
            continue
        plain = PLAIN_NO.get(gate["name"], "")
        if gate["name"] == "enabled":
            plain = view.get("close_only", plain)
        told = f": {plain}" if plain else ""
        words.append(f"{gate['name']} (seen {seen(gate)}, limit {limit(gate)}{told})")
    return words


def seen(gate: Mapping[str, Any]) -> str:
    """Return what a gate saw."""
    if gate["name"] == "card_active":
        return "a card" if gate["passed"] else "none"
    return _words(gate["name"], gate["seen"], _digits(gate))


def limit(gate: Mapping[str, Any]) -> str:
    """Return a gate's limit."""
    return "any" if gate["name"] == "card_active" else _words(gate["name"], gate["limit"], _digits(gate))


def _digits(gate: Mapping[str, Any]) -> int:
    """Return how many digits tell what was seen from the limit."""
    return 3 if number(gate["seen"], 3) != number(gate["limit"], 3) else 8


def _words(name: str, value: Any, digits: int) -> str:
    if name == "regime_allowed" and isinstance(value, float | int) and 0 <= value <= ALL_REGIMES:
        bits = int(value)
        return "any" if bits == ALL_REGIMES else _regimes(bits)
    if name == "data_fresh" and value == value and value is not None:
        return f"{int(value)}"
    return number(value, digits)


def _regimes(bits: int) -> str:
    return "/".join(name for code, name in enumerate(REGIMES) if bits >> code & 1) or "none"
