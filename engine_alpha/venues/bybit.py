"""Bybit v5 as a venue: USDT perpetuals of a unified account, one-way, isolated."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from engine_alpha.domain.orders import (
    WORKING,
    Execution,
    OrderIntent,
    Protection,
    Unreadable,
    VenueOrder,
    VenuePosition,
    Wallet,
    opposite,
    side_word,
)
from engine_alpha.domain.venue_facts import NOT_LISTED, AccountFacts, FeeRates, KeyFacts, SymbolFacts
from engine_alpha.errors import DataError, OutcomeUnknown, Refused, VenueBusy, VenueError
from engine_alpha.exchanges.codes import ALREADY, GONE, names_no_symbol
from engine_alpha.exchanges.judging import read_of_a_write
from engine_alpha.exchanges.replies import field, text, whole
from engine_alpha.exchanges.transport import Params, Transport, Urgency
from engine_alpha.venues import bybit_endpoints as endpoints
from engine_alpha.venues import bybit_facts as facts
from engine_alpha.venues.bybit_queries import BybitQueries
from engine_alpha.venues.bybit_replies import SIDE_WORDS, listed

LAST_PRICE: Final = "LastPrice"
NO_PRICE: Final = "0"  # takes a stop or target away
OTHER_STATUSES: Final = ("Closed", "Delivering", "PreLaunch")
PROBE_SYMBOL: Final = "BTCUSDT"
UNKNOWN_KEY: Final = KeyFacts(can_trade=None, can_withdraw=None)


class BybitVenue:
    """One account over a transport.

    `key_api`: False where Bybit tells nothing of keys (demo). `probe_symbol` is looked at for the position
    mode of an account without positions: Bybit tells it by symbol only.
    """

    name = "bybit"
    stop_rides_entry = True

    def __init__(
        self,
        transport: Transport,
        proof_ms: int,
        key_api: bool = True,
        probe_symbol: str = PROBE_SYMBOL,
    ) -> None:
        self._transport = transport
        self._proof_ms = proof_ms
        self._key_api = key_api
        self._probe_symbol = probe_symbol
        self._queries = BybitQueries(transport)
        self._minimum_base: dict[str, Decimal] = {}

    @property
    def proof_ms(self) -> int:
        """How long after an intent a look-up that finds nothing proves that the order never arrived."""
        return self._proof_ms

    async def server_ms(self) -> int:
        """Return the venue's time."""
        reply = await self._transport.call(endpoints.SERVER_TIME, {}, Urgency.RECONCILE)
        return whole(field(reply, "time", "time reply"), "server time")

    async def place(self, intent: OrderIntent) -> VenueOrder:
        """Send a market order once, an entry with its stop; a yes says only that it is worked on."""
        params = _order_params(intent)
        if intent.reduce_only and await self._is_dust(intent):
            params |= {"qty": "0", "closeOnTrigger": True}  # closes all, however little
        urgency = Urgency.EXIT if intent.reduce_only else Urgency.ENTRY
        reply = await self._transport.call(endpoints.CREATE_ORDER, params, urgency)
        with read_of_a_write(f"{intent.symbol}: the reply to {intent.client_id}"):
            result = field(reply, "result", "order reply")
            order_id = text(field(result, "orderId", "order reply"), "orderId")
            told = text(field(result, "orderLinkId", "order reply"), "orderLinkId")
            accepted_ms = whole(field(reply, "time", "order reply"), "time")
        if told != intent.client_id:
            raise OutcomeUnknown(f"sent {intent.client_id}, the reply is about {told:.40}; look it up")
        return VenueOrder(
            symbol=intent.symbol,
            client_id=intent.client_id,
            order_id=order_id,
            side=intent.side,
            status=WORKING,
            quantity_base=intent.quantity_base,
            filled_base="0",
            reduce_only=intent.reduce_only,
            conditional=False,
            created_ms=accepted_ms,
        )

    async def _is_dust(self, intent: OrderIntent) -> bool:
        """Say whether an exit of the whole position is too little for an order.

        A read that fails says no: the exit goes out as it is.
        """
        try:
            if intent.symbol not in self._minimum_base:
                await self._facts(intent.symbol, Urgency.EXIT)
            least = self._minimum_base.get(intent.symbol, Decimal(0))
            if Decimal(intent.quantity_base) >= least:
                return False
            held = await self._queries.position(intent.symbol, Urgency.EXIT)
        except (VenueError, DataError):
            return False
        return held is not None and abs(Decimal(held.quantity_base)) == Decimal(intent.quantity_base)

    async def find(self, intent: OrderIntent) -> VenueOrder | None:
        """Look an order up by its client id.

        Bybit forgets cancelled and rejected ones after a day, and its short list when it restarts.
        """
        return await self._queries.find(intent)

    async def cancel(self, symbol: str, order_id: str, conditional: bool) -> None:
        """Cancel one order, conditional or not."""
        asked: Params = {"category": endpoints.CATEGORY, "symbol": symbol, "orderId": order_id}
        try:
            await self._transport.call(endpoints.CANCEL_ORDER, asked, Urgency.RECONCILE)
        except Refused as no:
            if no.code not in GONE[self.name]:
                raise

    async def protect(self, wish: Protection) -> None:
        """Hang stop and target on the position, in place of those that hang there, and see that they do."""
        asked: Params = {
            "category": endpoints.CATEGORY,
            "symbol": wish.symbol,
            "positionIdx": 0,
            "tpslMode": "Full",
            "stopLoss": wish.stop_price,
            "slTriggerBy": LAST_PRICE,
            "takeProfit": wish.target_price or NO_PRICE,
            "tpTriggerBy": LAST_PRICE,
        }
        try:
            await self._transport.call(endpoints.TRADING_STOP, asked, Urgency.EXIT)
        except Refused as no:
            if no.code not in ALREADY[self.name]:
                raise
        try:
            held = await self._queries.position(wish.symbol, Urgency.EXIT)
        except (VenueBusy, Refused, DataError) as fault:
            raise OutcomeUnknown(f"bybit {wish.symbol}: the stop was sent, not seen yet: {fault}") from fault
        if not (_stop_stands(held, wish) and _target_stands(held, wish)):
            there = "flat" if held is None else f"stop {held.stop_price or 'none'}"
            raise OutcomeUnknown(
                f"bybit {wish.symbol}: the stop {wish.stop_price} was sent, the position is {there}"
            )

    async def is_protected(self, wish: Protection) -> bool:
        """Say whether the stop hangs on the position now."""
        return _stop_stands(await self._queries.position(wish.symbol, Urgency.EXIT), wish)

    async def unprotect(self, symbol: str) -> None:
        """Do nothing: here stops go with the position."""

    async def positions(self) -> Mapping[str, VenuePosition | Unreadable]:
        """Return every open position by symbol."""
        return await self._queries.positions()

    async def open_orders(self, symbol: str = "") -> Sequence[VenueOrder | Unreadable]:
        """Return the symbol's or the account's open orders without the stops and targets of positions."""
        return await self._queries.open_orders(symbol)

    async def executions(self, symbol: str, since_ms: int) -> Sequence[Execution]:
        """Return fills and funding up to the venue's now, oldest first."""
        return await self._queries.executions(symbol, since_ms)

    async def wallet(self) -> Wallet:
        """Return the USDT of the unified account."""
        asked: Params = {"accountType": "UNIFIED", "coin": endpoints.SETTLE_COIN}
        return facts.wallet(await self._transport.call(endpoints.WALLET, asked, Urgency.RECONCILE))

    async def account_facts(self) -> AccountFacts:
        """Return margin mode, position mode and what the key may do."""
        info = await self._transport.call(endpoints.ACCOUNT_INFO, {}, Urgency.RECONCILE)
        key = UNKNOWN_KEY
        if self._key_api:
            key = facts.key_facts(await self._transport.call(endpoints.QUERY_API, {}, Urgency.RECONCILE))
        one_way = await self._queries.is_one_way(self._probe_symbol)
        return AccountFacts(one_way=one_way, isolated=facts.is_isolated(info), key=key)

    async def symbol_facts(self, symbol: str) -> SymbolFacts:
        """Return what the venue says of a contract; one that trades no more is asked for by its status."""
        return await self._facts(symbol, Urgency.RECONCILE)

    async def _facts(self, symbol: str, urgency: Urgency) -> SymbolFacts:
        asked: dict[str, str | int] = {"category": endpoints.CATEGORY, "symbol": symbol}
        for status in ("", *OTHER_STATUSES):
            found = await self._instrument(asked | ({"status": status} if status else {}), urgency)
            if found is not None:
                told = facts.symbol_facts(found, symbol)
                self._minimum_base[symbol] = Decimal(told.min_quantity_base)
                return told
        return SymbolFacts(symbol=symbol, status=NOT_LISTED)

    async def _instrument(self, asked: Params, urgency: Urgency) -> Any | None:
        try:
            reply = await self._transport.call(endpoints.INSTRUMENTS, asked, urgency)
        except Refused as no:
            if names_no_symbol(no.code, str(no)):
                return None
            raise
        items = listed(reply, "instruments")
        return items[0] if items else None

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays."""
        asked: Params = {"category": endpoints.CATEGORY, "symbol": symbol}
        return facts.fee_rates(
            await self._transport.call(endpoints.FEE_RATE, asked, Urgency.RECONCILE), symbol
        )

    async def set_up(self, symbol: str, leverage: str) -> None:
        """Set leverage, in one-way mode alone; isolated margin is a matter of the whole account here."""
        if not await self._queries.is_one_way(symbol):
            raise Refused(f"bybit has {symbol} in hedge mode: switch it to one-way mode")
        asked: Params = {
            "category": endpoints.CATEGORY,
            "symbol": symbol,
            "buyLeverage": leverage,
            "sellLeverage": leverage,
        }
        try:
            await self._transport.call(endpoints.SET_LEVERAGE, asked, Urgency.ENTRY)
        except Refused as no:
            if no.code not in ALREADY[self.name]:
                raise

    async def close(self) -> None:
        """Let go of connections."""
        await self._transport.close()


def _order_params(intent: OrderIntent) -> dict[str, str | int]:
    params: dict[str, str | int] = {
        "category": endpoints.CATEGORY,
        "symbol": intent.symbol,
        "side": SIDE_WORDS[intent.side],
        "orderType": "Market",
        "qty": intent.quantity_base,
        "positionIdx": 0,
        "orderLinkId": intent.client_id,
    }
    if intent.reduce_only:
        params["reduceOnly"] = True
    if intent.stop_price:
        params |= {"stopLoss": intent.stop_price, "slTriggerBy": LAST_PRICE, "tpslMode": "Full"}
    return params


def _stop_stands(held: VenuePosition | None, wish: Protection) -> bool:
    """Say whether a position of the right side has that stop."""
    if held is None or opposite(side_word(Decimal(held.quantity_base))) != wish.side:
        return False
    return held.stop_price != "" and Decimal(held.stop_price) == Decimal(wish.stop_price)


def _target_stands(held: VenuePosition | None, wish: Protection) -> bool:
    if held is None:
        return False
    return Decimal(held.target_price or NO_PRICE) == Decimal(wish.target_price or NO_PRICE)
