"""Compare an engine's trades with the reference, one by one, and name the rule behind each difference.

Trades are matched by symbol and bar of entry. A difference counts as explained only where the rule tells the
price and the bar that the engine found, or, for the rules marked so, the bar alone.
"""

import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from benchmarks.peers.reference import Candle
from benchmarks.peers.runners.contract import CROSS, STOP, TARGET, PeerBars, PeerTrade, Rules, on_tick

Trades = list[PeerTrade]
Pair = tuple[PeerTrade | None, PeerTrade | None]  # the reference's, the engine's

UNEXPLAINED = "unexplained"
ONLY_OURS, ONLY_THEIRS = "trade of the reference alone", "trade of the engine alone"


class Case(NamedTuple):
    """Two forms of one trade, with what the bars say: the entry bar, both exit bars, the levels."""

    ours: PeerTrade
    theirs: PeerTrade
    entry_bar: Candle
    our_bar: Candle
    their_bar: Candle
    close_before: float
    close_before_exit: float
    stop: float
    target: float
    close_stop: float  # the levels as measured from the close that the signal saw
    close_target: float
    tick: float


class Comparison(NamedTuple):
    """How many trades are equal, how many differ by which rule, and the pairs no rule explains."""

    ours: int
    theirs: int
    equal: int
    by_rule: Counter[str]
    unexplained: list[Pair]


def compared(engine: str, trades: tuple[Trades, Trades], bars: PeerBars, rules: Rules) -> Comparison:
    """Match the reference's trades with the engine's and count the differences by that engine's rules."""
    mine, others = ({(trade.symbol, trade.entry_ms): trade for trade in side} for side in trades)
    by_rule: Counter[str] = Counter()
    unexplained: list[Pair] = []
    equal = 0
    for key in sorted(mine.keys() | others.keys()):
        pair = (mine.get(key), others.get(key))
        rule = _rule_of(engine, pair, bars, rules)
        if not rule:
            equal += 1
            continue
        by_rule[rule] += 1
        if rule in (UNEXPLAINED, ONLY_OURS, ONLY_THEIRS):
            unexplained.append(pair)
    return Comparison(len(mine), len(others), equal, by_rule, unexplained)


def _rule_of(engine: str, pair: Pair, bars: PeerBars, rules: Rules) -> str:
    ours, theirs = pair
    if ours is None or theirs is None:
        return ONLY_THEIRS if ours is None else ONLY_OURS
    same_times = ours.exit_ms == theirs.exit_ms and ours.reason == theirs.reason
    if (
        same_times
        and _near(ours.entry_price, theirs.entry_price)
        and _near(ours.exit_price, theirs.exit_price)
    ):
        return ""
    case = case_of(ours, theirs, bars, rules)
    return next((name for name, holds in RULES_OF[engine] if holds(case)), UNEXPLAINED)


def case_of(ours: PeerTrade, theirs: PeerTrade, bars: PeerBars, rules: Rules) -> Case:
    """Return the pair with its bars and levels."""
    place = bars.symbols.index(ours.symbol)
    entry = int(np.searchsorted(bars.open_ms, ours.entry_ms))
    leave = int(np.searchsorted(bars.open_ms, ours.exit_ms))
    tick = float(bars.tick[place])
    before = float(bars.close[place][entry - 1])
    levels = [_levels(price, tick, rules) for price in (ours.entry_price, before)]
    return Case(
        ours=ours,
        theirs=theirs,
        entry_bar=_candle(bars, place, ours.entry_ms),
        our_bar=_candle(bars, place, ours.exit_ms),
        their_bar=_candle(bars, place, theirs.exit_ms),
        close_before=before,
        close_before_exit=float(bars.close[place][leave - 1]),
        stop=levels[0][0],
        target=levels[0][1],
        close_stop=levels[1][0],
        close_target=levels[1][1],
        tick=tick,
    )


def _levels(price: float, tick: float, rules: Rules) -> tuple[float, float]:
    return (
        on_tick(price * (1.0 - rules.stop_frac), tick, math.floor),
        on_tick(price * (1.0 + rules.target_frac), tick, math.ceil),
    )


