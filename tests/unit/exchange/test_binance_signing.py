"""Who is let in at Binance: key, clock, signature."""

from typing import Any

import pytest

from tests.exchange.binance_signing import KEY_HEADER, TEST_KEY, BinanceKey, check_signed, signature
from tests.exchange.private import Auth
from tests.unit.exchange.binance_caller import ORDER, Caller, a_caller, order_params
from tests.unit.exchange.books import START_MS

BALANCE = "/fapi/v3/balance"
# The example of the venue's own documentation, "SIGNED Endpoint Examples for POST /fapi/v1/order".
SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
PAYLOAD = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
    "&recvWindow=5000&timestamp=1591702613943"
)
SIGNED = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


def test_the_documentations_own_example_has_the_documented_signature() -> None:
    assert signature(PAYLOAD, SECRET) == SIGNED


@pytest.mark.parametrize("told", [SIGNED, SIGNED.upper()])
def test_the_documentations_own_example_is_let_in(told: str) -> None:
    key = BinanceKey(key="k", secret=SECRET)
    params = dict(part.split("=") for part in PAYLOAD.split("&"))
    found = check_signed({"k": key}, "k", f"{PAYLOAD}&signature={told}", params, 1_591_702_613_943)
    assert found is key


def refused(caller: Caller, auth: Auth, **params: str) -> tuple[int, Any]:
    told = {"timestamp": str(START_MS)} | params
    reply = caller.trading.handle("GET", BALANCE, told, auth)
    return reply.status, reply.body["code"]


def test_a_request_without_a_key_is_refused() -> None:
    assert refused(a_caller(), Auth(payload=f"timestamp={START_MS}&signature=00")) == (401, -2014)


def test_an_unknown_key_is_refused() -> None:
    auth = Auth(headers={KEY_HEADER: "other"}, payload=f"timestamp={START_MS}&signature=00")
    assert refused(a_caller(), auth) == (401, -2015)


def test_the_header_of_the_key_may_be_written_in_any_case() -> None:
    payload = f"timestamp={START_MS}"
    auth = Auth({"x-mbx-apikey": TEST_KEY.key}, f"{payload}&signature={signature(payload, TEST_KEY.secret)}")
    assert a_caller().trading.handle("GET", BALANCE, {"timestamp": str(START_MS)}, auth).status == 200


def test_a_wrong_signature_is_refused() -> None:
    auth = Auth({KEY_HEADER: TEST_KEY.key}, f"timestamp={START_MS}&signature={'0' * 64}")
    assert refused(a_caller(), auth) == (400, -1022)


def test_a_signature_over_other_parameters_is_refused() -> None:
    signed = signature(f"timestamp={START_MS}", TEST_KEY.secret)
    auth = Auth({KEY_HEADER: TEST_KEY.key}, f"timestamp={START_MS}&recvWindow=9000&signature={signed}")
    assert refused(a_caller(), auth, recvWindow="9000") == (400, -1022)


def test_a_request_without_a_signature_is_refused() -> None:
    auth = Auth({KEY_HEADER: TEST_KEY.key}, f"timestamp={START_MS}")
    assert refused(a_caller(), auth) == (400, -1102)


@pytest.mark.parametrize(
    ("behind_ms", "window", "code"),
    [
        (5_000, None, 0),
        (5_001, None, -1021),
        (10_000, 10_000, 0),
        (10_001, 10_000, -1021),
        (-999, None, 0),
        (-1_000, None, -1021),
        (0, 60_001, -1131),
    ],
)
def test_the_timestamp_must_lie_inside_the_window(behind_ms: int, window: int | None, code: int) -> None:
    reply = a_caller().send("GET", BALANCE, timestamp=START_MS - behind_ms, recvWindow=window)
    assert (reply.body["code"] if reply.status == 400 else 0) == code


def test_a_request_without_a_timestamp_is_refused() -> None:
    assert a_caller().code("GET", BALANCE, timestamp="") == -1102


def test_the_venues_clock_may_be_turned_away_from_ours() -> None:
    caller = a_caller()
    caller.book.market.faults.add(kind="wrong_clock", value=60_000, times=1)
    assert caller.code("GET", BALANCE) == -1021
    assert caller.send("GET", BALANCE).status == 200


def test_a_key_without_futures_can_only_ask_what_it_may_do() -> None:
    caller = a_caller(key=BinanceKey(key="k", secret="s", futures=False, withdrawals=True))
    assert caller.send("POST", ORDER, **order_params("a")).status == 401
    assert caller.send("POST", ORDER, **order_params("a")).body["code"] == -2015
    told = caller.yes("GET", "/sapi/v1/account/apiRestrictions")
    assert (told["enableFutures"], told["enableWithdrawals"], told["enableReading"]) == (False, True, True)


def test_a_caller_in_this_process_need_not_sign() -> None:
    caller = a_caller()
    assert caller.trading.handle("GET", BALANCE, {}, Auth(verified=True)).status == 200


def test_a_path_that_is_none_is_not_found() -> None:
    assert a_caller().send("GET", "/fapi/v1/nothing").status == 404
