"""How much: a fraction of the sub-account's equity at risk at the stop, costs included, cut to every cap.

quantity = equity * risk / (|E - SL| + (fee + slippage) (E + SL)), rounded down to the lot, never up.
"""

from typing import Any

from engine_alpha.kernel.cards import Choice
from engine_alpha.kernel.grid import cost_frac, floor_to
from engine_alpha.kernel.money import NO_PENDING, equity_quote
from engine_alpha.kernel.signals import ATR_14, RANGE_336
from engine_alpha.kernel.values import Asset, Bar, Card, Pending, Rules, Size, SubAccount, View

NO_SIZE = Size(0.0, 0.0, 0.0, 0.0, 0.0)


def size_of(rules: Rules, card: Card, sub: SubAccount, bar: Bar, row: Any, side: int) -> Size:
    """Return the entry's size by the asset's own limits; nothing where the stop's distance is unknown."""
    asset, risk = rules.asset, rules.risk
    price = bar.close
    stop_distance = spec_quote(card.stop_atr, card.stop_range, row) + card.stop_frac * price
    equity = equity_quote(sub)
    if not (stop_distance > 0.0 and equity > 0.0 and price > 0.0):
        return NO_SIZE
    stop = max(0.0, price - side * stop_distance)
    per_unit = stop_distance + (asset.taker_fee_frac + cost_frac(risk)) * (price + stop)
    room = drawdown_factor(drawdown_frac(sub), risk.drawdown_limit_frac)
    wanted = equity * risk.risk_frac * room * card.size_factor / per_unit
    clipped = min(wanted, asset.max_leverage * equity / price, asset.max_market_quantity_base)
    if card.max_notional_quote > 0.0:
        clipped = min(clipped, card.max_notional_quote / price)
    return sized(asset, clipped, price, stop_distance, wanted, per_unit)


def sized(
    asset: Asset, quantity: float, price: float, stop_distance: float, wanted: float, per_unit: float
) -> Size:
    """Round down to the lot; below the smallest quantity there is no trade."""
    lots = floor_to(quantity, asset.lot_base, asset.lots_per_unit)
    if lots < asset.min_quantity_base or lots <= 0.0:
        return Size(0.0, 0.0, 0.0, stop_distance, wanted)
    return Size(lots, lots * price, lots * per_unit, stop_distance, wanted)


def resized(asset: Asset, size: Size, room_quote: float, price: float) -> Size:
    """Return the size cut to `room_quote` of notional; unchanged where it fits."""
    if size.notional_quote <= room_quote or size.quantity_base <= 0.0:
        return size
    per_unit = size.risk_quote / size.quantity_base
    return sized(
        asset, max(room_quote, 0.0) / price, price, size.stop_distance_quote, size.unclipped_base, per_unit
    )


def spec_quote(in_atr: float, in_range: float, row: Any) -> float:
    """Return a distance in quote currency from its parts in ATR(14) and mean range(336); NaN if unknown."""
    quote = 0.0
    if in_atr > 0.0:
        quote += in_atr * row[ATR_14]
    if in_range > 0.0:
        quote += in_range * row[RANGE_336]
    return quote


def drawdown_frac(sub: SubAccount) -> float:
    """Return how far equity stands below its peak, as a fraction of the peak; 1.0 if unknown."""
    equity = equity_quote(sub)
    if not (sub.peak_quote > 0.0 and equity == equity):
        return 1.0
    return max(0.0, (sub.peak_quote - equity) / sub.peak_quote)


def drawdown_factor(drawdown: float, limit: float) -> float:
    """Return how much of the normal size a drawdown leaves: 1 at none, 0 at the limit and beyond."""
    if not limit > 0.0:
        return 0.0
    return min(1.0, max(0.0, 1.0 - drawdown / limit))


def pending_of(rules: Rules, choice: Choice, size: Size, bar: Bar, view: View, row: Any) -> Pending:
    """Return the entry to fill at the next open, with its distances; they count from the fill."""
    if size.quantity_base <= 0.0:
        return NO_PENDING
    card = rules.cards[choice.card]
    return Pending(
        choice.side,
        choice.card,
        size.quantity_base,
        bar.close,
        bar.number,
        spec_quote(card.stop_atr, card.stop_range, row),
        card.stop_frac,
        spec_quote(card.target_atr, card.target_range, row),
        card.target_frac,
        spec_quote(card.trail_atr, card.trail_range, row),
        card.trail_frac,
        card.max_hold_bars,
        size.risk_quote,
        view.regime,
        view.confidence,
    )
