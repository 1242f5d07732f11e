"""What each reply means, for writes and for reads."""

import json

import pytest

from engine_alpha.errors import DataError, OutcomeUnknown, Refused, StopPassed, VenueBusy
from engine_alpha.exchanges.codes import BINANCE, BYBIT, Outcome
from engine_alpha.exchanges.judging import ClockRefused, judged, read_of_a_write
from engine_alpha.exchanges.replies import bad_reply
from engine_alpha.exchanges.transport import Endpoint

WRITES = {
    "bybit": Endpoint("POST", "/v5/order/create", ""),
    "binance": Endpoint("POST", "/fapi/v1/order", ""),
}
READS = {"bybit": Endpoint("GET", "/v5/position/list", ""), "binance": Endpoint("GET", "/fapi/v1/order", "")}
both_venues = pytest.mark.parametrize("venue", ["bybit", "binance"])
HTML = "<html><head><title>502 Bad Gateway</title></head></html>"


def told(venue: str, code: str, words: str = "no") -> str:
    if venue == "bybit":
        return json.dumps({"retCode": int(code), "retMsg": words, "result": {}, "time": 1})
    return json.dumps({"code": int(code), "msg": words})


def fault(venue: str, body: str, status: int = 200, writes: bool = True) -> Exception:
    endpoint = (WRITES if writes else READS)[venue]
    with pytest.raises((VenueBusy, Refused, OutcomeUnknown, DataError)) as caught:
        judged(venue, endpoint, status, {}, body, "ETHUSDT")
    return caught.value


def status_of(venue: str) -> int:
    return 200 if venue == "bybit" else 400


ALL = [("bybit", code, meaning) for code, meaning in BYBIT.items()]
ALL += [("binance", code, meaning) for code, meaning in BINANCE.items()]
WRITE_ERRORS = {
    Outcome.BUSY: VenueBusy,
    Outcome.CLOCK: ClockRefused,
    Outcome.UNCLEAR: OutcomeUnknown,
    Outcome.DUPLICATE: OutcomeUnknown,
    Outcome.REFUSED: Refused,
}
STOPS_PASSED = (("bybit", "110092"), ("bybit", "110093"), ("binance", "-2021"), ("binance", "-4142"))
READ_ERRORS = WRITE_ERRORS | {Outcome.UNCLEAR: VenueBusy, Outcome.DUPLICATE: Refused}


@pytest.mark.parametrize(("venue", "code", "meaning"), ALL, ids=lambda each: str(each)[:12])
def test_every_code_of_the_tables(venue: str, code: str, meaning: tuple[Outcome, str]) -> None:
    outcome, advice = meaning
    for writes, errors in ((True, WRITE_ERRORS), (False, READ_ERRORS)):
        found = fault(venue, told(venue, code), status_of(venue), writes)
        wanted = StopPassed if (venue, code) in STOPS_PASSED else errors[outcome]
        assert type(found) is wanted
        assert code in str(found)
        if isinstance(found, Refused):
            assert found.code == code and advice in str(found) and "ETHUSDT" in str(found)


@pytest.mark.parametrize(
    ("venue", "codes", "outcome"),
    [
        ("bybit", "10000 10016", Outcome.UNCLEAR),
        ("bybit", "110072 10014", Outcome.DUPLICATE),
        ("bybit", "10006 10018", Outcome.BUSY),
        ("bybit", "10002", Outcome.CLOCK),
        (
            "bybit",
            "110007 110004 110012 110044 110045 110052 110094 110003 30208 30209 110120",
            Outcome.REFUSED,
        ),
        ("bybit", "110121 110023 110042 30228 110074 110017 110001 110092 110093 110061", Outcome.REFUSED),
        ("bybit", "10003 10004 10005 110043 34040 110025 110024 110028", Outcome.REFUSED),
        ("binance", "-1006 -1007", Outcome.UNCLEAR),
        ("binance", "-4116", Outcome.DUPLICATE),
        ("binance", "-1003 -1008 -1015", Outcome.BUSY),
        ("binance", "-1021", Outcome.CLOCK),
        ("binance", "-2011 -2013 -2015 -2021 -2022 -4046 -4059 -4061 -4120 -4131 -4142", Outcome.REFUSED),
        ("binance", "-4164 -5022", Outcome.REFUSED),
    ],
)
def test_the_codes_the_venues_document(venue: str, codes: str, outcome: Outcome) -> None:
    table = {"bybit": BYBIT, "binance": BINANCE}[venue]
    assert {code: table[code].outcome for code in codes.split()} == dict.fromkeys(codes.split(), outcome)


@both_venues
@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_a_server_error_leaves_a_write_unclear_and_a_read_busy(venue: str, status: int) -> None:
    for body in (HTML, "", "Unknown error, please check your request or try again later."):
        assert type(fault(venue, body, status)) is OutcomeUnknown
        assert type(fault(venue, body, status, writes=False)) is VenueBusy


