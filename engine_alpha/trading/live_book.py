"""An account's live states as its process sees them: read from the journal, replaced commit by commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine_alpha.errors import BrokenPromise
from engine_alpha.ports import Clock, Event, Journal, Venue
from engine_alpha.step.state import LIVE_PREFIX
from engine_alpha.trading.recording import EXECUTION, execution_key, live_event
from engine_alpha.trading.state import LiveState, live_of, live_text, state_name

EventMaker = Callable[[LiveState], Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingLimits:
    """How long things may take. `poll_ms` is the first pause between two looks, doubled from look to look.

    `budget_ms` is what one tick spends on one asset's orders, `urgent_budget_ms` where a position must be
    left or lacks its stop; `grace_ms` how long a venue may tell position and fills apart.
    """

    naked_limit_ms: int = 10_000
    max_entry_delay_ms: int = 300_000
    grace_ms: int = 5_000
    budget_ms: int = 20_000
    urgent_budget_ms: int = 180_000
    poll_ms: int = 250


@dataclass(slots=True, kw_only=True)
class LiveBook:
    """States by symbol, and what this process alone knows.

    `unsent` are ids journalled but certainly not sent by this process, `missed` when, by the venue's clock,
    an order was first not found. `faults` are the assets whose last look failed: they are not stepped until
    one succeeds.
    """

    journal: Journal
    clock: Clock
    venues: Mapping[str, Venue]
    limits: TradingLimits
    started_ms: int
    states: dict[str, LiveState]
    unsent: set[str] = field(default_factory=set)
    missed: dict[str, int] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)

    def state(self, symbol: str, venue: str) -> LiveState:
        """Return an asset's live state, a fresh one if it never had an order.

        While anything of it is left at the venue it traded on, it stays there.
        """
        known = self.states.get(symbol)
        if known is None:
            return LiveState(symbol=symbol, venue=venue)
        if known.venue == venue or not known.is_over:
            return known
        return LiveState(symbol=symbol, venue=venue, version=known.version, flattened_ms=known.flattened_ms)

    def venue_of(self, state: LiveState) -> Venue:
        """Return the venue on which an asset's orders are."""
        return self.venues[state.venue]

    def knows(self, state: LiveState, venue_id: str) -> bool:
        """Say whether an execution is journalled already."""
        return self.journal.has(EXECUTION, execution_key(state.venue, state.symbol, venue_id))

    def commit(self, state: LiveState, makers: Sequence[EventMaker], bar_ms: int) -> LiveState:
        """Write the events and the state they lead to, in one durable transaction; return it numbered."""
        numbered = replace(state, version=state.version + 1)
        text = live_text(numbered)
        events = [*(make(numbered) for make in makers), live_event(numbered, text, bar_ms)]
        if self.journal.commit(self.clock.now_ms(), events, {state_name(state.symbol): text}) == 0:
            first = events[0]
            raise BrokenPromise(f"{first.kind} {first.key} was journalled before, unknown to us")
        self.states[state.symbol] = numbered
        return numbered


def states_of(texts: Mapping[str, str]) -> dict[str, LiveState]:
    """Return the live states among a journal's states, by symbol."""
    return {
        name.removeprefix(LIVE_PREFIX): live_of(text)
        for name, text in texts.items()
        if name.startswith(LIVE_PREFIX)
    }
