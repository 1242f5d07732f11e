"""What a venue says about an account and a symbol before anything is ordered there."""

from dataclasses import dataclass

TRADING, CLOSING, SETTLED, NOT_LISTED = "trading", "closing", "settled", "not_listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """What an API key may do. `None` where the venue does not say (Bybit's demo)."""

    can_trade: bool | None
    can_withdraw: bool | None
    read_only: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """How the account is set: one-way or hedge, isolated or cross (None: set per symbol), whose key it is."""

    one_way: bool
    isolated: bool | None
    key: KeyFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolFacts:
    """What the venue says of one contract now; grids and minimums as exact decimal strings.

    `status`: trading, closing (no new positions), settled, not_listed. `delisted_ms` is the announced end,
    None for none.
    """

    symbol: str
    status: str
    tick_quote: str = "0"
    lot_base: str = "0"
    min_quantity_base: str = "0"
    min_notional_quote: str = "0"
    max_leverage: str = "0"
    delisted_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    """What the account pays for one symbol, as fractions."""

    maker_frac: str
    taker_frac: str
