"""A faster loop for sweeps: one history, many sets of cards and limits, trades and ledger alone.

What does not depend on the set is computed once: regimes and scores. So is, once a set, whether a card may
fire on a bar. A bar on which nothing can happen, flat or holding, then only moves marks; every other bar goes
through `advance` like any. Only for histories without holes or refusals: see `is_plain`.
"""

from typing import Any, NamedTuple

import numpy as np

from engine_alpha.backtest.compiling import compiled, inlined
from engine_alpha.backtest.loop import stands_still
from engine_alpha.backtest.stepping import (
    LAST_INDEX,
    MARK_PRICE,
    SUB_PATHS,
    Where,
    World,
    bar_at,
    facts_at,
    is_calm,
    keep_held,
    load_sub,
    mark_account,
    rules_at,
    step_bar,
    sums_of,
)
from engine_alpha.backtest.world import Columns, Settings
from engine_alpha.domain.bar_checks import FROZEN_BARS, JUMP_FACTOR
from engine_alpha.domain.bars import Ints
from engine_alpha.kernel.cards import entry_side
from engine_alpha.kernel.codes import ACTIVE
from engine_alpha.kernel.confidence import view_of
from engine_alpha.kernel.exits import all_hold, trailed_stop
from engine_alpha.kernel.regime import regime_of
from engine_alpha.kernel.settle import marked
from engine_alpha.kernel.values import Bar, Facts, Features, Position, Rules, View, Votes
from engine_alpha.step.asset_step import SETTLE_EXIT_MS

PEAK, UNKNOWN_BARS, STOP = (
    SUB_PATHS.index(f".{name}") for name in ("peak_quote", "funding_unknown_bars", "position.stop_price")
)
NAN = float("nan")
NO_VOTES = Votes(NAN, NAN, NAN, NAN, NAN)
NO_FACTS = Facts(0, 0, 0.0, 0, 0, 0, 0, 0, 0.0)


class Skim(NamedTuple):
    """What is known of each bar before any set of parameters is played."""

    regime: Any
    direction: Any
    score: Any
    covered: Any  # 1 where some vote could be cast
    fires: Any  # 1 where a card of this set may fire


def is_plain(bars: Columns, settings: Settings, due: Ints) -> bool:
    """Say whether every due bar is there, possible, listed, and refused by nobody."""
    for a in range(len(settings.frame_ms)):
        rows = slice(int(bars.first[a]), int(bars.end[a]))
        number = bars.number[rows]
        if len(number) == 0 or number[-1] != due[a, 1] - 1 or number[0] > due[a, 0]:
            return False
        frame_ms = int(settings.frame_ms[a])
        listed = settings.listed_ms[a] <= (due[a, 0] + 1) * frame_ms
        if not listed or settings.settled_ms[a] - SETTLE_EXIT_MS <= due[a, 1] * frame_ms:
            return False
        close = bars.close[rows]
        jumps = (close[1:] > close[:-1] * JUMP_FACTOR) | (close[1:] * JUMP_FACTOR < close[:-1])
        holes = number[-1] - number[0] != len(number) - 1
        if holes or bars.wrong[rows].any() or jumps.any() or _stands_still_anywhere(bars, rows):
            return False
    return True


def _stands_still_anywhere(bars: Columns, rows: slice) -> bool:
    quiet = np.flatnonzero(bars.volume[rows] <= 0.0) + rows.start + 1
    return any(stands_still(bars, end) for end in quiet.tolist() if end - rows.start >= FROZEN_BARS)


def skim_of(world: World, due: Ints) -> Skim:
    """Return regimes and scores of all bars, computed once."""
    count = len(world.bars.open_ms)
    skim = Skim(
        regime=np.zeros(count, np.int8),
        direction=np.zeros(count, np.int8),
        score=np.zeros(count),
        covered=np.zeros(count, np.int8),
        fires=np.zeros(count, np.int8),
    )
    _views(world, skim, due)
    return skim


@inlined
def features_at(bars: Columns, row: int, facts: Facts) -> Features:
    """Return a bar's features."""
    at = bars.row_at[row]
    return Features(bars.rows[at], bars.rows[at - 1], bars.trend, bars.volatility, bars.tail_at[row], facts)


def _view_rows(world: World, skim: Skim, due: Ints) -> None:
    bars = world.bars
    for a in range(len(world.settings.frame_ms)):
        rules = rules_at(world.settings, a)
        for row in range(bars.first[a], bars.end[a]):
            if bars.number[row] >= due[a, 0]:
                seen = features_at(bars, row, NO_FACTS)
                view = view_of(seen, rules.parameters, regime_of(seen, rules.parameters))
                skim.regime[row] = view.regime
                skim.direction[row] = view.direction
                skim.score[row] = view.score
                skim.covered[row] = 1 if view.coverage > 0.0 else 0


