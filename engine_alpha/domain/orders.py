"""Orders as values: what is asked of a venue, where each stands, and how it may go on.

Money and quantities here are exact decimal strings: what leaves for a venue, and what comes from it.
"""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from engine_alpha.errors import BrokenPromise

BUY, SELL = "buy", "sell"
ENTRY, EXIT, STOP, TARGET = "entry", "exit", "stop", "target"
LEGS = (ENTRY, EXIT, STOP, TARGET)

INTENDED = "intended"  # journalled; it may have been sent
UNKNOWN = "unknown"  # sent, the answer was unclear: only a look-up tells
WORKING = "working"  # the venue has it
PARTIAL = "partial"  # filled in part, still working
FILLED = "filled"
CANCELLED = "cancelled"  # not working any more; it may have fills
REJECTED = "rejected"
ABSENT = "absent"  # proved never to have reached the venue
STATUSES = (INTENDED, UNKNOWN, WORKING, PARTIAL, FILLED, CANCELLED, REJECTED, ABSENT)
UNRESOLVED = (INTENDED, UNKNOWN)
OPEN = (INTENDED, UNKNOWN, WORKING, PARTIAL)

# what can happen to an order
ACK = "ack"
PART = "part"
FULL = "full"
CANCEL = "cancel"
REJECT = "reject"
UNCLEAR = "unclear"
MISSING = "missing"  # looked for in open orders, history and executions, after the proof time: not there
HAPPENINGS = (ACK, PART, FULL, CANCEL, REJECT, UNCLEAR, MISSING)

TRANSITIONS: dict[tuple[str, str], str] = {
    (INTENDED, ACK): WORKING,
    (INTENDED, PART): PARTIAL,  # a fill may be told before the order's acceptance
    (INTENDED, FULL): FILLED,
    (INTENDED, CANCEL): CANCELLED,  # immediate or cancel, nothing filled
    (INTENDED, REJECT): REJECTED,
    (INTENDED, UNCLEAR): UNKNOWN,
    (INTENDED, MISSING): ABSENT,
    (UNKNOWN, ACK): WORKING,
    (UNKNOWN, PART): PARTIAL,
    (UNKNOWN, FULL): FILLED,
    (UNKNOWN, CANCEL): CANCELLED,
    (UNKNOWN, REJECT): REJECTED,
    (UNKNOWN, UNCLEAR): UNKNOWN,
    (UNKNOWN, MISSING): ABSENT,
    (WORKING, ACK): WORKING,
    (WORKING, PART): PARTIAL,
    (WORKING, FULL): FILLED,
    (WORKING, CANCEL): CANCELLED,
    (WORKING, REJECT): REJECTED,  # accepted for processing, then refused by the matching engine
    (WORKING, UNCLEAR): WORKING,
    (WORKING, MISSING): CANCELLED,  # cancelled without a fill, and its record has run out at the venue
    (PARTIAL, ACK): PARTIAL,
    (PARTIAL, PART): PARTIAL,
    (PARTIAL, FULL): FILLED,
    (PARTIAL, CANCEL): CANCELLED,  # keeps its fills
    (PARTIAL, UNCLEAR): PARTIAL,
    (PARTIAL, MISSING): CANCELLED,
    (FILLED, ACK): FILLED,  # told late or twice
    (FILLED, PART): FILLED,  # an older message came after a newer one
    (FILLED, FULL): FILLED,
    (FILLED, CANCEL): FILLED,  # the cancel lost its race
    (FILLED, UNCLEAR): FILLED,
    (FILLED, MISSING): FILLED,
    (CANCELLED, ACK): CANCELLED,
    (CANCELLED, PART): CANCELLED,  # filled in part before the cancel, told after it
    (CANCELLED, FULL): FILLED,  # the fill won the race
    (CANCELLED, CANCEL): CANCELLED,
    (CANCELLED, UNCLEAR): CANCELLED,
    (CANCELLED, MISSING): CANCELLED,
    (REJECTED, ACK): REJECTED,  # the acceptance for processing came after the engine's no
    (REJECTED, REJECT): REJECTED,
    (REJECTED, UNCLEAR): REJECTED,
    (REJECTED, MISSING): REJECTED,
    (ABSENT, MISSING): ABSENT,
    (ABSENT, UNCLEAR): ABSENT,
}
"""Every legal (status, happening) -> status. What is not here contradicts itself."""


def transition(status: str, happening: str) -> str:
    """Return the status after `happening`; raise `BrokenPromise` for what can't follow."""
    after = TRANSITIONS.get((status, happening))
    if after is None:
        raise BrokenPromise(f"an order that is {status} can't {happening}")
    return after


