"""What may be traded and how: one registry entry as a value."""

from dataclasses import dataclass

TIMEFRAME_MS: dict[str, int] = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetConfig:
    """One asset of the registry.

    `max_leverage` caps notional over the sub-account's equity; `min_notional_usd` is the smallest entry in
    quote currency (the instrument's own minimum applies besides it).
    """

    symbol: str
    base_timeframe: str
    enabled: bool
    venue: str
    risk_bucket: str
    quote_ccy: str
    max_leverage: float
    min_notional_usd: float

    @property
    def timeframe_ms(self) -> int:
        """Length of one bar in milliseconds."""
        return TIMEFRAME_MS[self.base_timeframe]
