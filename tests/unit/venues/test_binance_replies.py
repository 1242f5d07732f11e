"""What Binance documents is read exactly; what it does not document is refused, never guessed."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain import orders, venue_facts
from engine_alpha.errors import DataError
from engine_alpha.exchanges.ccxt_loading import load_exchange_class
from engine_alpha.exchanges.transport import Endpoint
from engine_alpha.venues import binance_endpoints as endpoints
from engine_alpha.venues import binance_facts as facts
from engine_alpha.venues import binance_replies as replies

ORDER: dict[str, Any] = {
    "avgPrice": "0.00000",
    "clientOrderId": "chloe-en0123456789abcdef01234567",
    "cumQuote": "0",
    "executedQty": "0",
    "orderId": 8389765519993908929,
    "origQty": "0.40",
    "origType": "MARKET",
    "price": "0",
    "reduceOnly": False,
    "side": "BUY",
    "positionSide": "BOTH",
    "status": "NEW",
    "closePosition": False,
    "symbol": "BTCUSDT",
    "time": 1579276756075,
    "type": "MARKET",
    "updateTime": 1579276756080,
}
ALGO: dict[str, Any] = {
    "algoId": 2146760,
    "clientAlgoId": "6B2I9XVcJpCjqPAJ4YoFX7",
    "algoType": "CONDITIONAL",
    "orderType": "STOP_MARKET",
    "symbol": "BNBUSDT",
    "side": "SELL",
    "positionSide": "BOTH",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "algoStatus": "CANCELED",
    "actualOrderId": "",
    "actualPrice": "0.00000",
    "triggerPrice": "750.000",
    "price": "0.000",
    "workingType": "CONTRACT_PRICE",
    "closePosition": False,
    "priceProtect": False,
    "reduceOnly": True,
    "createTime": 1750485492076,
    "updateTime": 1750514545091,
    "triggerTime": 0,
}
TRADE: dict[str, Any] = {
    "buyer": False,
    "commission": "0.07819010",
    "commissionAsset": "USDT",
    "id": 698759,
    "maker": False,
    "orderId": 25851813,
    "price": "7819.01",
    "qty": "0.002",
    "quoteQty": "15.63802",
    "realizedPnl": "-0.91539999",
    "side": "SELL",
    "positionSide": "BOTH",
    "symbol": "BTCUSDT",
    "time": 1569514978020,
}
POSITION: dict[str, Any] = {
    "symbol": "ADAUSDT",
    "positionSide": "BOTH",
    "positionAmt": "-30",
    "entryPrice": "0.385",
    "liquidationPrice": "0.51",
    "isolatedWallet": "3.85",
}
CONTRACT: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "status": "TRADING",
    "deliveryDate": 4133404800000,
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "10000"},
        {"filterType": "MIN_NOTIONAL", "notional": "20"},
    ],
}


def info(**changes: Any) -> dict[str, Any]:
    return {"symbols": [{**CONTRACT, **changes}, {**CONTRACT, "symbol": "XRPUSDT", "status": "CLOSE"}]}


@pytest.mark.parametrize("endpoint", endpoints.ALL, ids=lambda each: f"{each.method} {each.path}")
def test_ccxt_has_every_endpoint_under_the_name_we_call(endpoint: Endpoint) -> None:
    assert hasattr(load_exchange_class("binanceusdm"), endpoint.ccxt_name)


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ("NEW", orders.WORKING),
        ("PARTIALLY_FILLED", orders.PARTIAL),
        ("FILLED", orders.FILLED),
        ("CANCELED", orders.CANCELLED),
        ("EXPIRED", orders.CANCELLED),
        ("EXPIRED_IN_MATCH", orders.CANCELLED),
        ("REJECTED", orders.REJECTED),
    ],
)
def test_every_documented_status_is_known(said: str, ours: str) -> None:
    order = replies.venue_order({**ORDER, "status": said})
    assert order.status == ours and order.order_id == "8389765519993908929" and order.quantity_base == "0.40"


@pytest.mark.parametrize(
    "flaw",
    [
        {"status": "DREAMING"},
        {"side": "LONG"},
        {"origQty": "1e3"},
        {"origQty": 0.4},
        {"executedQty": "NaN"},
        {"orderId": True},
        {"time": "yesterday"},
        {"reduceOnly": "perhaps"},
    ],
)
def test_an_order_that_is_not_as_documented_is_refused(flaw: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="bad_reply"):
        replies.venue_order({**ORDER, **flaw})


@given(name=st.sampled_from(sorted(ORDER)), value=st.none() | st.integers() | st.text() | st.lists(st.none()))
def test_nothing_but_a_data_error_comes_of_nonsense(name: str, value: Any) -> None:
    with contextlib.suppress(DataError):
        replies.venue_order({**ORDER, name: value})


def test_a_reply_to_a_new_order_has_no_time_but_that_of_its_update() -> None:
    reply = {name: value for name, value in ORDER.items() if name != "time"}
    assert replies.venue_order(reply).created_ms == 1579276756080


def test_a_conditional_order_names_its_child_once_it_fired() -> None:
    assert replies.algo_order(ALGO).child_id == ""
    assert replies.algo_order({**ALGO, "actualOrderId": "8389765"}).child_id == "8389765"
    told = replies.conditional_order(replies.algo_order({**ALGO, "algoStatus": "NEW"}))
    assert (told.status, told.conditional, told.trigger_price) == (orders.WORKING, True, "750.000")


def test_a_conditional_order_that_closes_the_position_has_no_quantity_and_reduces() -> None:
    told = {**ALGO, "quantity": None, "closePosition": True, "reduceOnly": False}
    order = replies.conditional_order(replies.algo_order(told))
    assert order.quantity_base == "0" and order.reduce_only


def test_a_fee_in_another_coin_says_what_to_switch_off() -> None:
    assert replies.fill(TRADE).fee_quote == "0.07819010"
    assert replies.fill({**TRADE, "commission": "0", "commissionAsset": "BNB"}).fee_quote == "0"
    with pytest.raises(DataError, match="BTCUSDT: the fee was taken in BNB; switch off fees in BNB"):
        replies.fill({**TRADE, "commissionAsset": "BNB"})


def test_the_sign_of_a_position_is_its_direction_and_a_flat_row_is_none() -> None:
    short = facts.open_position(POSITION)
    assert short is not None and (short.quantity_base, short.isolated) == ("-30", True)
    assert facts.open_position({**POSITION, "positionAmt": "0.000"}) is None
    cross = facts.open_position({**POSITION, "isolatedWallet": "0", "liquidationPrice": "0"})
    assert cross is not None and not cross.isolated and cross.liquidation_price == ""


def test_a_position_in_hedge_mode_is_refused() -> None:
    with pytest.raises(DataError, match="hedge mode"):
        facts.open_position({**POSITION, "positionSide": "SHORT"})


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ("TRADING", venue_facts.TRADING),
        ("PENDING_TRADING", venue_facts.NOT_LISTED),
        ("PRE_SETTLE", venue_facts.CLOSING),
        ("SETTLING", venue_facts.SETTLED),
        ("CLOSE", venue_facts.SETTLED),
        ("SOMETHING_NEW", venue_facts.CLOSING),  # no entries into what we don't understand
    ],
)
def test_the_status_of_a_contract(said: str, ours: str) -> None:
    assert facts.symbol_facts("ETHUSDT", info(status=said)).status == ours


def test_the_year_2100_is_no_delisting_and_any_other_date_is() -> None:
    assert facts.symbol_facts("ETHUSDT", info()).delisted_ms is None
    told = facts.symbol_facts("ETHUSDT", info(deliveryDate=1725440400000))
    assert told.delisted_ms == 1725440400000
    assert (told.tick_quote, told.lot_base, told.min_notional_quote) == ("0.01", "0.001", "20")


def test_a_symbol_that_is_not_there_is_not_listed() -> None:
    assert facts.symbol_facts("MATICUSDT", info()).status == venue_facts.NOT_LISTED


def test_the_wallet_is_the_quote_currencys() -> None:
    row = {"asset": "USDT", "marginBalance": "103.1", "availableBalance": "80"}
    told = facts.wallet({"assets": [{**row, "asset": "BNB", "marginBalance": "7"}, row]})
    assert (told.equity_quote, told.available_quote) == ("103.1", "80")
    assert facts.wallet({"assets": []}).equity_quote == "0"


def test_the_keys_permissions() -> None:
    told = facts.key_facts({"enableFutures": False, "enableWithdrawals": True})
    assert (told.can_trade, told.can_withdraw, told.read_only) == (False, True, True)
