"""A stop at Binance is a conditional order: the new one stands before the old one goes."""

import asyncio
import contextlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.domain.orders import ID_LENGTH, SELL, Protection, is_ours
from engine_alpha.errors import ChloeError, OutcomeUnknown, Refused, VenueError
from engine_alpha.venues.binance_protection import covers, ids_from, legs_of
from engine_alpha.venues.binance_replies import AlgoOrder
from tests.exchange.candles import HOUR_MS
from tests.unit.venues.binance_account import NOW_MS, SYMBOL, Account, an_account, entry, wish

ALGO = "/fapi/v1/algoOrder"
OPEN = "/fapi/v1/openAlgoOrders"


async def held(**settings: object) -> Account:
    """Return an account that is long 0.1 ETH at 2,000."""
    account = an_account(**settings)  # type: ignore[arg-type]
    await account.venue.place(entry())
    return account


def ids(account: Account) -> list[str]:
    return sorted(each.client_id for each in account.stops())


async def test_stop_and_target_stand_after_protecting() -> None:
    account = await held()
    assert not await account.venue.is_protected(wish("1900", "2100"))
    await account.venue.protect(wish("1900", "2100"))
    assert await account.venue.is_protected(wish("1900", "2100"))
    stop, target = account.stops()
    assert (stop.type, str(stop.trigger_price), stop.side, stop.reduce_only) == (
        "stop_market",
        "1900",
        "sell",
        True,
    )
    assert (target.type, str(target.trigger_price)) == ("take_profit_market", "2100")


async def test_protecting_again_sends_nothing() -> None:
    account = await held()
    await account.venue.protect(wish("1900", "2100"))
    before = account.writes()
    await account.venue.protect(wish("1900.00", "2100.0"))
    assert account.writes() == before


async def test_the_new_stop_stands_before_the_old_one_goes() -> None:
    account = await held()
    await account.venue.protect(wish("1900"))
    begun = len(account.transport.sent)
    await account.venue.protect(wish("1950"))
    assert [(method, path) for method, path, _ in account.transport.sent[begun:]] == [
        ("GET", OPEN),
        ("POST", ALGO),
        ("GET", ALGO),
        ("DELETE", ALGO),
    ]
    assert ids(account) == [wish("1950").stop_id]


async def test_a_target_that_is_not_wanted_any_more_goes() -> None:
    account = await held()
    await account.venue.protect(wish("1900", "2100"))
    await account.venue.protect(wish("1900"))
    assert ids(account) == [wish("1900").stop_id]


async def test_what_others_placed_is_never_touched() -> None:
    account = await held()
    account.places_foreign_stop()
    await account.venue.protect(wish("1900"))
    await account.venue.protect(wish("1950"))
    await account.venue.unprotect(SYMBOL)
    assert ids(account) == ["my-own-stop"]


async def test_a_stop_of_others_is_no_protection() -> None:
    account = await held()
    account.places_foreign_stop(trigger="1900")
    assert not await account.venue.is_protected(wish("1900"))


async def test_a_stop_for_less_than_the_position_is_no_protection_and_gets_a_successor() -> None:
    account = await held()
    await account.venue.protect(wish("1900", quantity="0.050"))
    assert not await account.venue.is_protected(wish("1900"))
    await account.venue.protect(wish("1900"))
    assert await account.venue.is_protected(wish("1900"))
    assert account.writes().count(f"POST {ALGO}") == 2
    [stop] = account.stops()
    assert stop.client_id == wish("1900").stop_id[:-2] + "-1" and len(stop.client_id) == ID_LENGTH


async def test_a_stop_for_more_than_is_left_protects_and_is_made_to_fit() -> None:
    account = await held()
    await account.venue.protect(wish("1900"))
    assert await account.venue.is_protected(wish("1900", quantity="0.050"))
    await account.venue.protect(wish("1900", quantity="0.050"))
    [stop] = account.stops()
    assert stop.quantity == Decimal("0.05")


async def test_a_stop_that_a_person_cancelled_is_placed_again_under_its_id() -> None:
    account = await held()
    await account.venue.protect(wish("1900"))
    account.book.cancel_stops(SYMBOL)
    assert not await account.venue.is_protected(wish("1900"))
    await account.venue.protect(wish("1900"))
    assert ids(account) == [wish("1900").stop_id]


async def test_a_price_that_is_through_the_stop_is_refused_and_the_old_stop_stays() -> None:
    account = await held()
    await account.venue.protect(wish("1900"))
    with pytest.raises(Refused) as refused:
        await account.venue.protect(wish("2050"))
    assert refused.value.code == "-2021"
    assert ids(account) == [wish("1900").stop_id]


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "html_after"])
async def test_a_stop_whose_reply_was_lost_is_looked_up_not_placed_twice(kind: str) -> None:
    account = await held()
    account.fails(ALGO, kind)
    await account.venue.protect(wish("1900"))
    assert ids(account) == [wish("1900").stop_id]
    assert account.writes().count(f"POST {ALGO}") == 1


