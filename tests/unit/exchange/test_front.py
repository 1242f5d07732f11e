"""Which fault hits a request, before its effect or after it; and pace with its bans."""

import json

import pytest

from tests.exchange.bybit_trading import BybitTrading
from tests.exchange.private import HALF, LOST, WHOLE, Answer, Auth, Front
from tests.unit.exchange.books import START_MS, SYMBOL, a_book

CREATE = "/v5/order/create"
ORDER = {
    **{"category": "linear", "symbol": SYMBOL, "side": "Buy", "orderType": "Market"},
    **{"qty": "1", "orderLinkId": "a"},
}


def a_front() -> Front:
    venue = BybitTrading(a_book())
    return Front(venue.book.market, venue)


def created(front: Front, link: str = "a") -> Answer:
    return front.answer("POST", CREATE, {**ORDER, "orderLinkId": link}, Auth(verified=True))


def placed(front: Front) -> int:
    return len(front.venue.book.fills)


@pytest.mark.parametrize(
    ("kind", "value", "delivery", "effects"),
    [
        ("drop", None, LOST, 0),
        ("drop_after", None, LOST, 1),
        ("cut", None, LOST, 1),
        ("truncate", None, HALF, 1),
        ("status", 500, WHOLE, 0),
        ("status_after", 500, WHOLE, 1),
        ("html", None, WHOLE, 0),
        ("html_after", None, WHOLE, 1),
        ("body", "{}", WHOLE, 0),
        ("body_after", "{}", WHOLE, 1),
        ("maintenance", None, WHOLE, 0),
        ("refuse", (10006, "Too many visits"), WHOLE, 0),
        ("delay", 800, WHOLE, 1),
        ("twice", None, WHOLE, 1),
    ],
)
def test_a_fault_strikes_before_the_effect_or_after_it(
    kind: str, value: object, delivery: str, effects: int
) -> None:
    front = a_front()
    front.market.faults.add(kind=kind, path="order/create", value=value, times=1)
    answer = created(front)
    assert (answer.delivery, placed(front)) == (delivery, effects)
    assert created(front, "next").delivery == WHOLE and placed(front) == effects + 1


def test_a_request_that_arrives_twice_is_refused_the_second_time() -> None:
    front = a_front()
    front.market.faults.add(kind="twice", times=1)
    reply = created(front).reply
    assert reply is not None and reply.body["retCode"] == 110072
    assert front.venue.book.facts()["sent"] == {"a": 2}


def test_maintenance_and_refusals_have_the_venues_shape() -> None:
    front = a_front()
    front.market.faults.add(kind="maintenance", times=1)
    front.market.faults.add(kind="refuse", value=(10000, "Server Timeout"))
    codes = []
    for _ in range(2):
        reply = created(front).reply
        assert reply is not None
        codes.append(reply.body["retCode"])
        json.dumps(reply.body)
    assert codes == [10000, 10000]
    front.market.faults.clear()
    front.market.faults.add(kind="maintenance")
    reply = created(front).reply
    assert reply is not None and (reply.status, reply.body["retCode"]) == (200, 10016)


def test_a_wrong_clock_makes_true_timestamps_wrong() -> None:
    front = a_front()
    front.market.faults.add(kind="wrong_clock", value=60_000)
    assert front.market.now_ms(CREATE) == START_MS + 60_000


def test_a_dial_with_a_chance_hits_some_and_the_same_again_for_the_same_seed() -> None:
    hits = []
    for _ in range(2):
        front = a_front()
        front.market.faults.add(kind="drop", chance=0.5)
        hits.append([created(front, f"o{number}").delivery for number in range(20)])
    assert hits[0] == hits[1]
    assert 0 < hits[0].count(LOST) < 20


def test_too_many_requests_are_refused_until_the_window_has_passed() -> None:
    front = a_front()
    front.market.limits.add(path="order/create", requests=2, window_ms=1_000)
    statuses = [reply.status for n in range(3) if (reply := created(front, f"o{n}").reply) is not None]
    assert statuses == [200, 200, 429] and placed(front) == 2
    front.venue.book.advance(START_MS + 1_000)
    reply = created(front, "later").reply
    assert reply is not None and reply.status == 200
    assert (reply.headers["X-Bapi-Limit"], reply.headers["X-Bapi-Limit-Status"]) == ("2", "1")


def test_bybits_own_limit_answers_with_a_code_and_when_to_come_back() -> None:
    front = a_front()
    front.market.limits.add(path="*", requests=1, window_ms=5_000, status=200, code=10006)
    created(front)
    reply = created(front, "b").reply
    assert reply is not None and reply.body["retCode"] == 10006
    assert reply.headers["X-Bapi-Limit-Reset-Timestamp"] == str(START_MS + 5_000)


def test_every_request_during_a_ban_makes_it_longer_and_is_counted() -> None:
    front = a_front()
    front.market.limits.add(requests=1, window_ms=1_000, status=429, ban_ms=120_000, ban_status=418)
    replies = [created(front, f"o{number}").reply for number in range(3)]
    assert [reply.status for reply in replies if reply is not None] == [200, 429, 418]
    front.venue.book.advance(START_MS + 100_000)
    again = created(front, "early").reply
    assert again is not None and (again.status, again.headers["Retry-After"]) == (418, "120")
    assert front.market.limits.bans == 3
    front.venue.book.advance(START_MS + 220_000)
    patient = created(front, "patient").reply
    assert patient is not None and patient.status == 200
