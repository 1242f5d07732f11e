"""A venue that fails in a way nobody foresaw costs its own assets their look, and nobody his exits."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine_alpha.domain.orders import OrderIntent, Unreadable, VenueOrder, VenuePosition
from engine_alpha.domain.venue_facts import AccountFacts, SymbolFacts
from engine_alpha.errors import DataError
from engine_alpha.loop.engine import Engine
from engine_alpha.loop.flatten_file import request_flatten
from engine_alpha.venues.bybit import BybitVenue
from tests.live.test_review_money import SYMBOL, a_world, state_of
from tests.live.test_review_naked import until_held
from tests.live.worlds import ACCOUNT, PROOF_MS, World


class BrokenLook(BybitVenue):
    async def positions(self) -> Mapping[str, VenuePosition | Unreadable]:
        raise ZeroDivisionError("nobody foresaw this")


class BrokenFacts(BybitVenue):
    async def symbol_facts(self, symbol: str) -> SymbolFacts:
        raise ZeroDivisionError("nobody foresaw this")


class BrokenChecks(BybitVenue):
    async def account_facts(self) -> AccountFacts:
        raise ZeroDivisionError("nobody foresaw this")


def with_venue(world: World, engine: Engine, kind: type[BybitVenue]) -> None:
    assert engine.live is not None
    engine.live.book.venues = {"bybit": kind(world.transport(), PROOF_MS)}


class Stammers(BybitVenue):
    """Can't make out the venue's time when a first order is to be sent: nothing was."""

    has_failed = False

    async def place(self, intent: OrderIntent) -> VenueOrder:
        if not self.has_failed:
            self.has_failed = True
            raise DataError("bad_reply", "a page instead of the time")
        return await super().place(intent)


@pytest.mark.parametrize("kind", [BrokenLook, BrokenFacts, BrokenChecks])
def test_a_fault_nobody_foresaw_lets_exits_through(tmp_path: Path, kind: type[BybitVenue]) -> None:
    world = a_world(tmp_path, "bybit")
    with world.engine() as engine:
        hour = until_held(world, engine)
    with world.engine() as engine:
        with_venue(world, engine, kind)
        request_flatten(world.home.account(ACCOUNT), SYMBOL, "enough", world.clock.now_ms())
        world.tick(engine, hour + 1)
        assert world.book.position(SYMBOL).quantity == 0
        with_venue(world, engine, BybitVenue)
        world.tick(engine, hour + 2)
        assert state_of(engine).position == 0


class OneBrokenRow(BybitVenue):
    """Tells of a coin's position what can't be read."""

    async def positions(self) -> Mapping[str, VenuePosition | Unreadable]:
        found = await super().positions()
        return {**found, SYMBOL: Unreadable(symbol=SYMBOL, why="size is 'x', not an exact decimal string")}


def test_one_coins_unreadable_position_leaves_the_others_their_look(tmp_path: Path) -> None:
    world = a_world(tmp_path, "bybit")
    with world.engine() as engine:
        hour = until_held(world, engine)
        assert engine.live is not None
        with_venue(world, engine, OneBrokenRow)
        report = world.tick(engine, hour + 1)
        told = {step.symbol: (step.status, step.reason) for step in report.steps}
        assert told.pop(SYMBOL) == ("no_decision", "bad_reply")
        assert set(engine.live.book.faults) == {SYMBOL}
        with_venue(world, engine, BybitVenue)
        assert world.tick(engine, hour + 2).exit_code == 0


def test_a_reply_that_makes_no_sense_costs_an_exit_seconds_not_an_hour(tmp_path: Path) -> None:
    world = a_world(tmp_path, "bybit")
    with world.engine() as engine:
        hour = until_held(world, engine)
        with_venue(world, engine, Stammers)
        request_flatten(world.home.account(ACCOUNT), SYMBOL, "enough", world.clock.now_ms())
        world.tick(engine, hour + 1)
        assert state_of(engine).position == 0 == world.book.position(SYMBOL).quantity