def test_binances_unavailable_proves_that_nothing_was_carried_out() -> None:
    assert type(fault("binance", "Service Unavailable.", 503)) is VenueBusy
    assert type(fault("binance", told("binance", "-1008"), 503)) is VenueBusy
    assert type(fault("binance", told("binance", "-1007"), 503)) is OutcomeUnknown
    assert type(fault("bybit", "Service Unavailable.", 503)) is OutcomeUnknown


@both_venues
@pytest.mark.parametrize("status", [403, 418, 429])
def test_a_turned_away_request_was_not_carried_out(venue: str, status: int) -> None:
    for body in (HTML, "", told(venue, "10006" if venue == "bybit" else "-1003")):
        assert type(fault(venue, body, status)) is VenueBusy


@both_venues
@pytest.mark.parametrize(
    "body", [HTML, "", "null", "[]", "[1]", "{}", '{"retCode": 0', '{"retCode": NaN}', "1", '"yes"']
)
@pytest.mark.parametrize("status", [200, 302, 404])
def test_nonsense_after_a_write_is_unclear(venue: str, body: str, status: int) -> None:
    assert type(fault(venue, body, status)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("venue", "body"),
    [
        ("bybit", '{"retCode": 0, "retMsg": "OK", "result": {}}'),
        ("bybit", '{"retCode": 0, "retMsg": "OK", "result": {"orderId": ""}}'),
        ("bybit", '{"retCode": 0, "retMsg": "OK", "result": null}'),
        ("bybit", '{"retCode": 0, "retMsg": "OK"}'),
        ("binance", '{"clientOrderId": "x"}'),
        ("binance", '{"orderId": null}'),
    ],
)
def test_a_yes_that_names_no_order_is_unclear(venue: str, body: str) -> None:
    assert type(fault(venue, body)) is OutcomeUnknown


@both_venues
@pytest.mark.parametrize("body", [HTML, "", "null", '{"retCode": 0'])
def test_nonsense_after_a_read_is_a_bad_reply(venue: str, body: str) -> None:
    found = fault(venue, body, writes=False)
    assert isinstance(found, DataError) and found.reason == "bad_reply"


@both_venues
def test_a_code_nobody_knows_is_a_refusal(venue: str) -> None:
    found = fault(venue, told(venue, "-99999"), status_of(venue))
    assert isinstance(found, Refused) and found.code == "-99999"


@both_venues
def test_a_code_nobody_knows_under_a_server_error_is_unclear(venue: str) -> None:
    assert type(fault(venue, told(venue, "-99999"), 500)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("position idx not match position mode", "one-way mode"),
        ("StopLoss:1 set for Buy position should lower than base_price:0.9", "close the position at market"),
        ("The number of contracts exceeds minimum limit allowed", "minimum"),
        ("Qty invalid", "grid"),
        ("can not set tp/sl/ts for zero position", "reconcile the position"),
        ("params error: Symbol Is Invalid", "bybit has no ETHUSDT: settled, renamed or never listed"),
        ("Illegal category", "report this"),
    ],
)
def test_bybits_catch_all_code_is_told_apart_by_its_words(words: str, part: str) -> None:
    found = fault("bybit", told("bybit", "10001", words))
    assert isinstance(found, Refused) and found.code == "10001" and part in str(found)
    assert isinstance(found, StopPassed) == ("base_price" in words)


def test_a_refusal_without_a_symbol_still_reads_well() -> None:
    with pytest.raises(Refused, match="bybit says no to the request") as caught:
        judged("bybit", READS["bybit"], 200, {}, told("bybit", "110007"))
    assert "deposit" in str(caught.value)


def test_a_request_without_a_valid_key_is_refused() -> None:
    found = fault("bybit", "", 401)
    assert isinstance(found, Refused) and "API key" in str(found)


def test_a_yes_is_the_json_and_floats_in_it_stay_exact() -> None:
    body = '{"orderId": 9007199254740993, "price": 0.10000000000000000555, "qty": "1.50"}'
    found = judged("binance", WRITES["binance"], 200, {}, body)
    assert found == {"orderId": 9007199254740993, "price": "0.10000000000000000555", "qty": "1.50"}


def test_binance_says_200_for_yes() -> None:
    endpoint = Endpoint("POST", "/fapi/v1/marginType", "")
    assert judged("binance", endpoint, 200, {}, '{"code": 200, "msg": "success"}')["msg"] == "success"


def test_a_list_is_a_fine_reply_to_a_read_of_binance() -> None:
    assert judged("binance", READS["binance"], 200, {}, "[1]") == [1]


def test_a_wait_is_named() -> None:
    with pytest.raises(VenueBusy, match="waiting 7 s"):
        judged("binance", READS["binance"], 429, {"Retry-After": "7"}, "")
    with pytest.raises(VenueBusy, match="trying again in 3 s"):
        judged("bybit", READS["bybit"], 503, {"retry-after": "3"}, "")


def test_a_flaw_found_later_in_a_writes_reply_is_unclear() -> None:
    with pytest.raises(OutcomeUnknown, match="order reply has no"), read_of_a_write("bybit"):
        raise bad_reply("order reply has no 'x'")