async def test_an_older_stop_that_fired_under_that_id_is_not_taken_for_the_one_that_was_lost() -> None:
    account = await held(closes=[2_000.0] * 7 + [1_850.0] + [2_000.0] * 20)
    await account.venue.protect(wish("1900"))
    account.book.advance(NOW_MS + 4 * HOUR_MS)
    assert account.stops() == []
    await account.venue.place(entry(bar_ms=NOW_MS))
    account.fails(ALGO, "drop")
    await account.venue.protect(wish("1900"))
    assert await account.venue.is_protected(wish("1900"))
    assert [each.client_id for each in account.stops()] == [list(ids_from(wish("1900").stop_id))[1]]


STOP = AlgoOrder(
    symbol=SYMBOL,
    algo_id="1",
    client_id=wish().stop_id,
    kind="STOP_MARKET",
    side=SELL,
    status="NEW",
    quantity_base="0.1",
    trigger_price="1900.0",
    working_type="CONTRACT_PRICE",
    reduce_only=True,
    closes_position=False,
    created_ms=NOW_MS,
    child_id="",
)


@pytest.mark.parametrize(
    ("change", "protects"),
    [
        ({}, True),
        ({"quantity_base": "0.2"}, True),
        ({"status": "TRIGGERED"}, True),
        ({"quantity_base": "0.099"}, False),
        ({"reduce_only": False}, False),
        ({"working_type": "MARK_PRICE"}, False),
        ({"trigger_price": "1900.1"}, False),
        ({"side": "buy"}, False),
        ({"kind": "TAKE_PROFIT_MARKET"}, False),
        ({"symbol": "BTCUSDT"}, False),
        ({"status": "CANCELED"}, False),
        ({"status": "EXPIRED"}, False),
        ({"status": "REJECTED"}, False),
    ],
)
def test_what_protects(change: dict[str, Any], protects: bool) -> None:
    assert covers(replace(STOP, **change), legs_of(wish("1900"))[0]) == protects


async def test_a_stop_that_never_arrived_is_unclear_and_the_old_one_stays_until_a_repetition() -> None:
    account = await held()
    await account.venue.protect(wish("1900"))
    account.fails(ALGO, "drop")
    with pytest.raises(OutcomeUnknown):
        await account.venue.protect(wish("1950"))
    assert ids(account) == [wish("1900").stop_id]
    await account.venue.protect(wish("1950"))
    assert ids(account) == [wish("1950").stop_id]


async def test_a_stop_that_cannot_be_verified_is_no_success() -> None:
    account = await held()
    account.fails(ALGO, "body_after", '{"algoId": 1}', times=2)
    with pytest.raises(OutcomeUnknown):
        await account.venue.protect(wish("1900"))
    await account.venue.protect(wish("1900"))
    assert ids(account) == [wish("1900").stop_id]


async def test_a_stop_that_the_venue_shows_late_is_unclear_until_it_is_shown_and_stands_once() -> None:
    account = await held()
    account.book.dials.set(propagation_ms=3_000)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await account.venue.protect(wish("1900"))
    account.book.advance(NOW_MS + 4_000)
    await account.venue.protect(wish("1900"))
    assert ids(account) == [wish("1900").stop_id]


async def test_a_read_that_fails_does_not_say_unprotected() -> None:
    account = await held()
    await account.venue.protect(wish("1900"))
    account.fails(OPEN, "drop")
    with pytest.raises(VenueError):
        await account.venue.is_protected(wish("1900"))


async def test_stops_of_a_flat_symbol_are_taken_away() -> None:
    account = await held()
    await account.venue.protect(wish("1900", "2100"))
    await account.venue.unprotect(SYMBOL)
    assert account.stops() == []
    await account.venue.unprotect(SYMBOL)


def test_the_ids_to_try_are_the_same_every_time_and_short_enough() -> None:
    first = list(ids_from(wish().stop_id))
    assert first == list(ids_from(wish().stop_id)) and len(set(first)) == len(first)
    assert all(len(each) <= ID_LENGTH and is_ours(each) for each in first)


FAULTS = ("drop", "drop_after", "truncate", "maintenance", "html", "status_after")
Step = tuple[str, str, str | None, str | None]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("1800", "1850", "1900", "1950")),
        st.sampled_from(("", "2100", "2200")),
        st.none() | st.sampled_from(FAULTS),
        st.sampled_from((ALGO, OPEN, None)),
    ),
    min_size=1,
    max_size=6,
)


@given(steps=STEPS)
def test_whatever_fails_a_stop_once_placed_always_stands_and_a_quiet_repetition_converges(
    steps: list[Step],
) -> None:
    asyncio.run(_through(steps))


async def _through(steps: list[Step]) -> None:
    account = await held()
    account.places_foreign_stop()
    protected = False
    wanted: Protection = wish("1900")
    for stop, target, fault, path in steps:
        wanted = wish(stop, target)
        if fault and path:
            account.fails(path, fault, 502 if fault == "status_after" else None)
        with contextlib.suppress(ChloeError):
            await account.venue.protect(wanted)
            protected = True
        ours = [each for each in account.stops() if is_ours(each.client_id) and each.type == "stop_market"]
        assert ours or not protected
    account.market.faults.clear()
    await account.venue.protect(wanted)
    ours = [each for each in account.stops() if is_ours(each.client_id)]
    assert [str(each.trigger_price) for each in ours if each.type == "stop_market"] == [wanted.stop_price]
    assert len(ours) == (2 if wanted.target_price else 1) and all(each.side == SELL for each in ours)
    assert "my-own-stop" in ids(account)
