"""Trading rules as the venues publish them, for `chloe instruments refresh`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from engine_alpha.domain.instrument import Instrument, Tier
from engine_alpha.errors import ConfigError, Refused, VenueBusy
from engine_alpha.exchanges.ccxt_connection import CcxtConnection
from engine_alpha.exchanges.ccxt_line import CCXT_CLASS
from engine_alpha.exchanges.replies import bad_reply, field, number, rows_of, whole
from engine_alpha.feeds.ccxt_dialects import CATEGORY

# Defaults without VIP level or rebate (DESIGN §5); neither venue publishes an account's own fees.
MAKER_FEE_FRAC: Final = 0.0002
TAKER_FEE_FRAC: Final = {"bybit": 0.00055, "binance": 0.0005}

NO_DELIVERY_MS: Final = 4_133_404_800_000  # how Binance writes "never": the year 2100
LARGEST_MAINTENANCE_FRAC: Final = 0.6
MOST_PAGES: Final = 20


async def fetch_instruments(
    venue: str,
    symbols: Sequence[str],
    known: Mapping[str, Instrument],
    urls: Mapping[str, str] | None = None,
    deadline_ms: int = 60_000,
    with_tiers: bool = True,
) -> list[Instrument]:
    """Return the venue's rules for `symbols`, in their order; one neither listed nor in `known` is left out.

    From `known` (the snapshot at hand, by symbol) come successors, the tiers that the venue keeps private
    (Binance), and symbols it lists no more: those are settled, by now at the latest. Without `with_tiers` all
    tiers come from there: Bybit wants a request a symbol for them. Raises `VenueError`, `DataError`, and
    `ConfigError` for a venue without a feed.
    """
    if venue not in CCXT_CLASS:
        raise ConfigError(f"venue {venue!r} has no feed; known are {', '.join(CCXT_CLASS)}")
    connection = CcxtConnection(venue, (urls or {}).get(venue), deadline_ms)
    try:
        async with asyncio.timeout(deadline_ms / 1_000):
            if venue == "bybit":
                return await _from_bybit(connection, symbols, known, with_tiers)
            return await _from_binance(connection, symbols, known)
    except TimeoutError as fault:
        raise VenueBusy(f"{venue}: instruments not read within {deadline_ms} ms") from fault
    finally:
        await connection.close()


async def _from_bybit(
    connection: CcxtConnection, symbols: Sequence[str], known: Mapping[str, Instrument], with_tiers: bool
) -> list[Instrument]:
    listed, now_ms = await _bybit_listed(connection)
    found = []
    for symbol in symbols:
        item = listed.get(symbol) or await _bybit_closed(connection, symbol)
        if item is not None:
            tiers = await _bybit_tiers(connection, symbol) if with_tiers else ()
            tiers = tiers or _tiers_of(known.get(symbol))
            found.append(bybit_instrument(item, tiers, _successor_of(known.get(symbol))))
        elif symbol in known:
            found.append(gone(known[symbol], now_ms))
    return found


async def _bybit_listed(connection: CcxtConnection) -> tuple[dict[str, Any], int]:
    """Return everything that trades now, by symbol, and the server's time."""
    found: dict[str, Any] = {}
    asked: dict[str, str | int] = {"category": CATEGORY, "limit": "1000"}
    for _ in range(MOST_PAGES):
        reply = await connection.get("public_get_v5_market_instruments_info", asked)
        result = field(reply, "result", "instruments reply")
        for item in rows_of(field(result, "list", "instruments result"), "instruments list"):
            found[str(field(item, "symbol", "instrument"))] = item
        cursor = result.get("nextPageCursor")
        if not found:
            raise bad_reply("bybit: an empty list of instruments")  # else all would count as settled
        if not cursor:
            return found, whole(field(reply, "time", "instruments reply"), "server time")
        asked["cursor"] = str(cursor)
    raise bad_reply(f"bybit: more than {MOST_PAGES} pages of instruments")


async def _bybit_closed(connection: CcxtConnection, symbol: str) -> Any | None:
    """Return a settled contract's entry, None where Bybit has forgotten it."""
    asked = {"category": CATEGORY, "symbol": symbol, "status": "Closed"}
    try:
        reply = await connection.get("public_get_v5_market_instruments_info", asked)
    except Refused:
        return None
    listed = rows_of(field(field(reply, "result", "reply"), "list", "result"), "list")
    return listed[0] if listed else None


async def _bybit_tiers(connection: CcxtConnection, symbol: str) -> tuple[Tier, ...]:
    """Return the maintenance tiers; none for a contract that has them no more."""
    asked = {"category": CATEGORY, "symbol": symbol}
    try:
        reply = await connection.get("public_get_v5_market_risk_limit", asked)
    except Refused:
        return ()
    listed = rows_of(field(field(reply, "result", "risk limit reply"), "list", "result"), "risk limits")
    return bybit_tiers(listed, symbol)


