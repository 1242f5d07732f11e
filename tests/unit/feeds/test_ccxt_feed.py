"""The parts of the venue feed that need no venue."""

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine_alpha.errors import DataError, VenueBusy
from engine_alpha.feeds.ccxt_feed import _OncePerTick, split
from engine_alpha.feeds.ccxt_replies import Row
from tests.makers import ETH

STEP = 3_600_000


def rows(first: int, count: int) -> list[Row]:
    return [
        Row(at * STEP, at + 0.5, at + 1.0, at + 0.25, at + 0.75, 1.0) for at in range(first, first + count)
    ]


@given(first=st.integers(0, 10**6), count=st.integers(1, 50), into=st.integers(0, 60 * STEP))
def test_what_is_closed_by_now_are_bars_and_the_next_gives_its_open(
    first: int, count: int, into: int
) -> None:
    now_ms = first * STEP + into
    closed = min(count, into // STEP)
    if closed == 0:
        with pytest.raises(DataError, match="no closed candle"):
            split(rows(first, count), ETH, now_ms)
        return
    bars, forming_open = split(rows(first, count), ETH, now_ms)
    assert bars.open_ms.tolist() == [(first + at) * STEP for at in range(closed)]
    assert int(bars.close_ms[-1]) <= now_ms
    assert forming_open == (first + closed + 0.5 if closed < count else None)


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0, math.inf])
def test_a_forming_bar_without_a_price_gives_no_open(bad: float) -> None:
    two = rows(10, 2)
    two[1] = two[1]._replace(open=bad)
    assert split(two, ETH, 11 * STEP + 5)[1] is None


async def test_readers_of_one_tick_share_one_question() -> None:
    asked: list[int] = []

    async def ask() -> int:
        await asyncio.sleep(0.01)
        asked.append(1)
        return len(asked)

    shared = _OncePerTick(ask)
    assert await asyncio.gather(*(shared.get(5) for _ in range(4))) == [1, 1, 1, 1]
    assert await shared.get(6) == 2


async def test_a_reader_that_gives_up_leaves_the_answer_to_the_others() -> None:
    async def ask() -> int:
        await asyncio.sleep(0.05)
        return 7

    shared = _OncePerTick(ask)

    async def impatient() -> None:
        async with asyncio.timeout(0.01):
            await shared.get(5)

    found = await asyncio.gather(impatient(), shared.get(5), return_exceptions=True)
    assert isinstance(found[0], TimeoutError) and found[1] == 7


async def test_a_fault_is_shared_too() -> None:
    async def ask() -> int:
        raise VenueBusy("sick")

    shared = _OncePerTick(ask)
    found = await asyncio.gather(shared.get(5), shared.get(5), return_exceptions=True)
    assert [str(each) for each in found] == ["sick", "sick"]
    await shared.close()
