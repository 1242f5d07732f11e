"""Small scenes for kernel tests: a clear opinion, an open position, a few bars played in order."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Bars, Funding
from engine_alpha.domain.lookback import first_open_ms
from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.ledger import tallied_entry, tallied_trade
from engine_alpha.kernel.money import FLAT, NO_PENDING, new_account, new_sub_account
from engine_alpha.kernel.signals import (
    ATR_14,
    BOLLINGER_Z,
    CHANNEL_120,
    CHANNEL_240,
    CHANNEL_480,
    DI_SPREAD,
    DIRECTIONAL,
    EMA_SPREAD_20_40,
    MACD_HISTOGRAM,
    MOMENTUM_168,
    MOMENTUM_336,
    MONEY_FLOW_48,
    RANGE_336,
    SIGNALS,
    TREND_SCORE,
    VOLATILITY_RANK_384,
)
from engine_alpha.kernel.values import (
    Bar,
    Features,
    Pending,
    Position,
    Purse,
    Record,
    Rules,
    SubAccount,
)
from tests.makers import HOUR_MS, a_bar, a_purse, facts, features, signal_table

NAN = float("nan")
DAY_START = 1_008  # a bar number at which a UTC day begins: 42 * 24

RISING: dict[int, float] = {
    EMA_SPREAD_20_40: 4.0,
    MOMENTUM_168: 4.0,
    MOMENTUM_336: 4.0,
    DI_SPREAD: 1.0,
    MACD_HISTOGRAM: 1.0,
    MONEY_FLOW_48: 0.4,
    CHANNEL_120: 1.0,
    CHANNEL_240: 1.0,
    CHANNEL_480: 1.0,
    ATR_14: 1.0,
    RANGE_336: 1.0,
}
FALLING = {code: -value if SIGNALS[code].kind == DIRECTIONAL else value for code, value in RISING.items()}
QUIET = {ATR_14: 1.0, RANGE_336: 1.0}
STRETCHED = {BOLLINGER_Z: 3.0, ATR_14: 1.0, RANGE_336: 1.0}


def seen_as(side: int, **changes: Any) -> Features:
    """Return features under which every present vote points to `side`."""
    return features({1: RISING, -1: FALLING, 0: QUIET}[side], **changes)


def a_position(side: int = 1, **changes: Any) -> Position:
    """Return 2 units entered at 100 on bar 999, the stop 10 away, with no liquidation price."""
    return FLAT._replace(
        side=side,
        quantity_base=2.0,
        entry_price=100.0,
        entry_ms=999 * HOUR_MS,
        entry_index=999,
        stop_price=100.0 - 10.0 * side,
        first_stop_price=100.0 - 10.0 * side,
        risk_quote=20.0,
    )._replace(**changes)


def a_pending(side: int = 1, **changes: Any) -> Pending:
    """Return an entry of 2 units decided at 100 on bar 999, its stop 10 away."""
    return NO_PENDING._replace(
        side=side,
        quantity_base=2.0,
        decided_price=100.0,
        decided_index=999,
        stop_quote=10.0,
        risk_quote=20.0,
        confidence=0.5,
    )._replace(**changes)


def a_sub(start_quote: float = 1_000.0, **changes: Any) -> SubAccount:
    """Return a sub-account marked at 100 on bar 999."""
    return new_sub_account(start_quote)._replace(mark_price=100.0, last_index=999)._replace(**changes)


def bars_of(*prices: tuple[float, float, float, float], first: int = 1_000) -> list[Bar]:
    """Return bars from (open, high, low, close), the marks equal to high and low."""
    return [a_bar(first + i, open=o, high=h, low=low, close=c) for i, (o, h, low, c) in enumerate(prices)]


def play(rules: Rules, steps: Iterable[tuple[Bar, Features]], purse: Purse) -> tuple[Purse, list[Record]]:
    """Advance through the steps as the callers do: tallies are entered after each bar."""
    tallies = list(purse.tallies)
    purse = purse._replace(tallies=tallies)
    records = []
    for bar, seen in steps:
        purse, record = advance(purse, rules, bar, seen)
        trade, decision = record.settlement.trade, record.decision
        if trade.side != 0:
            tallies[trade.card] = tallied_trade(tallies[trade.card], trade)
        if decision.pending.side != 0:
            tallies[decision.card] = tallied_entry(tallies[decision.card], bar.close_ms)
        records.append(record)
    return purse, records


def fresh_purse(rules: Rules) -> Purse:
    """Return the purse a run of these rules starts with."""
    return a_purse(cards=len(rules.cards))._replace(
        sub=new_sub_account(rules.asset.start_quote), account=new_account(rules.risk.account_start_quote)
    )


def kernel_bar(bars: Bars, t: int, funding_open_frac: float = 0.0, funding_inside_frac: float = 0.0) -> Bar:
    """Return bar t of the columns as the kernel's value."""
    open_ms = int(bars.open_ms[t])
    prices = [float(column[t]) for column in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
    number = open_ms // bars.timeframe_ms
    return Bar(
        number, open_ms, open_ms + bars.timeframe_ms, *prices, prices[1], prices[2],
        funding_open_frac, funding_inside_frac, 0, (),
    )  # fmt: skip


def window_of(bars: Bars, funding: Funding, first_ms: int, end_ms: int) -> np.ndarray:
    """Return the signal table of the bars and the funding between two times."""
    kept = (funding.settled_ms >= first_ms) & (funding.settled_ms <= end_ms)
    cut = Funding(
        settled_ms=funding.settled_ms[kept],
        rate_frac=funding.rate_frac[kept],
        from_ms=funding.from_ms,
        to_ms=funding.to_ms,
    )
    return signal_table(bars.between(first_ms, end_ms), cut)


def features_of(table: np.ndarray, at: int) -> Features:
    """Return row `at` of a window's table as features."""
    return Features(
        row=tuple(table[at].tolist()),
        before=tuple(table[at - 1].tolist()),
        trend=table[:, TREND_SCORE].tolist(),
        volatility=table[:, VOLATILITY_RANK_384].tolist(),
        at=at,
        facts=facts(window_bars=at + 1),
    )


def block_features(bars: Bars, funding: Funding, first: int = 0) -> list[tuple[Bar, Features]]:
    """Return every bar from place `first` on that has its whole window, with features cut from blocks."""
    steps: list[tuple[Bar, Features]] = []
    anchor, end_ms = -1, int(bars.open_ms[-1]) + bars.timeframe_ms
    table = np.empty((0, 0))
    columns: tuple[list[float], list[float]] = ([], [])
    for t in range(first, len(bars)):
        open_ms = int(bars.open_ms[t])
        start = first_open_ms(open_ms, bars.timeframe_ms)
        if start < bars.open_ms[0]:
            continue
        if start != anchor:
            anchor = start
            table = window_of(bars, funding, start, min(end_ms, start + 960 * bars.timeframe_ms))
            columns = (table[:, TREND_SCORE].tolist(), table[:, VOLATILITY_RANK_384].tolist())
        at = (open_ms - start) // bars.timeframe_ms
        before = tuple(table[at - 1].tolist())
        seen = Features(tuple(table[at].tolist()), before, *columns, at, facts(window_bars=at + 1))
        steps.append((kernel_bar(bars, t), seen))
    return steps


def window_features(bars: Bars, funding: Funding, t: int) -> Features:
    """Return bar t's features from its own single window, as the live step computes them."""
    start = first_open_ms(int(bars.open_ms[t]), bars.timeframe_ms)
    table = window_of(bars, funding, start, int(bars.open_ms[t]) + bars.timeframe_ms)
    return features_of(table, len(table) - 1)


def eight_hourly(bars: Bars, seed: int = 1) -> Funding:
    """Return seeded funding every 8 hours over the bars."""
    times = bars.open_ms[bars.open_ms % (8 * HOUR_MS) == 0]
    rates = np.random.default_rng(seed).normal(0.0001, 0.0003, len(times))
    return Funding(
        settled_ms=times, rate_frac=rates, from_ms=int(bars.open_ms[0]), to_ms=int(bars.close_ms[-1])
    )
