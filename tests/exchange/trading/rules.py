"""What differs between venues, what may be turned in a test, and what fills cost per symbol."""

from dataclasses import dataclass, field
from decimal import Decimal

from engine_alpha.kernel.grid import steps_per_unit
from engine_alpha.kernel.values import Asset, Risk
from tests.exchange.candles import Listing
from tests.makers import a_risk, an_asset

DAY_MS = 86_400_000
ALWAYS_UNIQUE, UNIQUE_AMONG_OPEN = "always_unique", "unique_among_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRules:
    """A venue's limits and memory. None is no limit."""

    ids: str
    min_notional_quote: Decimal
    taker_fee_frac: float
    conditional_per_symbol: int | None = None
    conditional_per_account: int | None = None
    unfilled_memory_ms: int
    order_memory_ms: int
    execution_memory_ms: int
    realtime_closed: int = 500


BYBIT_RULES = VenueRules(
    ids=ALWAYS_UNIQUE,
    min_notional_quote=Decimal(5),
    taker_fee_frac=0.00055,
    conditional_per_symbol=10,
    unfilled_memory_ms=DAY_MS,
    order_memory_ms=730 * DAY_MS,
    execution_memory_ms=730 * DAY_MS,
)
BINANCE_RULES = VenueRules(
    ids=UNIQUE_AMONG_OPEN,
    min_notional_quote=Decimal(20),
    taker_fee_frac=0.0005,
    conditional_per_account=200,
    unfilled_memory_ms=3 * DAY_MS,
    order_memory_ms=90 * DAY_MS,
    execution_memory_ms=90 * DAY_MS,
)
RULES = {"bybit": BYBIT_RULES, "binance": BINANCE_RULES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What one symbol's fills are made from, and its limits. `max_market_quantity` None: no limit."""

    asset: Asset
    risk: Risk
    max_leverage: Decimal = Decimal(100)
    max_market_quantity: Decimal | None = None


def default_contract(listing: Listing, rules: VenueRules) -> Contract:
    """Return a contract on the listing's grid, with the costs that the tests' values have."""
    tick, lot = float(listing.tick), float(listing.lot)
    asset = an_asset(
        tick_quote=tick,
        ticks_per_unit=steps_per_unit(tick),
        lot_base=lot,
        lots_per_unit=steps_per_unit(lot),
        min_quantity_base=lot,
        timeframe_ms=min(listing.series),
        taker_fee_frac=rules.taker_fee_frac,
    )
    return Contract(asset=asset, risk=a_risk())


@dataclass(slots=True, kw_only=True)
class Dials:
    """What a test may turn while the exchange runs.

    `partial_parts`: fills that a market order comes in. `partial_share`: how much of it is filled at all, the
    rest is cancelled. `partial_chance`: how often these two apply, `partial_times` how many times at most.
    """

    ack_delay_ms: int = 0
    propagation_ms: int = 0
    partial_parts: int = 1
    partial_share: Decimal = Decimal(1)
    partial_chance: float = 1.0
    partial_times: int | None = None
    symbols: tuple[str, ...] = field(default_factory=tuple)  # of the partial fills; empty: all

    def set(self, **changes: object) -> None:
        for name, value in changes.items():
            if name not in self.__slots__:
                raise ValueError(f"no dial {name!r}")
            setattr(self, name, Decimal(str(value)) if name == "partial_share" else value)
