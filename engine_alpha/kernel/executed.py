"""The live road: settle what a venue executed during a bar, then decide just as every other road does.

Where `advance` works out what a bar did to the position, here the venue has said it. The sums are made in
the same order as `settle`'s, so that a venue which fills by our own rules leads to the same bits.
"""

from typing import Any

from engine_alpha.kernel.advance import with_decision
from engine_alpha.kernel.codes import EXECUTED_ENTRY, EXECUTED_FUNDING
from engine_alpha.kernel.decide import decide
from engine_alpha.kernel.fills import NO_FILL, opened, risk_at
from engine_alpha.kernel.gates import account_marked
from engine_alpha.kernel.grid import cost_frac
from engine_alpha.kernel.ledger import booked, closed, holding, moved
from engine_alpha.kernel.margin import liquidation_price, tier_of
from engine_alpha.kernel.money import NO_PENDING, NO_TRADE, equity_quote
from engine_alpha.kernel.settle import marked
from engine_alpha.kernel.values import (
    Asset,
    Bar,
    Executed,
    Features,
    Fill,
    Position,
    Purse,
    Record,
    Risk,
    Rules,
    Settlement,
    SubAccount,
    Trade,
)


def advance_executed(
    purse: Purse, rules: Rules, bar: Bar, features: Features, executed: Any, entry_open: int
) -> tuple[Purse, Record]:
    """Advance one asset by one closed bar in which the venue did `executed`; see `advance`.

    `executed` are `Executed` values in order of time, at most one for the entry and one for the exit: parts
    are merged by the caller. While `entry_open` is 1 the pending entry's order may still fill: it is kept.
    """
    kept = purse.sub.pending if entry_open == 1 else NO_PENDING
    sub, settlement = settle_executed(purse.sub, rules.asset, rules.risk, bar, executed)
    sub = marked(sub, bar, 0)
    purse = Purse(sub, purse.account, purse.others, purse.tallies)
    account = account_marked(purse, rules.risk, bar.close_ms)
    purse = Purse(sub, account, purse.others, purse.tallies)
    decision = decide(purse, rules, bar, features)
    sub = with_decision(sub, rules.asset, bar, decision)
    if kept.side != 0:
        sub = holding(sub, sub.position, kept, 0.0, 0.0)
    record = Record(bar.open_ms, bar.close_ms, settlement, decision, equity_quote(sub))
    return Purse(sub, account, purse.others, purse.tallies), record


def settle_executed(
    sub: SubAccount, asset: Asset, risk: Risk, bar: Bar, executed: Any
) -> tuple[SubAccount, Settlement]:
    """Apply what the venue executed to the sub-account; return it with what happened.

    An entry opens the pending position, or adds to one that is open already. An exit of less than the
    position leaves the rest open. Funding that comes while flat belongs to the sub-account alone.
    """
    entry, exit_fill, trade = NO_FILL, NO_FILL, NO_TRADE
    funding = 0.0
    for i in range(len(executed)):
        each = executed[i]
        if each.leg == EXECUTED_FUNDING:
            sub = _funded(sub, each.received_quote)
            funding += each.received_quote
        elif each.leg == EXECUTED_ENTRY:
            entry = fill_of(each)
            sub = _entered(sub, entry, asset, risk, bar)
        elif sub.position.side != 0:
            exit_fill = fill_of(each)
            sub, trade = _left(sub, exit_fill, asset, bar)
    if sub.pending.side != 0:
        sub = holding(sub, sub.position, NO_PENDING, 0.0, 0.0)  # its bar is over: the entry is off
    return sub, Settlement(funding, 0, entry, exit_fill, trade)


def fill_of(executed: Executed) -> Fill:
    """Return an execution as the kernel's fill; slippage is against the price that was expected."""
    slippage = (executed.price - executed.raw_price) * executed.quantity_base * executed.side
    return Fill(
        executed.side,
        executed.quantity_base,
        executed.price,
        executed.raw_price,
        executed.fee_quote,
        slippage,
        executed.at_ms,
        executed.reason,
    )


def _funded(sub: SubAccount, received: float) -> SubAccount:
    position = sub.position
    if position.side != 0:
        position = moved(position, position.stop_price, position.funding_quote + received, position.exit_due)
    return holding(sub, position, sub.pending, 0.0, received)


def _entered(sub: SubAccount, fill: Fill, asset: Asset, risk: Risk, bar: Bar) -> SubAccount:
    if sub.position.side == 0:
        return holding(sub, opened(sub.pending, fill, asset, risk, bar), NO_PENDING, fill.fee_quote, 0.0)
    return holding(sub, enlarged(sub.position, fill, asset, risk), NO_PENDING, fill.fee_quote, 0.0)


def enlarged(position: Position, fill: Fill, asset: Asset, risk: Risk) -> Position:
    """Return the position with a late part of its entry added: price averaged, stop as it was."""
    quantity = position.quantity_base + fill.quantity_base
    price = (position.entry_price * position.quantity_base + fill.price * fill.quantity_base) / quantity
    margin = price * quantity / asset.max_leverage
    tier = tier_of(asset, price * quantity)
    cost = cost_frac(risk)
    return Position(
        position.side,
        position.card,
        quantity,
        price,
        position.entry_ms,
        position.entry_index,
        position.stop_price,
        position.first_stop_price,
        position.target_price,
        position.trail_quote,
        liquidation_price(position.side, quantity, price, margin, tier),
        position.max_hold_bars,
        risk_at(position.first_stop_price, price, quantity, asset.taker_fee_frac, cost),
        position.fee_quote + fill.fee_quote,
        position.slippage_quote + fill.slippage_quote,
        position.funding_quote,
        position.regime,
        position.confidence,
        position.exit_due,
    )


def _left(sub: SubAccount, fill: Fill, asset: Asset, bar: Bar) -> tuple[SubAccount, Trade]:
    """Close the position, or the part of it that was executed: a part is a trade of its own."""
    position = sub.position
    if fill.quantity_base >= position.quantity_base - 0.5 * asset.lot_base:
        trade = closed(position, fill, bar, 0.0)
        return booked(sub, trade, fill, bar.number), trade
    share = fill.quantity_base / position.quantity_base
    trade = closed(shared(position, fill.quantity_base, share), fill, bar, 0.0)
    rest = shared(position, position.quantity_base - fill.quantity_base, 1.0 - share)
    sub = booked(sub, trade, fill, bar.number)
    return holding(sub, rest, sub.pending, 0.0, 0.0), trade


def shared(position: Position, quantity: float, share: float) -> Position:
    """Return a part of the position: its quantity, and its share of risk, costs and funding."""
    return Position(
        position.side,
        position.card,
        quantity,
        position.entry_price,
        position.entry_ms,
        position.entry_index,
        position.stop_price,
        position.first_stop_price,
        position.target_price,
        position.trail_quote,
        position.liquidation_price,
        position.max_hold_bars,
        position.risk_quote * share,
        position.fee_quote * share,
        position.slippage_quote * share,
        position.funding_quote * share,
        position.regime,
        position.confidence,
        position.exit_due,
    )
