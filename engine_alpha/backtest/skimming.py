"""A faster loop for sweeps: one history, many sets of cards and limits, trades and equity alone.

An asset that is flat is not looked at before the next bar on which a card may fire. While a position is held,
the next bar on which something happens to it is looked for once; until there only its marks move. Those bars
are settled, and only where a card may fire does the whole of `advance` run. See `foreseeing` for what is
known beforehand.
"""

from typing import Any, NamedTuple

import numpy as np

from engine_alpha.backtest.compiling import compiled, inlined
from engine_alpha.backtest.foreseeing import (
    Known,
    Skim,
    bar_of,
    facts_of,
    rules_on,
    seen_at,
    view_at,
)
from engine_alpha.backtest.outputs import keep_tally, keep_trade, load_tally, store_tally
from engine_alpha.backtest.stepping import (
    LAST_INDEX,
    MARK_PRICE,
    NEAR,
    SUB_PATHS,
    World,
    keep_held,
    load_account,
    load_sub,
    mark_account,
    others_of,
    rules_at,
    store_account,
    store_sub,
)
from engine_alpha.domain.bars import Ints
from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.exits import all_hold, exits_of, trailed_stop
from engine_alpha.kernel.gates import UNLIMITED, no_cooldown, no_loss_cluster
from engine_alpha.kernel.ledger import holding, moved, tallied_trade
from engine_alpha.kernel.money import DAY_MS, NO_PENDING
from engine_alpha.kernel.settle import marked, settle
from engine_alpha.kernel.values import Bar, Features, Position, Purse, Rules

NEVER_MS = 2**62
PEAK, UNKNOWN_BARS, STOP = (
    SUB_PATHS.index(f".{name}") for name in ("peak_quote", "funding_unknown_bars", "position.stop_price")
)


class Watch(NamedTuple):
    """Which bar of each asset is looked at next, and when it closes; and where all is calm.

    While a position is held every bar is looked at, but before `event` only its marks move. Before `calm_ms`
    and between the two of `calm_quote` the account's marks stay what they are at any equity.
    """

    row: Any
    close_ms: Any
    event: Any  # row
    fire: Any  # place among the fires
    marked: Any  # the count of changes when its account was marked last
    calm_ms: Any  # of one element
    calm_quote: Any  # of two


def watch_of(world: World, known: Known) -> Watch:
    """Return what to look at first: every asset's first fire."""
    frame_ms, number, fires = world.settings.frame_ms, world.bars.number, known.fires
    fired = fires.first < fires.end
    row = np.zeros(len(frame_ms), np.int64)
    row[fired] = fires.rows[fires.first[fired]]
    return Watch(
        row=row,
        close_ms=np.where(fired, (number[row] + 1) * frame_ms, NEVER_MS),
        event=np.full(len(frame_ms), -1),
        fire=fires.first.astype(np.int64),
        marked=np.full(len(frame_ms), -1),
        calm_ms=np.zeros(1, np.int64),
        calm_quote=np.zeros(2),
    )


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
def is_kept(world: World, known: Known, rules: Rules, position: Position, a: int, row: int) -> bool:
    """Say whether the decision on this bar keeps the position: see `exits.exits_of`."""
    skim, signals = known.skim, known.signals
    card = rules.cards[position.card]
    held = skim.number[a] + row - position.entry_index + 1
    if position.max_hold_bars > 0 and held >= position.max_hold_bars:
        return False
    if skim.covered[row] == 1 and position.side * skim.score[row] < card.min_confidence:
        return False
    if card.exit_end == card.exit_first:
        return True
    seen = seen_at(world.bars, signals, row)
    return bool(all_hold(rules.conditions, card.exit_first, card.exit_end, seen, position.side) == 0)


@inlined
def next_event(world: World, known: Known, a: int, row: int) -> int:
    """Return the first row from this one on at which the held position ends, pays, receives or may be left.

    Its stop trails until there.
    """
    state, skim = world.state, known.skim
    rules = rules_on(world, known.signals, a)
    position = load_sub(state.ints, state.floats, a, 0).position
    while row < skim.end[a]:
        bar = bar_of(world, skim, a, row)
        if not is_uneventful(position, bar) or not is_kept(world, known, rules, position, a, row):
            break
        stop = trailed_stop(position, bar, rules.asset)
        position = moved(position, stop, position.funding_quote, position.exit_due)
        row += 1
    state.floats[a, STOP] = position.stop_price
    return row


