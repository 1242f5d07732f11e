"""One seed from beginning to end: hours of trading with faults, a quiet time, and what came of it."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from random import Random

from engine_alpha.loop.halt_file import request_halt
from tests.exchange.trading.values import NewOrder, OrderRefused
from tests.simulation import coverage
from tests.simulation.deeds import done
from tests.simulation.plan import HOUR_MS, MINUTE_MS, minutes_of_ticks, plan_of
from tests.simulation.universe import remembered_windows
from tests.simulation.watch import Violation
from tests.simulation.world import World

QUIET_HOURS = 5
QUIET_TICKS_MS = (5_000, 90_000, 30 * MINUTE_MS)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What one seed came to."""

    seed: int
    digest: str
    asset_bars: int
    violations: list[Violation]
    faults: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    transitions: set[tuple[str, str]] = field(default_factory=set)
    fills: Counter[str] = field(default_factory=Counter)  # by the kind of execution
    naked_ms: int = 0
    naked_alive_ms: int = 0
    longest_naked_alive_ms: int = 0
    story: list[str] = field(default_factory=list)


def run_seed(seed: int, bars: int = 40, assets: int = 3, trace: bool = False, loses: int = 0) -> Outcome:
    """Run a seed until its end or its first violation. `loses`: commits a crash takes away (a mutation)."""
    world = World(seed, plan_of(seed, bars), assets, bars, trace)
    world.disk.loses = loses
    world.tell(str(world.plan))
    with remembered_windows(), coverage.noted() as seen:
        hours = live_through(world, bars)
    watch = world.watch
    return Outcome(
        seed=seed,
        digest=digest_of(world),
        asset_bars=hours * assets,
        violations=watch.violations,
        faults=world.faults,
        crashes=world.crashes,
        transitions=seen,
        fills=Counter(fill.exec_type for fill in world.book.fills),
        naked_ms=watch.naked_ms,
        naked_alive_ms=watch.naked_alive_ms,
        longest_naked_alive_ms=watch.longest_naked_alive_ms,
        story=world.story or [],
    )


def live_through(world: World, bars: int) -> int:
    """Let all hours pass until the end or the first violation; return how many did."""
    random = Random(f"{world.seed}/hours")
    hours = 0
    try:
        while hours < bars and not world.watch.violations:
            trade_an_hour(world, random, hours)
            hours += 1
        if not world.watch.violations:
            hours += quiet(world, hours)
    finally:
        world.close()
    return hours


def trade_an_hour(world: World, random: Random, hour: int) -> None:
    """Let one hour pass: its weather, its deeds, its ticks."""
    close_ms = world.start_ms + hour * HOUR_MS
    world.timeline.move_to(close_ms)
    if random.random() < world.plan.stormy:
        world.calm_network()
        world.storm()
    else:
        world.calm_network()
    ticks = minutes_of_ticks(random)
    for name, chance in world.plan.deeds.items():
        if chance and random.random() < chance:
            near = random.random() < 0.6
            after_ms = ticks[0] + random.randint(0, 6_000) if near else random.randrange(HOUR_MS)
            world.timeline.at(close_ms + after_ms, partial(done, world, name))
    for after_ms in ticks:
        if world.watch.violations:
            return
        world.timeline.move_to(close_ms + after_ms)
        world.tick()


def quiet(world: World, hour: int) -> int:
    """Let the faults end and everything settle; return how many hours that took."""
    world.timeline.move_to(world.start_ms + hour * HOUR_MS)
    world.calm()
    world.down_until_ms = 0
    request_halt(world.folder, False, "simulated", world.clock.now_ms())
    for quiet_hour in range(QUIET_HOURS):
        for after_ms in QUIET_TICKS_MS:
            world.timeline.move_to(world.start_ms + (hour + quiet_hour) * HOUR_MS + after_ms)
            world.calm()
            world.tick()
            if world.watch.violations:
                return quiet_hour
            undo_what_persons_did(world)
    world.watch.at_end()
    return QUIET_HOURS


def undo_what_persons_did(world: World) -> None:
    """Trade what is not ours away by hand, as a person would who reads the report."""
    for symbol, position in world.watch.held().items():
        state = world.watch.live_state(symbol)
        if state is None or state.verdict not in ("foreign", "unexplained"):
            continue
        others = position.quantity - Decimal(state.ours_base)
        try:
            if others:
                side = "sell" if others > 0 else "buy"
                world.book.place(
                    NewOrder(symbol=symbol, client_id="", side=side, quantity=abs(others), reduce_only=True)
                )
                world.note("manual", f"a person gives up {others} {symbol}")
        except OrderRefused:
            continue


def digest_of(world: World) -> str:
    """Return a hash over the journal and over all that the exchange knows."""
    facts = json.dumps(world.book.facts(), sort_keys=True)
    told = f"{world.disk.stored.head().hash} {len(world.disk.commits)} {facts} {sorted(world.faults.items())}"
    return hashlib.sha256(told.encode()).hexdigest()
