"""Demotion: what trades in R make of an armed coin, once, in writing, and never the other way."""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.kernel.money import DAY_MS
from engine_alpha.loop.arming import FULL_SIZE, arm, armed
from engine_alpha.loop.demotion import Demotion, apply_demotions
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_orders import armed_symbols
from engine_alpha.ports import Event
from engine_alpha.step.recording import ROLLOUT, TRADE
from engine_alpha.step.text import to_text
from tests.live.worlds import ACCOUNT, World, live_world
from tests.unit.loop.runs import START_MS, a_home, edit, payloads, series_of

ETH, BTC = SYMBOLS = ("ETHUSDT", "BTCUSDT")
LIMITS = {
    "alpha": 0.05,
    "design_r": 0.17,
    "halve_after": 12,
    "paper_after": 20,
    "drawdown_limit_r": 8.0,
    "daily_loss_limit_r": 4.0,
    "unproven_size_factor": 0.25,
}
SLOW_LOSSES = [-0.5] * 9
"""Enough for half the size, not for paper: a day each, and no fall of 8 R."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    home = a_home(tmp_path, SYMBOLS)
    set_evidence(home.risk)
    return live_world(home, "bybit", series_of(SYMBOLS))


@pytest.fixture
def engine(world: World) -> Iterator[Engine]:
    with world.engine() as engine:
        yield engine


def set_evidence(risk: Path, **changes: float) -> None:
    edit(risk, lambda found: found.update(evidence={**LIMITS, **changes}))


def closed(engine: Engine, rs: Sequence[float | None], symbol: str = ETH, from_day: int = 1) -> None:
    """Journal trades of these results, one a day."""
    for place, r in enumerate(rs):
        exit_ms = START_MS + (from_day + place) * DAY_MS
        write_trade(engine, symbol, r, exit_ms)


def write_trade(engine: Engine, symbol: str, r: float | None, exit_ms: int) -> None:
    text = to_text({"symbol": symbol, "r": r, "exit_ms": exit_ms})
    key = f"{symbol}/{exit_ms}/{len(payloads(engine.journal, TRADE))}"
    engine.journal.commit(exit_ms, [Event(TRADE, symbol, key, exit_ms, text)], {})


def refreshed(engine: Engine, world: World) -> list[Demotion]:
    """Read what is armed as a tick does, then judge."""
    engine.armed = armed_symbols(engine.setup)
    return apply_demotions(engine)


def rollouts(engine: Engine) -> list[dict[str, Any]]:
    return payloads(engine.journal, ROLLOUT)


def size_of(world: World, symbol: str = ETH) -> float | None:
    found = armed(world.home.account(ACCOUNT)).get(symbol)
    return None if found is None else found.size_factor


def test_no_trades_and_gains_change_nothing(engine: Engine, world: World) -> None:
    assert refreshed(engine, world) == []
    closed(engine, [1.6, 2.0, -1.0, 3.0] * 2)
    assert refreshed(engine, world) == []
    assert (size_of(world), rollouts(engine)) == (FULL_SIZE, [])


def test_a_mean_that_falls_halves_the_size_once(
    engine: Engine, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    closed(engine, SLOW_LOSSES)
    with caplog.at_level(logging.ERROR, "chloe.rollout"):
        [done] = refreshed(engine, world)
    assert (done.symbol, done.to, done.size_factor) == (ETH, "live", 0.5)
    assert "ROLLOUT: ETHUSDT trades at 0.5 of its usual risk now: the mean may have fallen" in caplog.text
    assert (size_of(world), size_of(world, BTC)) == (0.5, FULL_SIZE)
    assert engine.armed[ETH].size_factor == 0.5, "at once, not only once the file is read again"
    [told] = rollouts(engine)
    assert (told["to"], told["advice"], told["size_factor_before"], told["size_factor"]) == (
        "live", "halve", 1.0, 0.5,
    )  # fmt: skip
    assert refreshed(engine, world) == [] and size_of(world) == 0.5


def test_it_goes_back_to_paper_when_it_falls_on(engine: Engine, world: World) -> None:
    closed(engine, SLOW_LOSSES)
    refreshed(engine, world)
    closed(engine, [-0.5] * 4, from_day=20)
    [done] = refreshed(engine, world)
    assert (done.to, size_of(world)) == ("paper", None)
    assert ETH not in engine.armed and BTC in engine.armed
    assert [told["advice"] for told in rollouts(engine)] == ["halve", "paper"]
    assert refreshed(engine, world) == []


def test_a_deep_fall_ends_it_without_halving(engine: Engine, world: World) -> None:
    closed(engine, [-3.0, -3.0, -2.5])
    [done] = refreshed(engine, world)
    assert done.to == "paper" and "the summed R fell too far from its best" in done.reason
    assert size_of(world) is None


def test_one_bad_day_ends_it(engine: Engine, world: World) -> None:
    for hour in range(3):
        write_trade(engine, ETH, -1.4, START_MS + DAY_MS + hour * 3_600_000)
    [done] = refreshed(engine, world)
    assert done.to == "paper" and "one day lost too much" in done.reason


def test_losses_on_several_days_are_no_bad_day(engine: Engine, world: World) -> None:
    closed(engine, [-1.4] * 3)
    assert refreshed(engine, world) == []


def test_trades_before_the_arming_do_not_count(engine: Engine, world: World) -> None:
    closed(engine, [-3.0, -3.0, -2.5], from_day=-30)
    assert refreshed(engine, world) == []


def test_armed_anew_by_a_person_it_begins_again(engine: Engine, world: World) -> None:
    closed(engine, [-3.0, -3.0, -2.5])
    refreshed(engine, world)
    again_ms = START_MS + 40 * DAY_MS
    arm(world.home.account(ACCOUNT), ETH, again_ms, "loopback", "bybit")
    assert refreshed(engine, world) == [] and size_of(world) == FULL_SIZE
    closed(engine, [-3.0, -3.0, -2.5], from_day=50)
    [done] = refreshed(engine, world)
    assert done.to == "paper" and len(rollouts(engine)) == 2


def test_gains_after_it_was_halved_do_not_promote_it(engine: Engine, world: World) -> None:
    closed(engine, SLOW_LOSSES)
    refreshed(engine, world)
    closed(engine, [3.0] * 100, from_day=20)
    assert refreshed(engine, world) == [] and size_of(world) == 0.5


def test_trades_one_by_one_and_a_new_process_come_to_the_same(engine: Engine, world: World) -> None:
    done: list[Demotion] = []
    for place, r in enumerate(SLOW_LOSSES):
        closed(engine, [r], from_day=1 + place)
        done += refreshed(engine, world)
    assert [each.to for each in done] == ["live"]
    assert engine.live is not None
    known = engine.live.watches.of[ETH]
    engine.live = world.desk(engine, engine.setup)
    refreshed(engine, world)
    assert engine.live.watches.of[ETH] == known


def test_killed_between_writing_it_down_and_the_file_it_is_done_at_the_next_tick(
    engine: Engine, world: World
) -> None:
    before = (world.home.account(ACCOUNT) / "armed.json").read_bytes()
    closed(engine, SLOW_LOSSES)
    refreshed(engine, world)
    (world.home.account(ACCOUNT) / "armed.json").write_bytes(before)
    [again] = refreshed(engine, world)
    assert again.size_factor == 0.5 and size_of(world) == 0.5
    assert len(rollouts(engine)) == 1, "it is the same event"


def test_what_a_person_said_meanwhile_stands(engine: Engine, world: World) -> None:
    closed(engine, [-3.0, -3.0, -2.5])
    engine.armed = armed_symbols(engine.setup)
    arm(world.home.account(ACCOUNT), ETH, START_MS + 40 * DAY_MS, "loopback", "bybit", 0.25)
    apply_demotions(engine)
    assert size_of(world) == 0.25


def test_other_limits_judge_the_same_trades_anew(engine: Engine, world: World) -> None:
    closed(engine, [-1.0, -1.0])
    assert refreshed(engine, world) == []
    set_evidence(world.home.risk, drawdown_limit_r=2.0)
    world.tick(engine, 0)
    assert size_of(world) is None
    assert [told["to"] for told in rollouts(engine)] == ["paper"]


def test_a_result_that_is_unknown_is_passed_over(engine: Engine, world: World) -> None:
    closed(engine, [None] * 30)
    assert refreshed(engine, world) == []


def test_the_paper_account_demotes_nothing(engine: Engine, world: World) -> None:
    closed(engine, [-3.0, -3.0, -2.5])
    engine.live = None
    assert apply_demotions(engine) == []


def test_the_event_is_whole_json(engine: Engine, world: World) -> None:
    closed(engine, [-3.0, -3.0, -2.5])
    refreshed(engine, world)
    stored = next(engine.journal.events(ROLLOUT, ETH))
    told = json.loads(stored.event.payload)
    assert {"symbol", "from", "to", "advice", "reason", "armed_ms", "environment", "venue"} <= told.keys()
    assert (told["environment"], told["venue"], told["armed_ms"]) == ("loopback", "bybit", START_MS)
