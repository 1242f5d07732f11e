"""The four edges of the engine as small Protocols: Clock, BarFeed, Venue, Journal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine_alpha.domain.asset import AssetConfig
from engine_alpha.domain.bars import Reading


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Return the time in ms UTC; a feed's server decides "closed", this only bounds it."""
        ...

    def wait_until(self, at_ms: int) -> None:
        """Return when it is that time; a clock that stands still returns at once."""
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

    def close(self) -> None:
        """Let go of the file and the lock."""
        ...


class Venue(Protocol):
    """Where orders go. Paper shows a pending entry's provisional fill; its booking is the kernel's."""

    def provisional_fill(self, pending: Any, forming_open: float | None) -> float | None:
        """Return the price a pending order would fill at now; None while the next bar has not begun."""
        ...
