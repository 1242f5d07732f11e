"""Twelve coins, one of them poisoned: the ways, and how to compare what the others did."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine_alpha.domain.bars import Funding, Reading
from engine_alpha.errors import DataError, Refused, VenueBusy
from engine_alpha.home import Home
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.live_step import make_tick, refreshed, run_step_live, steppable
from tests.unit.loop.runs import (
    LATE_MS,
    QUICK,
    SYMBOLS,
    MemoryFeed,
    a_home,
    assert_sound,
    close_ms,
    decision_lines,
    engine_of,
    put_card,
    reasons,
    series_of,
    set_asset,
    set_engine,
    tick_at,
)

VICTIM = "SOLUSDT"
OTHERS = tuple(symbol for symbol in SYMBOLS if symbol != VICTIM)
TICKS = 16
MIDDLE = 9  # then VICTIM holds a position, whichever caps apply


async def explodes(_reading: Reading) -> Reading:
    raise ZeroDivisionError("a bug in the feed")


async def is_refused(_reading: Reading) -> Reading:
    raise Refused("no such symbol")


async def is_busy(_reading: Reading) -> Reading:
    raise VenueBusy("later")


async def says_garbage(_reading: Reading) -> Reading:
    raise DataError("bad_reply", "half a letter: \ud83d and a NUL \0")


async def is_cancelled(_reading: Reading) -> Reading:
    raise asyncio.CancelledError("a task shared with others was cancelled")


async def hangs(_reading: Reading) -> Reading:
    await asyncio.sleep(3_600)
    raise AssertionError("nobody waits that long")


async def gives_nan(reading: Reading) -> Reading:
    close = reading.bars.close.copy()
    close[-1] = np.nan
    return replace(reading, bars=replace(reading.bars, close=close))


async def is_stale(reading: Reading) -> Reading:
    """Return nothing newer than a day and a half ago."""
    bars = reading.bars
    return replace(reading, bars=bars.between(int(bars.open_ms[0]), int(bars.open_ms[-36])))


async def is_no_reading(_reading: Reading) -> Any:
    return None


async def breaks_the_step(reading: Reading) -> Any:
    """Return bars that pass every check and funding that is none: an exception inside the step."""
    return replace(reading, funding=None)  # type: ignore[arg-type]


async def pays_nan(reading: Reading) -> Reading:
    times = reading.bars.open_ms[-40:] + 1
    rates = np.full(len(times), np.nan)
    return replace(
        reading, funding=Funding(settled_ms=times, rate_frac=rates, from_ms=0, to_ms=int(times[-1]) * 2)
    )


async def mixes_timeframes(reading: Reading) -> Reading:
    bars = reading.bars
    return replace(reading, bars=replace(bars, timeframe_ms=bars.timeframe_ms // 2))


FEEDS = (
    *(explodes, says_garbage, is_cancelled, hangs),
    *(gives_nan, is_stale, breaks_the_step, pays_nan),
)
MORE_FEEDS = (is_refused, is_busy, is_no_reading, mixes_timeframes)


def breaks_its_card(home: Home) -> None:
    put_card(home, {**QUICK, "name": "own", "scope": {"symbols": [VICTIM]}, "entry": "all"})


def breaks_its_entry(home: Home) -> None:
    set_asset(home, VICTIM, risk_bucket="moonshot")


def breaks_its_parameters(home: Home) -> None:
    (home.parameters / f"{VICTIM}.json").write_text('{"version": "mine"}', encoding="utf-8")


def is_disabled(home: Home) -> None:
    set_asset(home, VICTIM, enabled=False)


FILES = (breaks_its_card, breaks_its_entry, breaks_its_parameters)


@dataclass(frozen=True)
class Outcome:
    """What a run left behind: lines and other events per asset, the victim's reasons, exit codes."""

    lines: dict[str, list[str]]
    events: dict[str, list[tuple[str, str, str]]]
    reasons: list[str]
    exit_codes: list[int]
    held_in_the_middle: bool


def home_of(path: Path, risk: dict[str, Any]) -> Home:
    home = a_home(path, enabled=SYMBOLS, risk=risk)
    set_engine(home, feed_deadline_ms=100)
    return home


def play(
    home: Home,
    at: int = TICKS,
    poison: Any = None,
    on_file: Callable[[Home], None] | None = None,
    passed_over: bool = False,
) -> Outcome:
    """Play all ticks; from tick `at` on VICTIM is poisoned, its files are spoiled, or it is not stepped."""
    feed = MemoryFeed(series_of())
    codes = []
    with engine_of(home, feed) as engine:
        held = False
        for hour in range(TICKS):
            if hour == MIDDLE:
                held = VICTIM in engine.book.assets and engine.book.assets[VICTIM].sub.position.side != 0
            if hour == at and on_file is not None:
                on_file(home)
            if hour >= at and poison is not None:
                feed.poisons[VICTIM] = poison
            if hour >= at and passed_over:
                tick_without_victim(engine, hour)
            else:
                codes.append(tick_at(engine, close_ms(hour) + LATE_MS).exit_code)
        assert_sound(engine.journal)
        return outcome_of(engine, codes, held)


def tick_without_victim(engine: Engine, hour: int) -> None:
    """Run a tick in which VICTIM is merely passed over."""
    engine.clock.set(close_ms(hour) + LATE_MS)  # type: ignore[attr-defined]
    assets = [asset for asset in steppable(refreshed(engine), engine).values() if asset.symbol != VICTIM]
    tick = make_tick(engine, assets)
    for asset in assets:
        run_step_live(asset.symbol, asset.base_timeframe, tick)


def outcome_of(engine: Engine, codes: list[int], held: bool) -> Outcome:
    journal = engine.journal
    events: dict[str, list[tuple[str, str, str]]] = {symbol: [] for symbol in SYMBOLS}
    for stored in journal.events():
        event = stored.event
        if event.kind in ("fill", "trade", "funding"):
            events[event.symbol].append((event.kind, event.key, event.payload))
    return Outcome(
        lines={symbol: decision_lines(journal, symbol) for symbol in SYMBOLS},
        events=events,
        reasons=reasons(journal, VICTIM),
        exit_codes=codes,
        held_in_the_middle=held,
    )


def assert_others_alike(poisoned: Outcome, twin: Outcome) -> None:
    for symbol in OTHERS:
        assert poisoned.lines[symbol] == twin.lines[symbol], symbol
        assert poisoned.events[symbol] == twin.events[symbol], symbol
        assert len(poisoned.lines[symbol]) == TICKS
