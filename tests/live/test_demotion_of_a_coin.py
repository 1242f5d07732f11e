"""A coin whose real trades lose is taken back to paper by the engine itself, and its neighbour is not."""

from pathlib import Path

import pytest

from engine_alpha.loop.arming import armed
from engine_alpha.step.recording import DECISION, ROLLOUT, TRADE
from tests.live.worlds import ACCOUNT, live_world
from tests.unit.backtest.verifying import as_is
from tests.unit.loop.runs import MemoryFeed, a_home, assert_sound, edit, payloads, series_of

SYMBOLS = ("BTCUSDT", "ETHUSDT")
LIMITS = {"halve_after": 1.2, "paper_after": 1e6, "drawdown_limit_r": 2.0, "daily_loss_limit_r": 1000}


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_losses_halve_it_then_end_it_and_its_record_stays_whole(tmp_path: Path, venue: str) -> None:
    home, series = a_home(tmp_path, SYMBOLS), series_of(SYMBOLS)
    edit(home.risk, lambda found: found["evidence"].update(LIMITS))
    world = live_world(home, venue, series)
    with world.engine() as engine:
        hour = 0
        while armed(home.account(ACCOUNT)).keys() == set(SYMBOLS) and hour < 120:
            world.tick(engine, hour)
            hour += 1
        gone = set(SYMBOLS) - armed(home.account(ACCOUNT)).keys()
        told = payloads(engine.journal, ROLLOUT)
        assert len(gone) == 1 and told[-1]["to"] == "paper"
        [symbol] = gone
        mine = [each for each in told if each["symbol"] == symbol]
        assert [each["size_factor"] for each in mine][-1] == 0.0
        assert sum(trade["r"] for trade in payloads(engine.journal, TRADE, symbol)) < 0
        for _ in range(12):
            world.tick(engine, hour)
            hour += 1
        state = engine.book.assets[symbol]
        assert state.sub.position.side == 0, "what was held is left by its own rules"
        assert symbol not in armed(home.account(ACCOUNT)), "nothing but a person arms it again"
        told_sizes = {each.get("size_factor", 1.0) for each in payloads(engine.journal, DECISION, symbol)}
        assert told_sizes == {1.0, 0.5}, "halved on the way"
        assert_sound(engine.journal)
        assert as_is(home, engine.journal, MemoryFeed(series)).findings == ()
