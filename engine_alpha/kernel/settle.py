"""What a new bar did: funding, the exit that was due, the pending entry, then liquidation, stop and target.

Pessimistic on purpose (DESIGN, "Fills"): a gap through the stop fills at the open, a gap beyond the target at
the target, stop before target, no profit on the entry bar, liquidation before everything inside the bar.
"""

from typing import NamedTuple

from engine_alpha.kernel.codes import (
    EXIT_LIQUIDATION,
    EXIT_STOP,
    EXIT_TARGET,
    EXIT_TRAILING,
)
from engine_alpha.kernel.fills import NO_FILL, market_fill, opened, priced_fill, stamped
from engine_alpha.kernel.ledger import booked, closed, holding, moved
from engine_alpha.kernel.money import NO_PENDING, NO_TRADE
from engine_alpha.kernel.values import (
    Asset,
    Bar,
    Fill,
    Position,
    Risk,
    Settlement,
    SubAccount,
    Trade,
)


class Span(NamedTuple):
    """A stretch of time inside or over a bar."""

    open: float
    high: float
    low: float
    open_ms: int
    close_ms: int


def settle(sub: SubAccount, asset: Asset, risk: Risk, bar: Bar) -> tuple[SubAccount, Settlement]:
    """Apply one closed bar to the sub-account; return it with what happened."""
    sub, funding = _pay_funding(sub, bar.funding_open_frac, bar)
    unknown = 1 if bar.funding_unknown == 1 and sub.position.side != 0 else 0
    entry, exit_fill, trade = NO_FILL, NO_FILL, NO_TRADE
    if sub.position.side != 0 and sub.position.exit_due != 0:
        exit_fill = _leave_at_open(sub.position, asset, risk, bar)
        sub, trade = _close(sub, exit_fill, bar, 0.0)
    if sub.pending.side != 0:
        if sub.position.side == 0 and sub.pending.decided_index + 1 == bar.number:
            entry = _enter_at_open(sub, asset, risk, bar)
            position = opened(sub.pending, entry, asset, risk, bar)
            sub = holding(sub, position, NO_PENDING, entry.fee_quote, 0.0)
        else:
            sub = holding(sub, sub.position, NO_PENDING, 0.0, 0.0)  # its bar never came: the entry is off
    if sub.position.side != 0:
        inside_fill, other_price = _inside_exit(sub.position, asset, risk, bar)
        rate = bar.funding_inside_frac
        costs = (
            rate * sub.position.side > 0.0 and inside_fill.at_ms > bar.open_ms
        )  # gone at the open: nothing due
        if rate != 0.0 and (inside_fill.side == 0 or costs):  # ambiguous: a cost counts, a gain does not
            sub, paid = _pay_funding(sub, rate, bar)
            funding += paid
        if inside_fill.side != 0:
            exit_fill = inside_fill
            sub, trade = _close(sub, exit_fill, bar, other_price)
    return sub, Settlement(funding, unknown, entry, exit_fill, trade)


def _pay_funding(sub: SubAccount, rate_frac: float, bar: Bar) -> tuple[SubAccount, float]:
    """Pay -side * quantity * open * rate (a long pays a positive rate); return what came in."""
    position = sub.position
    if position.side == 0:
        return sub, 0.0
    received = -position.side * position.quantity_base * bar.open * rate_frac
    paid = moved(position, position.stop_price, position.funding_quote + received, position.exit_due)
    return holding(sub, paid, sub.pending, 0.0, received), received


def _leave_at_open(position: Position, asset: Asset, risk: Risk, bar: Bar) -> Fill:
    fill = market_fill(asset, risk, -position.side, position.quantity_base, bar.open)
    return stamped(fill, bar.open_ms, position.exit_due)


def _enter_at_open(sub: SubAccount, asset: Asset, risk: Risk, bar: Bar) -> Fill:
    pending = sub.pending
    return stamped(market_fill(asset, risk, pending.side, pending.quantity_base, bar.open), bar.open_ms, 0)


