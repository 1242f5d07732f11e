"""One asset, one bar, compiled: what `step.asset_step.step_bar` does, over arrays."""

from typing import NamedTuple

from engine_alpha.backtest.compiling import inlined
from engine_alpha.backtest.outputs import (
    DECISION_WORDS,
    RECORD_HEAD,
    SETTLEMENT_WORDS,
    Output,
    count_gates,
    keep_record,
    keep_tally,
    keep_trade,
    store_decision,
    store_settlement,
)
from engine_alpha.backtest.words import fields_of, leaves_of, load_function, store_function, width_of
from engine_alpha.backtest.world import Columns, Settings, State
from engine_alpha.domain.bar_checks import RECENT_BARS
from engine_alpha.domain.bars import Ints
from engine_alpha.domain.lookback import BLOCK, WARMUP
from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.cards import NO_CARD, chosen_card
from engine_alpha.kernel.confidence import view_of
from engine_alpha.kernel.gates import account_marked
from engine_alpha.kernel.ledger import held_of, held_with
from engine_alpha.kernel.money import DAY_MS, NO_OTHERS, new_account
from engine_alpha.kernel.regime import regime_of
from engine_alpha.kernel.values import (
    Account,
    Asset,
    Bar,
    Facts,
    Features,
    Held,
    Others,
    Parameters,
    Purse,
    Risk,
    Rules,
    SubAccount,
)
from engine_alpha.step.asset_step import SETTLE_EXIT_MS

ASSET_WORDS = sum(1 for _, shape in fields_of(Asset) if shape in (int, float))
RISK_WORDS = width_of(Risk)
SUB_PATHS = [path for path, _ in leaves_of(SubAccount)]
LAST_INDEX, MARK_PRICE = SUB_PATHS.index(".last_index"), SUB_PATHS.index(".mark_price")

load_sub, store_sub = load_function(SubAccount), store_function(SubAccount)
load_account, store_account = load_function(Account), store_function(Account)
load_asset, load_risk, load_parameters = (load_function(kind) for kind in (Asset, Risk, Parameters))


NEAR = 1e-9
"""Relative distance from a mark within which sums are made in their exact order."""


class World(NamedTuple):
    """All of a run: what it reads, what it keeps, what it hands out, whether records are among that,
    and the account's equity at the beginning.
    """

    settings: Settings
    bars: Columns
    state: State
    out: Output
    records: int
    start_quote: float


class Where(NamedTuple):
    """One bar to advance: asset, its row among the columns (-1 at settlement) and the facts of the tick."""

    asset: int
    row: int
    alone: int  # 1: the reading has no bar before it
    now_ms: int


@inlined
def first_at(numbers: Ints, first: int, end: int, number: int) -> int:
    """Return the first row in [first, end) whose bar has this number or a later one."""
    while first < end:
        middle = (first + end) // 2
        if numbers[middle] < number:
            first = middle + 1
        else:
            end = middle
    return first


@inlined
def rules_at(settings: Settings, a: int) -> Rules:
    """Return an asset's rules."""
    asset = load_asset(settings.ints, settings.floats, a, 0, settings.tiers[a])
    risk = load_risk(settings.ints, settings.floats, a, ASSET_WORDS)
    parameters = load_parameters(
        settings.ints, settings.floats, a, ASSET_WORDS + RISK_WORDS, settings.weights[a],
        settings.calibrations[a, : settings.calibrated[a]],
    )  # fmt: skip
    return Rules(asset, risk, parameters, settings.cards[a], settings.conditions[a])


@inlined
def others_of(settings: Settings, state: State, a: int) -> Others:
    """Add up what the other assets hold, in the registry's order."""
    others = NO_OTHERS
    bucket = settings.bucket[a]
    for b in range(len(settings.bucket)):
        if b != a:
            held = Held(state.held[b, 0], state.held[b, 1], int(state.held[b, 2]), state.held[b, 3])
            others = held_with(others, held, 1 if settings.bucket[b] == bucket else 0)
    return others


