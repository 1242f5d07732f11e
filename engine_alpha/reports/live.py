"""What one asset's real orders stand at, as rows and sentences, from its parsed state in the journal."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any

from engine_alpha.domain.orders import OPEN, UNRESOLVED
from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import NOTHING, count
from engine_alpha.times import minute

STATE_PREFIX = "live/"
WIDTH = 118
AGREES, DUST, WAITING, FOREIGN, UNEXPLAINED = "agrees", "dust", "waiting", "foreign", "unexplained"
FROZEN, LEAVING, ORDERED, UNPROTECTED, HOLDING, FLAT, UNSEEN = (
    "frozen",
    "leaving",
    "order open",
    "no stop",
    "holding",
    "flat",
    "not stepped yet",
)

_SENTENCES = {
    AGREES: "our books and the venue agree",
    DUST: "what is left of the position is smaller than the venue's smallest order: no order can close it. "
    "Close it on the venue's own page; entries wait until it is gone",
    WAITING: "books and venue differ while an order's outcome or its fills are on their way: nothing is "
    "entered meanwhile. Wait for the next tick; if it stays so, look at the order on the venue's page",
    FOREIGN: "somebody else trades {symbol} on this account: {foreign_base} is not ours and is not touched. "
    "Close it on the venue's page, or give Chloe a sub-account of its own; entries wait until it is gone",
    UNEXPLAINED: "the venue holds {venue_base}, our books say {known_base}, and no execution explains the "
    "difference: nothing is entered, the stop stays. Compare with the venue's trade history; the next tick "
    "that finds both equal lets entries through, and chloe flatten {symbol} takes the venue's word for it: "
    "what is missing is booked as closed by hand at the last close",
}


def never_ordered(symbol: str) -> dict[str, Any]:
    """Return the view of an asset that was stepped and has never ordered anything."""
    return {
        "symbol": symbol,
        "stage": FLAT,
        "position_base": "0",
        "verdict": AGREES,
        "frozen": "",
        "leave": "",
        "unprotected_ms": 0,
    }


def live_view(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a person asks of one asset's live state, as plain values; quantities stay exact strings."""
    ours, foreign = Decimal(stored["ours_base"]), Decimal(stored["foreign_base"])
    orders = [_order_view(order) for order in stored["orders"]]
    working = [order for order in orders if order["open"] or order["awaits_fills"]]
    protection = stored["protection"]
    view = {
        "symbol": stored["symbol"],
        "venue": stored["venue"],
        "position_base": stored["ours_base"],
        "foreign_base": stored["foreign_base"],
        "venue_base": stored["venue_base"],
        "known_base": _plain(ours + foreign),
        "verdict": stored["verdict"],
        "frozen": stored["frozen"],
        "leave": stored["leave"],
        "orders": working,
        "stop_price": protection["stop_price"] if protection and ours else None,
        "target_price": (protection["target_price"] or None) if protection and ours else None,
        "protected_base": protection["quantity_base"] if protection and ours else None,
        "naked_since_ms": stored["naked_since_ms"] or None,
        "unprotected_ms": stored["unprotected_ms"],
        "read_to_ms": stored["read_to_ms"] or None,
    }
    return {**view, "stage": _stage(view, ours)}


def _order_view(order: Mapping[str, Any]) -> dict[str, Any]:
    intent = order["intent"]
    return {
        **{name: intent[name] for name in ("client_id", "leg", "side", "quantity_base", "reason")},
        "status": order["status"],
        "filled_base": order["filled_base"],
        "sent_ms": order["sent_ms"] or None,
        "open": order["status"] in OPEN,
        "unresolved": order["status"] in UNRESOLVED,
        "awaits_fills": Decimal(order["told_base"]) > Decimal(order["filled_base"]),
    }


def _stage(view: Mapping[str, Any], ours: Decimal) -> str:
    if view["frozen"] or view["verdict"] in (FOREIGN, UNEXPLAINED):
        return FROZEN
    if view["leave"]:
        return LEAVING
    if ours and view["stop_price"] is None:
        return UNPROTECTED
    if ours:
        return HOLDING
    return ORDERED if view["orders"] else FLAT


def is_well(view: Mapping[str, Any]) -> bool:
    """Say whether nobody has to look at the asset."""
    return view["stage"] not in (FROZEN, UNPROTECTED) and view["verdict"] in (AGREES, WAITING)


def standings_table(views: Sequence[Mapping[str, Any]]) -> Table:
    """Return one row per asset of what stands by our books and at the venue."""
    heads = columns(
        "asset",
        "venue",
        "stage",
        ">position",
        ">at the venue",
        ">not ours",
        ">stop",
        "no stop for",
        "verdict",
    )
    return Table(
        columns=heads,
        rows=tuple(
            (
                view["symbol"],
                view["venue"],
                view["stage"],
                position_words(view["position_base"]),
                position_words(view["venue_base"]),
                _amount(view["foreign_base"]),
                view["stop_price"] or NOTHING,
                span_words(view["unprotected_ms"]),
                view["verdict"],
            )
            for view in views
        ),
    )


