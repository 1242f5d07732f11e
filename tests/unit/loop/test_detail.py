"""With `detail: 1m` minutes are asked for where they can matter, and their hash stands in the record."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine_alpha.domain.resampling import resample
from engine_alpha.feeds.embedded import EmbeddedFeed
from engine_alpha.home import Home
from engine_alpha.plans.setup import read_setup
from engine_alpha.step.recording import DECISION, digests_of
from tests.makers import HOUR_MS
from tests.unit.loop.runs import (
    LATE_MS,
    LONG_HELD,
    QUICK,
    ROOMY,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    decision_lines,
    engine_of,
    payloads,
    position_side,
    put_card,
    series_of,
    set_asset,
    set_engine,
    set_risk,
    tick_at,
    tick_hours,
)

ETH = ("ETHUSDT",)
DETAILED = {**ROOMY, "detail": "1m"}
TIGHT = {
    **QUICK,
    "name": "tight",
    "exits": {"stop": {"atr": 0.3}, "target": {"atr": 0.4}, "max_hold_bars": 6},
}
"""Leaves within the bar it enters, or the next: what came first inside matters."""


def detailed_home(path: Path, card: dict[str, Any] = LONG_HELD) -> Home:
    return a_home(path / "home", cards=(card,), risk=DETAILED)


def plan_hash(home: Home) -> str:
    setup = read_setup(home)
    return setup.plan(setup.enabled[0]).config_hash


# ------------------------------------------------------------------ configuration


def test_the_key_changes_the_configs_hash_and_the_plan(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    before = plan_hash(home)
    set_risk(home, detail="1m")
    setup = read_setup(home)
    assert setup.plan(setup.enabled[0]).detail == "1m"
    assert plan_hash(home) != before
    set_risk(home, detail=None)
    assert plan_hash(home) == before


def test_an_asset_of_minutes_has_no_detail_and_its_hash_stays(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    set_asset(home, "ETHUSDT", base_timeframe="1m")
    before = plan_hash(home)
    set_risk(home, detail="1m")
    assert plan_hash(home) == before


# ------------------------------------------------------------------ when minutes are asked for


def asked_from(feed: MemoryFeed) -> list[int | None]:
    return [request.minutes_from_ms for request in feed.asked]


def test_minutes_are_asked_for_while_an_entry_waits_or_a_position_is_open(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    with engine_of(detailed_home(tmp_path), feed) as engine:
        tick_hours(engine, range(3))
        assert position_side(engine, "ETHUSDT") != 0
    assert asked_from(feed) == [None, close_ms(0), close_ms(1)]


def test_a_shadow_cards_position_asks_for_them_too(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    home = detailed_home(tmp_path, {**LONG_HELD, "status": "shadow"})
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(3))
        assert engine.book.assets["ETHUSDT"].is_flat
    assert asked_from(feed) == [None, close_ms(0), close_ms(1)]


def test_an_idle_asset_asks_for_none(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    with engine_of(detailed_home(tmp_path, {**QUICK, "status": "disabled"}), feed) as engine:
        tick_hours(engine, range(4))
    assert asked_from(feed) == [None] * 4


def test_after_a_pause_they_are_asked_for_from_the_first_bar_to_step(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    with engine_of(detailed_home(tmp_path, {**QUICK, "status": "disabled"}), feed) as engine:
        tick_at(engine, close_ms(0) + LATE_MS)
        tick_at(engine, close_ms(4) + LATE_MS)
    assert asked_from(feed) == [None, close_ms(0)], "an entry on the way may need them"


def test_without_detail_none_are_ever_asked_for_and_no_record_speaks_of_them(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    with engine_of(a_home(tmp_path / "home", cards=(LONG_HELD,)), feed) as engine:
        tick_hours(engine, range(4))
        assert all("minutes_hash" not in each for each in payloads(engine.journal, DECISION))
    assert asked_from(feed) == [None] * 4


# ------------------------------------------------------------------ the embedded market


def embedded_run(home: Home, feed: Any, hours: int, account: str = "test") -> list[dict[str, Any]]:
    with engine_of(home, feed, account=account) as engine:
        tick_hours(engine, range(hours))
        assert_sound(engine.journal)
        return payloads(engine.journal, DECISION)


def test_simulated_minutes_always_make_up_the_bar(tmp_path: Path) -> None:
    decided = embedded_run(detailed_home(tmp_path, TIGHT), EmbeddedFeed(7, {}), 40)
    asked = [each["minutes_hash"] for each in decided if "minutes_hash" in each]
    assert len(asked) > 20 and all(len(each) == 32 for each in asked)
    assert len(set(asked)) == len(asked)


class AlwaysWithMinutes:
    """The embedded feed, giving the minutes of the whole window whether they were asked for or not."""

    def __init__(self) -> None:
        self.source = EmbeddedFeed(7, {})
        self.describes, self.simulated = self.source.describes, True

    async def read(self, request: Any, now_ms: int) -> Any:
        return await self.source.read(replace(request, minutes_from_ms=request.first_open_ms), now_ms)

    async def close(self) -> None:
        pass


def test_decisions_do_not_depend_on_when_minutes_are_asked_for(tmp_path: Path) -> None:
    home = a_home(
        tmp_path / "home", cards=(TIGHT, {**TIGHT, "name": "shadow", "status": "shadow"}), risk=DETAILED
    )
    digests, trades = set(), []
    for account, feed in (("asked", EmbeddedFeed(7, {})), ("always", AlwaysWithMinutes())):
        with engine_of(home, feed, account=account) as engine:
            tick_hours(engine, range(40))
            found = digests_of(engine.journal.events(DECISION))
            digests.add(found.hexes())
            trades.append(found.trades)
    assert len(digests) == 1 and trades[0] > 15


def test_minutes_change_what_trades_come_to(tmp_path: Path) -> None:
    found = {}
    for detail in ("1m", None):
        home = a_home(tmp_path / str(detail), cards=(TIGHT,), risk={**ROOMY, "detail": detail})
        with engine_of(home, EmbeddedFeed(7, {})) as engine:
            tick_hours(engine, range(40))
            found[detail] = payloads(engine.journal, "trade")
    assert sum(each["ambiguous"] for each in found["1m"]) < sum(each["ambiguous"] for each in found[None])
    assert any(each["exit_ms"] % HOUR_MS for each in found["1m"])
    assert not any(each["exit_ms"] % HOUR_MS for each in found[None])


# ------------------------------------------------------------------ where minutes are missing


class SomeMinutes(MemoryFeed):
    """Hours made of minutes in memory; minutes for the hours of `kept` alone."""

    def __init__(self, kept: range) -> None:
        minutes = EmbeddedFeed(7, {}).reading("ETHUSDT", "1m", close_ms(-1_000), close_ms(60)).bars
        super().__init__({"ETHUSDT": resample(minutes, HOUR_MS)})
        known = (minutes.open_ms >= close_ms(kept.start)) & (minutes.open_ms < close_ms(kept.stop))
        names = ("open_ms", "open", "high", "low", "close", "volume")
        self.minutes = replace(minutes, **{name: getattr(minutes, name)[known] for name in names})

    async def read(self, request: Any, now_ms: int) -> Any:
        reading = await super().read(request, now_ms)
        if request.minutes_from_ms is None:
            return reading
        return replace(reading, minutes=self.minutes.between(request.minutes_from_ms, now_ms))


def test_without_fitting_minutes_the_bar_rule_holds_and_the_record_says_so(tmp_path: Path) -> None:
    lines, trades = {}, {}
    for name, kept, detail in (("none", range(0), "1m"), ("off", range(0), None)):
        home = a_home(tmp_path / name, cards=(TIGHT,), risk={**ROOMY, "detail": detail})
        with engine_of(home, SomeMinutes(kept)) as engine:
            tick_hours(engine, range(30))
            decided = payloads(engine.journal, DECISION)
            hashes = {each.get("minutes_hash") for each in decided}
            assert hashes == ({None, ""} if detail else {None})
            lines[name] = [
                {**json.loads(line), "config_hash": ""} for line in decision_lines(engine.journal, "ETHUSDT")
            ]
            trades[name] = payloads(engine.journal, "trade")
    assert lines["none"] == lines["off"]
    assert trades["none"] == trades["off"] and len(trades["off"]) > 5


def test_each_bar_has_its_own_minutes_or_none(tmp_path: Path) -> None:
    feed = SomeMinutes(range(10, 20))
    with engine_of(detailed_home(tmp_path, TIGHT), feed) as engine:
        tick_hours(engine, range(30))
        seen = {
            (each["record"][0] - close_ms(0)) // HOUR_MS: each["minutes_hash"]
            for each in payloads(engine.journal, DECISION)
            if "minutes_hash" in each
        }
    assert {hour for hour, found in seen.items() if found} == {hour for hour in seen if 10 <= hour < 20}
    assert len({hour for hour in seen if 10 <= hour < 20}) > 5 and len(seen) > 15


# ------------------------------------------------------------------ after a pause


@pytest.mark.parametrize("pause", [2, 5, 11])
def test_a_position_left_in_a_pause_left_where_a_runner_without_one_left_it(
    tmp_path: Path, pause: int
) -> None:
    """One that never slept knew each bar's minutes as it closed; one that slept reads them all at once."""
    trades = {}
    for name, hours in (("awake", range(24)), ("slept", [*range(0, 24, pause), 23])):
        home = a_home(tmp_path / name, cards=(TIGHT,), risk=DETAILED)
        set_engine(home, max_entry_delay_ms=24 * HOUR_MS)  # entries on the way through, too
        with engine_of(home, EmbeddedFeed(7, {})) as engine:
            for hour in hours:
                tick_at(engine, close_ms(hour) + LATE_MS)
            trades[name] = payloads(engine.journal, "trade")
    assert trades["slept"] == trades["awake"] and len(trades["awake"]) > 8
    assert any(each["exit_ms"] % HOUR_MS for each in trades["awake"])


def test_a_card_added_later_finds_minutes_too(tmp_path: Path) -> None:
    feed = MemoryFeed(series_of(ETH))
    home = detailed_home(tmp_path, {**QUICK, "status": "disabled"})
    with engine_of(home, feed) as engine:
        tick_hours(engine, range(2))
        put_card(home, LONG_HELD)
        tick_hours(engine, range(2, 5))
    assert asked_from(feed) == [None, None, None, close_ms(2), close_ms(3)]