@inlined
def keep_held(state: State, a: int, sub: SubAccount) -> None:
    """Keep what the asset brings into the others' sums."""
    held = held_of(sub)
    state.total[0] += held.net_quote - state.held[a, 0]
    state.held[a, 0] = held.net_quote
    state.held[a, 1] = held.notional_quote
    state.held[a, 2] = held.positions
    state.held[a, 3] = held.risk_quote


@inlined
def sums_of(world: World) -> tuple[float, float]:
    """Return profit and loss and notional of all assets, in the registry's order."""
    net = 0.0
    notional = 0.0
    for a in range(len(world.settings.frame_ms)):
        net += world.state.held[a, 0]
        notional += world.state.held[a, 1]
    return net, notional


@inlined
def mark_account(world: World, a: int, rules: Rules, close_ms: int) -> None:
    """Make the account's marks as `advance` does for a bar on which the asset itself stays as it is."""
    settings, state = world.settings, world.state
    net = 0.0
    for b in range(len(settings.bucket)):
        if b != a:
            net += state.held[b, 0]
    sub = load_sub(state.ints, state.floats, a, 0)
    account = load_account(state.account_ints, state.account_floats, 0, 0)
    purse = Purse(sub, account, Others(net, 0.0, 0.0, 0, 0.0, 0.0), state.tallies[a])
    marks = account_marked(purse, rules.risk, close_ms)
    store_account(state.account_ints, state.account_floats, 0, 0, marks)


@inlined
def is_calm(world: World, rules: Rules, close_ms: int) -> bool:
    """Say whether the account's marks can't change at its equity now, whatever the order of adding up."""
    total = world.state.total[0]
    account = load_account(world.state.account_ints, world.state.account_floats, 0, 0)
    if close_ms // DAY_MS != account.day or not total < account.peak_quote * (1.0 - NEAR):
        return False
    drawdown = (account.peak_quote - total) / account.peak_quote
    return bool(account.drawdown_halted == 1 or drawdown < rules.risk.drawdown_halt_frac - NEAR)


@inlined
def is_quiet(world: World, a: int, rules: Rules, bar: Bar, features: Features) -> bool:
    """Say whether nothing can come of this bar: flat, nothing pending, no card fires.

    All that `advance` would change then are the marks: those are made here, and the rest is left out.
    """
    state = world.state
    sub = load_sub(state.ints, state.floats, a, 0)
    if sub.position.side != 0 or sub.pending.side != 0:
        return False
    view = view_of(features, rules.parameters, regime_of(features, rules.parameters))
    if chosen_card(rules, state.tallies[a], sub, features, view, bar.close_ms).card != NO_CARD:
        return False
    if not is_calm(world, rules, bar.close_ms):
        mark_account(world, a, rules, bar.close_ms)
    state.floats[a, MARK_PRICE] = bar.close
    state.ints[a, LAST_INDEX] = bar.number
    return True


@inlined
def bar_at(bars: Columns, frame_ms: int, row: int, alone: int) -> Bar:
    """Return a bar with its funding and minutes."""
    open_ms = bars.open_ms[row]
    minutes = bars.minutes[bars.minute_first[row] : bars.minute_first[row] + bars.minute_count[row]]
    return Bar(
        bars.number[row], open_ms, open_ms + frame_ms,
        bars.open[row], bars.high[row], bars.low[row], bars.close[row], bars.volume[row],
        bars.mark_high[row], bars.mark_low[row],
        bars.funding_alone[row] if alone == 1 else bars.funding_open[row],
        bars.funding_inside[row], bars.funding_unknown[row], minutes,
    )  # fmt: skip


@inlined
def facts_at(world: World, rules: Rules, bar: Bar, where: Where) -> Facts:
    """Return what the step knows about a bar beyond its prices; see `step.asset_step.facts_of`."""
    settings, bars, state = world.settings, world.bars, world.state
    a, row = where.asset, where.row
    flatten = 1 if bar.close_ms >= settings.settled_ms[a] - SETTLE_EXIT_MS else 0
    listed = 1 if bar.close_ms >= settings.listed_ms[a] and flatten == 0 else 0
    anchor = bar.number // BLOCK * BLOCK - WARMUP
    if state.window[a, 1] != anchor:
        state.window[a, 0] = first_at(bars.number, bars.first[a], row, anchor)
        state.window[a, 1] = anchor
    begin = state.window[a, 0]
    rows = bar.number - bars.number[begin] + 1
    filled = (rows - (row - begin + 1)) / rows
    gap = 0
    if filled > 0.0:
        gap = recent_gap(bars.number, begin, row)
    late = max(0, where.now_ms - bar.close_ms) // settings.delay_ms[0]
    return Facts(late, rows, filled, gap, listed, 1, flatten, 0, rules.risk.spread_bps)


