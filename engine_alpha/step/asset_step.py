"""Step one asset: every closed bar it has not seen yet, oldest first, one transaction each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import numpy as np

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bar_checks import STALE, check
from engine_alpha.domain.bars import Reading
from engine_alpha.domain.instrument import Instrument
from engine_alpha.domain.lookback import first_bar
from engine_alpha.errors import BrokenPromise, DataError
from engine_alpha.kernel.advance import advance
from engine_alpha.kernel.executed import advance_executed
from engine_alpha.kernel.ledger import tallied_entry, tallied_trade
from engine_alpha.kernel.money import DAY_MS, NO_OTHERS, new_account
from engine_alpha.kernel.values import (
    Bar,
    Executed,
    Facts,
    Features,
    Purse,
    Record,
    SubAccount,
    Tally,
)
from engine_alpha.ports import Event, Journal
from engine_alpha.step.plan import AssetPlan, renumbered, with_tallies
from engine_alpha.step.recording import (
    DECISION,
    NO_DECISION,
    Labels,
    Seen,
    asset_events,
    bar_key,
    no_decision_event,
)
from engine_alpha.step.state import (
    ACCOUNT,
    AccountBook,
    AssetState,
    Shadow,
    account_text,
    changed_parts,
    new_state,
    rebased,
    rebased_account,
    state_text,
)
from engine_alpha.step.windows import Window, check_funding, window_of
from engine_alpha.times import minute

SETTLE_EXIT_MS = DAY_MS  # how long before its settlement a contract is left
MAX_CATCH_UP = 500  # bars stepped one by one after a pause; beyond, a flat asset goes on at the newest bar


class Executions(NamedTuple):
    """What a venue executed in a bar, as the kernel settles it; kept in the record to decide again by."""

    executed: Sequence[Executed]
    entry_open: int


class RealOrders(Protocol):
    """What a venue's fills do to a step; None where the kernel works out fills itself."""

    def executions(self, plan: AssetPlan, sub: SubAccount, bar: Bar) -> Executions:
        """Return what the venue executed until the bar's close, and whether an entry may still fill."""
        ...

    def decided(self, plan: AssetPlan, record: Record) -> tuple[list[Event], dict[str, str]]:
        """Return the events and states to be written with the decision."""
        ...

    def committed(self, symbol: str) -> None:
        """Take over what was written with the decision."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a step works with besides its asset: journal, account, and the limits of this tick."""

    journal: Journal
    book: AccountBook
    order: Sequence[str]
    labels: Labels
    now_ms: int
    max_entry_delay_ms: int
    orders: RealOrders | None = None
    flattens: Mapping[str, int] = field(default_factory=dict)  # symbol to when a person wished to be out, ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """One bar that was advanced."""

    record: Record
    row: tuple[float, ...]
    plan: AssetPlan
    state: AssetState


