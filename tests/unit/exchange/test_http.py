"""Private requests over HTTP: signed bodies and queries, broken connections, the control endpoint."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.exchange.accounts import KEY, SECRET, accounts_of
from tests.exchange.binance_signing import KEY_HEADER
from tests.exchange.binance_signing import signature as binance_signature
from tests.exchange.bybit_signing import BybitKey, signed_headers
from tests.exchange.candles import HOUR_MS
from tests.exchange.clock import ExchangeClock
from tests.exchange.market import Market
from tests.exchange.running import ExchangeProcess, RunningExchange, running
from tests.exchange.trading.book import TradingBook
from tests.unit.exchange.books import QUIET, START_MS, SYMBOL, a_listing

BYBIT_KEY = BybitKey(key=KEY, secret=SECRET)
ORDER: dict[str, Any] = {
    **{"category": "linear", "symbol": SYMBOL, "side": "Buy", "orderType": "Market", "qty": "1"},
    **{"orderLinkId": "a", "positionIdx": 0, "reduceOnly": False, "stopLoss": "95"},
}


@pytest.fixture
def exchange() -> Iterator[RunningExchange]:
    market = Market([a_listing((QUIET,) * 10)], ExchangeClock(START_MS))
    with running(market, accounts_of(market)) as served:
        yield served


def book_of(exchange: RunningExchange, venue: str) -> TradingBook:
    return next(each.book for each in exchange.private if each.book.venue == venue)


def sent(url: str, body: bytes | None = None, headers: dict[str, str] | None = None, method: str = "") -> Any:
    """Return the decoded reply, whatever its status."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method or None)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as refused:
        with refused:
            return json.load(refused)


def posted(exchange: RunningExchange, path: str, told: dict[str, Any], at_ms: int = START_MS) -> Any:
    body = json.dumps(told)
    headers = signed_headers(BYBIT_KEY, at_ms, body) | {"Content-Type": "application/json"}
    return sent(f"{exchange.url}{path}", body.encode(), headers)


def got(exchange: RunningExchange, path: str, told: dict[str, Any]) -> Any:
    query = urlencode(told)
    return sent(f"{exchange.url}{path}?{query}", headers=signed_headers(BYBIT_KEY, START_MS, query))


def test_a_signed_bybit_order_is_placed_and_found(exchange: RunningExchange) -> None:
    made = posted(exchange, "/v5/order/create", ORDER)
    assert made["retCode"] == 0, made
    found = got(exchange, "/v5/order/realtime", {"category": "linear", "symbol": SYMBOL, "orderLinkId": "a"})
    assert found["result"]["list"][0]["orderStatus"] == "Filled"
    held = got(exchange, "/v5/position/list", {"category": "linear", "settleCoin": "USDT"})
    assert held["result"]["list"][0]["stopLoss"] == "95"


def test_a_stale_or_forged_signature_is_refused_over_http(exchange: RunningExchange) -> None:
    assert posted(exchange, "/v5/order/create", ORDER, START_MS - 60_000)["retCode"] == 10002
    headers = signed_headers(BYBIT_KEY, START_MS, "{}")
    told = sent(f"{exchange.url}/v5/order/create", json.dumps(ORDER).encode(), headers)
    assert told["retCode"] == 10004
    assert book_of(exchange, "bybit").fills == []


def test_a_signed_binance_order_is_placed(exchange: RunningExchange) -> None:
    told = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "1", "timestamp": START_MS}
    query = urlencode(told | {"newClientOrderId": "a", "newOrderRespType": "RESULT"})
    url = f"{exchange.url}/fapi/v1/order?{query}&signature={binance_signature(query, SECRET)}"
    assert sent(url, b"", {KEY_HEADER: KEY}, "POST")["status"] == "FILLED"


def test_a_signed_binance_form_body_is_read_too(exchange: RunningExchange) -> None:
    told = {"symbol": SYMBOL, "leverage": 3, "timestamp": START_MS}
    form = urlencode(told)
    body = f"{form}&signature={binance_signature(form, SECRET)}".encode()
    headers = {KEY_HEADER: KEY, "Content-Type": "application/x-www-form-urlencoded"}
    assert sent(f"{exchange.url}/fapi/v1/leverage", body, headers)["leverage"] == 3


