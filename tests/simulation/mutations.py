"""Ways to break the engine on purpose: a net that catches none of them has a hole."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Any

import pytest

from engine_alpha.domain.orders import EXIT, Execution, OrderIntent, Protection, VenueOrder
from engine_alpha.ports import Event
from engine_alpha.trading import acting, duties, ingest, looking
from engine_alpha.trading.live_book import LiveBook
from engine_alpha.trading.recording import execution_event
from engine_alpha.trading.state import LiveOrder, LiveState
from engine_alpha.trading.wishing import Brief
from engine_alpha.venues.binance import BinanceVenue
from engine_alpha.venues.bybit import BybitVenue
from tests.simulation.plan import Plan, plan_of
from tests.simulation.run import Outcome, run_seed

Patch = Callable[[pytest.MonkeyPatch], None]
VENUES: tuple[Any, ...] = (BybitVenue, BinanceVenue)


def dedupe_off(patch: pytest.MonkeyPatch) -> None:
    """Take every execution in each time it is told."""
    reads = count()

    def unique(venue: str, execution: Execution, bar_ms: int) -> Event:
        event = execution_event(venue, execution, bar_ms)
        return replace(event, key=f"{event.key}/{next(reads)}")

    patch.setattr(LiveBook, "knows", lambda _book, _state, _venue_id: False)
    patch.setattr(looking, "execution_event", unique)


def lookup_skipped(patch: pytest.MonkeyPatch) -> None:
    """Send an order of unknown outcome again without looking for it."""

    async def resend(book: LiveBook, brief: Brief, state: LiveState, order: LiveOrder) -> bool:
        return await acting._send(book, brief, state, order)

    async def find_nothing(_venue: Any, _intent: OrderIntent) -> VenueOrder | None:
        return None

    patch.setattr(acting, "_resolve", resend)
    for venue in VENUES:
        patch.setattr(venue, "find", find_nothing)


def stop_check_off(patch: pytest.MonkeyPatch) -> None:
    """Claim that the protection stands, without a call and without a look."""

    async def claim(_venue: Any, _wish: Protection) -> None:
        return None

    for venue in VENUES:
        patch.setattr(venue, "protect", claim)
    for module in (ingest, duties):
        patch.setattr(module, "is_covered", lambda _state: True)


def exits_not_reduce_only(patch: pytest.MonkeyPatch) -> None:
    """Send exits that could open a position."""

    def without(place: Callable[..., Awaitable[VenueOrder]]) -> Callable[..., Awaitable[VenueOrder]]:
        async def placed(venue: Any, intent: OrderIntent) -> VenueOrder:
            careless = replace(intent, reduce_only=False) if intent.leg == EXIT else intent
            return await place(venue, careless)

        return placed

    for venue in VENUES:
        patch.setattr(venue, "place", without(venue.place))


def proof_time_ignored(patch: pytest.MonkeyPatch) -> None:
    """Believe at once that an order which is not found never arrived."""
    patch.setattr(acting, "is_proved_missing", lambda *_times: True)


def nothing(_patch: pytest.MonkeyPatch) -> None:
    """Change no code: the mutation is the disk's."""


def any_plan(_plan: Plan) -> bool:
    return True


def with_crashes(plan: Plan) -> bool:
    return 0 < plan.crash_points < 200


def with_stragglers(plan: Plan) -> bool:
    """A venue that takes an id again once its order is over, and requests that arrive late."""
    return plan.straggler >= 0.1 and plan.venue == "binance" and not plan.crash_points


@dataclass(frozen=True, slots=True)
class Mutation:
    """A fault put into the engine, and within how many seeds it must be found.

    `loses`: see `Disk`. `meets`: which plans have the dials that can bring it out; others are passed over.
    """

    patch: Patch
    seeds: int
    loses: int = 0
    meets: Callable[[Plan], bool] = any_plan


MUTATIONS = {
    "dedupe off": Mutation(dedupe_off, 5),
    "fsync skipped": Mutation(nothing, 40, loses=6, meets=with_crashes),
    "look-up skipped": Mutation(lookup_skipped, 20, meets=with_stragglers),
    "stop check off": Mutation(stop_check_off, 10),
    "exits not reduce only": Mutation(exits_not_reduce_only, 5),
    "proof time ignored": Mutation(proof_time_ignored, 60, meets=with_stragglers),
}


@contextmanager
def mutated(mutation: Mutation) -> Iterator[None]:
    """Run with the fault in place."""
    with pytest.MonkeyPatch.context() as patch:
        mutation.patch(patch)
        yield


def first_found(mutation: Mutation, bars: int = 25) -> tuple[int, Outcome] | None:
    """Return after how many seeds the fault showed, and how; None if it never did."""
    seeds = (seed for seed in count(1) if mutation.meets(plan_of(seed, bars)))
    with mutated(mutation):
        for tried, seed in enumerate(islice(seeds, mutation.seeds), 1):
            outcome = run_seed(seed, bars, loses=mutation.loses)
            if outcome.violations:
                return tried, outcome
    return None
