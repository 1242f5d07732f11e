"""Read what Binance USD-M says of an account and a contract into exact values, or `DataError`."""

from decimal import Decimal
from typing import Any, Final

from engine_alpha.domain import venue_facts
from engine_alpha.domain.orders import VenuePosition, Wallet
from engine_alpha.domain.venue_facts import FeeRates, KeyFacts, SymbolFacts
from engine_alpha.errors import DataError
from engine_alpha.venues.binance_fields import QUOTE, exact, field, rows, truth, whole, word

NO_DELIVERY_MS: Final = 4_133_404_800_000  # how Binance writes "never": the year 2100
CONTRACT_STATUS: Final = {
    "TRADING": venue_facts.TRADING,
    "PENDING_TRADING": venue_facts.NOT_LISTED,
    "PRE_DELIVERING": venue_facts.CLOSING,
    "PRE_SETTLE": venue_facts.CLOSING,
    "DELIVERING": venue_facts.SETTLED,
    "DELIVERED": venue_facts.SETTLED,
    "SETTLING": venue_facts.SETTLED,
    "CLOSE": venue_facts.SETTLED,
}


def open_position(item: Any) -> VenuePosition | None:
    """Return one open position of /fapi/v3/positionRisk, None for a flat row.

    The reply names no leverage, and no margin type: only an isolated position has a wallet of its own.
    """
    quantity = exact(item, "positionAmt")
    if Decimal(quantity) == 0:
        return None
    if word(item, "positionSide") != "BOTH":
        raise DataError("hedge_mode", f"{word(item, 'symbol')} is held in hedge mode; switch to one-way mode")
    liquidation = exact(item, "liquidationPrice")
    return VenuePosition(
        symbol=word(item, "symbol"),
        quantity_base=quantity,
        entry_price=exact(item, "entryPrice"),
        liquidation_price=liquidation if Decimal(liquidation) > 0 else "",
        isolated=Decimal(exact(item, "isolatedWallet")) != 0,
    )


def wallet(reply: Any) -> Wallet:
    """Return the quote currency's part of /fapi/v3/account: equity with open profit, and what is free."""
    for item in rows(field(reply, "assets")):
        if word(item, "asset") == QUOTE:
            return Wallet(
                equity_quote=exact(item, "marginBalance"), available_quote=exact(item, "availableBalance")
            )
    return Wallet(equity_quote="0", available_quote="0")


def key_facts(reply: Any) -> KeyFacts:
    """Return what /sapi/v1/account/apiRestrictions allows the key."""
    can_trade = truth(reply, "enableFutures")
    return KeyFacts(
        can_trade=can_trade, can_withdraw=truth(reply, "enableWithdrawals"), read_only=not can_trade
    )


def fee_rates(reply: Any) -> FeeRates:
    """Return the account's rates for one symbol."""
    return FeeRates(
        maker_frac=exact(reply, "makerCommissionRate"), taker_frac=exact(reply, "takerCommissionRate")
    )


def symbol_facts(symbol: str, reply: Any) -> SymbolFacts:
    """Return one contract of /fapi/v1/exchangeInfo; a status without documentation takes no entries."""
    found = [each for each in rows(field(reply, "symbols")) if field(each, "symbol") == symbol]
    if not found:
        return SymbolFacts(symbol=symbol, status=venue_facts.NOT_LISTED)
    item = found[0]
    filters = {word(each, "filterType"): each for each in rows(field(item, "filters"))}
    lot, delivery_ms = field(filters, "LOT_SIZE"), whole(item, "deliveryDate")
    return SymbolFacts(
        symbol=symbol,
        status=CONTRACT_STATUS.get(word(item, "status"), venue_facts.CLOSING),
        tick_quote=exact(field(filters, "PRICE_FILTER"), "tickSize"),
        lot_base=exact(lot, "stepSize"),
        min_quantity_base=exact(lot, "minQty"),
        min_notional_quote=exact(field(filters, "MIN_NOTIONAL"), "notional"),
        delisted_ms=delivery_ms if 0 < delivery_ms < NO_DELIVERY_MS else None,
    )
