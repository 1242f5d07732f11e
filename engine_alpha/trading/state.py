"""What one asset's real orders stand at: kept in the journal, rebuilt from it after any crash."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any

from engine_alpha.domain.orders import (
    ENTRY,
    EXIT,
    OPEN,
    UNRESOLVED,
    Execution,
    OrderIntent,
    Protection,
)
from engine_alpha.step.state import LIVE_PREFIX
from engine_alpha.step.text import to_text


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrder:
    """An entry or exit and where it stands.

    `told_base` is the filled quantity by the venue's word on the order, `filled_base` by the executions that
    came: while they differ, fills are still on their way. `sent_ms` is the last time it was, or may have
    been, sent.
    """

    intent: OrderIntent
    status: str
    sent_ms: int
    order_id: str = ""
    told_base: str = "0"
    filled_base: str = "0"

    @property
    def is_open(self) -> bool:
        """Say whether it may still fill."""
        return self.status in OPEN

    @property
    def is_unresolved(self) -> bool:
        """Say whether a look-up must tell what became of it."""
        return self.status in UNRESOLVED

    @property
    def awaits_fills(self) -> bool:
        """Say whether the venue told of more than the executions that came."""
        return Decimal(self.told_base) > Decimal(self.filled_base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """An execution as it counts for us: entry, exit (with its reason) or funding; settled at its bar."""

    execution: Execution
    leg: str  # entry, exit, funding
    reason: str  # word of kernel.codes.EXITS for exits


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """One asset's orders, fills that no bar has settled yet, its position and protection at the venue.

    `ours_base` is what our orders and whatever closed them add up to, `foreign_base` what others did on the
    same account; both signed; `foreign_execution` is the last trade
    that was theirs. `protection` is what was last seen standing at the venue, `spare_orders`
    how many of our stops and targets stand beside it though newer ones took their place. `leave` is why the
    position must be left whatever the next decision says ("" none). `frozen` is why nothing is entered.
    `unprotected_ms` adds up how long fills stood without a verified stop, `flattened_ms` is the last wish of
    a person to be out that was taken up.
    """

    symbol: str
    venue: str
    version: int = 0
    orders: tuple[LiveOrder, ...] = ()
    booked: tuple[Booked, ...] = ()
    ours_base: str = "0"
    foreign_base: str = "0"
    venue_base: str = "0"
    protection: Protection | None = None
    spare_orders: int = 0
    naked_since_ms: int = 0
    unprotected_ms: int = 0
    read_to_ms: int = 0
    differs_since_ms: int = 0
    verdict: str = "agrees"
    foreign_orders: int = 0
    foreign_execution: Execution | None = None
    frozen: str = ""
    leave: str = ""
    flattened_ms: int = 0

    @property
    def position(self) -> Decimal:
        """Return our signed position."""
        return Decimal(self.ours_base)

    @property
    def is_flat(self) -> bool:
        """Say whether nothing of ours is held, ordered or on its way."""
        return self.position == 0 and not any(order.is_open or order.awaits_fills for order in self.orders)

    @property
    def is_over(self) -> bool:
        """Say whether it may be forgotten: flat, every fill settled by a bar, no order of ours left."""
        left = self.protection is not None and (self.protection.stop_id or self.protection.target_id)
        return self.is_flat and not self.booked and not left

    @property
    def unresolved(self) -> list[LiveOrder]:
        """Return the orders whose outcome must be looked up."""
        return [order for order in self.orders if order.is_unresolved]

    def open_orders(self, leg: str) -> list[LiveOrder]:
        """Return the orders of that leg which may still fill."""
        return [order for order in self.orders if order.intent.leg == leg and order.is_open]

    @property
    def entry_open(self) -> bool:
        """Say whether an entry may still fill, or has fills that have not come."""
        return any(o.intent.leg == ENTRY and (o.is_open or o.awaits_fills) for o in self.orders)

    @property
    def leaving(self) -> bool:
        """Say whether an exit is on its way."""
        return any(o.intent.leg == EXIT and (o.is_open or o.awaits_fills) for o in self.orders)

    def order(self, client_id: str) -> LiveOrder | None:
        """Return the order of that id."""
        return next((order for order in self.orders if order.intent.client_id == client_id), None)

    def with_order(self, order: LiveOrder) -> "LiveState":
        """Return the state with the order put in, or put in the place of what it was."""
        known = self.order(order.intent.client_id)
        if known is None:
            return replace(self, orders=(*self.orders, order))
        swapped = tuple(order if each is known else each for each in self.orders)
        return replace(self, orders=swapped)


def state_name(symbol: str) -> str:
    """Return the name of the state in the journal."""
    return LIVE_PREFIX + symbol


def live_text(state: LiveState) -> str:
    """Return the state as canonical JSON."""
    return to_text(asdict(state))


def live_of(text: str) -> LiveState:
    """Return the state written by `live_text`."""
    return live_from(json.loads(text))


def live_from(stored: Mapping[str, Any]) -> LiveState:
    """Return the state from its parsed JSON."""
    protection, foreign = stored["protection"], stored["foreign_execution"]
    return LiveState(
        **{
            **stored,
            "orders": tuple(_order(each) for each in stored["orders"]),
            "booked": tuple(
                Booked(**{**each, "execution": Execution(**each["execution"])}) for each in stored["booked"]
            ),
            "protection": None if protection is None else Protection(**protection),
            "foreign_execution": None if foreign is None else Execution(**foreign),
        }
    )


def _order(stored: Mapping[str, Any]) -> LiveOrder:
    return LiveOrder(**{**stored, "intent": OrderIntent(**stored["intent"])})
