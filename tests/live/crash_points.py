"""A crash at every write and every call of some bars of trading, against the same bars without one.

`python -m tests.live.crash_points` prints the table. A crash run begins at the tick in which it dies, from a
copy of home, journal and exchange; the process that comes after it knows nothing but these.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_alpha.domain.orders import client_id_leg
from engine_alpha.home import Home
from engine_alpha.journals.sqlite import SqliteJournal
from engine_alpha.loop import wiring
from engine_alpha.step.recording import DECISION, TRADE, digests_of
from tests.exchange.trading.values import NEW, PARTIALLY_FILLED, UNTRIGGERED
from tests.live.crashing import AFTER, BEFORE, Crash, MortalWorld, Points, mortal
from tests.live.test_live_equals_paper import MONEY, every_eight_hours
from tests.live.worlds import ACCOUNT, live_world
from tests.unit.loop.runs import QUICK, a_home, assert_sound, edit, payloads, series_of

SYMBOLS = ("ETHUSDT", "BTCUSDT")
FIRST_HOUR = 147  # from here on everything happens within a few bars, and both end with a position
TICKS = 12
RESTART_MS = 6_000
VENUES, SIDES = ("bybit", "binance"), (BEFORE, AFTER)
CARD = {
    **QUICK,
    "name": "mixed",
    "exits": {
        "stop": {"atr": 0.9},
        "target": {"atr": 4.0},
        "trailing": {"atr": 0.9},
        "max_hold_bars": 4,
        "when": [{"signal": "rsi_centred", "at_most": 0.0}],
    },
}
FILL = ("symbol", "exec_type", "stop_order_type", "side", "quantity", "price", "fee", "received")
HELD = ("quantity", "entry_price", "stop", "target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to: at the exchange, and in our books."""

    fills: list[tuple[str, ...]]
    accepted: dict[str, int]
    held: dict[str, tuple[str, ...]]
    waiting: list[tuple[str, ...]]
    trades: list[list[Any]]
    equities: list[tuple[str, int, float]]
    decisions: str

    @property
    def orders(self) -> int:
        """Return how many entries and exits the exchange took."""
        return sum(n for each, n in self.accepted.items() if client_id_leg(each) in ("entry", "exit"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A world as it was before one tick, and the number of that tick's first point."""

    hour: int
    first_point: int
    world: MortalWorld


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The run without a crash."""

    venue: str
    stages: list[Stage]
    names: list[str]
    outcomes: list[Outcome]  # after each tick

    @property
    def outcome(self) -> Outcome:
        return self.outcomes[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One crash and what came of it."""

    venue: str
    number: int
    name: str
    side: str
    outcome: Outcome
    lost: int
    doubled: int
    differs: list[str]

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.differs)


def played(folder: Path, venue: str) -> Scenario:
    """Run the scenario without a crash, keeping a copy of everything from before each tick."""
    home = a_home(folder / "whole", SYMBOLS, cards=(CARD,))
    keep_only(home, SYMBOLS)
    points = Points()
    world = mortal(live_world(home, venue, series_of(SYMBOLS), every_eight_hours()), points)
    stages, outcomes = [], []
    for hour in hours():
        copied = world.copied(folder / f"before-{hour}", Points())
        stages.append(Stage(hour=hour, first_point=points.passed, world=copied))
        ticked(world, hour)
        outcomes.append(outcome_of(world.home, world.book.facts()))
    return Scenario(venue=venue, stages=stages, names=points.names, outcomes=outcomes)


def keep_only(home: Home, symbols: Sequence[str]) -> None:
    """Take every other asset and contract out of a home: it is read at each tick of thousands."""

    def others(found: dict[str, Any]) -> None:
        for symbol in [each for each in found if each not in (*symbols, "$schema")]:
            del found[symbol]

    edit(home.registry, others)
    for snapshot in home.instruments.glob("*.json"):
        edit(snapshot, lambda found: others(found["instruments"]))


def hours() -> range:
    """Return the closes of the scenario, counted from START_MS."""
    return range(FIRST_HOUR, FIRST_HOUR + TICKS)


def ticked(world: MortalWorld, hour: int) -> None:
    """Run one tick in an engine that was opened for it, as a runner's process does."""
    with world.engine() as engine:
        world.tick(engine, hour)
        assert engine.live is not None
        assert engine.live.book.faults == {}


def crashed(scenario: Scenario, folder: Path, number: int, side: str, ahead: int = TICKS) -> Row:
    """Die at one point, start again some seconds later, go on for `ahead` ticks; say what came of it."""
    stage = [each for each in scenario.stages if each.first_point <= number][-1]
    points = Points(at=number - stage.first_point, side=side)
    world = stage.world.copied(folder, points)
    try:
        ticked(world, stage.hour)
        raise AssertionError(f"point {number} was not reached")
    except Crash:
        assert points.names[-1] == scenario.names[number]
    world.renewed(Points())
    again(world)
    last = min(stage.hour + ahead, hours()[-1])
    for hour in range(stage.hour + 1, last + 1):
        ticked(world, hour)
    whole = scenario.outcomes[last - FIRST_HOUR]
    return compared(scenario, (number, side), whole, outcome_of(world.home, world.book.facts()))


def again(world: MortalWorld) -> None:
    """Tick at the same bar, as the next start would."""
    world.clock.set(world.clock.now_ms() + RESTART_MS)
    with world.engine() as engine:
        world.tick_now(engine)
        assert engine.live is not None
        assert engine.live.book.faults == {}


def outcome_of(home: Home, facts: dict[str, Any]) -> Outcome:
    """Return what a run came to, in the live account of a home and at the exchange."""
    journal = SqliteJournal.open(home.account(ACCOUNT) / wiring.JOURNAL_NAME, read_only=True)
    try:
        assert_sound(journal)
        records = [(each.event.symbol, each) for each in journal.events(DECISION)]
        return Outcome(
            fills=[tuple(str(fill[name]) for name in FILL) for fill in facts["fills"]],
            accepted=facts["accepted"],
            held={symbol: tuple(p[name] for name in HELD) for symbol, p in facts["positions"].items()},
            waiting=sorted(_waiting(facts["orders"])),
            trades=[[trade[name] for name in MONEY] for trade in payloads(journal, TRADE)],
            equities=[
                (symbol, each.event.bar_ms, payload["record"][4])
                for (symbol, each), payload in zip(records, payloads(journal, DECISION), strict=True)
            ],
            decisions=digests_of(journal.events(DECISION)).hexes()[0],
        )
    finally:
        journal.close()


def _waiting(orders: Sequence[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for order in orders:
        if order["status"] in (NEW, PARTIALLY_FILLED, UNTRIGGERED):
            yield order["symbol"], order["side"], order["quantity"], order["trigger_price"]


def compared(scenario: Scenario, crash: tuple[int, str], whole: Outcome, outcome: Outcome) -> Row:
    """Return the row of one crash."""
    number, side = crash
    lost, doubled, differs = differences(whole, outcome)
    return Row(
        venue=scenario.venue,
        number=number,
        name=scenario.names[number],
        side=side,
        outcome=outcome,
        lost=lost,
        doubled=doubled,
        differs=differs,
    )


def differences(whole: Outcome, outcome: Outcome) -> tuple[int, int, list[str]]:
    """Return how many fills were lost, how many fills or orders doubled, and what else is not as it was."""
    wanted, came = Counter(whole.fills), Counter(outcome.fills)
    twice = sum(count - 1 for each, count in outcome.accepted.items() if _is_ours_to_count(each, count))
    parts = ("held", "waiting", "trades", "equities", "decisions", "orders")
    lost, doubled = sum((wanted - came).values()), sum((came - wanted).values()) + twice
    return lost, doubled, [part for part in parts if getattr(whole, part) != getattr(outcome, part)]


def _is_ours_to_count(client_id: str, count: int) -> bool:
    return count > 1 and client_id_leg(client_id) in ("entry", "exit")


def table(folder: Path, venue: str, every: int = 1, ahead: int = TICKS) -> tuple[Scenario, Iterator[Row]]:
    """Return the scenario at a venue and a row for each crash: each point on both sides, or every so many."""
    scenario = played(folder / venue, venue)
    crashes = [(number, side) for number in range(len(scenario.names)) for side in SIDES]

    def rows() -> Iterator[Row]:
        for number, side in crashes[::every]:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                yield crashed(scenario, Path(place) / "home", number, side, ahead)

    return scenario, rows()


HEAD = (
    f"{'point':>5}  {'what':<52} {'venue':<8} {'crash':<7} {'orders':>6} {'fills':>5}  ledger  lost doubled"
)


def line(row: Row) -> str:
    """Return a row as text."""
    books = "differs" if row.differs else "equal"
    return (
        f"{row.number:>5}  {row.name:<52} {row.venue:<8} {row.side:<7} {row.outcome.orders:>6} "
        f"{len(row.outcome.fills):>5}  {books:<7} {row.lost:>4} {row.doubled:>7}"
        + (f"  {', '.join(row.differs)}" if row.differs else "")
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.live.crash_points", description=__doc__)
    parser.add_argument("--venue", choices=VENUES, action="append", help="default: both")
    parser.add_argument("--every", type=int, default=1, help="take every so many crashes")
    parser.add_argument("--ahead", type=int, default=TICKS, help="ticks after the crash; default: to the end")
    parser.add_argument("--bad", action="store_true", help="print bad rows only")
    asked = parser.parse_args()
    runs = lost = doubled = differing = 0
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        for venue in asked.venue or VENUES:
            scenario, rows = table(Path(folder), venue, asked.every, asked.ahead)
            for row in rows:
                runs, lost, doubled = runs + 1, lost + row.lost, doubled + row.doubled
                differing += 1 if row.differs else 0
                if not (asked.bad and row.is_good):
                    print(line(row), flush=True)
            whole = scenario.outcome
            print(
                f"{venue}: {len(scenario.names)} points in {TICKS} bars of {len(SYMBOLS)} assets; without a "
                f"crash {whole.orders} orders, {len(whole.fills)} fills, {len(whole.trades)} trades"
            )
    print(f"{runs} crashes: {lost} lost, {doubled} doubled, {differing} with another ledger or position")
    return 1 if lost or doubled or differing else 0


if __name__ == "__main__":
    sys.exit(main())