def is_legal(status: str, happening: str) -> bool:
    """Say whether `happening` can follow; a venue that contradicts itself freezes one asset, not all."""
    return (status, happening) in TRANSITIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent:
    """One order as it is wanted, journalled before it is sent.

    `client_id` is a function of the decision. Entries and exits are market orders; `stop_price` is the
    protective stop that rides in an entry where the venue can do that. `quantity_base` is on the lot grid.
    """

    client_id: str
    symbol: str
    leg: str
    side: str
    quantity_base: str
    reduce_only: bool
    bar_ms: int
    intended_ms: int
    stop_price: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What must stand at the venue for an open position: the stop, and the target once it may be taken.

    `side` is that of the orders (a long is protected by sells), `quantity_base` the position's. The ids
    are used where the venue keeps protection as orders of their own. "" is no target.
    """

    symbol: str
    side: str
    quantity_base: str
    stop_price: str
    stop_id: str
    target_price: str = ""
    target_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue tells it. `status` is one of ours; "" for a client id the venue does not name.

    `conditional`: a stop or target that waits for its trigger.
    """

    symbol: str
    client_id: str
    order_id: str
    side: str
    status: str
    quantity_base: str
    filled_base: str
    reduce_only: bool
    conditional: bool
    trigger_price: str = ""
    created_ms: int = 0


# what an execution was for
TRADE, STOPPED, TARGETED = "trade", "stop", "target"
LIQUIDATION, ADL, SETTLEMENT, FUNDING = "liquidation", "adl", "settlement", "funding"
EXECUTION_KINDS = (TRADE, STOPPED, TARGETED, LIQUIDATION, ADL, SETTLEMENT, FUNDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One thing the venue did to a position: a fill, or funding paid (side "", quantity "0").

    `venue_id` is unique for (venue, symbol). `client_id` is that of the order, "" if the venue names none:
    stops that hang on a position, liquidations, settlements. `fee_quote` is positive when paid,
    `received_quote` (funding) positive when received.
    """

    venue_id: str
    symbol: str
    kind: str
    at_ms: int
    client_id: str = ""
    order_id: str = ""
    side: str = ""
    quantity_base: str = "0"
    price: str = "0"
    fee_quote: str = "0"
    received_quote: str = "0"

    @property
    def signed_base(self) -> Decimal:
        """Return the quantity with its sign: positive buys."""
        quantity = Decimal(self.quantity_base)
        return quantity if self.side == BUY else -quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What a venue told of one symbol and cannot be read, and why: the other symbols are none the worse."""

    symbol: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """A position as the venue tells it. `quantity_base` is signed; "0" is flat.

    `stop_price` and `target_price` are what protects it where the venue hangs them on the position, "" for
    none or for a venue that keeps them as orders.
    """

    symbol: str
    quantity_base: str
    entry_price: str = ""
    stop_price: str = ""
    target_price: str = ""
    liquidation_price: str = ""
    leverage: str = ""
    isolated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """The account's money in the quote currency."""

    equity_quote: str
    available_quote: str


ID_PREFIX = "chloe-"
ID_LENGTH = 32  # the shorter of what both venues take


def client_id(symbol: str, timeframe: str, bar_ms: int, leg: str, detail: str = "") -> str:
    """Return an order's id: a function of the decision alone, so a repeated decision has the same id.

    32 characters of [a-z0-9-]. `detail` tells apart what one decision may need several of: attempts to
    leave, stops at different prices.
    """
    if leg not in LEGS:
        raise BrokenPromise(f"no order has the leg {leg!r}")
    text = f"{symbol}|{timeframe}|{bar_ms}|{leg}|{detail}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{ID_PREFIX}{leg[:2]}{digest}"[:ID_LENGTH]


def client_id_leg(identifier: str) -> str:
    """Return the leg that an id of ours was made for, "" for an id that is not ours."""
    letters = identifier.removeprefix(ID_PREFIX)[:2] if is_ours(identifier) else ""
    return next((leg for leg in LEGS if leg[:2] == letters), "")


def is_ours(identifier: str) -> bool:
    """Say whether an order id was made by us."""
    return identifier.startswith(ID_PREFIX)


def opposite(side: str) -> str:
    """Return the other side."""
    return SELL if side == BUY else BUY


def side_word(sign: float | Decimal) -> str:
    """Return the order's side for a signed quantity."""
    return BUY if sign > 0 else SELL
