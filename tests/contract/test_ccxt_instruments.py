"""Trading rules over the real ccxt: as the venue writes them, settled ones recognised."""

from dataclasses import replace

import pytest

from engine_alpha.domain.instrument import Instrument, Tier
from engine_alpha.errors import ConfigError, DataError, VenueBusy
from engine_alpha.feeds.ccxt_instruments import fetch_instruments
from tests.contract.conftest import NOW_MS
from tests.exchange.candles import Listing
from tests.exchange.running import RunningExchange

SETTLED_MS = NOW_MS - 86_400_000
OLD_TIERS = (Tier(floor_quote=0.0, rate_frac=0.004, deduction_quote=0.0, max_leverage=125.0),)

both_venues = pytest.mark.parametrize("venue", ["bybit", "binance"])


def known(venue: str, symbol: str) -> Instrument:
    return Instrument(
        venue=venue,
        symbol=symbol,
        tick_quote="0.1",
        lot_base="0.1",
        min_quantity_base="0.1",
        min_notional_quote="5",
        max_market_quantity_base="100",
        maker_fee_frac=0.0002,
        taker_fee_frac=0.0005,
        tiers=OLD_TIERS,
        successor="POLUSDT",
    )


async def fetch(exchange: RunningExchange, venue: str, *symbols: str) -> list[Instrument]:
    snapshot = {symbol: known(venue, symbol) for symbol in symbols if symbol != "NEWUSDT"}
    return await fetch_instruments(venue, symbols, snapshot, {venue: exchange.url}, 3_000)


async def test_bybit_rules_are_read_as_written(exchange: RunningExchange) -> None:
    listing = exchange.market.listings["ETHUSDT"]
    (found,) = await fetch(exchange, "bybit", "ETHUSDT")
    assert (found.tick_quote, found.lot_base, found.min_notional_quote) == (listing.tick, "0.01", "5")
    assert (found.max_market_quantity_base, found.taker_fee_frac) == ("724.00", 0.00055)
    assert (found.listed_ms, found.settled_ms) == (listing.listed_ms, None)
    assert [(t.floor_quote, t.rate_frac, t.deduction_quote, t.max_leverage) for t in found.tiers] == [
        (0.0, 0.01, 0.0, 50.0),
        (200_000.0, 0.015, 1_000.0, 33.33),
        (400_000.0, 0.025, 5_000.0, 20.0),
    ]


async def test_binance_rules_are_read_as_written_and_keep_their_tiers(exchange: RunningExchange) -> None:
    (found,) = await fetch(exchange, "binance", "ETHUSDT")
    assert (found.min_notional_quote, found.max_market_quantity_base) == ("20", "2000")
    assert (found.tiers, found.settled_ms, found.taker_fee_frac) == (OLD_TIERS, None, 0.0005)


@both_venues
async def test_a_settled_contract_says_when_and_keeps_its_successor(
    exchange: RunningExchange, venue: str
) -> None:
    exchange.market.listings["MATICUSDT"] = Listing("MATICUSDT", {}, settled_ms=SETTLED_MS)
    (found,) = await fetch(exchange, venue, "MATICUSDT")
    assert (found.settled_ms, found.successor) == (SETTLED_MS, "POLUSDT")
    assert found.is_listed(SETTLED_MS - 1) and not found.is_listed(NOW_MS)


@both_venues
async def test_a_contract_the_venue_forgot_is_settled_by_now(exchange: RunningExchange, venue: str) -> None:
    gone, listed = await fetch(exchange, venue, "MATICUSDT", "ETHUSDT")
    assert gone == replace(known(venue, "MATICUSDT"), settled_ms=NOW_MS)
    assert listed.settled_ms is None


@both_venues
async def test_what_nobody_knows_is_left_out(exchange: RunningExchange, venue: str) -> None:
    assert await fetch(exchange, venue, "NEWUSDT") == []


@both_venues
async def test_an_empty_list_settles_nothing(exchange: RunningExchange, venue: str) -> None:
    exchange.market.listings.clear()
    with pytest.raises(DataError, match="empty list of instruments"):
        await fetch(exchange, venue, "ETHUSDT")


@both_venues
async def test_a_slow_venue_is_busy(exchange: RunningExchange, venue: str) -> None:
    exchange.market.faults.add(kind="delay", value=2_000)
    with pytest.raises(VenueBusy):
        await fetch_instruments(venue, ["ETHUSDT"], {}, {venue: exchange.url}, 300)


async def test_a_venue_without_a_feed_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigError, match="kraken"):
        await fetch_instruments("kraken", ["ETHUSDT"], {})
