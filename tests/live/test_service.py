"""`chloe run` with real orders: stops looked after between the closes, wishes heeded at once."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from engine_alpha.loop.arming import disarm
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.loop.halt_file import request_halt
from engine_alpha.loop.last_good import KeptConfiguration
from engine_alpha.loop.service.accounts import Account
from engine_alpha.loop.service.service import Service
from engine_alpha.loop.service.stopping import Stop
from engine_alpha.notices.systemd import Notifier
from engine_alpha.plans.setup import Setup
from engine_alpha.step.recording import DECISION, digests_of
from tests.exchange.trading.values import STOP_MARKET
from tests.live.test_review_money import SYMBOL, a_world, both_venues
from tests.live.worlds import ACCOUNT, SharedClock, World
from tests.unit.loop.runs import HOUR_MS, START_MS, assert_sound, fails, journal_of, set_engine
from tests.unit.loop.services import Diary, EventfulClock

SLICE_MS = 20_000
LOOK_MS = 60_000


class WorldClock(SharedClock, EventfulClock):
    """One time for service and exchange, and things that happen on the way."""


def served(world: World, hours: float, deeds: Sequence[tuple[float, Callable[[], object]]] = ()) -> Diary:
    """Run a service of the live account for so many hours; deeds happen so many hours after its start."""
    clock = WorldClock(START_MS, world.market.clock)
    world.clock = clock
    diary = Diary()
    set_engine(world.home, service={"look_every_ms": LOOK_MS, "ping_url": "", "ping_every_ms": 60_000})

    def accounts_for(_setup: Setup) -> list[Account]:
        return [Account(name=ACCOUNT, made_from=0, opening=world.engine)]

    service = Service(
        configuration=KeptConfiguration(world.home),
        accounts_for=accounts_for,
        clock=clock,
        notifier=Notifier({}),
        stop=Stop(),
        watchers=[diary],
        slice_ms=SLICE_MS,
    )

    def end() -> None:
        service.stop.asked = True

    for after_hours, deed in (*deeds, (hours, end)):
        clock.at(START_MS + int(after_hours * HOUR_MS), deed)
    service.run()
    return diary


def stops(world: World) -> list[str]:
    found = world.book.state.open.values()
    return [order.client_id for order in found if order.type == STOP_MARKET and order.request.reduces]


def take_stops_away(world: World) -> None:
    world.book.cancel_stops(SYMBOL)


@both_venues
def test_a_stop_that_went_away_between_two_closes_is_back_at_the_next_look(
    tmp_path: Path, venue: str
) -> None:
    world = a_world(tmp_path, venue)
    seen: dict[str, list[str]] = {}

    def note(name: str) -> Callable[[], object]:
        return lambda: seen.__setitem__(name, stops(world))

    away = 2.5
    deeds = [
        (away - 0.01, note("before")),
        (away, lambda: take_stops_away(world)),
        (away + 1e-5, note("gone")),
        (away + (LOOK_MS + SLICE_MS + 1_000) / HOUR_MS, note("back")),
    ]
    diary = served(world, 3.2, deeds)
    assert [len(seen[name]) for name in ("before", "gone", "back")] == [1, 0, 1]
    assert diary.unhealthy() == []
    assert_sound(journal_of(world.home, ACCOUNT))


def test_looks_leave_a_coin_alone_while_its_bar_settles_and_nothing_waits_for_it(tmp_path: Path) -> None:
    world, settle_ms = a_world(tmp_path, "bybit"), 3 * SLICE_MS - 1
    set_engine(world.home, settle_delay_ms={"bybit": settle_ms, "binance": 0})
    folder = world.home.account(ACCOUNT)
    wish = 1 + SLICE_MS / HOUR_MS  # it would have orders looked at, at once
    diary = served(world, 2.5, [(wish, lambda: request_halt(folder, True, "pause", world.clock.now_ms()))])
    assert all((report.now_ms - START_MS) % HOUR_MS >= settle_ms for report in diary.reports)
    passed_ms = [now_ms for now_ms, _ in diary.healths]
    assert max(after - before for before, after in pairwise(passed_ms)) <= SLICE_MS
    assert diary.unhealthy() == []


def test_a_held_coin_whose_candles_stay_away_keeps_its_stop_all_the_same(tmp_path: Path) -> None:
    world = a_world(tmp_path, "bybit")
    seen: dict[str, list[str]] = {}
    away = 4.7  # it has rested for long by then
    deeds = [
        (2.5, lambda: world.feed.poisons.__setitem__(SYMBOL, fails)),
        (away, lambda: take_stops_away(world)),
        (away + 1e-5, lambda: seen.__setitem__("gone", stops(world))),
        (away + (LOOK_MS + SLICE_MS + 20_000) / HOUR_MS, lambda: seen.__setitem__("back", stops(world))),
    ]
    served(world, 4.8, deeds)
    assert [len(seen[name]) for name in ("gone", "back")] == [0, 1]


@both_venues
def test_a_wish_to_be_out_is_carried_out_at_once(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    held: list[bool] = []
    folder = world.home.account(ACCOUNT)
    deeds = [
        (2.5, lambda: held.append(world.book.position(SYMBOL).quantity != 0)),
        (2.5, lambda: request_flatten(folder, SYMBOL, "enough", world.clock.now_ms())),
        (2.52, lambda: held.append(world.book.position(SYMBOL).quantity != 0)),
    ]
    served(world, 2.6, deeds)
    assert held == [True, False]


@pytest.mark.parametrize("venue", ["bybit", pytest.param("binance", marks=pytest.mark.slow)])
def test_a_coin_disarmed_while_it_runs_keeps_its_stop_and_enters_no_more(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    served(world, 5.5, [(2.5, lambda: disarm(world.home.account(ACCOUNT), SYMBOL))])
    assert world.book.position(SYMBOL).quantity != 0
    assert len(stops(world)) == 1


@pytest.mark.parametrize("venue", ["bybit", pytest.param("binance", marks=pytest.mark.slow)])
def test_looks_between_the_closes_change_no_decision(tmp_path: Path, venue: str) -> None:
    served_world, ticked = a_world(tmp_path / "served", venue), a_world(tmp_path / "ticked", venue)
    served(served_world, 8.5)
    with ticked.engine() as engine:
        for hour in range(9):
            ticked.tick(engine, hour)
    found, wanted = (
        digests_of(journal_of(world.home, ACCOUNT).events(DECISION)) for world in (served_world, ticked)
    )
    assert found.hexes()[0] == wanted.hexes()[0]  # the ledger has fills at the time of the tick
    assert found.decisions == wanted.decisions == 9


@pytest.mark.parametrize("venue", ["bybit"])
def test_a_venue_that_is_down_leaves_the_service_alive(tmp_path: Path, venue: str) -> None:
    world = a_world(tmp_path, venue)
    faults = world.market.faults
    diary = served(
        world, 6.5, [(2.5, lambda: faults.add(kind="maintenance", chance=1.0)), (4.25, faults.clear)]
    )
    assert diary.unhealthy() == []
    journal = journal_of(world.home, ACCOUNT)
    decided = [(each.event.bar_ms + HOUR_MS - START_MS) // HOUR_MS for each in journal.events(DECISION)]
    assert decided == list(range(7))
    assert len(stops(world)) == 1
    assert_sound(journal)
