"""A venue that refuses to move a stop, for a key out of order: what stands goes on protecting."""

from pathlib import Path

import pytest

from engine_alpha.step.recording import TRADE
from tests.live.test_live_equals_paper import TRAILED
from tests.live.worlds import live_world
from tests.unit.loop.runs import a_home, payloads, series_of

SYMBOL = "BTCUSDT"


@pytest.mark.parametrize(
    ("venue", "path", "code"), [("bybit", "trading-stop", 10010), ("binance", "algoOrder", -2015)]
)
def test_the_old_stop_stays_and_nothing_is_sold(tmp_path: Path, venue: str, path: str, code: int) -> None:
    card = {**TRAILED, "exits": {"stop": {"atr": 6.0}, "trailing": {"atr": 4.0}}}
    world = live_world(a_home(tmp_path, (SYMBOL,), cards=(card,)), venue, series_of((SYMBOL,)))
    with world.engine() as engine:
        assert engine.live is not None
        for hour in range(3):
            world.tick(engine, hour)
        before = engine.live.book.states[SYMBOL]
        assert before.position != 0 and before.protection is not None
        world.market.faults.add(kind="refuse", path=path, value=(code, "not from this address"))
        moves = 0
        for hour in range(3, 7):
            world.tick(engine, hour)
            state = engine.live.book.states[SYMBOL]
            assert (state.position, state.leave) == (before.position, "")
            assert state.protection is not None and state.protection.stop_price != ""
            wanted = engine.book.assets[SYMBOL].sub.position.stop_price
            moves += wanted != float(state.protection.stop_price)
        assert moves, "a move was refused"
        assert payloads(engine.journal, TRADE) == []
        world.market.faults.clear()
        world.tick(engine, 7)
        state = engine.live.book.states[SYMBOL]
        assert state.protection is not None
        assert float(state.protection.stop_price) == engine.book.assets[SYMBOL].sub.position.stop_price
