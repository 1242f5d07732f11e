"""What people, the exchange and the machine do to a world at moments that the seed chooses."""

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal

from engine_alpha.errors import LockHeld
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.loop.halt_file import request_halt
from engine_alpha.loop.lock import account_lock
from tests.exchange.trading.values import OrderRefused
from tests.simulation.plan import HOUR_MS, LIMITS, MINUTE_MS
from tests.simulation.world import World

Deed = Callable[[World], str]


def manual(world: World) -> str:
    """Trade by hand: into our position, against a part or more than all of it, or where nothing is held."""
    symbol = world.random.choice(world.symbols)
    held = world.book.state.positions.get(symbol)
    lot = Decimal(world.book.market.listings[symbol].lot)
    if held is not None and held.quantity:
        share = world.random.choice(("0.4", "1", "1", "1.7", "-0.5"))
        signed = -held.quantity * Decimal(share)
    else:
        price = Decimal(repr(world.book.mark_price(symbol)))
        signed = Decimal(world.random.choice((-60, 60))) / price
    quantity = (abs(signed) / lot).to_integral_value(ROUND_DOWN) * lot
    side = "buy" if signed > 0 else "sell"
    world.book.manual(symbol, side, quantity)
    world.watch.touched.add(symbol)
    return f"a person {side}s {quantity} {symbol}"


def cancel_stops(world: World) -> str:
    """Take the stops of a symbol away by hand."""
    symbol = world.random.choice(world.symbols)
    count = world.book.cancel_stops(symbol)
    return f"a person cancels {count} stops of {symbol}" if count else ""


def adl(world: World) -> str:
    """Let the exchange take a part or all of a position."""
    for symbol in world.symbols:
        held = world.book.state.positions.get(symbol)
        if held is not None and held.quantity:
            lot = Decimal(world.book.market.listings[symbol].lot)
            share = Decimal(world.random.choice(("0.3", "1")))
            amount = (abs(held.quantity) * share / lot).to_integral_value(ROUND_DOWN) * lot
            world.book.adl(symbol, amount or None)
            return f"ADL takes {amount} {symbol}"
    return ""


def leverage(world: World) -> str:
    """Change a symbol's leverage by hand, so high that a liquidation is near."""
    symbol = world.random.choice(world.symbols)
    most = world.book.contracts[symbol].max_leverage
    return f"a person sets {symbol} to {most}x" if world.book.set_leverage(symbol, most) else ""


def delist(world: World) -> str:
    """Announce the end of one contract."""
    if world.feed.ends:
        return ""
    symbol = world.random.choice(world.symbols)
    at_ms = world.timeline.now_ms + world.random.choice((2, 10, 30)) * HOUR_MS
    world.book.delist(symbol, at_ms)
    world.feed.ends[symbol] = at_ms
    return f"{symbol} will be settled in {(at_ms - world.timeline.now_ms) // HOUR_MS} h"


def halt(world: World) -> str:
    """Halt entries for some hours."""
    request_halt(world.folder, True, "simulated", world.clock.now_ms())
    hours = world.random.choice((1, 3, 6))

    def resume() -> None:
        request_halt(world.folder, False, "simulated", world.clock.now_ms())
        world.note("resume", "")

    world.timeline.at(world.timeline.now_ms + hours * HOUR_MS, resume)
    return f"a person halts entries for {hours} h"


def flatten(world: World) -> str:
    """Wish to be out of one asset, or of all."""
    symbol = world.random.choice((*world.symbols, None))
    request_flatten(world.folder, symbol, "simulated", world.clock.now_ms())
    return f"a person wants to be out of {symbol or 'everything'}"


def restart(world: World) -> str:
    """Start the exchange's services anew."""
    world.book.restart()
    return "the exchange restarts"


def jump(world: World) -> str:
    """Let the machine's clock jump, and come back later."""
    by_ms = world.random.choice((-3_000, 4_000, 120_000, -120_000, HOUR_MS, -HOUR_MS))
    world.clock.skew_ms = by_ms

    def back() -> None:
        world.clock.skew_ms = 0
        world.note("jump", "the machine's clock is right again")

    world.timeline.at(world.timeline.now_ms + world.random.choice((2, 40_000, 20 * MINUTE_MS)), back)
    return f"the machine's clock jumps by {by_ms} ms"


def outage(world: World) -> str:
    """Take the exchange's service down for a while."""
    kind = world.random.choice(("maintenance", "drop", "status"))
    dial = world.book.market.faults.add(kind=kind, value=502)
    minutes = world.random.choice((0.1, 0.5, 3, 70))

    def over() -> None:
        if dial in world.book.market.faults.faults:
            world.book.market.faults.faults.remove(dial)

    world.timeline.at(world.timeline.now_ms + int(minutes * MINUTE_MS), over)
    return f"an outage ({kind}) of {minutes} min"


def limit(world: World) -> str:
    """Set a pace that is easily broken, with a ban or without."""
    limits = world.book.market.limits
    wanted = limits.add(**world.random.choice(LIMITS[world.plan.venue]))

    def over() -> None:
        if wanted in limits.limits:
            limits.limits.remove(wanted)

    world.timeline.at(world.timeline.now_ms + world.random.choice((1, 10)) * MINUTE_MS, over)
    return f"a pace limit of {wanted.requests} in {wanted.window_ms} ms"


def full_disk(world: World) -> str:
    """Let the disk be full for a while."""
    world.disk.full = True

    def freed() -> None:
        world.disk.full = False

    world.timeline.at(world.timeline.now_ms + world.random.choice((1, 30)) * MINUTE_MS, freed)
    return "the disk is full"


def second_process(world: World) -> str:
    """Start a second process on the account: the lock refuses it."""
    if world.engine is None:
        return ""
    try:
        with account_lock(world.folder):
            world.fail("lock", "a second process was let in")
    except LockHeld:
        return "a second process is refused"
    return ""


DEEDS: dict[str, Deed] = {
    deed.__name__: deed
    for deed in (
        *(manual, cancel_stops, adl, leverage, delist, halt, flatten, restart),
        *(jump, outage, limit, full_disk, second_process),
    )
}


def done(world: World, name: str) -> None:
    """Do it, if the exchange lets it be done."""
    world.book.advance(world.timeline.now_ms)
    try:
        told = DEEDS[name](world)
    except OrderRefused:
        return
    if told:
        world.note(name, told)
