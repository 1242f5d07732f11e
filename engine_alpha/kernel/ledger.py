"""Money moves: closing a trade, counting it for asset and card, adding up what the other assets hold."""

from engine_alpha.kernel.money import DAY_MS, FLAT, net_quote
from engine_alpha.kernel.values import Bar, Fill, Held, Others, Pending, Position, SubAccount, Tally, Trade


def closed(position: Position, fill: Fill, bar: Bar, other_price: float) -> Trade:
    """Return the finished trade; `other_price` is an ambiguous bar's other exit, else 0.0."""
    gross = position.side * position.quantity_base * (fill.price - position.entry_price)
    fees = position.fee_quote + fill.fee_quote
    net = gross - fees + position.funding_quote
    other_net = net
    if other_price > 0.0:
        other_net = net + position.side * position.quantity_base * (other_price - fill.price)
        other_net -= fill.fee_quote * (other_price / fill.price - 1.0)
    risk = position.risk_quote
    return Trade(
        position.side,
        position.card,
        position.quantity_base,
        position.entry_ms,
        position.entry_price,
        fill.at_ms,
        fill.price,
        fill.reason,
        position.first_stop_price,
        gross,
        fees,
        position.funding_quote,
        position.slippage_quote + fill.slippage_quote,
        net,
        risk,
        net / risk if risk > 0.0 else 0.0,
        position.regime,
        position.confidence,
        bar.number - position.entry_index,
        1 if other_price > 0.0 else 0,
        other_net,
    )


def booked(sub: SubAccount, trade: Trade, fill: Fill, index: int) -> SubAccount:
    """Return the sub-account after a trade closed: flat, its result counted net of fees and funding."""
    won = trade.net_quote > 0.0
    return SubAccount(
        sub.start_quote,
        sub.realised_quote + trade.gross_quote,
        sub.fees_quote + fill.fee_quote,
        sub.funding_quote,
        sub.peak_quote,
        sub.mark_price,
        sub.last_index,
        sub.trades + 1,
        sub.gross_profit_quote + (trade.net_quote if won else 0.0),
        sub.gross_loss_quote + (0.0 if won else -trade.net_quote),
        0 if won else sub.losses_in_row + 1,
        index,
        sub.funding_unknown_bars,
        FLAT,
        sub.pending,
    )


def holding(
    sub: SubAccount, position: Position, pending: Pending, fee_quote: float, received_quote: float
) -> SubAccount:
    """Return the sub-account with this position and pending entry, a fee paid and funding received."""
    return SubAccount(
        sub.start_quote,
        sub.realised_quote,
        sub.fees_quote + fee_quote,
        sub.funding_quote + received_quote,
        sub.peak_quote,
        sub.mark_price,
        sub.last_index,
        sub.trades,
        sub.gross_profit_quote,
        sub.gross_loss_quote,
        sub.losses_in_row,
        sub.last_exit_index,
        sub.funding_unknown_bars,
        position,
        pending,
    )


def moved(position: Position, stop_price: float, funding_quote: float, exit_due: int) -> Position:
    """Return the position with its stop, its funding so far and the exit that is due."""
    return Position(
        position.side,
        position.card,
        position.quantity_base,
        position.entry_price,
        position.entry_ms,
        position.entry_index,
        stop_price,
        position.first_stop_price,
        position.target_price,
        position.trail_quote,
        position.liquidation_price,
        position.max_hold_bars,
        position.risk_quote,
        position.fee_quote,
        position.slippage_quote,
        funding_quote,
        position.regime,
        position.confidence,
        exit_due,
    )


def tallied_trade(tally: Tally, trade: Trade) -> Tally:
    """Return a card's tally after one of its trades closed."""
    net = trade.net_quote
    total = tally.net_quote + net
    return Tally(
        tally.trades + 1,
        tally.gross_profit_quote + (net if net > 0.0 else 0.0),
        tally.gross_loss_quote + (0.0 if net > 0.0 else -net),
        total,
        max(tally.peak_quote, total),
        tally.day,
        tally.entries_today,
    )


def tallied_entry(tally: Tally, close_ms: int) -> Tally:
    """Return a card's tally after it decided an entry at that time."""
    day = close_ms // DAY_MS
    return Tally(
        tally.trades,
        tally.gross_profit_quote,
        tally.gross_loss_quote,
        tally.net_quote,
        tally.peak_quote,
        day,
        tally.entries_today + 1 if tally.day == day else 1,
    )


def held_of(sub: SubAccount) -> Held:
    """Return what a sub-account holds: its position, else its pending entry at the decided price."""
    position, pending = sub.position, sub.pending
    notional = position.quantity_base * sub.mark_price
    risk = position.side * position.risk_quote
    count = 1 if position.side != 0 else 0
    if count == 0 and pending.side != 0:
        notional = pending.quantity_base * pending.decided_price
        risk = pending.side * pending.risk_quote
        count = 1
    return Held(net_quote(sub), notional, count, risk)


def held_with(others: Others, held: Held, same_bucket: int) -> Others:
    """Add what one other asset holds."""
    return Others(
        others.net_quote + held.net_quote,
        others.notional_quote + held.notional_quote,
        others.bucket_notional_quote + (held.notional_quote if same_bucket == 1 else 0.0),
        others.positions + held.positions,
        others.risk_quote + held.risk_quote,
        others.risk_squared + held.risk_quote * held.risk_quote,
    )
