"""What Bybit says of account, key, contract and fees, as ours."""

from decimal import Decimal
from typing import Any, Final

from engine_alpha.domain.orders import Wallet
from engine_alpha.domain.venue_facts import (
    CLOSING,
    NOT_LISTED,
    SETTLED,
    TRADING,
    FeeRates,
    KeyFacts,
    SymbolFacts,
)
from engine_alpha.exchanges.replies import bad_reply, exact, field, rows_of, same_symbol, text, whole
from engine_alpha.venues.bybit_endpoints import SETTLE_COIN
from engine_alpha.venues.bybit_replies import listed

ISOLATED: Final = "ISOLATED_MARGIN"
CONTRACT_STATUSES: Final[dict[str, str]] = {
    "Trading": TRADING,
    "PreLaunch": NOT_LISTED,
    "Delivering": CLOSING,
    "Settling": CLOSING,
    "Closed": SETTLED,
}
HELD_BACK: Final = ("totalPositionIM", "totalOrderIM", "locked")


def is_isolated(reply: Any) -> bool:
    """Say whether the account's margin mode is isolated."""
    mode = field(field(reply, "result", "account info"), "marginMode", "account info")
    return text(mode, "marginMode") == ISOLATED


def key_facts(reply: Any) -> KeyFacts:
    """Return what the key may do: trade contracts, withdraw, or only read."""
    result = field(reply, "result", "query-api")
    permissions = field(result, "permissions", "query-api")
    read_only = whole(field(result, "readOnly", "query-api"), "readOnly") == 1
    contracts, derivatives = _allowed(permissions, "ContractTrade"), _allowed(permissions, "Derivatives")
    trades = {"Order", "Position"} <= contracts or "DerivativesTrade" in derivatives
    withdraws = "Withdraw" in _allowed(permissions, "Wallet") and not read_only
    return KeyFacts(can_trade=trades and not read_only, can_withdraw=withdraws, read_only=read_only)


def _allowed(permissions: Any, group: str) -> set[str]:
    if not isinstance(permissions, dict):
        raise bad_reply("query-api: permissions is no object")
    return {str(each) for each in rows_of(permissions.get(group) or [], f"permissions.{group}")}


def wallet(reply: Any) -> Wallet:
    """Return the USDT of a unified account.

    Free is what no margin holds: with isolated margin Bybit names no such figure of the whole account.
    """
    accounts = listed(reply, "wallet")
    coins = [coin for each in accounts for coin in rows_of(field(each, "coin", "wallet"), "coins")]
    for coin in coins:
        if field(coin, "coin", "wallet") == SETTLE_COIN:
            held_back = sum((_amount(coin, name) for name in HELD_BACK), Decimal(0))
            free = _amount(coin, "walletBalance") - held_back
            equity = exact(field(coin, "equity", "wallet"), "equity")
            return Wallet(equity_quote=equity, available_quote=format(max(free, Decimal(0)), "f"))
    return Wallet(equity_quote="0", available_quote="0")


def _amount(coin: Any, name: str) -> Decimal:
    value = field(coin, name, "wallet")
    return Decimal(0) if value == "" else Decimal(exact(value, name))


def symbol_facts(item: Any, symbol: str) -> SymbolFacts:
    """Return one contract of instruments-info; its delivery time "0" is none."""
    same_symbol(field(item, "symbol", "instrument"), symbol)
    status = field(item, "status", symbol)
    if status not in CONTRACT_STATUSES:
        raise bad_reply(f"{symbol}: status is {status!r:.40}, which is not documented")
    lot, price = field(item, "lotSizeFilter", symbol), field(item, "priceFilter", symbol)
    return SymbolFacts(
        symbol=symbol,
        status=CONTRACT_STATUSES[status],
        tick_quote=exact(field(price, "tickSize", symbol), "tickSize"),
        lot_base=exact(field(lot, "qtyStep", symbol), "qtyStep"),
        min_quantity_base=exact(field(lot, "minOrderQty", symbol), "minOrderQty"),
        min_notional_quote=exact(field(lot, "minNotionalValue", symbol), "minNotionalValue"),
        max_leverage=exact(
            field(field(item, "leverageFilter", symbol), "maxLeverage", symbol), "maxLeverage"
        ),
        delisted_ms=whole(field(item, "deliveryTime", symbol), "deliveryTime") or None,
    )


def fee_rates(reply: Any, symbol: str) -> FeeRates:
    """Return the account's fees for a symbol."""
    for item in listed(reply, "fee rates"):
        if field(item, "symbol", "fee rate") == symbol:
            return FeeRates(
                maker_frac=exact(field(item, "makerFeeRate", symbol), "makerFeeRate"),
                taker_frac=exact(field(item, "takerFeeRate", symbol), "takerFeeRate"),
            )
    raise bad_reply(f"no fee rates of {symbol}")