@inlined
def hold_on(world: World, skim: Skim, a: int, row: int) -> None:
    """Move the marks of a held position on which nothing else happens."""
    state, bar = world.state, bar_of(world, skim, a, row)
    sub = marked(load_sub(state.ints, state.floats, a, 0), bar, bar.funding_unknown)
    state.floats[a, MARK_PRICE] = sub.mark_price
    state.floats[a, PEAK] = sub.peak_quote
    state.ints[a, LAST_INDEX] = sub.last_index
    state.ints[a, UNKNOWN_BARS] = sub.funding_unknown_bars
    keep_held(state, a, sub)


@inlined
def settled_through(world: World, known: Known, a: int, row: int) -> bool:
    """Settle a bar and look at the exits; False, with nothing done, where a card may fire after it.

    It is what is left of `advance` where no entry can be decided.
    """
    state, rules = world.state, rules_on(world, known.signals, a)
    bar = bar_of(world, known.skim, a, row)
    sub, settlement = settle(load_sub(state.ints, state.floats, a, 0), rules.asset, rules.risk, bar)
    if sub.position.side == 0 and known.fires.here[row] == 1:
        return False
    sub = marked(sub, bar, settlement.funding_unknown)
    position = sub.position
    if position.side != 0:
        seen = seen_at(world.bars, known.signals, row)
        leaving = exits_of(position, rules, bar, seen, view_at(known.skim, rules, row))
        stop = trailed_stop(position, bar, rules.asset)
        position = moved(position, stop, position.funding_quote, leaving.reason)
    sub = holding(sub, position, NO_PENDING, 0.0, 0.0)
    store_sub(state.ints, state.floats, a, 0, sub)
    keep_held(state, a, sub)
    trade = settlement.trade
    if trade.side != 0:
        tallies = state.tallies[a]
        store_tally(tallies[trade.card], tallied_trade(load_tally(tallies[trade.card]), trade))
        keep_trade(world.out, trade, a, -1, bar.close_ms)
    return True


@inlined
def advanced(world: World, known: Known, a: int, row: int) -> None:
    """Advance an asset by a bar on which a card may fire, as `stepping.step_bar` does."""
    bars, state = world.bars, world.state
    rules, bar, at = rules_at(world.settings, a), bar_of(world, known.skim, a, row), bars.row_at[row]
    facts = facts_of(world, known.skim, rules, a, bar.number)
    seen = Features(bars.rows[at], bars.rows[at - 1], bars.trend, bars.volatility, bars.tail_at[row], facts)
    tallies = state.tallies[a]
    purse = Purse(
        load_sub(state.ints, state.floats, a, 0),
        load_account(state.account_ints, state.account_floats, 0, 0),
        others_of(world.settings, state, a),
        tallies,
    )
    purse, record = advance(purse, rules, bar, seen)
    keep_tally(tallies, record)
    store_sub(state.ints, state.floats, a, 0, purse.sub)
    store_account(state.account_ints, state.account_floats, 0, 0, purse.account)
    keep_held(state, a, purse.sub)
    if record.settlement.trade.side != 0:
        keep_trade(world.out, record.settlement.trade, a, -1, record.close_ms)


@inlined
def may_enter(world: World, skim: Skim, a: int, row: int) -> bool:
    """Say whether neither the account's halt nor the asset's rests keep a flat asset flat on this bar."""
    state, rules, bar = world.state, rules_at(world.settings, a), bar_of(world, skim, a, row)
    account = load_account(state.account_ints, state.account_floats, 0, 0)
    sub = load_sub(state.ints, state.floats, a, 0)
    if account.drawdown_halted == 1 or no_cooldown(sub, bar, rules.risk).passed == 0:
        return False
    return bool(no_loss_cluster(sub, bar, rules.risk).passed == 1)


@inlined
def is_at_ease(world: World, watch: Watch, now_ms: int) -> bool:
    """Say whether the account's marks can't change at its equity now: `stepping.is_calm`, bounds at hand."""
    total = world.state.total[0]
    return bool(now_ms < watch.calm_ms[0] and watch.calm_quote[0] < total < watch.calm_quote[1])