def _inside_exit(position: Position, asset: Asset, risk: Risk, bar: Bar) -> tuple[Fill, float]:
    """Return the exit inside the bar, or none, and the price of the other order of an ambiguous bar.

    Where minutes are known they decide what came first; inside one minute the rule is that of a bar.
    """
    side = position.side
    mark = bar.mark_low if side > 0 else bar.mark_high
    if position.liquidation_price > 0.0 and side * (mark - position.liquidation_price) <= 0.0:
        bankrupt = max(
            position.entry_price * (1.0 - side / asset.max_leverage), asset.tick_quote
        )  # the whole isolated margin is gone
        fill = priced_fill(asset, -side, position.quantity_base, bankrupt, bankrupt)
        return stamped(fill, bar.close_ms, EXIT_LIQUIDATION), 0.0
    may_take = 1 if bar.number > position.entry_index else 0
    minutes = len(bar.minutes)
    if minutes == 0:
        whole = Span(bar.open, bar.high, bar.low, bar.open_ms, bar.close_ms)
        return _stop_or_target(position, asset, risk, whole, may_take)
    for i in range(minutes):
        row = bar.minutes[i]
        begin_ms = bar.open_ms + (bar.close_ms - bar.open_ms) * i // minutes
        end_ms = bar.open_ms + (bar.close_ms - bar.open_ms) * (i + 1) // minutes
        part = Span(row[0], row[1], row[2], begin_ms, end_ms)
        fill, other_price = _stop_or_target(position, asset, risk, part, 1 if i > 0 else may_take)
        if fill.side != 0:
            return fill, other_price
    return NO_FILL, 0.0


def _stop_or_target(
    position: Position, asset: Asset, risk: Risk, span: Span, may_take: int
) -> tuple[Fill, float]:
    """Return the exit inside a span whose inner order is not known: the stop before the target."""
    side = position.side
    worst = span.low if side > 0 else span.high
    best = span.high if side > 0 else span.low
    target = position.target_price
    reaches_target = target > 0.0 and may_take == 1 and side * (best - target) >= 0.0
    passed = (
        side * (position.stop_price - target) >= 0.0
    )  # trailed beyond the target: it lies nearer than the stop
    if reaches_target and passed and side * (span.open - target) >= 0.0:
        fill = priced_fill(asset, -side, position.quantity_base, target, target)
        return stamped(fill, span.close_ms, EXIT_TARGET), 0.0
    if side * (worst - position.stop_price) <= 0.0:
        gapped = side * (span.open - position.stop_price) <= 0.0
        raw = span.open if gapped else position.stop_price
        trailed = position.stop_price != position.first_stop_price
        fill = market_fill(asset, risk, -side, position.quantity_base, raw)
        at_ms = span.open_ms if gapped else span.close_ms
        reason = EXIT_TRAILING if trailed else EXIT_STOP
        return stamped(fill, at_ms, reason), target if reaches_target and not gapped else 0.0
    if reaches_target:
        fill = priced_fill(asset, -side, position.quantity_base, target, target)
        return stamped(fill, span.close_ms, EXIT_TARGET), 0.0
    return NO_FILL, 0.0


def _close(sub: SubAccount, fill: Fill, bar: Bar, other_price: float) -> tuple[SubAccount, Trade]:
    trade = closed(sub.position, fill, bar, other_price)
    return booked(sub, trade, fill, bar.number), trade


def marked(sub: SubAccount, bar: Bar, unknown: int) -> SubAccount:
    """Return the sub-account marked at this bar's close, its peak raised if equity is higher than ever."""
    position = sub.position
    unrealised = position.side * position.quantity_base * (bar.close - position.entry_price)
    equity_now = sub.start_quote + (sub.realised_quote + unrealised - sub.fees_quote + sub.funding_quote)
    return SubAccount(
        sub.start_quote,
        sub.realised_quote,
        sub.fees_quote,
        sub.funding_quote,
        max(sub.peak_quote, equity_now),
        bar.close,
        bar.number,
        sub.trades,
        sub.gross_profit_quote,
        sub.gross_loss_quote,
        sub.losses_in_row,
        sub.last_exit_index,
        sub.funding_unknown_bars + unknown,
        sub.position,
        sub.pending,
    )
