"""One decision explained, from its record alone."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine_alpha.reports.gates import blocking, gates_of, limit, seen
from engine_alpha.reports.table import Table, columns, pairs
from engine_alpha.reports.words import NOTHING, gain, money, multiple_of_risk, number, price
from engine_alpha.times import clock_time, minute

View = Mapping[str, Any]

SIGNALS_ABREAST, GATES_ABREAST = 3, 2


def headline(view: View) -> list[str]:
    """Return which bar this is and what was decided on it."""
    bar = f"{minute(view['open_ms'])} to {clock_time(view['close_ms'])} UTC"
    return [
        f"{view['symbol']} {view['timeframe']} · bar {bar} · close {price(view['close'])}",
        f"{view['action']}: {_because(view)}",
    ]


def _because(view: View) -> str:
    if view["intent"]:
        return intent_words(view["intent"])
    if view["exit"]["reason"] != "none":
        return f"leaves at the next open, {view['exit']['reason']}"
    if view["held"] and view["exit"]["stop_price"]:
        return f"stays in its position, by {view['held']}"
    blocked = blocking(view)
    return f"blocked by {', '.join(blocked)}" if blocked else "no gate blocks"


def intent_words(intent: View) -> str:
    """Return a decided entry with its stop, target and trailing distances."""
    words = f"{intent['side']} {price(intent['quantity_base'])} at the next open by {intent['card']}"
    for name, told in (("stop", "stop"), ("target", "target"), ("trail", "trailing")):
        if intent[f"{name}_quote"]:
            words += f", {told} {number(intent[f'{name}_quote'], 6)} away"
        elif intent[f"{name}_frac"]:
            words += f", {told} {intent[f'{name}_frac'] * 100:g} % away"
    return words


def opinion_lines(view: View) -> list[str]:
    """Return regime, confidence, votes, exits, card, size, what was settled before, and equity."""
    votes = " · ".join(f"{name} {_vote(value)}" for name, value in view["votes"].items())
    rows = [
        ("regime", view["regime"]),
        (
            "view",
            f"{view['direction']}, confidence {view['confidence']:.3f} "
            f"(score {view['score']:+.3f}, coverage {view['coverage']:.2f})",
        ),
        ("votes", votes),
        ("exits", _exit_words(view)),
        ("card", view["card"] or "none fires"),
        ("size", _size_words(view["size"])),
    ]
    rows += [("settled", words) for words in settled_words(view["settlement"])]
    rows.append(("equity", f"{money(view['equity_quote'])} in this asset's sub-account"))
    return pairs(rows)


def _vote(value: float | None) -> str:
    return "absent" if value is None else f"{value:+.2f}"


def _exit_words(view: View) -> str:
    leaving = view["exit"]
    if not leaving["stop_price"]:
        return "no position"
    told = "stay" if leaving["reason"] == "none" else f"leave: {leaving['reason']}"
    return (
        f"{told} (opposite signal {'yes' if leaving['opposite'] else 'no'}, "
        f"score for the trade {leaving['score']:+.3f}, "
        f"held {leaving['held_bars']} bars, stop {price(leaving['stop_price'])})"
    )


def _size_words(size: View) -> str:
    if not size["quantity_base"]:
        return NOTHING
    words = f"{price(size['quantity_base'])} worth {money(size['notional_quote'])}"
    words += f", risk {money(size['risk_quote'])} at a stop {number(size['stop_distance_quote'], 6)} away"
    if size["unclipped_base"] > size["quantity_base"]:
        words += f"; caps and lot cut it from {number(size['unclipped_base'], 6)}"
    return words


def settled_words(settlement: View) -> list[str]:
    """Return what the bar did to the position before anything was decided."""
    words = []
    if settlement["entry"]:
        words.append(f"entry filled at {price(settlement['entry']['price'])}")
    if settlement["funding_quote"]:
        words.append(f"funding {gain(settlement['funding_quote'])}")
    if settlement["exit"]:
        fill, trade = settlement["exit"], settlement["trade"]
        words.append(
            f"left by {fill['reason']} at {price(fill['price'])}: "
            f"net {gain(trade['net_quote'])}, {multiple_of_risk(trade['r'])} R"
        )
    return words


def gates_table(view: View) -> Table:
    """Return every gate with what it saw and its limit; those that block come first, two abreast."""
    gates = sorted(gates_of(view), key=lambda gate: bool(gate["passed"]))
    cells = [(f"{'✓' if gate['passed'] else '✗'} {gate['name']}", seen(gate), limit(gate)) for gate in gates]
    return _abreast(cells, GATES_ABREAST, ("gate", ">seen", ">limit"))


def signals_table(view: View) -> Table:
    """Return all signals, rounded, three abreast."""
    cells = [(name, number(value, 4)) for name, value in view["signals"].items()]
    return _abreast(cells, SIGNALS_ABREAST, ("signal", ">value"))


def _abreast(cells: Sequence[tuple[str, ...]], times: int, names: Sequence[str]) -> Table:
    """Return cells in columns beside each other, each column filled before the next."""
    height = -(-len(cells) // times)
    empty = ("",) * len(names)
    rows = [
        tuple(
            text
            for column in range(times)
            for text in (cells[column * height + row] if column * height + row < len(cells) else empty)
        )
        for row in range(height)
    ]
    return Table(columns=columns(*tuple(names) * times), rows=tuple(rows))


def end_lines(view: View) -> list[str]:
    """Return shadow cards and the hashes by which the decision can be checked."""
    rows = [("shadow", f"{name}: {_shadow_words(shadow)}") for name, shadow in view["shadows"].items()]
    rows += [
        ("bars", f"hash {view['bars_hash']}"),
        ("config", f"hash {view['config_hash']}, parameters {view['parameters']}, engine {view['engine']}"),
    ]
    return pairs(rows)


def _shadow_words(shadow: View) -> str:
    words = intent_words(shadow["intent"]) if shadow["intent"] else str(shadow["action"])
    if shadow["trade"]:
        words += f"; closed a would-be trade, {multiple_of_risk(shadow['trade']['r'])} R"
    return words


def bars_table(bars: Sequence[View]) -> Table:
    """Return several bars, one row each; a bar without a decision has its reason."""
    return Table(
        columns=columns("bar", ">close", "regime", "view", "does", "why"),
        rows=tuple(_bar_row(bar) for bar in bars),
    )


def _bar_row(bar: View) -> tuple[str, ...]:
    if "reason" in bar:
        why = f"{bar['reason']}: {bar['detail']}"
        return (minute(bar["open_ms"]), NOTHING, NOTHING, NOTHING, "no decision", why)
    return (
        minute(bar["open_ms"]),
        price(bar["close"]),
        bar["regime"],
        f"{bar['direction']} {bar['confidence']:.2f}",
        bar["action"],
        _short_reason(bar),
    )


def _short_reason(view: View) -> str:
    settled = [f"{words};" for words in settled_words(view["settlement"]) if not words.startswith("funding")]
    if view["intent"]:
        return " ".join([*settled, intent_words(view["intent"]).partition(", ")[0]])
    if view["exit"]["reason"] != "none":
        return " ".join([*settled, _because(view)])
    if view["exit"]["stop_price"]:
        return " ".join([*settled, f"in position, stop {price(view['exit']['stop_price'])}"])
    names = [words.partition(" (")[0] for words in blocking(view)]
    return " ".join([*settled, f"blocked by {', '.join(names)}" if names else "no gate blocks"])


def nothing_words(symbol: str, at_ms: int | None, first_ms: int | None, last_ms: int | None) -> str:
    """Return the answer where there is no decision."""
    when = "" if at_ms is None else f" at {minute(at_ms)} UTC"
    if first_ms is None or last_ms is None:
        return f"{symbol} has no decision yet" + ("" if at_ms is None else f", so none{when}")
    return f"{symbol} has no decision{when}; first {minute(first_ms)}, last {minute(last_ms)}"
