"""The paper venue: shows what a pending entry would fill at; the booking is the kernel's, one bar later."""

from dataclasses import dataclass

from engine_alpha.kernel.fills import market_fill
from engine_alpha.kernel.values import Asset, Pending, Risk


@dataclass(frozen=True, slots=True)
class PaperVenue:
    """One asset on paper, with the very fill that settling will book."""

    asset: Asset
    risk: Risk

    def provisional_fill(self, pending: Pending, forming_open: float | None) -> float | None:
        """Return the price at the forming bar's open, costs included; None before it is known."""
        if pending.side == 0 or forming_open is None:
            return None
        return market_fill(self.asset, self.risk, pending.side, pending.quantity_base, forming_open).price
