"""The one screen of `chloe status`, from plain values."""

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from engine_alpha.reports.live import FROZEN, UNPROTECTED, is_well
from engine_alpha.reports.table import GAP, Table, columns
from engine_alpha.reports.words import (
    NOTHING,
    clock,
    count,
    gain,
    held,
    money,
    percent,
    price,
)
from engine_alpha.times import clock_time, minute

WIDTH = 118
UNBROKEN = "\N{NO-BREAK SPACE}"
LEAST_REASON = 16  # columns left for what blocks, or the table takes its narrow form

Asset = Mapping[str, Any]


def flowing(parts: Sequence[str], width: int) -> list[str]:
    """Return parts with dots between them, a new line wherever the next one would be too wide."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines


def account_lines(account: Mapping[str, Any], at_ms: int, width: int, name: str = "") -> list[str]:
    """Return who works on the account, its money, and a line for each thing that is not as it should be.

    `name` stands in front where several accounts are shown.
    """
    lead = [name] if name else []
    if not account["account_exists"]:
        return flowing(
            [*lead, "nothing has run in this account yet", "next: chloe tick, or chloe run"], width
        )
    found = account["money"]
    engine = _engine_words(account, at_ms)
    figures = [
        f"equity {money(found['equity_quote'])} {found['quote_ccy']}",
        f"today {gain(found['day_profit_quote'])}",
        f"drawdown {percent(found['drawdown_frac'])}",
        f"PF {found['pf']}",
        count(found["positions"], "position"),
    ]
    lines = [*flowing([*lead, *engine], width), *flowing(figures, width)]
    if account["live"]:
        lines.append("booked when a bar has closed; what stands at the venues now: chloe live status")
    return [*lines, *_warnings(account, at_ms)]


def _engine_words(account: Mapping[str, Any], at_ms: int) -> list[str]:
    engine, written_ms = account["engine"], account["last_record_ms"]
    if account["rehearsal"] and engine is None:
        return ["" if written_ms is None else f"rehearsed to {minute(written_ms)}"]
    if engine is None:
        words = ["no engine runs"]
    else:
        since = engine["started"].replace("T", " ")[:16]
        words = [f"engine runs: pid {engine['pid']}" + (f" since {since}" if since else "")]
    if written_ms is not None:
        words.append(f"last record {held(max(0, at_ms - written_ms))} ago")
    return words


def _warnings(account: Mapping[str, Any], at_ms: int) -> list[str]:
    found, lines = account["money"], []
    if account["overdue"]:
        silent = held(at_ms - account["last_record_ms"])
        ask = "is chloe run running?" if account["engine"] is None else "the engine hangs; see chloe logs"
        lines.append(f"nothing written for {silent}: {ask}")
    if found["halted"]:
        lines.append(f"HALTED by a person: {found['halt_reason']}; entries again with: chloe resume")
    if found["wish"] is not None:
        verb = "halt" if found["wish"] else "resume"
        lines.append(f"{verb} asked for: the next tick takes it up")
    if found["drawdown_halted"]:
        lines.append("HALTED by the account's drawdown; entries again with: chloe resume")
    return lines


def next_close_words(assets: Sequence[Asset]) -> str:
    """Return how long until the next close, for every length of bars; "" where nothing is stepped."""
    left: dict[str, int] = {}
    for asset in assets:
        if asset["next_close_minutes"] is not None:
            left.setdefault(asset["timeframe"], asset["next_close_minutes"])
    if len(left) == 1:
        return f"next close in {next(iter(left.values()))} min"
    parts = [f"{frame} in {minutes} min" for frame, minutes in sorted(left.items(), key=lambda one: one[1])]
    return "next close: " + ", ".join(parts) if parts else ""


def severity(asset: Asset) -> tuple[int, int]:
    """Return how much an asset needs a look: 0 not at all; then for how long it has had no decision."""
    behind = -1 if asset["bar_ms"] is None else asset["bar_ms"]
    if asset["live"] is not None and not is_well(asset["live"]):
        return 5, -behind
    if asset["stage"] == "refused":
        return 4, -behind
    if asset["faults"]:
        return 3, -behind
    if asset["missing_bars"]:
        return 2, -behind
    return (1 if asset["stage"] == "close-only" else 0), -behind


def worst_asset(assets: Sequence[Asset]) -> Asset | None:
    """Return the asset that needs a look most, None if none does."""
    worst = max(assets, key=severity, default=None)
    return worst if worst is not None and severity(worst)[0] > 1 else None


def worst_words(worst: Asset | None, assets: Sequence[Asset]) -> str:
    """Return the worst asset in one line, or that there is none."""
    if worst is None:
        if not assets:
            return "no asset is enabled: chloe assets enable SYMBOL"
        return (
            "all well: "
            + ("1 asset has" if len(assets) == 1 else f"{len(assets)} assets have")
            + (" a decision on the last bar")
        )
    return f"worst: {worst['symbol']}, {trouble_words(worst)}"


def trouble_words(asset: Asset) -> str:
    """Return what is wrong with an asset."""
    live = asset["live"]
    if live is not None and not is_well(live):
        if live["stage"] == UNPROTECTED:
            return "no stop was seen at the venue: chloe reconcile --explain"
        return f"{FROZEN}: {live['frozen'] or live['verdict']}: chloe reconcile --explain"
    if asset["stage"] == "refused":
        return f"refused: {asset['fault']}"
    since = "ever" if asset["bar_ms"] is None else f"after {minute(asset['bar_ms'])}"
    if asset["faults"]:
        newest = asset["faults"][0]
        return f"no decision {since}: {newest['reason']}, {newest['detail']}"
    return f"no decision {since}, and no record of why"


def assets_table(assets: Sequence[Asset], at_ms: int, width: int | None) -> Table:
    """Return one row per asset, each one line of `width` columns; as wide as it takes for None."""
    wide = _table(assets, at_ms, _WIDE)
    if width is None:
        return wide
    if _fixed_width(wide) + LEAST_REASON <= width:
        return fitted(wide, width)
    return fitted(_table(assets, at_ms, _NARROW), width)


_WIDE = ("asset", "stage", "last bar", ">close", "regime", "view", "position", "PF", "blocked by")
_NARROW = ("asset", "stage", ">bar", "regime", "position", "PF (n)", "blocked")


def _table(assets: Sequence[Asset], at_ms: int, names: Sequence[str]) -> Table:
    """Return one row per asset; where there are several accounts, one more above those of each."""
    several = len({asset["account"] for asset in assets}) > 1
    rows: list[tuple[str, ...]] = []
    account = ""
    for asset in assets:
        if several and asset["account"] != account:
            account = asset["account"]
            rows.append((account, *([""] * (len(names) - 1))))
        cells = _cells(asset, at_ms)
        rows.append(tuple(cells[name.removeprefix(">")] for name in names))
    return Table(columns=columns(*names), rows=tuple(rows))


def _cells(asset: Asset, at_ms: int) -> dict[str, str]:
    bar_ms = asset["bar_ms"]
    return {
        "asset": f"{asset['symbol']} {asset['timeframe']}".rstrip(),
        "stage": asset["stage"],
        "last bar": "never" if bar_ms is None else minute(bar_ms)[5:],
        "bar": "never" if bar_ms is None else clock(bar_ms, at_ms),
        "close": NOTHING if asset["close"] is None else price(asset["close"]),
        "regime": asset["regime"] or NOTHING,
        "view": f"{asset['direction']} {asset['confidence']:.2f}" if asset["direction"] else NOTHING,
        "position": _position_words(asset),
        "PF": asset["pf"],
        "PF (n)": asset["pf"].replace("n=", "").replace(" (0)", ""),
        "blocked by": short_reason(asset),
        "blocked": short_reason(asset),
    }


def _position_words(asset: Asset) -> str:
    position, pending = asset["position"], asset["pending"]
    if position:
        return f"{position['side']} {gain(position['unrealised_quote'])}"
    if pending:
        return f"→ {pending['side']}"
    return NOTHING if asset["bar_ms"] is None else "flat"


def short_reason(asset: Asset) -> str:
    """Return in a few words why an asset does nothing: its trouble, else the gates that block an entry."""
    live = asset["live"]
    if live is not None and not is_well(live):
        return f"✗ {live['stage']}"
    if asset["fault"]:
        return f"{'✗ ' if asset['stage'] == 'refused' else ''}{asset['fault']}"
    if asset["faults"]:
        counted = Counter(fault["reason"] for fault in asset["faults"])
        return "✗ " + ", ".join(f"{reason} {times}×" for reason, times in counted.items())
    if asset["missing_bars"] and asset["bar_ms"] is not None:
        return f"✗ {count(asset['missing_bars'], 'bar')} without a record"
    if asset["pending"]:
        return f"enters at {clock_time(asset['pending']['fills_at_ms'])}"
    if asset["exit_due"]:
        return f"leaves: {asset['exit_due']}"
    if asset["position"]:
        return ""
    return ", ".join(words.partition(" (")[0] for words in asset["blocked_by"]) or NOTHING


def _fixed_width(table: Table) -> int:
    """Return the width of all columns but the last, with the gaps behind them."""
    names = [column.name for column in table.columns]
    every = [names, *table.rows]
    return sum(max(len(row[place]) for row in every) + len(GAP) for place in range(len(names) - 1))


def fitted(table: Table, width: int) -> Table:
    """Return the table with its last column cut so that no row is wider than `width`."""
    room = max(1, width - _fixed_width(table))
    rows = tuple((*row[:-1], cut(row[-1], room)) for row in table.rows)
    return Table(columns=table.columns, rows=rows, title=table.title, total=table.total)


def cut(text: str, width: int) -> str:
    """Return the text, its end cut off where it is too long."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def asset_lines(asset: Asset, width: int = WIDTH) -> list[str]:
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
    parts = [part for line in lines for part in wrap(name + line, width, subsequent_indent=indent)]
    return [part.replace(UNBROKEN, " ") for part in parts]


def pending_words(pending: Mapping[str, Any], card: str | None) -> str:
    """Return a decided entry that has not been booked yet."""
    words = f"enters {pending['side']} {price(pending['quantity_base'])} by {card}, "
    words += f"provisional: fills at the open of {clock_time(pending['fills_at_ms'])}"
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
