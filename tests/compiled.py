"""The kernel compiled by Numba for tests: the same function objects, one loop round them, one asset.

The compiled road proper belongs to `engine_alpha.backtest`; this shows that the kernel stays in the subset.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any, get_type_hints

import numba
import numpy as np
from numba.extending import register_jitable

import engine_alpha.kernel as kernel_package
from engine_alpha.domain.bars import Bars
from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.ledger import tallied_entry, tallied_trade
from engine_alpha.kernel.money import NO_OTHERS, new_account, new_sub_account
from engine_alpha.kernel.signals import TREND_SCORE, VOLATILITY_RANK_384
from engine_alpha.kernel.values import (
    Bar,
    Card,
    Condition,
    Facts,
    Features,
    Purse,
    Record,
    Rules,
    Tally,
    Tier,
)

COLUMNS = 26
_registered: list[bool] = []


def register_kernel() -> None:
    """Let Numba compile every kernel function where another compiled one calls it."""
    if _registered:
        return
    _registered.append(True)
    for info in pkgutil.iter_modules(kernel_package.__path__):
        if info.name in ("signals", "profit_factor"):
            continue
        module = importlib.import_module(f"engine_alpha.kernel.{info.name}")
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__:
                register_jitable(function)


def dtype_of(kind: type) -> np.dtype:
    """Return the record type of a NamedTuple of ints and floats."""
    hints = get_type_hints(kind).items()
    return np.dtype([(name, np.int64 if hint is int else np.float64) for name, hint in hints])


def as_records(values: Any, kind: type) -> np.ndarray:
    """Return NamedTuples as an array of records, readable by the same attribute names."""
    return np.array([tuple(value) for value in values], dtype=dtype_of(kind))


def as_arrays(rules: Rules) -> Rules:
    """Return the rules as the compiled form takes them."""
    return Rules(
        rules.asset._replace(tiers=as_records(rules.asset.tiers, Tier)),
        rules.risk,
        rules.parameters._replace(weights=np.array(rules.parameters.weights, dtype=np.float64)),
        as_records(rules.cards, Card),
        as_records(rules.conditions, Condition),
    )


def row_of(record: Record, number: int) -> tuple[float, ...]:
    """Return the numbers by which two roads are compared."""
    d, s = record.decision, record.settlement
    passed = 0.0
    for verdict in d.gates:
        passed = passed * 2.0 + verdict.passed
    shared = 0.0
    seen = 0.0
    for verdict in d.allocation:
        shared = shared * 2.0 + verdict.passed
        if verdict.seen == verdict.seen:
            seen += verdict.seen
    return (
        float(number), float(d.opinion.regime), d.opinion.score, d.opinion.coverage, float(d.action),
        float(d.card), d.size.quantity_base, d.size.risk_quote, d.size.unclipped_base,
        float(d.exit.reason), d.exit.stop_price, passed, shared, seen, d.pending.decided_price,
        d.pending.stop_quote, s.funding_quote, s.entry.price, s.entry.fee_quote, s.exit.price,
        float(s.exit.reason), s.trade.net_quote, s.trade.r, s.trade.risk_quote, s.trade.other_net_quote,
        record.equity_quote,
    )  # fmt: skip


def run_plain(rules: Rules, bars: Bars, table: np.ndarray, first: int) -> np.ndarray:
    """Play bars[first:] through `advance` as plain Python; return one row of `row_of` per bar."""
    purse = Purse(
        new_sub_account(rules.asset.start_quote),
        new_account(rules.risk.account_start_quote),
        NO_OTHERS,
        [Tally(0, 0.0, 0.0, 0.0, 0.0, 0, 0)] * len(rules.cards),
    )
    rows = []
    trend, volatility = table[:, TREND_SCORE].tolist(), table[:, VOLATILITY_RANK_384].tolist()
    for t in range(first, len(bars)):
        bar = bar_at(bars, t)
        before = tuple(table[t - 1].tolist())
        features = Features(tuple(table[t].tolist()), before, trend, volatility, t, FACTS)
        purse, record = advance(purse, rules, bar, features)
        trade, decision = record.settlement.trade, record.decision
        if trade.side != 0:
            purse.tallies[trade.card] = tallied_trade(purse.tallies[trade.card], trade)
        if decision.pending.side != 0:
            purse.tallies[decision.card] = tallied_entry(purse.tallies[decision.card], bar.close_ms)
        rows.append(row_of(record, bar.number))
    return np.array(rows)


FACTS = Facts(0, 960, 0.0, 0, 1, 1, 0, 0, 1.0)


def bar_at(bars: Bars, t: int) -> Bar:
    """Return bar t as the kernel's value, without funding."""
    open_ms = int(bars.open_ms[t])
    prices = [float(column[t]) for column in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
    number = open_ms // bars.timeframe_ms
    return Bar(number, open_ms, open_ms + bars.timeframe_ms, *prices, prices[1], prices[2], 0.0, 0.0, 0, ())


def compiled_run() -> Callable[..., np.ndarray]:
    """Return the compiled twin of `run_plain`: (rules as arrays, columns, table, first, tallies) -> rows."""
    register_kernel()
    row = register_jitable(row_of)

    @numba.njit(fastmath=False)
    def run(rules, open_ms, prices, frame_ms, table, first, tallies):  # noqa: PLR0913
        n = len(open_ms)
        rows = np.empty((n - first, COLUMNS))
        purse = Purse(
            new_sub_account(rules.asset.start_quote),
            new_account(rules.risk.account_start_quote),
            NO_OTHERS,
            tallies,
        )
        minutes = np.empty((0, 4))
        trend = table[:, TREND_SCORE]
        volatility = table[:, VOLATILITY_RANK_384]
        for t in range(first, n):
            p = prices[t]
            bar = Bar(
                open_ms[t] // frame_ms, open_ms[t], open_ms[t] + frame_ms,
                p[0], p[1], p[2], p[3], p[4], p[1], p[2], 0.0, 0.0, 0, minutes,
            )  # fmt: skip
            features = Features(table[t], table[t - 1], trend, volatility, t, FACTS)
            purse, record = advance(purse, rules, bar, features)
            trade, decision = record.settlement.trade, record.decision
            if trade.side != 0:
                store(tallies, trade.card, tallied_trade(tally_at(tallies, trade.card), trade))
            if decision.pending.side != 0:
                store(tallies, decision.card, tallied_entry(tally_at(tallies, decision.card), bar.close_ms))
            values = row(record, bar.number)
            for k in range(COLUMNS):
                rows[t - first, k] = values[k]
        return rows

    return run


@register_jitable
def tally_at(tallies: Any, i: int) -> Tally:
    """Return one tally of the array as a value."""
    t = tallies[i]
    return Tally(
        t.trades, t.gross_profit_quote, t.gross_loss_quote, t.net_quote, t.peak_quote, t.day, t.entries_today
    )


@register_jitable
def store(tallies: Any, i: int, tally: Tally) -> None:
    """Write one tally into the array."""
    tallies[i].trades = tally.trades
    tallies[i].gross_profit_quote = tally.gross_profit_quote
    tallies[i].gross_loss_quote = tally.gross_loss_quote
    tallies[i].net_quote = tally.net_quote
    tallies[i].peak_quote = tally.peak_quote
    tallies[i].day = tally.day
    tallies[i].entries_today = tally.entries_today
