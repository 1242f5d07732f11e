"""Read Binance USD-M's orders, conditional orders, trades and funding into exact values, or `DataError`."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from engine_alpha.domain import orders
from engine_alpha.domain.orders import VenueOrder
from engine_alpha.errors import DataError
from engine_alpha.venues.binance_fields import QUOTE, exact, known, side_of, truth, whole, word

ORDER_STATUS: Final = {
    "NEW": orders.WORKING,
    "PENDING_NEW": orders.WORKING,
    "NEW_INSURANCE": orders.WORKING,  # liquidation taken over by the insurance fund
    "NEW_ADL": orders.WORKING,
    "PARTIALLY_FILLED": orders.PARTIAL,
    "FILLED": orders.FILLED,
    "CANCELED": orders.CANCELLED,
    "EXPIRED": orders.CANCELLED,
    "EXPIRED_IN_MATCH": orders.CANCELLED,  # self-trade prevention
    "REJECTED": orders.REJECTED,
}
ALGO_STATUS: Final = {
    "NEW": orders.WORKING,
    "TRIGGERING": orders.WORKING,
    "TRIGGERED": orders.WORKING,
    "FINISHED": orders.FILLED,
    "CANCELED": orders.CANCELLED,
    "EXPIRED": orders.CANCELLED,
    "REJECTED": orders.REJECTED,
}
ALGO_WORDS: Final = {name: name for name in ALGO_STATUS}
STANDS: Final = "NEW"
FIRED: Final = frozenset(("TRIGGERING", "TRIGGERED", "FINISHED"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoOrder:
    """A conditional order: it waits in the algo service, and places `child_id` when its trigger is met."""

    symbol: str
    algo_id: str
    client_id: str
    kind: str
    side: str
    status: str
    quantity_base: str
    trigger_price: str
    working_type: str
    reduce_only: bool
    closes_position: bool
    created_ms: int
    child_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One row of the account's trades: which order filled, not yet whose order that was."""

    trade_id: int
    order_id: str
    at_ms: int
    side: str
    quantity_base: str
    price: str
    fee_quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """One funding payment; positive was received."""

    transaction_id: str
    symbol: str
    at_ms: int
    received_quote: str


def venue_order(item: Any) -> VenueOrder:
    """Return an order of the matching engine."""
    return VenueOrder(
        symbol=word(item, "symbol"),
        client_id=word(item, "clientOrderId"),
        order_id=word(item, "orderId"),
        side=side_of(item),
        status=known(ORDER_STATUS, item, "status"),
        quantity_base=exact(item, "origQty"),
        filled_base=exact(item, "executedQty"),
        reduce_only=truth(item, "reduceOnly"),
        conditional=False,
        created_ms=whole(item, "time" if "time" in item else "updateTime"),
    )


def algo_order(item: Any) -> AlgoOrder:
    """Return a conditional order; `child_id` is "" until it triggered, or where the reply leaves it out."""
    child = word(item, "actualOrderId") if "actualOrderId" in item else ""
    return AlgoOrder(
        symbol=word(item, "symbol"),
        algo_id=word(item, "algoId"),
        client_id=word(item, "clientAlgoId"),
        kind=word(item, "orderType"),
        side=side_of(item),
        status=known(ALGO_WORDS, item, "algoStatus"),
        quantity_base=word(item, "quantity") or "0",
        trigger_price=word(item, "triggerPrice") or "0",
        working_type=word(item, "workingType"),
        reduce_only=truth(item, "reduceOnly"),
        closes_position=truth(item, "closePosition"),
        created_ms=whole(item, "createTime"),
        child_id="" if child == "0" else child,
    )


def conditional_order(algo: AlgoOrder) -> VenueOrder:
    """Return a conditional order in the words of the domain."""
    return VenueOrder(
        symbol=algo.symbol,
        client_id=algo.client_id,
        order_id=algo.algo_id,
        side=algo.side,
        status=ALGO_STATUS[algo.status],
        quantity_base=algo.quantity_base,
        filled_base="0",
        reduce_only=algo.reduce_only or algo.closes_position,
        conditional=True,
        trigger_price=algo.trigger_price,
        created_ms=algo.created_ms,
    )


def fill(item: Any) -> Fill:
    """Return one trade. A fee in another coin than the quote can't be booked and is refused."""
    fee, asset = exact(item, "commission"), word(item, "commissionAsset")
    if asset != QUOTE and Decimal(fee) != 0:
        detail = (
            f"{word(item, 'symbol')}: the fee was taken in {asset}; switch off fees in {asset} at Binance"
        )
        raise DataError("fee_asset", detail)
    return Fill(
        trade_id=whole(item, "id"),
        order_id=word(item, "orderId"),
        at_ms=whole(item, "time"),
        side=side_of(item),
        quantity_base=exact(item, "qty"),
        price=exact(item, "price"),
        fee_quote=fee,
    )


def funding(item: Any) -> Funding:
    """Return one FUNDING_FEE of the income history."""
    if word(item, "asset") != QUOTE:
        raise DataError("funding_asset", f"funding was paid in {word(item, 'asset')}, not in {QUOTE}")
    return Funding(
        transaction_id=word(item, "tranId"),
        symbol=word(item, "symbol"),
        at_ms=whole(item, "time"),
        received_quote=exact(item, "income"),
    )
