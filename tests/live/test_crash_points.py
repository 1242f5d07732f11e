"""Dead at any write or call of a tick and started again, orders and ledger come out as without it."""

from pathlib import Path
from random import Random

import pytest

from tests.live.crash_points import (
    FIRST_HOUR,
    SIDES,
    VENUES,
    Row,
    Scenario,
    again,
    differences,
    hours,
    line,
    outcome_of,
    played,
    table,
    ticked,
)
from tests.live.crashing import Crash, Points

FEWER, AHEAD = 29, 2


def told(rows: list[Row]) -> str:
    return "\n".join(line(row) for row in rows if not row.is_good)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("venue", ["bybit", pytest.param("binance", marks=pytest.mark.slow)])
def test_crashes_here_and_there_lose_nothing_and_double_nothing(tmp_path: Path, venue: str) -> None:
    scenario, rows = table(tmp_path, venue, FEWER, AHEAD)
    done = list(rows)
    assert all(row.is_good for row in done), told(done)
    assert len(done) == -(-2 * len(scenario.names) // FEWER)


@pytest.mark.parametrize("venue", VENUES)
def test_the_scenario_has_all_that_can_happen(tmp_path: Path, venue: str) -> None:
    whole, _ = table(tmp_path, venue)
    reasons = {trade[4] for trade in whole.outcome.trades}
    assert {"stop", "trailing"} <= reasons and reasons & {"opposite_signal", "time"}
    assert len(whole.outcome.waiting) == 2 and len(whole.outcome.held) == 1, "it ends in a protected position"
    assert any(fill[1] == "Funding" and fill[-1] != "0" for fill in whole.outcome.fills), whole.outcome.fills


def dies_again(scenario: Scenario, folder: Path, chance: Random) -> tuple[int, int, list[str]]:
    """Die at a drawn point, then up to three times more while starting anew; return what differs then."""
    stage = chance.choice(scenario.stages)
    world = stage.world.copied(folder, Points(at=chance.randrange(40), side=chance.choice(SIDES)))
    try:
        ticked(world, stage.hour)
    except Crash:
        for deaths in range(4):
            world.renewed(Points(at=chance.randrange(40) if deaths < 3 else None, side=chance.choice(SIDES)))
            try:
                again(world)
                break
            except Crash:
                continue
    world.renewed(Points())
    last = min(stage.hour + AHEAD, hours()[-1])
    for hour in range(stage.hour + 1, last + 1):
        ticked(world, hour)
    whole = scenario.outcomes[last - FIRST_HOUR]
    return differences(whole, outcome_of(world.home, world.book.facts()))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("venue", ["binance", pytest.param("bybit", marks=pytest.mark.slow)])
def test_dying_again_and_again_while_starting_anew(tmp_path: Path, venue: str) -> None:
    scenario, chance = played(tmp_path / "whole", venue), Random(5)
    for number in range(12):
        assert dies_again(scenario, tmp_path / str(number), chance) == (0, 0, [])


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("venue", VENUES)
def test_no_crash_loses_or_doubles_anything(tmp_path: Path, venue: str) -> None:
    _, rows = table(tmp_path, venue)
    done = list(rows)
    assert all(row.is_good for row in done), told(done)
