"""A contract whose end is announced: no entries, left a day before; else settled by the venue and booked."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine_alpha.domain.bars import Bars
from engine_alpha.loop.engine import Engine
from engine_alpha.step.recording import TRADE
from tests.live.worlds import World, live_world
from tests.makers import HOUR_MS
from tests.unit.loop.runs import (
    LONG_HELD,
    START_MS,
    a_home,
    assert_sound,
    gate,
    payloads,
    series_of,
    views,
)

SYMBOLS = ("MATICUSDT", "BTCUSDT")
GOES, STAYS = SYMBOLS

both_venues = pytest.mark.parametrize("venue", ["bybit", "binance"])


def a_world(path: Path, venue: str) -> World:
    """MATIC trades until the exchange says otherwise: the snapshot does not know its end yet."""
    home = a_home(path, SYMBOLS, cards=(LONG_HELD,))
    series = series_of(SYMBOLS)
    series[GOES] = in_cents(series[GOES])
    return live_world(home, venue, series, endless=(GOES,))


def in_cents(bars: Bars) -> Bars:
    """Return the bars at a hundredth of their prices: about what the coin cost."""
    return replace(bars, **{name: getattr(bars, name) / 100 for name in ("open", "high", "low", "close")})


def position(engine: Engine, symbol: str) -> str:
    assert engine.live is not None
    return engine.live.book.states[symbol].ours_base


def exits(engine: Engine, symbol: str) -> list[str]:
    return [trade["exit_reason"] for trade in payloads(engine.journal, TRADE, symbol)]


@both_venues
def test_an_announced_end_stops_entries_and_is_left_a_day_before(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    with world.engine() as engine:
        for hour in range(3):
            world.tick(engine, hour)
        assert position(engine, GOES) != "0" != position(engine, STAYS)
        world.book.delist(GOES, START_MS + 40 * HOUR_MS)
        for hour in range(3, 15):
            world.tick(engine, hour)
        assert position(engine, GOES) != "0", "its day has not come"
        for hour in range(15, 20):
            world.tick(engine, hour)
        assert position(engine, GOES) == "0"
        assert exits(engine, GOES) == ["settlement"]
        assert position(engine, STAYS) != "0", "the other coin is left alone"
        last = views(engine.journal, GOES)[-1]
        assert gate(last, "enabled")["passed"] is False
        assert_sound(engine.journal)


@both_venues
def test_what_the_venue_settled_while_nobody_was_there_is_booked_as_that(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    with world.engine() as engine:
        for hour in range(3):
            world.tick(engine, hour)
        held = position(engine, GOES)
        assert held != "0"
    world.book.delist(GOES, START_MS + 10 * HOUR_MS + 1)
    world.book.advance(START_MS + 11 * HOUR_MS)
    world.end_of(GOES, START_MS + 10 * HOUR_MS)
    with world.engine() as engine:
        for hour in range(12, 15):
            world.tick(engine, hour)
        assert position(engine, GOES) == "0"
        assert exits(engine, GOES) == ["settlement"]
        assert engine.book.assets[GOES].is_flat
        assert position(engine, STAYS) != "0"
        decided = len(views(engine.journal, STAYS))
        world.tick(engine, 15)
        assert len(views(engine.journal, STAYS)) == decided + 1
        assert_sound(engine.journal)
