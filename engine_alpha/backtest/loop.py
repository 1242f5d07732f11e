"""The compiled loop round the kernel: ticks in order of time, assets in the registry's order.

It does what a rehearsal's tick does, refusals and catching up included: `step.asset_step`, `loop.live_step`
and `domain.bar_checks` are the pages to read beside this one, and parity tests hold the two together.
"""

from typing import NamedTuple

from engine_alpha.backtest.compiling import compiled, inlined
from engine_alpha.backtest.stepping import (
    LAST_INDEX,
    MARK_PRICE,
    Where,
    World,
    bar_at,
    facts_at,
    first_at,
    load_sub,
    rules_at,
    step_bar,
    sums_of,
)
from engine_alpha.backtest.world import OFF_GRID, SHAPELESS, UNREAL, UNSIGNED, Columns
from engine_alpha.domain.bar_checks import FROZEN_BARS, JUMP_BARS, JUMP_FACTOR
from engine_alpha.domain.bars import Floats, Ints
from engine_alpha.domain.lookback import BLOCK, WARMUP
from engine_alpha.kernel.values import Bar, Facts
from engine_alpha.step.asset_step import MAX_CATCH_UP

REASONS = (
    "empty", "off_grid", "nan", "not_positive", "impossible_bar", "impossible_mark", "absurd_jump",
    "frozen", "stale", "missing", "config",
)  # fmt: skip
"""Why a bar has no decision, in the words of `domain.bar_checks` and the step."""
EMPTY, BAD_GRID, BAD_NUMBER, BAD_SIGN, BAD_SHAPE, BAD_MARKS, JUMP, FROZEN, STALE, MISSING, UNLISTED = range(
    len(REASONS)
)


class Reach(NamedTuple):
    """The rows of one reading, [first, end), and the numbers from which bars are due and wanted."""

    asset: int
    now_ms: int
    first: int
    end: int
    due: int
    wanted: int
    first_due: int


@inlined
def refusal(bars: Columns, first: int, end: int, last_wrong: int) -> int:
    """Return why the rows [first, end) of a reading must not be decided on, -1 if they may be."""
    if end <= first:
        return EMPTY
    if last_wrong >= first:
        return int(what_is_wrong(bars, first, end))
    for row in range(max(first, end - 1 - JUMP_BARS), end - 1):
        before, after = bars.close[row], bars.close[row + 1]
        if after > before * JUMP_FACTOR or after * JUMP_FACTOR < before:
            return JUMP
    if end - first >= FROZEN_BARS and not bars.volume[end - 1] > 0.0 and stands_still(bars, end):
        return FROZEN
    return -1


@inlined
def what_is_wrong(bars: Columns, first: int, end: int) -> int:
    """Return the first reason, in the order of `bar_checks.check_history`, why some bar can't be true."""
    bits: int = 0
    for row in range(first, end):
        bits |= bars.wrong[row]
    if bits & OFF_GRID:
        return BAD_GRID
    if bits & UNREAL:
        return BAD_NUMBER
    if bits & UNSIGNED:
        return BAD_SIGN
    return BAD_SHAPE if bits & SHAPELESS else BAD_MARKS


@inlined
def stands_still(bars: Columns, end: int) -> bool:
    """Say whether the newest bars stand at one price without volume."""
    top, bottom, traded = bars.high[end - 1], bars.low[end - 1], 0.0
    for row in range(end - FROZEN_BARS, end):
        top = max(top, bars.high[row])
        bottom = min(bottom, bars.low[row])
        traded = max(traded, bars.volume[row])
    return top == bottom and traded == 0.0


@inlined
def count_missing(world: World, a: int, due: int, came: int, first_due: int) -> None:
    """Count the bars that never came, where no tick has said so yet."""
    state, out = world.state, world.out
    for number in range(max(due, came - MAX_CATCH_UP), came):
        place = number - first_due
        if place < 0 or state.missed[a, place] & 2:
            continue
        if not state.missed[a, place] & 1:
            out.refused[a, MISSING] += 1
        state.missed[a, place] |= 2


@inlined
def settlement_bar(price: float, number: int, frame_ms: int, minutes: Floats) -> Bar:
    """Return a flat bar at the last mark, for a contract that settled under a position."""
    open_ms = number * frame_ms
    return Bar(
        number, open_ms, open_ms + frame_ms,
        price, price, price, price, 0.0, price, price, 0.0, 0.0, 1, minutes,
    )  # fmt: skip