def armed_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return one row per asset that is armed, or that still has something open."""
    heads = columns(
        "asset", "environment", "venue", "armed since", ">size", "stage", ">position", ">stop", "no stop for"
    )
    return Table(
        columns=heads,
        rows=tuple(
            (
                row["symbol"],
                row["environment"],
                row["venue"] or NOTHING,
                minute(row["armed_ms"]) if row["armed_ms"] is not None else "not armed",
                NOTHING if row["size_factor"] is None else f"{100 * row['size_factor']:g} %",
                row["stage"],
                position_words(row["position_base"]),
                row["stop_price"] or NOTHING,
                span_words(row["unprotected_ms"]),
            )
            for row in rows
        ),
    )


def trouble_lines(view: Mapping[str, Any]) -> list[str]:
    """Return what stands in the way of an asset, a line each; nothing where all is well."""
    lines = []
    if view["frozen"]:
        lines.append(f"frozen: {view['frozen']}")
    elif view["stage"] == FROZEN:
        lines.append(f"frozen: {verdict_words(view)}")
    if view["leave"]:
        lines.append(f"leaves at market: {view['leave']}")
    if view["stage"] == UNPROTECTED:
        since = view["naked_since_ms"]
        lines.append("no stop was seen at the venue" + (f" since {minute(since)} UTC" if since else ""))
    return wrapped(view["symbol"], lines)


def order_lines(view: Mapping[str, Any]) -> list[str]:
    """Return the orders that are open, or whose fills have not all come, a line each."""
    lines = []
    for order in view["orders"]:
        line = f"{view['symbol']}  {order['leg']} {order['side']} {order['quantity_base']}: {order['status']}"
        line += f", {order['filled_base']} filled" if Decimal(order["filled_base"]) else ""
        line += f", sent {minute(order['sent_ms'])}" if order["sent_ms"] else ", not sent yet"
        lines.append(f"{line}, id {order['client_id']}")
    return lines


def explained_lines(view: Mapping[str, Any]) -> list[str]:
    """Return what each thing about an asset means and what to do about it, in sentences."""
    lines = [f"{view['verdict']}: {verdict_words(view)}"]
    if view["frozen"]:
        lines.append(f"frozen: {view['frozen']}. Exits and the stop go on; nothing is entered")
    unresolved = sum(1 for order in view["orders"] if order["unresolved"])
    if unresolved:
        lines.append(
            f"{count(unresolved, 'order')} of unknown outcome: looked up by id at every tick, never sent "
            "again before it is known. Nothing to do"
        )
    waiting = sum(1 for order in view["orders"] if order["awaits_fills"])
    if waiting:
        lines.append(f"{count(waiting, 'order')} with fills that have not come yet: read at every tick")
    if view["stage"] == UNPROTECTED:
        lines.append(
            "the position has no stop that was seen at the venue: the engine sets it, and closes the "
            "position when that takes longer than live.naked_limit_ms. If no engine runs: start it, or close "
            "the position on the venue's page"
        )
    if view["leave"]:
        lines.append(f"the position is being closed at market ({view['leave']}). Nothing to do")
    return wrapped(view["symbol"], lines)


def wrapped(symbol: str, lines: Sequence[str]) -> list[str]:
    """Return lines about an asset, its name in front, broken where they are long."""
    name = f"{symbol}  "
    return [part for line in lines for part in wrap(name + line, WIDTH, subsequent_indent=" " * len(name))]


def verdict_words(view: Mapping[str, Any]) -> str:
    """Return what a verdict means and what to do; a word of a newer version as it is."""
    verdict = str(view["verdict"])
    return _SENTENCES[verdict].format_map(view) if verdict in _SENTENCES else verdict


def position_words(quantity_base: str | None) -> str:
    """Return a signed quantity as people say it: long 0.5, short 2, flat; a dash for unknown."""
    if quantity_base is None:
        return NOTHING
    quantity = Decimal(quantity_base)
    if not quantity:
        return "flat"
    return f"{'long' if quantity > 0 else 'short'} {_plain(abs(quantity))}"


def span_words(span_ms: int | None) -> str:
    """Return a short span of time: 0 s, 1.2 s, 3 min; a dash for unknown."""
    if span_ms is None:
        return NOTHING
    if span_ms < 120_000:
        return f"{span_ms / 1_000:.1f} s".replace(".0 s", " s")
    return f"{span_ms / 60_000:.0f} min"


def _amount(quantity_base: str) -> str:
    return _plain(Decimal(quantity_base)) if Decimal(quantity_base) else NOTHING


def _plain(value: Decimal) -> str:
    """Return a decimal without exponent and without zeros at its end."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
