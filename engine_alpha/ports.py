"""The four edges of the engine as small Protocols: Clock, BarFeed, Venue, Journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.orders import (
    Execution,
    OrderIntent,
    Protection,
    Unreadable,
    VenueOrder,
    VenuePosition,
    Wallet,
)
from engine_alpha.domain.venue_facts import AccountFacts, FeeRates, SymbolFacts

if TYPE_CHECKING:  # who only reads a journal should not wait for NumPy
    from engine_alpha.domain.bars import Reading


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Return the time in ms UTC; a feed's server decides "closed", this only bounds it."""
        ...

    def wait_until(self, at_ms: int) -> None:
        """Return when it is that time; a clock that stands still returns at once."""
        ...

    async def pause(self, wait_ms: int) -> None:
        """Let that much time pass and other tasks run; a clock that stands still returns at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BarRequest:
    """Ask for the closed bars of one asset that open in [first_open_ms, now).

    `minutes_from_ms` asks for the 1-minute bars inside them, too, from there on; None for no minutes. A feed
    that has none, or not all of them in time, sends what it has.
    """

    asset: AssetConfig
    first_open_ms: int
    minutes_from_ms: int | None = None


class BarFeed(Protocol):
    """Gives closed bars; raises `DataError` for what can't be trusted and `VenueError` for a sick venue."""

    @property
    def describes(self) -> str:
        """Name the source for people, for example "SIMULATED PRICES, not bybit"."""
        ...

    @property
    def simulated(self) -> bool:
        """True if no market made these prices."""
        ...

    async def read(self, request: BarRequest, now_ms: int) -> Reading:
        """Return bars that closed at or before `now_ms`, oldest first; never the forming one."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, to be appended to the journal.

    `key` makes it unique within its kind ("ETHUSDT/1h/1690000000000"): appending a known (kind, key) again
    is a no-op. `payload` is JSON text, canonical already (no NaN).
    """

    kind: str
    symbol: str
    key: str
    bar_ms: int
    payload: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as the journal keeps it: numbered, timed, chained."""

    seq: int
    at_ms: int
    event: Event
    previous_hash: str
    hash: str


class Journal(Protocol):
    """Append-only events and the state they add up to; one writer.

    Every write is one transaction, durable when the call returns. Raises `JournalError`.
    """

    def state(self, name: str) -> str | None:
        """Return the state stored under `name` (a symbol, or "account") as JSON text, or None."""
        ...

    def states(self) -> dict[str, str]:
        """Return all states by name."""
        ...

    def commit(self, at_ms: int, events: Sequence[Event], states: Mapping[str, str]) -> int:
        """Append events and replace states in one transaction; return how many events were new."""
        ...

    def has(self, kind: str, key: str) -> bool:
        """Say whether the event is there."""
        ...

    def events(
        self, kind: str | None = None, symbol: str | None = None, newest_first: bool = False
    ) -> Iterator[StoredEvent]:
        """Iterate over stored events in order of writing."""
        ...

    def last_seq(self) -> int:
        """Return the number of the last event, 0 for none; costs a writer nothing."""
        ...

    def events_after(self, seq: int, kinds: Sequence[str] = ()) -> Iterator[StoredEvent]:
        """Iterate over the events after number `seq`, of these kinds or of all, in order of writing.

        What it costs does not grow with what was written before.
        """
        ...

    def close(self) -> None:
        """Let go of the file and the lock."""
        ...


class Venue(Protocol):
    """One exchange account: orders go out, facts come back. Every method may raise a `VenueError`.

    A write that raises `OutcomeUnknown` may have taken effect: look it up with `find`, never send it again.
    A read that fails says nothing: it is not "flat" and not "not there".
    """

    @property
    def name(self) -> str:
        """Name the venue as the registry does."""
        ...

    @property
    def stop_rides_entry(self) -> bool:
        """Say whether an entry carries its stop; else the stop is a second order, after the fill."""
        ...

    @property
    def proof_ms(self) -> int:
        """How long after an intent a look-up that finds nothing proves that the order never arrived."""
        ...

    async def server_ms(self) -> int:
        """Return the venue's time."""
        ...

    async def place(self, intent: OrderIntent) -> VenueOrder:
        """Send an entry or exit once; return it as accepted (its fills are told by `executions`).

        An id that the venue knows already raises `OutcomeUnknown`: an earlier attempt is there.
        """
        ...

    async def find(self, intent: OrderIntent) -> VenueOrder | None:
        """Look an order up by its client id in open orders, history and executions; None: in none of them."""
        ...

    async def cancel(self, symbol: str, order_id: str, conditional: bool) -> None:
        """Cancel one order by the venue's id; one that is gone already is no error."""
        ...

    async def protect(self, wish: Protection) -> None:
        """Make the protection of a position what `wish` says and verify that it stands; harmless to repeat.

        The old stop goes only once the new one stands. Raises `Refused` if the venue takes no such stop
        (the price is through it already): leave the position then.
        """
        ...

    async def is_protected(self, wish: Protection) -> bool:
        """Say whether that stop stands at the venue now, by a fresh read."""
        ...

    async def unprotect(self, symbol: str) -> None:
        """Take our stops and targets of a flat symbol away, where they do not go by themselves."""
        ...

    async def positions(self) -> Mapping[str, VenuePosition | Unreadable]:
        """Return every open position of the account by symbol: one request for all."""
        ...

    async def open_orders(self, symbol: str = "") -> Sequence[VenueOrder | Unreadable]:
        """Return the open orders of one symbol, or of the whole account, which costs more of the pace.

        Conditional ones too, but no stop that hangs on a position.
        """
        ...

    async def executions(self, symbol: str, since_ms: int) -> Sequence[Execution]:
        """Return fills and funding of one symbol from `since_ms` on, oldest first."""
        ...

    async def wallet(self) -> Wallet:
        """Return the account's money."""
        ...

    async def account_facts(self) -> AccountFacts:
        """Return how the account is set and what the key may do."""
        ...

    async def symbol_facts(self, symbol: str) -> SymbolFacts:
        """Return what the venue says of the contract now; also of one that no longer trades."""
        ...

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays."""
        ...

    async def set_up(self, symbol: str, leverage: str) -> None:
        """Set isolated margin (where it is per symbol) and leverage; already so is fine."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
