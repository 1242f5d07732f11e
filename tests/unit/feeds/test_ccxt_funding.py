"""What is known of funding: complete up to where it says, asked for only when there can be more."""

import pytest

from engine_alpha.errors import VenueBusy
from engine_alpha.feeds.ccxt_funding import HOUR_MS, FundingHistory, known_until_ms
from engine_alpha.feeds.ccxt_replies import Settlement

EIGHT = 8 * HOUR_MS
T0 = 100 * EIGHT


class FakeDialect:
    """Settles every eight hours; remembers what it was asked."""

    page_bars = 1_000
    asks_time = False

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.sick = False
        self.listed_until_ms = 1 << 53

    async def settlements(self, symbol: str, from_ms: int, to_ms: int) -> list[Settlement]:
        self.asked.append((from_ms, to_ms))
        if self.sick:
            raise VenueBusy("sick")
        last = min(to_ms, self.listed_until_ms)
        times = range(-(-from_ms // EIGHT) * EIGHT, last + 1, EIGHT)
        return [Settlement(at, at / EIGHT) for at in times]


def history(dialect: FakeDialect) -> FundingHistory:
    return FundingHistory(dialect, 1.0)  # type: ignore[arg-type]


async def test_within_the_hour_nothing_is_asked_but_knowledge_goes_on() -> None:
    dialect = FakeDialect()
    funding = history(dialect)
    await funding.read("X", T0 - 10 * EIGHT, T0 + 1_000)
    later = await funding.read("X", T0 - 10 * EIGHT, T0 + HOUR_MS - 1)
    assert len(dialect.asked) == 1
    assert (later.settled_ms[-1], later.to_ms) == (T0, T0 + HOUR_MS - 1)


async def test_the_next_hour_asks_only_for_what_is_new() -> None:
    dialect = FakeDialect()
    funding = history(dialect)
    await funding.read("X", T0 - 10 * EIGHT, T0 + 1_000)
    later = await funding.read("X", T0 - 9 * EIGHT, T0 + EIGHT + 1_000)
    assert dialect.asked[1] == (T0 + 1_001, T0 + EIGHT + 1_000)
    assert later.settled_ms.tolist() == [T0 + k * EIGHT for k in range(-9, 2)]
    assert later.rate_frac.tolist() == [100.0 + k for k in range(-9, 2)]
    assert later.from_ms == T0 - 9 * EIGHT


async def test_an_earlier_window_is_read_anew() -> None:
    dialect = FakeDialect()
    funding = history(dialect)
    await funding.read("X", T0, T0 + 1_000)
    assert (await funding.read("X", T0 - EIGHT, T0 + 2_000)).from_ms == T0 - EIGHT
    assert dialect.asked[1][0] == T0 - EIGHT


async def test_a_settlement_that_is_due_but_not_listed_yet_is_unknown_and_asked_again() -> None:
    dialect = FakeDialect()
    dialect.listed_until_ms = T0
    funding = history(dialect)
    first = await funding.read("X", T0 - 10 * EIGHT, T0 + EIGHT + 2_000)
    assert first.to_ms == T0 + EIGHT - 1
    dialect.listed_until_ms = 1 << 53
    second = await funding.read("X", T0 - 10 * EIGHT, T0 + EIGHT + 9_000)
    assert (second.settled_ms[-1], second.to_ms) == (T0 + EIGHT, T0 + EIGHT + 9_000)
    assert second.settled_ms.tolist() == sorted(set(second.settled_ms.tolist()))


async def test_a_failure_leaves_what_was_known() -> None:
    dialect = FakeDialect()
    funding = history(dialect)
    await funding.read("X", T0 - EIGHT, T0 + 1_000)
    dialect.sick = True
    later = await funding.read("X", T0, T0 + EIGHT + 1_000)
    assert (later.settled_ms.tolist(), later.from_ms, later.to_ms) == ([T0], T0, T0 + 1_000)


async def test_a_failure_at_first_is_unknown() -> None:
    dialect = FakeDialect()
    dialect.sick = True
    nothing = await history(dialect).read("X", T0, T0 + 1_000)
    assert (len(nothing.settled_ms), nothing.from_ms, nothing.to_ms) == (0, 0, 0)


@pytest.mark.parametrize(
    ("settled", "now_ms", "until_ms"),
    [
        ([], T0 + 1_000, T0 - 1),
        ([], T0 + 600_000, T0 + 600_000),
        ([T0], T0 + 1_000, T0 + 1_000),
        ([T0 - EIGHT], T0 + 1_000, T0 - 1),
        ([T0 - 2 * EIGHT, T0 - EIGHT], T0 - HOUR_MS + 1_000, T0 - HOUR_MS + 1_000),
        ([T0 - 2 * EIGHT, T0 - EIGHT], T0 + 1_000, T0 - 1),
        ([T0 - 2 * EIGHT, T0 - EIGHT], T0 + 600_000, T0 + 600_000),
        ([T0 - HOUR_MS, T0], T0 + HOUR_MS + 5, T0 + HOUR_MS - 1),
    ],
)
def test_a_list_is_complete_up_to_the_next_settlement_due(
    settled: list[int], now_ms: int, until_ms: int
) -> None:
    assert known_until_ms(settled, now_ms) == until_ms