def expected_open_ms(asset: AssetConfig, now_ms: int) -> int:
    """Return the open time of the newest bar that has closed by now."""
    return (now_ms // asset.timeframe_ms - 1) * asset.timeframe_ms


def wanted_from_ms(asset: AssetConfig, state: AssetState | None, now_ms: int) -> int:
    """Return the open time from which the next step needs bars: the anchor of the first bar to advance."""
    newest = expected_open_ms(asset, now_ms) // asset.timeframe_ms
    return first_bar(_first_number(asset, state, newest)) * asset.timeframe_ms


def minutes_from_ms(asset: AssetConfig, state: AssetState | None, now_ms: int) -> int | None:
    """Return the open time from which the next step can use 1-minute bars; None if none can matter.

    They order what happens to a position: one that is open or waits for its fill, a shadow card's too, or
    one that may be entered on the way through several bars.
    """
    newest = expected_open_ms(asset, now_ms) // asset.timeframe_ms
    first = _first_number(asset, state, newest)
    if first == newest and not _holds_anything(asset, state):
        return None
    return first * asset.timeframe_ms


def _holds_anything(asset: AssetConfig, state: AssetState | None) -> bool:
    if state is None or state.config.base_timeframe != asset.base_timeframe:
        return False
    subs = [state.sub, *(shadow.sub for shadow in state.shadows.values())]
    return any(sub.position.side != 0 or sub.pending.side != 0 for sub in subs)


def last_number(asset: AssetConfig, state: AssetState | None) -> int:
    """Return the number of the last bar decided in this timeframe, -1 if there is none."""
    if state is None or state.config.base_timeframe != asset.base_timeframe:
        return -1
    return state.sub.last_index


def _first_number(asset: AssetConfig, state: AssetState | None, newest: int) -> int:
    last = last_number(asset, state)
    if state is None or last < 0 or (state.is_flat and newest - last > MAX_CATCH_UP):
        return newest
    return min(last + 1, newest)


def already_decided(asset: AssetConfig, state: AssetState | None, now_ms: int) -> bool:
    """Say whether the newest closed bar has its decision; raise `DataError` if the clock went backwards."""
    newest = expected_open_ms(asset, now_ms) // asset.timeframe_ms
    last = last_number(asset, state)
    if last > newest:
        raise DataError(
            "clock_backwards",
            f"bar {last} is decided, but by the clock the newest closed one is {newest}: set the clock right",
        )
    return last == newest


def step_asset(desk: Desk, plan: AssetPlan, reading: Reading) -> tuple[list[Stepped], DataError | None]:
    """Advance the asset over all new bars of the reading; return what was done, oldest first.

    The second part says so if the newest bar is missing. Raises `DataError` where bars can't be trusted; what
    was stepped before an error stays: each bar is a transaction of its own.
    """
    asset = plan.asset
    newest_ms = expected_open_ms(asset, desk.now_ms)
    state = desk.book.assets.get(asset.symbol)
    first_ms = _first_number(asset, state, newest_ms // asset.timeframe_ms) * asset.timeframe_ms
    last_ms = last_number(asset, state) * asset.timeframe_ms
    if reading.bars.timeframe_ms != asset.timeframe_ms:
        raise DataError(
            "timeframe", f"bars of {reading.bars.timeframe_ms} ms instead of {asset.timeframe_ms}"
        )
    check(reading.bars, desk.now_ms)
    check_funding(reading.funding)
    first = int(np.searchsorted(reading.bars.open_ms, max(first_ms, last_ms + 1)))
    done: list[Stepped] = []
    due_ms = first_ms
    for at in range(first, len(reading.bars)):
        open_ms = int(reading.bars.open_ms[at])
        record_missing(desk, asset, due_ms, open_ms)
        due_ms = open_ms + asset.timeframe_ms
        if not was_decided_before(desk, asset, state, open_ms):
            done.append(step_bar(desk, plan, reading, at))
    last_ms = int(reading.bars.open_ms[-1])
    if last_ms < newest_ms:
        return done, DataError(
            STALE, f"the newest bar opened {minute(last_ms)}, the one of {minute(newest_ms)} is missing"
        )
    return done, None


def record_missing(desk: Desk, asset: AssetConfig, due_ms: int, open_ms: int) -> None:
    """Write down the bars between the one due and the one that came, where no tick has done so yet."""
    first_ms = max(due_ms, open_ms - MAX_CATCH_UP * asset.timeframe_ms)
    for missing_ms in range(first_ms, open_ms, asset.timeframe_ms):
        key = f"{bar_key(asset.symbol, asset.base_timeframe, missing_ms)}/{STALE}"
        if not desk.journal.has(NO_DECISION, key):
            text = f"the feed has no bar that opened {minute(missing_ms)}, but later ones"
            event = no_decision_event(asset.symbol, asset.base_timeframe, missing_ms, "missing", text)
            desk.journal.commit(desk.now_ms, [event], {})


def was_decided_before(desk: Desk, asset: AssetConfig, state: AssetState | None, open_ms: int) -> bool:
    """Say whether the bar was decided before its asset went to another timeframe and came back."""
    if state is None or state.config.base_timeframe == asset.base_timeframe:
        return False
    return desk.journal.has(DECISION, bar_key(asset.symbol, asset.base_timeframe, open_ms))


def step_bar(desk: Desk, plan: AssetPlan, reading: Reading, at: int) -> Stepped:
    """Advance the asset by the reading's bar `at` and commit: decision, fills, trade and state together."""
    asset = plan.asset
    before = desk.book.assets.get(asset.symbol)
    state = carried_over(before, plan)
    plan, held_index = plan.holding(state.held)
    state = renumbered(state, held_index)
    window = window_of(reading, at)
    features = window.features(facts_of(desk, plan, reading, window))
    account = rebased_account(desk.book.account, plan.rules.risk.account_start_quote)
    purse = Purse(
        rebased(state.sub, plan.rules.asset.start_quote),
        account.marks,
        desk.book.others(asset.symbol, asset.risk_bucket, desk.order),
        plan.tallies(state),
    )
    told = None if desk.orders is None else desk.orders.executions(plan, purse.sub, window.bar)
    rules = plan.deciding_rules()
    if told is None:
        after, record = advance(purse, rules, window.bar, features)
    else:
        after, record = advance_executed(purse, rules, window.bar, features, *told)
    shadows, shadow_records = step_shadows(plan, state, window, features)
    state = state_after(plan, state, after, record, shadows)
    seen = Seen(
        plan=plan,
        window=window,
        record=record,
        shadows=shadow_records,
        source=reading.source,
        filled_by=reading.source if told is None else f"{asset.venue} executions",
        executed=told,
        held=state.held,
        after=changed_parts(before, state),
        account=replace(account, marks=after.account),
    )
    states = {asset.symbol: state_text(state), ACCOUNT: account_text(seen.account)}
    events = asset_events(seen, desk.labels)
    if desk.orders is not None:
        more_events, more_states = desk.orders.decided(plan, record)
        events, states = [*events, *more_events], {**states, **more_states}
    if desk.journal.commit(desk.now_ms, events, states) == 0:
        raise BrokenPromise(
            f"{asset.symbol}: the bar at {window.bar.open_ms} was decided before, unknown to us"
        )
    desk.book.put(asset.symbol, state, seen.account)
    if desk.orders is not None:
        desk.orders.committed(asset.symbol)
    return Stepped(record=record, row=window.row, plan=plan, state=state)


def carried_over(state: AssetState | None, plan: AssetPlan) -> AssetState:
    """Return the state to step on; bar numbers of another timeframe mean nothing here and are forgotten."""
    if state is None:
        return new_state(plan.asset, plan.rules.asset.start_quote)
    if state.config.base_timeframe == plan.asset.base_timeframe:
        return state
    return replace(state, sub=state.sub._replace(last_index=-1, last_exit_index=-1), shadows={})


def facts_of(desk: Desk, plan: AssetPlan, reading: Reading, window: Window) -> Facts:
    """Return what is known about this bar beyond its prices."""
    close_ms = window.bar.close_ms
    late = max(0, desk.now_ms - close_ms) // desk.max_entry_delay_ms
    if desk.orders is not None and window.bar.open_ms < expected_open_ms(plan.asset, desk.now_ms):
        late = max(late, 1)  # its next open is past: a real order would fill in a later bar
    settles = leaves_before_settlement(plan.instrument, close_ms)
    flatten = settles or _wished_out(desk, plan.asset.symbol, window.bar.open_ms)
    spread = reading.spread_bps
    return Facts(
        late,
        window.missing.window_bars,
        window.missing.filled_frac,
        window.missing.recent_gap_bars,
        1 if plan.instrument.is_listed(close_ms) and not settles else 0,
        1 if plan.asset.enabled else 0,
        1 if flatten else 0,
        1 if desk.book.account.halted else 0,
        plan.rules.risk.spread_bps if spread is None else spread,
    )


def _wished_out(desk: Desk, symbol: str, open_ms: int) -> bool:
    """Say whether a person wished to be out of the position that is held, or of the entry that fills now.

    One opened after the wish is none of it, so the wish is carried out once without being remembered.
    """
    wished_ms, state = desk.flattens.get(symbol), desk.book.assets.get(symbol)
    if wished_ms is None or state is None:
        return False
    held, pending = state.sub.position, state.sub.pending
    return (held.side != 0 and held.entry_ms <= wished_ms) or (pending.side != 0 and open_ms <= wished_ms)


def leaves_before_settlement(instrument: Instrument, close_ms: int) -> bool:
    """Say whether the contract settles so soon that its position is to be left."""
    return instrument.settled_ms is not None and close_ms >= instrument.settled_ms - SETTLE_EXIT_MS


def step_shadows(
    plan: AssetPlan, state: AssetState, window: Window, features: Features
) -> tuple[dict[str, Shadow], dict[str, Record]]:
    """Advance every shadow card's own would-be account by the same bar; none of them sees the others."""
    shadows, records = dict(state.shadows), {}
    for name in plan.shadow_names():
        rules = plan.only(name).rules
        before = state.shadow(name)
        start = rules.asset.start_quote
        purse = Purse(
            rebased(before.sub, start), new_account(rules.risk.account_start_quote), NO_OTHERS, [before.tally]
        )
        after, record = advance(purse, rules, window.bar, features)
        tally = tallied(record, [before.tally])[0]
        shadows[name] = Shadow(sub=after.sub, tally=tally)
        records[name] = record
    return shadows, records


def tallied(record: Record, tallies: list[Tally]) -> list[Tally]:
    """Return the tallies after this record's trade and decided entry."""
    tallies = list(tallies)
    trade, decision = record.settlement.trade, record.decision
    if trade.side != 0:
        tallies[trade.card] = tallied_trade(tallies[trade.card], trade)
    if decision.pending.side != 0:
        tallies[decision.card] = tallied_entry(tallies[decision.card], record.close_ms)
    return tallies


def state_after(
    plan: AssetPlan, state: AssetState, after: Purse, record: Record, shadows: dict[str, Shadow]
) -> AssetState:
    """Return the asset's state after the bar, with the card its position hangs on."""
    sub = after.sub
    tallies = tallied(record, plan.tallies(state))
    held = None
    if sub.position.side != 0:
        held = plan.held(sub.position.card)
    elif sub.pending.side != 0:
        held = plan.held(sub.pending.card)
    return AssetState(
        config=plan.asset,
        sub=sub,
        tallies=with_tallies(plan.names, tallies, state.tallies),
        shadows=shadows,
        held=held,
    )