def _candle(bars: PeerBars, place: int, open_ms: int) -> Candle:
    at = int(np.searchsorted(bars.open_ms, open_ms))
    columns = (bars.open, bars.high, bars.low, bars.close)
    return Candle(open_ms, *(float(column[place][at]) for column in columns))


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * abs(a)


def _on_level(price: float, level: float, tick: float) -> bool:
    return abs(price - level) <= 1.001 * tick


def _same_bar(case: Case) -> bool:
    return case.ours.exit_ms == case.theirs.exit_ms


def _same_entry(case: Case) -> bool:
    return _near(case.ours.entry_price, case.theirs.entry_price)


def entered_at_the_close(case: Case) -> bool:
    """Say whether the engine filled the entry at the close that the signal saw, away from the next open."""
    return not _same_entry(case) and _near(case.theirs.entry_price, case.close_before)


def left_at_the_close(case: Case) -> bool:
    """Say whether the engine left at the close after which the exit was due, away from the next open."""
    same = _same_entry(case) and _same_bar(case) and case.ours.reason == case.theirs.reason == CROSS
    return same and _near(case.theirs.exit_price, case.close_before_exit)


def level_off_the_tick(case: Case) -> bool:
    """Say whether all but the last tick of the exit's price agrees."""
    same = _same_entry(case) and _same_bar(case) and case.ours.reason == case.theirs.reason
    return same and _on_level(case.ours.exit_price, case.theirs.exit_price, case.tick)


def same_open_other_name(case: Case) -> bool:
    """Say whether both left at one open, the one by its stop or target, the other by the cross."""
    at_open = _near(case.ours.exit_price, case.our_bar.open)
    return _same_bar(case) and at_open and _near(case.ours.exit_price, case.theirs.exit_price)


def target_on_the_entry_bar(case: Case) -> bool:
    """Say whether the engine took its profit on the bar it entered in."""
    inside = case.theirs.exit_ms == case.theirs.entry_ms and case.theirs.reason == TARGET
    reached = case.entry_bar.high >= case.target
    return inside and reached and _on_level(case.theirs.exit_price, case.target, case.tick)


def target_before_stop(case: Case) -> bool:
    """Say whether one bar held both and the engine took the target."""
    both = case.our_bar.low <= case.stop and case.our_bar.high >= case.target
    took = case.ours.reason == STOP and case.theirs.reason == TARGET
    return _same_bar(case) and both and took and _on_level(case.theirs.exit_price, case.target, case.tick)


def gap_beyond_the_target_at_the_open(case: Case) -> bool:
    """Say whether the engine gave the better open to a target that the market had jumped over."""
    took = case.ours.reason == TARGET and case.theirs.reason == TARGET and _same_bar(case)
    return took and case.our_bar.open > case.target and _near(case.theirs.exit_price, case.our_bar.open)


def gap_through_the_stop_at_the_stop(case: Case) -> bool:
    """Say whether the engine filled a stop at its price though the bar opened below."""
    took = case.ours.reason == STOP and case.theirs.reason == STOP and _same_bar(case)
    return took and case.our_bar.open < case.stop and _on_level(case.theirs.exit_price, case.stop, case.tick)


def inside_before_the_open(case: Case) -> bool:
    """Say whether the engine looked at stop and target before the exit that was due at the open."""
    if not (_same_bar(case) and case.ours.reason == CROSS):
        return False
    stopped = case.our_bar.low <= case.stop and _on_level(
        case.theirs.exit_price, min(case.stop, case.our_bar.open), case.tick
    )
    taken = case.our_bar.high >= case.target and _on_level(
        case.theirs.exit_price, max(case.target, case.our_bar.open), case.tick
    )
    return (case.theirs.reason == STOP and stopped) or (case.theirs.reason == TARGET and taken)


def entry_bar_not_looked_at(case: Case) -> bool:
    """Say whether the stop lay inside the entry bar and the engine stayed in (the bar alone is told)."""
    return (
        case.ours.reason == STOP
        and case.ours.exit_ms == case.ours.entry_ms
        and case.theirs.exit_ms > case.theirs.entry_ms
    )


def touched_not_passed(case: Case) -> bool:
    """Say whether the bar touched the target within 0.5 bp and the engine waited (the bar alone is told)."""
    touched = case.ours.reason == TARGET and case.our_bar.high <= case.target * 1.00005
    return touched and case.theirs.exit_ms >= case.ours.exit_ms