@inlined
def leave_settled(world: World, a: int, now_ms: int, newest: int, first_due: int) -> None:
    """Step flat bars at the last mark, for a contract that settled under a position: it has no price now.

    See `loop.live_step.reading_at_settlement`.
    """
    settings, state = world.settings, world.state
    frame_ms = settings.frame_ms[a]
    mark_price, due = state.floats[a, MARK_PRICE], state.ints[a, LAST_INDEX] + 1
    begin = max(due, newest - 2)
    rules = rules_at(settings, a)
    for number in range(begin, newest + 1):
        bar = settlement_bar(mark_price, number, frame_ms, world.bars.minutes[0:0])
        late = max(0, now_ms - bar.close_ms) // settings.delay_ms[0]
        facts = Facts(late, number - begin + 1, 0.0, 0, 0, 1, 1, 0, rules.risk.spread_bps)
        count_missing(world, a, due, number, first_due)
        step_bar(world, Where(a, -1, 0, now_ms), rules, bar, facts)
        due = number + 1


@inlined
def step_due(world: World, a: int, now_ms: int, first_due: int) -> None:
    """Do what a tick does for one asset whose bar closed: see `loop.live_step` and `step.asset_step`."""
    settings, bars, state, out = world.settings, world.bars, world.state, world.out
    frame_ms = settings.frame_ms[a]
    newest = now_ms // frame_ms - 1
    end = state.cursor[a]
    while end < bars.end[a] and bars.open_ms[end] + frame_ms <= now_ms:
        if bars.wrong[end] != 0:
            state.last_wrong[a] = end
        end += 1
    state.cursor[a] = end
    sub = load_sub(state.ints, state.floats, a, 0)
    last = sub.last_index
    holds = sub.position.side != 0 or sub.pending.side != 0
    if (now_ms >= settings.settled_ms[a] or now_ms < settings.listed_ms[a]) and not holds:
        out.refused[a, UNLISTED] += 1
        return
    if now_ms >= settings.settled_ms[a]:
        leave_settled(world, a, now_ms, newest, first_due)
        return
    number = newest
    if last >= 0 and not (newest - last > MAX_CATCH_UP and not holds):
        number = min(last + 1, newest)
    anchor = number // BLOCK * BLOCK - WARMUP
    first = state.window[a, 0]
    if state.window[a, 1] != anchor:
        first = first_at(bars.number, bars.first[a], end, anchor)
    why = refusal(bars, first, end, state.last_wrong[a])
    if why >= 0:
        out.refused[a, why] += 1
        return
    step_rows(world, Reach(a, now_ms, first, end, number, max(number, last + 1), first_due))
    if bars.number[end - 1] < newest:
        out.refused[a, STALE] += 1
        state.missed[a, newest - first_due] |= 1


@inlined
def step_rows(world: World, reach: Reach) -> None:
    """Step the rows that are due, and count the bars that never came."""
    bars, a = world.bars, reach.asset
    rules = rules_at(world.settings, a)
    begin = reach.end - 1
    if bars.number[begin] != reach.wanted or (begin > reach.first and bars.number[begin - 1] >= reach.wanted):
        begin = first_at(bars.number, reach.first, reach.end, reach.wanted)
    due = reach.due
    for row in range(begin, reach.end):
        came = bars.number[row]
        if came > due:
            count_missing(world, a, due, came, reach.first_due)
        due = came + 1
        where = Where(a, row, 1 if row == reach.first else 0, reach.now_ms)
        bar = bar_at(bars, world.settings.frame_ms[a], row, where.alone)
        step_bar(world, where, rules, bar, facts_at(world, rules, bar, where))


@inlined
def has_room(world: World, now_ms: int) -> bool:
    """Say whether this tick's records fit in: one a bar, more where bars were refused before."""
    bars, state = world.bars, world.state
    room = len(world.out.record_asset) - world.out.counts[0]
    for a in range(len(world.settings.frame_ms)):
        frame_ms = world.settings.frame_ms[a]
        closed = first_at(bars.open_ms, state.cursor[a], bars.end[a], now_ms - frame_ms + 1)
        last = state.ints[a, LAST_INDEX]
        room -= 3  # a settlement makes up to three bars
        if last >= 0:
            room -= closed - first_at(bars.number, bars.first[a], closed, last + 1)
    return bool(room >= 0)


def _play(world: World, ticks: Ints, due: Ints, span: Ints) -> int:
    """Play ticks[span[0]:span[1]] and return the next one: less than span[1] where records need more room."""
    settings, state, out = world.settings, world.state, world.out
    count = len(settings.frame_ms)
    for t in range(span[0], span[1]):
        now_ms = ticks[t]
        if world.records == 1 and t > span[0] and not has_room(world, now_ms):
            return t
        for a in range(count):
            if state.next_ms[a] == now_ms:
                state.next_ms[a] += settings.frame_ms[a]
                if state.next_ms[a] > due[a, 1] * settings.frame_ms[a]:
                    state.next_ms[a] = -1
                step_due(world, a, now_ms, due[a, 0])
        out.tick_net[t], out.tick_notional[t] = sums_of(world)
        state.total[0] = world.start_quote + out.tick_net[t]
    return int(span[1])


play = compiled(_play)
