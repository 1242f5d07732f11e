"""Fills as the kernel settles them: which belong to a bar, parts merged, words turned into codes."""

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from engine_alpha.domain.orders import BUY, ENTRY, EXIT, FUNDING
from engine_alpha.kernel.codes import (
    EXECUTED_ENTRY,
    EXECUTED_EXIT,
    EXECUTED_FUNDING,
    EXIT_ADL,
    EXIT_LIQUIDATION,
    EXIT_MANUAL,
    EXIT_SETTLEMENT,
    EXIT_STOP,
    EXIT_TARGET,
    EXIT_TRAILING,
    EXITS,
)
from engine_alpha.kernel.executed import fill_of
from engine_alpha.kernel.fills import opened
from engine_alpha.kernel.values import Asset, Bar, Executed, Position, Risk, SubAccount
from engine_alpha.trading.state import Booked, LiveState

BY_THE_VENUE = (EXIT_TARGET, EXIT_LIQUIDATION, EXIT_ADL, EXIT_SETTLEMENT, EXIT_MANUAL)
RANK = {FUNDING: 0, ENTRY: 1, EXIT: 2}  # at one instant, as the kernel settles a bar


def due(state: LiveState, close_ms: int) -> list[Booked]:
    """Return what was executed before a bar's close and no bar has settled yet."""
    return [each for each in state.booked if each.execution.at_ms < close_ms]


def settled(state: LiveState, close_ms: int) -> LiveState:
    """Return the state without what the bar settles."""
    later = tuple(each for each in state.booked if each.execution.at_ms >= close_ms)
    return replace(state, booked=later)


def executed(booked: Sequence[Booked], sub: SubAccount, bar: Bar, trigger: float) -> list[Executed]:
    """Return the kernel's values in order of time, the parts of the entry merged, and those of the exit.

    `trigger` is where the stop stood, NaN if that is not known: what slippage of a stop is measured from.
    """
    entries = [each for each in booked if each.leg == ENTRY]
    exits = [each for each in booked if each.leg == EXIT]
    values = [(_time(each), RANK[FUNDING], _funding(each)) for each in booked if each.leg == FUNDING]
    if entries:
        first = min(_time(each) for each in entries)
        values.append((first, RANK[ENTRY], _merged(entries, EXECUTED_ENTRY, bar.open, 0)))
    if exits:
        last = exits[-1]
        reason = reason_code(last.reason, sub.position)
        raw = _expected(reason, _time(last), bar, trigger)
        values.append((_time(last), RANK[EXIT], _merged(exits, EXECUTED_EXIT, raw, reason)))
    return [value for _, _, value in sorted(values, key=lambda each: each[:2])]


def _expected(reason: int, at_ms: int, bar: Bar, trigger: float) -> float:
    """Return the price an exit was expected at: the trigger, the open, or NaN for what it was filled at."""
    if reason in (EXIT_STOP, EXIT_TRAILING):
        return bar.open if at_ms <= bar.open_ms else trigger
    return math.nan if reason in BY_THE_VENUE else bar.open


def reason_code(word: str, position: Position) -> int:
    """Return the exit code of a reason; a stop that has moved is a trailing one."""
    code = EXITS.index(word)
    if code == EXIT_STOP and position.side != 0 and position.stop_price != position.first_stop_price:
        return EXIT_TRAILING
    return code


def entered(state: LiveState, sub: SubAccount, asset: Asset, risk: Risk, bar: Bar) -> Position | None:
    """Return the position that unsettled fills make of the pending entry; None where there are none."""
    entries = [each for each in state.booked if each.leg == ENTRY]
    if not entries or sub.pending.side == 0:
        return None
    merged = _merged(entries, EXECUTED_ENTRY, bar.open, 0)
    return opened(sub.pending, fill_of(merged), asset, risk, bar)


def _time(booked: Booked) -> int:
    return booked.execution.at_ms


def _funding(booked: Booked) -> Executed:
    at_ms, received = booked.execution.at_ms, float(booked.execution.received_quote)
    return Executed(EXECUTED_FUNDING, 0, 0.0, 0.0, 0.0, 0.0, received, at_ms, 0)


def _merged(booked: Sequence[Booked], leg: int, raw_price: float, reason: int) -> Executed:
    parts = [each.execution for each in booked]
    side = 1 if parts[0].side == BUY else -1
    quantity = sum((Decimal(part.quantity_base) for part in parts), Decimal(0))
    fee = sum((Decimal(part.fee_quote) for part in parts), Decimal(0))
    price = Decimal(parts[0].price)
    if any(Decimal(part.price) != price for part in parts):
        price = sum((Decimal(p.price) * Decimal(p.quantity_base) for p in parts), Decimal(0)) / quantity
    raw = raw_price if raw_price == raw_price else float(price)
    at_ms = parts[0].at_ms if leg == EXECUTED_ENTRY else parts[-1].at_ms
    return Executed(leg, side, float(quantity), float(price), raw, float(fee), 0.0, at_ms, reason)
