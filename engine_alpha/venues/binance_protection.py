"""Stops and targets at Binance USD-M: conditional orders of the algo service, made to stand and verified.

They are reduce only and carry a quantity. Orders that close the whole position need none, but only one of
them may stand per direction (-4130), and here the new stop stands before the old one goes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine_alpha.domain.orders import BUY, ID_LENGTH, Protection, is_ours
from engine_alpha.errors import OutcomeUnknown, Refused
from engine_alpha.exchanges.judging import read_of_a_write
from engine_alpha.exchanges.transport import Transport, Urgency
from engine_alpha.venues import binance_endpoints as endpoints
from engine_alpha.venues.binance_fields import rows
from engine_alpha.venues.binance_replies import FIRED, STANDS, AlgoOrder, algo_order

STOP_KIND: Final = "STOP_MARKET"
TARGET_KIND: Final = "TAKE_PROFIT_MARKET"
TRIGGERED_BY: Final = "CONTRACT_PRICE"  # the last trade, as the backtest's bars
MOST_IDS: Final = 10
GONE: Final = frozenset((endpoints.CANCEL_REJECTED, endpoints.NO_SUCH_ORDER))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One conditional order as it is wanted."""

    symbol: str
    kind: str
    side: str
    quantity_base: str
    trigger_price: str
    client_id: str


def legs_of(wish: Protection) -> list[Leg]:
    """Return the stop and, if there is one, the target."""
    wanted = [(STOP_KIND, wish.stop_price, wish.stop_id)]
    if wish.target_price:
        wanted.append((TARGET_KIND, wish.target_price, wish.target_id))
    return [
        Leg(
            symbol=wish.symbol,
            kind=kind,
            side=wish.side,
            quantity_base=wish.quantity_base,
            trigger_price=price,
            client_id=client_id,
        )
        for kind, price, client_id in wanted
    ]


def covers(algo: AlgoOrder, leg: Leg) -> bool:
    """Say whether an order does what is wanted: wait at that price for all of the position, or it fired."""
    return (
        (algo.status == STANDS or algo.status in FIRED)
        and (algo.symbol, algo.kind, algo.side) == (leg.symbol, leg.kind, leg.side)
        and algo.reduce_only
        and algo.working_type == TRIGGERED_BY
        and Decimal(algo.trigger_price) == Decimal(leg.trigger_price)
        and Decimal(algo.quantity_base) >= Decimal(leg.quantity_base)
    )


def meets(algo: AlgoOrder, leg: Leg) -> bool:
    """Say whether an order is just what is wanted: one for more than is held may be refused once it fires."""
    return covers(algo, leg) and Decimal(algo.quantity_base) == Decimal(leg.quantity_base)


def ids_from(client_id: str) -> Iterator[str]:
    """Return the ids to try, in order: an id in use, or one the venue won't take again, has successors."""
    yield client_id
    for number in range(1, MOST_IDS):
        suffix = f"-{number}"
        yield client_id[: ID_LENGTH - len(suffix)] + suffix


class BinanceProtection:
    """The conditional orders of one account."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def protect(self, wish: Protection) -> None:
        """Make the stop stand, then the target, each verified by a read; then take our other ones away.

        Raises `Refused` for what can't stand any more (the price is through it), `OutcomeUnknown` where
        it can't be seen whether it stands; a repetition goes on from what is there.
        """
        ours = await self.ours(wish.symbol)
        kept = [await self._made_to_stand(leg, ours) for leg in legs_of(wish)]
        for algo in ours:
            if algo.algo_id not in kept:
                await self.cancel(algo.algo_id)

    async def is_protected(self, wish: Protection) -> bool:
        """Say whether the stop stands."""
        stop = legs_of(wish)[0]
        return any(algo.status == STANDS and covers(algo, stop) for algo in await self.ours(wish.symbol))

    async def unprotect(self, symbol: str) -> None:
        """Cancel our conditional orders of a symbol."""
        for algo in await self.ours(symbol):
            await self.cancel(algo.algo_id)

    async def ours(self, symbol: str) -> list[AlgoOrder]:
        """Return our open conditional orders of a symbol."""
        reply = await self._transport.call(endpoints.OPEN_ALGOS, {"symbol": symbol}, Urgency.EXIT)
        found = [algo_order(item) for item in rows(reply)]
        return [algo for algo in found if algo.symbol == symbol and is_ours(algo.client_id)]

    async def cancel(self, algo_id: str) -> None:
        """Cancel one conditional order; one that is gone is fine."""
        try:
            await self._transport.call(endpoints.CANCEL_ALGO, {"algoId": algo_id}, Urgency.EXIT)
        except Refused as fault:
            if fault.code not in GONE:
                raise

    async def _made_to_stand(self, leg: Leg, ours: Sequence[AlgoOrder]) -> str:
        """Return the id of the order that does what is wanted, placed if there is none."""
        for algo in ours:
            if meets(algo, leg):
                return algo.algo_id
        in_use = {algo.client_id for algo in ours}
        for client_id in ids_from(leg.client_id):
            if client_id not in in_use:
                algo_id = await self._placed(leg, client_id)
                if algo_id:
                    return algo_id
        raise Refused(f"binance took none of {MOST_IDS} ids for the {leg.kind} of {leg.symbol}")

    async def _placed(self, leg: Leg, client_id: str) -> str:
        """Place one order and see it stand; "" if another order had that id."""
        what = f"the {leg.kind} of {leg.symbol}"
        unclear: OutcomeUnknown | None = None
        try:
            await self._transport.call(endpoints.NEW_ALGO, _params(leg, client_id), Urgency.EXIT)
        except OutcomeUnknown as fault:
            unclear = fault  # the id was known, or the answer was lost: a look-up tells
        with read_of_a_write(f"{what} was sent"):
            found = await self._look_up(client_id)
        if found is None:
            raise unclear or OutcomeUnknown(f"binance took {what}, but does not know it yet")
        if unclear is not None:  # an older order may have had the id; one more can only reduce, never add
            return found.algo_id if found.status == STANDS and meets(found, leg) else ""
        if not meets(found, leg):
            raise Refused(f"binance took {what}, then it was {found.status}")
        return found.algo_id

    async def _look_up(self, client_id: str) -> AlgoOrder | None:
        try:
            reply = await self._transport.call(
                endpoints.QUERY_ALGO, {"clientAlgoId": client_id}, Urgency.EXIT
            )
        except Refused as fault:
            if fault.code in GONE:
                return None
            raise
        return algo_order(reply)


def _params(leg: Leg, client_id: str) -> dict[str, str | int]:
    return {
        "algoType": "CONDITIONAL",
        "symbol": leg.symbol,
        "side": "BUY" if leg.side == BUY else "SELL",
        "type": leg.kind,
        "quantity": leg.quantity_base,
        "triggerPrice": leg.trigger_price,
        "workingType": TRIGGERED_BY,
        "reduceOnly": "true",
        "clientAlgoId": client_id,
    }
