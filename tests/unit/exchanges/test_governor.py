"""One pace for a venue: bounded, exits first, and nothing at all while it wants silence."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.errors import VenueBusy
from engine_alpha.exchanges.governor import Governor
from engine_alpha.exchanges.pace import LIMITS, SHARE, Cost, Limit, cost_of
from engine_alpha.exchanges.transport import Urgency
from tests.unit.exchanges.standing_time import played

EXIT, RECONCILE, ENTRY, CANDLES = Urgency
SMALL = (Limit("weight", 20, 5.0), Limit("orders", 10, 1.0))


@dataclass
class Asked:
    """One request: when it came, and how that ended."""

    at_s: float
    urgency: Urgency
    cost: Cost
    sent_s: float | None = None
    refused_s: float | None = None


@dataclass
class Day:
    """Requests and silences by the second, played against a governor."""

    asked: list[Asked]
    silences: list[tuple[float, float]] = field(default_factory=list)

    async def play(self, governor: Governor) -> None:
        loop = asyncio.get_running_loop()
        start_s = loop.time()

        async def one(each: Asked) -> None:
            await asyncio.sleep(each.at_s)
            each.at_s = loop.time()
            try:
                await governor.admit(each.urgency, each.cost)
                each.sent_s = loop.time()
            except VenueBusy:
                each.refused_s = loop.time()

        async def silence(at_s: float, wait_s: float) -> None:
            await asyncio.sleep(at_s)
            governor.be_silent(wait_s)

        waiting: list[Awaitable[None]] = [one(each) for each in self.asked]
        await asyncio.gather(*waiting, *(silence(*each) for each in self.silences))
        self.silences = [(start_s + at_s, start_s + at_s + wait_s) for at_s, wait_s in self.silences]


seconds = st.floats(0.0, 30.0).map(lambda value: round(value, 3))
requests = st.builds(
    Asked,
    seconds,
    st.sampled_from(Urgency),
    st.builds(Cost, st.integers(1, 8), st.integers(0, 2)),
)
days = st.builds(
    Day,
    st.lists(requests, min_size=1, max_size=60),
    st.lists(st.tuples(seconds, st.floats(0.1, 90.0)), max_size=3),
)


def play(day: Day, limits: tuple[Limit, ...] = SMALL) -> Day:
    played(day.play(Governor("bybit", limits)))
    return day


@given(day=days)
def test_no_window_holds_more_than_its_share(day: Day) -> None:
    sent = [each for each in play(day).asked if each.sent_s is not None]
    for limit in SMALL:
        for first in sent:
            assert first.sent_s is not None
            within = [
                getattr(each.cost, limit.part)
                for each in sent
                if each.sent_s is not None and 0 <= each.sent_s - first.sent_s < limit.span_s - 1e-6
            ]
            assert sum(within) <= limit.most * SHARE[EXIT]


@given(day=days)
def test_nothing_is_sent_in_silence(day: Day) -> None:
    play(day)
    for each in day.asked:
        for from_s, until_s in day.silences:
            assert each.sent_s is None or not from_s < each.sent_s < until_s - 1e-6


@given(day=days)
def test_an_exit_never_waits_behind_what_is_less_urgent(day: Day) -> None:
    play(day)
    for leaving in day.asked:
        end_s = leaving.sent_s if leaving.urgency is EXIT else None
        for other in day.asked:
            if end_s is not None and other.urgency is not EXIT and other.sent_s is not None:
                assert not leaving.at_s < other.sent_s < end_s


@given(day=days)
def test_everyone_is_answered_and_only_silence_refuses(day: Day) -> None:
    play(day)
    for each in day.asked:
        assert (each.sent_s is None) != (each.refused_s is None)
        if not day.silences:
            assert each.sent_s is not None
        if each.urgency is not EXIT and each.refused_s is not None:
            assert any(from_s <= each.refused_s <= until_s for from_s, until_s in day.silences)


@given(others=st.lists(requests.filter(lambda each: each.urgency is CANDLES), max_size=60), at_s=seconds)
def test_candles_always_leave_room_for_an_exit(others: list[Asked], at_s: float) -> None:
    leaving = Asked(at_s, EXIT, Cost(4, 1))
    play(Day([*others, leaving]), (SMALL[0], Limit("orders", 30, 1.0)))
    assert leaving.sent_s == leaving.at_s


flights = st.tuples(seconds, st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(1, 8))


@given(asked=st.lists(flights, min_size=1, max_size=60))
def test_no_way_through_the_network_squeezes_more_into_the_venues_window(
    asked: list[tuple[float, float, float, int]],
) -> None:
    """Each request takes up to a second, and the venue counts it anywhere on its way."""
    counted: list[tuple[float, int]] = []
    limit = Limit("weight", 20, 1.0)

    async def check() -> None:
        governor = Governor("bybit", (limit,))

        async def one(at_s: float, takes_s: float, part: float, weight: int) -> None:
            await asyncio.sleep(at_s)
            async with governor.turn(EXIT, Cost(weight)):
                counted.append((asyncio.get_running_loop().time() + takes_s * part, weight))
                await asyncio.sleep(takes_s)

        await asyncio.gather(*(one(*each) for each in asked))

    played(check())
    for first_s, _ in counted:
        within = [weight for at_s, weight in counted if 0 <= at_s - first_s < limit.span_s - 1e-6]
        assert sum(within) <= limit.most * SHARE[EXIT]


def test_a_request_that_hangs_holds_up_nobody_for_long() -> None:
    async def check() -> None:
        governor, loop = Governor("bybit", (Limit("weight", 10, 1.0),)), asyncio.get_running_loop()
        async with governor.turn(EXIT, Cost(8)):
            started_s = loop.time()
            await governor.admit(RECONCILE, Cost(7))
            assert loop.time() - started_s == pytest.approx(2.0, abs=0.01)

    played(check())


async def state_of(task: "asyncio.Task[Any]") -> str:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if not task.done():
        return "waits"
    return "busy" if isinstance(task.exception(), VenueBusy) else "sent"


def test_in_silence_exits_wait_and_all_others_are_told_at_once() -> None:
    async def check() -> None:
        governor = Governor("bybit")
        governor.be_silent(30.0)
        tasks = {each: asyncio.ensure_future(governor.admit(each)) for each in Urgency}
        told = {each: await state_of(task) for each, task in tasks.items()}
        assert told == {EXIT: "waits", RECONCILE: "busy", ENTRY: "busy", CANDLES: "busy"}
        with pytest.raises(VenueBusy, match="bybit asked for patience: 30 s left, nothing sent"):
            await governor.admit(CANDLES)
        started_s = asyncio.get_running_loop().time()
        await tasks[EXIT]
        assert asyncio.get_running_loop().time() - started_s == pytest.approx(30.0, abs=0.01)

    played(check())


def test_a_silence_beyond_patience_is_told_to_exits_too() -> None:
    async def check() -> None:
        governor = Governor("bybit", patience_ms=20_000)
        governor.be_silent(10.0)
        leaving = asyncio.ensure_future(governor.admit(EXIT))
        assert await state_of(leaving) == "waits"
        governor.be_silent(30.0)
        assert await state_of(leaving) == "busy"
        with pytest.raises(VenueBusy):
            await governor.admit(EXIT)

    played(check())


def test_a_silence_tells_those_who_queue_and_a_shorter_one_ends_nothing() -> None:
    async def check() -> None:
        governor = Governor("bybit", (Limit("weight", 10, 60.0),))
        for _ in range(6):
            await governor.admit(CANDLES)
        queued = asyncio.ensure_future(governor.admit(CANDLES))
        assert await state_of(queued) == "waits"
        governor.be_silent(20.0)
        assert await state_of(queued) == "busy"
        governor.be_silent(1.0)
        assert governor.silence_left_s() == pytest.approx(20.0)

    played(check())


def test_after_a_silence_exits_go_first() -> None:
    async def check() -> list[str]:
        governor, order = Governor("bybit", (Limit("weight", 10, 60.0),)), []

        async def one(name: str, urgency: Urgency, at_s: float) -> None:
            await asyncio.sleep(at_s)
            await governor.admit(urgency)
            order.append(name)

        governor.be_silent(5.0)
        await asyncio.gather(one("exit", EXIT, 1.0), one("candles", CANDLES, 5.001))
        return order

    assert played(check()) == ["exit", "candles"]


def test_waiting_out_a_silence_spends_nothing() -> None:
    async def check() -> None:
        governor, loop = Governor("bybit", (Limit("weight", 10, 60.0),)), asyncio.get_running_loop()
        silent_from_s = loop.time()
        governor.be_silent(5.0)
        await governor.admit(EXIT)
        started_s = loop.time()
        assert started_s - silent_from_s == pytest.approx(5.0, abs=0.01)
        for _ in range(5):
            await governor.admit(CANDLES)
        assert loop.time() == started_s

    played(check())


def test_a_silence_that_begins_at_the_moment_of_admission_still_counts() -> None:
    async def check() -> None:
        governor, loop = Governor("bybit", (Limit("weight", 10, 10.0),)), asyncio.get_running_loop()
        await governor.admit(CANDLES, Cost(6))
        queued = asyncio.ensure_future(governor.admit(CANDLES))
        assert await state_of(queued) == "waits"
        assert governor._timer is not None
        loop.call_at(governor._timer.when() + 1e-12, governor.be_silent, 30.0)
        with pytest.raises(VenueBusy):
            await queued

    played(check())


def test_who_goes_away_is_forgotten() -> None:
    async def check() -> None:
        governor = Governor("bybit", (Limit("weight", 10, 10.0),))
        await governor.admit(EXIT, Cost(8))
        gone = asyncio.ensure_future(governor.admit(EXIT, Cost(8)))
        assert await state_of(gone) == "waits"
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await governor.admit(CANDLES, Cost(1))

    played(check())


def test_it_serves_one_loop_after_another() -> None:
    governor = Governor("bybit", (Limit("weight", 10, 10.0),))

    async def leave_one_waiting() -> None:
        await governor.admit(EXIT, Cost(8))
        task = asyncio.ensure_future(governor.admit(EXIT, Cost(8)))
        await asyncio.sleep(0)
        assert not task.done()

    played(leave_one_waiting())
    played(governor.admit(CANDLES, Cost(1)))


def test_a_request_larger_than_its_share_goes_alone() -> None:
    async def check() -> None:
        governor = Governor("bybit", (Limit("weight", 10, 10.0),))
        await asyncio.wait_for(governor.admit(CANDLES, Cost(10)), 1.0)

    played(check())


def test_what_the_venue_counts_is_believed() -> None:
    async def check() -> None:
        governor = Governor("binance")
        governor.learn(200, {"X-MBX-USED-WEIGHT-1M": "1500"}, "0", "")
        waiting = asyncio.ensure_future(governor.admit(CANDLES))
        assert await state_of(waiting) == "waits"
        assert await state_of(asyncio.ensure_future(governor.admit(EXIT))) == "sent"
        waiting.cancel()

    played(check())


@pytest.mark.parametrize(
    ("venue", "status", "headers", "code", "words", "silence_s"),
    [
        ("bybit", 200, {}, "0", "", 0.0),
        ("bybit", 429, {"Retry-After": "7"}, "0", "", 7.0),
        ("binance", 429, {}, "0", "", 10.0),
        ("bybit", 403, {}, "0", "", 600.0),
        ("binance", 418, {"retry-after": "120"}, "-1003", "", 120.0),
        ("binance", 418, {"retry-after": "1"}, "-1003", "banned until 1700000090000. Use", 90.0),
        ("binance", 400, {}, "-1003", "IP banned until 1700000042000", 42.0),
        ("bybit", 200, {"X-Bapi-Limit-Reset-Timestamp": "1700000003500"}, "10006", "", 3.5),
        ("bybit", 200, {"X-Bapi-Limit-Reset-Timestamp": "1700000003500"}, "0", "", 0.0),
        ("bybit", 200, {"X-Bapi-Limit-Reset-Timestamp": "9999999999999"}, "10006", "", 10.0),
        ("bybit", 200, {}, "10018", "", 10.0),
        ("bybit", 503, {"Retry-After": "4"}, "0", "", 4.0),
        ("bybit", 503, {}, "0", "", 0.0),
        ("binance", 400, {}, "-1015", "", 10.0),
        ("bybit", 200, {"Retry-After": "nan"}, "10006", "", 1.0),
    ],
)
def test_silence_as_each_venue_asks_for_it(
    venue: str, status: int, headers: dict[str, str], code: str, words: str, silence_s: float
) -> None:
    async def check() -> float:
        governor = Governor(venue)
        governor.learn(status, headers, code, words, 1_700_000_000_000)
        return governor.silence_left_s()

    assert played(check()) == pytest.approx(silence_s)


def test_exits_may_spend_most_and_a_fifth_is_left_to_others() -> None:
    assert sorted(SHARE.values(), reverse=True) == [SHARE[each] for each in Urgency]
    assert SHARE[EXIT] == 0.8
    assert LIMITS["bybit"][0] == Limit("weight", 600, 5.0)


@pytest.mark.parametrize(
    ("venue", "name", "params", "cost"),
    [
        ("bybit", "public_get_v5_market_kline", {"limit": "1000"}, Cost(1)),
        ("bybit", "private_post_v5_order_create", {}, Cost(1, 1)),
        ("bybit", "private_get_v5_order_realtime", {}, Cost(1, 0, 1)),
        ("bybit", "private_get_v5_account_fee_rate", {}, Cost(1, 0, 10)),
        ("binance", "fapipublic_get_klines", {"limit": 1_000}, Cost(5)),
        ("binance", "fapipublic_get_klines", {"limit": 1_500}, Cost(10)),
        ("binance", "fapipublic_get_klines", {"limit": 99}, Cost(1)),
        ("binance", "fapiprivate_get_openorders", {}, Cost(40, 0, 1)),
        ("binance", "fapiprivate_get_openorders", {"symbol": "ETHUSDT"}, Cost(1, 0, 1)),
        ("binance", "fapiprivatev3_get_account", {}, Cost(5, 0, 1)),
        ("binance", "fapiprivate_delete_order", {}, Cost(1, 1)),
    ],
)
def test_what_requests_count(venue: str, name: str, params: dict[str, str | int], cost: Cost) -> None:
    assert cost_of(venue, name, params) == cost
