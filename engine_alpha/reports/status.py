"""The one screen of `chloe status`, from plain values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import NOTHING, count, gain, hour, minute, money, percent, price

WIDTH = 118
UNBROKEN = "\N{NO-BREAK SPACE}"


def account_lines(account: Mapping[str, Any]) -> list[str]:
    """Return the account's line, and one more where entries are stopped."""
    lines = [
        f"equity {money(account['equity_quote'])} {account['quote_ccy']}"
        f" · today {gain(account['day_profit_quote'])}"
        f" · drawdown {percent(account['drawdown_frac'])}"
        f" · PF {account['pf']} · {count(account['positions'], 'position')}"
    ]
    if account["halted"]:
        lines.append(f"HALTED by a person: {account['halt_reason']}; entries again with: chloe resume")
    if account["wish"] is not None:
        verb = "halt" if account["wish"] else "resume"
        lines.append(f"{verb} asked for: the next tick takes it up")
    if account["drawdown_halted"]:
        lines.append("HALTED by the account's drawdown; entries again with: chloe resume")
    return lines


def assets_table(assets: Sequence[Mapping[str, Any]]) -> Table:
    """Return one row per asset."""
    return Table(
        columns=columns(
            "asset", "stage", "last bar", ">close", "regime", "view", "position", "PF", ">next close"
        ),
        rows=tuple(_asset_row(asset) for asset in assets),
    )


def _asset_row(asset: Mapping[str, Any]) -> tuple[str, ...]:
    known = asset["bar_ms"] is not None
    position, pending = asset["position"], asset["pending"]
    side = position["side"] if position else f"→ {pending['side']}" if pending else "flat"
    left = asset["next_close_minutes"]
    return (
        f"{asset['symbol']} {asset['timeframe']}".rstrip(),
        asset["stage"],
        minute(asset["bar_ms"]) if known else "never",
        price(asset["close"]) if known else NOTHING,
        asset["regime"] or NOTHING,
        f"{asset['direction']} {asset['confidence']:.2f}" if asset["direction"] else NOTHING,
        side if known else NOTHING,
        asset["pf"],
        NOTHING if left is None else f"in {left} min",
    )


def positions_table(assets: Sequence[Mapping[str, Any]]) -> Table | None:
    """Return one row per open position; None without any."""
    held = [(asset, asset["position"]) for asset in assets if asset["position"]]
    if not held:
        return None
    return Table(
        columns=columns(
            "position",
            "side",
            ">quantity",
            ">entry",
            "since",
            ">stop",
            ">target",
            ">close",
            ">unrealised",
            "card",
        ),
        rows=tuple(
            (
                asset["symbol"],
                position["side"],
                price(position["quantity_base"]),
                price(position["entry_price"]),
                minute(position["entry_ms"]),
                price(position["stop_price"]),
                price(position["target_price"]) if position["target_price"] else NOTHING,
                price(asset["close"]),
                gain(position["unrealised_quote"]),
                asset["card"] or NOTHING,
            )
            for asset, position in held
        ),
    )


def asset_lines(asset: Mapping[str, Any]) -> list[str]:
    """Return what else is to be said of an asset: refusals, pending entry, what blocks, faults."""
    lines = []
    if asset["fault"]:
        lines.append(f"{asset['stage']}: {asset['fault']}")
    if asset["pending"]:
        lines.append(pending_words(asset["pending"], asset["card"]))
    elif asset["blocked_by"] and not asset["position"]:
        lines.append("blocked by " + ", ".join(gate.replace(" ", UNBROKEN) for gate in asset["blocked_by"]))
    if asset["exit_due"]:
        lines.append(f"leaves at the next open: {asset['exit_due']}")
    lines += fault_words(asset["faults"])
    name = f"{asset['symbol']}  "
    indent = " " * len(name)
    parts = [part for line in lines for part in wrap(name + line, WIDTH, subsequent_indent=indent)]
    return [part.replace(UNBROKEN, " ") for part in parts]


def pending_words(pending: Mapping[str, Any], card: str | None) -> str:
    """Return a decided entry that has not been booked yet."""
    words = f"enters {pending['side']} {price(pending['quantity_base'])} by {card}, "
    words += f"provisional: fills at the open of {hour(pending['fills_at_ms'])}"
    if pending["provisional_price"] is not None:
        words += f", {price(pending['provisional_price'])} as it stands"
    return words


def fault_words(faults: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the bars since the last decision that have none: one line per reason, with its newest detail."""
    counted = Counter(fault["reason"] for fault in faults)
    newest = {fault["reason"]: fault for fault in reversed(faults)}
    return [
        f"no decision since: {reason} ({count(times, 'record')}), "
        f"last at {minute(newest[reason]['open_ms'])}: {newest[reason]['detail']}"
        for reason, times in counted.items()
    ]
