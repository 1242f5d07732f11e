"""Orders, fills and positions of the book. Quantities and prices are Decimal, times ms UTC."""

from dataclasses import dataclass, replace
from decimal import Decimal

BUY, SELL = "buy", "sell"
MARKET, LIMIT, STOP_MARKET, TAKE_PROFIT_MARKET = "market", "limit", "stop_market", "take_profit_market"
CONDITIONAL = (STOP_MARKET, TAKE_PROFIT_MARKET)

NEW, PARTIALLY_FILLED, FILLED, CANCELLED, REJECTED = (
    "New",
    "PartiallyFilled",
    "Filled",
    "Cancelled",
    "Rejected",
)
UNTRIGGERED, TRIGGERED, DEACTIVATED = "Untriggered", "Triggered", "Deactivated"
OPEN = (NEW, PARTIALLY_FILLED, UNTRIGGERED, TRIGGERED)

TRADE, FUNDING, ADL, BUST, SETTLE = "Trade", "Funding", "AdlTrade", "BustTrade", "Settle"
ZERO = Decimal(0)


class OrderRefused(Exception):
    """The exchange says no at once; `reason` is one of the words below, the same for both venues."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(f"{reason} {text}".strip())
        self.reason = reason
        self.text = text


# why an order is refused, rejected or cancelled
DUPLICATE_ID = "duplicate_id"
BAD_ID = "bad_id"
UNKNOWN_SYMBOL = "unknown_symbol"
NOT_TRADING = "not_trading"  # settled already, or not yet launched
DELISTING = "delisting"  # announced: no new positions
BAD_QUANTITY = "bad_quantity"  # not positive, or off the lot
BELOW_MINIMUM_QUANTITY = "below_minimum_quantity"
ABOVE_MAXIMUM_QUANTITY = "above_maximum_quantity"
BELOW_MINIMUM_NOTIONAL = "below_minimum_notional"
BAD_PRICE = "bad_price"  # missing, not positive, or off the tick
TRIGGER_PASSED = "trigger_passed"  # it would trigger immediately
STOP_WRONG_SIDE = "stop_wrong_side"  # a stop or target that hangs on a position, or rides in an entry
INSUFFICIENT_BALANCE = "insufficient_balance"
REDUCE_ONLY_FLAT = "reduce_only_flat"
REDUCE_ONLY_EXCESS = "reduce_only_excess"
REDUCE_ONLY_WITH_STOPS = "reduce_only_with_stops"
TOO_MANY_CONDITIONAL = "too_many_conditional"
POST_ONLY_WOULD_TAKE = "post_only_would_take"
NOT_OPEN = "not_open"  # to cancel or amend: gone, or never there
NO_POSITION = "no_position"
NOT_MODIFIED = "not_modified"
LEVERAGE_OVER_MAXIMUM = "leverage_over_maximum"
HOLDS_POSITION = "holds_position"  # a mode can't be switched now
HOLDS_ORDERS = "holds_orders"
BY_USER = "by_user"
NOTHING_TO_MATCH = "nothing_to_match"  # immediate or cancel, a part or all of it unfilled
POSITION_CLOSED = "position_closed"  # stops that hung on it vanish
SYMBOL_SETTLED = "symbol_settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What is asked for. `quantity` 0 only with `close_position`: the whole position."""

    symbol: str
    client_id: str
    side: str
    quantity: Decimal
    type: str = MARKET
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    reduce_only: bool = False
    time_in_force: str = "GTC"
    post_only: bool = False
    close_position: bool = False
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None

    @property
    def conditional(self) -> bool:
        return self.type in CONDITIONAL

    @property
    def reduces(self) -> bool:
        return self.reduce_only or self.close_position


@dataclass(slots=True, kw_only=True)
class BookOrder:
    """An order as it stands. `reason` is why it was rejected or cancelled, "" while neither.

    `stop_order_type`: "" for regular orders, "Stop" or "TakeProfit" conditional ones; children that hang on
    a position are "StopLoss" and "TakeProfit", have no client id and name the entry's in `parent_client_id`.
    `origin`: client, manual, child, adl, liquidation.
    """

    request: NewOrder
    order_id: str
    quantity: Decimal
    created_ms: int
    updated_ms: int
    status: str
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    filled: Decimal = ZERO
    avg_price: Decimal = ZERO
    fee: Decimal = ZERO
    reason: str = ""
    is_child: bool = False
    stop_order_type: str = ""
    parent_client_id: str = ""
    origin: str = "client"
    triggered_ms: int = 0
    actual_order_id: str = ""  # of the order that a trigger sent, where a venue numbers it anew

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def client_id(self) -> str:
        return self.request.client_id

    @property
    def side(self) -> str:
        return self.request.side

    @property
    def type(self) -> str:
        return self.request.type

    @property
    def conditional(self) -> bool:
        return self.request.conditional

    @property
    def reduce_only(self) -> bool:
        return self.request.reduce_only

    @property
    def close_position(self) -> bool:
        return self.request.close_position

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def left(self) -> Decimal:
        """What is still to be filled; 0 once it is closed."""
        return self.quantity - self.filled if self.is_open else ZERO

    def copy(self) -> "BookOrder":
        return replace(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFill:
    """One execution. `number` is unique and rising; funding has side "" and the position's quantity.

    `order` is None for funding and settlements: they are trades that no order tells of. `visible_ms`:
    when a query shows it.
    """

    number: int
    exec_id: str
    symbol: str
    order: BookOrder | None
    order_id: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    at_ms: int
    exec_type: str
    received_quote: Decimal = ZERO
    realised_quote: Decimal = ZERO
    closed_quantity: Decimal = ZERO
    left: Decimal = ZERO  # of the order, after this fill
    rate_frac: Decimal = ZERO  # funding's
    held_side: str = ""  # buy for a long: the position that funding was settled on
    visible_ms: int = 0

    @property
    def client_id(self) -> str:
        return self.order.client_id if self.order is not None else ""

    @property
    def stop_order_type(self) -> str:
        return self.order.stop_order_type if self.order is not None else ""


@dataclass(slots=True, kw_only=True)
class BookPosition:
    """One symbol's position, one-way; `quantity` is signed, 0 is flat."""

    symbol: str
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    leverage: Decimal = Decimal(10)
    isolated: bool = True
    stop: Decimal | None = None
    target: Decimal | None = None
    stop_parent: str = ""  # client id of the entry the stops came with
    liquidation_price: float = 0.0
    opened_ms: int = 0
    entry_bar_ms: int = 0
    realised_quote: Decimal = ZERO
    updated_ms: int = 0

    @property
    def side(self) -> int:
        return (self.quantity > 0) - (self.quantity < 0)

    @property
    def margin(self) -> Decimal:
        return abs(self.quantity) * self.entry_price / self.leverage

    def copy(self) -> "BookPosition":
        return replace(self)


def exact(value: float) -> Decimal:
    """Return the shortest decimal that reads back as `value`: 1 for 1.0, never -0."""
    told = Decimal(repr(float(value)))
    whole = told.to_integral_value()
    return whole.quantize(Decimal(1)) + 0 if told == whole else told


def text(value: Decimal) -> str:
    """Return an exact decimal string, never with an exponent."""
    return format(value, "f")


def sign_of(side: str) -> int:
    return 1 if side == BUY else -1


def side_of(sign: int) -> str:
    return BUY if sign > 0 else SELL
