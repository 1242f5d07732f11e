"""Isolated margin: maintenance tiers, and where a position would be liquidated."""

from engine_alpha.kernel.values import Asset, Tier


def tier_of(asset: Asset, notional_quote: float) -> Tier:
    """Return the maintenance tier of a notional; tiers rise, the first holds below its floor too."""
    found = asset.tiers[0]
    for i in range(len(asset.tiers)):
        if notional_quote >= asset.tiers[i].floor_quote:
            found = asset.tiers[i]
    return Tier(found.floor_quote, found.rate_frac, found.deduction_quote)


def liquidation_price(
    side: int, quantity: float, entry_price: float, margin_quote: float, tier: Tier
) -> float:
    """Return the mark price at which an isolated position is liquidated; 0.0 if it can't be.

    (E Q - margin - deduction) / (Q (1 - mmr)) for a long, mirrored for a short: Binance's published formula
    in one-way isolated mode, and Bybit's with extra margin inside `margin_quote`.
    """
    value = entry_price * quantity
    if side > 0:
        price = (value - margin_quote - tier.deduction_quote) / (quantity * (1.0 - tier.rate_frac))
    else:
        price = (value + margin_quote + tier.deduction_quote) / (quantity * (1.0 + tier.rate_frac))
    return price if price > 0.0 else 0.0
