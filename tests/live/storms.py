"""Fifty armed assets at one venue, a clock that runs, and an exchange that wants silence again and again."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine_alpha.config.reading import read_json
from engine_alpha.home import Home
from engine_alpha.loop import wiring
from engine_alpha.loop.arming import arm
from engine_alpha.loop.tick import TickReport
from engine_alpha.times import iso
from tests.exchange.clock import ExchangeClock
from tests.exchange.limits import RateLimits
from tests.live.http_worlds import HttpWorld, http_world
from tests.live.worlds import ACCOUNT
from tests.unit.loop.runs import QUICK, edit, set_risk

MOST = 50
SYMBOLS = ("ETHUSDT", "BTCUSDT", *(f"C{number:02}USDT" for number in range(MOST - 2)))
HELD_BARS = 2
CARD = {**QUICK, "name": "storm", "exits": {"stop": {"frac": 0.2}, "max_hold_bars": HELD_BARS}}
GRACE_MS = 300  # what was under way when the venue asked for silence


class RunningClock(ExchangeClock):
    """One time for engine and exchange, that goes on by itself from where it was put."""

    def __init__(self, now_ms: int) -> None:
        super().__init__(now_ms)
        self.set(now_ms)

    def set(self, fixed_ms: int | None) -> None:
        """Go on from that time."""
        assert fixed_ms is not None
        self._from_ms, self._since_s = fixed_ms, time.monotonic()

    @property
    def stands(self) -> bool:
        return False

    def now_ms(self) -> int:
        return self._from_ms + int((time.monotonic() - self._since_s) * 1_000)

    def wait_until(self, at_ms: int) -> None:
        """Sleep until that time."""
        time.sleep(max(0, at_ms - self.now_ms()) / 1_000)

    async def pause(self, wait_ms: int) -> None:
        """Sleep, letting other tasks run."""
        await asyncio.sleep(wait_ms / 1_000)


class Storm(RateLimits):
    """Wants a second or two of silence again and again while it blows; bans whoever does not keep it.

    The first request in such a time is told so by 429 and `Retry-After`. Those that were under way then are
    refused, too, and no offence; any later one before the end is.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.blows = False
        self.asked = self.silences = 0
        self._random = Random(seed)
        self._from_ms = self._to_ms = self._told_ms = 0

    def refused(self, path: str, now_ms: int) -> tuple[int, Any, dict[str, str]] | None:
        """Count a request; return the "no" if the venue wants silence."""
        self.asked += 1
        if not self.blows:
            return None
        while now_ms >= self._to_ms:
            calm_ms, silent_ms = self._random.randint(1_000, 4_000), self._random.randint(1_000, 2_000)
            self._from_ms = max(self._to_ms, now_ms - 2_000) + calm_ms
            self._to_ms = self._from_ms + silent_ms
            self._told_ms = 0
        if now_ms < self._from_ms:
            return None
        if not self._told_ms:
            self._told_ms, self.silences = now_ms, self.silences + 1
        if now_ms - self._told_ms > GRACE_MS:
            self.bans += 1
            return self._no_to(418, 120)
        return self._no_to(429, -(-(self._to_ms - now_ms) // 1_000))

    def _no_to(self, status: int, retry_s: int) -> tuple[int, Any, dict[str, str]]:
        self.refusals += 1
        body = {"code": -1003, "msg": "Too many requests."}
        return status, body, {"Retry-After": str(retry_s)}


@dataclass(slots=True, kw_only=True)
class StormWorld:
    """The world, its storm and its clock, and how long each tick took."""

    world: HttpWorld
    storm: Storm
    clock: RunningClock
    took_ms: list[int] = field(default_factory=list)

    def tick(self, hour: int) -> TickReport:
        """Run one tick as the runner does; engine and exchange share a clock that runs."""
        at_ms = self.world.tick_ms(hour)
        self.world.control(now_ms=at_ms, advance_ms=at_ms)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wiring, "make_clock", lambda _now: self.clock)
            report = wiring.run_tick(str(self.world.home.path), "venue", iso(at_ms))
        self.took_ms.append(self.clock.now_ms() - at_ms)
        return report

    def exits_at(self) -> dict[str, int]:
        """Return when the first exit of each asset reached the exchange, ms."""
        found: dict[str, int] = {}
        for order in self.world.facts()["orders"]:
            if order["reduce_only"] and order["origin"] == "client" and not order["stop_order_type"]:
                found.setdefault(order["symbol"], order["created_ms"])
        return found


@contextmanager
def storm_world(folder: Path, venue: str, assets: int = MOST, seed: int = 1) -> Iterator[StormWorld]:
    """Serve so many armed assets; no storm blows yet."""
    symbols = SYMBOLS[:assets]
    with http_world(folder, venue, CARD, symbols, before=with_many) as world:
        clock, storm = RunningClock(world.start_ms), Storm(seed)
        world.exchange.market.clock = clock
        world.exchange.market.limits = storm
        for symbol in symbols:
            arm(world.home.account(ACCOUNT), symbol, world.start_ms, "loopback", venue)
        yield StormWorld(world=world, storm=storm, clock=clock)


def with_many(home: Home) -> None:
    """Put fifty assets into registry and snapshots, all like the first, and money enough for each."""
    registry = read_json(home.registry)
    first = registry["ETHUSDT"]

    def many(found: dict[str, Any]) -> None:
        for symbol in [each for each in found if each != "$schema"]:
            del found[symbol]
        found.update({symbol: {**first, "enabled": False} for symbol in SYMBOLS})

    edit(home.registry, many)
    for snapshot in home.instruments.glob("*.json"):
        entry = read_json(snapshot)["instruments"]["ETHUSDT"]
        edit(snapshot, lambda found: found.update(instruments=dict.fromkeys(SYMBOLS, entry)))  # noqa: B023
    set_risk(home, equity_quote=500_000.0)

    def small(found: dict[str, Any]) -> None:
        for bucket in found["buckets"].values():
            bucket["share_frac"] = 1.0 / len(SYMBOLS)

    edit(home.risk, small)
