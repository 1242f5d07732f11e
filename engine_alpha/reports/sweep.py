"""What a sweep found, beside what luck alone would have found; and the ledger of all trials."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine_alpha.kernel.profit_factor import ProfitFactor
from engine_alpha.reports.table import Table, columns
from engine_alpha.reports.words import (
    NOTHING,
    count,
    day,
    factor_value,
    gain,
    interval,
    number,
    percent,
)
from engine_alpha.times import minute

OBJECTIVES = {
    "pf_low": "the low end of PF's 95 % interval",
    "pf": "PF",
    "net": "the net result",
    "sharpe": "Sharpe",
    "net_over_drawdown": "net result over the deepest drawdown",
}
"""What a sweep can rank by, in words."""

DEFLATED_ENOUGH = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """One trial for the table: its values as text, results net of all costs, and its neighbours' factors."""

    values: tuple[str, ...]
    factor: ProfitFactor
    per_coin: Mapping[str, ProfitFactor]
    sharpe: float | None
    max_drawdown_frac: float
    neighbours: int
    median_factor: float | None
    least_factor: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """What the best of so many trials without any edge would show, and how far the best one is from it.

    `trials` counts all that were ever run of these documents (cards, or "risk") on any of these coins.
    """

    documents: tuple[str, ...]
    trials: int
    factor: float | None
    deflated_sharpe: float | None


def best_table(keys: Sequence[str], rows: Sequence[SweepRow]) -> Table:
    """Return the best trials, the best one first."""
    heads = (*(f">{key}" for key in keys), ">n", ">PF", ">95 % interval", ">net", ">Sharpe", ">drawdown")
    return Table(
        columns=columns(*heads, ">coins > 1", ">coins' PF", ">neighbours' PF"),
        rows=tuple((*row.values, *_results(row)) for row in rows),
    )


def shortened(keys: Sequence[str]) -> list[str]:
    """Return the keys without their document where that is the same for all and no part is lost by it."""
    documents = {key.partition(":")[0] for key in keys}
    return [key.partition(":")[2] for key in keys] if len(documents) == 1 else list(keys)


def value_text(value: Any) -> str:
    """Return a varied value as it is typed."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return number(value) if isinstance(value, int | float) else str(value)


def luck_lines(best: SweepRow, luck: Luck, tried: int) -> list[str]:
    """Return how the best trial stands beside luck: nobody should be fooled by the best of many."""
    now = f"{tried:,} of them now" if tried < luck.trials else "all of them now"
    of = " and ".join(luck.documents)
    trials = f"{count(luck.trials, 'trial')} of {of} on these coins were ever run ({now})"
    if luck.factor is None or best.factor.value is None:
        return [f"{trials}; PF of the best has no interval, nothing can be said of luck"]
    lines = [
        f"{trials}: the best of so many without any edge is expected at PF {luck.factor:.2f}; "
        f"the best here has {factor_value(best.factor)}{_verdict(best.factor.value, luck.factor)}"
    ]
    if luck.deflated_sharpe is not None:
        enough = "" if luck.deflated_sharpe >= DEFLATED_ENOUGH else f"; {DEFLATED_ENOUGH} would be evidence"
        lines.append(
            f"deflated Sharpe {luck.deflated_sharpe:.2f}: the probability that the best one's true Sharpe is "
            f"above what luck gives the best of so many{enough}"
        )
    return lines


def plateau_line(best: SweepRow) -> str:
    """Return what lies round the best trial."""
    if best.median_factor is None or best.least_factor is None:
        return "round the best one: no trial beside it, so whether it stands on a plateau is unknown"
    middle, least = _factor(best.median_factor), _factor(best.least_factor)
    return (
        f"round the best one: {count(best.neighbours, 'neighbour')}, PF {middle} in the middle, {least} least"
    )


def ledger_lines(known: int, lost: int, resets: int) -> list[str]:
    """Return how many trials are known, and, for ever after a reset, that there was one."""
    lines = [f"{count(known, 'trial')} in this home's ledger"]
    if resets:
        once = "once" if resets == 1 else f"{resets} times"
        lines.append(
            f"THE LEDGER WAS RESET {once}: {count(lost, 'trial')} are known to have been run before that it "
            "does not list; they count as trials of anything"
        )
    return lines


def ledger_table(groups: Sequence[Mapping[str, Any]]) -> Table:
    """Return what was tried: one row for each choice of documents, coins and span."""
    return Table(
        columns=columns("varied", "venue", "coins", "from", "to", ">sweeps", ">trials", ">no result", "last"),
        rows=tuple(_ledger_row(group) for group in groups),
    )


def _ledger_row(group: Mapping[str, Any]) -> tuple[str, ...]:
    symbols = sorted(group["symbols"])
    return (
        ", ".join(group["documents"]),
        group["venue"],
        ", ".join(symbols) if len(symbols) <= 3 else f"{symbols[0]} and {len(symbols) - 1} more",
        day(group["from_ms"]),
        day(group["to_ms"]),
        f"{group['studies']:,}",
        f"{group['trials']:,}",
        f"{group['trials'] - group['finished']:,}",
        minute(group["last_at_ms"]),
    )


def _results(row: SweepRow) -> tuple[str, ...]:
    net = row.factor.gross_profit_quote - row.factor.gross_loss_quote
    factors = [found.value for found in row.per_coin.values() if found.value is not None]
    above = sum(value > 1.0 for value in factors)
    return (
        f"{row.factor.trades:,}",
        factor_value(row.factor),
        interval(row.factor),
        gain(net),
        NOTHING if row.sharpe is None else f"{row.sharpe:.2f}",
        percent(row.max_drawdown_frac),
        f"{above} of {len(factors)}",
        f"{_factor(min(factors))} – {_factor(max(factors))}" if factors else NOTHING,
        f"{_factor(row.median_factor)} (least {_factor(row.least_factor)}, n={row.neighbours})"
        if row.median_factor is not None and row.least_factor is not None
        else NOTHING,
    )


def _factor(value: float) -> str:
    return "no losses" if math.isinf(value) else f"{value:.2f}"


def _verdict(found: float, lucky: float) -> str:
    return ", above that" if found > lucky else ": NO MORE THAN LUCK GIVES"