def _fire_rows(world: World, skim: Skim, due: Ints) -> None:
    """Mark the bars on which some card may fire, its record and its day aside."""
    bars = world.bars
    for a in range(len(world.settings.frame_ms)):
        rules = rules_at(world.settings, a)
        for row in range(bars.first[a], bars.end[a]):
            skim.fires[row] = 0
            if bars.number[row] >= due[a, 0]:
                seen = features_at(bars, row, NO_FACTS)
                score = skim.score[row]
                view = View(skim.regime[row], skim.direction[row], score, abs(score), 1.0, NO_VOTES)
                for i in range(len(rules.cards)):
                    card = rules.cards[i]
                    if card.status == ACTIVE and entry_side(rules, card, seen, view) != 0:
                        skim.fires[row] = 1


@inlined
def is_uneventful(position: Position, bar: Bar) -> bool:
    """Say whether a held position neither ends in this bar, nor pays or receives anything."""
    side = position.side
    if position.exit_due != 0 or bar.funding_open_frac != 0.0 or bar.funding_inside_frac != 0.0:
        return False
    worst = bar.low if side > 0 else bar.high
    best = bar.high if side > 0 else bar.low
    mark = bar.mark_low if side > 0 else bar.mark_high
    if side * (worst - position.stop_price) <= 0.0:
        return False
    if position.target_price > 0.0 and side * (best - position.target_price) >= 0.0:
        return False
    return not (position.liquidation_price > 0.0 and side * (mark - position.liquidation_price) <= 0.0)


@inlined
def is_kept(world: World, skim: Skim, rules: Rules, position: Position, row: int) -> bool:
    """Say whether the decision on this bar keeps the position: see `exits.exits_of`."""
    card = rules.cards[position.card]
    held = world.bars.number[row] - position.entry_index + 1
    if position.max_hold_bars > 0 and held >= position.max_hold_bars:
        return False
    if skim.covered[row] == 1 and position.side * skim.score[row] < card.min_confidence:
        return False
    if card.exit_end == card.exit_first:
        return True
    seen = features_at(world.bars, row, NO_FACTS)
    return bool(all_hold(rules.conditions, card.exit_first, card.exit_end, seen, position.side) == 0)


@inlined
def held_through(world: World, skim: Skim, a: int, row: int, rules: Rules) -> bool:
    """Move the marks of an uneventful bar of a held position; False, with nothing done, for any other."""
    settings, bars, state = world.settings, world.bars, world.state
    sub = load_sub(state.ints, state.floats, a, 0)
    if sub.position.side == 0 or sub.pending.side != 0:
        return False
    bar = bar_at(bars, settings.frame_ms[a], row, 0)
    if not is_uneventful(sub.position, bar) or not is_kept(world, skim, rules, sub.position, row):
        return False
    sub = marked(sub, bar, bar.funding_unknown)
    state.floats[a, STOP] = trailed_stop(sub.position, bar, rules.asset)
    state.floats[a, MARK_PRICE] = sub.mark_price
    state.floats[a, PEAK] = sub.peak_quote
    state.ints[a, LAST_INDEX] = sub.last_index
    state.ints[a, UNKNOWN_BARS] = sub.funding_unknown_bars
    keep_held(state, a, sub)
    return True


@inlined
def skim_bar(world: World, skim: Skim, a: int, now_ms: int, calm: bool) -> bool:
    """Play one bar of one asset; say whether it went through `advance` or moved what the asset holds."""
    state = world.state
    row = state.cursor[a]
    state.cursor[a] = row + 1
    world.out.steps[a] += 1
    if state.held[a, 2] == 0.0 and skim.fires[row] == 0:
        if not calm:
            mark_account(world, a, rules_at(world.settings, a), now_ms)
        return False
    rules = rules_at(world.settings, a)
    if not held_through(world, skim, a, row, rules):
        bar = bar_at(world.bars, world.settings.frame_ms[a], row, 0)
        where = Where(a, row, 0, now_ms)
        step_bar(world, where, rules, bar, facts_at(world, rules, bar, where))
    elif not is_calm(world, rules, now_ms):
        mark_account(world, a, rules, now_ms)
    return True


def _skim_ticks(world: World, skim: Skim, ticks: Ints, due: Ints) -> int:
    """Play all ticks; trades and account afterwards are those of `loop.play`."""
    bars, state, out = world.bars, world.state, world.out
    frames = world.settings.frame_ms
    for a in range(len(frames)):
        while bars.number[state.cursor[a]] < due[a, 0]:
            state.cursor[a] += 1
    rules = rules_at(world.settings, 0)
    for t in range(len(ticks)):
        calm = is_calm(world, rules, ticks[t])
        for a in range(len(frames)):
            if state.next_ms[a] == ticks[t]:
                state.next_ms[a] = ticks[t] + frames[a] if state.cursor[a] + 1 < bars.end[a] else -1
                if skim_bar(world, skim, a, ticks[t], calm):
                    calm = is_calm(world, rules, ticks[t])
        out.tick_net[t], out.tick_notional[t] = sums_of(world)
        state.total[0] = world.start_quote + out.tick_net[t]
    return len(ticks)


_views = compiled(_view_rows)
mark_fires = compiled(_fire_rows)
skim_through = compiled(_skim_ticks)
