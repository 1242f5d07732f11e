"""What a venue says about one symbol: grid, minimums, fees, maintenance tiers, listing dates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One maintenance tier: margin = notional * rate_frac - deduction_quote, from `floor_quote` up."""

    floor_quote: float
    rate_frac: float
    deduction_quote: float
    max_leverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Trading rules of one symbol at one venue, as of the snapshot's date.

    `tick_quote`, `lot_base` and the minimums are exact decimal strings, as the venue sends them.
    `listed_ms`/`settled_ms` bound the time it could be traded (None: open end); `successor` names the
    contract that followed a settled one.
    """

    venue: str
    symbol: str
    tick_quote: str
    lot_base: str
    min_quantity_base: str
    min_notional_quote: str
    max_market_quantity_base: str
    maker_fee_frac: float
    taker_fee_frac: float
    tiers: tuple[Tier, ...]
    listed_ms: int | None = None
    settled_ms: int | None = None
    successor: str | None = None

    def is_listed(self, at_ms: int) -> bool:
        """Say whether the contract trades at that time."""
        after_listing = self.listed_ms is None or at_ms >= self.listed_ms
        return after_listing and (self.settled_ms is None or at_ms < self.settled_ms)