@inlined
def keep_calm(world: World, watch: Watch, halt_frac: float) -> None:
    """Find out where the account's marks, as they are now, stay so."""
    account = load_account(world.state.account_ints, world.state.account_floats, 0, 0)
    watch.calm_ms[0] = (account.day + 1) * DAY_MS
    watch.calm_quote[0] = account.peak_quote * (1.0 - halt_frac + 2.0 * NEAR)
    watch.calm_quote[1] = account.peak_quote * (1.0 - NEAR)
    if account.drawdown_halted == 1:
        watch.calm_quote[0] = -UNLIMITED


@inlined
def look_ahead(world: World, known: Known, watch: Watch, a: int) -> None:
    """Choose the bar to look at next: the very next one while something is held, else the next fire."""
    state, fires, end = world.state, known.fires, known.skim.end[a]
    row = watch.row[a] + 1
    if state.held[a, 2] == 0.0:
        at = watch.fire[a]
        while at < fires.end[a] and fires.rows[at] < row:
            at += 1
        watch.fire[a] = at
        row = fires.rows[at] if at < fires.end[a] else end
    elif row > watch.event[a]:
        is_open = load_sub(state.ints, state.floats, a, 0).position.side != 0
        watch.event[a] = next_event(world, known, a, row) if is_open else row
    watch.row[a] = row
    watch.close_ms[a] = NEVER_MS
    if row < end:
        watch.close_ms[a] = (known.skim.number[a] + row + 1) * world.settings.frame_ms[a]


@inlined
def mark(world: World, watch: Watch, a: int, now_ms: int) -> None:
    """Make the account's marks after a bar of an asset that is up to date itself."""
    rules = rules_at(world.settings, a)
    mark_account(world, a, rules, now_ms)
    keep_calm(world, watch, rules.risk.drawdown_halt_frac)


@inlined
def mark_again(world: World, skim: Skim, watch: Watch, a: int, now_ms: int, changes: int) -> None:
    """Make the account's marks for a bar of a flat asset, unless nothing changed since it was done last."""
    frame_ms = world.settings.frame_ms[a]
    if watch.marked[a] == changes and now_ms < watch.calm_ms[0]:
        return
    row = now_ms // frame_ms - 1 - skim.number[a]
    if now_ms % frame_ms == 0 and skim.first[a] <= row < skim.end[a]:
        mark(world, watch, a, now_ms)
        watch.marked[a] = changes


@inlined
def look_at(world: World, known: Known, watch: Watch, a: int) -> None:
    """Play the bar of an asset that is looked at."""
    holds, row, now_ms = world.state.held[a, 2] != 0.0, watch.row[a], watch.close_ms[a]
    if holds and row < watch.event[a]:
        hold_on(world, known.skim, a, row)
    elif not holds and not may_enter(world, known.skim, a, row):
        pass  # it stays flat
    elif not settled_through(world, known, a, row):
        advanced(world, known, a, row)
        keep_calm(world, watch, rules_at(world.settings, a).risk.drawdown_halt_frac)
        return
    if not is_at_ease(world, watch, now_ms):
        mark(world, watch, a, now_ms)


@inlined
def net_of(world: World) -> float:
    """Return profit and loss of all assets, in the registry's order."""
    net = 0.0
    for a in range(len(world.settings.frame_ms)):
        net += world.state.held[a, 0]
    return float(net)


def _skim_ticks(world: World, known: Known, watch: Watch, ticks: Ints, first: int) -> int:
    """Play ticks[first:] and return the next one: before the end where there is no room for more trades.

    Trades and equity are those of `loop.play`.
    """
    state, out, count = world.state, world.out, len(world.settings.frame_ms)
    net, changes = net_of(world), 0
    for a in range(count):
        watch.marked[a] = -1
    for t in range(first, len(ticks)):
        now_ms = ticks[t]
        if out.counts[1] + count > len(out.trade_owner):
            return t
        looked, calm = changes, is_at_ease(world, watch, now_ms)
        for a in range(count):
            if watch.close_ms[a] == now_ms:
                look_at(world, known, watch, a)
                look_ahead(world, known, watch, a)
                changes += 1
                calm = is_at_ease(world, watch, now_ms)
            elif not calm:
                mark_again(world, known.skim, watch, a, now_ms, changes)
                calm = is_at_ease(world, watch, now_ms)
        if changes != looked:
            net = net_of(world)
            state.total[0] = world.start_quote + net
        out.tick_net[t] = net
    return len(ticks)


skim_through = compiled(_skim_ticks)
