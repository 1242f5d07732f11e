"""A position that vanished without a trace freezes its coin alone, and a person's word ends it."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine_alpha.loop.engine import Engine
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.reports.gates import blocking
from engine_alpha.step.recording import DECISION, TRADE, decision_view
from engine_alpha.trading.state import LiveState
from tests.live.worlds import ACCOUNT, live_world
from tests.unit.backtest.verifying import as_is
from tests.unit.loop.runs import (
    LONG_HELD,
    MemoryFeed,
    a_home,
    assert_sound,
    payloads,
    series_of,
    views,
)

GONE, OTHER = SYMBOLS = ("BTCUSDT", "ETHUSDT")


def state_of(engine: Engine, symbol: str = GONE) -> LiveState:
    assert engine.live is not None
    return engine.live.book.states[symbol]


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_what_nothing_explains_ends_with_a_persons_flatten(tmp_path: Path, venue: str) -> None:
    series = series_of(SYMBOLS)
    world = live_world(a_home(tmp_path, SYMBOLS, cards=(LONG_HELD,)), venue, series)
    with world.engine() as engine:
        for hour in range(3):
            world.tick(engine, hour)
        assert state_of(engine).position != 0 != state_of(engine, OTHER).position
        world.book.state.position(GONE).quantity = Decimal(0)
        world.book.state.noted_position(world.book.state.position(GONE))
        world.tick(engine, 3)
        world.clock.set(world.clock.now_ms() + 60_000)
        world.tick(engine, 4)
        assert state_of(engine).verdict == "unexplained"
        assert state_of(engine).frozen and not state_of(engine, OTHER).frozen
        world.tick(engine, 5)
        [told] = [words for words in blocking(views_of(engine)) if words.startswith("enabled")]
        assert "frozen: unexplained" in told
        request_flatten(world.home.account(ACCOUNT), GONE, "it is gone", world.clock.now_ms())
        world.tick(engine, 6)
        world.tick(engine, 7)
        world.tick(engine, 8)
        [trade] = payloads(engine.journal, TRADE, GONE)
        assert trade["exit_reason"] == "manual"
        assert (state_of(engine).frozen, state_of(engine).verdict) == ("", "agrees")
        assert state_of(engine, OTHER).position != 0
        assert payloads(engine.journal, TRADE, OTHER) == []
        assert_sound(engine.journal)
        assert as_is(world.home, engine.journal, MemoryFeed(series)).findings == ()


def views_of(engine: Engine) -> dict[str, object]:
    return decision_view(payloads(engine.journal, DECISION, GONE)[-1])


def test_exported_lines_do_not_tell_of_it(tmp_path: Path) -> None:
    world = live_world(a_home(tmp_path, (GONE,), cards=(LONG_HELD,)), "bybit", series_of((GONE,)))
    with world.engine() as engine:
        engine.frozen, engine.armed = True, {GONE: engine.armed[GONE]}
        world.book.manual(GONE, "buy", Decimal(1))
        world.tick(engine, 0)
        world.tick(engine, 1)
        assert "close_only" not in views(engine.journal, GONE)[-1]
        assert "frozen" in str(views_of(engine)["close_only"])
