"""A wish to be out, on paper: the position is left at the next open, once, and entries go on after it."""

from pathlib import Path

import pytest

from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.step.recording import TRADE
from tests.unit.loop.runs import (
    LATE_MS,
    LONG_HELD,
    MemoryFeed,
    a_home,
    close_ms,
    engine_of,
    payloads,
    position_side,
    series_of,
    tick_hours,
)

PAIR = ("ETHUSDT", "BTCUSDT")


@pytest.mark.parametrize(("wished", "left"), [("ETHUSDT", ("ETHUSDT",)), (None, PAIR)])
def test_what_was_held_is_left_at_the_next_open_and_nothing_else(
    tmp_path: Path, wished: str | None, left: tuple[str, ...]
) -> None:
    home = a_home(tmp_path, PAIR, cards=(LONG_HELD,))
    with engine_of(home, MemoryFeed(series_of(PAIR))) as engine:
        tick_hours(engine, range(3))
        held = {symbol: position_side(engine, symbol) for symbol in PAIR}
        assert 0 not in held.values()
        request_flatten(home.account("test"), wished, "too hot", close_ms(2) + LATE_MS + 60_000)
        tick_hours(engine, range(3, 5))
        trades = payloads(engine.journal, TRADE)
        assert sorted(trade["symbol"] for trade in trades) == sorted(left)
        assert {trade["exit_reason"] for trade in trades} == {"halt"}
        assert {trade["exit_ms"] for trade in trades} == {close_ms(3)}
        for symbol in set(PAIR) - set(left):
            assert position_side(engine, symbol) == held[symbol]
        tick_hours(engine, range(5, 12))
        assert len(payloads(engine.journal, TRADE)) == len(trades), "a wish is carried out once"
        assert all(position_side(engine, symbol) != 0 for symbol in PAIR), "entries go on"


def test_an_entry_that_waits_for_its_fill_is_left_after_it(tmp_path: Path) -> None:
    home = a_home(tmp_path, ("ETHUSDT",), cards=(LONG_HELD,))
    with engine_of(home, MemoryFeed(series_of(("ETHUSDT",)))) as engine:
        tick_hours(engine, range(1))
        assert engine.book.assets["ETHUSDT"].sub.pending.side != 0
        request_flatten(home.account("test"), "ETHUSDT", "changed my mind", close_ms(0) + LATE_MS + 1)
        tick_hours(engine, range(1, 3))
        assert [trade["exit_reason"] for trade in payloads(engine.journal, TRADE)] == ["halt"]