@inlined
def recent_gap(numbers: Ints, begin: int, row: int) -> int:
    """Return the longest run of filled bars among the newest ten of a window; see `bar_checks.fill_holes`."""
    here = numbers[row]
    longest = 0
    later = here
    place = row - 1
    while place >= begin and later > here - RECENT_BARS:
        number = numbers[place]
        longest = max(longest, later - max(number + 1, here - RECENT_BARS + 1))
        later = number
        place -= 1
    return longest


@inlined
def step_bar(world: World, where: Where, rules: Rules, bar: Bar, facts: Facts) -> None:
    """Advance one asset by one bar: the asset itself, then its shadow cards."""
    settings, bars, state, out = world.settings, world.bars, world.state, world.out
    a, row = where.asset, where.row
    at = bars.row_at[row] if row >= 0 else 1
    tail = bars.tail_at[row] if row >= 0 else 1
    seen = bars.rows[at]
    features = Features(seen, bars.rows[at - 1], bars.trend, bars.volatility, tail, facts)
    out.steps[a] += 1
    if world.records == 0 and is_quiet(world, a, rules, bar, features):
        for s in range(settings.shadow_first[a], settings.shadow_end[a]):
            step_shadow(world, a, s, rules, bar, features)
        return
    tallies = state.tallies[a]
    purse = Purse(
        load_sub(state.ints, state.floats, a, 0),
        load_account(state.account_ints, state.account_floats, 0, 0),
        others_of(settings, state, a),
        tallies,
    )
    purse, record = advance(purse, rules, bar, features)
    keep_tally(tallies, record)
    sub = purse.sub
    store_sub(state.ints, state.floats, a, 0, sub)
    store_account(state.account_ints, state.account_floats, 0, 0, purse.account)
    keep_held(state, a, sub)
    if row >= 0:
        out.regime[row] = record.decision.opinion.regime
        out.side[row] = sub.position.side
        out.equity[row] = record.equity_quote
    count_gates(out, a, record.decision, world.records)
    if record.settlement.trade.side != 0:
        keep_trade(out, record.settlement.trade, a, -1, record.close_ms)
    if world.records == 1:
        keep_record(out, a, row, record, seen)
    for s in range(settings.shadow_first[a], settings.shadow_end[a]):
        step_shadow(world, a, s, rules, bar, features)


@inlined
def step_shadow(world: World, a: int, s: int, rules: Rules, bar: Bar, features: Features) -> None:
    """Advance one shadow card's own would-be account; see `step.asset_step.step_shadows`."""
    settings, state, out = world.settings, world.state, world.out
    tallies = state.shadow_tallies[s : s + 1]
    own = Rules(rules.asset, rules.risk, rules.parameters, settings.shadows[s : s + 1], rules.conditions)
    purse = Purse(
        load_sub(state.shadow_ints, state.shadow_floats, s, 0),
        new_account(rules.risk.account_start_quote),
        NO_OTHERS,
        tallies,
    )
    purse, record = advance(purse, own, bar, features)
    keep_tally(tallies, record)
    store_sub(state.shadow_ints, state.shadow_floats, s, 0, purse.sub)
    if record.settlement.trade.side != 0:
        keep_trade(out, record.settlement.trade, a, s - settings.shadow_first[a], record.close_ms)
    if world.records == 1:
        place = RECORD_HEAD + DECISION_WORDS + settings.shadow_order[s] * (SETTLEMENT_WORDS + DECISION_WORDS)
        at = out.counts[0] - 1
        store_settlement(out.record_ints, out.record_floats, at, place, record.settlement)
        store_decision(out.record_ints, out.record_floats, at, place + SETTLEMENT_WORDS, record.decision)