def bybit_tiers(listed: Sequence[Any], symbol: str) -> tuple[Tier, ...]:
    """Return the tiers of one symbol from /v5/market/risk-limit, smallest first.

    `mmDeduction` is "" where Bybit leaves it out; the recurrence cum + floor × (rate − rate before) fills it.
    """
    of_symbol = [item for item in listed if field(item, "symbol", "risk limit") == symbol]
    of_symbol.sort(key=lambda item: number(field(item, "riskLimitValue", symbol), "riskLimitValue"))
    tiers: list[Tier] = []
    floor_quote = 0.0
    for item in of_symbol:
        rate_frac = number(field(item, "maintenanceMargin", symbol), "maintenanceMargin")
        if not 0.0 < rate_frac < LARGEST_MAINTENANCE_FRAC:
            raise bad_reply(f"{symbol}: maintenance margin {rate_frac} is no fraction of the notional")
        deduction = item.get("mmDeduction") or None
        reckoned = 0.0
        if tiers:
            reckoned = tiers[-1].deduction_quote + floor_quote * (rate_frac - tiers[-1].rate_frac)
        tiers.append(
            Tier(
                floor_quote=floor_quote,
                rate_frac=rate_frac,
                deduction_quote=reckoned if deduction is None else number(deduction, "mmDeduction"),
                max_leverage=number(field(item, "maxLeverage", symbol), "maxLeverage"),
            )
        )
        floor_quote = number(item["riskLimitValue"], "riskLimitValue")
    return tuple(tiers)


def bybit_instrument(item: Any, tiers: tuple[Tier, ...], successor: str | None) -> Instrument:
    """Return the rules from one entry of /v5/market/instruments-info."""
    symbol = str(field(item, "symbol", "instrument"))
    lot, price = field(item, "lotSizeFilter", symbol), field(item, "priceFilter", symbol)
    return Instrument(
        venue="bybit",
        symbol=symbol,
        tick_quote=_positive(price, "tickSize", symbol),
        lot_base=_positive(lot, "qtyStep", symbol),
        min_quantity_base=_positive(lot, "minOrderQty", symbol),
        min_notional_quote=_positive(lot, "minNotionalValue", symbol),
        max_market_quantity_base=_positive(lot, "maxMktOrderQty", symbol),
        maker_fee_frac=MAKER_FEE_FRAC,
        taker_fee_frac=TAKER_FEE_FRAC["bybit"],
        tiers=tiers,
        listed_ms=whole(field(item, "launchTime", symbol), "launchTime") or None,
        settled_ms=whole(field(item, "deliveryTime", symbol), "deliveryTime") or None,
        successor=successor,
    )


async def _from_binance(
    connection: CcxtConnection, symbols: Sequence[str], known: Mapping[str, Instrument]
) -> list[Instrument]:
    reply = await connection.get("fapipublic_get_exchangeinfo", {})
    now_ms = whole(field(reply, "serverTime", "exchangeInfo"), "serverTime")
    entries = rows_of(field(reply, "symbols", "exchangeInfo"), "symbols")
    listed = {str(field(item, "symbol", "instrument")): item for item in entries}
    if not listed:
        raise bad_reply("binance: an empty list of instruments")  # else all would count as settled
    found = []
    for symbol in symbols:
        if symbol in listed:
            found.append(binance_instrument(listed[symbol], known.get(symbol)))
        elif symbol in known:
            found.append(gone(known[symbol], now_ms))
    return found


def binance_instrument(item: Any, known: Instrument | None) -> Instrument:
    """Return the rules from one symbol of /fapi/v1/exchangeInfo; tiers need a key there, so they stay."""
    symbol = str(field(item, "symbol", "instrument"))
    filters = {
        str(field(each, "filterType", symbol)): each
        for each in rows_of(field(item, "filters", symbol), "filters")
    }
    lot = field(filters, "LOT_SIZE", symbol)
    delivery_ms = whole(field(item, "deliveryDate", symbol), "deliveryDate")
    return Instrument(
        venue="binance",
        symbol=symbol,
        tick_quote=_positive(field(filters, "PRICE_FILTER", symbol), "tickSize", symbol),
        lot_base=_positive(lot, "stepSize", symbol),
        min_quantity_base=_positive(lot, "minQty", symbol),
        min_notional_quote=_positive(field(filters, "MIN_NOTIONAL", symbol), "notional", symbol),
        max_market_quantity_base=_positive(field(filters, "MARKET_LOT_SIZE", symbol), "maxQty", symbol),
        maker_fee_frac=MAKER_FEE_FRAC,
        taker_fee_frac=TAKER_FEE_FRAC["binance"],
        tiers=_tiers_of(known),
        listed_ms=whole(field(item, "onboardDate", symbol), "onboardDate") or None,
        settled_ms=delivery_ms if 0 < delivery_ms < NO_DELIVERY_MS else None,
        successor=_successor_of(known),
    )


def gone(known: Instrument, now_ms: int) -> Instrument:
    """Return what is known of a contract that its venue lists no more, settled by now at the latest."""
    return known if known.settled_ms is not None else replace(known, settled_ms=now_ms)


def _positive(record: Any, name: str, symbol: str) -> str:
    text = field(record, name, symbol)
    if not number(text, f"{symbol} {name}") > 0.0:
        raise bad_reply(f"{symbol}: {name} is {text!r}")
    return str(text)


def _tiers_of(known: Instrument | None) -> tuple[Tier, ...]:
    return known.tiers if known is not None else ()


def _successor_of(known: Instrument | None) -> str | None:
    return known.successor if known is not None else None
