"""What our books say of a position against what the venue says: one verdict, pure."""

from typing import NamedTuple

AGREES, DUST, WAITING, FOREIGN, UNEXPLAINED = 0, 1, 2, 3, 4
VERDICTS = ("agrees", "dust", "waiting", "foreign", "unexplained")


class Standing(NamedTuple):
    """One asset's position by our books and by the venue; quantities are signed."""

    ours_base: float  # what our orders and what closed them add up to
    foreign_base: float  # what others did on the same account: not ours to touch
    venue_base: float
    lot_base: float
    min_quantity_base: float
    unresolved: int  # orders whose outcome is not known yet
    differs_ms: int  # how long books and venue have differed
    grace_ms: int  # a venue may tell a position before its fills, or after


def verdict_of(standing: Standing) -> int:
    """Return what the comparison means: only what nothing explains freezes an asset for that alone.

    A difference waits while an order's outcome is unknown (nothing is entered meanwhile), and else for the
    grace time.
    """
    known = standing.ours_base + standing.foreign_base
    difference = standing.venue_base - known
    if abs(difference) < 0.5 * standing.lot_base:
        if abs(standing.foreign_base) >= 0.5 * standing.lot_base:
            return FOREIGN
        size = abs(standing.venue_base)
        small = size < standing.min_quantity_base - 0.5 * standing.lot_base
        return DUST if size > 0.0 and small else AGREES
    if standing.unresolved > 0 or standing.differs_ms < standing.grace_ms:
        return WAITING
    return UNEXPLAINED


def freezes(verdict: int) -> int:
    """Return 1 if the verdict freezes the asset: no entries until the venue and our books agree again."""
    return 1 if verdict in (FOREIGN, UNEXPLAINED) else 0