def levels_from_the_close(case: Case) -> bool:
    """Say whether stop and target hung on the close that the signal saw, not on the fill.

    Where the engine left at such a level the price is told; where it stayed longer, the level it stayed for.
    """
    if not _same_entry(case) or _near(case.close_before, case.ours.entry_price):
        return False
    low, high = min(case.close_stop, case.their_bar.open), max(case.close_target, case.their_bar.open)
    if case.theirs.reason == STOP:
        return _on_level(case.theirs.exit_price, low, case.tick)
    if case.theirs.reason == TARGET:
        return _on_level(case.theirs.exit_price, case.close_target, case.tick) or _near(
            case.theirs.exit_price, high
        )
    stayed = case.ours.reason == STOP and case.our_bar.low > case.close_stop
    return stayed or (case.ours.reason == TARGET and case.our_bar.high < case.close_target)


def whole_bar_beyond_the_target(case: Case) -> bool:
    """Say whether the bar lay beyond the target as a whole and the engine filled at its low."""
    took = case.ours.reason == TARGET and case.theirs.reason == TARGET and _same_bar(case)
    return took and case.our_bar.low > case.target and _near(case.theirs.exit_price, case.our_bar.low)


def tick_told_by_the_candles(case: Case) -> bool:
    """Say whether the level stands on a tick 1, 10 or 100 times ours, and so perhaps on another bar."""
    if not _same_entry(case) or case.theirs.reason == CROSS:
        return False
    price, level = case.theirs.exit_price, case.stop if case.theirs.reason == STOP else case.target
    ticks = [case.tick * coarser for coarser in (1.0, 10.0, 100.0)]
    return any(
        tick <= 1e-3 * price and _on_level(price, level, tick) and _near(price, round(price / tick) * tick)
        for tick in ticks
    )


ENTRY_AT_CLOSE = ("entry filled at the close the signal saw", entered_at_the_close)
EXIT_AT_CLOSE = ("exit filled at the close the signal saw", left_at_the_close)
OTHER_NAME = ("same open and price, other name", same_open_other_name)
TICK_OFF = ("stop or target not put on the tick", level_off_the_tick)
ENTRY_BAR_TARGET = ("profit taken on the entry bar", target_on_the_entry_bar)
TARGET_FIRST = ("target before stop in one bar", target_before_stop)
TARGET_GAP = ("gap beyond the target fills at the open", gap_beyond_the_target_at_the_open)
STOP_GAP = ("gap through the stop fills at the stop", gap_through_the_stop_at_the_stop)
INSIDE_FIRST = ("stop or target before the exit at the open", inside_before_the_open)
ENTRY_BAR_STOP = ("stop inside the entry bar not looked at", entry_bar_not_looked_at)
FROM_CLOSE = ("stop and target measured from the signal's close", levels_from_the_close)
TOUCHED = ("target touched, not passed", touched_not_passed)
BEYOND = ("bar beyond the target fills at its low", whole_bar_beyond_the_target)
CANDLE_TICK = ("tick as the candles' decimals tell it", tick_told_by_the_candles)

# What each engine does otherwise than the reference, in the order asked. Chloe: nothing.
RULES_OF: dict[str, tuple[tuple[str, Callable[[Case], bool]], ...]] = {
    "chloe": (),
    "vectorbt": (OTHER_NAME, TICK_OFF, TARGET_GAP, INSIDE_FIRST, ENTRY_BAR_STOP),
    "backtesting": (OTHER_NAME, FROM_CLOSE, TICK_OFF, ENTRY_BAR_TARGET, TARGET_GAP),
    "nautilus": (OTHER_NAME, ENTRY_BAR_TARGET, TARGET_FIRST),
    "freqtrade": (TICK_OFF, ENTRY_BAR_TARGET, STOP_GAP, BEYOND, CANDLE_TICK, TOUCHED),
    "jesse": (ENTRY_AT_CLOSE, EXIT_AT_CLOSE, OTHER_NAME, ENTRY_BAR_TARGET, TARGET_FIRST, TARGET_GAP),
}
