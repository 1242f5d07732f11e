"""Executions: what an order fills at and costs, the position an entry makes, where it would be liquidated."""

from engine_alpha.kernel.grid import ceil_to, cost_frac, floor_to
from engine_alpha.kernel.margin import liquidation_price, tier_of
from engine_alpha.kernel.values import Asset, Bar, Fill, Pending, Position, Risk

NO_FILL = Fill(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0)


def market_fill(asset: Asset, risk: Risk, side: int, quantity: float, raw_price: float) -> Fill:
    """Fill a market order at `raw_price` plus cost, rounded to the tick against us, with taker fee."""
    cost = cost_frac(risk)
    if side > 0:
        price = ceil_to(raw_price * (1.0 + cost), asset.tick_quote, asset.ticks_per_unit)
    else:
        price = floor_to(raw_price * (1.0 - cost), asset.tick_quote, asset.ticks_per_unit)
        price = max(price, asset.tick_quote)
    return priced_fill(asset, side, quantity, raw_price, price)


def priced_fill(asset: Asset, side: int, quantity: float, raw_price: float, price: float) -> Fill:
    """Fill at exactly `price`, with taker fee."""
    fee = quantity * price * asset.taker_fee_frac
    slippage = (price - raw_price) * quantity * side
    return Fill(side, quantity, price, raw_price, fee, slippage, 0, 0)


def stamped(fill: Fill, at_ms: int, reason: int) -> Fill:
    """Return the fill with its time and reason."""
    return Fill(
        fill.side,
        fill.quantity_base,
        fill.price,
        fill.raw_price,
        fill.fee_quote,
        fill.slippage_quote,
        at_ms,
        reason,
    )


def opened(pending: Pending, fill: Fill, asset: Asset, risk: Risk, bar: Bar) -> Position:
    """Return the position a filled entry makes; stop and target are measured from the fill.

    The stop is rounded away from the price, so that risk is not understated, the target out of easy reach.
    """
    side = pending.side
    price = fill.price
    stop = price - side * distance(pending.stop_quote, pending.stop_frac, price)
    target_distance = distance(pending.target_quote, pending.target_frac, price)
    target = price + side * target_distance if target_distance > 0.0 else 0.0
    tick, per_unit = asset.tick_quote, asset.ticks_per_unit
    if side > 0:
        stop = max(floor_to(stop, tick, per_unit), tick)
        target = ceil_to(target, tick, per_unit) if target_distance > 0.0 else 0.0
    else:
        stop = ceil_to(stop, tick, per_unit)
        target = max(floor_to(target, tick, per_unit), tick) if target_distance > 0.0 else 0.0
    value = price * fill.quantity_base
    return Position(
        side,
        pending.card,
        fill.quantity_base,
        price,
        bar.open_ms,
        bar.number,
        stop,
        stop,
        target,
        distance(pending.trail_quote, pending.trail_frac, price),
        liquidation_price(side, fill.quantity_base, price, value / asset.max_leverage, tier_of(asset, value)),
        pending.max_hold_bars,
        risk_at(stop, price, fill.quantity_base, asset.taker_fee_frac, cost_frac(risk)),
        fill.fee_quote,
        fill.slippage_quote,
        0.0,
        pending.regime,
        pending.confidence,
        0,
    )


def distance(quote: float, frac: float, price: float) -> float:
    """Return a distance given in quote currency, or as a fraction of `price`, or 0.0 for none."""
    return quote if quote > 0.0 else frac * price


def risk_at(stop: float, price: float, quantity: float, fee_frac: float, slip_frac: float) -> float:
    """Return what is lost if the stop triggers at its price: both fees and the exit's slippage included."""
    return quantity * (abs(price - stop) + fee_frac * (price + stop) + slip_frac * stop)