@pytest.mark.parametrize(("kind", "effects"), [("drop", 0), ("drop_after", 1), ("cut", 1)])
def test_a_broken_connection_tells_nothing_of_the_effect(
    exchange: RunningExchange, kind: str, effects: int
) -> None:
    exchange.market.faults.add(kind=kind, path="order/create", times=1)
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        posted(exchange, "/v5/order/create", ORDER)
    assert len(book_of(exchange, "bybit").fills) == effects


def test_a_reply_cut_in_half_is_no_json_and_the_order_stands(exchange: RunningExchange) -> None:
    exchange.market.faults.add(kind="truncate", path="order/create", times=1)
    with pytest.raises(json.JSONDecodeError):
        posted(exchange, "/v5/order/create", ORDER)
    assert len(book_of(exchange, "bybit").fills) == 1


def test_a_late_request_takes_effect_all_the_same(exchange: RunningExchange) -> None:
    exchange.market.faults.add(kind="late", path="order/create", value=20, times=1)
    assert posted(exchange, "/v5/order/create", ORDER)["retCode"] == 0


def test_pace_is_kept_for_market_data_too(exchange: RunningExchange) -> None:
    exchange.market.limits.add(path="market/time", requests=1, window_ms=1_000)
    assert sent(f"{exchange.url}/v5/market/time")["retCode"] == 0
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{exchange.url}/v5/market/time", timeout=10)
    with refused.value as reply:
        assert (reply.code, reply.headers["Retry-After"]) == (429, "1")


def test_a_settled_contract_is_told_as_closed_with_its_end(exchange: RunningExchange) -> None:
    end_ms = START_MS + 2 * HOUR_MS
    book_of(exchange, "bybit").delist(SYMBOL, end_ms)
    url = f"{exchange.url}/v5/market/instruments-info?category=linear&symbol={SYMBOL}"
    (announced,) = sent(url)["result"]["list"]
    assert (announced["status"], announced["deliveryTime"]) == ("Trading", str(end_ms))
    exchange.market.clock.set(end_ms)
    assert sent(url)["result"]["list"] == []
    (closed,) = sent(f"{url}&status=Closed")["result"]["list"]
    assert (closed["status"], closed["deliveryTime"]) == ("Closed", str(end_ms))


@pytest.mark.parametrize(
    "path",
    [
        "/v5/market/mark-price-kline?category=linear&interval=60",
        "/fapi/v1/markPriceKlines?interval=1h",
    ],
)
def test_a_marks_own_candles_are_quoted_where_a_test_gives_them(path: str) -> None:
    listing = a_listing((QUIET,) * 3, marks=((100.0, 130.0, 70.0, 100.0),) * 3)
    with running(Market([listing], ExchangeClock(START_MS + HOUR_MS))) as served:
        told = sent(f"{served.url}{path}&symbol={SYMBOL}")
    rows = told["result"]["list"] if "v5" in path else told
    closed = next(row for row in rows if int(row[0]) == START_MS)
    assert [float(cell) for cell in closed[1:5]] == [100.0, 130.0, 70.0, 100.0]


def test_everything_can_be_done_to_an_exchange_in_its_own_process() -> None:
    served = ExchangeProcess(
        "--symbols", "ETHUSDT", "--now", str(START_MS), "--ahead", "9", "--wallet", "500"
    )
    try:
        served.control(manual={"symbol": "ETHUSDT", "side": "buy", "quantity": "0.1"}, venue="bybit")
        served.control(advance_ms=START_MS + HOUR_MS, dials={"partial_parts": 2})
        served.control(adl={"symbol": "ETHUSDT"}, venue="bybit")
        served.control(delist={"symbol": "ETHUSDT", "at_ms": START_MS + 2 * HOUR_MS})
        facts = served.facts()
        with pytest.raises(urllib.error.HTTPError) as refused:
            served.control(adl={"symbol": "ETHUSDT"})
        refused.value.close()
    finally:
        served.stop()
    assert [fill["exec_type"] for fill in facts["bybit"]["fills"]] == ["Trade", "AdlTrade"]
    assert facts["binance"]["wallet"] == "500" and facts["bybit"]["positions"] == {}
    assert facts["bybit"]["now_ms"] == START_MS + HOUR_MS
