"""Whatever JSON a venue sends, reading it ends in values or in `DataError`, never in another exception."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.errors import DataError
from engine_alpha.feeds.ccxt_dialects import BinancePublic, BybitPublic
from engine_alpha.feeds.ccxt_instruments import binance_instrument, bybit_instrument, bybit_tiers

SYMBOL = "ETHUSDT"
KEYS = (
    *("result", "list", "symbol", "time", "serverTime", "fundingRate", "fundingTime", "fundingRateTimestamp"),
    *("bid1Price", "ask1Price", "bidPrice", "askPrice", "filters", "filterType", "priceFilter", "tickSize"),
    *("riskLimitValue", "maintenanceMargin", "mmDeduction", "maxLeverage", "lotSizeFilter", "deliveryDate"),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from((SYMBOL, "1700000000000", "1.5", "NaN", "-1", "9" * 30, "")),
)
replies = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=7) | st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=8)
    ),
    max_leaves=40,
)
enveloped = replies | st.fixed_dictionaries(
    {
        "time": leaves,
        "result": st.fixed_dictionaries(
            {"symbol": st.just(SYMBOL), "list": st.lists(replies | st.lists(leaves, min_size=6, max_size=8))}
        ),
    }
)


class FakeConnection:
    """Answers everything with the same JSON."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply

    async def get(self, endpoint: str, params: Mapping[str, str | int]) -> Any:
        return self.reply


@pytest.mark.parametrize("dialect", [BybitPublic, BinancePublic])
@given(reply=enveloped)
def test_any_reply_is_values_or_a_data_error(dialect: Any, reply: Any) -> None:
    async def ask_everything() -> None:
        venue = dialect(FakeConnection(reply))
        for question in (
            venue.server_ms(),
            venue.candles(SYMBOL, "1h", 0, 3_600_000),
            venue.settlements(SYMBOL, 0, 10**12),
            venue.quotes(),
        ):
            try:
                await question
            except DataError as fault:
                assert fault.reason == "bad_reply" and len(str(fault)) < 400

    asyncio.run(ask_everything())


@given(item=replies, listed=st.lists(replies, max_size=5))
def test_any_instrument_is_rules_or_a_data_error(item: Any, listed: list[Any]) -> None:
    for read in (
        lambda: bybit_instrument(item, (), None),
        lambda: binance_instrument(item, None),
        lambda: bybit_tiers(listed, SYMBOL),
    ):
        try:
            read()
        except DataError as fault:
            assert fault.reason == "bad_reply"
