"""In a storm of 429s no ban is earned, no exit comes more than a tick late, and calm ticks are healthy."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.storms import HELD_BARS, MOST, StormWorld, storm_world
from tests.makers import HOUR_MS

FEW = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a storm came to."""

    assets: int
    requests: int
    refusals: int
    silences: int
    bans: int
    exits_due: int
    exits_on_time: int
    longest_delay_ms: int
    decided: int
    undecided: int

    def __str__(self) -> str:
        return (
            f"{self.assets} assets, {self.requests} requests, {self.silences} silences asked for by "
            f"{self.refusals} times 429, {self.bans} bans; {self.exits_on_time} of {self.exits_due} exits in "
            f"the tick they were due, the last {self.longest_delay_ms / 1_000:.1f} s after it began; "
            f"{self.decided} decisions, {self.undecided} bars left for the next tick"
        )


def weathered(storm: StormWorld, assets: int) -> Figures:
    """Enter in calm, let the storm blow while every position must be left, and see it calm again."""
    reports = []
    for hour in range(HELD_BARS):
        reports.append(storm.tick(hour))
        assert {step.status for step in reports[-1].steps} == {"decided"}, "healthy while it is calm"
    held = set(storm.world.facts()["positions"])
    assert len(held) >= assets * 0.8
    due_ms = storm.world.tick_ms(HELD_BARS)
    storm.storm.blows = True
    reports += [storm.tick(HELD_BARS), storm.tick(HELD_BARS + 1)]
    exits = {symbol: at_ms for symbol, at_ms in storm.exits_at().items() if symbol in held}
    assert set(exits) == held, "no exit later than one tick after it was due"
    storm.storm.blows = False
    reports.append(storm.tick(HELD_BARS + 2))
    assert {step.status for step in reports[-1].steps} == {"decided"}, "healthy when it is calm again"
    storm.world.chloe("journal", "check", "--account", "live-loopback")
    in_time = [at_ms for at_ms in exits.values() if at_ms < due_ms + HOUR_MS]
    states = [step.status for report in reports for step in report.steps]
    return Figures(
        assets=assets,
        requests=storm.storm.asked,
        refusals=storm.storm.refusals,
        silences=storm.storm.silences,
        bans=storm.storm.bans,
        exits_due=len(held),
        exits_on_time=len(in_time),
        longest_delay_ms=max(in_time, default=due_ms) - due_ms,
        decided=states.count("decided"),
        undecided=len(states) - states.count("decided"),
    )


@pytest.mark.timeout(400)
@pytest.mark.slow
def test_some_assets_in_a_storm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with storm_world(tmp_path / "home", "bybit", FEW) as storm:
        figures = weathered(storm, FEW)
    with capsys.disabled():
        print(f"\n{figures}")
    assert figures.bans == 0 and figures.silences >= 2


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_fifty_assets_in_a_storm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At Bybit; at Binance fifty assets' looks weigh more than a minute allows, storm or not."""
    with storm_world(tmp_path / "home", "bybit", MOST) as storm:
        figures = weathered(storm, MOST)
    with capsys.disabled():
        print(f"\n{figures}")
    assert figures.bans == 0 and figures.silences >= 4
